"""`npbilstm hunt new | check`: a BiLSTM with mistakes planted in it, what finds them, and how many are left."""

from __future__ import annotations

import argparse
import os
import secrets
import textwrap
from pathlib import Path

from npbilstm.classroom.handed_in import source_in
from npbilstm.classroom.hunt import LEVELS, MOST, Hunt, new_hunt, remaining, spec_of_hunts
from npbilstm.classroom.hunt_files import hunt_in, hunted_source, tools_source
from npbilstm.commands.options import Subparsers, add_command
from npbilstm.commands.terminal import say
from npbilstm.mistakes import Bug
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.layouts import Layout
from npbilstm.submission.process import SubmissionProcess

HUNTED, TOOLS = "bilstm.py", "find.py"
WIDTH = 100


def add_arguments(commands: Subparsers) -> None:
    """The command's own options, and those of what it can do."""
    command = add_command(
        commands,
        "hunt",
        "bug hunts: a BiLSTM with mistakes in it, to be found",
        "  npbilstm hunt new                             one mistake, in a folder of its own\n"
        "  npbilstm hunt new --level 5 --seed 7          three, of which no gradient check sees one\n"
        "  npbilstm hunt check hunt-5-7                  how many are left\n"
        "  npbilstm hunt check hunt-5-7 --hint 2         and a hint on one of them\n\n"
        "levels: 1 within a time step, 2 over time or between directions, 3 one of each, 4 two, of which no gradient\n"
        "check sees one, 5 three, two of which spoil the same arrays and one of which no gradient check sees\n\n"
        "exit codes of check: 0 none is left, 1 some are",
    )
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    new = actions.add_parser("new", help="write a hunt", description="write a hunt: bilstm.py, and find.py with tools")
    new.add_argument("folder", metavar="DIR", nargs="?", help="where to (hunt-LEVEL-SEED)")
    new.add_argument("--seed", type=int, metavar="N", help="the same seed gives the same hunt (drawn)")
    new.add_argument("--level", type=int, choices=LEVELS, default=1, help="how hard (%(default)s)")
    new.add_argument("--bugs", type=int, metavar="K", help=f"how many mistakes, {MOST} at most (the level's number)")
    new.set_defaults(run=run_new)
    text = "say how many mistakes are left"
    check = actions.add_parser("check", help=text, description=text)
    check.add_argument("folder", metavar="DIR", nargs="?", default=".", help="or the file (the folder you are in)")
    check.add_argument("--hint", type=int, choices=[1, 2, 3], help="on one of them: 1 is vague, 3 says the right line")
    check.add_argument("--seconds", type=float, default=10.0, help="for one call (%(default)s)")
    check.set_defaults(run=run_check)


def run_new(options: argparse.Namespace) -> int:
    """Write a hunt's two files, where there are none. -> the exit code."""
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    hunt = new_hunt(seed, options.level, options.bugs)
    folder = Path(options.folder or f"hunt-{hunt.level}-{hunt.seed}")
    for name in (HUNTED, TOOLS):
        if (folder / name).exists():
            raise ValueError(f"{folder / name} is there already; choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in ((HUNTED, hunted_source(hunt)), (TOOLS, tools_source())):
        with open(folder / name, "x", encoding="utf-8", newline="\n") as file:
            file.write(source)
    say(f"{folder / HUNTED} has {mistakes(hunt.bugs)} in it (level {hunt.level}, seed {hunt.seed}).")
    say(f"Read it; run {TOOLS} beside it; `npbilstm hunt check {folder}` says how many are left.")
    return 0


def run_check(options: argparse.Namespace) -> int:
    """Say how many mistakes are left. -> the exit code."""
    if not (options.seconds > 0):
        raise ValueError(f"--seconds is {options.seconds:g}; it needs a positive number")
    path = os.path.join(options.folder, HUNTED) if os.path.isdir(options.folder) else options.folder
    source = source_in(Path(path))
    try:
        hunt = hunt_in(source)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    left = left_in(path, hunt, options.seconds)
    if left is None:
        say("Its numbers are neither right nor those of what was planted, nor of a part of it: something new is wrong.")
        say("Take back your last change, or look what it did.")
        return 1
    if not left:
        say(f"None is left: you have found {'it' if hunt.bugs == 1 else 'all of them'}.")
        return 0
    say(f"{mistakes(len(left))} of {hunt.bugs} left.")
    for line in hints_on(left[0], options.hint or 0):
        say(line)
    return 1


def left_in(path: str, hunt: Hunt, seconds: float) -> tuple[Bug, ...] | None:
    """The mistakes that are left in a file, which runs in a process of its own; None where it is something else."""
    with SubmissionProcess(path, seconds=seconds) as submission:
        pair = submission.pair(spec_of_hunts().name, Layout())
        if pair is None or pair.backward is None or pair.absent:
            raise SubmissionError(
                f"{path} has no {spec_of_hunts().forward} and {spec_of_hunts().backward} as they were; "
                "their names and arguments need to be left as they are"
            )
        return remaining(hunt, pair)


def mistakes(count: int) -> str:
    """So many mistakes, in words."""
    return f"{count} mistake{'s'[: count != 1]}"


def hints_on(bug: Bug, hint: int) -> list[str]:
    """The hints on a mistake, up to a level."""
    said = [f"hint {level}: {bug.hints[level - 1]}" for level in range(1, hint + 1)]
    if hint:
        said.insert(0, bug.concept)
    return [line for text in said for line in textwrap.wrap(text, WIDTH, subsequent_indent="        ")]
