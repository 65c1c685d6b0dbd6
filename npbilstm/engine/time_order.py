"""Which input step is processed when, and where rows end: all that tells a reverse direction from a forward one.

Direction 0 goes through t = 0, 1, 2 ... Direction 1 goes through each row from its last valid step to its first; what
padding follows comes after, in its own places, so that in both directions a row's valid steps come first:

    input of a row of length 3 in 5 steps    a b c . .
    direction 0 processes                    a b c . .
    direction 1 processes                    c b a . .
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Index = slice | tuple[np.ndarray, np.ndarray]
Rows = slice | list[int]


def input_index(direction: int, start: int, count: int, T: int, lengths: np.ndarray | None) -> Index:
    """Where an array (T, N, ...) in input order has what the direction processes in `count` steps from `start`."""
    if direction == 0:
        return slice(start, start + count)
    if lengths is None:
        end = T - start - count
        return slice(T - 1 - start, end - 1 if end else None, -1)
    steps = np.arange(start, start + count)[:, None]
    return np.where(steps < lengths, lengths - 1 - steps, steps), np.arange(len(lengths))  # (count, N), (N,)


def padding(start: int, count: int, lengths: np.ndarray | None) -> np.ndarray | None:
    """Which of these steps are padding, bool (count, N); None where none is."""
    if lengths is None or start + count <= lengths.min(initial=start + count):
        return None
    return np.arange(start, start + count)[:, None] >= lengths


def rows_by_last_step(lengths: np.ndarray | None, T: int) -> Mapping[int, Rows]:
    """Which rows end at which step of processing, -1 for rows of length 0; all at T - 1 where lengths is None."""
    if lengths is None:
        return {T - 1: slice(None)}
    rows: dict[int, list[int]] = {}
    for row, length in enumerate(lengths.tolist()):
        rows.setdefault(length - 1, []).append(row)
    return rows
