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
from npbilstm.engine.cell import Cell, Weights
from npbilstm.engine.group import Group, Interval, Upstream
from npbilstm.engine.helper import run_each, second_thread
from npbilstm.engine.recurrence import backward_steps, forward_steps
from npbilstm.engine.schedule import groups_of_directions, helper_pays
from npbilstm.engine.tiles import Array
from npbilstm.engine.time_order import padding, rows_by_last_step

Watch = Callable[[slice, int, list[Array]], None]
"""See recurrent_backward."""


class RecurrentCache(NamedTuple):
    """What the backward pass needs, all of it copies: what is changed between the passes cannot mix in.

    A: for each group of directions (T+1, kept, P, N, H); empty where the states were stored at intervals.
    stored: the states before each `interval` of steps, parts (intervals, S, N, ...); with A that is the initial one.
    """

    cell: Cell
    layer: Group
    A: list[Array]
    stored: list[Array]
    interval: int


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
    scaled, or None -> y (N, T, S, R) in input time order, the final state, cache. All in one dtype.

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
    length = store_every or max(T, 1)
    starts = range(0, T if N else 0, length)
    stored = [np.empty((len(starts) if keep else 0, *part.shape), x.dtype) for part in state]
    keep_steps = keep and store_every is None
    ends = rows_by_last_step(lengths, T)
    layer = Group(directions[:S], x, padding_is_zero=keep, lengths=lengths, ends=ends, W=W, mask=mask)

    def run(own: slice) -> Array:
        group = layer.part(own)
        own_final, own_y = [part[own] for part in final], y.swapaxes(0, 1)[:, :, own]
        now = [part[own] for part in state]
        (A,) = borrow(x.dtype, (T + 1 if keep_steps else 0, len(cell.kept), len(group.directions), N, H))
        for k, start in enumerate(starts):
            if keep:
                for place, part in zip(stored, now):
                    place[k, own] = part
            interval = Interval(range(start, min(start + length, T)), now, A)
            now = forward_steps(cell, group, interval, own_final, own_y)
        return A

    A = run_each(run, *groups_of_directions(N, D, H, S, W[0].shape[1]))
    if not keep:
        return y, final, None
    return y, final, RecurrentCache(cell, layer, A if keep_steps else [], stored, length)


def recurrent_backward(
    dy: Array, dstate_T: Sequence[Array], cache: RecurrentCache, watch: Watch | None = None
) -> tuple[Array, list[Array], list[dict[str, Array]]]:
    """Gradients of one layer, given dy (N, T, S, R) and those of the final state's parts.

    watch(directions, step, dstate) is told of each stored state what its gradient is, last step first.

    -> dx (N, T, D), gradients of the initial state's parts, a list of gradients like params.
    """
    cell, layer, A_kept, stored, length = cache
    T, N, D = layer.x.shape
    S, _, R = dstate_T[0].shape
    H = dstate_T[-1].shape[-1]
    dtype = np.result_type(dy, *dstate_T, layer.x)
    ends = layer.ends if any(d.any() for d in dstate_T) else {}
    layer = layer._replace(ends=ends)
    dstate = [np.zeros(d.shape, dtype) for d in dstate_T]
    WT = cell.transposed(layer.W, R)
    groups, at_once = groups_of_directions(N, D, H, S, layer.W[0].shape[1])
    helped = cell.helped and helper_pays(N, T, D, H, cell.of_x.stop * H, groups, at_once)
    dx = [array for _ in range(S if at_once else 1) for array in borrow(dtype, (T, N, D))]  # threads must not share it
    grads = borrow(dtype, *((S, *shape) for shape in cell.gradient_shapes(D, R, H)))
    for array in [*dx, *grads]:
        array[...] = 0

    def run(job: tuple[slice, Array | None]) -> None:
        own, A = job
        group = layer.part(own)
        d_T, of_state, own_WT, of_weights = ([a[own] for a in arrays] for arrays in (dstate_T, dstate, WT, grads))
        own_dx = dx[own.start if at_once else 0]
        upstream = Upstream(dy.swapaxes(0, 1)[:, :, own], d_T, of_state, own_WT, own_dx, of_weights)
        if A is None:
            (between,) = borrow(group.x.dtype, (min(length, T) + 1, len(cell.kept), len(group.directions), N, H))
        with second_thread(helped) as helper:
            for k in reversed(range(len(stored[0]))):
                steps, before = range(k * length, min((k + 1) * length, T)), [part[k, own] for part in stored]
                interval = Interval(steps, before, between if A is None else A[steps.start :])
                if A is None:
                    forward_steps(cell, group, interval)
                backward_steps(cell, group, interval, upstream, helper)
                if watch is not None:
                    watch(own, steps.start, of_state)

    run_each(run, list(zip(groups, A_kept or repeat(None))), at_once)
    if -1 in ends:  # rows without a step: their final state is their initial state
        for d, d_T in zip(dstate, dstate_T):
            d[:, ends[-1]] += d_T[:, ends[-1]]
    for others in dx[1:]:
        add(dx[0], others, dx[0])
    return dx[0].swapaxes(0, 1), dstate, [cell.named([array[s] for array in grads], R, H) for s in range(S)]
