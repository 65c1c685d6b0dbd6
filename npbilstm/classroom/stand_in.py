"""What a submission may import of npbilstm.textbook where it is graded: what stands in for earlier exercises.

The whole textbook is the solution, so it is nowhere in reach there. A submission gets a module of the functions that
its exercise may call, with all that these need, cut from the textbook's source: nothing that it is asked for itself.
Those of a variant are the same functions with what moves arrays around them. In a course's form nothing stands in:
there is what calls its functions.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from npbilstm import textbook
from npbilstm.classroom.course_form import calls_of
from npbilstm.classroom.exercise import Exercise
from npbilstm.classroom.stubs import home_of, makings_of, surroundings
from npbilstm.submission import layouts, moved
from npbilstm.submission.contained_form import forms_source
from npbilstm.submission.conventions import Conventions, conventions_of
from npbilstm.submission.given import class_kinds, data_of


class StandIn(NamedTuple):
    """The source of the module, and the functions in it."""

    source: str
    functions: frozenset[str]


@cache
def stand_in(exercise: Exercise, variant: int | None = None) -> StandIn:
    """What stands in for the exercises before this one, in a variant's conventions where it is of one: what its right
    bodies call, the steps that it takes through time, and the forward pass whose backward it asks for."""
    if exercise.asks:
        return StandIn(forms_source(calls_of(exercise, subject) for subject, _ in exercise.asks), frozenset())
    wanted = list(surroundings(exercise.functions).tools)
    for spec in exercise.specs:
        wanted += [*(spec.steps or ()), *([] if spec.forward in exercise.functions else [spec.forward])]
    return standing_in(wanted, conventions_of(variant))


def standing_in(wanted: Iterable[str], conventions: Conventions) -> StandIn:
    """A module that has these functions, in these conventions, and all that they need."""
    wanted = list(dict.fromkeys(wanted))
    pieces: dict[str, str] = {}
    data = {name: data_of(name, conventions) for name in wanted} if conventions.names else {}
    classes = [name for name in class_kinds() if f"'{name}'" in repr(data)]
    homes = {name: home_of(name) for name in wanted} | {name: getattr(textbook, name).__module__ for name in classes}
    for name, module in homes.items():
        for part, home, text in makings_of(name, module, set(pieces)):
            pieces[part] = text or f"from {home} import {part}"
    functions = frozenset(name for name, text in pieces.items() if text.startswith("def "))
    texts = in_conventions(pieces, data, conventions) if conventions.names else [*pieces.values()]
    source = "\n\n\n".join(["from __future__ import annotations\nimport numpy as np", *texts])
    return StandIn(source + "\n", functions)


def in_conventions(pieces: Mapping[str, str], data: Mapping[str, Any], conventions: Conventions) -> list[str]:
    """The textbook's functions where no other sees them, what moves arrays, and the functions in these conventions."""
    inner = textwrap.indent("\n\n\n".join(pieces.values()), "    ")
    classes = {name: kinds for name, kinds in class_kinds().items() if name in pieces}
    own = {name: conventions.own_type(getattr(textbook, name))._fields for name in classes}
    return [
        "from collections import namedtuple",
        *(without_imports(inspect.getsource(module)) for module in (layouts, moved)),
        f"def textbook():\n{inner}\n    return locals()",
        f"OWN = {{name: namedtuple(name, fields) for name, fields in {own!r}.items()}}",
        f"TEXTBOOK, LAYOUT = textbook(), Layout(*{tuple(conventions.layout)!r})",
        f"MOVING = Moving(LAYOUT, {{name: (TEXTBOOK[name], kinds) for name, kinds in {classes!r}.items()}}, OWN)",
        f"globals().update({{name: MOVING.function(TEXTBOOK[name], **data) for name, data in {data!r}.items()}})",
    ]


def without_imports(source: str) -> str:
    """A module's source without its imports of this package and of the future, to be one of several in a file."""
    tree = ast.parse(source)
    modules = {each: each.module or "" for each in tree.body if isinstance(each, ast.ImportFrom)}
    left_out = [each for each, module in modules.items() if module.partition(".")[0] in ("npbilstm", "__future__")]
    places = {line for each in left_out for line in range(each.lineno, (each.end_lineno or 0) + 1)}
    return "\n".join(line for number, line in enumerate(source.split("\n"), 1) if number not in places)
