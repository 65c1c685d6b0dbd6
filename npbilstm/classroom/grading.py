"""Grading: a submission's exercises, run in the sandbox and judged, as points and words.

An exercise's points are shared by its functions. A function has its share where it is right, and where nothing is wrong
with it but a mistake that was counted before: one mistake costs once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from npbilstm import textbook
from npbilstm.classroom.course_form import pair_in_form
from npbilstm.classroom.exercise import Exercise
from npbilstm.classroom.judging import MakePair, is_unwritten, judge
from npbilstm.classroom.result import ExerciseResult
from npbilstm.classroom.stand_in import stand_in
from npbilstm.diagnosis.cases import Case, draw_cases
from npbilstm.diagnosis.expected import expected_of
from npbilstm.diagnosis.report_text import at_fault
from npbilstm.diagnosis.results import Bugs, Diagnosis, StageResult
from npbilstm.diagnosis.stages import SIZES, Stage
from npbilstm.printable import one_line
from npbilstm.submission.contained import ContainedSubmission
from npbilstm.submission.contained_checker import is_checker
from npbilstm.submission.conventions import conventions_of
from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.definitions import Definition, definitions_in_source
from npbilstm.submission.errors import SubmissionError, TimedOut
from npbilstm.submission.fork_server import ForkServer
from npbilstm.submission.function_spec import Arrays, FunctionSpec
from npbilstm.submission.sandbox import Layers
from npbilstm.submission.submitted_pair import SubmittedPair

LARGE = {"N": 16, "T": 3, "D": 32, "H": 64, "V": 40}
LARGER = {
    "lstm_step": {"N": 48},
    "gru_step": {"N": 48},
    "gru_reset_before_step": {"N": 48},
    "rnn_step": {"N": 48, "D": 128, "H": 128},
    "softmax_cross_entropy": {"N": 4, "V": 4000},
    "embedding": {"N": 40, "T": 30, "D": 64, "V": 1200},
    "affine": {"N": 4, "V": 500, "D": 256},
    "dropout_over_time": {"N": 4, "D": 6000},
    "dot_attention": {"N": 2, "S": 60, "H": 500},
    "additive_attention": {"N": 2, "S": 30, "E": 100, "H": 100, "A": 200},
    "crf": {"N": 8, "V": 100},
    "ctc": {"N": 16, "T": 6, "V": 500, "U": 2},
}
ONE_ROW = {"D": 128, "H": 256}
"""Sizes at which a backward pass made of differences takes half a minute or more, and one that is one takes
milliseconds: in general, of what has few numbers or computes little, and of forms that take one row alone."""
LARGE_SECONDS = 5.0
"""Seconds of the processor's time that a call may take there; loops over single numbers take less."""
DIFFERENCES = "On large arrays it takes far longer than it needs: differences of a forward pass are no backward pass."
ON_LARGE_ARRAYS = "On small arrays it is right, and wrong on large ones."


class Part(NamedTuple):
    """One exercise of a submission: its points, and what was found out about it."""

    exercise: Exercise
    points: float
    result: ExerciseResult

    @property
    def state(self) -> str:
        """How it stands: right, wrong, begun, not yet written, not judged; or "counted before", where nothing else is
        wrong."""
        if self.result.state == "wrong" and self.points == self.exercise.points:
            return "counted before"
        return self.result.state

    @property
    def mistakes(self) -> Bugs:
        """The catalogue's mistakes that were named in it, of alternatives the first."""
        return tuple(dict.fromkeys(bug for each in self.result.diagnoses for bug in (*each.named, ())[0]))


def grade_sources(
    sources: Mapping[Exercise, tuple[str, str]],
    exercises: Sequence[Exercise],
    layers: Layers | ForkServer,
    seed: int,
    variant: int | None = None,
    **limits: float,
) -> list[Part]:
    """The parts of a submission. sources: the exercises that were handed in -> the file's name and its source. layers:
    of the sandbox, or its fork server. variant: the one that was handed out, whatever the sources say."""
    parts: list[Part] = []
    known: Bugs = ()
    with ContainedSubmission(layers, **limits) as submission:
        for exercise in exercises:
            if exercise not in sources:
                parts.append(Part(exercise, 0.0, ExerciseResult(exercise, missing=exercise.functions)))
                continue
            try:
                result = grade_source(submission, exercise, *sources[exercise], seed, known, variant)
            except SystemError:  # the caller knows of one that is not ours
                raise
            except Exception as error:
                submission.close()  # nobody knows what it was about to answer
                result = ExerciseResult(exercise, fault=fault_in_words(error))
            parts.append(Part(exercise, points_of(exercise, result), result))
            named = [each.named[0] for each in result.diagnoses if len(each.named) == 1]
            known = tuple(dict.fromkeys([*known, *(bug for bugs in named for bug in bugs)]))
    return parts


def fault_in_words(error: Exception) -> str:
    """That npbilstm itself failed. What ends the grading of one exercise must not end that of a class."""
    said = one_line(f"{type(error).__name__}: {error}", 200)
    return f"npbilstm itself stopped ({said}), so it is not judged and has no points yet; this is no fault of the file."


def grade_source(
    submission: ContainedSubmission,
    exercise: Exercise,
    file: str,
    source: str,
    seed: int,
    known: Bugs,
    variant: int | None = None,
) -> ExerciseResult:
    """How one exercise stands, by its source."""
    try:
        definitions = definitions_in(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        return ExerciseResult(exercise, missing=exercise.functions, stopped=f"{file}{line}: it is no Python")
    if is_unwritten(exercise, definitions):
        return ExerciseResult(exercise, missing=exercise.functions)
    offered, conventions = stand_in(exercise, variant), conventions_of(variant)
    asked = {name for spec in exercise.specs for name in exercise.names_of(spec) if name}

    def open_source() -> set[str]:
        tops = {name.partition(".")[0] for name in asked}  # of methods the classes
        found = submission.open(file, source, offered.source, set(offered.functions), tops)
        defined = {each.name for each in definitions}
        return {name for name in asked if name.partition(".")[0] in found and ("." not in name or name in defined)}

    try:
        own = open_source()
        uses = {spec.name: used_by(spec, definitions) for spec in exercise.specs}

        def make(name: str) -> SubmittedPair | None:
            if exercise.asks:
                return pair_in_form(submission, exercise, name, own, definitions)
            return submission.pair(ALL_SPECS[name], own, uses[name], conventions)

        result = replace(judge(exercise, own, make, 1, seed=seed, known=known), conventions=conventions)
        diagnoses = list(result.diagnoses)
        for k, diagnosis in enumerate(diagnoses):
            if seems_right(exercise, diagnosis):
                if submission.process is None:  # what was tried before took too long
                    open_source()
                diagnoses[k] = tried_again(submission, exercise, make, seed, diagnosis)
    except SubmissionError as error:
        return ExerciseResult(exercise, missing=exercise.functions, stopped=str(error))
    return replace(result, diagnoses=tuple(diagnoses))


def seems_right(exercise: Exercise, diagnosis: Diagnosis) -> bool:
    """Whether a backward pass or a gradient checker would have points, which is to be tried once more."""
    spec = ALL_SPECS[diagnosis.subject]
    names = exercise.names_of(spec)
    asked = names[0] if is_checker(spec) else names[-1]
    return (is_checker(spec) or len(names) > 1) and asked in set(without_cost(diagnosis)) & set(exercise.functions)


def tried_again(
    submission: ContainedSubmission, exercise: Exercise, make: MakePair, seed: int, diagnosis: Diagnosis
) -> Diagnosis:
    """What is found out about functions that seem right, tried once more. make: their pair."""
    spec, seconds = ALL_SPECS[diagnosis.subject], submission.seconds
    try:
        submission.seconds = min(seconds, LARGE_SECONDS)
        if is_checker(spec):
            run_in_disorder(make(spec.name), spec, exercise, seed)
            return diagnosis
        wrong, said = run_large(make(spec.name), spec, exercise, seed), ON_LARGE_ARRAYS
    except TimedOut:
        wrong, said = [*spec.floats], DIFFERENCES
    except SubmissionError as error:
        return replace(diagnosis, findings=(*diagnosis.findings, str(error)))
    finally:
        submission.seconds = seconds
    if not wrong or not (diagnosis.ok or said == DIFFERENCES):  # what is wrong and was counted is wrong here too
        return diagnosis
    stages = (*diagnosis.stages, StageResult("large arrays", tuple(wrong)))
    return replace(diagnosis, stages=stages, known=(), built_on=(), sentences=(said,))


def run_large(pair: SubmittedPair | None, spec: FunctionSpec, exercise: Exercise, seed: int) -> list[str]:
    """Run a backward pass on large arrays -> the gradients that are wrong. Raises SubmissionError."""
    assert pair is not None
    assert pair.backward is not None
    case, expected = large_case(spec.name, seed, exercise.unasked | pair.absent)
    _, cache = pair.forward(case.inputs)
    grads = pair.backward(case.upstream, cache)
    least = {name: 1e-6 * np.abs(array).max() for name, array in expected.items()}
    return [name for name in grads if not np.allclose(grads[name], expected[name], 1e-6, least[name])]


def run_in_disorder(pair: SubmittedPair | None, spec: FunctionSpec, exercise: Exercise, seed: int) -> None:
    """Try a gradient checker once more, in an order that nobody knows. Raises SubmissionError."""
    assert pair is not None
    expected = expected_of(spec, seed, SIZES, exercise.unasked)
    for k in np.random.default_rng([seed, 1]).permutation(len(expected.cases)):
        inputs = {name: array.copy() for name, array in expected.cases[k].inputs.items()}
        if pair.forward(inputs)[0] != expected.reference[k].outputs:
            raise SubmissionError("It answers otherwise when it is asked in another order.")


@lru_cache(maxsize=64)
def large_case(name: str, seed: int, absent: frozenset[str]) -> tuple[Case, Arrays]:
    """A case of a spec on large arrays, and its gradients: the same for a whole class."""
    spec = ALL_SPECS[name]
    reference = spec.in_textbook_form(textbook)
    sizes = LARGE | LARGER.get(name, {}) | (ONE_ROW if "rows" in absent else {})
    (case,) = draw_cases(spec, reference, seed, sizes, absent, [Stage("large arrays")])
    assert reference.backward is not None
    outputs, cache = reference.forward(case.inputs)
    upstream = {name: case.upstream.get(name, np.zeros_like(output)) for name, output in outputs.items()}
    return case, reference.backward(upstream, cache)


@lru_cache(maxsize=256)
def definitions_in(source: str) -> tuple[Definition, ...]:
    """What a source defines; many hand in what they were given. Raises SyntaxError where it is none."""
    return tuple(definitions_in_source(source))


def used_by(spec: FunctionSpec, definitions: Iterable[Definition]) -> frozenset[str]:
    """The textbook's functions that a spec's functions call, directly or not, by their source."""
    uses: dict[str, set[str]] = {}
    for each in definitions:
        uses.setdefault(each.name.partition(".")[0], set()).update(each.uses)
    found = [name for name in spec.names if name]
    for name in found:
        found += [other for other in sorted(uses.get(name, ())) if other not in found]
    return frozenset(found) & frozenset(textbook.__all__)


def points_of(exercise: Exercise, result: ExerciseResult) -> float:
    """The points of an exercise: the shares of those of its functions that cost nothing."""
    if result.stopped or result.fault:
        return 0.0
    kept = {name for diagnosis in result.diagnoses for name in without_cost(diagnosis)}
    share = exercise.points / len(exercise.functions)
    return round(share * len(kept & set(exercise.functions) - set(result.missing)), 2)


def without_cost(diagnosis: Diagnosis) -> tuple[str, ...]:
    """The functions of a diagnosis that are right, or wrong by nothing but what was counted before."""
    if diagnosis.verdict != "wrong" or diagnosis.nothing_new:
        return diagnosis.judged
    return tuple(name for name in diagnosis.judged if name not in at_fault(diagnosis))
