"""Pairs of strings, one to be made of the other: three tasks that make their own, and a file of two columns.

dates      a date in one of 11 formats -> 2026-11-27
reverse    up to 20 digits -> the same from behind: without attention all of it has to go through one state
addition   123+989 -> the sum's digits, the last one first, as one adds by hand
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from npbilstm.datasets.text import read_text

Strings = list[tuple[str, str]]

MONTHS = [
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
]
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


class PairData(NamedTuple):
    """Pairs of ids, in three parts that share no source, and the characters that the ids number.

    sources, targets: the characters of either side, in order.
    """

    name: str
    sources: str
    targets: str
    train: list[tuple[np.ndarray, np.ndarray]]
    valid: list[tuple[np.ndarray, np.ndarray]]
    test: list[tuple[np.ndarray, np.ndarray]]


def ids_of(text: str, characters: str) -> np.ndarray:
    """The characters' numbers (T,). Raises ValueError for one that is not among them."""
    unknown = sorted(set(text) - set(characters))
    if unknown:
        raise ValueError(f"{text!r} has {unknown[0]!r}; the characters known are {characters!r}")
    return np.array([characters.index(c) for c in text], np.int64)


def text_of(ids: Sequence[int] | np.ndarray, characters: str) -> str:
    """The characters of these numbers."""
    return "".join(characters[int(k)] for k in ids)


def ordinal(day: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{day}{'th' if 10 < day < 14 else endings.get(day % 10, 'th')}"


DATE_FORMATS: tuple[Callable[[date], str], ...] = (
    lambda d: f"{d.day} {MONTHS[d.month - 1]} {d.year}",
    lambda d: f"{MONTHS[d.month - 1]} {d.day}, {d.year}",
    lambda d: f"{WEEKDAYS[d.weekday()]}, {MONTHS[d.month - 1]} {d.day}, {d.year}",
    lambda d: f"{WEEKDAYS[d.weekday()][:3]} {d.day} {MONTHS[d.month - 1][:3]} {d.year}",
    lambda d: f"{MONTHS[d.month - 1][:3].lower()} {d.day} {d.year}",
    lambda d: f"{ordinal(d.day)} of {MONTHS[d.month - 1]} {d.year}",
    lambda d: f"{d.day}.{d.month}.{d.year}",
    lambda d: f"{d.day:02}/{d.month:02}/{d.year}",
    lambda d: f"{d.day:02}-{MONTHS[d.month - 1][:3].upper()}-{d.year % 100:02}",
    lambda d: f"{d.year}/{d.month}/{d.day}",
    lambda d: f"{d.year}{d.month:02}{d.day:02}",
)
"""How a date may be written. Two digits of a year mean one from 1970 to 2069; day and month never change places."""


def a_date(rng: np.random.Generator) -> tuple[str, str]:
    """A date from 1970 to 2069 in one of the formats, and as ISO 8601 has it."""
    day = date(1970, 1, 1) + timedelta(days=int(rng.integers((date(2070, 1, 1) - date(1970, 1, 1)).days)))
    return DATE_FORMATS[int(rng.integers(len(DATE_FORMATS)))](day), day.isoformat()


def some_digits(rng: np.random.Generator) -> tuple[str, str]:
    """1 to 20 digits, and the same from behind."""
    digits = "".join(map(str, rng.integers(0, 10, int(rng.integers(1, 21)))))
    return digits, digits[::-1]


def a_sum(rng: np.random.Generator) -> tuple[str, str]:
    """Two numbers of up to three digits, and their sum, its last digit first."""
    one, other = (int(n) for n in rng.integers(0, 1000, 2))
    return f"{one}+{other}", str(one + other)[::-1]


TASKS: dict[str, Callable[[np.random.Generator], tuple[str, str]]] = {
    "dates": a_date,
    "reverse": some_digits,
    "addition": a_sum,
}
"""What makes one pair of each task."""

SOURCES = {"dates": 36_525 * len(DATE_FORMATS), "reverse": 10_000_000, "addition": 1_000_000}
"""How many sources there are of each task, of `reverse` as many as anybody needs."""

TEST = 1000
"""How many pairs of a generated task are for validation, and for the test."""


def generated(task: str, count: int, seed: int) -> PairData:
    """A task's data: count pairs to train on, none of whose sources is among the others.

    Raises ValueError where the task is none, or count is below 1 or above what the task has.
    """
    if task not in TASKS:
        raise ValueError(f"task is {task!r}; it needs one of {', '.join(TASKS)}")
    if count < 1:
        raise ValueError(f"pairs is {count}; it needs to be at least 1")
    if count + 2 * TEST > SOURCES[task]:
        raise ValueError(f"pairs is {count}; {task} has at most {SOURCES[task] - 2 * TEST:,} to train on that differ")
    rng = np.random.default_rng(seed)
    pairs: dict[str, str] = {}
    for _ in range(20 * (count + 2 * TEST)):
        pairs.setdefault(*TASKS[task](rng))
        if len(pairs) == count + 2 * TEST:
            return in_parts(task, list(pairs.items()), TEST)
    raise ValueError(f"pairs is {count}; {task} has not so many that differ")


def in_parts(name: str, pairs: Strings, test: int) -> PairData:
    """Pairs of strings as ids: the last `test` for the test, as many before them for validation."""
    sources, targets = ("".join(sorted(set("".join(side)))) for side in zip(*pairs))
    numbered = [(ids_of(source, sources), ids_of(target, targets)) for source, target in pairs]
    end = len(numbered) - test
    return PairData(name, sources, targets, numbered[: end - test], numbered[end - test : end], numbered[end:])


def pairs_file(path: str, seed: int) -> PairData:
    """A file of pairs, one a line, source and target with a tab between: a tenth each for validation and test.

    Lines are shuffled by the seed; of a source that stands in it more than once, the first line is taken.

    Raises OSError where there is no such file; ValueError, naming the line, for one that is not two columns; or for
    fewer than 10 pairs.
    """
    pairs: dict[str, str] = {}
    for source, target in lines_of(path):
        pairs.setdefault(source, target)
    if len(pairs) < 10:
        raise ValueError(f"{path} has {len(pairs)} pairs; it needs at least 10")
    shuffled = list(pairs.items())
    order = np.random.default_rng(seed).permutation(len(shuffled))
    return in_parts(path, [shuffled[n] for n in order], max(len(shuffled) // 10, 1))


def lines_of(path: str) -> Iterator[tuple[str, str]]:
    """The pairs of a file, in order; empty lines are left out."""
    for number, line in enumerate(read_text(path).split("\n"), 1):
        columns = line.split("\t")
        if columns == [""]:
            continue
        if len(columns) != 2:
            raise ValueError(f"{path}, line {number} has {len(columns)} columns; it needs two, with a tab between")
        if not all(columns):
            empty = "source" if not columns[0] else "target"
            raise ValueError(f"{path}, line {number}: the {empty} is empty; it needs at least one character")
        yield columns[0], columns[1]
