"""`npbilstm exercise list | start | check | instructor`: exercises made from the textbook, and how they stand."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

from npbilstm.classroom.assignment import start
from npbilstm.classroom.course_form import exercises_in_form
from npbilstm.classroom.exercise import Exercise
from npbilstm.classroom.exercises import exercises_named, number_of
from npbilstm.classroom.formats import MAKERS, SOURCES, file_name
from npbilstm.classroom.handed_in import exercises_in
from npbilstm.classroom.instructor import instructors_page
from npbilstm.classroom.judging import check_file
from npbilstm.classroom.result import ExerciseResult, table
from npbilstm.commands.options import Subparsers, add_command
from npbilstm.commands.terminal import require_free, say, say_wrapped
from npbilstm.files import write_atomically
from npbilstm.submission.contained_form import OFFERED
from npbilstm.submission.same_process import not_contained
from npbilstm.training.progress import on_terminal, tell


def add_arguments(commands: Subparsers) -> None:
    """The command's own options, and those of what it can do."""
    command = add_command(
        commands,
        "exercise",
        "exercises made from the textbook: hand out, and say how they stand",
        "  npbilstm exercise list                        all of them, with minutes and points\n"
        "  npbilstm exercise start hw                    write them into a folder; what is there is left as it is\n"
        "  npbilstm exercise start hw --only flip --format notebook\n"
        "  npbilstm exercise start hw --variant 7        in other conventions, which no copied answer fits\n"
        "  npbilstm exercise start hw --form cs231n      as a course has them\n"
        "  npbilstm exercise check hw                    not yet written, right, or wrong and why\n"
        "  npbilstm exercise instructor teacher.md       solutions, and the mistakes people make\n\n"
        "exit codes of check: 0 all are right, 1 one is wrong, 3 none is wrong and not all are written",
    )
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        action: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
        action.add_argument("--only", nargs="+", metavar="NAME", help="these exercises and no others")
        return action

    add("list", "every exercise, in order").set_defaults(run=run_list)
    action = add("start", "write exercises into a folder; a file that is there is never overwritten")
    action.add_argument("folder", metavar="DIR", help="the folder to write them into, made where it is not there")
    action.add_argument("--format", choices=list(MAKERS), default="py", help="of the files (%(default)s)")
    action.add_argument("--form", choices=["textbook", *OFFERED], default="textbook", help="%(default)s, or a course's")
    action.add_argument(
        "--variant", type=int, metavar="SEED", help="the same in other conventions: gates, layouts, order and names"
    )
    action.set_defaults(run=run_start)
    action = add("check", "say how the exercises in a folder stand")
    action.add_argument("folder", metavar="DIR", nargs="?", default=".", help="or one file (the folder you are in)")
    action.add_argument("--hint", type=int, choices=[1, 2, 3], default=1, help="1 is vague, 3 exact (%(default)s)")
    action.add_argument("--seconds", type=float, default=10.0, help="for one call (%(default)s)")
    action.add_argument("--json", action="store_true", help="write what was found as JSON instead")
    action.set_defaults(run=run_check)
    action = add("instructor", "write a page with solutions, minutes, points and the mistakes people make")
    action.add_argument("out", metavar="FILE.md", help="the page to write, in Markdown")
    action.add_argument("--overwrite", action="store_true", help="replace the file where it is there")
    action.set_defaults(run=run_instructor)


def run_list(options: argparse.Namespace) -> int:
    """Print a line for each exercise. -> the exit code."""
    exercises = exercises_named(options.only)
    width = max(len(exercise.name) for exercise in exercises)
    for exercise in exercises:
        about = f"{exercise.minutes:3} min  {exercise.points:2} points  {exercise.title}"
        say(f"{number_of(exercise):2}  {exercise.name:{width}}  {about}")
    return 0


def run_start(options: argparse.Namespace) -> int:
    """Write the exercises' files. -> the exit code."""
    make = MAKERS[options.format]
    exercises = exercises_in_form(exercises_named(options.only), options.form)
    require_possible(options, exercises)
    texts = {file_name(each, options.format): make(each, options.variant) for each in exercises}
    written, kept = start(options.folder, texts)
    for path in kept:
        say(f"{path} is there already, and is left as it is")
    say(f"{len(written)} exercise{'s'[: len(written) != 1]} written to {options.folder}.")
    if options.format in SOURCES:
        say(f"They hold the solutions: {options.format} makes of them what is handed out.")
    elif written:
        say(f"Open {written[0].name}; `npbilstm exercise check {options.folder}` says how they stand.")
    return 0


def require_possible(options: argparse.Namespace, exercises: Sequence[Exercise]) -> None:
    """Raise ValueError for options that do not go together, and where no exercise is left."""
    if options.form != "textbook" and options.variant is not None:
        raise ValueError("--variant goes with the textbook's form; a course's has conventions of its own")
    if options.form != "textbook" and options.format in SOURCES:
        raise ValueError(f"--format {options.format} holds solutions, which there are in the textbook's form alone")
    if not exercises:
        there = ", ".join(each.name for each in exercises_in_form(exercises_named(None), options.form))
        raise ValueError(f"none of {', '.join(options.only)} is in the form {options.form}, which has {there}")


def run_check(options: argparse.Namespace) -> int:
    """Judge the exercises in a folder. -> the exit code."""
    if not (options.seconds > 0):
        raise ValueError(f"--seconds is {options.seconds:g}; it needs a positive number")
    asked = exercises_named(options.only)
    found = [(exercise, path) for exercise, path in exercises_in(options.folder) if exercise in asked]
    if not found:
        raise ValueError(f"{options.folder} has none of {', '.join(options.only)}")
    results = []
    for exercise, path in found:
        if on_terminal():
            tell(f"\r\x1b[Kjudging {exercise.name} ...")
        results.append(check_file(exercise, path, options.hint, options.seconds))
        if on_terminal():
            tell("\r\x1b[K")
    if options.json:
        say(json.dumps([as_dict(result, path) for result, (_, path) in zip(results, found)], indent=2))
    else:
        for result in results:
            if result.state == "wrong":
                say(f"{result}\n")
        for line in table(results):
            say(line)
        if any(result.state != "not yet written" for result in results):
            say_wrapped(not_contained())
    states = {result.state for result in results}
    return 1 if "wrong" in states else 0 if states == {"right"} else 3


def as_dict(result: ExerciseResult, path: Path) -> dict[str, str | int]:
    """How an exercise stands, for a program."""
    uncontained = "" if result.state == "not yet written" else not_contained()
    return {
        "exercise": result.exercise.name,
        "file": str(path),
        "state": result.state,
        "points": result.points,
        "of": result.exercise.points,
        "reason": result.reason,
        **({"not contained": uncontained} if uncontained else {}),
    }


def run_instructor(options: argparse.Namespace) -> int:
    """Write the instructor's page. -> the exit code."""
    require_free("FILE.md", options.out, options.overwrite, [])
    page = instructors_page(exercises_named(options.only))
    write_atomically(options.out, lambda file: file.write(page.encode()))
    say(f"{os.path.getsize(options.out) / 1000:.0f} kB written to {options.out}.")
    return 0
