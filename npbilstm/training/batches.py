"""Batches: sequences of like length side by side, padded to the longest; and long ones in windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from npbilstm.layers.checks import require_size
from npbilstm.textbook.sequences import check_lengths

POOL = 16
"""Batches are sorted by length within pools of this many: little padding, and still a random order."""


def pad(rows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Integer rows (T_n,) -> one array (N, max T_n), padded with 0, and lengths (N,); TypeError for other rows."""
    lengths = np.array([len(row) for row in rows], np.int64)
    padded = np.zeros((len(rows), lengths.max(initial=0)), np.int64)
    for n, row in enumerate(rows):
        if len(row) and np.asarray(row).dtype.kind not in "iu":
            raise TypeError(f"rows[{n}] has dtype {np.asarray(row).dtype}; it needs integers")
        padded[n, : len(row)] = row
    return padded, lengths


def batch_order(lengths: Sequence[int], batch_size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Which sequences go into which batch, shuffled, those of like length together -> index arrays, each index once."""
    size = np.asarray(lengths)
    order = rng.permutation(len(size))
    pools = [order[k : k + POOL * batch_size] for k in range(0, len(order), POOL * batch_size)]
    order = np.concatenate([pool[np.argsort(size[pool], kind="stable")] for pool in pools] or [order])
    batches = [order[k : k + batch_size] for k in range(0, len(order), batch_size)]
    return [batches[k] for k in rng.permutation(len(batches))]


def windows(T: int, size: int, lengths: np.ndarray | None = None) -> Iterator[tuple[slice, np.ndarray | None]]:
    """A long batch in windows of `size` steps, for truncated backpropagation through time (Williams & Peng 1990).

    The state flows from window to window; the gradient stops where a window begins, because `cut`, its gradient with
    respect to the state it was given, is not handed to the window before:

        state = None
        for steps, lengths_here in windows(T, 100, lengths):
            y, state, cache = layer.forward(x[:, steps], lengths_here, state, training=True)
            dx, grads, cut = layer.backward(dy_of(y), cache)
            optimiser.step(layer.params, grads)

    Handed on as that window's dstate instead, with the weights unchanged, the windows give BPTT whole. For layers of
    one direction: a reverse direction would have to begin with the last window.

    lengths (N,) or None for all T -> for each window its steps, and how many of them each row has (None without
    lengths). Raises TypeError or ValueError, naming the argument.
    """
    T, size = require_size("T", T, least=0), require_size("size", size)
    if lengths is not None:
        lengths = check_lengths(lengths, np.size(lengths), T)
    for start in range(0, T, size):
        steps = slice(start, min(start + size, T))
        yield steps, None if lengths is None else np.clip(lengths - start, 0, steps.stop - start)
