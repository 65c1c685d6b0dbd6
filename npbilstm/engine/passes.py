"""A layer's two passes: its directions, in groups or threads; the states stored at intervals; where rows end.

recurrence.py has the notation, the layout and the loop over steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy import add

from npbilstm.engine.buffers import borrow
from npbilstm.engine.recurrence import Cell, Weights, backward_steps, forward_steps
from npbilstm.engine.schedule import groups_of_directions, run_each
from npbilstm.engine.tiles import Array
from npbilstm.engine.time_order import padding, rows_by_last_step
from npbilstm.engine.workspace import Group, Upstream

Watch = Callable[[slice, int, list[Array]], None]
"""See recurrent_backward."""


class RecurrentCache(NamedTuple):
    """What the backward pass needs, all of it copies: what is changed between the passes cannot mix in.

    x (T, N, D), directions (S,), lengths (N,) or None, W as the cell has it, mask (S, N, R) or None.
    A: for each group of directions (T+1, kept, P, N, H); empty where the states were stored at intervals.
    stored: the states before each interval of `store_every` steps, each (intervals, S, N, ...).
    """

    cell: Cell
    x: Array
    directions: Sequence[int]
    lengths: Array | None
    W: tuple[Array, ...]
    mask: Array | None
    A: list[Array]
    stored: list[Array]
    store_every: int


def recurrent_forward(
    cell: Cell,
    x: Array,
    state: Sequence[Array],
    params: Sequence[Weights],
    lengths: Array | None = None,
    *,
    directions: Sequence[int] = (0, 1),
    mask: Array | None = None,
    keep: bool = True,
    store_every: int | None = None,
) -> tuple[Array, list[Array], RecurrentCache | None]:
    """One layer of S = len(params) directions, whose numbers are the first S of `directions`: 0 reads forward, 1 in
    reverse (time_order.py).

    x (N, T, D), parts of the state (S, N, ...) of which the first is h, lengths (N,) or None for all T, mask (S, N, R),
    scaled, or None -> y (N, T, S, R) in input time order, the final state, cache. All in one dtype. Arguments are not
    checked here: the layers do that.

    keep=False keeps nothing for the backward pass: memory beyond y does not grow with T, and the cache is None.
    store_every=k keeps the states of every k-th step only, and backward computes the steps between once more: 2 T/k +
    5 k floats a unit of an LSTM in place of 5 T, least at k = sqrt(2 T / 5) (Gruslys et al. 2016, "Memory-efficient
    backpropagation through time").
    """
    N, T, D = x.shape
    S, _, R = state[0].shape
    H = state[-1].shape[-1]
    x = x.swapaxes(0, 1)
    if keep:
        (x_kept,) = borrow(x.dtype, x.shape)
        x_kept[...] = x
        x = x_kept
        lengths = None if lengths is None else lengths.copy()
        mask = None if mask is None else mask.copy()
        padded = padding(0, T, lengths)
        if padded is not None:
            x[padded] = 0
    W = cell.weights(params)
    y = np.empty((N, T, S, R), x.dtype)
    final = [part.copy() for part in state]
    interval = store_every or max(T, 1)
    starts = range(0, T if N else 0, interval)
    stored = [np.empty((len(starts) if keep else 0, *part.shape), x.dtype) for part in state]
    keep_steps = keep and store_every is None
    directions = directions[:S]
    whole = Group(directions, x, keep, lengths, rows_by_last_step(lengths), W, mask)

    def run(own: slice) -> Array:
        group = whole.part(own)
        now = [part[own] for part in state]
        (A,) = borrow(x.dtype, (T + 1 if keep_steps else 0, len(cell.kept), len(group.directions), N, H))
        for k, start in enumerate(starts):
            if keep:
                for place, part in zip(stored, now):
                    place[k, own] = part
            steps = range(start, min(start + interval, T))
            own_final, own_y = [part[own] for part in final], y.swapaxes(0, 1)[:, :, own]
            now = forward_steps(cell, group, steps, now, A, own_final, own_y)
        if lengths is None:
            for place, part in zip(final, now):
                place[own] = part
        return A

    groups, at_once = groups_of_directions(N, D, H, S, cell.gates)
    A = run_each(run, groups, at_once)
    if lengths is not None:
        rows = np.flatnonzero(lengths)
        for s, direction in enumerate(directions):  # in y, its last step is a row's last valid one, or its first
            final[0][s, rows] = y[rows, 0 * rows if direction else lengths[rows] - 1, s]
    if not keep:
        return y, final, None
    return y, final, RecurrentCache(cell, x, directions, lengths, W, mask, A if keep_steps else [], stored, interval)


def recurrent_backward(
    dy: Array, dstate_T: Sequence[Array], cache: RecurrentCache, watch: Watch | None = None
) -> tuple[Array, list[Array], list[dict[str, Array]]]:
    """Gradients of one layer, given dy (N, T, S, R) and those of the final state's parts.

    watch(directions, step, dstate) is told of each stored state what its gradient is, last step first.

    -> dx (N, T, D), gradients of the initial state's parts, a list of gradients like params.
    """
    cell, x, directions, lengths, W, mask, A_kept, stored, interval = cache
    T, N, D = x.shape
    S, _, R = dstate_T[0].shape
    H = dstate_T[-1].shape[-1]
    dtype = np.result_type(dy, *dstate_T, x)
    ends = rows_by_last_step(lengths) if any(d.any() for d in dstate_T) else {}
    dstate = [d.astype(dtype) if lengths is None else np.zeros(d.shape, dtype) for d in dstate_T]
    WT = cell.transposed(W, R)
    groups, at_once = groups_of_directions(N, D, H, S, cell.gates)
    dx = [array for _ in range(S if at_once else 1) for array in borrow(dtype, (N, T, D))]  # threads must not share it
    grads = borrow(dtype, *((S, *shape) for shape in cell.gradient_shapes(D, R, H)))
    for array in [*dx, *grads]:
        array[...] = 0

    whole = Group(directions, x, True, lengths, ends, W, mask)

    def run(job: tuple[slice, Array | None]) -> None:
        own, A = job
        group = whole.part(own)
        upstream = Upstream(dy.swapaxes(0, 1)[:, :, own], [d[own] for d in dstate_T], tuple(w[own] for w in WT))
        of_state, of_weights = [d[own] for d in dstate], [array[own] for array in grads]
        steps_kept = A is not None
        if A is None:
            (A,) = borrow(x.dtype, (min(interval, T) + 1, len(cell.kept), len(group.directions), N, H))
        for k in reversed(range(len(stored[0]))):
            steps = range(k * interval, min((k + 1) * interval, T))
            before = [part[k, own] for part in stored]
            if not steps_kept:
                forward_steps(cell, group, steps, before, A, [np.empty_like(part) for part in before])
            own_A, own_dx = A[steps.start :] if steps_kept else A, dx[own.start if at_once else 0]
            backward_steps(cell, group, steps, before, own_A, upstream, of_state, own_dx, of_weights)
            if watch is not None:
                watch(own, steps.start, of_state)

    run_each(run, list(zip(groups, A_kept or repeat(None))), at_once)
    if -1 in ends:  # rows of length 0: their final state is their initial state
        for d, d_T in zip(dstate, dstate_T):
            d[:, ends[-1]] += d_T[:, ends[-1]]
    for others in dx[1:]:
        add(dx[0], others, dx[0])
    return dx[0], dstate, [cell.named([array[s] for array in grads], R, H) for s in range(S)]
