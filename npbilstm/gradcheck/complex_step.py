"""May the complex step be used? Where the loss drops imaginary parts its answer is wrong without a warning."""

from __future__ import annotations

import warnings

import numpy as np

from npbilstm.gradcheck.convergence import EPS, Line, study
from npbilstm.gradcheck.numerical import METHODS, central_difference, complex_step
from npbilstm.gradcheck.values import Arrays, Loss, along

STEP = METHODS["complex"].step
LOSERS = "a np.zeros buffer, abs, norm, var, std, vdot, maximum, .real, float(), math.*, a cast?"


class NotAnalyticError(Exception):
    """The complex step is impossible; the reason."""


def require_complex_loss(loss: Loss, point: Arrays, v: Arrays, at: float, line: Line) -> None:
    """Raise NotAnalyticError unless the complex step gives this loss's derivatives.

    Each parameter by itself, moved into the complex plane, must give the loss an imaginary part, unless the loss does
    not depend on it at all, as central differences tell. All of them together, moved along v, must give the
    derivative that the differences along that line give: where one term loses the imaginary part they do not.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", np.exceptions.ComplexWarning)
        try:
            for name in point:
                require_imaginary_part(loss, point, name, at)
            whole = complex_step(along(loss, point, v, np.complex128), STEP)
        except NotAnalyticError:
            raise
        except Exception as error:
            raise NotAnalyticError(
                f"loss cannot work on complex numbers ({type(error).__name__}: {error}); use no float(), no math.*"
            ) from error
        if line.study.kink is None and line.study.contradicts(whole):
            name, given, truth = worst_of(loss, point, v, at, line)
            raise NotAnalyticError(
                f"loss loses a part of what {name!r} does when it becomes complex: it gives {given:.6g} where "
                f"differences give {truth:.6g}, so in one term the imaginary part is lost ({LOSERS})"
            )
    if any(issubclass(warning.category, np.exceptions.ComplexWarning) for warning in caught):
        raise NotAnalyticError(f"loss casts a complex number to a real one: the imaginary part is lost ({LOSERS})")


def require_imaginary_part(loss: Loss, point: Arrays, name: str, at: float) -> None:
    """Raise NotAnalyticError where one parameter loses the whole of it."""
    v = {name: np.random.default_rng(0).standard_normal(point[name].shape)}
    moved = along(loss, point, v, np.complex128)(1j * STEP)
    if np.iscomplexobj(moved) and moved.imag != 0:
        return
    h = METHODS["central"].step
    slope = central_difference(along(loss, point, v, np.float64), h)
    if abs(slope) > 100 * EPS * max(abs(at), 1e-300) / h:
        raise NotAnalyticError(
            f"loss does not change when {name!r} becomes complex, though it depends on it: "
            f"somewhere the imaginary part is lost ({LOSERS})"
        )


def worst_of(loss: Loss, point: Arrays, v: Arrays, at: float, line: Line) -> tuple[str, float, float]:
    """The parameter for which the complex step and differences along its part of v are furthest apart, and both."""
    found = []
    for name in point:
        part = {name: v[name]}
        given = complex_step(along(loss, point, part, np.complex128), STEP)
        truth = study(along(loss, point, part, np.float64), at, line.noise).derivative
        found.append((name, given, truth))
    return max(found, key=lambda each: abs(each[1] - each[2]))
