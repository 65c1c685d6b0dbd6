"""The cells' equations as they are shown and computed: the one table of them beside the textbook's docstrings.

    a_i = x @ Wx_i + h_prev @ Wh_i + b_i                    a = x Wx + h_prev Wh + b
    dc = dc_next + dh * o * (1 - tanh(c)^2)                 dc     += dh * o * tanh'(c)
    dh_next = next.da_i @ Wh_i.T + next.da_f @ ...          dh_prev = da Wh^T

On the right is the docstring's line, for all gates side by side and for any option; on the left the same for one unit
of one layer, with its own activations, written in the grammar of equations.py. Tests hold each line of the one to the
line of the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.layers import GRU, LSTM, RNN, Recurrent
from npbilstm.layers.layer import blocks_in


class Equations(NamedTuple):
    """A cell's equations, forward and backward, in the order in which they are computed."""

    forward: tuple[str, ...]
    backward: tuple[str, ...]


SLOPES = {
    "tanh": "(1 - {y}^2)",
    "sigmoid": "{y} * (1 - {y})",
    "relu": "positive({y})",
    "hard_sigmoid": "slope_fifth({y})",
    "hard_sigmoid_sixth": "slope_sixth({y})",
}
"""Each activation's derivative, as factors of an equation, in terms of its output y."""


def equations_of(layer: Recurrent) -> Equations:
    """The equations of one unit of this layer, as textbook/ has them."""
    if isinstance(layer, LSTM):
        return lstm_equations(layer)
    if isinstance(layer, GRU):
        return gru_equations(layer)
    if isinstance(layer, RNN):
        return rnn_equations(layer)
    raise TypeError(f"layer is {layer!r}; it needs an LSTM, GRU or RNN")


def slope(activation: str, y: str) -> str:
    """The factors that the derivative of an activation is, in terms of its output."""
    return SLOPES[activation].format(y=y)


def lstm_equations(layer: LSTM) -> Equations:
    """textbook/lstm.py, and with options textbook/lstm_variants.py and other_activations.py."""
    act, sigma = layer.activation, layer.recurrent_activation
    peepholes, coupled, projection = layer.peepholes, layer.coupled, layer.projection_size is not None
    gates = layer.gates
    forward = [f"a_{k} = x @ Wx_{k} + h_prev @ Wh_{k}" + (f" + b_{k}" if layer.bias else "") for k in gates]

    def gate(k: str, cell: str) -> str:
        return f"{k} = {sigma}(a_{k} + p_{k} * {cell})" if peepholes else f"{k} = {sigma}(a_{k})"

    forward += [gate("i", "c_prev"), "f = 1 - i" if coupled else gate("f", "c_prev"), f"g = {act}(a_g)"]
    # the output gate's peephole sees the new cell
    forward += ["c = f * c_prev + i * g", gate("o", "c")] if peepholes else [gate("o", "c"), "c = f * c_prev + i * g"]
    forward += [f"s = o * {act}(c)", "h = s @ Wp"] if projection else [f"h = o * {act}(c)"]

    ds = "ds" if projection else "dh"
    seen = [k for k in ("i", "f") if peepholes and k in gates]
    backward = [
        "dh_next = " + " + ".join(f"next.da_{k} @ Wh_{k}.T" for k in gates),
        "dh = dy + dh_next",
        *(["ds = dh @ Wp.T"] if projection else []),
        f"do = {ds} * {act}(c)",
        f"da_o = do * {slope(sigma, 'o')}",
        "dc_next = next.dc * next.f" + "".join(f" + next.da_{k} * p_{k}" for k in seen),
        f"dc = dc_next + {ds} * o * {slope(act, f'{act}(c)')}" + (" + da_o * p_o" if peepholes else ""),
        "df = dc * c_prev",
        "di = dc * g - df" if coupled else "di = dc * g",
        "dg = dc * i",
        f"da_i = di * {slope(sigma, 'i')}",
        *([] if coupled else [f"da_f = df * {slope(sigma, 'f')}"]),
        f"da_g = dg * {slope(act, 'g')}",
    ]
    return Equations(tuple(forward), tuple(backward))


def gru_equations(layer: GRU) -> Equations:
    """textbook/gru.py, reset after the product or before it, with the activations of other_activations.py."""
    act, sigma = layer.activation, layer.recurrent_activation

    def bias(name: str) -> str:
        return f" + {name}" if layer.bias else ""

    after = layer.reset_after
    forward = [f"a_{k} = x @ Wx_{k}{bias(f'b_{k}')}" for k in "rzn"]
    forward += [f"u_{k} = h_prev @ Wh_{k}" for k in "rz"]
    forward += [f"r = {sigma}(a_r + u_r)", f"z = {sigma}(a_z + u_z)"]
    if after:
        forward += [f"q = h_prev @ Wh_n{bias('b_hn')}", f"n = {act}(a_n + r * q)"]
    else:
        forward += ["s = r * h_prev", "u_n = s @ Wh_n", f"n = {act}(a_n + u_n)"]
    forward.append("h = (1 - z) * n + z * h_prev")
    through_product = "next.dq @ Wh_n.T" if after else "next.ds * next.r"
    backward = [
        f"dh_next = next.dh * next.z + next.da_r @ Wh_r.T + next.da_z @ Wh_z.T + {through_product}",
        "dh = dy + dh_next",
        "dz = dh * (h_prev - n)",
        "dn = dh * (1 - z)",
        f"da_n = dn * {slope(act, 'n')}",
        *(["dr = da_n * q", "dq = da_n * r"] if after else ["ds = da_n @ Wh_n.T", "dr = ds * h_prev"]),
        f"da_r = dr * {slope(sigma, 'r')}",
        f"da_z = dz * {slope(sigma, 'z')}",
    ]
    return Equations(tuple(forward), tuple(backward))


def rnn_equations(layer: RNN) -> Equations:
    """textbook/rnn.py, with the activations of other_activations.py."""
    return Equations(
        ("a = x @ Wx + h_prev @ Wh" + (" + b" if layer.bias else ""), f"h = {layer.nonlinearity}(a)"),
        ("dh_next = next.da @ Wh.T", "dh = dy + dh_next", f"da = dh * {slope(layer.nonlinearity, 'h')}"),
    )


def weight_block(layer: Recurrent, k: int, direction: str, symbol: str) -> np.ndarray:
    """What a weight's symbol stands for in layer k of the stack: Wx_i (D, H), b_i (H,), Wp (H, R) ..."""
    prefix = f"{k}.{direction}."
    if prefix + symbol in layer.params:
        return layer.params[prefix + symbol]
    name, _, letter = symbol.rpartition("_")
    gates, p = blocks_in(layer.gates, name), layer.params[prefix + name]
    return np.split(p, len(gates), axis=-1)[gates.index(letter)]
