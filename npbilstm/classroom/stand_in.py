"""What a submission may import of npbilstm.textbook where it is graded: what stands in for earlier exercises.

The whole textbook is the solution, so it is nowhere in reach there. A submission gets a module of the functions that
its exercise may call, with all that these need, cut from the textbook's source: nothing that it is asked for itself.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from npbilstm.classroom.exercise import Exercise
from npbilstm.classroom.stubs import home_of, makings_of, surroundings


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
        for part, home, text in makings_of(name, home_of(name), set(pieces)):
            pieces[part] = text or f"from {home} import {part}"
    functions = frozenset(name for name, text in pieces.items() if text.startswith("def "))
    source = "\n\n\n".join(["from __future__ import annotations\nimport numpy as np", *pieces.values()])
    return StandIn(source + "\n", functions)
