"""A layer of recurrent cells through time, forward and back: all of it that is the same for every cell.

lstm.py, lstm_variants.py, gru.py and rnn.py hold what is a cell's own. Letters as in textbook/: N rows, T steps,
D inputs, H units; R numbers in h, the H units but for an LSTM with a projection; and S directions, forward, reverse or
both, of which P go step by step together (plan.py says which).

The layout, and its reasons:

- Z (steps, P, N, K) holds [h, 1, x] side by side, so that state, bias and input share one product; K = R + 1 + D. The
  new h is written straight into the next step's Z. Weights stand in tiles, see tiles.py.
- One tanh for all gates: sigmoid(a) = 1/2 + 1/2 tanh(a/2), the inner halves folded into the weights once.
- A (T+1, kept, P, N, H) is what forward keeps for backward: at each step the gates, and last the state before the step.
- Steps are worked on in blocks (blocks.py). What needs no recurrence is done for a whole block at once: transposing
  from and to the public (N, T, ...); in backward, the local derivatives before the block's loop, the gradients of
  weights and inputs after it.
- No masks on the states. Padding is read as zeros and its steps are computed like all others; since each direction
  processes a row's valid steps first (order.py), they cannot touch a valid step. Final states are picked up where each
  row ends. Backward, the upstream gradient is zero in the padding and that of the final state enters at each row's
  last valid step, so what flows through padded steps is exactly zero.
- A mask of variational dropout (Gal & Ghahramani 2016) is on h where it enters a product: Z holds the masked h.

In the loops over steps every call counts, so they name the result's place by position: multiply(x, y, out).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy import add

from npbilstm.engine.blocks import Scan, Upstream
from npbilstm.engine.buffers import borrow
from npbilstm.engine.order import padding, rows_by_last_step
from npbilstm.engine.plan import groups_of_directions, run_each
from npbilstm.engine.tiles import Array

Weights = Mapping[str, Array]
"""The weights of one direction by name: "Wx", "Wh", "b" and what else the cell has."""


Watch = Callable[[slice, int, list[Array]], None]
"""See recurrent_backward."""


class Cell(NamedTuple):
    """What tells one recurrent cell from another. W and grads are tuples and lists of arrays, directions first.

    gates: how many blocks of H columns its products have. kept: the arrays of H it keeps a step, see A above, as
        the textbook names them.
    weights(params): the weights as forward_steps reads them; transposed(W): as backward_steps does.
    forward_steps(scan, steps, state, A, final, y): a group's directions through `steps`, from the state before them
        -> the state after them. Fills A; y (T, N, P, R) if given; and where rows end final, the parts of it but h.
    backward_steps(scan, steps, state, A, upstream, dstate, dx, grads): back again. state is that before `steps`.
        Turns dstate, the gradient of the state after the steps, into that of the state before them; adds to dx, grads.
    gradient_shapes(D, R, H): of grads, for one direction; named(grads, R, H): as params is, for one direction.
    """

    gates: int
    kept: tuple[str, ...]
    weights: Callable[[Sequence[Weights]], tuple[Array, ...]]
    transposed: Callable[[tuple[Array, ...]], tuple[Array, ...]]
    forward_steps: Callable[..., list[Array]]
    backward_steps: Callable[..., None]
    gradient_shapes: Callable[[int, int, int], list[tuple[int, ...]]]
    named: Callable[[list[Array], int, int], dict[str, Array]]


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
    reverse (order.py).

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
    whole = Scan(directions, x, keep, lengths, rows_by_last_step(lengths), W, mask)

    def run(own: slice) -> Array:
        scan = whole.group(own)
        now = [part[own] for part in state]
        A = step_arrays(T, (len(cell.kept), len(scan.directions), N, H), x.dtype, keep_steps)
        for k, start in enumerate(starts):
            if keep:
                for place, part in zip(stored, now):
                    place[k, own] = part
            steps = range(start, min(start + interval, T))
            now = cell.forward_steps(scan, steps, now, A, [part[own] for part in final], y.swapaxes(0, 1)[:, :, own])
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
    WT = cell.transposed(W)
    groups, at_once = groups_of_directions(N, D, H, S, cell.gates)
    dx = [array for _ in range(S if at_once else 1) for array in borrow(dtype, (N, T, D))]  # threads must not share it
    grads = borrow(dtype, *((S, *shape) for shape in cell.gradient_shapes(D, R, H)))
    for array in [*dx, *grads]:
        array[...] = 0

    whole = Scan(directions, x, True, lengths, ends, W, mask)

    def run(job: tuple[slice, Array | None]) -> None:
        own, A = job
        scan = whole.group(own)
        upstream = Upstream(dy.swapaxes(0, 1)[:, :, own], [d[own] for d in dstate_T], tuple(w[own] for w in WT))
        steps_kept = A is not None
        if A is None:
            A = step_arrays(min(interval, T), (len(cell.kept), len(scan.directions), N, H), x.dtype, keep=True)
        for k in reversed(range(len(stored[0]))):
            steps = range(k * interval, min((k + 1) * interval, T))
            before = [part[k, own] for part in stored]
            if not steps_kept:
                cell.forward_steps(scan, steps, before, A, [np.empty_like(part) for part in before])
            cell.backward_steps(
                *(scan, steps, before, A[steps.start :] if steps_kept else A, upstream),
                [d[own] for d in dstate],
                dx[own.start if at_once else 0],
                [array[own] for array in grads],
            )
            if watch is not None:
                watch(own, steps.start, [d[own] for d in dstate])

    run_each(run, list(zip(groups, A_kept or repeat(None))), at_once)
    if -1 in ends:  # rows of length 0: their final state is their initial state
        for d, d_T in zip(dstate, dstate_T):
            d[:, ends[-1]] += d_T[:, ends[-1]]
    for others in dx[1:]:
        add(dx[0], others, dx[0])
    return dx[0], dstate, [cell.named([array[s] for array in grads], R, H) for s in range(S)]


def step_arrays(T: int, shape: tuple[int, ...], dtype: np.dtype, keep: bool) -> Array:
    """A for T steps. Without keeping, every step is the same memory: a time axis of stride 0."""
    (A,) = borrow(dtype, (T + 1 if keep else 1, *shape))
    return A if keep else np.ndarray((T + 1, *A.shape[1:]), dtype, A, strides=(0, *A.strides[1:]))
