"""Nested arguments: arrays in tuples, lists, dicts and NamedTuples, as a flat dict of name -> array and back.

A leaf's name is its way from the top: "params.Wx" for a field or a key, "state.0" for a place in a tuple. Leaves are
arrays of floating point, or single numbers too where the caller says so; all else, None, strings, functions, integers,
stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Test = Callable[[Any], bool]


def is_array(value: Any) -> bool:
    """Whether a value is an array of floating-point numbers."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "fc"


def is_number(value: Any) -> bool:
    """Whether a value is such an array or one such number."""
    return is_array(value) or isinstance(value, (float, complex, np.inexact))


def flatten(value: Any, name: str, is_leaf: Test = is_array) -> dict[str, Any]:
    """name -> leaf, in order."""
    if is_leaf(value):
        return {name: value}
    leaves: dict[str, Any] = {}
    for key, child in children(value):
        leaves.update(flatten(child, f"{name}.{key}", is_leaf))
    return leaves


def children(value: Any) -> list[tuple[Any, Any]]:
    """(key, value) for each part of a container; none for anything else."""
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return list(zip(value._fields, value))
    return list(enumerate(value)) if isinstance(value, (tuple, list)) else []


def rebuild(value: Any, name: str, leaf: Callable[[str, Any], Any], is_leaf: Test = is_array) -> Any:
    """The same structure, with leaf(name, old leaf) in the place of each leaf."""
    if is_leaf(value):
        return leaf(name, value)
    parts = [(key, rebuild(child, f"{name}.{key}", leaf, is_leaf)) for key, child in children(value)]
    if isinstance(value, Mapping):
        return dict(parts)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(part for _, part in parts))
    return type(value)(part for _, part in parts) if isinstance(value, (tuple, list)) else value
