"""What is judged, and how: all that the comparisons of one check share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.gradcheck.convergence import EPS, Line, Study, study
from npbilstm.gradcheck.numerical import Along, Method
from npbilstm.gradcheck.settings import Settings
from npbilstm.gradcheck.values import Arrays, Loss, along

BLURRED = {"step": 0.03, "tolerance": 1e-3}
"""For a loss in single precision: a step as long as its noise demands, and what can then be seen."""


class Case(NamedTuple):
    """A loss at a point, the gradient to be judged, a line through the point with what it tells, and the measures.

    quick: the method's own derivative along that line. blur: what a derivative cannot be told from 0. alone: one step
    decides, because it was asked for by name.
    """

    loss: Loss
    point: Arrays
    judged: Arrays
    v: Arrays
    at: float
    line: Line
    how: Method
    step: float
    tolerance: float
    quick: float
    blur: float
    alone: bool

    @property
    def analytic(self) -> bool:
        """Whether the complex step is used."""
        return self.how.dtype is np.complex128

    @property
    def trusted(self) -> bool:
        """Whether one derivative will do where it agrees: it does along the line."""
        truth = self.line.study
        allowed = self.tolerance * abs(truth.derivative) + self.blur + 3 * truth.error
        return self.analytic or self.alone or truth.kink is not None or abs(self.quick - truth.derivative) <= allowed

    @property
    def largest(self) -> float:
        """The largest finite number of the gradient."""
        return max((np.abs(g[np.isfinite(g)]).max(initial=0.0) for g in self.judged.values()), default=0.0)

    def derivative(self, name: str, k: int) -> float:
        """The numerical derivative along entry k (counted flat) of one parameter."""
        stretch = self.how.stretch(self.point[name].reshape(-1)[k])
        return self.how.derivative(self.entry(name, k, self.how.dtype), self.step * stretch)

    def study(self, name: str, k: int) -> Study:
        """The row of differences along entry k."""
        stretch = max(1.0, abs(float(self.point[name].reshape(-1)[k])))
        return study(self.entry(name, k, np.float64), self.at, self.line.noise, stretch)

    def entry(self, name: str, k: int, dtype: type) -> Along:
        """The loss along entry k."""
        unit = np.zeros_like(self.point[name])
        unit.reshape(-1)[k] = 1
        return along(self.loss, self.point, {name: unit}, dtype)


def make_case(
    loss: Loss, point: Arrays, judged: Arrays, v: Arrays, at: float, line: Line, how: Method, settings: Settings
) -> Case:
    """Settle the step, the tolerance and the blur."""
    analytic = how.dtype is np.complex128
    default = {"step": how.step, "tolerance": how.tolerance}
    if line.blurred and analytic:
        # a complex step's answer is proportional to its length, unless single precision rounds one and not the other
        one, other = (along(loss, point, v, np.complex128)(1e-20j * k).imag / k for k in (1, 1.37))
        if abs(one - other) > 1e-11 * abs(one):
            default["tolerance"] = BLURRED["tolerance"]
    elif line.blurred:
        default = BLURRED
    step = default["step"] if settings.step is None else settings.step
    tolerance = default["tolerance"] if settings.tolerance is None else settings.tolerance
    quick = how.derivative(along(loss, point, v, how.dtype), step)
    case = Case(loss, point, judged, v, at, line, how, step, tolerance, quick, 0.0, settings.step is not None)
    if not analytic:
        return case._replace(blur=4 * line.noise / step)
    return case._replace(blur=16 * EPS * (case.largest or abs(at)))  # zeros have no size of their own
