"""The GRU made fast, its reset gate after the product or before it.

The same functions as textbook/gru.py; tests hold them equal. recurrence.py has the notation and the layout. tanh and
sigmoid may be other activations, as textbook/other_activations.py has them.

    [r z] = sigmoid(a[r z])           with   a = [h_{t-1}  1  x_t] W   and   n_x = [1  x_t] W_nx
    after:  n = tanh(n_x + r n_h)     n_h = a[n_h]: W is 0 there in its rows of x, and b_hn in its row of 1
    before: n = tanh(n_x + n_h)       n_h = (r h_{t-1}) W_nh
    h_t = (1 - z) n + z h_{t-1}

n_x needs no recurrence and is computed for a block of steps at once. The zeros in W are multiplied at every step: one
product is quicker than two smaller ones, but for the largest layers, where two would save a tenth.

A (T+1, 5, P, N, H) holds, at each step, n_h, r, z, n and the state before the step; before its product, the reset gate
needs no n_h of later, and r h_{t-1} stands in its place. In backward, all of

    da = F dh      F_n = (1 - z)(1 - n^2)    F_nh = F_n r    F_r = F_nh n_h (1 - r)    F_z = (h_{t-1} - n) z (1 - z)

is one multiplication a step, the gradients in the order n_h, r, z, n: the first three flow to h, the last three to x.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy import add, matmul, multiply, subtract

from npbilstm.engine.activations import Activation, activation_named
from npbilstm.engine.blocks import BackwardRoom, ForwardRoom, Scan, Upstream, WeightGradient
from npbilstm.engine.buffers import borrow
from npbilstm.engine.recurrence import Cell, Weights
from npbilstm.engine.tiles import Array, in_tiles, tile_rows, tiled_weights, tiles_of, transposed


class Kind(NamedTuple):
    """Where the reset gate stands, and the activations: what stands for tanh, and what for sigmoid; usual where
    they are these two themselves."""

    after: bool
    activation: Activation
    recurrent_activation: Activation
    usual: bool

    @property
    def scales(self) -> tuple[float, float]:
        """What the weights of r and z are multiplied by."""
        return self.recurrent_activation.scale, self.recurrent_activation.scale


def weights_after(kind: Kind, params: Sequence[Weights]) -> tuple[Array, ...]:
    """W (S, 3, H/w, 1, K, w) of n_h, r, z, its rows those of Z; W_nx (S, 1, H/w, 1, 1 + D, w)."""
    H = params[0]["b_hn"].shape[-1]
    rows = []
    for p in params:
        Wh, b, Wx = (with_n_first(p[name], H) for name in ("Wh", "b", "Wx"))
        b[:H], Wx[:, :H] = p["b_hn"], 0
        rows.append((Wh, b, Wx))
    return tiled_weights(rows, H, (0, 1, 2), (1, *kind.scales)), weights_nx(params, H)


def with_n_first(part: Array, H: int) -> Array:
    """Blocks r, z, n -> n, r, z."""
    return np.concatenate([part[..., 2 * H :], part[..., : 2 * H]], axis=-1)


def weights_nx(params: Sequence[Weights], H: int) -> Array:
    """The rows 1 and x of n's product."""
    return tiled_weights([(p["b"][2 * H :], p["Wx"][:, 2 * H :]) for p in params], H, (0,), (1,))


def weights_before(kind: Kind, params: Sequence[Weights]) -> tuple[Array, ...]:
    """W (S, 2, H/w, 1, K, w) of r, z, its rows those of Z; W_nx as above; W_nh (S, 1, H/w, 1, H, w)."""
    H = params[0]["Wx"].shape[-1] // 3
    W = tiled_weights([(p["Wh"], p["b"], p["Wx"]) for p in params], H, (0, 1), kind.scales)
    return W, weights_nx(params, H), tiled_weights([(p["Wh"][:, 2 * H :],) for p in params], H, (0,), (1,))


def transposed_after(kind: Kind, W: tuple[Array, ...]) -> tuple[Array, ...]:
    """In tiles: Wh^T with the rows n_h, r, z, and Wx^T with the rows r, z, n."""
    WT, WnxT = transposed(W[0], (1, *kind.scales)), transposed(W[1], (1,))  # (S, 3H, K), (S, H, 1 + D)
    H = WnxT.shape[1]
    return in_tiles(WT[..., :H]), in_tiles(np.concatenate([WT[:, H:, H + 1 :], WnxT[..., 1:]], axis=1))


def transposed_before(kind: Kind, W: tuple[Array, ...]) -> tuple[Array, ...]:
    """In tiles: Wh^T with the rows r, z, Wx^T with the rows r, z, n, and Wh_n^T."""
    WT, WnxT, WnhT = transposed(W[0], kind.scales), transposed(W[1], (1,)), transposed(W[2], (1,))
    H = WnxT.shape[1]
    WxT = np.concatenate([WT[..., H + 1 :], WnxT[..., 1:]], axis=1)
    return in_tiles(WT[..., :H]), in_tiles(WxT), in_tiles(WnhT)


def forward_steps(
    kind: Kind, scan: Scan, steps: range, state: list[Array], A: Array, final: list[Array], y: Array | None = None
) -> list[Array]:
    """See Cell. A (len(steps) + 1, 5, P, N, H)."""
    (h,), (W, W_nx, *W_nh), mask, after = state, scan.W, scan.mask, kind.after
    activate, open_gates = kind.activation.function, kind.recurrent_activation.of_scaled
    bounded = kind.activation.bounded and kind.recurrent_activation.bounded
    P, N, H = h.shape
    room = ForwardRoom(scan, steps, h)
    Z_rows, W_step = room.recurrent_products(W)
    nx_shares, kept_of_h = borrow(h.dtype, (room.block, 1, P, N, H), (P, N, H))
    w = W.shape[-1]
    r_nh = tile_rows(N, H, w)
    A[0, 4] = h
    for block in room.blocks(y):
        count, k = block.n, block.start - steps.start
        now = A[k : k + count]
        gates_now = now[:, :3] if after else now[:, 1:3]
        nowhere = repeat(None)
        for z_row, a, gates, rz, n_h, rh, n_tiles, r, z, n, n_x, h_prev, masked_prev, h, masked, share, padded in zip(
            Z_rows,
            tiles_of(gates_now.swapaxes(1, 2), Z_rows.shape[-2], w),
            gates_now,
            now[:, 1:3],
            now[:, 0],
            nowhere if after else now[:, 0].reshape(count, P, 1, 1, N // r_nh, r_nh, H),
            nowhere if after else tiles_of(now[:, 3:4].swapaxes(1, 2), r_nh, w),
            now[:, 1],
            now[:, 2],
            now[:, 3],
            room.input_shares(W_nx, nx_shares, count)[:, 0],
            room.h,
            nowhere if after else room.Z_h,
            room.h[1:],
            room.masked,
            room.rest_of_products(count),
            block.rows_to_clear(bounded),
        ):
            matmul(z_row, W_step, a)  # a = [h 1 x] W
            if share is not None:
                add(gates, share, gates)
            open_gates(rz, rz)
            if after:
                multiply(r, n_h, n)
            else:
                multiply(r, masked_prev, n_h)  # r h_{t-1}, see A
                matmul(rh, W_nh[0], n_tiles)
            add(n, n_x, n)
            activate(n, n)
            subtract(h_prev, n, kept_of_h)
            multiply(z, kept_of_h, kept_of_h)
            add(n, kept_of_h, h)  # h_t = n + z (h_{t-1} - n)
            if padded is not None:
                h[:, padded] = 0
            if mask is not None:
                multiply(h, mask, masked)
        if A.strides[0]:  # the steps are kept
            A[k + 1 : k + count + 1, 4] = room.h[1 : count + 1]
    return [room.h[0]]


def backward_steps(
    kind: Kind,
    scan: Scan,
    steps: range,
    state: list[Array],
    A: Array,
    upstream: Upstream,
    dstate: list[Array],
    dx: Array,
    grads: list[Array],
) -> None:
    """See Cell. grads: dWx (P, D + 1, 3H) of r, z, n, its last row that of 1. With the reset gate after the product
    then dWh (P, H + 1, 3H) of n_h, r, z, likewise; before it, dWh (P, H, 2H) of r, z and dWh_n (P, H, H)."""
    (dh,), (WhT, WxT, *WnhT), (dh_T,), (dWx, dWh, *dWh_n) = dstate, upstream.WT, upstream.d_T, grads
    ends, mask, after = scan.ends, scan.mask, kind.after
    fill_derivatives = local_derivatives if kind.usual else derivatives_of_any
    P, N, H = dh.shape
    to_x, to_n, to_h = slice(H, 4 * H), slice(3 * H, 4 * H), slice(0 if after else H, 3 * H)
    room = BackwardRoom(scan, steps, upstream, dh.dtype, H, 4 * H)
    of_x = WeightGradient(room, A.dtype, scan.x.shape[-1], to_x, 3 * H)
    of_h = WeightGradient(room, A.dtype, H, to_h, WhT.shape[-2])
    of_rh = None if after else WeightGradient(room, A.dtype, H, to_n, H)
    F_block, through, drh = *borrow(A.dtype, (room.block, 4, P, N, H)), *borrow(dh.dtype, (P, N, H), (P, N, H))
    for block in room.blocks():
        count, k = block.n, block.start - steps.start
        now, F = A[k : k + count], F_block[:count]
        room.read_inputs(block, of_x.Z)
        h_before = of_h.Z[:, :count].swapaxes(0, 1)
        if mask is None:
            h_before[...] = now[:, 4]
        else:
            multiply(now[:, 4], mask, h_before)
        if of_rh is not None:
            of_rh.Z[:, :count] = now[:, 0].swapaxes(0, 1)
        fill_derivatives(kind, now, h_before, F)

        da_gates = room.da[:, :count].reshape(P, count, N, 4, H).transpose(1, 3, 0, 2, 4)  # (count, 4, P, N, H)
        da_rows = room.rows(block, to_h, WhT.shape[-1])
        through_tiles = tiles_of(through, da_rows.shape[-2], WhT.shape[-1])
        dn_rows = repeat(None) if after else room.rows(block, to_n, WnhT[0].shape[-1])[::-1]
        drh_tiles = None if after else tiles_of(drh, tile_rows(N, H, WnhT[0].shape[-1]), WnhT[0].shape[-1])
        first = 0 if after else 2  # before its product, the reset gate's own gradient has to wait for that of r h
        for t, dy_t, F_t, F_r, r, z, da, da_r, da_row, dn_row in zip(
            reversed(range(block.start, block.start + count)),
            room.dy[:count][::-1],
            F[::-1, first:],
            F[::-1, 1],
            now[::-1, 1],
            now[::-1, 2],
            da_gates[::-1, first:],
            da_gates[::-1, 1],
            da_rows[::-1],
            dn_rows,
        ):
            add(dh, dy_t, dh)
            if t in ends:
                dh[:, ends[t]] += dh_T[:, ends[t]]
            multiply(F_t, dh, da)
            multiply(z, dh, dh)
            if after:
                matmul(da_row, WhT, through_tiles)  # what reaches h_{t-1} through the products
            else:
                matmul(dn_row, WnhT[0], drh_tiles)  # the gradient of r h_{t-1}
                multiply(F_r, drh, da_r)
                matmul(da_row, WhT, through_tiles)
                multiply(r, drh, drh)
                add(through, drh, through)
            if mask is not None:
                multiply(through, mask, through)
            add(dh, through, dh)

        of_x.add_to(dWx[:, :-1], count)
        room.add_bias_gradient(block, to_x, dWx[:, -1])
        if of_rh is None:
            of_h.add_to(dWh[:, :-1], count)
            room.add_bias_gradient(block, to_h, dWh[:, -1])
        else:
            of_h.add_to(dWh, count)
            of_rh.add_to(dWh_n[0], count)
        room.add_input_gradient(block, to_x, WxT, dx)


def local_derivatives(kind: Kind, now: Array, h_before: Array, F: Array) -> None:
    """Fill F (count, 4, P, N, H), see above, from A's now (count, 5, P, N, H).

    Before its product, F_r = h_{t-1} r (1 - r), for the gradient of r h_{t-1}, with h_before as the product reads it.
    """
    n_h, r, z, n, h_prev = (now[:, k] for k in range(5))
    F_nh, F_r, F_z, F_n = (F[:, k] for k in range(4))
    subtract(1, z, F_z)
    multiply(n, n, F_n)
    subtract(1, F_n, F_n)
    multiply(F_n, F_z, F_n)  # (1 - z)(1 - n^2)
    multiply(F_z, z, F_z)
    subtract(h_prev, n, F_nh)
    multiply(F_z, F_nh, F_z)  # (h_{t-1} - n) z (1 - z)
    subtract(1, r, F_r)
    if kind.after:
        multiply(F_n, r, F_nh)
        multiply(F_r, n_h, F_r)
        multiply(F_r, F_nh, F_r)
    else:
        multiply(F_r, r, F_r)
        multiply(F_r, h_before, F_r)


def derivatives_of_any(kind: Kind, now: Array, h_before: Array, F: Array) -> None:
    """As local_derivatives, for any activations, in a few passes more: with f' for what is n^2 and z (1 - z) above."""
    n_h, n = now[:, 0], now[:, 3]
    F_nh, F_r, F_z, F_n = (F[:, part] for part in range(4))
    kind.activation.derivative(n, F_n)
    F_n *= 1 - now[:, 2]  # by 1 - z
    kind.recurrent_activation.derivative(now[:, 1:3], F[:, 1:3])
    F_z *= now[:, 4] - n  # by h_{t-1} - n
    if kind.after:
        F_r *= F_n * n_h
        F_nh[...] = F_n * now[:, 1]  # by r
    else:
        F_r *= h_before


def shapes_after(D: int, R: int, H: int) -> list[tuple[int, ...]]:
    """See Cell and backward_steps."""
    return [(D + 1, 3 * H), (H + 1, 3 * H)]


def shapes_before(D: int, R: int, H: int) -> list[tuple[int, ...]]:
    """See Cell and backward_steps."""
    return [(D + 1, 3 * H), (H, 2 * H), (H, H)]


def named_after(grads: list[Array], R: int, H: int) -> dict[str, Array]:
    """See Cell."""
    dWx, dWh = grads
    return {"Wx": dWx[:-1], "Wh": np.roll(dWh[:-1], -H, axis=1), "b": dWx[-1], "b_hn": dWh[-1, :H]}


def named_before(grads: list[Array], R: int, H: int) -> dict[str, Array]:
    """See Cell."""
    dWx, dWh, dWh_n = grads
    return {"Wx": dWx[:-1], "Wh": np.concatenate([dWh, dWh_n], axis=1), "b": dWx[-1]}


KEPT_AFTER, KEPT_BEFORE = ("q", "r", "z", "n", "h_prev"), ("s", "r", "z", "n", "h_prev")


@cache
def gru_cell(reset_after: bool = True, activation: str = "tanh", recurrent_activation: str = "sigmoid") -> Cell:
    """The reset gate after the product, as PyTorch and Keras have it, or before it, as it was first published."""
    usual = (activation, recurrent_activation) == ("tanh", "sigmoid")
    kind = Kind(reset_after, activation_named(activation), activation_named(recurrent_activation), usual)
    steps = partial(forward_steps, kind), partial(backward_steps, kind)
    if reset_after:
        laid_out = partial(weights_after, kind), partial(transposed_after, kind)
        return Cell(3, KEPT_AFTER, *laid_out, *steps, shapes_after, named_after)
    laid_out = partial(weights_before, kind), partial(transposed_before, kind)
    return Cell(3, KEPT_BEFORE, *laid_out, *steps, shapes_before, named_before)
