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
from npbilstm.engine.blocks import BackwardRoom, ForwardRoom, Scan, Upstream, WeightGradient
from npbilstm.engine.buffers import borrow
from npbilstm.engine.recurrence import Cell, Weights
from npbilstm.engine.tiles import Array, in_tiles, tiled_weights, tiles_of, transposed


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
    steps: Cell = lstm.LSTM
    if peepholes or projection or (activation, recurrent_activation) != ("tanh", "sigmoid"):
        kind = Kind(peepholes, projection, activation_named(activation), activation_named(recurrent_activation))
        steps = Cell(
            *(4, lstm.KEPT, partial(weights, kind), partial(transposed_weights, kind)),
            *(partial(forward_steps, kind), partial(backward_steps, kind)),
            *(partial(gradient_shapes, kind), partial(named, kind)),
        )
    if not coupled:
        return steps
    return steps._replace(
        weights=lambda params: steps.weights([uncoupled(p) for p in params]),
        named=lambda grads, R, H: coupled_gradients(steps.named(grads, R, H)),
    )


def uncoupled(params: Weights) -> dict[str, Array]:
    """Three gates i, g, o as four, f = 1 - i by weights; p's i, o as i, f, o."""

    def with_f(part: Array, gates: int) -> Array:
        H = part.shape[-1] // gates
        return np.concatenate([part[..., :H], -part[..., :H], part[..., H:]], axis=-1)

    blocks = {"Wx": 3, "Wh": 3, "b": 3, "p": 2}
    return {name: with_f(part, blocks[name]) if name in blocks else part for name, part in params.items()}


def coupled_gradients(grads: dict[str, Array]) -> dict[str, Array]:
    """uncoupled's backward: f's share is that of -i."""

    def without_f(part: Array, gates: int) -> Array:
        H = part.shape[-1] // gates
        return np.concatenate([part[..., :H] - part[..., H : 2 * H], part[..., 2 * H :]], axis=-1)

    blocks = {"Wx": 4, "Wh": 4, "b": 4, "p": 3}
    return {name: without_f(part, blocks[name]) if name in blocks else part for name, part in grads.items()}


def weights(kind: Kind, params: Sequence[Weights]) -> tuple[Array, ...]:
    """W as in lstm.py; p (S, 3, 1, H) of o, i, f, zero without peepholes; with a projection Wp (S, H, R)."""
    H = params[0]["Wx"].shape[-1] // 4
    W = tiled_weights([(p["Wh"], p["b"], p["Wx"]) for p in params], H, lstm.ORDER, kind.scales)
    p = np.zeros((len(params), 3, 1, H), W.dtype)
    if kind.peepholes:
        p[:, :, 0] = [np.roll(own["p"].reshape(3, H), 1, axis=0) for own in params]  # i, f, o -> o, i, f
    return (W, p, np.stack([own["Wp"] for own in params])) if kind.projection else (W, p)


def transposed_weights(kind: Kind, W: tuple[Array, ...]) -> tuple[Array, ...]:
    """Wh and Wx transposed, in tiles."""
    WT = transposed(W[0], kind.scales)  # (S, 4H, K)
    R = W[2].shape[-1] if kind.projection else WT.shape[1] // 4
    return in_tiles(WT[..., :R]), in_tiles(WT[..., R + 1 :])


def forward_steps(
    kind: Kind, scan: Scan, steps: range, state: list[Array], A: Array, final: list[Array], y: Array | None = None
) -> list[Array]:
    """See Cell. A (len(steps) + 1, 5, P, N, H)."""
    activation, gate = kind.activation, kind.recurrent_activation
    bounded = activation.bounded and gate.bounded
    (h, c), (W, p, *Wp), mask, ends, c_T = state, scan.W, scan.mask, scan.ends, final[1]
    P, N, H = c.shape
    room = ForwardRoom(scan, steps, h)
    Z_rows, W_step = room.recurrent_products(W)
    terms, peeped, m = borrow(c.dtype, (2, P, N, H), (P, N, H), (P, N, H))
    p_o, p_if = gate.scale * p[:, 0], gate.scale * p[:, 1:].swapaxes(0, 1)  # scaled as W is
    A[0, 4] = c
    for block in room.blocks(y):
        n, k = block.n, block.start - steps.start
        now, c_after = A[k : k + n], A[k + 1 : k + n + 1, 4]
        for t, z, a, gates, c_prev, c, h, masked, share, padded in zip(
            range(block.start, block.start + n),
            Z_rows,
            tiles_of(now[:, :4].swapaxes(1, 2), Z_rows.shape[-2], W.shape[-1]),
            now[:, :4],
            now[:, 4],
            c_after,
            room.h[1:],
            room.masked,
            room.rest_of_products(n),
            block.rows_to_clear(bounded),
        ):
            o, i_f, g = gates[0], gates[1:3], gates[3]
            matmul(z, W_step, a)  # a = [h 1 x] W
            if share is not None:
                add(gates, share, gates)
            multiply(p_if, c_prev, terms)
            add(i_f, terms, i_f)
            gate.of_scaled(i_f, i_f)
            activation.of_scaled(g, g)
            multiply(i_f[0], g, terms[0])
            multiply(i_f[1], c_prev, terms[1])
            add(terms[0], terms[1], c)  # c_t = i g + f c_{t-1}
            multiply(p_o, c, peeped)
            add(o, peeped, o)
            gate.of_scaled(o, o)
            activation.function(c, m)
            if Wp:
                multiply(o, m, m)
                matmul(m, Wp[0], h)  # h_t = (o tanh(c_t)) Wp
            else:
                multiply(o, m, h)
            if padded is not None:
                h[:, padded] = 0
                c[:, padded] = 0
            if mask is not None:
                multiply(h, mask, masked)
            if t in ends:
                c_T[:, ends[t]] = c[:, ends[t]]
    return [room.h[0], A[len(steps), 4]]


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
    """See Cell. grads: dW (P, K, 4H) as in lstm.py, dp (P, 3, H) of o, i, f; with a projection dWp (P, H, R)."""
    (h, _), (_, p, *Wp), (dh, dc), (dW, dp, *dWp) = state, scan.W, dstate, grads
    (WhT, WxT), (dh_T, dc_T), ends, mask = upstream.WT, upstream.d_T, scan.ends, scan.mask
    P, N, H = dc.shape
    R, D, all_columns = dh.shape[-1], scan.x.shape[-1], slice(4 * H)
    room = BackwardRoom(scan, steps, upstream, dh.dtype, H, 4 * H)
    product = WeightGradient(room, h.dtype, R + D, all_columns, 4 * H)
    act_c_block, m_block, F_block = borrow(
        h.dtype, (room.block + 1, P, N, H), (room.block + 1, P, N, H), (room.block, 5, P, N, H)
    )
    dh_block, dm, peeped = borrow(dh.dtype, (room.block, P, N, R), (P, N, H), (P, N, H))
    for block in room.blocks():
        n, k = block.n, block.start - steps.start
        now, F = A[k : k + n], F_block[:n]
        room.read_inputs(block, product.Z[..., R:])
        act_c = act_c_block[: n + 1]
        kind.activation.function(A[k : k + n + 1, 4], act_c)
        m = m_block[: n + 1]  # m_{t-1} and m_t of the block's steps
        multiply(now[:, 0], act_c[1:], m[1:])
        h_before = product.Z[:, :n, :, :R].swapaxes(0, 1)
        m[0] = A[k - 1, 0] * act_c[0] if k else 0
        h_before[...] = m[:-1] @ Wp[0] if Wp else m[:-1]
        if k == 0:
            h_before[0] = h
        if mask is not None:
            multiply(h_before, mask, h_before)
        local_derivatives(kind, now, act_c[1:], F)

        da_gates = room.da[:, :n].reshape(P, n, N, 4, H).transpose(1, 3, 0, 2, 4)  # (n, 4, P, N, H)
        da_rows = room.rows(block, all_columns, WhT.shape[-1])
        dh_tiles = tiles_of(dh, da_rows.shape[-2], WhT.shape[-1])
        for t, dy_t, dh_t, F_t, F_c_t, f, da, da_row in zip(
            reversed(range(block.start, block.start + n)),
            room.dy[:n][::-1],
            dh_block[:n][::-1],
            F[::-1],
            F[::-1, 4],
            now[::-1, 2],
            da_gates[::-1],
            da_rows[::-1],
        ):
            add(dh, dy_t, dh_t)
            if t in ends:
                dh_t[:, ends[t]] += dh_T[:, ends[t]]
                dc[:, ends[t]] += dc_T[:, ends[t]]
            if Wp:
                matmul(dh_t, Wp[0].swapaxes(1, 2), dm)
            else:
                dm[...] = dh_t
            multiply(F_t[0], dm, da[0])
            multiply(F_c_t, dm, dm)
            add(dc, dm, dc)  # dc += dm o (1 - tanh(c)^2)
            multiply(p[:, 0], da[0], peeped)
            add(dc, peeped, dc)  # o saw c_t
            multiply(F_t[1:4], dc, da[1:])
            multiply(f, dc, dc)
            for gate in (1, 2):  # i and f saw c_{t-1}
                multiply(p[:, gate], da[gate], peeped)
                add(dc, peeped, dc)
            matmul(da_row, WhT, dh_tiles)  # the new dh = da Wh^T
            if mask is not None:
                multiply(dh, mask, dh)

        product.add_to(dW[:, :-1], n)
        room.add_bias_gradient(block, all_columns, dW[:, -1])
        room.add_input_gradient(block, all_columns, WxT, dx)
        if kind.peepholes:
            dp[:, 0] += (da_gates[:, 0] * A[k + 1 : k + n + 1, 4]).sum(axis=(0, 2))
            dp[:, 1:] += (da_gates[:, 1:3] * now[:, 4:]).sum(axis=(0, 3)).swapaxes(0, 1)
        if Wp:
            dWp[0] += (m[1:].swapaxes(2, 3) @ dh_block[:n]).sum(axis=0)


def local_derivatives(kind: Kind, now: Array, act_c: Array, F: Array) -> None:
    """As lstm.py's, for any activations; fills F (n, 5, P, N, H), its last part F_c = o activation'(c)."""
    activation, gate = kind.activation, kind.recurrent_activation
    F_if, g_c = F[:, 1:3], now[:, 3:]
    gate.derivative(now[:, :3], F[:, :3])
    multiply(F[:, 0], act_c, F[:, 0])
    multiply(F_if, g_c, F_if)
    activation.derivative(now[:, 3], F[:, 3])
    multiply(F[:, 3], now[:, 1], F[:, 3])
    activation.derivative(act_c, F[:, 4])
    multiply(F[:, 4], now[:, 0], F[:, 4])


def gradient_shapes(kind: Kind, D: int, R: int, H: int) -> list[tuple[int, ...]]:
    """See Cell and backward_steps."""
    return [(R + D + 1, 4 * H), (3, H), *([(H, R)] if kind.projection else [])]


def named(kind: Kind, grads: list[Array], R: int, H: int) -> dict[str, Array]:
    """See Cell."""
    dW, dp, *dWp = grads
    found = lstm.named([dW], R, H)
    if kind.peepholes:
        found["p"] = np.roll(dp, -1, axis=0).ravel()  # o, i, f -> i, f, o
    return found | ({"Wp": dWp[0]} if dWp else {})
