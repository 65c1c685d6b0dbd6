"""Judging: an exercise's functions, in a namespace or in a file, against the textbook's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from npbilstm.classroom.course_form import form_in, required_in_form
from npbilstm.classroom.exercise import Exercise
from npbilstm.classroom.exercises import EXERCISES
from npbilstm.classroom.handed_in import source_in
from npbilstm.classroom.result import ExerciseResult, unwritten
from npbilstm.classroom.variant import variant_in
from npbilstm.diagnosis.diagnosis import diagnose_pairs
from npbilstm.diagnosis.report import is_to_be_judged
from npbilstm.diagnosis.report_text import require_hint
from npbilstm.submission.conventions import conventions_of
from npbilstm.submission.course_specs import ALL_SPECS, PASSES
from npbilstm.submission.definitions import Definition, definitions_in_source
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.layouts import Layout, layout_of
from npbilstm.submission.pairs import pair_in_conventions, submitted_pair
from npbilstm.submission.process import SubmissionProcess
from npbilstm.submission.submitted_code import SubmittedCode, choose_ways
from npbilstm.submission.submitted_pair import Refused, SubmittedPair, submitted_pairs

MakePair = Callable[[str], SubmittedPair | None]


def check_exercise(
    name: str, functions: Mapping[str, Any], hint: int = 1, variant: int | None = None, form: str = "textbook"
) -> ExerciseResult:
    """How an exercise stands, by functions in this process: check_exercise("flip", globals()).

    name: the exercise's. functions: a namespace, of which those of the exercise are judged. hint: how much is told of a
    known mistake, 1 vague, 3 exact. variant: the seed of the variant that it is of, where it is of one. form:
    of the course as which it is written.

    Raises ValueError for a name that no exercise has, another hint, a variant below 0, or a form in which it is not.
    """
    require_hint(hint)
    conventions = conventions_of(variant)
    if name not in EXERCISES:
        raise ValueError(f"there is no exercise {name!r}; there are {', '.join(EXERCISES)}")
    exercise = required_in_form(EXERCISES[name], form)
    if exercise.asks:
        own = {each: value for each, value in functions.items() if is_to_be_judged(value, functions)}
        code = SubmittedCode(own, form)
        layout = layout_of(code.form.settings)
        choose_ways(code, layout)
        return judge(exercise, names_in(code.subjects(layout)), lambda spec: code.pair(spec, layout), hint)
    own = {
        each: functions[each]
        for each in PASSES
        if callable(functions.get(each)) and is_to_be_judged(functions[each], functions)
    }

    def make(spec: str) -> SubmittedPair | None:
        if variant is not None:
            return pair_in_conventions(ALL_SPECS[spec], own, conventions)
        return submitted_pair(ALL_SPECS[spec], own, Layout())

    return replace(judge(exercise, own, make, hint), conventions=conventions)


def check_file(exercise: Exercise, path: Path, hint: int = 1, seconds: float = 10.0) -> ExerciseResult:
    """How an exercise stands, by a Python file or a notebook, whose code runs in a process of its own."""
    try:
        source = source_in(path)
    except (OSError, ValueError) as error:
        return ExerciseResult(exercise, missing=exercise.functions, stopped=str(error))
    try:
        exercise = required_in_form(exercise, form_in(source))
        if is_unwritten(exercise, definitions_in_source(source)):
            return ExerciseResult(exercise, missing=exercise.functions)
    except ValueError as error:
        return ExerciseResult(exercise, missing=exercise.functions, stopped=str(error))
    except (SyntaxError, RecursionError, MemoryError):
        pass  # the process says it better
    try:
        variant = variant_in(source)
        form = exercise.form if exercise.asks else ""
        with SubmissionProcess(path, seconds=seconds, form=form, variant=variant) as submission:
            if exercise.asks:
                choose_ways(submission, submission.layout)
                return judge(exercise, names_in(submission.subjects()), submission.pair, hint)

            def make(spec: str) -> SubmittedPair | None:
                return submission.pair(spec, Layout())

            result = judge(exercise, submission.functions, make, hint)
            return replace(result, conventions=conventions_of(variant))
    except SubmissionError as error:
        return ExerciseResult(exercise, missing=exercise.functions, stopped=str(error), hint=hint)


def names_in(subjects: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The names of the functions of all subjects."""
    return {name for names in subjects.values() for name in names}


def is_unwritten(exercise: Exercise, definitions: Iterable[Definition]) -> bool:
    """Whether all of an exercise's functions stand in a source as stubs."""
    stubs = {each.name: each.stub for each in definitions if each.kind == "function"}
    return all(stubs.get(function, False) for function in exercise.functions)


def judge(exercise: Exercise, functions: Any, make: MakePair, hint: int, **how: Any) -> ExerciseResult:
    """How an exercise stands. functions: the names of what was submitted. make: the pair of a spec, by its name. how:
    what diagnose_pairs takes besides."""

    def asked(spec: str) -> SubmittedPair | None:
        pair = make(spec)
        return pair and pair._replace(absent=pair.absent | exercise.unasked)

    subjects = {}
    for spec in exercise.specs:
        there = tuple(name for name in exercise.names_of(spec) if name in functions)
        if set(there) & set(exercise.functions):
            subjects[spec.name] = there
    pairs: Mapping[str, SubmittedPair | Refused] = submitted_pairs(subjects, asked)
    diagnoses = tuple(diagnose_pairs(pairs, **how))
    unjudged = {name for each in diagnoses if unwritten(each) for name in each.not_judged}
    missing = [name for name in exercise.functions if name not in functions or name in unjudged]
    return ExerciseResult(exercise, diagnoses, tuple(missing), hint=hint)
