"""What each name in the equations is, in plain words."""

from __future__ import annotations

from npbilstm.layers import Recurrent
from npbilstm.layers.options import SIGMOIDS

GATES = ("i", "f", "o", "r", "z")
"""Between 0 and 1, where their function is; all others may have either sign."""

QUANTITIES = ("i", "f", "g", "o", "c", "r", "z", "n", "h")
"""What there is to see of a unit at a step, of any cell, in the order in which it is shown."""

DESCRIPTIONS = {
    # what a step starts from
    "x": "what the layer reads at this step",
    "h_prev": "what was put out at the step read before",
    "c_prev": "the cell as the step read before left it",
    # LSTM
    "a_i": "the input gate: what x and the old h say",
    "a_f": "the forget gate: what x and the old h say",
    "a_g": "the candidate: what x and the old h say",
    "a_o": "the output gate: what x and the old h say",
    "i": "input gate: how much of the candidate to write",
    "f": "forget gate: how much of the old cell to keep",
    "g": "candidate: what could be written",
    "o": "output gate: how much of the cell to show",
    "c": "the cell: what was kept plus what was written",
    "s": "a gated state, which enters the next product",
    "h": "hidden state: what is put out",
    # GRU
    "a_r": "the reset gate: what the input says",
    "a_z": "the update gate: what the input says",
    "a_n": "the candidate: what the input says",
    "u_r": "the reset gate: what the old state says",
    "u_z": "the update gate: what the old state says",
    "u_n": "the candidate: what the reset old state says",
    "r": "reset gate: how much of the old state n sees",
    "z": "update gate: how much of the old state to keep",
    "q": "what the old state says to n, before the reset",
    "n": "candidate: the new state if nothing were kept",
    # RNN
    "a": "the unit before its nonlinearity",
    # the gradient of the loss with respect to each
    "dy": "gradient of h from what reads it at this step",
    "dh_next": "gradient of h from what is read later",
    "dc_next": "gradient of c from what is read later",
    "dh": "gradient of h: from above and from later",
    "dc": "gradient of c: from later and from this step",
    "di": "what reaches the input gate",
    "df": "what reaches the forget gate",
    "dg": "what reaches the candidate",
    "do": "what reaches the output gate",
    "ds": "what reaches the gated state",
    "dr": "what reaches the reset gate",
    "dz": "what reaches the update gate",
    "dn": "what reaches the candidate",
    "dq": "what reaches the old state's say in n",
    "da_i": "back through the input gate's sigmoid",
    "da_f": "back through the forget gate's sigmoid",
    "da_g": "back through the candidate's tanh",
    "da_o": "back through the output gate's sigmoid",
    "da_r": "back through the reset gate's sigmoid",
    "da_z": "back through the update gate's sigmoid",
    "da_n": "back through the candidate's tanh",
    "da": "back through the nonlinearity",
}
"""At most 50 characters each: they stand beside the numbers."""


def gates_of(layer: Recurrent) -> tuple[str, ...]:
    """Which names are of gates between 0 and 1: none where another function than a sigmoid opens them."""
    return GATES if getattr(layer, "recurrent_activation", "sigmoid") in SIGMOIDS else ()


def description_of(layer: Recurrent, name: str) -> str:
    """What a name is in this layer, with the layer's own activations."""
    words = DESCRIPTIONS[name]
    if words.endswith("sigmoid"):
        return words.removesuffix("sigmoid") + layer.recurrent_activation  # type: ignore[attr-defined]
    if words.endswith("tanh"):
        return words.removesuffix("tanh") + layer.activation  # type: ignore[attr-defined]
    return words
