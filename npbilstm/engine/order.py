"""Which input step is processed when: all that tells a reverse direction from a forward one.

Direction 0 goes through t = 0, 1, 2 ... Direction 1 goes through each row from its last valid step to its first; what
padding follows comes after, in its own places, so that in both directions a row's valid steps come first:

    input of a row of length 3 in 5 steps    a b c . .
    direction 0 processes                    a b c . .
    direction 1 processes                    c b a . .

Padding is read as zeros, whatever stands there, and written as zeros.
"""

from __future__ import annotations

import numpy as np

Index = slice | tuple[np.ndarray, np.ndarray]


def read_steps(source: np.ndarray, direction: int, start: int, lengths: np.ndarray | None, out: np.ndarray) -> None:
    """What the direction processes from step `start` on: source (T, N, F) in input order -> out (n, N, F)."""
    out[...] = source[places(direction, start, len(out), len(source), lengths)]
    padded = padding(start, len(out), lengths)
    if padded is not None:
        out[padded] = 0


def write_steps(steps: np.ndarray, direction: int, start: int, lengths: np.ndarray | None, target: np.ndarray) -> None:
    """The way back: steps (n, N, F) as processed from step `start` on -> their places in target (T, N, F)."""
    target[places(direction, start, len(steps), len(target), lengths)] = steps
    padded = padding(start, len(steps), lengths)
    if padded is not None:
        target[start : start + len(steps)][padded] = 0


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


def rows_by_last_step(lengths: np.ndarray | None) -> dict[int, np.ndarray]:
    """Which rows end at which step of processing, -1 for rows of length 0; nothing where lengths is None."""
    if lengths is None:
        return {}
    return {int(length) - 1: np.flatnonzero(lengths == length) for length in np.unique(lengths)}
