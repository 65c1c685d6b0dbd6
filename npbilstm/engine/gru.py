"""The GRU made fast, its reset gate after the product or before it. tanh and sigmoid may be other activations.

    a     = [h_{t-1}  1  x_t] W
    n_x   = [1  x_t] W_nx
    [r z] = sigmoid(a[r z])
    q     = a[q]                      after the product: W is 0 there in its rows of x, and b_hn in its row of 1
    n     = tanh(n_x + r q)
    n     = tanh(n_x + s W_nh)        before it, with s = r h_{t-1}
    h_t   = (1 - z) n + z h_{t-1}

n_x needs no recurrence and is computed for a block of steps at once. The zeros in W are multiplied at every step: one
product is quicker than two smaller ones, but for the largest layers, where two would save a tenth.

A (T+1, 5, P, N, H) holds, at each step, q or s, then r, z, n and the h before the step. In backward, all of

    da = F dh      F_n = (1 - z)(1 - n^2)    F_q = F_n r    F_r = F_q q (1 - r)    F_z = (h_{t-1} - n) z (1 - z)

is one multiplication a step, the gradients in the order q, r, z, n: the first three flow to h, the last three to x, in
the public order. That of Wh is turned to it in the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy import add, matmul, multiply, subtract

from npbilstm.engine.activations import ACTIVATIONS
from npbilstm.engine.cell import Cell, Step, Weights
from npbilstm.engine.tiles import Array, product_views, tiled_weights, transposed_tiles
from npbilstm.engine.workspace import BackwardWorkspace, Block, ForwardWorkspace


class GRU(Cell):
    """As textbook/gru.py and its twin there, other_activations.py."""

    of_x = slice(1, 4)
    past_the_products = True

    def __init__(self, after: bool, activation: str, recurrent_activation: str) -> None:
        self.after, self.activation, self.gate = after, ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]
        self.kept = ("q" if after else "s", "r", "z", "n", "h_prev")
        self.of_h = slice(0 if after else 1, 3)
        self.bounded = self.activation.bounded and self.gate.bounded

    def weights(self, params: Sequence[Weights]) -> tuple[Array, ...]:
        """W of q, r, z, or of r, z alone; W_nx; and with the reset gate before its product W_nh."""
        H, scale = params[0]["b"].size // 3, self.gate.scale
        W_nx = tiled_weights([(p["b"][2 * H :], p["Wx"][:, 2 * H :]) for p in params], (1,))
        if not self.after:
            of_rz = [(p["Wh"][:, : 2 * H], p["b"][: 2 * H], p["Wx"][:, : 2 * H]) for p in params]
            W_nh = tiled_weights([(p["Wh"][:, 2 * H :],) for p in params], (1,))
            return tiled_weights(of_rz, (scale, scale)), W_nx, W_nh
        rows = []
        for p in params:
            b, Wx = p["b"].copy(), p["Wx"].copy()
            b[2 * H :], Wx[:, 2 * H :] = p["b_hn"], 0
            rows.append((p["Wh"], b, Wx))
        return tiled_weights(rows, (1, scale, scale), shift=1), W_nx

    def transposed(self, W: tuple[Array, ...], R: int) -> tuple[Array, ...]:
        """In tiles: Wh^T with the rows (q,) r, z, Wx^T with the rows r, z, n, and before its product W_nh^T."""
        scale = self.gate.scale
        WhT = transposed_tiles(W[:1], (1, scale, scale) if self.after else (scale, scale), slice(0, R))
        WxT = transposed_tiles((W[0][:, -2:], W[1]), (scale, scale, 1), slice(1 - W[1].shape[-2], None))
        return WhT, WxT, *(transposed_tiles((W_nh,), (1,), slice(0, R)) for W_nh in W[2:])

    def forward(self, work: ForwardWorkspace, block: Block, now: Array) -> Step:
        """See Cell."""
        (q, r, z, n, _), rz, (_, W_nx, *W_nh) = now, now[1:3], work.group.W
        n_x_block, keeping = work.array("n_x", work.size, 1, *n.shape), work.array("keeping", *n.shape)
        work.multiply_inputs(W_nx, n_x_block[: block.length])
        n_x, h, h_prev = work.views("n_x", n_x_block[:, 0]), work.h, work.views("h_prev", work.states)
        open_gates, squash = self.gate.of_scaled, self.activation.function
        kept, s, h_in = list(block.A[:-1, :4]), q, work.views("h_in", work.Z_h)
        if W_nh:
            s_rows, n_tiles = product_views(s[:, None], W_nh[0], n[:, None])

        def step(t: int) -> None:
            open_gates(rz, rz)
            if W_nh:
                multiply(r, h_in[t], s)  # s = r h_{t-1}
                matmul(s_rows, W_nh[0], n_tiles)  # s W_nh
            else:
                multiply(r, q, n)
            add(n, n_x[t], n)
            squash(n, n)
            if kept:
                kept[t][...] = now[:4]
            subtract(h_prev[t], n, keeping)
            multiply(z, keeping, keeping)
            add(n, keeping, h[t])  # h_t = n + z (h_{t-1} - n)

        return step

    def backward(self, work: BackwardWorkspace, block: Block) -> Step:
        """See Cell. Before its product, the reset gate's own gradient has to wait for ds, that of s = r h_{t-1}."""
        A, count, H, mask, after = block.A, block.length, block.A.shape[-1], work.group.mask, self.after
        h_in = work.h_in[:count]
        h_in[...] = A[:-1, 4]
        work.mask(h_in)
        F_block = work.array("F", work.size, 4, *A.shape[2:])[:count]
        self.local_derivatives(A, h_in, F_block)

        dh, z, first = work.dstate[0], list(A[:-1, 2]), 0 if after else 2
        F, da = list(F_block[:, first:]), list(work.da_gates[:count, first:])
        if not after:
            work.Z[:, :count, :, work.K : work.K + H] = A[:-1, 0].swapaxes(0, 1)  # s
            WnhT, ds = work.upstream.WT[2], work.array("ds", *dh.shape)
            dn_rows, ds_tiles = product_views(work.da_of(slice(3, 4))[:, :count].swapaxes(0, 1), WnhT, ds)
            dn, F_r, r, da_r = list(dn_rows), list(F_block[:, 1]), list(A[:-1, 1]), list(work.da_gates[:count, 1])

        def step(t: int) -> None:
            multiply(F[t], dh, da[t])
            multiply(z[t], dh, dh)
            if after:
                return
            matmul(dn[t], WnhT, ds_tiles)  # ds = da_n W_nh^T
            multiply(F_r[t], ds, da_r[t])
            multiply(r[t], ds, ds)
            if mask is not None:
                multiply(ds, mask, ds)
            add(dh, ds, dh)

        return step

    def local_derivatives(self, A: Array, h_in: Array, F: Array) -> None:
        """Fill F (count, 4, P, N, H), see above, from A. With the reset gate before its product, for the gradient of s,
        F_r = h_{t-1} r (1 - r), with h_in = h_{t-1} as the product reads it."""
        q, r, z, n, h_prev = (A[:-1, k] for k in range(5))
        F_q, F_r, F_z, F_n = (F[:, k] for k in range(4))
        self.activation.derivative(n, F_n)
        subtract(1, z, F_q)
        multiply(F_n, F_q, F_n)  # (1 - z)(1 - n^2)
        self.gate.derivative(A[:-1, 1:3], F[:, 1:3])  # r (1 - r), z (1 - z)
        subtract(h_prev, n, F_q)
        multiply(F_z, F_q, F_z)  # (h_{t-1} - n) z (1 - z)
        if self.after:
            multiply(F_r, q, F_r)
            multiply(F_r, F_n, F_r)
            multiply(F_n, r, F_q)
        else:
            multiply(F_r, h_in, F_r)

    def gradient_shapes(self, D: int, R: int, H: int) -> list[tuple[int, ...]]:
        """Of dWx with db, of dWh with db_hn, or of dWh's r and z and its n."""
        return [(1 + D, 3 * H), *([(H + 1, 3 * H)] if self.after else [(H, 2 * H), (H, H)])]

    def weight_gradients(self, work: BackwardWorkspace, block: Block, gradients: list[Array]) -> None:
        """dWx += [1 x]^T da[r z n]; dWh += [h 1]^T da[q r z], or before the product h^T da[r z]; and s^T da[n]."""
        dWx, dWh, *dW_nh = gradients
        H = dWx.shape[-1] // 3
        work.add_weight_gradient(dWx, block, row=H, column=H)
        work.add_weight_gradient(dWh, block, column=0 if self.after else H)
        for dW in dW_nh:
            work.add_weight_gradient(dW, block, row=work.K, column=3 * H)

    def named(self, gradients: list[Array], R: int, H: int) -> dict[str, Array]:
        """See Cell."""
        dWx, dWh, *dW_nh = gradients
        found = {"Wx": dWx[1:], "b": dWx[0]}
        if self.after:
            return found | {"Wh": np.roll(dWh[:-1], -H, axis=1), "b_hn": dWh[-1, :H]}  # q, r, z -> r, z, n
        return found | {"Wh": np.concatenate([dWh, *dW_nh], axis=1)}

    def more_of_Z(self, H: int) -> int:
        """Before its product, s."""
        return 0 if self.after else H


@cache
def gru_cell(reset_after: bool = True, activation: str = "tanh", recurrent_activation: str = "sigmoid") -> Cell:
    """The reset gate after the product, as PyTorch and Keras have it, or before it, as it was first published."""
    return GRU(reset_after, activation, recurrent_activation)
