"""Rows of unequal length as one array: what every layer and model takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from npbilstm.textbook.sequences import as_array


def pad(rows: Iterable[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of T_n steps, unequally many -> one array, each row padded with 0 at its end, and lengths (N,).

        padded, lengths = pad(rows)                        # T is the largest T_n
        y, state, cache = layer.forward(padded, lengths)

    rows: integers (T_n,), e.g. ids -> (N, T) of int64. Floating numbers (T_n,) -> (N, T), or features (T_n, D) ->
    (N, T, D), of their own dtype, or the widest of several. A row [] of no steps goes with any others.

    Raises TypeError or ValueError, naming the row, for rows of other numbers, of both kinds, or of unequal D.

    >>> ids, lengths = nb.pad([[5, 6, 7], [8]])
    >>> ids.tolist(), lengths.tolist()
    ([[5, 6, 7], [8, 0, 0]], [3, 1])
    """
    arrays = [as_row(n, row) for n, row in enumerate(rows_as_list(rows))]
    lengths = np.array([len(row) for row in arrays], np.int64)
    telling = [n for n, row in enumerate(arrays) if row.shape != (0,)]
    if not telling:
        return np.zeros((len(arrays), 0), np.int64), lengths
    first = arrays[telling[0]]
    for n in telling:
        if (arrays[n].dtype.kind == "f") != (first.dtype.kind == "f"):
            needed = "floating numbers" if first.dtype.kind == "f" else "integers"
            raise TypeError(f"rows[{n}] has dtype {arrays[n].dtype}; it needs {needed}, as rows[{telling[0]}] has")
        if arrays[n].shape[1:] != first.shape[1:]:
            needed = ", ".join(["(T_n", *map(str, first.shape[1:])]) + (")" if first.ndim > 1 else ",)")
            raise ValueError(f"rows[{n}] has shape {arrays[n].shape}; it needs {needed}, as rows[{telling[0]}] has")
    dtype = np.result_type(*(arrays[n].dtype for n in telling)) if first.dtype.kind == "f" else np.int64
    padded = np.zeros((len(arrays), lengths.max(), *first.shape[1:]), dtype)
    for n in telling:
        padded[n, : lengths[n]] = arrays[n]
    return padded, lengths


def rows_as_list(rows: Iterable[Any]) -> list[Any]:
    """The rows as a list. Raises TypeError where there are none to be had."""
    try:
        return list(rows)
    except TypeError:
        raise TypeError(f"rows is a {type(rows).__name__}; it needs a list of rows") from None


def as_row(n: int, row: Any) -> np.ndarray:
    """rows[n] as an array of integers that int64 has, or of floating numbers; or a TypeError or ValueError."""
    try:
        array = as_array(f"rows[{n}]", row)
    except ValueError:
        raise ValueError(f"rows[{n}] is made of rows of unequal lengths; it needs (T_n,) or (T_n, D)") from None
    if array.shape == (0,):
        return array
    if array.dtype.kind not in "iuf":
        raise TypeError(f"rows[{n}] has dtype {array.dtype}; it needs integers or floating numbers")
    if array.ndim not in (1, 2):
        raise ValueError(f"rows[{n}] has shape {array.shape}; it needs (T_n,) or (T_n, D)")
    if array.dtype.kind == "u" and array.max(initial=0) > np.iinfo(np.int64).max:
        raise ValueError(f"rows[{n}] holds {array.max()}; it needs integers up to {np.iinfo(np.int64).max}")
    return array
