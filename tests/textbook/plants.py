"""Planting a bug in one function of the textbook, where its neighbour may hold the same line."""

import inspect
from types import SimpleNamespace

from npbilstm import textbook
from tests.planting import planted


def planted_in(module, function, old, new):
    """The module with the one occurrence of `old` in one of its functions replaced by `new`."""
    source = inspect.getsource(getattr(module, function))
    body = source.index('"""', source.index('"""') + 3)
    assert source.count(old, body) == 1, f"{old!r} stands {source.count(old, body)} times in {function}'s code"
    return planted(module, source, source[:body] + source[body:].replace(old, new))


def textbook_with(changed):
    """The textbook's functions, with those of the changed module in place of its own."""
    functions = {name: value for name, value in vars(changed).items() if callable(value)}
    return SimpleNamespace(**{**vars(textbook), **functions})
