"""What a model makes of the steps that its recurrent layers have read: a number for each step and each of some things,
the symbols of an answer say, and the equations by which it comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

Axis = Literal["line", "step", "unit"]


class StepMap(NamedTuple):
    """Of one row of a batch: a map of lines, the things, by steps.

    name: that of its numbers, which are between 0 and 1. title, about: of the map, in words. down: what a line is,
        "output" say. lines: their names. fact: what else is to be said of the whole, "" for nothing.
    by: whether it is told in words "line" by line or "step" by step.
    equations: of one cell, in the grammar of equations.py; a symbol is a number of the cell, beside @ one per unit.
    words: of each name what it is.
    arrays: of each name that no equation has, and of `name`, the axes and the numbers.
    """

    name: str
    title: str
    about: str
    down: str
    lines: list[str]
    fact: str
    by: Literal["line", "step"]
    equations: tuple[str, ...]
    words: Mapping[str, str]
    arrays: Mapping[str, tuple[tuple[Axis, ...], np.ndarray]]

    @property
    def values(self) -> np.ndarray:
        """Its numbers, (lines, steps)."""
        return self.arrays[self.name][1]

    def __repr__(self) -> str:
        lines, steps = self.values.shape
        return f"<StepMap {self.name!r}: {lines} lines, {steps} steps>"
