"""Which submissions are alike: by the structure of their statements, whatever the names in them.

A statement's fingerprint is its structure (structure.py) together with that of the statement before it, under one
numbering of names, so that it tells what is computed from what.

What everybody has is no sign of anything: statements as in the textbook or in its docstrings' equations, in the
conventions of any variant, and fingerprints that many of a class have. What is left of two submissions is compared
exercise by exercise. It is a reason to look, and no verdict: who disguises enough is not found, two may think alike.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from itertools import combinations, islice
from typing import Any, NamedTuple

from npbilstm.classroom.structure import numbered, statements_in, structure
from npbilstm.classroom.stubs import docstring, home_of, source_of_module
from npbilstm.mistakes.planting import textbook_functions

SHARE = 0.6
"""Which share of the smaller one's statements is in both, where two exercises are alike."""
FEWEST = 12
"""How many statements two submissions have in common that are named: more than an answer of three lines has."""
SMALLEST = 7
"""How many words the coarse structure of a statement has that tells anything: that of `H = 4` has fewer."""
MANY, TENTH = 5, 10
"""More than five of a class have what is common, and of a large class more than a tenth."""
LARGEST = 2000
"""How many statements of a function are looked at."""

Fingerprints = dict[str, list[str]]
"""Of one exercise: functions -> the fingerprints of their statements."""


class Alike(NamedTuple):
    """Two submissions that are alike. exercises: name -> which share of the smaller one's telling statements is in
    both, and the functions that these stand in. statements: how many these are in all."""

    names: tuple[str, str]
    exercises: dict[str, tuple[float, tuple[str, ...]]]
    statements: int


def functions_in(tree: ast.Module) -> Iterator[tuple[str, list[ast.stmt]]]:
    """The functions and methods of a file: names and bodies."""
    for each in tree.body:
        if isinstance(each, ast.FunctionDef):
            yield each.name, each.body
        elif isinstance(each, ast.ClassDef):
            yield from ((f"{each.name}.{m.name}", m.body) for m in each.body if isinstance(m, ast.FunctionDef))


@cache
def given() -> frozenset[str]:
    """The coarse structures of the statements that stand in the textbook, and of its docstrings' equations."""
    found: set[str] = set()
    for module in {home_of(name) for name in textbook_functions()}:
        for _, body in functions_in(ast.parse(source_of_module(module))):
            found.update(numbered(structure(each, coarse=True)) for each in statements_in(body))
    for name in textbook_functions():
        for line in docstring(name).splitlines():
            with suppress(SyntaxError, ValueError):  # behind three blanks stand words
                equations = ast.parse(re.split(" {3,}", line.strip())[0]).body
                found.update(numbered(structure(each, coarse=True)) for each in equations)
    return frozenset(found)


@lru_cache(maxsize=256)  # many hand in what they were given
def fingerprints(source: str) -> Fingerprints:
    """The fingerprints of the telling statements of a source; none of what is no Python."""
    found: Fingerprints = {}
    try:
        for name, body in functions_in(ast.parse(source)):
            telling = list(telling_in(islice(statements_in(body), LARGEST)))
            if telling:
                found[name] = telling
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    return found


def telling_in(statements: Iterable[ast.stmt]) -> Iterator[str]:
    """The fingerprints of those statements that are not in the textbook."""
    before: ast.stmt | None = None
    for each in statements:
        coarse = structure(each, coarse=True)
        if len(re.findall(r"\w+", coarse)) >= SMALLEST and numbered(coarse) not in given():
            both = numbered(structure(before) + structure(each))
            yield hashlib.blake2b(both.encode("utf-8", "replace"), digest_size=6).hexdigest()
        before = each


def alike(submissions: Mapping[str, Mapping[str, Fingerprints]]) -> list[Alike]:
    """The pairs of a class that are alike, the most alike first. submissions: names -> exercises -> fingerprints."""
    where = {
        name: {
            exercise: {each: function for function, listed in functions.items() for each in listed}
            for exercise, functions in exercises.items()
        }
        for name, exercises in submissions.items()
    }
    having: dict[str, set[str]] = defaultdict(set)
    for name, exercises in where.items():
        for fingerprint in {each for functions in exercises.values() for each in functions}:
            having[fingerprint].add(name)
    most = max(MANY, len(submissions) // TENTH)
    rare = {fingerprint: sorted(names) for fingerprint, names in having.items() if len(names) <= most}
    shared = Counter(pair for names in rare.values() for pair in combinations(names, 2))
    found: list[Alike] = []
    for (one, other), count in shared.items():
        if count >= FEWEST:
            found += compared(one, other, where[one], where[other], rare)
    return sorted(found, key=lambda pair: (-pair.statements, pair.names))


def compared(
    one: str, other: str, first: Mapping[str, Any], second: Mapping[str, Any], rare: Mapping[str, Any]
) -> Iterator[Alike]:
    """Two submissions, where they are alike."""
    exercises, statements = {}, set()
    for exercise in first.keys() & second.keys():
        own, others = (set(functions[exercise]) & rare.keys() for functions in (first, second))
        both = own & others
        if both and len(both) >= SHARE * min(len(own), len(others)):
            functions = tuple(dict.fromkeys(f for each, f in first[exercise].items() if each in both))
            exercises[exercise] = len(both) / min(len(own), len(others)), functions
            statements |= both
    if len(statements) >= FEWEST:
        yield Alike((one, other), exercises, len(statements))
