"""The GRU made fast, its reset gate after the product or before it.

The same functions as textbook/gru.py; tests hold them equal. recurrence.py has the notation, the layout and the loop.
tanh and sigmoid may be other activations, as textbook/other_activations.py has them.

    [r z] = sigmoid(a[r z])           with   a = [h_{t-1}  1  x_t] W   and   n_x = [1  x_t] W_nx
    after:  n = tanh(n_x + r n_h)     n_h = a[n_h]: W is 0 there in its rows of x, and b_hn in its row of 1
    before: n = tanh(n_x + n_h)       n_h = s W_nh    with   s = r h_{t-1}
    h_t = (1 - z) n + z h_{t-1}

n_x needs no recurrence and is computed for a block of steps at once. The zeros in W are multiplied at every step: one
product is quicker than two smaller ones, but for the largest layers, where two would save a tenth.

A (T+1, 5, P, N, H) holds, at each step, n_h, r, z, n and the state before the step; before its product, the reset gate
needs no n_h of later, and s stands in its place. In backward, all of

    da = F dh      F_n = (1 - z)(1 - n^2)    F_nh = F_n r    F_r = F_nh n_h (1 - r)    F_z = (h_{t-1} - n) z (1 - z)

is one multiplication a step, the gradients in the order n_h, r, z, n: the first three flow to h, the last three to x.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from numpy import add, matmul, multiply, subtract

from npbilstm.engine.activations import Activation, activation_named
from npbilstm.engine.recurrence import Cell, Step, Weights
from npbilstm.engine.tiles import Array, product_views, tiled_weights, transposed_tiles
from npbilstm.engine.workspace import BackwardWorkspace, Block, ForwardWorkspace


class Kind(NamedTuple):
    """Where the reset gate stands, what stands for tanh, and what for sigmoid."""

    after: bool
    activation: Activation
    recurrent_activation: Activation


@cache
def gru_cell(reset_after: bool = True, activation: str = "tanh", recurrent_activation: str = "sigmoid") -> Cell:
    """The reset gate after the product, as PyTorch and Keras have it, or before it, as it was first published."""
    kind = Kind(reset_after, activation_named(activation), activation_named(recurrent_activation))
    return Cell(
        kept=("q" if reset_after else "s", "r", "z", "n", "h_prev"),
        gates=3,
        da_blocks=4,
        of_h=slice(0 if reset_after else 1, 3),
        of_x=slice(1, 4),
        weights=partial(weights, kind),
        transposed=partial(transposed_weights, kind),
        forward=partial(forward, kind),
        backward=partial(backward, kind),
        gradient_shapes=lambda D, R, H: [(1 + D, 3 * H), *([(H + 1, 3 * H)] if reset_after else [(H, 2 * H), (H, H)])],
        weight_gradients=partial(weight_gradients, kind),
        named=partial(named, kind),
        bounded=kind.activation.bounded and kind.recurrent_activation.bounded,
        past_the_products=True,
        more_of_Z=lambda H: 0 if reset_after else H,
    )


def weights(kind: Kind, params: Sequence[Weights]) -> tuple[Array, ...]:
    """W (S, 3, H/w, 1, K, w) of n_h, r, z, or (S, 2, ...) of r, z, its rows those of Z; W_nx (S, 1, H/w, 1, 1 + D, w);
    with the reset gate before its product W_nh (S, 1, H/w, 1, H, w)."""
    H, scale = params[0]["Wx"].shape[-1] // 3, kind.recurrent_activation.scale
    W_nx = tiled_weights([(p["b"][2 * H :], p["Wx"][:, 2 * H :]) for p in params], H, (0,), (1,))
    if not kind.after:
        W = tiled_weights([(p["Wh"], p["b"], p["Wx"]) for p in params], H, (0, 1), (scale, scale))
        return W, W_nx, tiled_weights([(p["Wh"][:, 2 * H :],) for p in params], H, (0,), (1,))
    rows = []
    for p in params:
        b, Wx = p["b"].copy(), p["Wx"].copy()
        b[2 * H :], Wx[:, 2 * H :] = p["b_hn"], 0
        rows.append((p["Wh"], b, Wx))
    return tiled_weights(rows, H, (2, 0, 1), (1, scale, scale)), W_nx


def transposed_weights(kind: Kind, W: tuple[Array, ...], R: int) -> tuple[Array, ...]:
    """In tiles: Wh^T with the rows (n_h,) r, z, Wx^T with the rows r, z, n, and before its product W_nh^T."""
    scale = kind.recurrent_activation.scale
    WhT = transposed_tiles(W[:1], (1, scale, scale) if kind.after else (scale, scale), slice(0, R))
    WxT = transposed_tiles((W[0][:, -2:], W[1]), (scale, scale, 1), slice(1 - W[1].shape[-2], None))
    return WhT, WxT, *(transposed_tiles((W_nh,), (1,), slice(0, R)) for W_nh in W[2:])


def forward(kind: Kind, work: ForwardWorkspace, block: Block, now: Array) -> Step:
    """See Cell."""
    (n_h, r, z, n, _), rz, (_, W_nx, *W_nh) = now, now[1:3], work.group.W
    n_x_block, keeping = work.array("n_x", work.size, 1, *n.shape), work.array("keeping", *n.shape)
    work.multiply_inputs(W_nx, n_x_block[: block.length])
    n_x, h, h_prev = work.views("n_x", n_x_block[:, 0]), work.h, work.views("h_prev", work.states)
    open_gates, squash = kind.recurrent_activation.of_scaled, kind.activation.function
    kept = list(block.A[:-1, :4])
    if kind.after:

        def reset(t: int) -> None:
            multiply(r, n_h, n)

    else:
        s, h_in = n_h, work.views("h_in", work.Z_h)
        s_rows, n_tiles = product_views(s[:, None], W_nh[0], n[:, None])

        def reset(t: int) -> None:
            multiply(r, h_in[t], s)  # s = r h_{t-1}
            matmul(s_rows, W_nh[0], n_tiles)  # n_h = s W_nh

    def step(t: int) -> None:
        open_gates(rz, rz)
        reset(t)
        add(n, n_x[t], n)
        squash(n, n)
        if kept:
            kept[t][...] = now[:4]
        subtract(h_prev[t], n, keeping)
        multiply(z, keeping, keeping)
        add(n, keeping, h[t])  # h_t = n + z (h_{t-1} - n)

    return step


def backward(kind: Kind, work: BackwardWorkspace, block: Block) -> Step:
    """See Cell. Before its product, the reset gate's own gradient has to wait for ds, that of s = r h_{t-1}."""
    A, count, H, mask = block.A, block.length, block.A.shape[-1], work.group.mask
    h_in = work.h_in[:count]
    h_in[...] = A[:-1, 4]
    work.mask(h_in)
    F_block = work.array("F", work.size, 4, *A.shape[2:])[:count]
    local_derivatives(kind, A, h_in, F_block)

    dh, z, first = work.dstate[0], list(A[:-1, 2]), 0 if kind.after else 2
    F, da = list(F_block[:, first:]), list(work.da_blocks[:count, first:])

    def step(t: int) -> None:
        multiply(F[t], dh, da[t])
        multiply(z[t], dh, dh)

    if kind.after:
        return step

    work.Z[:, :count, :, work.K : work.K + H] = A[:-1, 0].swapaxes(0, 1)  # s
    WnhT, ds = work.upstream.WT[2], work.array("ds", *dh.shape)
    da_n = work.da[:, :count, :, 3 * H :].swapaxes(0, 1)
    dn_rows, ds_tiles = product_views(da_n, WnhT, ds)
    dn, F_r, r, da_r = list(dn_rows), list(F_block[:, 1]), list(A[:-1, 1]), list(work.da_blocks[:count, 1])

    def step_before(t: int) -> None:
        step(t)
        matmul(dn[t], WnhT, ds_tiles)  # ds = da_n W_nh^T
        multiply(F_r[t], ds, da_r[t])
        multiply(r[t], ds, ds)
        if mask is not None:
            multiply(ds, mask, ds)
        add(dh, ds, dh)

    return step_before


def local_derivatives(kind: Kind, A: Array, h_in: Array, F: Array) -> None:
    """Fill F (count, 4, P, N, H), see above, from A (count + 1, 5, P, N, H).

    Before its product, F_r = h_{t-1} r (1 - r), for the gradient of s, with h_in = h_{t-1} as the product reads it.
    """
    n_h, r, z, n, h_prev = (A[:-1, k] for k in range(5))
    F_nh, F_r, F_z, F_n = (F[:, k] for k in range(4))
    kind.activation.derivative(n, F_n)
    subtract(1, z, F_nh)
    multiply(F_n, F_nh, F_n)  # (1 - z)(1 - n^2)
    kind.recurrent_activation.derivative(A[:-1, 1:3], F[:, 1:3])  # r (1 - r), z (1 - z)
    subtract(h_prev, n, F_nh)
    multiply(F_z, F_nh, F_z)  # (h_{t-1} - n) z (1 - z)
    if kind.after:
        multiply(F_r, n_h, F_r)
        multiply(F_r, F_n, F_r)
        multiply(F_n, r, F_nh)
    else:
        multiply(F_r, h_in, F_r)


def weight_gradients(kind: Kind, work: BackwardWorkspace, block: Block, gradients: list[Array]) -> None:
    """dWx (P, 1 + D, 3H) += [1 x]^T da[r z n], and after the product dWh (P, H + 1, 3H) += [h 1]^T da[n_h r z]; before
    it dWh (P, H, 2H) += h^T da[r z] and dW_nh (P, H, H) += s^T da[n]."""
    dWx, dWh, *dW_nh = gradients
    H, K = work.h_in.shape[-1], work.K
    work.add_weight_gradient(dWx, block, slice(H, K), slice(H, 4 * H))
    work.add_weight_gradient(dWh, block, slice(0, dWh.shape[1]), slice(0 if kind.after else H, 3 * H))
    for dW in dW_nh:
        work.add_weight_gradient(dW, block, slice(K, K + H), slice(3 * H, 4 * H))


def named(kind: Kind, gradients: list[Array], R: int, H: int) -> dict[str, Array]:
    """See Cell."""
    dWx, dWh, *dW_nh = gradients
    found = {"Wx": dWx[1:], "b": dWx[0]}
    if kind.after:
        return found | {"Wh": np.roll(dWh[:-1], -H, axis=1), "b_hn": dWh[-1, :H]}
    return found | {"Wh": np.concatenate([dWh, *dW_nh], axis=1)}
