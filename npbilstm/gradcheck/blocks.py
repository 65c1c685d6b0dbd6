"""Blocks: an array that holds several equal pieces along one axis, as a fused Wx (D, 4H) holds four gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from npbilstm.gradcheck.values import Arrays

Item = TypeVar("Item")


class Blocks(NamedTuple):
    """The names of the equal pieces of an array, in order, and the axis along which they lie.

    >>> nb.Blocks("ifgo", axis=0)
    Blocks(names='ifgo', axis=0)
    """

    names: Sequence[str]
    axis: int = -1


def checked_blocks(blocks: Mapping[str, Sequence[str] | Blocks] | None, point: Arrays) -> dict[str, Blocks]:
    """The blocks of each array that has some, or the error that says what is wrong with them."""
    checked = {}
    for name, given in blocks_named(blocks, "blocks", point).items():
        names, axis = given if isinstance(given, Blocks) else Blocks(given)
        names = tuple(names) if isinstance(names, Sequence) else ()
        if not names or not all(isinstance(each, str) for each in names):
            raise TypeError(f"blocks[{name!r}] is {given!r}; it needs names in order, ('i', 'f', 'g', 'o') for one")
        axis = checked_axis(f"the axis of blocks[{name!r}]", axis, point[name])
        length = point[name].shape[axis]
        if length % len(names):
            raise ValueError(
                f"{name} has {length} entries along axis {axis}; {len(names)} equal blocks "
                f"({', '.join(names)}) need a multiple of {len(names)}"
            )
        checked[name] = Blocks(names, axis)
    return checked


def checked_time(time: Mapping[str, int] | None, point: Arrays) -> dict[str, int]:
    """The time axis, counted from the front, of each array that has one, or the error."""
    given = blocks_named(time, "time", point)
    return {name: checked_axis(f"time[{name!r}]", axis, point[name]) for name, axis in given.items()}


def blocks_named(option: Mapping[str, Item] | None, label: str, point: Arrays) -> Mapping[str, Item]:
    """An option for arrays by name, or the error."""
    if option is None:
        return {}
    if not isinstance(option, Mapping):
        raise TypeError(f"{label} is a {type(option).__name__}; it needs a dict of name -> what it has")
    for name in option:
        if name not in point:
            raise ValueError(f"{label} names {name!r}; there is {', '.join(point)}")
    return option


def checked_axis(what: str, axis: int, array: np.ndarray) -> int:
    """An axis of the array, counted from the front, or the error."""
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
        raise TypeError(f"{what} is {axis!r}; it needs a whole number")
    if not -array.ndim <= axis < array.ndim:
        raise ValueError(f"{what} is {axis}; the array has shape {array.shape}")
    return int(axis) % array.ndim


def place_along(shape: tuple[int, ...], axis: int, entries: np.ndarray) -> np.ndarray:
    """Where along an axis entries lie that are counted flat."""
    return np.unravel_index(entries, shape)[axis]


def block_index(shape: tuple[int, ...], blocks: Blocks, entries: np.ndarray) -> np.ndarray:
    """In which block entries lie that are counted flat."""
    return place_along(shape, blocks.axis, entries) * len(blocks.names) // max(shape[blocks.axis], 1)
