"""The search for a mistake: every catalogued bug is planted in the textbook, and what it gives on the probes is
compared with what the person's code gave, number by number.

A match is evidence only when it is exact in every output and every gradient of every stage.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations
from types import FunctionType

from npbilstm.classroom.bugs import BUGS
from npbilstm.classroom.evidence import Evidence
from npbilstm.classroom.planting import Bug, plant, textbook_functions
from npbilstm.classroom.runs import Case, Run, all_same, run, same, wrong_blocks
from npbilstm.classroom.subjects import Subject

Pattern = frozenset[tuple[str, str]]
"""Which blocks fail at which stages."""

Bugs = tuple[Bug, ...]


@cache
def reached(function: str) -> frozenset[str]:
    """The textbook's functions that one of them calls, itself among them, and those that these call."""
    functions = textbook_functions()
    found: set[str] = set()
    waiting = [function]
    while waiting:
        name = waiting.pop()
        if name in functions and name not in found:
            found.add(name)
            waiting += names_used(functions[name])
    return frozenset(found)


def names_used(function: FunctionType) -> list[str]:
    """The names that a function's code looks up, its comprehensions' too."""
    codes = [function.__code__]
    names: list[str] = []
    for code in codes:
        names += code.co_names
        codes += [constant for constant in code.co_consts if hasattr(constant, "co_names")]
    return names


def candidates(subject: Subject) -> list[Bug]:
    """The catalogued bugs that can show in a subject."""
    own = [name for name in (subject.forward, subject.backward, *(subject.steps or ())) if name]
    functions = frozenset().union(*(reached(name) for name in own))
    return [bug for bug in BUGS.values() if bug.function in functions]


class Search:
    """A search over one subject's cases: what somebody's code gave, and the bugs known to be in it."""

    def __init__(self, evidence: Evidence, known: Bugs = ()) -> None:
        self.evidence, self.known = evidence, known
        self.bugs = [bug for bug in candidates(evidence.subject) if bug not in known]

    def matches(self, more: Bugs = (), parts: tuple[str, ...] | None = None) -> bool:
        """Whether the textbook with the known bugs and these gives exactly what the person's code gave."""
        try:
            planted = plant((*self.known, *more))
        except ValueError:  # two bugs on one line
            return False
        pair = self.evidence.subject.in_textbook_form(planted)
        return all_same(self.evidence.theirs, self.evidence.cases, pair, parts or self.evidence.parts)

    def singles(self, parts: tuple[str, ...] | None = None) -> list[Bugs]:
        """The bugs that explain all of it, each alone.

        Where one of them stands in the subject's own functions, no others: the same slip in a function that these call
        but once looks the same.
        """
        found = [bug for bug in self.bugs if self.matches((bug,), parts)]
        own = [bug for bug in found if bug.function in (self.evidence.subject.forward, self.evidence.subject.backward)]
        return [(bug,) for bug in own or found]

    def pairs(self, pattern: Pattern, patterns: dict[Bug, Pattern]) -> list[Bugs]:
        """The pairs of bugs that explain all of it; only those are tried whose patterns cover the one that is seen."""
        likely = [bug for bug, own in patterns.items() if own & pattern]
        return [
            (one, other)
            for one, other in combinations(likely, 2)
            if pattern <= patterns[one] | patterns[other] and self.matches((one, other))
        ]

    def patterns(self) -> dict[Bug, Pattern]:
        """The pattern of each candidate that leaves the outputs right and spoils the gradients."""
        subject, cases, truth = self.evidence.subject, self.evidence.cases, self.evidence.truth
        patterns = {}
        for bug in self.bugs:
            pair = subject.in_textbook_form(plant((bug,)))
            got = [run(pair, case) for case in cases]
            if all(same(one.outputs, right.outputs) for one, right in zip(got, truth)):
                patterns[bug] = pattern_between(subject, cases, got, truth)
        return {bug: pattern for bug, pattern in patterns.items() if pattern}


def pattern_between(subject: Subject, cases: list[Case], got: list[Run], expected: list[Run]) -> Pattern:
    """Which blocks of the gradients differ at which stages."""
    return frozenset(
        (case.stage.name, block)
        for case, one, other in zip(cases, got, expected)
        if one.error is None
        for block in wrong_blocks(subject, one.gradients, other.gradients)
    )
