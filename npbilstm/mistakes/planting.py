"""Planting: the textbook with some of its lines changed, beside the textbook as it is.

A bug is a one-line change in the source of one of the textbook's functions. `plant` makes that change, and gives all of
the textbook's functions again, so that those which call the changed one call it changed: a bug in lstm_step_backward
shows in lstm_backward and in bilstm_backward as well.
"""

from __future__ import annotations

import inspect
import sys
from collections import ChainMap
from collections.abc import Iterable
from functools import cache
from types import FunctionType, SimpleNamespace
from typing import Any, NamedTuple

from npbilstm import textbook


class Bug(NamedTuple):
    """A mistake that people make in hand-written passes, as a change of the textbook's own source.

    id: its name, words joined by hyphens. function: the textbook function it lives in. old, new: the change; `old` is
    a line or part of a line that stands once in that function's code. equation: the quantity whose equation it spoils,
    as the function's docstring calls it. concept: what the equation is about, in a sentence that does not give it away.
    hints: from vague to exact; only the last may hold the right line.
    """

    id: str
    function: str
    old: str
    new: str
    equation: str
    concept: str
    hints: tuple[str, str, str]


@cache
def source_of(function: str) -> tuple[str, str]:
    """The source of one of the textbook's functions, cut behind its docstring -> head, body."""
    source = inspect.getsource(textbook_functions()[function])
    cut = source.index('"""', source.index('"""') + 3) + 3
    return source[:cut], source[cut:]


@cache
def textbook_functions() -> dict[str, FunctionType]:
    """Every function of the textbook by name, private ones too."""
    own = {name: value for name, value in textbook_names().items() if inspect.isfunction(value)}
    return {name: value for name, value in own.items() if value.__module__.startswith(textbook.__name__)}


@cache
def textbook_names() -> ChainMap[str, Any]:
    """What the textbook's modules hold between them. No two give one name to different things: a test sees to it."""
    modules = {getattr(textbook, name).__module__ for name in textbook.__all__}
    return ChainMap(*(vars(sys.modules[module]) for module in sorted(modules)))


def changed(source: str, bug: Bug) -> str:
    """The source with the bug's one change. Raises ValueError unless `old` stands in it once."""
    count = source.count(bug.old)
    if count != 1:
        raise ValueError(f"{bug.id}: {bug.old!r} stands {count} times in {bug.function}; it needs to stand once")
    return source.replace(bug.old, bug.new)


@cache
def compiled(function: str, bugs: tuple[Bug, ...]) -> Any:
    """One of the textbook's functions with these bugs, compiled."""
    head, body = source_of(function)
    for bug in bugs:
        body = changed(body, bug)
    return compile(head + body, f"<{function}, changed>", "exec")


def plant(bugs: Iterable[Bug]) -> SimpleNamespace:
    """All of the textbook's names, with these bugs in its functions.

    Raises ValueError where a change cannot be made, two bugs wanting the same line, say.
    """
    names = dict(textbook_names())
    for name, function in textbook_functions().items():
        names[name] = FunctionType(function.__code__, names, name, function.__defaults__, function.__closure__)
    by_function: dict[str, tuple[Bug, ...]] = {}
    for bug in bugs:
        by_function[bug.function] = (*by_function.get(bug.function, ()), bug)
    for name, changes in by_function.items():
        exec(compiled(name, changes), names)
    return SimpleNamespace(**names)
