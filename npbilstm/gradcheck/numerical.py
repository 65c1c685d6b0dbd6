"""Three ways to a derivative from values alone. Each takes along(t), the loss at distance t along one direction, and
answers d along / dt at t = 0.

    method        formula                                  error          best on a BiLSTM in float64
    complex       Im along(i h) / h                        h^2, no cancellation    about 1e-15
    richardson    (4 central(h/2) - central(h)) / 3        h^4                     about 1e-11
    central       (along(h) - along(-h)) / 2h              h^2                     about 1e-9

The complex step subtracts nothing, so h can be 1e-20 and its truncation error vanishes; it needs a loss that works on
complex numbers and is analytic: no abs, no maximum, no conjugate (Lyness & Moler 1967; Squire & Trapp 1998). The other
two trade truncation error against round-off (Richardson 1911).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Along = Callable[[complex], Any]


def complex_step(along: Along, h: float) -> float:
    """Im along(i h) / h."""
    return float(np.imag(along(1j * h)) / h)


def central_difference(along: Along, h: float) -> float:
    """(along(h) - along(-h)) / 2h."""
    difference: float = (along(h) - along(-h)) / (2 * h)
    return difference


def richardson(along: Along, h: float) -> float:
    """(4 central(h/2) - central(h)) / 3: the h^2 terms of the two cancel."""
    return (4 * central_difference(along, h / 2) - central_difference(along, h)) / 3


class Method(NamedTuple):
    """A numerical derivative, the dtype it works in, its step, and how near it comes to the gradient."""

    derivative: Callable[[Along, float], float]
    dtype: type
    step: float
    tolerance: float
    title: str

    def stretch(self, p: Any) -> Any:
        """What the step at the numbers p is multiplied by: a difference must not vanish beside a large p."""
        return np.ones_like(p) if self.dtype is np.complex128 else np.maximum(1.0, np.abs(p))


METHODS = {
    "complex": Method(complex_step, np.complex128, 1e-20, 1e-12, "complex step"),
    "richardson": Method(richardson, np.float64, 1e-3, 1e-8, "Richardson's extrapolation"),
    "central": Method(central_difference, np.float64, 1e-5, 1e-7, "central differences"),
}
