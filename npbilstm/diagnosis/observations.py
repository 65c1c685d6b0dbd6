"""Observations: what a submission's two passes gave for every case, beside what is expected, and where they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from npbilstm.diagnosis.cases import Case
from npbilstm.diagnosis.comparison import RIGHT, SAME, agree, oddities, wrong_blocks, wrong_outputs
from npbilstm.diagnosis.consistency import inconsistent_gradients
from npbilstm.diagnosis.expected import Expected, Observation, Run, expected_of, observe
from npbilstm.diagnosis.results import StageResult
from npbilstm.gradcheck.values import holds_single
from npbilstm.submission.errors import FINAL, SubmissionError
from npbilstm.submission.function_spec import FunctionSpec

IMPRECISE = 1e-4
"""Errors that are all below this are no mistake in an equation: float32 or numerical differences look like that."""

JUDGED_NUMERICALLY = ("T=1, loss on h", "T=1, loss on c", "T=3", "ragged lengths", "loss on h and c", "all rows")
"""The stages at which the gradients of wrong outputs are judged, by differences, which cost many calls."""

ALIKE = 3
"""How many entries of gradients are alike at least where a clip has made them so."""
MOST_BOUNDS = 3
"""How many bounds are tried."""

Pattern = frozenset[tuple[str, str]]
"""Which blocks fail at which stages."""


class StoppedError(Exception):
    """The submitted code raises at every stage; the cause is what it raises first."""


class Observations(NamedTuple):
    """A spec's cases with what is expected, what the submitted pair gave for each, and for each the outputs and the
    gradients that are wrong, with their errors. absent: what the submitted form lacks. rounded: the outputs are right
    but for their last digits, which blurs the gradients as well. single: some of the numbers are float32's, of which
    the last digits are not compared."""

    spec: FunctionSpec
    absent: set[str]
    expected: Expected
    submitted: list[Observation]
    wrong_outputs: list[dict[str, float]]
    wrong_gradients: list[dict[str, float]]
    rounded: bool
    single: bool

    @property
    def cases(self) -> list[Case]:
        """The cases."""
        return self.expected.cases

    @property
    def reference(self) -> list[Observation]:
        """What the textbook gives for each case."""
        return self.expected.reference

    @property
    def forward_wrong(self) -> bool:
        """Whether any output is wrong."""
        return any(self.wrong_outputs)

    @property
    def parts(self) -> tuple[str, ...]:
        """What there is to compare of an Observation."""
        if self.rounded:
            return ("gradients",)
        return ("outputs", "gradients") if any(one.gradients for one in self.submitted) else ("outputs",)

    @property
    def stopped(self) -> set[str]:
        """The stages at which the submitted code raised."""
        return {case.stage.name for case, one in zip(self.cases, self.submitted) if one.error is not None}

    @property
    def pattern(self) -> Pattern:
        """Which blocks of the gradients fail at which stages."""
        return frozenset(
            (case.stage.name, block) for case, wrong in zip(self.cases, self.wrong_gradients) for block in wrong
        )

    @property
    def worst(self) -> float:
        """The largest error."""
        errors = (error for wrong in (*self.wrong_outputs, *self.wrong_gradients) for error in wrong.values())
        return max(errors, default=0.0)

    def stages(self) -> tuple[StageResult, ...]:
        """The result of each stage."""
        return tuple(
            StageResult(
                case.stage.name,
                tuple(gradients),
                tuple(outputs),
                tuple(sorted(one.changed)),
                "" if one.error is None else str(one.error) or type(one.error).__name__,
            )
            for case, one, outputs, gradients in zip(
                self.cases, self.submitted, self.wrong_outputs, self.wrong_gradients
            )
        )

    def bounds(self) -> list[float]:
        """The numbers that stand several times in gradients, in which a clip is seen; not more than a few."""
        found = Counter(
            f"{number:.9g}"
            for one in self.submitted
            for array in one.gradients.values()
            for number in np.abs(array).ravel().tolist()
            if number > 0
        )
        return [float(number) for number, alike in found.most_common(MOST_BOUNDS) if alike >= ALIKE]

    def first_oddities(self) -> str:
        """What strikes one about the wrong blocks of the first stage that has some, in a sentence; "" for nothing."""
        for case, one, right, wrong in zip(self.cases, self.submitted, self.reference, self.wrong_gradients):
            if wrong:
                notes = oddities(self.spec, one.gradients, right.gradients)
                return f"At the stage {case.stage.name!r}: {'; '.join(notes)}." if notes else ""
        return ""

    @property
    def empty(self) -> bool:
        """Whether all outputs, or all gradients, are one and the same number in every case: zeros, say. Such fit much,
        and tell nothing of how they came about."""

        def one_number(part: str) -> bool:
            arrays = [np.ravel(array) for one in self.submitted for array in getattr(one, part).values()]
            return bool(np.ptp(np.concatenate(arrays)) == 0) if sum(map(np.size, arrays)) > 1 else False

        return any(one_number(part) for part in self.parts)

    def reproduced_by(self, run: Run, parts: tuple[str, ...] | None = None) -> bool:
        """Whether a run gives in every case what was submitted, in these parts of an Observation, and changes no other
        arrays in place; all of those, where there are no wrong numbers to be explained. Stops at the first
        difference."""
        compared, exactness = parts or self.parts, IMPRECISE if self.rounded or self.single else SAME
        changed: frozenset[str] = frozenset()
        for k, one in enumerate(self.submitted):
            if one.error is not None:
                continue
            try:
                other = run.at(k)
            except Exception:  # two mistakes together may not run at all
                return False
            if not all(agree(getattr(one, part), getattr(other, part), exactness) for part in compared):
                return False
            changed |= other.changed
        seen = frozenset().union(*(one.changed for one in self.submitted))
        return changed <= seen if self.worst > 0 else changed == seen != frozenset()


def observe_if_it_runs(pair: Any, case: Case) -> Observation:
    """As observe; where the submitted code raises, what it raises."""
    try:
        return observe(pair, case)
    except FINAL:
        raise
    except Exception as error:
        return Observation({}, {}, error=error)


def observe_all(spec: FunctionSpec, pair: Any, seed: int, sizes: dict[str, int]) -> Observations:
    """Run both passes on every case. Raises StoppedError from what they raise, where they do so at every stage.

    Where the outputs are not the textbook's, the gradients are judged against the derivatives of the outputs there are.
    """
    absent = set(getattr(pair, "absent", ()))
    cases = expected_of(spec, seed, sizes, absent).cases
    try:
        outputs_there, first = outputs_of(pair, cases)
    except FINAL:
        raise
    except Exception as error:
        raise StoppedError from error
    absent |= set(spec.outputs) - outputs_there
    expected = expected_of(spec, seed, sizes, absent)
    cases, reference = expected.cases, expected.reference
    submitted = [observe_if_it_runs(pair, case) for case in cases]
    # what stops at its first call and runs at its second has stopped
    submitted = [
        Observation({}, {}, error=one.error or first[case.stage.name]) if case.stage.name in first else one
        for case, one in zip(cases, submitted)
    ]
    if all(one.error is not None for one in submitted):
        raise StoppedError from next((one.error for one in submitted), SubmissionError("it gives nothing to compare"))
    single = any(holds_single(array) for one in submitted for array in (*one.outputs.values(), *one.gradients.values()))
    tolerance = IMPRECISE if single else RIGHT
    outputs = [wrong_outputs(one.outputs, right.outputs, tolerance) for one, right in zip(submitted, reference)]
    rounded = any(outputs) and max(error for errors in outputs for error in errors.values()) < IMPRECISE
    if rounded:
        outputs = [{} for _ in cases]
    if any(outputs):
        gradients = [
            inconsistent_gradients(pair, case, one.gradients) if case.stage.name in JUDGED_NUMERICALLY else {}
            for case, one in zip(cases, submitted)
        ]
    else:
        tolerance = IMPRECISE if rounded or single or "digits" in absent else RIGHT
        gradients = [
            wrong_blocks(spec, one.gradients, right.gradients, tolerance) for one, right in zip(submitted, reference)
        ]
    return Observations(spec, absent, expected, submitted, outputs, gradients, rounded, single)


def outputs_of(pair: Any, cases: Iterable[Case]) -> tuple[set[str], dict[str, Exception]]:
    """The outputs that a submitted forward pass gives at the first stage at which it runs, and what it raised at those
    before, by their names. Raises the first of it where it runs at none."""
    errors: dict[str, Exception] = {}
    for case in cases:
        try:
            return set(pair.forward({name: np.array(value) for name, value in case.inputs.items()})[0]), errors
        except FINAL:
            raise
        except Exception as error:
            errors[case.stage.name] = error
    raise next(iter(errors.values()))
