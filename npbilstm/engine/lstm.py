"""The LSTM made fast: one small product a step and direction, everything else in few passes over memory in cache.

The same function as textbook/lstm.py and textbook/bidirectional.py; tests hold the two equal. Letters as there: N rows,
T steps, D inputs, H units; and S directions, 1 or 2, of which P go step by step together (plan.py says which).
K = H + D + 1.

    [o i f] = sigmoid(a[o i f])       g = tanh(a[g])       with   a = [h_{t-1}  x_t  1] W
    c_t = i g + f c_{t-1}             h_t = o tanh(c_t)

The layout, and its reasons:

- A (T+1, 5, P, N, H) holds, at each step, the gates o, i, f, g and the cell state before the step. Each is
  contiguous, as NumPy is quickest on those; o, i, f lie side by side for the sigmoids, and [i f] beside [g c], so
  that one multiplication makes both terms of c_t.
- One tanh for all gates: sigmoid(a) = 1/2 + 1/2 tanh(a/2), the inner halves folded into the weights once.
- Z (steps, P, N, K) holds [h, x, 1] side by side: state, input and bias share one product. The new h is written
  straight into the next step's Z. W stands in tiles, see tiles.py.
- Steps are worked on in blocks. A block's arrays are made once, used again and stay in the cache. What needs no
  recurrence is done for a whole block at once: transposing from and to the public (N, T, ...); in backward, the local
  derivatives before the block's loop, the gradients of weights and inputs after it.
- No masks on the states. Padding is read as zeros and its steps are computed like all others; since each direction
  processes a row's valid steps first (order.py), they cannot touch a valid step. Final states are picked up where each
  row ends. Backward, the upstream gradient is zero in the padding and that of the final state enters at each row's
  last valid step, so what flows through padded steps is exactly zero.
- The cache holds five floats a unit and step: A. tanh(c_t) and h_t = o tanh(c_t) are computed again, which costs less
  than writing and reading them.

In the loops over steps every call counts, so they name the result's place by position: multiply(x, y, out).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from numpy import add, matmul, multiply, subtract, tanh

from npbilstm.engine.buffers import borrow
from npbilstm.engine.order import padding, places, rows_by_last_step
from npbilstm.engine.plan import FEW_ROWS, backward_block, forward_block, groups_of_directions, run_each
from npbilstm.engine.tiles import (
    Array,
    Weights,
    row_tiles,
    tile_rows,
    tile_width,
    tiled_weights,
    tiles_of,
    transposed_tiles,
)

APART = 16  # floats between rows of 4H: rows apart by a power of two would evict each other from the cache


class LSTMCache(NamedTuple):
    """What the backward pass needs, all of it copies: what is changed between the passes cannot mix in.

    x (T, N, D), lengths (N,) or None, W (S, 4, H/w, 1, K, w) with its sigmoid gates halved.
    A: for each group of directions (T+1, 5, P, N, H), see above; empty where the states were stored at intervals.
    h, c (intervals, S, N, H): the states before each interval of `store_every` steps.
    """

    x: Array
    lengths: Array | None
    W: Array
    A: list[Array]
    h: Array
    c: Array
    store_every: int


class Scan(NamedTuple):
    """A group of P directions that go step by step together, what they read, and which rows end at which step."""

    directions: range
    x: Array  # (T, N, D)
    padding_is_zero: bool  # in x
    lengths: Array | None
    ends: Mapping[int, list[int]]
    W: Array


def lstm_forward(
    x: Array,
    h0: Array,
    c0: Array,
    params: Sequence[Weights],
    lengths: Array | None = None,
    keep: bool = True,
    store_every: int | None = None,
) -> tuple[Array, Array, Array, LSTMCache | None]:
    """One layer of S = len(params) directions: the first reads forward, the second in reverse.

    x (N, T, D), h0 and c0 (S, N, H), lengths (N,) or None for all T -> y (N, T, S, H) in input time order,
    h_T and c_T (S, N, H), cache. All in one dtype. Arguments are not checked here: the layers do that.

    keep=False keeps nothing for the backward pass: memory beyond y does not grow with T, and the cache is None.
    store_every=k keeps the states of every k-th step only, and backward computes the steps between once more: 2 T/k +
    5 k floats a unit in place of 5 T, least at k = sqrt(2 T / 5) (Gruslys et al. 2016, "Memory-efficient
    backpropagation through time").
    """
    N, T, D = x.shape
    S, _, H = h0.shape
    x = x.swapaxes(0, 1)
    if keep:
        (x_kept,) = borrow(x.dtype, x.shape)
        x_kept[...] = x
        x = x_kept
        lengths = None if lengths is None else lengths.copy()
        padded = padding(0, T, lengths)
        if padded is not None:
            x[padded] = 0
    W = tiled_weights(params)
    y = np.empty((N, T, S, H), x.dtype)
    h_T, c_T = h0.copy(), c0.copy()
    interval = store_every or max(T, 1)
    starts = range(0, T if N else 0, interval)
    stored = np.empty((2, len(starts) if keep else 0, S, N, H), x.dtype)
    keep_steps = keep and store_every is None
    ends = rows_by_last_step(lengths)

    def run(own: slice) -> Array:
        scan = Scan(range(S)[own], x, keep, lengths, ends, W[own])
        h, c = h0[own], c0[own]
        A = step_arrays(T, h.shape, x.dtype, keep_steps)
        for k, start in enumerate(starts):
            if keep:
                stored[:, k, own] = h, c
            steps = range(start, min(start + interval, T))
            h, c = forward_steps(scan, steps, h, c, A, c_T[own], y.swapaxes(0, 1)[:, :, own])
        if lengths is None:
            h_T[own], c_T[own] = h, c
        return A

    groups, at_once = groups_of_directions(N, D, H, S)
    A = run_each(run, groups, at_once)
    if lengths is not None:
        rows = np.flatnonzero(lengths)
        for s in range(S):  # in y, a direction's last step is a row's last valid one, or its first
            h_T[s, rows] = y[rows, 0 * rows if s else lengths[rows] - 1, s]
    cache = LSTMCache(x, lengths, W, A if keep_steps else [], stored[0], stored[1], interval) if keep else None
    return y, h_T, c_T, cache


def forward_steps(
    scan: Scan, steps: range, h: Array, c: Array, A: Array, c_T: Array, y: Array | None = None
) -> tuple[Array, Array]:
    """A group's directions through `steps`, from the states h, c (P, N, H) before them to those after them.

    Fills A (len(steps) + 1, 5, P, N, H), c_T (P, N, H) for rows that end here and, if given, these steps of
    y (T, N, P, H).
    """
    directions, x, padding_is_zero, lengths, ends, W = scan
    _, N, D = x.shape
    P, _, tiles, _, K, w = W.shape
    H = tiles * w
    block = min(forward_block(N), len(steps))
    few_rows = N <= FEW_ROWS  # then the input's share is computed a block at a time: plan.py
    depth = H if few_rows else K
    r = tile_rows(N, depth, w)
    terms, tanh_c, Z = borrow(x.dtype, (2, P, N, H), (P, N, H), (block + 1, P, N, depth))
    Z_h, Z_x = Z[..., :H], Z[:-1, ..., H:]
    input_share: Iterable[Any] = repeat(None)
    if few_rows:
        Z_x, shares = borrow(x.dtype, (block, P, N, D + 1), (block, 4, P, N, H))
        input_share = shares
    Z_x[..., -1] = 1
    Z_h[0], A[0, 4] = h, c
    Z_rows = Z.reshape(block + 1, P, 1, 1, N // r, r, depth)
    W_step = W[..., :depth, :]
    ig, fc = terms
    half = np.asarray(0.5, x.dtype)
    for start in range(steps.start, steps.stop, block):
        n = min(block, steps.stop - start)
        at = [places(s, start, n, len(x), lengths) for s in directions]
        padded = padding(start, n, lengths)
        for p in range(P):
            Z_x[:n, p, :, :D] = x[at[p]]
        if padded is not None and not padding_is_zero:
            Z_x[:n, ..., :D].swapaxes(1, 2)[padded] = 0
        if few_rows:  # the rows of these products are the steps of one row of the batch
            by_row = shares[:n].reshape(n, 4, P, N, tiles, w).transpose(2, 1, 4, 3, 0, 5)  # (P, 4, H/w, N, n, w)
            matmul(Z_x[:n].transpose(1, 2, 0, 3)[:, None, None], W[..., H:, :], by_row)
        k = start - steps.start
        now, c_after = A[k : k + n], A[k + 1 : k + n + 1, 4]
        for t, z, a, gates, oif, i_f, g_c, o, c, h, share in zip(
            range(start, start + n),
            Z_rows,
            tiles_of(now[:, :4].swapaxes(1, 2), r, w),
            now[:, :4],
            now[:, :3],
            now[:, 1:3],
            now[:, 3:],
            now[:, 0],
            c_after,
            Z_h[1:],
            input_share,
        ):
            matmul(z, W_step, a)  # a = [h x 1] W
            if share is not None:
                add(gates, share, gates)
            tanh(gates, gates)
            multiply(oif, half, oif)
            add(oif, half, oif)  # sigmoid(a) = 1/2 + 1/2 tanh(a/2)
            multiply(i_f, g_c, terms)
            add(ig, fc, c)  # c_t = i g + f c_{t-1}
            tanh(c, tanh_c)
            multiply(o, tanh_c, h)  # h_t = o tanh(c_t)
            if t in ends:
                c_T[:, ends[t]] = c[:, ends[t]]
        if y is not None:
            for p in range(P):
                y[:, :, p][at[p]] = Z_h[1 : n + 1, p]
            if padded is not None:
                y[start : start + n][padded] = 0
        Z_h[0] = Z_h[n]
    return Z_h[0], A[len(steps), 4]


def lstm_backward(dy: Array, dh_T: Array, dc_T: Array, cache: LSTMCache) -> tuple[Array, Array, Array, list[Weights]]:
    """Gradients of one layer, given dy (N, T, S, H) and dh_T, dc_T (S, N, H).

    -> dx (N, T, D), dh0 and dc0 (S, N, H), a list of gradients like params.
    """
    x, lengths, W, A_kept, h, c, interval = cache
    T, N, D = x.shape
    S, _, tiles, _, K, w = W.shape
    H = tiles * w
    dtype = np.result_type(dy, dh_T, dc_T, x)
    ends = rows_by_last_step(lengths) if dh_T.any() or dc_T.any() else {}
    if lengths is None:
        dh, dc = dh_T.astype(dtype), dc_T.astype(dtype)
    else:
        dh, dc = np.zeros((2, S, N, H), dtype)
    WhT, WxT = transposed_tiles(W)
    groups, at_once = groups_of_directions(N, D, H, S)
    dx = [array for _ in range(S if at_once else 1) for array in borrow(dtype, (N, T, D))]  # threads must not share it
    (dW,) = borrow(dtype, (S, K, 4 * H))
    for array in [*dx, dW]:
        array[...] = 0

    def run(job: tuple[slice, Array | None]) -> None:
        own, A = job
        scan = Scan(range(S)[own], x, True, lengths, ends, W[own])
        WT, d_T, dy_own = (WhT[own], WxT[own]), (dh_T[own], dc_T[own]), dy.swapaxes(0, 1)[:, :, own]
        steps_kept = A is not None
        if A is None:
            A = step_arrays(min(interval, T), dh[own].shape, x.dtype, keep=True)
        for k in reversed(range(len(h))):
            steps = range(k * interval, min((k + 1) * interval, T))
            if not steps_kept:
                forward_steps(scan, steps, h[k, own], c[k, own], A, c_T=np.empty_like(c[k, own]))
            backward_steps(
                scan, steps, h[k, own], A, WT, dy_own, d_T, dh[own], dc[own], dx[own.start if at_once else 0], dW[own]
            )

    run_each(run, list(zip(groups, A_kept or repeat(None))), at_once)
    if -1 in ends:  # rows of length 0: their final state is their initial state
        dh[:, ends[-1]] += dh_T[:, ends[-1]]
        dc[:, ends[-1]] += dc_T[:, ends[-1]]
    for others in dx[1:]:
        add(dx[0], others, dx[0])
    (dW_public,) = borrow(dtype, (S, K, 4 * H))
    dW_public[..., : 3 * H], dW_public[..., 3 * H :] = dW[..., H:], dW[..., :H]  # o, i, f, g -> i, f, g, o
    return dx[0], dh, dc, [(dw[H:-1], dw[:H], dw[-1]) for dw in dW_public]


def backward_steps(
    scan: Scan,
    steps: range,
    h: Array,
    A: Array,
    WT: tuple[Array, Array],
    dy: Array,
    d_T: tuple[Array, Array],
    dh: Array,
    dc: Array,
    dx: Array,
    dW: Array,
) -> None:
    """A group's directions back through `steps`; h (P, N, H) is the state before them.

    Turns dh and dc (P, N, H), gradients of the states after the steps, into those of the states before them; adds the
    steps to dx (N, T, D), and to dW (P, K, 4H), its rows in the order of Z and its columns in that of A.
    """
    directions, x, _, lengths, ends, _ = scan
    (WhT, WxT), (dh_T, dc_T) = WT, d_T
    _, N, D = x.shape
    P, _, H = dh.shape
    w_h, w_x, w = WhT.shape[-1], WxT.shape[-1], tile_width(4 * H)
    block = min(backward_block(N, H, len(x)), len(steps))
    count, r = row_tiles(H + D, block * N, w)
    Z_block, tanh_c_block, F_block = borrow(
        x.dtype, (P, block, N, count * r), (block + 1, P, N, H), (block, 4, P, N, H)
    )
    dy_block, da_block, dx_block, dW_block = borrow(
        dh.dtype, (block, P, N, H), (P, block, N, 4 * H + APART), (P, block, N, D), (P, count * r, 4 * H)
    )
    Z_block[..., H + D :] = 0
    r_h = tile_rows(N, 4 * H, w_h)
    dh_tiles = tiles_of(dh, r_h, w_h)
    for start in reversed(range(steps.start, steps.stop, block)):
        n = min(block, steps.stop - start)
        k = start - steps.start
        now = A[k : k + n]
        Z, F, dy_steps, dx_steps = Z_block[:, :n], F_block[:n], dy_block[:n], dx_block[:, :n]
        da_steps = da_block[:, :n, :, : 4 * H]
        at = [places(s, start, n, len(x), lengths) for s in directions]
        padded = padding(start, n, lengths)
        for p in range(P):
            Z[p, ..., H : H + D] = x[at[p]]
            dy_steps[:, p] = dy[:, :, p][at[p]]
        if padded is not None:
            dy_steps.swapaxes(1, 2)[padded] = 0
        tanh_c = tanh(A[k : k + n + 1, 4], tanh_c_block[: n + 1])
        h_before = Z[..., :H].swapaxes(0, 1)
        h_before[0] = A[k - 1, 0] * tanh_c[0] if k else h
        multiply(now[:-1, 0], tanh_c[1:-1], h_before[1:])
        F_c = local_derivatives(now, tanh_c[1:], F)

        da_gates = da_steps.reshape(P, n, N, 4, H).transpose(1, 3, 0, 2, 4)  # (n, 4, P, N, H)
        da_rows = da_steps.reshape(P, n, 1, N // r_h, r_h, 4 * H).swapaxes(0, 1)
        for t, dy_t, F_o, F_ifg, F_c_t, f, da_o, da_ifg, da in zip(
            reversed(range(start, start + n)),
            dy_steps[::-1],
            F[::-1, 0],
            F[::-1, 1:],
            F_c[::-1],
            now[::-1, 2],
            da_gates[::-1, 0],
            da_gates[::-1, 1:],
            da_rows[::-1],
        ):
            add(dh, dy_t, dh)
            if t in ends:
                dh[:, ends[t]] += dh_T[:, ends[t]]
                dc[:, ends[t]] += dc_T[:, ends[t]]
            multiply(F_o, dh, da_o)
            multiply(F_c_t, dh, dh)
            add(dc, dh, dc)  # dc += dh o (1 - tanh(c)^2)
            multiply(F_ifg, dc, da_ifg)
            multiply(f, dc, dc)
            matmul(da, WhT, dh_tiles)  # the new dh = da Wh^T

        R = n * N
        da = da_steps.reshape(P, R, 4 * H)
        Z_columns = Z.reshape(P, R, count, r).transpose(0, 2, 3, 1)[:, None]  # (P, 1, count, r, R)
        matmul(Z_columns, tiles_of(da, R, w), tiles_of(dW_block, r, w))
        add(dW[:, :-1], dW_block[:, : H + D], dW[:, :-1])
        add(dW[:, -1], da.sum(axis=1), dW[:, -1])
        r_x = tile_rows(R, 4 * H, w_x)
        matmul(da.reshape(P, 1, R // r_x, r_x, 4 * H), WxT, tiles_of(dx_steps.reshape(P, R, D), r_x, w_x))
        for p in range(P):
            dx.swapaxes(0, 1)[at[p]] += dx_steps[p]


def local_derivatives(now: Array, tanh_c: Array, F: Array) -> Array:
    """What of the backward pass needs no recurrence: da_o = F_o dh, dc += F_c dh, then da = F dc for i, f and g.

        F_o = tanh(c) o (1 - o)    F_i = g i (1 - i)    F_f = c_{t-1} f (1 - f)    F_g = i (1 - g^2)
        F_c = o (1 - tanh(c)^2)

    now (n, 5, P, N, H) of A; fills F (n, 4, P, N, H); overwrites tanh_c (n, P, N, H) with F_c, and returns it.
    """
    oif, o, i, g, g_c = now[:, :3], now[:, 0], now[:, 1], now[:, 3], now[:, 3:]
    F_oif, F_o, F_if, F_g, F_c = F[:, :3], F[:, 0], F[:, 1:3], F[:, 3], tanh_c
    subtract(1, oif, F_oif)
    multiply(F_oif, oif, F_oif)
    multiply(F_o, tanh_c, F_o)
    multiply(F_if, g_c, F_if)
    multiply(g, g, F_g)
    subtract(1, F_g, F_g)
    multiply(F_g, i, F_g)
    multiply(tanh_c, tanh_c, F_c)
    subtract(1, F_c, F_c)
    return multiply(F_c, o, F_c)


def step_arrays(T: int, shape: tuple[int, int, int], dtype: np.dtype, keep: bool) -> Array:
    """A for T steps. Without keeping, every step is the same memory: a time axis of stride 0."""
    (A,) = borrow(dtype, (T + 1 if keep else 1, 5, *shape))
    return A if keep else np.ndarray((T + 1, *A.shape[1:]), dtype, A, strides=(0, *A.strides[1:]))
