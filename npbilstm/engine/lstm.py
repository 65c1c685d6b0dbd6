"""The LSTM made fast: one small product a step and direction, everything else in few passes over memory in cache.

    a       = [h_{t-1}  1  x_t] W
    [o i f] = sigmoid(a[o i f])
    g       = tanh(a[g])
    c_t     = i g + f c_{t-1}
    h_t     = o tanh(c_t)

A (T+1, 5, P, N, H) holds, at each step, the gates o, i, f, g and the c before the step: o, i, f side by side for the
sigmoids, and [i f] beside [g c], so that one multiplication makes both terms of c_t. tanh(c_t) and h_t = o tanh(c_t)
are not kept but computed again, which costs less than writing and reading them. Backward, da has its gates in the
public order i, f, g, o, so the gradients come out in it.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy import add, multiply, tanh

from npbilstm.engine.activations import InPlace, sigmoid_derivative, tanh_derivative
from npbilstm.engine.cell import Cell, Step
from npbilstm.engine.tiles import Array
from npbilstm.engine.workspace import BackwardWorkspace, Block, ForwardWorkspace


class LSTM(Cell):
    """As textbook/lstm.py."""

    kept = ("o", "i", "f", "g", "c_prev")
    shift = 1  # i, f, g, o -> o, i, f, g
    scales: tuple[float, ...] = (0.5, 0.5, 0.5, 1)  # the sigmoids' weights halved for the single tanh
    of_h = of_x = slice(0, 4)

    def forward(self, work: ForwardWorkspace, block: Block, now: Array) -> Step:
        """See Cell. Every array here is the same at all steps, which is quicker than to compute in A: its views are
        others at each step."""
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

    def backward(self, work: BackwardWorkspace, block: Block) -> Step:
        """See Cell."""
        A, n, shape = block.A, block.length, block.A.shape[2:]
        tanh_c = work.array("tanh_c", work.size + 1, *shape)[: n + 1]  # of c_{t-1}: one before that of c_t
        tanh(A[:, 4], tanh_c)
        h_prev = work.h_in[:n]
        h_prev[0] = work.state[0] if block.A_before is None else block.A_before[0] * tanh_c[0]
        multiply(A[:-2, 0], tanh_c[1:-1], h_prev[1:])  # h_{t-1} = o tanh(c_{t-1}), o being that of the step before
        work.mask(h_prev)
        F, F_c_block = work.array("F", work.size, 4, *shape), tanh_c[1:]
        local_derivatives(A[:-1], tanh_c[1:], F[:n], F_c_block, tanh_derivative, sigmoid_derivative)

        F_o, F_ifg, F_c = work.views("F_o", F[:, 0]), work.views("F_ifg", F[:, 1:]), list(F_c_block)
        da_o, da_ifg = work.views("da_o", work.da_gates[:, 3]), work.views("da_ifg", work.da_gates[:, :3])
        f = list(A[:-1, 2])
        dh, dc = work.dstate

        def step(t: int) -> None:
            multiply(F_o[t], dh, da_o[t])
            multiply(F_c[t], dh, dh)  # in place: of this dh nothing else is wanted
            add(dc, dh, dc)  # dc += dh o (1 - tanh(c)^2), which now stands in dh
            multiply(F_ifg[t], dc, da_ifg[t])
            multiply(f[t], dc, dc)  # the dc of step t - 1

        return step


def local_derivatives(
    A: Array, tanh_c: Array, F: Array, F_c: Array, tanh_derivative: InPlace, sigmoid_derivative: InPlace
) -> None:
    """What of the backward pass needs no recurrence: da_o = F_o dh, dc += F_c dh, then da = F dc for i, f and g.

        F_o = tanh(c) o (1 - o)    F_i = g i (1 - i)    F_f = c_{t-1} f (1 - f)    F_g = i (1 - g^2)
        F_c = o (1 - tanh(c)^2)

    A (n, 5, P, N, H), tanh_c (n, P, N, H); fills F (n, 4, P, N, H), in A's order, and F_c: tanh_c's memory, or other.
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


@cache
def lstm_cell() -> Cell:
    """The LSTM of every framework; layers/lstm_variants.py has those with other options."""
    return LSTM()
