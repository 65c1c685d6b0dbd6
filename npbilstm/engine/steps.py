"""What happened at each step of a pass, unpacked from its cache: for who looks inside, not for speed.

The numbers are those that the passes computed, in input time order: entry t is the step that read x[:, t], whichever
direction read it. Padding is 0. recurrence.py has the notation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from npbilstm.engine.passes import RecurrentCache, recurrent_backward
from npbilstm.engine.tiles import Array
from npbilstm.engine.time_order import input_index, padding


def forward_steps_of(cache: RecurrentCache, y: Array) -> dict[str, Array]:
    """All that the cell kept, and its state before and after each step: name -> (S, N, T, H); h, h_prev (S, N, T, R).
    h_prev is as it was before a mask.

    y (N, T, S, R) is what the forward pass returned. The cache must have been made without store_every.
    """
    h = in_processing_order(cache, y)
    found = {"h": h, "h_prev": np.concatenate([cache.stored[0], h])[:-1]}
    for k, name in enumerate(cache.cell.kept):
        found[name] = kept(cache, k)[:-1]
        if name == "c_prev":
            found["c"] = kept(cache, k)[1:]
    return {name: in_input_order(cache, array) for name, array in found.items()}


def backward_steps_of(dy: Array, dstate_T: Sequence[Array], cache: RecurrentCache, y: Array) -> list[Array]:
    """What the rest of the sequence says of the state after each step: its gradient but for dy's share at that step.

        dh_next[t], dc_next[t] = the gradient of the state before the next step that the direction reads,
                                 or that of the final state where t is the last

    Arguments as recurrent_backward's and forward_steps_of's -> for each part of the state (S, N, T, .).
    """
    T = len(cache.x)
    before = [np.concatenate([cache.stored[0], in_processing_order(cache, y)])[:-1]]
    if len(cache.stored) == 2:
        before.append(kept(cache, cache.cell.kept.index("c_prev"))[:-1])
    after = [np.zeros_like(part, np.result_type(part, dy)) for part in before]

    def watch(own: slice, step: int, dstate: list[Array]) -> None:
        if step > 0:
            for part, d in zip(after, dstate):
                part[step - 1, own] = d

    # as if every state had been stored, so that watch is told of every step; nothing is computed again, A is there
    recurrent_backward(dy, dstate_T, cache._replace(stored=before, store_every=1), watch)
    last = (np.full(dy.shape[0], T) if cache.lengths is None else cache.lengths) - 1
    rows = np.flatnonzero(last >= 0)
    for part, d_T in zip(after, dstate_T):
        part[last[rows], :, rows] = d_T[:, rows].swapaxes(0, 1)
    return [in_input_order(cache, part) for part in after]


def kept(cache: RecurrentCache, k: int) -> Array:
    """One of the arrays that the cell keeps (T+1, S, N, H), in processing order."""
    return np.concatenate([A[:, k] for A in cache.A], axis=1)


def in_processing_order(cache: RecurrentCache, y: Array) -> Array:
    """(N, T, S, .) in input order -> (T, S, N, .) as each direction read it."""
    T = y.shape[1]
    by_step = y.swapaxes(0, 1)
    read = [input_index(direction, 0, T, T, cache.lengths) for direction in cache.directions]
    return np.stack([by_step[:, :, s][at] for s, at in enumerate(read)], axis=1)


def in_input_order(cache: RecurrentCache, array: Array) -> Array:
    """(T, S, N, .) as each direction read it -> (S, N, T, .) in input order, 0 in the padding."""
    T, S, N, size = array.shape
    found = np.empty((S, T, N, size), array.dtype)
    padded = padding(0, T, cache.lengths)
    for s, direction in enumerate(cache.directions):
        found[s][input_index(direction, 0, T, T, cache.lengths)] = array[:, s]
        if padded is not None:
            found[s][padded] = 0
    return found.swapaxes(1, 2)
