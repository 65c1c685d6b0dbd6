"""What is handed out: each exercise as a Python file, or as a notebook of the same cells."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from npbilstm.classroom.exercise import Exercise
from npbilstm.classroom.exercises import ALL
from npbilstm.classroom.stubs import docstring, home_of, stub, surroundings

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


def introduction(exercise: Exercise) -> str:
    """What stands above an exercise: its task, and the notation that its docstrings use."""
    parts = [
        f"Exercise {ALL.index(exercise) + 1} of {len(ALL)}: {exercise.title}. "
        f"{exercise.minutes} minutes, {exercise.points} points.",
        textwrap.fill(exercise.task, WIDTH),
        textwrap.fill(
            f"To be written: {', '.join(exercise.functions)}. Signatures and docstrings say what goes in and what "
            "comes out; leave them as they are, and put a body where NotImplementedError is raised. What is imported "
            "from npbilstm.textbook you may call: it stands in for the exercises before this one.",
            WIDTH,
        ),
    ]
    for module in dict.fromkeys(home_of(function) for function in exercise.functions):
        name = module.rpartition(".")[2]
        parts.append(f"The textbook's {name}.py begins:\n\n{textwrap.indent(docstring(module), '    ')}")
    for function in exercise.quoted:
        parts.append(f"{function}, of which the docstrings speak:\n\n{textwrap.indent(docstring(function), '    ')}")
    return "\n\n".join(parts)


def preamble(exercise: Exercise) -> str:
    """The imports of an exercise's file, and the types of its params and caches."""
    around = surroundings(exercise.functions)
    imports = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(around.imports.items())]
    lines = ["from __future__ import annotations", "", *imports, *([""] if imports else []), "import numpy as np"]
    lines += ["", "from npbilstm.classroom import check_exercise"]
    if around.tools:
        tools = ", ".join(sorted(around.tools))
        line = f"from npbilstm.textbook import {tools}"
        lines.append(line if len(line) <= LINE else f"from npbilstm.textbook import (\n    {tools},\n)")
    text = "\n".join(lines)
    return "\n\n\n".join([text, *around.definitions.values()])


def check_line(exercise: Exercise) -> str:
    """The line that says how it stands."""
    return f'check_exercise("{exercise.name}", globals())'


def python_file(exercise: Exercise) -> str:
    """An exercise as a Python file, which says how it stands when it is run."""
    ask = "Run this file, or type `npbilstm exercise check` in its folder, to be told how it stands."
    last = f'if __name__ == "__main__":\n    print({check_line(exercise)})'
    parts = [preamble(exercise), *map(stub, exercise.functions), last]
    return f'"""{introduction(exercise)}\n\n{ask}\n"""\n\n' + "\n\n\n".join(parts) + "\n"


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


def heading(exercise: Exercise) -> str:
    """The introduction as Markdown."""
    first, *rest = introduction(exercise).split("\n\n")
    return "\n\n".join([f"# {first}", *rest])


def notebook(exercise: Exercise) -> str:
    """An exercise as a Jupyter notebook: text, then a cell for each function, then one that says how it stands."""
    cells = [Cell("markdown", heading(exercise)), Cell("code", preamble(exercise))]
    cells += [Cell("code", stub(function)) for function in exercise.functions]
    return as_notebook([*cells, Cell("code", check_line(exercise))])


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
