"""How to check: the options that check_gradients and check_pair share. A wrong one is an error, and no verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from npbilstm.gradcheck.blocks import Blocks, checked_blocks, checked_time
from npbilstm.gradcheck.values import Arrays

Method = Literal["complex", "richardson", "central", "auto"]
"""How a derivative is computed, see numerical.py."""

BlocksByName = Mapping[str, Sequence[str] | Blocks]


class CheckOptions(NamedTuple):
    """The options, as check_gradients explains them."""

    method: Method
    entries: int | None
    seed: int
    step: float | None
    tolerance: float | None
    blocks: BlocksByName | None
    time: Mapping[str, int] | None

    def checked(self, point: Arrays) -> CheckOptions:
        """Itself with blocks and axes spelled out for these arrays, or the error that names what makes no sense."""
        if self.method not in get_args(Method):
            names = ", ".join(map(repr, get_args(Method)))
            raise ValueError(f"method is {self.method!r}; it needs one of {names}")
        entries = self.entries
        if entries is not None and (isinstance(entries, bool) or not isinstance(entries, Integral) or entries < 0):
            raise ValueError(f"entries is {entries!r}; it needs a whole number from 0, or None for all")
        if isinstance(self.seed, bool) or not isinstance(self.seed, Integral) or self.seed < 0:
            raise ValueError(f"seed is {self.seed!r}; it needs a whole number from 0")
        numbers = {name: as_positive(name, getattr(self, name)) for name in ("step", "tolerance")}
        if self.tolerance is not None and self.tolerance >= 1:
            raise ValueError(f"tolerance is {self.tolerance!r}; it needs less than 1, at which a gradient of 0 passes")
        if not sum(p.size for p in point.values()):
            raise ValueError("the arrays hold no numbers at all; there is nothing to check")
        blocks, time = checked_blocks(self.blocks, point), checked_time(self.time, point)
        return self._replace(blocks=blocks, time=time, **numbers)


def as_positive(name: str, number: Any) -> float | None:
    """A number above 0 and finite as a float, None for None, or a ValueError."""
    if number is None:
        return None
    try:
        value = float(number) if isinstance(number, Real) else np.nan
    except OverflowError:  # an integer may be too large for a float
        value = np.inf
    if not 0 < value < np.inf:
        raise ValueError(f"{name} is {number!r}; it needs a positive number")
    return value
