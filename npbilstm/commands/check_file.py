"""`npbilstm check FILE.py`: which of a person's own functions are wrong, and why."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from npbilstm.classroom.diagnosis import Diagnosis, diagnose_pairs
from npbilstm.classroom.own_code.process import OwnProcess
from npbilstm.classroom.report import NONE_THERE, DiagnosisReport
from npbilstm.classroom.subjects import Subject
from npbilstm.classroom.wording import words
from npbilstm.commands.terminal import say
from npbilstm.training.progress import on_terminal, tell

WRONG = 1
LOOK_EVERY = 0.3
"""Seconds between two looks at the file, with --watch."""


def run_check_file(options: argparse.Namespace) -> int:
    """Judge the file, again at each save with --watch -> 0 all is right, 1 something is wrong.

    Raises OwnError, ValueError or OSError where the file cannot be run.
    """
    if options.method is not None:
        raise ValueError("--method is for the package's own gradients; a FILE is judged against the textbook")
    if not (options.seconds > 0):
        raise ValueError(f"--seconds is {options.seconds:g}; it needs a positive number")
    if not options.watch:
        return judge(options)
    Path(options.file).stat()  # nothing to watch is an error; a file that goes away for a moment is none
    while True:
        saved = stamp(options.file)
        try:
            judge(options)
        except (OSError, ValueError) as error:
            tell(f"{error}\n")
        tell(f"Watching {options.file}; Ctrl-C ends.\n")
        while stamp(options.file) == saved:
            time.sleep(LOOK_EVERY)
        tell("\n")


def stamp(path: str) -> tuple[int, int]:
    """What changes when a file is saved; (0, 0) while it is away, as editors have it for a moment."""
    try:
        found = Path(path).stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def judge(options: argparse.Namespace) -> int:
    """Judge the file once, and print what is found as it is found."""
    start = time.perf_counter()
    found: list[Diagnosis] = []
    try:
        with OwnProcess(options.file, settings(options), options.seconds) as own:
            if not own.subjects:
                raise ValueError(f"{options.file}: {NONE_THERE}")
            for diagnosis in diagnose_pairs({name: own.pair(name) for name in own.subjects}, begin=judging):
                found.append(diagnosis)
                if on_terminal():
                    tell("\r\x1b[K")
                if not options.json:
                    say(words(diagnosis, options.hint))
    except (OSError, ValueError) as error:
        if options.json:
            say(json.dumps({"file": options.file, "ok": False, "error": str(error)}, indent=2))
        raise
    report = DiagnosisReport(tuple(found), options.hint, own.others)
    seconds = time.perf_counter() - start
    if options.json:
        say(json.dumps({"file": options.file, "seconds": round(seconds, 2), **report.as_dict()}, indent=2))
    else:
        say(f"\n{report.verdict} Judged in {seconds:.1f} s.")
    return 0 if report.ok else WRONG


def settings(options: argparse.Namespace) -> dict[str, str]:
    """The layout that was given by flags."""
    return {name: getattr(options, name) for name in ("gates", "weights", "x", "b") if getattr(options, name)}


def judging(subject: Subject) -> None:
    """Say on a terminal what is being judged, for as long as it is."""
    if on_terminal():
        tell(f"judging {subject.title} ...")
