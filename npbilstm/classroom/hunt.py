"""A bug hunt: mistakes of the catalogue, drawn for a level, together in one BiLSTM; and which of them remain.

    level 1   one mistake within a time step
    level 2   one over time, or between the two directions
    level 3   two, one of each kind
    level 4   two, of which no gradient check sees the one
    level 5   three: two in one function that spoil the same arrays, so that neither's trace is seen alone, and one that
              no gradient check sees

What remains is told by numbers, not by lines: a mistake may be mended in any way. So they are drawn until what any of
them leave, each subset, gives numbers of its own.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from npbilstm.diagnosis.cases import Case, draw_cases
from npbilstm.diagnosis.comparison import SAME, agree, error_of
from npbilstm.diagnosis.expected import Observation, observe
from npbilstm.diagnosis.matching import candidates
from npbilstm.diagnosis.observations import observe_if_it_runs
from npbilstm.mistakes import Bug, plant
from npbilstm.submission.function_spec import FunctionSpec
from npbilstm.submission.specs import SPECS

LEVELS = (1, 2, 3, 4, 5)
MOST = 4
"""How many mistakes may be planted."""
LONGER = 16
"""By how many characters a mistake may make its line longer: one that is long is seen at once."""

KINDS = {
    1: ("step",),
    2: ("time",),
    3: ("step", "time"),
    4: ("seen", "unseen"),
    5: ("seen", "beside", "unseen"),
}
"""The kinds of a level's mistakes. "beside" is seen, and stands in the function of the one before."""

UNSEEN = (
    "forget-bias-added",
    "lengths-ignored",
    "valid-one-step-too-many",
    "valid-one-step-too-few",
    "valid-padding-in-front",
    "flip-ignores-lengths",
    "flip-reverses-rows",
    "flip-reverses-every-axis",
    "flip-reverses-features-too",
    "flip-does-nothing",
    "reverse-not-given-lengths",
    "forward-not-given-lengths",
)
"""Those whose backward pass is the derivative of their forward pass, so that no gradient check sees them."""

LEFT_OUT = ("in-place", "clipped", "rounded", "wrap")
"""What the names of mistakes have that are no fair game: they show for some numbers alone, or stop."""
ONE_STEP = ("sigmoid", "sigmoid_derivative", "tanh", "tanh_derivative", "lstm_step_forward", "lstm_step_backward")


class Hunt(NamedTuple):
    """What is needed to make a hunt again: its seed, its level, how many mistakes."""

    seed: int
    level: int
    bugs: int


def spec_of_hunts() -> FunctionSpec:
    """What is hunted in: both directions, and all that they are made of."""
    return SPECS["bilstm"]


def edition() -> str:
    """A number that changes with the catalogue: another edition draws other mistakes."""
    told = "\n".join(f"{bug.id} {bug.old} {bug.new}" for bug in candidates(spec_of_hunts()))
    return f"{zlib.crc32(told.encode()):08x}"


def new_hunt(seed: int, level: int = 1, count: int | None = None) -> Hunt:
    """A hunt. count: how many mistakes, where they are to be other than the level's number.

    Raises ValueError where a number is out of its range.
    """
    if level not in LEVELS:
        raise ValueError(f"level is {level}; it needs to be 1 to {LEVELS[-1]}")
    if seed < 0:
        raise ValueError(f"seed is {seed}; it needs to be 0 or more")
    least = len(KINDS[level]) if level > 2 else 1
    count = len(KINDS[level]) if count is None else count
    if not least <= count <= MOST:
        raise ValueError(f"bugs is {count}; at level {level} it needs to be {least} to {MOST}")
    return Hunt(seed, level, count)


@cache
def bugs_of_kind(kind: str) -> tuple[Bug, ...]:
    """The mistakes of a kind: "step", "time", "seen", which are both, "unseen"."""
    fair = [
        bug
        for bug in candidates(spec_of_hunts())
        if len(bug.new) <= len(bug.old) + LONGER and not any(part in bug.id for part in LEFT_OUT)
    ]
    if kind == "unseen":
        return tuple(bug for bug in fair if bug.id in UNSEEN)
    seen = [bug for bug in fair if bug.id not in UNSEEN and bug.function != "check_lengths"]
    if kind == "step":
        return tuple(bug for bug in seen if bug.function in ONE_STEP)
    return tuple(bug for bug in seen if kind == "seen" or bug.function not in ONE_STEP)


@cache
def planted_bugs(hunt: Hunt) -> tuple[Bug, ...]:
    """The mistakes of a hunt, the same for the same hunt."""
    rng = np.random.default_rng([hunt.seed, hunt.level, hunt.bugs])
    kinds = KINDS[hunt.level] + ("seen",) * (hunt.bugs - len(KINDS[hunt.level]))
    while True:
        bugs: list[Bug] = []
        for kind in kinds:
            choice = bugs_of_kind("seen" if kind == "beside" else kind)
            if kind == "beside":
                choice = tuple(bug for bug in choice if bug.function == bugs[-1].function and bug not in bugs)
            if choice:
                bugs.append(choice[rng.integers(len(choice))])
        entangled = "beside" not in kinds or (len(bugs) > 1 and interact(bugs[0], bugs[1]))
        if len(set(bugs)) == len(kinds) and entangled and all_differ(tuple(bugs)):
            return tuple(bugs)


def subsets(bugs: tuple[Bug, ...]) -> Iterable[tuple[Bug, ...]]:
    """Every subset of the mistakes, the smallest first."""
    return (some for size in range(len(bugs) + 1) for some in combinations(bugs, size))


@cache
def cases_of_hunts() -> tuple[Case, ...]:
    """The cases that tell subsets apart."""
    return tuple(draw_cases(spec_of_hunts(), spec_of_hunts().in_textbook_form(plant(()))))


def observed(pair: Any) -> list[Observation]:
    """What a pair gives for every case."""
    return [observe(pair, case) for case in cases_of_hunts()]


def alike(one: list[Observation], other: list[Observation]) -> bool:
    """Whether two pairs gave the same numbers."""
    return all(
        a.error is None and agree(a.outputs, b.outputs, SAME) and agree(a.gradients, b.gradients, SAME)
        for a, b in zip(one, other)
    )


def interact(one: Bug, other: Bug) -> bool:
    """Whether there is an array that each of two mistakes spoils by itself."""
    right, *wrong = (observed(spec_of_hunts().in_textbook_form(plant(some))) for some in ((), (one,), (other,)))
    for truth, *both in zip(right, *wrong):
        for part in ("outputs", "gradients"):
            for name, array in getattr(truth, part).items():
                if all(error_of(getattr(got, part)[name], array) > SAME for got in both):
                    return True
    return False


def all_differ(bugs: tuple[Bug, ...]) -> bool:
    """Whether every subset of the mistakes runs, and gives numbers of its own."""
    try:
        given = [observed(spec_of_hunts().in_textbook_form(plant(some))) for some in subsets(bugs)]
    except Exception:  # two on one line, or together they stop
        return False
    return not any(alike(one, other) or alike(other, one) for one, other in combinations(given, 2))


def remaining(hunt: Hunt, pair: Any) -> tuple[Bug, ...] | None:
    """The mistakes that are left in a pair of passes; None where its numbers are those of no subset.

    Raises what the pair raises, where it does so in every case.
    """
    seen = [observe_if_it_runs(pair, case) for case in cases_of_hunts()]
    errors = [one.error for one in seen if one.error is not None]
    if errors and len(errors) == len(seen):
        raise errors[0]
    for some in subsets(planted_bugs(hunt)):
        if alike(seen, observed(spec_of_hunts().in_textbook_form(plant(some)))):
            return some
    return None
