"""Batches: sequences of like length side by side; and long ones in windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from npbilstm.layers.checks import require_size
from npbilstm.textbook.sequences import as_array, check_lengths

POOL = 16
"""Batches are sorted by length within pools of this many: little padding, and still a random order."""


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
            optimizer.step(layer.params, grads)

    Handed on as that window's dstate instead, with the weights unchanged, the windows give BPTT whole. For layers of
    one direction: a reverse direction would have to begin with the last window.

    lengths (N,) or None for all T -> for each window its steps, and how many of them each row has (None without
    lengths). Raises TypeError or ValueError, naming the argument.

    >>> for steps, lengths in nb.windows(5, 2, np.array([5, 3])):
    ...     print(steps, lengths)
    slice(0, 2, None) [2 2]
    slice(2, 4, None) [2 1]
    slice(4, 5, None) [1 0]
    """
    T, size = require_size("T", T, least=0), require_size("size", size)
    if lengths is not None:
        lengths = as_array("lengths", lengths)
        lengths = check_lengths(lengths, len(lengths) if lengths.ndim else 1, T)
    for start in range(0, T, size):
        steps = slice(start, min(start + size, T))
        yield steps, None if lengths is None else np.clip(lengths - start, 0, steps.stop - start)
