"""A class that has handed in: submissions made from the catalogue, one mistake each, in every format and form."""

import json
import zipfile
from itertools import product

from npbilstm.classroom.exercises import ALL
from npbilstm.classroom.formats import MAKERS, file_name
from npbilstm.classroom.stubs import helpers_of
from tests.classroom.written import body_of, written

FORMS = ("folder", "zip", "files")
"""How a submission lies there: a folder of its own (nbgrader's with the assignment's inside), a zip, files beside those
of others."""


def written_notebook(exercise, bug, file_format):
    """An exercise's notebook with its functions written, as it comes back from students."""
    helpers = [name for name in helpers_of(exercise.functions) if name not in exercise.functions]
    document = json.loads(MAKERS[file_format](exercise))
    cells = []
    for cell in document["cells"]:
        source = "".join(cell["source"])
        named = [name for name in exercise.functions if source.startswith(f"def {name}(")]
        if cell["cell_type"] == "raw":  # otter's marks, which it takes out
            continue
        if source.startswith("def test_"):  # and its tests, which it keeps to itself
            source = f'grader.check("{exercise.name}")'
        if named:
            source = "\n\n\n".join(body_of(name, bug) for name in [*helpers, *named])
            helpers = []
        cells.append({**cell, "source": source.splitlines(keepends=True)})
    if file_format == "otter":
        first = f'import otter\ngrader = otter.Notebook("{file_name(exercise, file_format)}")'
        cells.insert(0, {**cells[-1], "source": first.splitlines(keepends=True)})
    return json.dumps({**document, "cells": cells}, indent=1)


def texts_of(exercises, bug, file_format, where=None):
    """The files of a submission by their names. where: the exercise that has the mistake; all, where none is named."""
    texts = {}
    for exercise in exercises:
        here = bug if where in (None, exercise) else None
        own = written(exercise, here) if file_format == "py" else written_notebook(exercise, here, file_format)
        texts[file_name(exercise, file_format)] = own
    return texts


def hand_in(folder, name, texts, form, file_format="py"):
    """Put a submission's files where a class hands in."""
    if form == "zip":
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            for file, text in texts.items():
                archive.writestr(zipfile.ZipInfo(file), text)  # of no date: the same bytes each time
        return
    place = folder / name / ("ps1" if file_format == "nbgrader" else "") if form == "folder" else folder
    place.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        (place / (f"{name}_{file}" if form == "files" else file)).write_text(text)


def make_class(folder, count, exercises=ALL):
    """Write a class's submissions -> names, each with the exercise in which its mistake is, and the mistake. The first
    has none."""
    folder.mkdir(parents=True, exist_ok=True)
    mistakes = [(exercise, bug) for exercise in exercises for bug in exercise.mistakes]
    chosen = [(None, None), *(mistakes[k * len(mistakes) // (count - 1)] for k in range(count - 1))]
    kinds = list(product(MAKERS, FORMS))
    made = {}
    for k, (where, bug) in enumerate(chosen):
        file_format, form = kinds[k % len(kinds)]
        name = f"s{k:03}"
        hand_in(folder, name, texts_of(exercises, bug, file_format, where), form, file_format)
        made[name] = where, bug
    return made
