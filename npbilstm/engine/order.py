"""Which input step is processed when: all that tells a reverse direction from a forward one.

Direction 0 goes through t = 0, 1, 2 ... Direction 1 goes through each row from its last valid step to its first; what
padding follows comes after, in its own places, so that in both directions a row's valid steps come first:

    input of a row of length 3 in 5 steps    a b c . .
    direction 0 processes                    a b c . .
    direction 1 processes                    c b a . .
"""

from __future__ import annotations

import numpy as np

Index = slice | tuple[np.ndarray, np.ndarray]


def places(direction: int, start: int, n: int, T: int, lengths: np.ndarray | None) -> Index:
    """The index, into an array (T, N, ...) in input order, of what the direction processes from step `start` on."""
    if direction == 0:
        return slice(start, start + n)
    if lengths is None:
        end = T - start - n
        return slice(T - 1 - start, end - 1 if end else None, -1)
    steps = np.arange(start, start + n)[:, None]
    return np.where(steps < lengths, lengths - 1 - steps, steps), np.arange(len(lengths))  # (n, N), (N,)


def padding(start: int, n: int, lengths: np.ndarray | None) -> np.ndarray | None:
    """Which of these steps are padding, bool (n, N); None where none is."""
    if lengths is None or start + n <= lengths.min(initial=start + n):
        return None
    return np.arange(start, start + n)[:, None] >= lengths


def rows_by_last_step(lengths: np.ndarray | None) -> dict[int, list[int]]:
    """Which rows end at which step of processing, -1 for rows of length 0; nothing where lengths is None."""
    rows: dict[int, list[int]] = {}
    for row, length in enumerate([] if lengths is None else lengths.tolist()):
        rows.setdefault(length - 1, []).append(row)
    return rows
