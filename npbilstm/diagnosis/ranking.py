"""Ranking: of several explanations that give the same numbers, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterable

from npbilstm.diagnosis.results import Bugs
from npbilstm.mistakes import BUGS, Bug

SEEN = (
    "dh-carry-missing",
    "recurrent-carry-missing",
    "dc-carry-missing",
    "both-carries-missing",
    "da-f-slope-missing",
    "da-i-slope-missing",
    "da-o-slope-missing",
    "da-g-slope-missing",
    "dc-carry-lost",
    "dc-tanh-slope-missing",
    "df-wrong-cell-state",
    "dx-rev-not-flipped-back",
    "dh-rev-not-flipped",
    "reverse-output-not-flipped",
    "recurrent-initial-state-ignored",
    "gradients-divided-by-rows",
    "step-gradients-divided-by-rows",
)
"""Mistakes in the order in which people report them, the most often reported first."""


def likeliest_first(found: Iterable[Bugs]) -> list[Bugs]:
    """Explanations, those first that are of the fewest mistakes, of those often seen, of the least change."""
    return sorted(found, key=lambda bugs: (len(bugs), sum(map(rank_of, bugs)), sum(map(length_of, bugs))))


def rank_of(bug: Bug) -> int:
    """How many mistakes are reported more often."""
    return SEEN.index(bug.id) if bug.id in SEEN else len(SEEN)


def length_of(bug: Bug) -> int:
    """How much a mistake adds to or takes from its line, the earlier in the catalogue the less."""
    return abs(len(bug.new) - len(bug.old)) * len(BUGS) + (list(BUGS).index(bug.id) if bug.id in BUGS else len(BUGS))
