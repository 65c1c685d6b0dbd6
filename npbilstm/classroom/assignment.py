"""What is handed out: each exercise as a Python file, or as a notebook of the same cells."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from npbilstm.classroom.course_form import record_of as form_record
from npbilstm.classroom.course_form import stubs_in_form
from npbilstm.classroom.exercise import Exercise
from npbilstm.classroom.exercises import ALL, number_of
from npbilstm.classroom.rewording import reworded, stub_in
from npbilstm.classroom.stubs import TEXTBOOK, docstring, home_of, surroundings
from npbilstm.classroom.variant import described, record_of
from npbilstm.submission.contained_form import form_named
from npbilstm.submission.conventions import conventions_of

WIDTH = 100
LINE = 120
NOTEBOOK = {
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}


def introduction(exercise: Exercise, variant: int | None = None) -> str:
    """What stands above an exercise: its task, and the notation that its docstrings use."""
    conventions = conventions_of(variant)
    if exercise.asks:
        return introduction_in_form(exercise)
    tools = f"What is imported from {TEXTBOOK}" if variant is None else "What is given"
    parts = [
        f"Exercise {number_of(exercise)} of {len(ALL)}: {exercise.title}. "
        f"{exercise.minutes} minutes, {exercise.points} points.",
        textwrap.fill(reworded(exercise.task, conventions), WIDTH),
        textwrap.fill(
            f"To be written: {', '.join(exercise.functions)}. Signatures and docstrings say what goes in and what "
            f"comes out; leave them as they are, and put a body where NotImplementedError is raised. {tools} you may "
            "call: it stands in for the exercises before this one.",
            WIDTH,
        ),
        described(conventions),
    ]
    for module in dict.fromkeys(home_of(function) for function in exercise.functions):
        name = module.rpartition(".")[2]
        said = textwrap.indent(reworded(docstring(module), conventions), "    ")
        parts.append(f"The textbook's {name}.py begins:\n\n{said}")
    for function in exercise.quoted:
        said = textwrap.indent(reworded(docstring(function), conventions), "    ")
        parts.append(f"{function}, of which the docstrings speak:\n\n{said}")
    return "\n\n".join(filter(None, parts))


def introduction_in_form(exercise: Exercise) -> str:
    """What stands above an exercise in a course's form."""
    title = f"{exercise.title}, as {form_named(exercise.form).title} has it"
    parts = [
        f"Exercise {number_of(exercise)} of {len(ALL)}: {title}. {exercise.minutes} minutes, {exercise.points} points.",
        textwrap.fill(exercise.task, WIDTH),
        textwrap.fill(
            f"To be written: {', '.join(exercise.functions)}. Docstrings have the textbook's equations, and the lines "
            "by which what is written is called: what these take and give counts, whatever the task above calls it. "
            "What earlier exercises asked for may be written beside it; nothing is given.",
            WIDTH,
        ),
    ]
    return "\n\n".join(parts)


def preamble(exercise: Exercise, variant: int | None = None) -> str:
    """The imports of an exercise's file, and the types of its params and caches."""
    if exercise.asks:
        return f"import numpy as np\n\nfrom npbilstm.classroom import check_exercise\n\n{form_record(exercise)}"
    around = surroundings(exercise.functions)
    imports = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(around.imports.items())]
    lines = ["from __future__ import annotations", "", *imports, *([""] if imports else []), "import numpy as np"]
    lines += ["", f"from npbilstm.classroom import check_exercise{', given' * (variant is not None)}"]
    tools = ", ".join(sorted(around.tools))
    if variant is not None:
        lines += ["", record_of(variant)]
        if tools:
            asked = ", ".join(f'"{name}"' for name in sorted(around.tools))
            line = f"[{tools}] = given({variant}, {asked})"
            lines.append(line if len(line) <= LINE else f"[\n    {tools},\n] = given({variant}, {asked})")
    elif tools:
        line = f"from npbilstm.textbook import {tools}"
        lines.append(line if len(line) <= LINE else f"from npbilstm.textbook import (\n    {tools},\n)")
    text = "\n".join(lines)
    return "\n\n\n".join([text, *(reworded(each, conventions_of(variant)) for each in around.definitions.values())])


def check_line(exercise: Exercise, variant: int | None = None) -> str:
    """The line that says how it stands."""
    more = f', form="{exercise.form}"' if exercise.asks else "" if variant is None else f", variant={variant}"
    return f'check_exercise("{exercise.name}", globals(){more})'


def python_file(exercise: Exercise, variant: int | None = None) -> str:
    """An exercise as a Python file, which says how it stands when it is run."""
    ask = "Run this file, or type `npbilstm exercise check` in its folder, to be told how it stands."
    last = f'if __name__ == "__main__":\n    print({check_line(exercise, variant)})'
    parts = [preamble(exercise, variant), *stubs(exercise, variant), last]
    return f'"""{introduction(exercise, variant)}\n\n{ask}\n"""\n\n' + "\n\n\n".join(parts) + "\n"


def stubs(exercise: Exercise, variant: int | None = None) -> list[str]:
    """What is to be written."""
    if exercise.asks:
        return stubs_in_form(exercise)
    return [stub_in(function, conventions_of(variant)) for function in exercise.functions]


class Cell(NamedTuple):
    """A notebook's cell. kind: "markdown", "code" or "raw". metadata: what a tool keeps in it."""

    kind: str
    text: str
    metadata: Mapping[str, Any] = MappingProxyType({})


def as_notebook(cells: Iterable[Cell]) -> str:
    """A notebook of these cells, not run."""
    made: list[dict[str, Any]] = [
        {"cell_type": kind, "id": f"cell-{k}", "metadata": dict(metadata), "source": text.splitlines(keepends=True)}
        | ({"execution_count": None, "outputs": []} if kind == "code" else {})
        for k, (kind, text, metadata) in enumerate(cells)
    ]
    return json.dumps({"cells": made, **NOTEBOOK}, indent=1) + "\n"


def heading(exercise: Exercise, variant: int | None = None) -> str:
    """The introduction as Markdown."""
    first, *rest = introduction(exercise, variant).split("\n\n")
    return "\n\n".join([f"# {first}", *rest])


def notebook(exercise: Exercise, variant: int | None = None) -> str:
    """An exercise as a Jupyter notebook: text, then a cell for each function, then one that says how it stands."""
    cells = [Cell("markdown", heading(exercise, variant)), Cell("code", preamble(exercise, variant))]
    cells += [Cell("code", text) for text in stubs(exercise, variant)]
    return as_notebook([*cells, Cell("code", check_line(exercise, variant))])


def start(folder: str | Path, texts: Mapping[str, str]) -> tuple[list[Path], list[Path]]:
    """Write files into a folder, which is made where it is not there -> the files written, and those that were there
    already and are left as they are. texts: by the files' names.

    Raises OSError where the folder cannot be written to.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written, kept = [], []
    for name, text in texts.items():
        path = folder / name
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)  # what is there is work
        except FileExistsError:
            kept.append(path)
            continue
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        written.append(path)
    return written, kept
