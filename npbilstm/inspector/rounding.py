"""Numbers as they are shown: four significant digits, and sums whose parts add up to the last digit.

A shown number is a count of quanta, and a quantum is a power of ten. One quantum serves a whole sum: the fourth digit
of its largest number. The parts are then shared out by largest remainders, as seats in a parliament are: each is
rounded down, and the quanta that are missing go to those that lost most.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

FOUR_DIGITS = Context(prec=4, rounding=ROUND_HALF_UP)


def number(value: float) -> str:
    """A number alone: "0.7311", "0.04213", "12.35", "1.234e-05"; exactly 0 is "0".

    Within a thousandth below 1 it has more digits, "0.9999831": of 1 - f and 1 - g^2 three are left then.
    """
    if not math.isfinite(value):
        return str(float(value))
    distance = 1 - abs(value)
    if 0 < distance < 0.001:
        power = max(power_of(distance) + 1, -12)
        return f"{Decimal(whole_quanta(value, power)).scaleb(power):f}"
    power = power_of(value)
    return written(whole_quanta(value, power), power)


def power_of(largest: float) -> int:
    """The quantum's power of ten where this is the largest number: that of its fourth digit, once it is rounded."""
    return FOUR_DIGITS.create_decimal(float(largest)).adjusted() - 3 if largest else 0


def whole_quanta(value: float, power: int) -> int:
    """The value in quanta, rounded; halves away from 0."""
    count = math.floor(abs(in_quanta(value, power)) + Fraction(1, 2))
    return -count if value < 0 else count


def shared(parts: Sequence[float], total: int, power: int) -> list[int]:
    """Each part in quanta, so that they sum to `total` quanta exactly; ties go to the earlier part."""
    exact = [in_quanta(part, power) for part in parts]
    counts = [math.floor(part) for part in exact]
    each, more = divmod(total - sum(counts), len(counts))
    by_loss = sorted(range(len(counts)), key=lambda k: counts[k] - exact[k])
    for place, k in enumerate(by_loss):
        counts[k] += each + (place < more)
    return counts


def written(count: int, power: int) -> str:
    """A count of quanta: fixed point where the sum's largest number is at least 0.0001 and below 100000."""
    if count == 0:
        return "0"
    if -7 <= power <= 1:
        return f"{Decimal(count).scaleb(power):f}"
    return f"{Decimal(count).scaleb(-3):f}e{power + 3:+03d}"


def in_quanta(value: float, power: int) -> Fraction:
    """Exactly."""
    return Fraction(float(value)) / Fraction(10) ** power
