"""The LSTM made fast: one small product a step and direction, everything else in few passes over memory in cache.

The same function as textbook/lstm.py; tests hold the two equal. recurrence.py has the notation and the layout.

    [o i f] = sigmoid(a[o i f])       g = tanh(a[g])       with   a = [h_{t-1}  1  x_t] W
    c_t = i g + f c_{t-1}             h_t = o tanh(c_t)

A (T+1, 5, P, N, H) holds, at each step, the gates o, i, f, g and the cell state before the step. Each is contiguous, as
NumPy is quickest on those; o, i, f lie side by side for the sigmoids, and [i f] beside [g c], so that one
multiplication makes both terms of c_t. tanh(c_t) and h_t = o tanh(c_t) are not kept but computed again, which costs
less than writing and reading them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy import add, matmul, multiply, subtract, tanh

from npbilstm.engine.blocks import BackwardRoom, ForwardRoom, Scan, Upstream, WeightGradient
from npbilstm.engine.buffers import borrow
from npbilstm.engine.recurrence import Cell, Weights
from npbilstm.engine.tiles import Array, in_tiles, tiled_weights, tiles_of, transposed

ORDER, SCALES = (3, 0, 1, 2), (0.5, 0.5, 0.5, 1)
"""A's gates o, i, f, g in the public order i, f, g, o; the sigmoids' weights halved for the single tanh."""


def weights(params: Sequence[Weights]) -> tuple[Array, ...]:
    """W (S, 4, H/w, 1, K, w), its rows those of Z."""
    H = params[0]["Wx"].shape[-1] // 4
    return (tiled_weights([(p["Wh"], p["b"], p["Wx"]) for p in params], H, ORDER, SCALES),)


def transposed_weights(W: tuple[Array, ...]) -> tuple[Array, ...]:
    """Wh and Wx transposed, in tiles: (S, H/w, 1, 4H, w) and (S, D/w, 1, 4H, w), w as fits each."""
    WT = transposed(W[0], SCALES)  # (S, 4H, K)
    H = WT.shape[1] // 4
    return in_tiles(WT[..., :H]), in_tiles(WT[..., H + 1 :])


def forward_steps(
    scan: Scan, steps: range, state: list[Array], A: Array, final: list[Array], y: Array | None = None
) -> list[Array]:
    """See Cell. A (len(steps) + 1, 5, P, N, H)."""
    (h, c), (W,), mask, ends, c_T = state, scan.W, scan.mask, scan.ends, final[1]
    P, N, H = h.shape
    room = ForwardRoom(scan, steps, h)
    Z_rows, W_step = room.recurrent_products(W)
    terms, tanh_c = borrow(h.dtype, (2, P, N, H), (P, N, H))
    ig, fc = terms
    half = np.asarray(0.5, h.dtype)
    A[0, 4] = c
    for block in room.blocks(y):
        n, k = block.n, block.start - steps.start
        now, c_after = A[k : k + n], A[k + 1 : k + n + 1, 4]
        for t, z, a, gates, oif, i_f, g_c, o, c, h, masked, share in zip(
            range(block.start, block.start + n),
            Z_rows,
            tiles_of(now[:, :4].swapaxes(1, 2), Z_rows.shape[-2], W.shape[-1]),
            now[:, :4],
            now[:, :3],
            now[:, 1:3],
            now[:, 3:],
            now[:, 0],
            c_after,
            room.h[1:],
            room.masked,
            room.rest_of_products(n),
        ):
            matmul(z, W_step, a)  # a = [h 1 x] W
            if share is not None:
                add(gates, share, gates)
            tanh(gates, gates)
            multiply(oif, half, oif)
            add(oif, half, oif)  # sigmoid(a) = 1/2 + 1/2 tanh(a/2)
            multiply(i_f, g_c, terms)
            add(ig, fc, c)  # c_t = i g + f c_{t-1}
            tanh(c, tanh_c)
            multiply(o, tanh_c, h)  # h_t = o tanh(c_t)
            if mask is not None:
                multiply(h, mask, masked)
            if t in ends:
                c_T[:, ends[t]] = c[:, ends[t]]
    return [room.h[0], A[len(steps), 4]]


def backward_steps(
    scan: Scan,
    steps: range,
    state: list[Array],
    A: Array,
    upstream: Upstream,
    dstate: list[Array],
    dx: Array,
    grads: list[Array],
) -> None:
    """See Cell. grads: dW (P, K, 4H), its rows those of h, x and 1, its columns in the order of A."""
    (h, _), (dh, dc), (WhT, WxT), (dh_T, dc_T), (dW,) = state, dstate, upstream.WT, upstream.d_T, grads
    ends, mask = scan.ends, scan.mask
    P, N, H = dh.shape
    D, all_columns = scan.x.shape[-1], slice(4 * H)
    room = BackwardRoom(scan, steps, upstream, dh.dtype, H, 4 * H)
    product = WeightGradient(room, h.dtype, H + D, all_columns, 4 * H)
    tanh_c_block, F_block = borrow(h.dtype, (room.block + 1, P, N, H), (room.block, 4, P, N, H))
    for block in room.blocks():
        n, k = block.n, block.start - steps.start
        now, F = A[k : k + n], F_block[:n]
        room.read_inputs(block, product.Z[..., H:])
        tanh_c = tanh(A[k : k + n + 1, 4], tanh_c_block[: n + 1])
        h_before = product.Z[:, :n, :, :H].swapaxes(0, 1)
        h_before[0] = A[k - 1, 0] * tanh_c[0] if k else h
        multiply(now[:-1, 0], tanh_c[1:-1], h_before[1:])
        if mask is not None:
            multiply(h_before, mask, h_before)
        F_c = local_derivatives(now, tanh_c[1:], F)

        da_gates = room.da[:, :n].reshape(P, n, N, 4, H).transpose(1, 3, 0, 2, 4)  # (n, 4, P, N, H)
        da_rows = room.rows(block, all_columns, WhT.shape[-1])
        dh_tiles = tiles_of(dh, da_rows.shape[-2], WhT.shape[-1])
        for t, dy_t, F_o, F_ifg, F_c_t, f, da_o, da_ifg, da in zip(
            reversed(range(block.start, block.start + n)),
            room.dy[:n][::-1],
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
            if mask is not None:
                multiply(dh, mask, dh)

        product.add_to(dW[:, :-1], n)
        room.add_bias_gradient(block, all_columns, dW[:, -1])
        room.add_input_gradient(block, all_columns, WxT, dx)


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


def gradient_shapes(D: int, R: int, H: int) -> list[tuple[int, ...]]:
    """See Cell."""
    return [(R + D + 1, 4 * H)]


def named(grads: list[Array], R: int, H: int) -> dict[str, Array]:
    """See Cell."""
    (dW,) = grads
    (public,) = borrow(dW.dtype, dW.shape)
    public[:, : 3 * H], public[:, 3 * H :] = dW[:, H:], dW[:, :H]  # o, i, f, g -> i, f, g, o
    return {"Wx": public[R:-1], "Wh": public[:R], "b": public[-1]}


KEPT = ("o", "i", "f", "g", "c_prev")
LSTM = Cell(4, KEPT, weights, transposed_weights, forward_steps, backward_steps, gradient_shapes, named)
