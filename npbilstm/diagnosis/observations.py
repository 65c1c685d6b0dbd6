"""The evidence: what somebody's two passes gave on every stage, beside the truth, and where the two differ."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from npbilstm import textbook
from npbilstm.diagnosis.comparison import (
    RIGHT,
    SAME,
    Case,
    Run,
    draw_cases,
    noticed,
    outputs_of,
    run,
    wrong_blocks,
    wrong_outputs,
)
from npbilstm.diagnosis.symptoms import StageResult
from npbilstm.gradcheck.numerical import METHODS
from npbilstm.submission.errors import FINAL, OwnError
from npbilstm.submission.function_spec import FunctionSpec

IMPRECISE = 1e-4
"""Errors that are all below this are no mistake in an equation: float32 or numerical differences look like that."""

JUDGED_NUMERICALLY = ("T=1, loss on h", "T=1, loss on c", "T=3", "ragged lengths", "loss on h and c", "all rows")
"""The stages at which the gradients of wrong outputs are judged, by differences, which cost many calls."""


class StoppedError(Exception):
    """A person's code raises at every stage; the cause is what it raises first."""


class Evidence(NamedTuple):
    """A spec's cases, what a person's pair gave for each, what the textbook gives, and for each the outputs and the
    gradients that are wrong, with their errors. absent: what their form lacks. rounded: the outputs are right but for
    their last digits, which blurs the gradients as well."""

    spec: FunctionSpec
    absent: set[str]
    cases: list[Case]
    theirs: list[Run]
    truth: list[Run]
    wrong_outputs: list[dict[str, float]]
    wrong_gradients: list[dict[str, float]]
    rounded: bool

    @property
    def forward_wrong(self) -> bool:
        """Whether any output is wrong."""
        return any(self.wrong_outputs)

    @property
    def parts(self) -> tuple[str, ...]:
        """What there is to compare of a Run."""
        if self.rounded:
            return ("gradients",)
        return ("outputs", "gradients") if any(mine.gradients for mine in self.theirs) else ("outputs",)

    @property
    def exactness(self) -> float:
        """How near two numbers must be to be the same."""
        return IMPRECISE if self.rounded else SAME

    @property
    def stopped(self) -> set[str]:
        """The stages at which their code raised."""
        return {case.stage.name for case, mine in zip(self.cases, self.theirs) if mine.error is not None}

    @property
    def pattern(self) -> frozenset[tuple[str, str]]:
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
                tuple(sorted(mine.changed)),
                "" if mine.error is None else str(mine.error) or type(mine.error).__name__,
            )
            for case, mine, outputs, gradients in zip(self.cases, self.theirs, self.wrong_outputs, self.wrong_gradients)
        )

    def noticed(self) -> str:
        """What strikes one about the wrong blocks of the first stage that has some, in a sentence; "" for nothing."""
        for case, mine, right, wrong in zip(self.cases, self.theirs, self.truth, self.wrong_gradients):
            if wrong:
                notes = noticed(self.spec, mine.gradients, right.gradients)
                return f"At the stage {case.stage.name!r}: {'; '.join(notes)}." if notes else ""
        return ""


def gather(spec: FunctionSpec, pair: Any, seed: int, sizes: dict[str, int]) -> Evidence:
    """Run both passes on every stage. Raises StoppedError from what they raise, where they do so at every stage.

    Where the outputs are not the textbook's, the truth about the gradients is the derivative of what outputs there are.
    """
    absent = set(getattr(pair, "absent", ()))
    try:
        outputs_there, first = outputs_of(spec, pair, seed, sizes, absent)
    except FINAL:
        raise
    except Exception as error:
        raise StoppedError from error
    absent |= set(spec.outputs) - outputs_there
    reference = spec.in_textbook_form(textbook)
    cases = draw_cases(spec, reference, seed, sizes, absent)
    theirs = [attempt(pair, case) for case in cases]
    # what stops at its first call and runs at its second has stopped
    theirs = [
        mine if mine.error is not None or case.stage.name not in first else Run({}, {}, error=first[case.stage.name])
        for case, mine in zip(cases, theirs)
    ]
    if all(mine.error is not None for mine in theirs):
        raise StoppedError from next((mine.error for mine in theirs), OwnError("it gives nothing to compare"))
    truth = [run(reference, case) for case in cases]
    outputs = [wrong_outputs(mine.outputs, right.outputs) for mine, right in zip(theirs, truth)]
    rounded = any(outputs) and max(error for errors in outputs for error in errors.values()) < IMPRECISE
    if rounded:
        outputs = [{} for _ in cases]
    if any(outputs):
        gradients = [
            wrong_along(pair, case, mine) if case.stage.name in JUDGED_NUMERICALLY else {}
            for case, mine in zip(cases, theirs)
        ]
    else:
        tolerance = IMPRECISE if rounded else RIGHT
        gradients = [
            wrong_blocks(spec, mine.gradients, right.gradients, tolerance) for mine, right in zip(theirs, truth)
        ]
    return Evidence(spec, absent, cases, theirs, truth, outputs, gradients, rounded)


def attempt(pair: Any, case: Case) -> Run:
    """Both passes on one case, or what their code raised."""
    try:
        return run(pair, case)
    except FINAL:
        raise
    except Exception as error:
        return Run({}, {}, error=error)


def wrong_along(pair: Any, case: Case, mine: Run) -> dict[str, float]:
    """The gradients that are not derivatives of the pair's own outputs, with their errors: along a random direction of
    each input by Richardson's extrapolation, for which the code need not take complex numbers."""
    how = METHODS["richardson"]
    rng = np.random.default_rng(0)
    wrong = {}
    for name, grad in mine.gradients.items():
        v = rng.standard_normal(np.shape(grad))

        def loss(t: Any, name: str = name, v: np.ndarray = v) -> Any:
            moved = {**case.inputs, name: case.inputs[name] + t * v}
            outputs = pair.forward({name: np.array(value) for name, value in moved.items()})[0]
            return sum((outputs[out] * d).sum() for out, d in case.upstream.items())

        try:
            expected = how.derivative(loss, how.step)
        except FINAL:
            raise
        except Exception:  # it ran once before: what stops at another call has no derivative
            expected = np.nan
        error = abs((grad * v).sum() - expected) / max(abs(expected), np.sqrt(((grad * v) ** 2).sum()), 1e-12)
        if not error <= SAME:
            wrong[name] = float(error)
    return wrong
