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
    """The names that a function's code looks up, its comprehensions' too, or a class's methods'; none where it has no
    code to be seen."""
    functions = [function]
    if isinstance(function, type):
        methods = {name: value for kind in reversed(function.__mro__) for name, value in vars(kind).items()}
        functions = [getattr(method, "__func__", method) for method in methods.values()]
    codes = [code for each in functions if (code := getattr(inspect.unwrap(each), "__code__", None))]
    names: list[str] = []
    for code in codes:
        names += code.co_names
        codes += [constant for constant in code.co_consts if hasattr(constant, "co_names")]
    return names
