"""What a submission may import of npbilstm.textbook where it is graded: what stands in for earlier exercises.

The whole textbook is the solution, so it is nowhere in reach there. A submission gets a module of the functions that
its exercise may call, with all that these need, cut from the textbook's source: nothing that it is asked for itself.
"""

from __future__ import annotations

import ast
import builtins
from functools import cache
from typing import NamedTuple

from npbilstm.classroom.exercise import Exercise
from npbilstm.classroom.stubs import TEXTBOOK, bindings_of, home_of, names_in, surroundings, text_of


class StandIn(NamedTuple):
    """The source of the module, and the functions in it."""

    source: str
    functions: frozenset[str]


@cache
def stand_in(exercise: Exercise) -> StandIn:
    """What stands in for the exercises before this one: what its right bodies call, the steps that it takes through
    time, and the forward pass whose backward it asks for."""
    wanted = list(surroundings(exercise.functions).tools)
    for spec in exercise.specs:
        wanted += [*(spec.steps or ()), *([] if spec.forward in exercise.functions else [spec.forward])]
    pieces: dict[str, str] = {}
    for name in wanted:
        add(name, home_of(name), pieces)
    functions = frozenset(name for name, text in pieces.items() if text.startswith("def "))
    source = "\n\n\n".join(["from __future__ import annotations\nimport numpy as np", *pieces.values()])
    return StandIn(source + "\n", functions)


def add(name: str, module: str, pieces: dict[str, str]) -> None:
    """Add the source of a name, as a module knows it, behind that of all that it needs."""
    if name in pieces or name == "np" or hasattr(builtins, name) or name not in bindings_of(module):
        return
    statement = bindings_of(module)[name]
    if isinstance(statement, ast.ImportFrom):
        home = str(statement.module)
        if home.startswith(TEXTBOOK):
            add(name, home, pieces)
        else:
            pieces[name] = f"from {home} import {name}"
        return
    pieces[name] = ""
    for inner in names_in([statement]):
        add(inner, module, pieces)
    del pieces[name]  # behind what it needs
    first = min([statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", ()))])
    pieces[name] = text_of(module, first, statement.end_lineno or 0)
