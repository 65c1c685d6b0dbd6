"""What a gradient check found, as data: a row for each parameter or block of one, the whole gradient, and what else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class ParameterRow:
    """One parameter, or one block of it: how many of its entries were checked, and the worst of them.

    absolute: the largest |got - expected|. relative: that over the parameter's own scale, its largest |expected| or
    |got| (but at least a millionth of the whole gradient's). index, expected, got: where in the whole array, the
    numerical derivative there and the entry of grads. ok: None where no entry was compared, which is no verdict.
    flags: "exactly zero", "sign flipped", "constant ratio 0.333 (1/3)", "cut off at 5", "not finite" where it is
    wrong; "kink".
    """

    name: str
    block: str
    shape: tuple[int, ...]
    checked: int
    size: int
    absolute: float
    relative: float
    index: tuple[int, ...]
    expected: float
    got: float
    ok: bool | None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class DirectionRow:
    """The whole gradient along one random vector v: the numerical derivative (expected) and <grads, v> (got)."""

    expected: float
    got: float
    relative: float
    ok: bool


@dataclass(frozen=True)
class Convergence:
    """Central differences along that vector at shrinking steps, expected and got as in DirectionRow.

    order: the power of the step with which |difference - got| falls, 2 for a right gradient; None where all of it is
    round-off. floor, floor_step: the smallest |difference - got|, and at which step; None where got is not finite.
    sides: the derivatives from the two sides where the point is a kink.
    """

    steps: tuple[float, ...]
    differences: tuple[float, ...]
    expected: float
    got: float
    order: float | None
    floor: float | None
    floor_step: float | None
    sides: tuple[float, float] | None


@dataclass(frozen=True)
class Sparkline:
    """The largest relative error at each step of time (None where no entry was checked), and which steps are wrong."""

    name: str
    errors: tuple[float | None, ...]
    wrong: tuple[bool, ...]


class NotJudged(NamedTuple):
    """What was not judged, by its name, and the reason, a sentence without its full stop."""

    name: str
    reason: str


@dataclass(frozen=True)
class GradientResults:
    """All that a check found.

    findings: sentences on faults other than wrong numbers. notes: sentences on what to know when reading it.
    not_judged: that about which nothing was found out: parameters of which no entry was compared, outs from which no
    gradient came.
    """

    rows: list[ParameterRow]
    direction: DirectionRow
    method: str
    tolerance: float
    convergence: Convergence
    sparklines: tuple[Sparkline, ...] = ()
    notes: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()

    @property
    def ok(self) -> bool:
        """True where every entry that was checked agrees, some of each parameter and block, the whole gradient does
        along a random direction, nothing else was found, and nothing was left out."""
        agrees = self.direction.ok and all(row.ok for row in self.rows)
        return agrees and not self.findings and not self.not_judged

    @property
    def worst(self) -> float:
        """The largest relative difference of all parameters and of the random direction."""
        return max([row.relative for row in self.rows] + [self.direction.relative])

    @property
    def checked(self) -> int:
        """How many entries were checked one by one."""
        return sum(row.checked for row in self.rows)
