"""The formats of what is handed out: files, notebooks, and notebooks from which nbgrader and otter make assignments.

The last two are for who teaches: they hold the solutions, which those tools take out. A solution has all that it needs
in its own body, so that it is right wherever it is judged, also where the textbook is out of reach. Both tools run a
student's code in one process with what judges it, so that who wants to deceive them can: they are for handing out and
for a first answer.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from npbilstm.classroom.assignment import Cell, as_notebook, check_line, heading, notebook, preamble, python_file
from npbilstm.classroom.exercise import Exercise
from npbilstm.classroom.exercises import number_of
from npbilstm.classroom.rewording import signature_in
from npbilstm.classroom.stand_in import standing_in
from npbilstm.classroom.stubs import body, helpers_of, signature, solution
from npbilstm.submission.conventions import conventions_of

OTTER_CONFIG = "# ASSIGNMENT CONFIG\nexport_cell: false\ntests:\n  ok_format: false"


def judged(exercise: Exercise, names: str, variant: int | None) -> str:
    """The lines that stop with the reason where an exercise is not right."""
    asked = check_line(exercise, variant).replace("globals()", names)
    return f'result = {asked}\nassert result.state == "right", str(result)'


def solved(function: str, begin: str, end: str, variant: int | None) -> str:
    """A function of the textbook, its body between two marks, in which the private ones that it calls stand too; of a
    variant one that has the textbook's source, and moves what goes in and out."""
    if variant is not None:
        conventions = conventions_of(variant)
        arguments = ", ".join(map(conventions.renamed, conventions.arguments(function)))
        lines = [
            f'answer = globals().setdefault("answer_{function}", {{}})',
            "if not answer:  # the textbook's source, and what moves arrays",
            f"    exec({standing_in([function], conventions).source!r}, answer)",
            f'return answer["{function}"]({arguments})',
        ]
        body_lines = textwrap.indent("\n".join(lines), "    ")
        return "\n".join([signature_in(function, conventions), f"    {begin}", body_lines, f"    {end}"])
    needed = [f"{textwrap.indent(solution(name), '    ')}\n" for name in helpers_of([function])[1:]]
    return "\n".join([signature(function), f"    {begin}", *needed, body(function), f"    {end}"])


def nbgrader_notebook(exercise: Exercise, variant: int | None = None) -> str:
    """The source of an nbgrader assignment: `nbgrader generate_assignment` makes of it what is handed out."""

    def cell(kind: str, text: str, name: str, **marks: Any) -> Cell:
        about = {"schema_version": 3, "grade": False, "locked": False, "solution": False, "task": False, **marks}
        return Cell(kind, text, {"nbgrader": {**about, "grade_id": f"{exercise.name}-{name}"}})

    def cells() -> Iterator[Cell]:
        yield cell("markdown", heading(exercise, variant), "task", locked=True)
        yield cell("code", preamble(exercise, variant), "given", locked=True)
        for function in exercise.functions:
            text = solved(function, "### BEGIN SOLUTION", "### END SOLUTION", variant)
            yield cell("code", text, function, solution=True)
        test = judged(exercise, "globals()", variant)
        yield cell("code", test, "test", grade=True, locked=True, points=exercise.points)

    return as_notebook(cells())


def otter_notebook(exercise: Exercise, variant: int | None = None) -> str:
    """The source of an otter assignment: `otter assign` makes of it what is handed out and what grades it."""

    def cells() -> Iterator[Cell]:
        yield Cell("raw", OTTER_CONFIG)
        yield Cell("markdown", heading(exercise, variant))
        yield Cell("code", preamble(exercise, variant))
        yield Cell("raw", f"# BEGIN QUESTION\nname: {exercise.name}\npoints: {exercise.points}")
        yield Cell("raw", "# BEGIN SOLUTION")
        for function in exercise.functions:
            prompt = (
                f'""" # BEGIN PROMPT\n    raise NotImplementedError("{function} is not written yet")\n""" # END PROMPT'
            )
            yield Cell("code", f"{solved(function, '# BEGIN SOLUTION', '# END SOLUTION', variant)}\n{prompt}")
        yield Cell("raw", "# END SOLUTION")
        yield Cell("raw", "# BEGIN TESTS")
        inside = "\n".join(f"    {line}" for line in judged(exercise, "env", variant).split("\n"))
        given = "    from npbilstm.classroom import check_exercise\n"
        yield Cell("code", f"def test_{exercise.name}(env):\n{given}{inside}")
        yield Cell("raw", "# END TESTS")
        yield Cell("raw", "# END QUESTION")

    return as_notebook(cells())


MAKERS: dict[str, Callable[[Exercise, int | None], str]] = {
    "py": python_file,
    "notebook": notebook,
    "nbgrader": nbgrader_notebook,
    "otter": otter_notebook,
}
"""What makes the text of an exercise's file, of a variant maybe, by the name of the format."""
SOURCES = ("nbgrader", "otter")
"""The formats that hold the solutions."""
ENDINGS = (".py", ".ipynb")


def file_name(exercise: Exercise, file_format: str) -> str:
    """The name of an exercise's file: a number, by which a folder is in order, and the exercise's name."""
    return f"ex{number_of(exercise):02}_{exercise.name}{ENDINGS[file_format != 'py']}"
