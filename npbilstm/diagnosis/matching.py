"""Matching: every catalogued mistake is planted in the textbook, and what it gives on the cases is compared with what
the submission gave, number by number.

A match is evidence only when it is exact in every output and every gradient of every stage.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations
from types import MappingProxyType

from npbilstm.diagnosis.cases import Case
from npbilstm.diagnosis.comparison import SAME, agree, wrong_blocks, wrong_outputs
from npbilstm.diagnosis.expected import Observation, Run, observe
from npbilstm.diagnosis.observations import Observations, Pattern
from npbilstm.diagnosis.own_functions import Functions, plant_with
from npbilstm.diagnosis.ranking import likeliest_first
from npbilstm.diagnosis.results import Bugs
from npbilstm.mistakes import BUGS, Bug, clipped_to
from npbilstm.mistakes.planting import textbook_functions
from npbilstm.submission.call_graph import reached
from npbilstm.submission.function_spec import FunctionSpec, Pair

MOST_PAIRS = 2000
"""How many pairs of mistakes are tried, the likeliest first: where nearly all is wrong, patterns rule out few."""


def candidates(spec: FunctionSpec) -> list[Bug]:
    """The catalogued bugs that can show in what a spec is about."""
    functions = functions_of(spec)
    return [bug for bug in BUGS.values() if bug.function in functions]


def clips(observations: Observations) -> list[Bug]:
    """The clips to a bound that is seen in the gradients, besides those in the catalogue."""
    functions, known = functions_of(observations.spec), {(bug.function, bug.new) for bug in BUGS.values()}
    found = [bug for bound in observations.bounds() for bug in clipped_to(bound)]
    return [bug for bug in found if bug.function in functions and (bug.function, bug.new) not in known]


def functions_of(spec: FunctionSpec) -> frozenset[str]:
    """The textbook's functions that a spec is about, and those that they call."""
    own = [name for name in (spec.forward, spec.backward, *(spec.steps or ()), *spec.made_of) if name]
    return frozenset().union(*(reached(name, textbook_functions()) for name in own))


class Matcher:
    """What tells which bugs match the observations of one pair.

    known: bugs that are in it for certain. cleared: functions that were judged right by themselves, in which no bug is
    looked for. own: submitted functions that stand in the place of the textbook's, whatever is wrong with them.
    """

    def __init__(
        self,
        observations: Observations,
        known: Bugs = (),
        cleared: frozenset[str] = frozenset(),
        own: Functions = MappingProxyType({}),
    ) -> None:
        self.observations, self.known, self.cleared = observations, known, cleared
        self.own = dict(own)
        self.bugs = [
            bug
            for bug in (*candidates(observations.spec), *clips(observations))
            if bug not in known and bug.function not in cleared and bug.function not in own
        ]

    def planted(self, bugs: Bugs) -> Pair:
        """The textbook's pair with these bugs."""
        return self.observations.spec.in_textbook_form(plant_with(bugs, self.own))

    def run_with(self, bugs: Bugs) -> Run:
        """What the textbook gives with these bugs. Raises ValueError where two are on one line."""
        if len(bugs) == 1 and not self.own:
            return self.observations.expected.with_bug(*bugs)
        return Run(self.planted(bugs), self.observations.cases)

    def matches(self, more: Bugs = (), parts: tuple[str, ...] | None = None) -> bool:
        """Whether the textbook with the known bugs and these gives exactly what the submission gave."""
        try:
            run = self.run_with((*self.known, *more))
        except ValueError:  # two bugs on one line
            return False
        return self.observations.reproduced_by(run, parts)

    def singles(self, parts: tuple[str, ...] | None = None) -> list[Bugs]:
        """The bugs that explain all of it, each alone.

        Where one of them stands in the functions that the spec is about, no others: the same slip in a function that
        these call but once looks the same. Of slips of one line that the form cannot tell apart, the likeliest.
        """
        spec = self.observations.spec
        found = [bug for bug in self.bugs if self.matches((bug,), parts)]
        own = [bug for bug in found if bug.function in (spec.forward, spec.backward)]
        lines: dict[tuple[str, str], Bugs] = {}
        for bugs in likeliest_first((bug,) for bug in own or found):
            lines.setdefault((bugs[0].function, bugs[0].old), bugs)
        return list(lines.values())

    def pairs(self, patterns: dict[Bug, Pattern]) -> list[Bugs]:
        """The pairs of bugs that explain all of it; only those are tried whose patterns cover the one that is seen.

        Where both spoil a block that is right, the one would be the other's remedy there: nobody makes such two.
        """
        pattern = self.observations.pattern
        likely = [bug for bug, own in patterns.items() if own & pattern]
        covering = likeliest_first(
            (one, other)
            for one, other in combinations(likely, 2)
            if patterns[one] & patterns[other] <= pattern <= patterns[one] | patterns[other]
        )
        return [two for two in covering[:MOST_PAIRS] if self.matches(two)]

    def forward_pairs(self) -> list[Bugs]:
        """The pairs of bugs that explain wrong outputs; where some explain the gradients as well, those."""
        cases, reference = self.observations.cases, self.observations.reference
        given = next(one.outputs for one in self.observations.submitted if one.error is None)

        def pattern_of(got: list[Observation]) -> Pattern:
            return frozenset(
                (case.stage.name, name)
                for case, one, right in zip(cases, got, reference)
                if one.error is None
                for name in wrong_outputs({name: one.outputs[name] for name in given}, right.outputs)
            )

        pattern = pattern_of(self.observations.submitted)
        patterns = {}
        for bug in self.bugs:
            forward = self.planted((bug,))._replace(backward=None)
            patterns[bug] = pattern_of([observe(forward, case) for case in cases])
        likely = [bug for bug, own in patterns.items() if own and own <= pattern]
        found: list[Bugs] = [
            two
            for two in combinations(likely, 2)
            if pattern == patterns[two[0]] | patterns[two[1]] and self.matches(two, ("outputs",))
        ]
        return likeliest_first([two for two in found if self.matches(two)] or found)

    def patterns(self, equations: Collection[str] = ()) -> dict[Bug, Pattern]:
        """The pattern of each candidate that leaves the outputs right and spoils the gradients: of those gradients that
        the submitted form gives. equations: of whose bugs alone, () for all; in a composition parts have other
        names for their own."""
        given = next(one.gradients for one in self.observations.submitted if one.error is None)
        spec, cases, reference = self.observations.spec, self.observations.cases, self.observations.reference
        equations = equations if spec.compose is None else ()
        patterns = {}
        for bug in self.bugs:
            if equations and not (parts_of(bug) & set(equations) or bug.function.endswith("derivative")):
                continue
            run = self.run_with((bug,))
            got = [run.at(k) for k in range(len(cases))]
            if all(agree(one.outputs, right.outputs, SAME) for one, right in zip(got, reference)):
                patterns[bug] = pattern_between(spec, cases, got, reference, given)
        stopped = self.observations.stopped
        patterns = {
            bug: frozenset((stage, block) for stage, block in pattern if stage not in stopped)
            for bug, pattern in patterns.items()
        }
        return {bug: pattern for bug, pattern in patterns.items() if pattern}


def parts_of(bug: Bug) -> set[str]:
    """The quantities that a bug spoils; a gate's gradient for that of its pre-activation."""
    return {part.replace("da_", "d").partition("^")[0] for part in bug.equation.split(", ")}


def pattern_between(
    spec: FunctionSpec,
    cases: list[Case],
    got: list[Observation],
    expected: list[Observation],
    given: Collection[str],
) -> Pattern:
    """Which blocks of the given gradients differ at which stages."""
    return frozenset(
        (case.stage.name, block)
        for case, one, other in zip(cases, got, expected)
        if one.error is None
        for block in wrong_blocks(spec, {name: one.gradients[name] for name in given}, other.gradients)
    )
