"""What is judged, and how: all that the comparisons of one check share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.gradcheck.convergence import EPS, Line, Study, study
from npbilstm.gradcheck.numerical import Along, Method
from npbilstm.gradcheck.options import CheckOptions
from npbilstm.gradcheck.values import Arrays, Loss, along

BLURRED = {"step": 0.03, "tolerance": 1e-3}
"""For a loss in single precision: a step as long as its noise demands, and what can then be seen."""


class Comparison(NamedTuple):
    """A loss at a point, the gradient to be judged, a line through the point with what it tells, and the measures.

    directional_derivative: the method's own along that line. blur: what a derivative cannot be told from 0.
    step_given: one step decides, because it was asked for by name.
    """

    loss: Loss
    point: Arrays
    judged: Arrays
    v: Arrays
    loss_at_point: float
    line: Line
    method: Method
    step: float
    tolerance: float
    directional_derivative: float
    blur: float
    step_given: bool

    @property
    def analytic(self) -> bool:
        """Whether the complex step is used."""
        return self.method.dtype is np.complex128

    @property
    def trusted(self) -> bool:
        """Whether one derivative will do where it agrees: it does along the line."""
        truth = self.line.study
        allowed = self.tolerance * abs(truth.derivative) + self.blur + 3 * truth.error
        return (
            self.analytic
            or self.step_given
            or truth.kink is not None
            or abs(self.directional_derivative - truth.derivative) <= allowed
        )

    @property
    def largest(self) -> float:
        """The largest finite number of the gradient."""
        return max((np.abs(g[np.isfinite(g)]).max(initial=0.0) for g in self.judged.values()), default=0.0)

    def derivative(self, name: str, k: int) -> float:
        """The numerical derivative along entry k (counted flat) of one parameter."""
        stretch = self.method.stretch(self.point[name].reshape(-1)[k])
        return self.method.derivative(self.entry(name, k, self.method.dtype), self.step * stretch)

    def study(self, name: str, k: int) -> Study:
        """The row of differences along entry k."""
        stretch = max(1.0, abs(float(self.point[name].reshape(-1)[k])))
        return study(self.entry(name, k, np.float64), self.loss_at_point, self.line.noise, stretch)

    def entry(self, name: str, k: int, dtype: type) -> Along:
        """The loss along entry k."""
        unit = np.zeros_like(self.point[name])
        unit.reshape(-1)[k] = 1
        return along(self.loss, self.point, {name: unit}, dtype)


def make_comparison(
    loss: Loss,
    point: Arrays,
    judged: Arrays,
    v: Arrays,
    loss_at_point: float,
    line: Line,
    method: Method,
    options: CheckOptions,
) -> Comparison:
    """Settle the step, the tolerance and the blur."""
    analytic = method.dtype is np.complex128
    default = {"step": method.step, "tolerance": method.tolerance}
    if line.blurred and analytic:
        # a complex step's answer is proportional to its length, unless single precision rounds one and not the other
        one, other = (along(loss, point, v, np.complex128)(1e-20j * k).imag / k for k in (1, 1.37))
        if abs(one - other) > 1e-11 * abs(one):
            default["tolerance"] = BLURRED["tolerance"]
    elif line.blurred:
        default = BLURRED
    step = default["step"] if options.step is None else options.step
    comparison = Comparison(
        loss,
        point,
        judged,
        v,
        loss_at_point,
        line,
        method,
        step=step,
        tolerance=default["tolerance"] if options.tolerance is None else options.tolerance,
        directional_derivative=method.derivative(along(loss, point, v, method.dtype), step),
        blur=0.0,
        step_given=options.step is not None,
    )
    if not analytic:
        return comparison._replace(blur=4 * line.noise / step)
    return comparison._replace(blur=16 * EPS * (comparison.largest or abs(loss_at_point)))  # zeros have no size
