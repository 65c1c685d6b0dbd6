"""Flags: what a wrong block looks like, where it looks like something."""

from __future__ import annotations

from fractions import Fraction

import numpy as np


def flags_of(got: np.ndarray, expected: np.ndarray, ok: bool, kink: bool, tolerance: float) -> tuple[str, ...]:
    """The flags of a block's entries: "not finite", "exactly zero", "sign flipped", "constant ratio r", "cut off at b",
    "kink".

    A ratio is constant where it holds for all entries to `tolerance`, and there are two at least that are not small.
    """
    flags = ("kink",) if kink else ()
    if ok:
        return flags
    if not np.isfinite(got).all():
        return ("not finite", *flags)
    if not got.any():
        return ("exactly zero", *flags)
    ratio = constant_ratio(got, expected, tolerance)
    if ratio is None:
        bound = bound_of(got, expected, tolerance)
        return flags if bound is None else (f"cut off at {bound:.6g}", *flags)
    if abs(ratio + 1) <= tolerance:
        return ("sign flipped", *flags)
    if 10 * tolerance < abs(ratio - 1) < 1e-2:
        return (f"constant ratio {ratio:.7g} (an epsilon in the loss?)", *flags)
    return (f"constant ratio {ratio:.3g}{as_fraction(ratio, tolerance)}", *flags)


def constant_ratio(got: np.ndarray, expected: np.ndarray, tolerance: float) -> float | None:
    """got / expected where it is the same number everywhere, else None."""
    largest = np.abs(expected).max(initial=0.0)
    if (np.abs(expected) > 1e-3 * largest).sum() < 2:
        return None
    ratio = float((got * expected).sum() / (expected**2).sum())
    constant = np.abs(got - ratio * expected).max() <= tolerance * abs(ratio) * largest
    return ratio if constant else None


def bound_of(got: np.ndarray, expected: np.ndarray, tolerance: float) -> float | None:
    """b where got is cut off at -b and b, else None: it is what is expected, but for entries beyond; or, cut off on the
    way, it has entries at both ends, more than chance puts there."""
    b = float(np.abs(got).max(initial=0.0))
    ends = int((got == b).sum()), int((got == -b).sum())
    if sum(ends) < 2 or np.abs(expected).max(initial=0.0) <= (1 + tolerance) * b:
        return None
    clipped = np.abs(got - expected.clip(-b, b)).max() <= tolerance * b
    return b if clipped or (min(ends) > 0 and sum(ends) > 2) else None


def as_fraction(ratio: float, tolerance: float) -> str:
    """ " (1/3)" for a ratio that is one of small whole numbers and not whole, " (sqrt(3))" for the root of one."""
    near, square = (Fraction(number).limit_denominator(64) for number in (ratio, ratio**2))
    if abs(ratio - near) <= tolerance * abs(ratio):
        return f" ({near})" if near.denominator > 1 else ""
    if 0 < square.numerator <= 64 and abs(ratio**2 - square) <= tolerance * ratio**2:
        return f" ({'-' if ratio < 0 else ''}sqrt({square}))"
    return ""
