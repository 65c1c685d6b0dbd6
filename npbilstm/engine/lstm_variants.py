"""The LSTM with peepholes, coupled gates, a projection or other activations, made fast: lstm.py with what
textbook/lstm_variants.py and textbook/other_activations.py add.

Peepholes:   a_i += p_i c_{t-1}    a_f += p_f c_{t-1}    a_o += p_o c_t
Projection:  h_t = m_t Wp          with   m_t = o tanh(c_t)
Coupled:     f = 1 - i = 1 - sigmoid(a_i) = sigmoid(-a_i), which is the LSTM whose f has the weights of i, negated.
Activations: others for tanh and for sigmoid; here tanh(c), whatever stands for it, is called act_c. What is not bounded
             is set to 0 in the padding, see activations.py.

A (T+1, 5, P, N, H) as in lstm.py: gates o, i, f, g and the cell state before the step. m_t and h_t are computed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from numpy import add, matmul, multiply

from npbilstm.engine import lstm
from npbilstm.engine.activations import Activation, activation_named
from npbilstm.engine.recurrence import Cell, Step, Weights, named_gradients, weight_gradient
from npbilstm.engine.tiles import Array, tiled_weights
from npbilstm.engine.workspace import BackwardWorkspace, Block, ForwardWorkspace


class Kind(NamedTuple):
    """Which variant: activation stands for tanh, recurrent_activation for sigmoid."""

    peepholes: bool
    projection: bool
    activation: Activation
    recurrent_activation: Activation

    @property
    def scales(self) -> tuple[float, ...]:
        """What the weights of o, i, f, g are multiplied by."""
        return (*[self.recurrent_activation.scale] * 3, self.activation.scale)


@cache
def lstm_cell(
    peepholes: bool = False,
    projection: bool = False,
    coupled: bool = False,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
) -> Cell:
    """The LSTM with any of these; params as textbook/lstm_variants.py names them.

    Coupled gates need a recurrent_activation with f(-a) = 1 - f(a), as all the sigmoids are.
    """
    cell = lstm.LSTM
    if peepholes or projection or (activation, recurrent_activation) != ("tanh", "sigmoid"):
        kind = Kind(peepholes, projection, activation_named(activation), activation_named(recurrent_activation))
        cell = cell._replace(
            weights=partial(weights, kind),
            transposed=partial(lstm.transposed, scales=kind.scales),
            forward=partial(forward, kind),
            backward=partial(backward, kind),
            weight_gradients=partial(weight_gradients, kind),
            gradient_shapes=lambda D, R, H: [(R + 1 + D, 4 * H), (3, H), *([(H, R)] if projection else [])],
            named=partial(named, kind),
            bounded=kind.activation.bounded and kind.recurrent_activation.bounded,
        )
    if not coupled:
        return cell
    return cell._replace(
        weights=lambda params: cell.weights([uncoupled(p) for p in params]),
        named=lambda gradients, R, H: coupled_gradients(cell.named(gradients, R, H)),
    )


def uncoupled(params: Weights) -> dict[str, Array]:
    """Three gates i, g, o as four, f = 1 - i by weights; p's i, o as i, f, o."""
    gates, found = {"Wx": 3, "Wh": 3, "b": 3, "p": 2}, dict(params)
    for name in gates.keys() & params:
        i, *rest = np.split(params[name], gates[name], axis=-1)
        found[name] = np.concatenate([i, -i, *rest], axis=-1)
    return found


def coupled_gradients(gradients: dict[str, Array]) -> dict[str, Array]:
    """uncoupled's backward: f's share is that of -i."""
    gates, found = {"Wx": 4, "Wh": 4, "b": 4, "p": 3}, dict(gradients)
    for name in gates.keys() & gradients:
        di, df, *rest = np.split(gradients[name], gates[name], axis=-1)
        found[name] = np.concatenate([di - df, *rest], axis=-1)
    return found


def weights(kind: Kind, params: Sequence[Weights]) -> tuple[Array, ...]:
    """W as in lstm.py; p (S, 3, 1, H) of o, i, f, zero without peepholes; with a projection Wp (S, H, R)."""
    H = params[0]["Wx"].shape[-1] // 4
    W = tiled_weights([(p["Wh"], p["b"], p["Wx"]) for p in params], H, lstm.ORDER, kind.scales)
    p = np.zeros((len(params), 3, 1, H), W.dtype)
    if kind.peepholes:
        p[:, :, 0] = [np.roll(own["p"].reshape(3, H), 1, axis=0) for own in params]  # i, f, o -> o, i, f
    return (W, p, np.stack([own["Wp"] for own in params])) if kind.projection else (W, p)


def forward(kind: Kind, work: ForwardWorkspace, block: Block, now: Array) -> Step:
    """See Cell."""
    (_, p, *Wp), gate = work.group.W, kind.recurrent_activation
    (o, i, f, g, c), i_f, c_prev = now, now[1:3], work.array("c_prev", *now[4].shape)
    terms, peeped, m = work.array("terms", 2, *c.shape), work.array("peeped", *c.shape), work.array("m", *c.shape)
    ig, fc = terms
    p_o, p_if = gate.scale * p[:, 0], gate.scale * p[:, 1:].swapaxes(0, 1)  # scaled as W is
    squash, open_gates, show = kind.activation.of_scaled, gate.of_scaled, kind.activation.function
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


def backward(kind: Kind, work: BackwardWorkspace, block: Block) -> Step:
    """See Cell."""
    A, n, shape, (_, p, *Wp) = block.A, block.length, block.A.shape[2:], work.group.W
    act_c = work.array("act_c", work.size + 1, *shape)[: n + 1]
    kind.activation.function(A[:, 4], act_c)
    m = work.array("m", work.size + 1, *shape)[: n + 1]  # m_{t-1} and m_t of the block's steps
    multiply(A[:-1, 0], act_c[1:], m[1:])
    m[0] = 0 if block.A_before is None else block.A_before[0] * act_c[0]
    h_prev = work.h_in[:n]
    h_prev[...] = m[:-1] @ Wp[0] if Wp else m[:-1]
    if block.A_before is None:
        h_prev[0] = work.state[0]
    work.mask(h_prev)
    F, F_c = work.array("F", work.size, 4, *shape)[:n], work.array("F_c", work.size, *shape)[:n]
    tanh_derivative, sigmoid_derivative = kind.activation.derivative, kind.recurrent_activation.derivative
    lstm.local_derivatives(A[:-1], act_c[1:], F, F_c, tanh_derivative, sigmoid_derivative)

    F_o, F_ifg, F_c_t, f = list(F[:, 0]), list(F[:, 1:]), list(F_c), list(A[:-1, 2])
    da_o, da_i, da_f, da_ifg = (list(work.da_blocks[:n, gates]) for gates in (3, 0, 1, slice(0, 3)))
    dh, dc = work.dstate
    dh_block, peeped = work.array("dh", work.size, *dh.shape), work.array("peeped", *dc.shape)
    dm = work.array("dm", *dc.shape) if Wp else dh

    def step(t: int) -> None:
        if Wp:
            dh_block[t] = dh
            matmul(dh, Wp[0].swapaxes(1, 2), dm)
        multiply(F_o[t], dm, da_o[t])
        multiply(F_c_t[t], dm, dm)
        add(dc, dm, dc)  # dc += dm o (1 - tanh(c)^2)
        multiply(p[:, 0], da_o[t], peeped)
        add(dc, peeped, dc)  # o saw c_t
        multiply(F_ifg[t], dc, da_ifg[t])
        multiply(f[t], dc, dc)
        for p_gate, da_gate in ((p[:, 1], da_i[t]), (p[:, 2], da_f[t])):
            multiply(p_gate, da_gate, peeped)
            add(dc, peeped, dc)  # i and f saw c_{t-1}

    return step


def weight_gradients(kind: Kind, work: BackwardWorkspace, block: Block, gradients: list[Array]) -> None:
    """dW as for all; dp (P, 3, H) of i, f, o += da of the gate times the c it saw; dWp (P, H, R) += m^T dh."""
    A, n, (_, dp, *dWp) = block.A, block.length, gradients
    weight_gradient(work, block, gradients)
    da = work.da_blocks[:n]
    if kind.peepholes:
        dp[:, :2] += (da[:, :2] * A[:-1, 4:]).sum(axis=(0, 3)).swapaxes(0, 1)
        dp[:, 2] += (da[:, 3] * A[1:, 4]).sum(axis=(0, 2))
    if dWp:
        m, dh = work.array("m")[1 : n + 1], work.array("dh")[:n]
        dWp[0] += (m.swapaxes(2, 3) @ dh).sum(axis=0)


def named(kind: Kind, gradients: list[Array], R: int, H: int) -> dict[str, Array]:
    """See Cell."""
    dW, dp, *dWp = gradients
    found = named_gradients([dW], R, H) | ({"Wp": dWp[0]} if dWp else {})
    return found | {"p": dp.ravel()} if kind.peepholes else found
