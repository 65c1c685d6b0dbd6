"""Which functions call which, as far as their code tells."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any


def reached(name: str, functions: Mapping[str, Any]) -> frozenset[str]:
    """Of these functions, those that one of them calls, itself among them, and those that these call."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name in functions and name not in found:
            found.add(name)
            waiting += names_used(functions[name])
    return frozenset(found)


def names_used(function: Any) -> list[str]:
    """The names that a function's code looks up, its comprehensions' too; none where it has no code to be seen."""
    codes = [code for code in [getattr(inspect.unwrap(function), "__code__", None)] if code]
    names: list[str] = []
    for code in codes:
        names += code.co_names
        codes += [constant for constant in code.co_consts if hasattr(constant, "co_names")]
    return names
