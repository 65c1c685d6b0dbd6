"""The LSTM with peepholes, a projection or other activations, made fast: a cell of the
engine as engine/lstm.py has it, with what textbook/lstm_variants.py and textbook/other_activations.py add. Coupled
gates only need other weights, see coupled.py.

Peepholes:   a_i += p_i c_{t-1}    a_f += p_f c_{t-1}    a_o += p_o c_t
Projection:  h_t = m_t Wp          with   m_t = o tanh(c_t)
Activations: others for tanh and for sigmoid; here tanh(c), whatever stands for it, is called act_c. What is not bounded
             is set to 0 in the padding, see engine/activations.py.

A (T+1, 5, P, N, H) as in engine/lstm.py: gates o, i, f, g and the cell state before the step. m_t and h_t are computed
again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy import add, matmul, multiply

from npbilstm.engine.activations import ACTIVATIONS
from npbilstm.engine.cell import Cell, Step, Weights
from npbilstm.engine.lstm import LSTM, local_derivatives, lstm_cell
from npbilstm.engine.tiles import Array
from npbilstm.engine.workspace import BackwardWorkspace, Block, ForwardWorkspace


class LSTMVariant(LSTM):
    """Any of these: activation stands for tanh, gate for sigmoid."""

    def __init__(self, peepholes: bool, projection: bool, activation: str, recurrent_activation: str) -> None:
        self.peepholes, self.projection, self.helped = peepholes, projection, not projection
        self.activation, self.gate = ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]
        self.scales = (*[self.gate.scale] * 3, self.activation.scale)
        self.bounded = self.activation.bounded and self.gate.bounded

    def weights(self, params: Sequence[Weights]) -> tuple[Array, ...]:
        """W as the LSTM's; p (S, 3, 1, H) of o, i, f, zero without peepholes; with a projection Wp (S, H, R)."""
        H, (W,) = params[0]["b"].size // 4, super().weights(params)
        p = np.zeros((len(params), 3, 1, H), W.dtype)
        if self.peepholes:
            p[:, :, 0] = [np.roll(own["p"].reshape(3, H), 1, axis=0) for own in params]  # i, f, o -> o, i, f
        return (W, p, np.stack([own["Wp"] for own in params])) if "Wp" in params[0] else (W, p)

    def forward(self, work: ForwardWorkspace, block: Block, now: Array) -> Step:
        """See Cell."""
        (_, p, *Wp), gate = work.group.W, self.gate
        (o, i, f, g, c), i_f, c_prev = now, now[1:3], work.array("c_prev", *now[4].shape)
        terms, peeped, m = work.array("terms", 2, *c.shape), work.array("peeped", *c.shape), work.array("m", *c.shape)
        ig, fc = terms
        p_o, p_if = gate.scale * p[:, 0], gate.scale * p[:, 1:].swapaxes(0, 1)  # scaled as W is
        squash, open_gates, show = self.activation.of_scaled, gate.of_scaled, self.activation.function
        h, kept = work.h, list(block.A[:-1])

        def step(t: int) -> None:
            c_prev[...] = c
            multiply(p_if, c_prev, terms)
            add(i_f, terms, i_f)  # a_i += p_i c_{t-1}, a_f += p_f c_{t-1}
            open_gates(i_f, i_f)
            squash(g, g)
            multiply(i, g, ig)
            multiply(f, c_prev, fc)
            add(ig, fc, c)  # c_t = i g + f c_{t-1}
            multiply(p_o, c, peeped)
            add(o, peeped, o)  # a_o += p_o c_t
            open_gates(o, o)
            show(c, m)
            multiply(o, m, m)
            if Wp:
                matmul(m, Wp[0], h[t])  # h_t = (o tanh(c_t)) Wp
            else:
                h[t][...] = m  # h_t = o tanh(c_t)
            if kept:
                kept[t][:4], kept[t][4] = now[:4], c_prev

        return step

    def backward(self, work: BackwardWorkspace, block: Block) -> Step:
        """See Cell."""
        A, n, shape, (_, p, *Wp) = block.A, block.length, block.A.shape[2:], work.group.W
        act_c = work.array("act_c", work.size + 1, *shape)[: n + 1]
        self.activation.function(A[:, 4], act_c)
        m = work.array("m", work.size + 1, *shape)[: n + 1]  # m_{t-1} and m_t of the block's steps
        multiply(A[:-1, 0], act_c[1:], m[1:])
        m[0] = 0 if block.A_before is None else block.A_before[0] * act_c[0]
        h_prev = work.h_in[:n]
        h_prev[...] = m[:-1] @ Wp[0] if Wp else m[:-1]
        if block.A_before is None:
            h_prev[0] = work.state[0]
        work.mask(h_prev)
        F, F_c_block = work.array("F", work.size, 4, *shape)[:n], work.array("F_c", work.size, *shape)[:n]
        local_derivatives(A[:-1], act_c[1:], F, F_c_block, self.activation.derivative, self.gate.derivative)

        F_o, F_ifg, F_c, f = list(F[:, 0]), list(F[:, 1:]), list(F_c_block), list(A[:-1, 2])
        da_o, da_i, da_f, da_ifg = (list(work.da_gates[:n, gates]) for gates in (3, 0, 1, slice(0, 3)))
        dh, dc = work.dstate
        dh_block, peeped = work.array("dh", work.size, *dh.shape), work.array("peeped", *dc.shape)
        dm = work.array("dm", *dc.shape) if Wp else dh

        def step(t: int) -> None:
            if Wp:
                dh_block[t] = dh
                matmul(dh, Wp[0].swapaxes(1, 2), dm)
            multiply(F_o[t], dm, da_o[t])
            multiply(F_c[t], dm, dm)
            add(dc, dm, dc)  # dc += dm o (1 - tanh(c)^2)
            multiply(p[:, 0], da_o[t], peeped)
            add(dc, peeped, dc)  # o saw c_t
            multiply(F_ifg[t], dc, da_ifg[t])
            multiply(f[t], dc, dc)
            for p_gate, da_gate in ((p[:, 1], da_i[t]), (p[:, 2], da_f[t])):
                multiply(p_gate, da_gate, peeped)
                add(dc, peeped, dc)  # i and f saw c_{t-1}

        return step

    def gradient_shapes(self, D: int, R: int, H: int) -> list[tuple[int, ...]]:
        """Of dW, dp, and with a projection dWp."""
        return [*super().gradient_shapes(D, R, H), (3, H), *([(H, R)] if self.projection else [])]

    def weight_gradients(self, work: BackwardWorkspace, block: Block, gradients: list[Array]) -> None:
        """dW as for all; dp (P, 3, H) of i, f, o += da of the gate times the c it saw; dWp (P, H, R) += m^T dh."""
        A, n, (_, dp, *dWp) = block.A, block.length, gradients
        super().weight_gradients(work, block, gradients)
        da = work.da_gates[:n]
        if self.peepholes:
            dp[:, :2] += (da[:, :2] * A[:-1, 4:]).sum(axis=(0, 3)).swapaxes(0, 1)
            dp[:, 2] += (da[:, 3] * A[1:, 4]).sum(axis=(0, 2))
        if dWp:
            m = work.array("m", work.size + 1, *A.shape[2:])[1 : n + 1]
            dh = work.array("dh", work.size, *work.dstate[0].shape)[:n]
            dWp[0] += (m.swapaxes(2, 3) @ dh).sum(axis=0)

    def named(self, gradients: list[Array], R: int, H: int) -> dict[str, Array]:
        """See Cell."""
        _, dp, *dWp = gradients
        found = super().named(gradients, R, H) | ({"Wp": dWp[0]} if dWp else {})
        return found | {"p": dp.ravel()} if self.peepholes else found


@cache
def lstm_variant_cell(
    peepholes: bool = False, projection: bool = False, activation: str = "tanh", recurrent_activation: str = "sigmoid"
) -> Cell:
    """The LSTM with any of these; params as textbook/lstm_variants.py names them, with four gates i, f, g, o."""
    if not peepholes and not projection and (activation, recurrent_activation) == ("tanh", "sigmoid"):
        return lstm_cell()
    return LSTMVariant(peepholes, projection, activation, recurrent_activation)
