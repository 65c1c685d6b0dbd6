"""The cells' steps with other functions where tanh and sigmoid stand: Keras' `activation` and `recurrent_activation`.

    r    = sigmoid(a_r + u_r)              r    = hard_sigmoid(a_r + u_r)
    n    = tanh(a_n + r * q)               n    = relu(a_n + r * q)
    da_n = dn * tanh_derivative(n)         da_n = dn * relu_derivative(n)

Which function squashes changes no other equation. So no step is written a second time: with_activations takes the code
of a step as it stands, and lets the names tanh and sigmoid in it mean other functions.

    forward  = with_activations(gru_step_forward, "relu", "hard_sigmoid")
    backward = with_activations(gru_step_backward, "relu", "hard_sigmoid")
    h, cache = forward(x, h_prev, params)
    dx, dh_prev, grads = backward(dh, cache)

In an LSTM both uses of tanh change, that for the candidate and that for the cell, h = o * tanh(c).
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from npbilstm.textbook.activations import ACTIVATIONS


def with_activations(step: Any, activation: str = "tanh", recurrent_activation: str = "sigmoid") -> Any:
    """A step, forward or backward, with other functions for tanh and for sigmoid; both passes need the same.

    step: rnn_step_forward, gru_step_backward, lstm_variant_step_forward ... activation, recurrent_activation: names in
    ACTIVATIONS.

    Raises ValueError for another name, and for a function in which tanh does not stand.
    """
    if not {"tanh", "tanh_derivative"} & set(step.__code__.co_names):
        raise ValueError(f"step is {step.__name__}, which calls no tanh itself; it needs one step of a cell")
    meaning = {}
    for argument, stands_for, name in [
        ("activation", "tanh", activation),
        ("recurrent_activation", "sigmoid", recurrent_activation),
    ]:
        if name not in ACTIVATIONS:
            raise ValueError(f"{argument} is {name!r}; it needs one of {', '.join(map(repr, ACTIVATIONS))}")
        meaning[stands_for], meaning[f"{stands_for}_derivative"] = ACTIVATIONS[name]
    return FunctionType(step.__code__, {**step.__globals__, **meaning}, step.__name__, step.__defaults__)
