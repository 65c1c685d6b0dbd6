"""The specs of layer normalisation: alone, and in a step of an LSTM."""

from __future__ import annotations

from npbilstm import textbook
from npbilstm.submission.function_spec import FunctionSpec, Group
from npbilstm.submission.layouts import LSTM_GATES

STATE = {"x": "N D", "h_prev": "N H", "c_prev": "N H"}
WEIGHTS = {"Wx": "D 4H", "Wh": "H 4H", "b": "4H", "gain_x": "4H", "gain_h": "4H", "gain_c": "H", "bias_c": "H"}

LAYER_NORM = [
    FunctionSpec(
        name="layer_norm",
        title="layer normalisation",
        forward="layer_norm_forward",
        backward="layer_norm_backward",
        arguments=("z", "gain", "bias", "epsilon"),
        inputs={"z": "N H", "gain": "H", "bias": "H", "epsilon": ""},
        outputs={"normed": "N H"},
        floats=("z", "gain", "bias"),
        may_lack=("epsilon",),
    ),
    FunctionSpec(
        name="layer_norm_lstm_step",
        title="one time step of an LSTM with layer normalisation",
        forward="layer_norm_lstm_step_forward",
        backward="layer_norm_lstm_step_backward",
        arguments=(*STATE, Group("params", textbook.LayerNormLSTMParams, tuple(WEIGHTS)), "mask", "epsilon"),
        inputs={**STATE, **WEIGHTS, "mask": "N H", "epsilon": ""},
        outputs={"h": "N H", "c": "N H"},
        floats=(*STATE, *WEIGHTS),
        gates=LSTM_GATES,
        may_lack=("mask", "epsilon"),
    ),
]
