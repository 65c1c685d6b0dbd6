"""Verdicts from the order of convergence: what differences do as their step shrinks.

    D(h)      = (L(h) - L(-h)) / 2h           central:    error h^2 until round-off, noise / h, takes over
    right(h)  = (L(h) - L(0)) / h             one-sided:  error h
    left(h)   = (L(0) - L(-h)) / h

for L, the loss along a line, at the steps h = 10^-1, 10^-1.5, ... 10^-9. One step may be too long for this loss or too
short for this computer; the whole row tells which. Where D(h) settles as h^2 says, its limit is the derivative, and
extrapolating the row gives it with an error estimate (Ridders 1982, "Accurate computation of F'(x) and F'(x) F''(x)",
Advances in Engineering Software 4). Where right(h) and left(h) settle on two numbers the loss has a kink, and every
number between the two is a gradient (Clarke 1983, "Optimization and Nonsmooth Analysis"). How much noise the values
have is read off values at points so close that a smooth loss is a straight line (the idea of Moré & Wild 2011,
"Estimating computational noise", SIAM Journal on Scientific Computing 33).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.gradcheck.numerical import Along

EPS = float(np.finfo(float).eps)
RATIO = 10**0.5
STEPS = RATIO ** -np.arange(2.0, 19)
TINY = 4
"""So many of them, below 10^-7, are for noise, and too short for the sides of a kink."""


class Kink(NamedTuple):
    """The derivatives from both sides, low <= high, and how exactly they are known."""

    low: float
    high: float
    error: float

    def nearest(self, got: float, slack: float) -> float:
        """The gradient at the kink that is nearest to got."""
        return got if self.admits(got, slack) else float(np.clip(np.nan_to_num(got), self.low, self.high))

    def admits(self, got: float, slack: float) -> bool:
        """Whether got is a gradient at the kink."""
        slack += self.error
        return self.low - slack <= got <= self.high + slack


class Study(NamedTuple):
    """A loss along a line: D at shrinking steps, its limit with an estimate of the error (infinite where it does not
    settle), and the kink at 0 if there is one."""

    steps: np.ndarray
    differences: np.ndarray
    derivative: float
    error: float
    kink: Kink | None

    def contradicts(self, derivative: float) -> bool:
        """Whether this cannot be the derivative, by far more than the error of the study."""
        return abs(derivative - self.derivative) > 10 * self.error + 1e-6 * abs(self.derivative)


def study(along: Along, at: float, noise: float, stretch: float = 1.0) -> Study:
    """Study L = along, which is `at` at 0 and blurred by `noise`, at STEPS * stretch.

    Steps so long that the loss is no number there, or refuses, are left out with all that are longer.
    """
    return conclude(STEPS * stretch, *both_sides(along, STEPS * stretch), at, noise)


def conclude(steps: np.ndarray, plus: np.ndarray, minus: np.ndarray, at: float, noise: float) -> Study:
    """What the values on both sides say."""
    finite = np.isfinite(plus) & np.isfinite(minus)
    first = len(steps) - int(np.argmin(finite[::-1])) if not finite.all() else 0
    steps, plus, minus = steps[first:], plus[first:], minus[first:]
    differences = (plus - minus) / (2 * steps)
    derivative, error = extrapolate(steps, differences, noise)
    return Study(
        steps, differences, derivative, error, find_kink(steps, (plus - at) / steps, (at - minus) / steps, noise)
    )


def both_sides(along: Along, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """L(h), L(-h) for each step; NaN where it is no number."""

    def value(t: float) -> float:
        try:
            return float(np.real(along(t)))
        except (ValueError, ArithmeticError):
            return np.nan

    with np.errstate(all="ignore"):
        return np.array([value(h) for h in steps.tolist()]), np.array([value(-h) for h in steps.tolist()])


def extrapolate(steps: np.ndarray, differences: np.ndarray, noise: float) -> tuple[float, float]:
    """The limit of D(h) for h -> 0, and its error (Ridders 1982).

    Neville's table of a series in h^2. An entry's error is how far it lies from the two that it came from, plus noise;
    and no difference of a shorter step may contradict it, or a loss that is flat from afar would have a flat limit.
    """
    best, error = 0.0, np.inf
    blur = 2 * noise / steps
    previous = differences
    for order in range(1, 6):
        column = np.full_like(differences, np.nan)
        column[order:] = previous[order:] + np.diff(previous)[order - 1 :] / (RATIO ** (2 * order) - 1)
        for k in range(order, len(steps)):
            value = column[k]
            spread = max(abs(value - previous[k]), abs(value - previous[k - 1])) + blur[k] + 8 * EPS * abs(value)
            allowed = abs(differences[k] - value) + spread + 2 * blur[k + 1 :]
            if spread < error and (np.abs(differences[k + 1 :] - value) <= allowed).all():
                best, error = float(value), float(spread)
        previous = column
    return best, error


def find_kink(steps: np.ndarray, right: np.ndarray, left: np.ndarray, noise: float) -> Kink | None:
    """The kink at 0, where right(h) - left(h) stays what it is over two decades of h, down to where noise hides it.

    The tiny steps are left out: a kink that lies no further off than they reach counts as one at 0.
    """
    right, left, steps = (part[: len(part) - TINY] for part in (right, left, steps))
    gap = right - left
    seen = np.flatnonzero(np.abs(gap) * steps > 50 * noise)
    if len(seen) < 5 or seen[-1] - seen[-5] != 4:
        return None
    last = seen[-1]
    row = np.abs(gap[last - 4 : last + 1])
    if row.max() > 1.25 * row.min() or np.ptp(np.sign(gap[last - 4 : last + 1])):
        return None
    k = last - 2  # shorter steps have more noise, longer ones more curvature
    limits = [side[k] + (side[k] - side[k - 1]) / (RATIO - 1) for side in (right, left)]
    error = max(abs(side[k] - side[k - 1]) for side in (right, left)) + 4 * noise / steps[k]
    return Kink(float(min(limits)), float(max(limits)), float(error))


class Line(NamedTuple):
    """A study along a line through all parameters, the noise in the values of the loss, and whether that is far more
    than float64's."""

    study: Study
    noise: float
    blurred: bool


def study_line(along: Along, at: float, single: bool) -> Line:
    """Study L = along, which is `at` at 0, noise included. single: the values are known to be of single precision."""
    plus, minus = both_sides(along, STEPS)
    noise = 2 * EPS * abs(at)
    half = (plus - minus) / 2  # odd in h: h times the derivative, and noise
    deviations = np.abs(half[:-1] - RATIO * half[1:]) / np.sqrt(1 + RATIO**2)
    deviations[~np.isfinite(deviations)] = 0
    slope = abs(half[-TINY] / STEPS[-TINY])
    size = max(abs(at), slope if np.isfinite(slope) else 0.0)
    lost = not half[-2:].any() and deviations[6:-TINY].max() > 1e-11 * size  # steps vanish where inputs are rounded
    blurred = single
    if conclude(STEPS, plus, minus, at, noise).kink is None:  # near a kink values deviate, too
        noise = max(noise, 2 * deviations[-2:].max())
        blurred = bool(single or lost or noise > 1e-11 * size)
    if blurred:
        noise = max(noise, 2 * deviations[6:].max(), np.finfo(np.float32).eps * abs(at) if single else 0.0)
    return Line(conclude(STEPS, plus, minus, at, noise), float(noise), blurred)


def order_of(steps: np.ndarray, errors: np.ndarray, noise: float) -> float | None:
    """The power of h with which errors fall, by the shortest five steps at which they stand out of the noise; None
    where fewer than three do."""
    clear = np.flatnonzero(errors * steps > 20 * noise)[-5:]
    if len(clear) < 3:
        return None
    return float(np.median(np.diff(np.log(errors[clear])) / np.diff(np.log(steps[clear]))))
