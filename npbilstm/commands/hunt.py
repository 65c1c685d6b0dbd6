"""`npbilstm hunt new | check`: a BiLSTM with mistakes planted in it, what finds them, and how many are left."""

from __future__ import annotations

import argparse
import os
import secrets
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from npbilstm.classroom.handed_in import source_in
from npbilstm.classroom.hunt import LEVELS, MOST, Hunt, new_hunt, remaining, spec_of_hunts
from npbilstm.classroom.hunt_files import hunt_in, hunted_source, tools_source
from npbilstm.classroom.museum_hunt import exhibit_of, hints_of, museum_seed, museum_source, state_of, story_of
from npbilstm.commands.options import Subparsers, add_command
from npbilstm.commands.terminal import say, say_wrapped
from npbilstm.mistakes import Bug
from npbilstm.mistakes.exhibit import Exhibit
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.layouts import Layout
from npbilstm.submission.process import SubmissionProcess
from npbilstm.submission.same_process import not_contained

HUNTED, TOOLS, FROM_MUSEUM = "bilstm.py", "find.py", "hunted.py"
WIDTH = 100
ORIGINS = ("catalogue", "museum")
TAKE_BACK = "Take back your last change, or look what it did."


def add_arguments(commands: Subparsers) -> None:
    """The command's own options, and those of what it can do."""
    command = add_command(
        commands,
        "hunt",
        "bug hunts: a BiLSTM with mistakes in it, to be found",
        "  npbilstm hunt new                             one mistake, in a folder of its own\n"
        "  npbilstm hunt new --level 5 --seed 7          three, of which no gradient check sees one\n"
        "  npbilstm hunt new --from museum               one that somebody made in public\n"
        "  npbilstm hunt check hunt-5-7                  how many are left\n"
        "  npbilstm hunt check hunt-5-7 --hint 2         and a hint on one of them\n\n"
        "levels: 1 within a time step, 2 over time or between directions, 3 one of each, 4 two, of which no gradient\n"
        "check sees one, 5 three, two of which spoil the same arrays and one of which no gradient check sees\n\n"
        "--from museum: one mistake that somebody made in public, in code as people write it; told when it is found\n\n"
        "exit codes of check: 0 none is left, 1 some are",
    )
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    new = actions.add_parser("new", help="write a hunt", description="write a hunt: bilstm.py, and find.py with tools")
    new.add_argument("folder", metavar="DIR", nargs="?", help="where to (hunt-LEVEL-SEED, hunt-museum-SEED)")
    new.add_argument("--seed", type=int, metavar="N", help="the same seed gives the same hunt (drawn)")
    new.add_argument("--level", type=int, choices=LEVELS, help="how hard (1)")
    new.add_argument(
        "--from", dest="origin", choices=ORIGINS, default=ORIGINS[0], help="where mistakes are from (%(default)s)"
    )
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
    if options.origin == "museum":
        return new_from_museum(options, seed)
    hunt = new_hunt(seed, options.level or LEVELS[0], options.bugs)
    folder = Path(options.folder or f"hunt-{hunt.level}-{hunt.seed}")
    write_new(folder, {HUNTED: hunted_source(hunt), TOOLS: tools_source()})
    say(f"{folder / HUNTED} has {mistakes(hunt.bugs)} in it (level {hunt.level}, seed {hunt.seed}).")
    say(f"Read it; run {TOOLS} beside it; `npbilstm hunt check {folder}` says how many are left.")
    return 0


def new_from_museum(options: argparse.Namespace, seed: int) -> int:
    """Write a hunt from the museum. -> the exit code."""
    for name in ("level", "bugs"):
        if getattr(options, name) is not None:
            raise ValueError(f"--{name} does not go with --from museum, where mistakes are as somebody made them")
    folder = Path(options.folder or f"hunt-museum-{seed}")
    write_new(folder, {FROM_MUSEUM: museum_source(seed)})
    say(f"{folder / FROM_MUSEUM} has {mistakes(1)} in it that somebody made in public (seed {seed}).")
    say(f"Read it; `npbilstm hunt check {folder}` says where it shows, and whether it is left.")
    return 0


def write_new(folder: Path, sources: Mapping[str, str]) -> None:
    """Write files into a folder, by their names. Raises ValueError where one of them is there."""
    for name in sources:
        if (folder / name).exists():
            raise ValueError(f"{folder / name} is there already; choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in sources.items():
        with open(folder / name, "x", encoding="utf-8", newline="\n") as file:
            file.write(source)


def run_check(options: argparse.Namespace) -> int:
    """Say how many mistakes are left, and what was not contained of the file. -> the exit code."""
    code = check_hunt(options)
    say_wrapped(not_contained())
    return code


def check_hunt(options: argparse.Namespace) -> int:
    """Say how many mistakes are left. -> the exit code."""
    if not (options.seconds > 0):
        raise ValueError(f"--seconds is {options.seconds:g}; it needs a positive number")
    path = file_of(options.folder)
    source = source_in(Path(path))
    try:
        seed = museum_seed(source)
        hunt = hunt_in(source) if seed is None else None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if hunt is None:
        return check_from_museum(path, exhibit_of(seed or 0), options)
    left = left_in(path, hunt, options.seconds)
    if left is None:
        say("Its numbers are neither right nor those of what was planted, nor of a part of it: something new is wrong.")
        say(TAKE_BACK)
        return 1
    if not left:
        say(f"None is left: you have found {'it' if hunt.bugs == 1 else 'all of them'}.")
        return 0
    say(f"{mistakes(len(left))} of {hunt.bugs} left.")
    for line in hints_on(left[0].concept, left[0].hints, options.hint or 0):
        say(line)
    return 1


def check_from_museum(path: str, exhibit: Exhibit, options: argparse.Namespace) -> int:
    """Say whether a hunt's mistake from the museum is left, and of one that is found the story. -> the exit code."""
    state = state_of(path, exhibit, options.seconds)
    if state.left == "none":
        say("None is left: you have found it.")
        for line in textwrap.wrap(story_of(exhibit), WIDTH):
            say(line)
        return 0
    if state.left == "other":
        say("Something is wrong in another way than it was: a mistake that is new, or the same in another form.")
        say(TAKE_BACK)
    else:
        say(f"{mistakes(1)} of 1 left.")
    for line in textwrap.wrap(state.shows, WIDTH):
        say(line)
    if state.left == "it":
        for line in hints_on(exhibit.concept, hints_of(exhibit), options.hint or 0):
            say(line)
    return 1


def file_of(place: str) -> str:
    """The file of a hunt, which a place is or has."""
    if not os.path.isdir(place):
        return place
    from_museum = os.path.join(place, FROM_MUSEUM)
    return from_museum if os.path.exists(from_museum) else os.path.join(place, HUNTED)


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


def hints_on(concept: str, hints: Sequence[str], hint: int) -> list[str]:
    """The hints on a mistake, up to a level, and first what it is about."""
    said = [f"hint {level}: {hints[level - 1]}" for level in range(1, hint + 1)]
    if hint:
        said.insert(0, concept)
    return [line for text in said for line in textwrap.wrap(text, WIDTH, subsequent_indent="        ")]
