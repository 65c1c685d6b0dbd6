"""Hunts from the museum: a mistake that somebody made in public, in code as people write it; whether it is mended.

The file has the code and says what it should do. What it looked like, where it was and what it was called are told when
it is found. A seed gives one exhibit, and as many seeds in a row as there are give each of them once.
"""

from __future__ import annotations

import re
import textwrap
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from npbilstm.diagnosis.diagnosis import diagnose_pairs
from npbilstm.diagnosis.layout_search import read_layout
from npbilstm.diagnosis.report_text import headline
from npbilstm.diagnosis.results import Diagnosis
from npbilstm.diagnosis.symptoms import joined_blocks
from npbilstm.mistakes import BUGS
from npbilstm.mistakes.exhibit import Exhibit, exhibits, run
from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.definitions import is_of_npbilstm
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.layouts import layout_of
from npbilstm.submission.process import SubmissionProcess
from npbilstm.submission.submitted_code import SubmittedCode, choose_ways
from npbilstm.submission.submitted_pair import submitted_pairs

HEADER = re.compile(r"^# hunt: museum=(\d{1,9}) edition=([0-9a-f]{8})$", re.MULTILINE)
WIDTH = 100


class State(NamedTuple):
    """How a hunt stands. left: "none"; "it", where what is wrong is the exhibit's mistake; or "other". shows: where
    something is wrong, the stage at which it shows first and what is wrong there."""

    left: str
    shows: str = ""


@cache
def hunted() -> tuple[Exhibit, ...]:
    """The exhibits that can be hunted in: those of functions that the textbook has too."""
    return tuple(exhibit for exhibit in exhibits() if not exhibit.pair)


@cache
def edition() -> str:
    """A number that changes with the exhibits: in another edition a seed gives another."""
    return f"{zlib.crc32(repr([(each.name, each.code) for each in hunted()]).encode()):08x}"


def exhibit_of(seed: int) -> Exhibit:
    """The exhibit of a seed. Raises ValueError for a seed below 0."""
    if seed < 0:
        raise ValueError(f"seed is {seed}; it needs to be 0 or more")
    every = hunted()
    turn, place = divmod(seed, len(every))
    return every[int(np.random.default_rng([turn, 5]).permutation(len(every))[place])]


@cache
def functions_of(exhibit: Exhibit) -> dict[str, tuple[str, ...]]:
    """What an exhibit's functions are about, and their names."""
    own = {name: value for name, value in run(exhibit.code, exhibit.name).items() if not is_of_npbilstm(value)}
    code = SubmittedCode(own)
    return code.subjects(layout_of({**code.form.settings, **dict(exhibit.settings)}))


def museum_source(seed: int) -> str:
    """The file of a seed's hunt."""
    exhibit = exhibit_of(seed)
    code = re.sub(r"(\A|\n)SOURCE = .*\n", "", exhibit.code).strip()
    about = [f"{' and '.join(names)}: {ALL_SPECS[name].title}." for name, names in functions_of(exhibit).items()]
    layout = "".join(f" {name}={value}" for name, value in exhibit.settings)
    said = [
        "Somebody's code, with the mistake that was in it when it was public; rebuilt small.",
        *about,
        "`npbilstm hunt check` in this folder says whether it is mended. Leave the names of functions, what they take "
        "and give, and the lines with # as they are.",
    ]
    head = "\n\n".join(textwrap.fill(part, WIDTH) for part in said)
    header = f"# hunt: museum={seed} edition={edition()}" + (f"\n# npbilstm:{layout}" if layout else "")
    return f'"""{head}\n"""\n\n{header}\n\n{code}\n'


def museum_seed(source: str) -> int | None:
    """The seed in a file from the museum; None where it is of no such hunt. Raises ValueError where it is of another
    edition."""
    found = HEADER.search(source)
    if found is not None and found[2] != edition():
        raise ValueError("it was made with another edition of the museum: check it with the npbilstm that made it")
    return int(found[1]) if found else None


def state_of(path: str | Path, exhibit: Exhibit, seconds: float) -> State:
    """How a hunt in a file stands, which runs in a process of its own.

    Raises SubmissionError where it cannot be run, or has not the functions that it had.
    """
    with SubmissionProcess(path, dict(exhibit.settings), seconds) as submission:
        choose_ways(submission, submission.layout)
        reading = read_layout(submission.subjects, submission.pair, submission.layout, submission.pinned)
        submission.layout = reading.layout
        subjects = submission.subjects()
        lacking = [name for name, names in functions_of(exhibit).items() if set(names) - set(subjects.get(name, ()))]
        if lacking:
            needed = ", ".join(functions_of(exhibit)[lacking[0]])
            raise SubmissionError(f"{path} has no {needed} as it was; its functions need to be left")
        return state_by(list(diagnose_pairs(submitted_pairs(subjects, submission.pair))), exhibit)


def state_by(diagnoses: Iterable[Diagnosis], exhibit: Exhibit) -> State:
    """How a hunt stands, by what was found out about each pair of functions."""
    faulty = [each for each in diagnoses if each.verdict != "right"]
    if not faulty:
        return State("none")
    first = faulty[0]
    said = " ".join([headline(first), *first.findings])
    named = {tuple(bug.id for bug in bugs) for bugs in first.named}
    is_it = exhibit.said in said if exhibit.said else (exhibit.bug,) in named
    return State("it" if is_it else "other", where_it_shows(first))


def where_it_shows(diagnosis: Diagnosis) -> str:
    """The first stage at which something is wrong, and what, in a sentence; "" for none."""
    if diagnosis.stopped:
        return f"{', '.join(diagnosis.not_judged)} stops: {diagnosis.stopped.splitlines()[-1]}"
    for stage in diagnosis.stages:
        if not stage.ok:
            outputs, changed = list(stage.wrong_outputs), [f"{name} (changed in place)" for name in stage.changed]
            gates = ALL_SPECS[diagnosis.subject].gates
            gradients = [f"the gradient of {joined_blocks(stage.wrong, gates)}"] if stage.wrong else []
            wrong = ", ".join([*outputs, *gradients, *changed]) or stage.raised
            return f"It shows at the stage {stage.name!r}: {wrong}."
    return ""


def hints_of(exhibit: Exhibit) -> tuple[str, str, str]:
    """Three hints, from vague to exact; the last has the right lines, as they would be in this code."""
    before = exhibit.code.split("\n")
    right = [line.strip() for line in exhibit.mended.split("\n") if line not in before]
    vague, exact = BUGS[exhibit.bug].hints[:2] if exhibit.bug else (exhibit.concept, exhibit.looked_like)
    return vague, exact, f"Right is: {'; '.join(right)}"


def story_of(exhibit: Exhibit) -> str:
    """What is told of an exhibit when its mistake is found."""
    return f"{exhibit.title} {exhibit.source}: {exhibit.looked_like}"
