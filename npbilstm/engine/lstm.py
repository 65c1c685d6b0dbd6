"""The LSTM made fast: one small product a step and direction, everything else in few passes over memory in cache.

The same function as textbook/lstm.py; tests hold the two equal. recurrence.py has the notation, layout and loop.

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
from numpy import add, multiply, tanh

from npbilstm.engine.activations import InPlace, sigmoid_derivative, tanh_derivative
from npbilstm.engine.recurrence import Cell, Step, Weights
from npbilstm.engine.tiles import Array, tiled_weights, transposed_tiles
from npbilstm.engine.workspace import BackwardWorkspace, Block, ForwardWorkspace

ORDER, SCALES = (3, 0, 1, 2), (0.5, 0.5, 0.5, 1)
"""A's gates o, i, f, g in the public order i, f, g, o; the sigmoids' weights halved for the single tanh."""


def weights(params: Sequence[Weights]) -> tuple[Array, ...]:
    """W (S, 4, H/w, 1, K, w), its rows those of Z."""
    H = params[0]["Wx"].shape[-1] // 4
    return (tiled_weights([(p["Wh"], p["b"], p["Wx"]) for p in params], H, ORDER, SCALES),)


def transposed(W: tuple[Array, ...], R: int, scales: Sequence[float] = SCALES) -> tuple[Array, ...]:
    """Wh^T (S, R/w, 1, 4H, w) and Wx^T (S, D/w, 1, 4H, w), w as fits each, with the rows i, f, g, o: da's order."""
    ifg_o, scales = (W[0][:, 1:], W[0][:, :1]), (*scales[1:], scales[0])
    return transposed_tiles(ifg_o, scales, slice(0, R)), transposed_tiles(ifg_o, scales, slice(R + 1, None))


def forward(work: ForwardWorkspace, block: Block, now: Array) -> Step:
    """See Cell. Every array here is the same at all steps: what is to be kept of a step is copied to A."""
    a, oif, o, i_f, g_c, c = now[:4], now[:3], now[0], now[1:3], now[3:], now[4]
    terms, tanh_c = work.array("terms", 2, *c.shape), work.array("tanh_c", *c.shape)
    ig, fc = terms
    half = np.asarray(0.5, c.dtype)
    h, kept = work.h, list(block.A[:-1])

    def step(t: int) -> None:
        tanh(a, a)
        multiply(oif, half, oif)
        add(oif, half, oif)  # sigmoid(a) = 1/2 + 1/2 tanh(a/2)
        multiply(i_f, g_c, terms)
        if kept:
            kept[t][...] = now  # o, i, f, g, c_{t-1}
        add(ig, fc, c)  # c_t = i g + f c_{t-1}
        tanh(c, tanh_c)
        multiply(o, tanh_c, h[t])  # h_t = o tanh(c_t)

    return step


def backward(work: BackwardWorkspace, block: Block) -> Step:
    """See Cell."""
    A, n, shape = block.A, block.length, block.A.shape[2:]
    tanh_c = work.array("tanh_c", work.size + 1, *shape)[: n + 1]
    tanh(A[:, 4], tanh_c)
    h_prev = work.h_in[:n]
    multiply(A[:-2, 0], tanh_c[1:-1], h_prev[1:])
    h_prev[0] = work.state[0] if block.A_before is None else block.A_before[0] * tanh_c[0]
    work.mask(h_prev)
    F, F_c = work.array("F", work.size, 4, *shape), tanh_c[1:]
    local_derivatives(A[:-1], tanh_c[1:], F[:n], F_c, tanh_derivative, sigmoid_derivative)

    F_o, F_ifg, F_c_t = work.views("F_o", F[:, 0]), work.views("F_ifg", F[:, 1:]), list(F_c)
    da_o, da_ifg = work.views("da_o", work.da_blocks[:, 3]), work.views("da_ifg", work.da_blocks[:, :3])
    f = list(A[:-1, 2])
    dh, dc = work.dstate

    def step(t: int) -> None:
        multiply(F_o[t], dh, da_o[t])
        multiply(F_c_t[t], dh, dh)
        add(dc, dh, dc)  # dc += dh o (1 - tanh(c)^2)
        multiply(F_ifg[t], dc, da_ifg[t])
        multiply(f[t], dc, dc)  # the dc of step t - 1

    return step


def local_derivatives(
    A: Array, tanh_c: Array, F: Array, F_c: Array, tanh_derivative: InPlace, sigmoid_derivative: InPlace
) -> None:
    """What of the backward pass needs no recurrence: da_o = F_o dh, dc += F_c dh, then da = F dc for i, f and g.

        F_o = tanh(c) o (1 - o)    F_i = g i (1 - i)    F_f = c_{t-1} f (1 - f)    F_g = i (1 - g^2)
        F_c = o (1 - tanh(c)^2)

    A (n, 5, P, N, H), tanh_c (n, P, N, H); fills F (n, 4, P, N, H), in A's order, and F_c, which may be tanh_c.
    """
    oif, o, i, g, g_c = A[:, :3], A[:, 0], A[:, 1], A[:, 3], A[:, 3:]
    F_oif, F_o, F_if, F_g = F[:, :3], F[:, 0], F[:, 1:3], F[:, 3]
    sigmoid_derivative(oif, F_oif)
    multiply(F_o, tanh_c, F_o)
    multiply(F_if, g_c, F_if)
    tanh_derivative(g, F_g)
    multiply(F_g, i, F_g)
    tanh_derivative(tanh_c, F_c)
    multiply(F_c, o, F_c)


LSTM = Cell(
    kept=("o", "i", "f", "g", "c_prev"),
    gates=4,
    da_blocks=4,
    of_h=slice(0, 4),
    of_x=slice(0, 4),
    weights=weights,
    transposed=transposed,
    forward=forward,
    backward=backward,
    gradient_shapes=lambda D, R, H: [(R + 1 + D, 4 * H)],
)
