"""`npbilstm check FILE.py`: which of the functions in a submitted file are wrong, and why."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from npbilstm.commands.source_file import read_submission, require_file
from npbilstm.commands.terminal import fault_of, say, say_wrapped
from npbilstm.commands.watching import saves
from npbilstm.diagnosis.diagnosis import diagnose_pairs
from npbilstm.diagnosis.layout_search import read_layout
from npbilstm.diagnosis.report import DiagnosisReport, read_in
from npbilstm.diagnosis.report_text import ON_THE_COMMAND_LINE
from npbilstm.gradcheck.results import NotJudged
from npbilstm.submission.definitions import definitions_in_source
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.function_spec import FunctionSpec
from npbilstm.submission.layouts import SETTINGS
from npbilstm.submission.notebook import SUFFIX, read_notebook, submitted_source
from npbilstm.submission.process import SubmissionProcess
from npbilstm.submission.same_process import not_contained
from npbilstm.submission.submitted_code import choose_ways
from npbilstm.submission.submitted_pair import submitted_pairs
from npbilstm.submission.unread import none_there, unread_in_source
from npbilstm.training.progress import on_terminal, tell

DEFAULTS: dict[str, Any] = {
    "hint": 1,
    "watch": False,
    "gates": None,
    "weights": None,
    "x": None,
    "b": None,
    "strict": False,
    "form": "",
    "seconds": 10.0,
    "json": False,
}
"""The options of `npbilstm check` that go with a FILE."""

EXIT_CODES = {"right": 0, "wrong": 1, "not judged": 3}


class CheckerError(Exception):
    """Something went wrong in the judging itself, and not in the file; the cause says what."""


WORST_FIRST = (1, 2, 3, 0)
"""The exit codes, of several files' that which is told."""


def check_files(options: argparse.Namespace) -> int:
    """Judge several files, each under its name, as JSON on a line each -> the worst of their exit codes. A file that
    cannot be run is a sentence, and does not end the others."""
    if options.watch:
        raise ValueError(f"--watch goes with one file, and there are {len(options.files)}")
    codes = []
    for k, path in enumerate(options.files):
        if not options.json:
            say(f"{chr(10) if k else ''}{path}")
        try:
            codes.append(check_file(argparse.Namespace(**{**vars(options), "file": path, "indent": None})))
        except (OSError, ValueError) as error:
            codes.append(2)
            tell(f"{error}\n")
    return min(codes, key=WORST_FIRST.index)


def check_file(options: argparse.Namespace) -> int:
    """Judge the file, again at each save with --watch -> 0 all that looks like a pass is right, 1 something is wrong, 3
    nothing is, and something was not judged.

    Raises ValueError or OSError where the file cannot be run, CheckerError where the fault is not the file's.
    """
    try:
        require_options(options)
        if options.watch:
            require_file(options.file)  # nothing to watch is an error; a file that goes away for a moment is none
            watch(options)
        return judge_file(options)
    except (OSError, ValueError, CheckerError) as error:
        say_error(options, error)
        raise


def require_options(options: argparse.Namespace) -> None:
    """Raise ValueError for options that a FILE does not go with."""
    if options.method is not None:
        raise ValueError("--method is for the package's own gradients; a FILE is judged against the textbook")
    if not (options.seconds > 0):
        raise ValueError(f"--seconds is {options.seconds:g}; it needs a positive number")


def say_error(options: argparse.Namespace, error: Exception) -> None:
    """Write an error as JSON, where that is wanted."""
    if options.json:
        said = fault_of(error.__cause__ or error) if isinstance(error, CheckerError) else str(error)
        say(
            json.dumps(
                {"file": options.file, "verdict": "not judged", "ok": False, "error": said}, indent=options.indent
            )
        )


def watch(options: argparse.Namespace) -> None:
    """Judge the file, and again whenever it is saved, until Ctrl-C."""
    for again in saves(options.file):
        if again:
            tell("\n")
        try:
            judge_file(options)
        except (OSError, ValueError) as error:
            say_error(options, error)
            tell(f"{error}\n")
        tell(f"Watching {options.file}; Ctrl-C ends.\n")


def judge_file(options: argparse.Namespace) -> int:
    """Judge the file once, and print what is found."""
    start = time.perf_counter()
    text = read_submission(options.file)
    try:
        source = submitted_source(options.file, text)
    except ValueError as error:
        raise ValueError(f"{options.file}: {error}") from None
    with SubmissionProcess(options.file, settings(options), options.seconds, form=options.form) as submission:
        try:
            report = report_on_file(submission, source, text, options)
        except (OSError, SubmissionError):
            raise
        except Exception as error:
            raise CheckerError from error
    if not report.diagnoses and not report.unread:
        raise ValueError(f"{options.file}: {none_there(each.name for each in definitions_in_source(source))}")
    seconds = time.perf_counter() - start
    uncontained = not_contained()
    if options.json:
        more = {"not contained": uncontained} if uncontained else {}
        found = {"file": options.file, "seconds": round(seconds, 2), **report.as_dict(), **more}
        say(json.dumps(found, indent=options.indent))
    else:
        say(f"{report} Judged in {seconds:.1f} s.")
        say_wrapped(uncontained)
    return EXIT_CODES[report.verdict]


def report_on_file(
    submission: SubmissionProcess, source: str, text: str, options: argparse.Namespace
) -> DiagnosisReport:
    """What is found in a file: what is judged, and what stands unread beside it."""
    pinned = SETTINGS if options.strict else submission.pinned
    choose_ways(submission, submission.layout)
    reading = read_layout(submission.subjects, submission.pair, submission.layout, pinned)
    submission.layout = reading.layout
    found = []
    for diagnosis in diagnose_pairs(submitted_pairs(submission.subjects(), submission.pair), begin=judging):
        found.append(diagnosis)
        if on_terminal():
            tell("\r\x1b[K")
    judged = [name for diagnosis in found for name in diagnosis.functions]
    unread = tuple(unread_in_source(source, judged, submission.others))
    if options.file.endswith(SUFFIX):
        unread += tuple(NotJudged(f"code cell {k}", why) for k, why in read_notebook(text).broken.items())
    read_as = (*read_in(submission.form, submission.of_form), *reading.sentences)
    return DiagnosisReport(tuple(found), options.hint, unread, read_as, ON_THE_COMMAND_LINE)


def settings(options: argparse.Namespace) -> dict[str, str]:
    """The layout that was given by flags."""
    return {name: getattr(options, name) for name in ("gates", "weights", "x", "b") if getattr(options, name)}


def judging(spec: FunctionSpec) -> None:
    """Say on a terminal what is being judged, for as long as it is."""
    if on_terminal():
        tell(f"judging {spec.title} ...")
