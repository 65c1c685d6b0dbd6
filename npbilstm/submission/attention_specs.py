"""The specs of attention and of the decoder: S steps of the source, E features of each, A units between."""

from __future__ import annotations

from npbilstm import textbook
from npbilstm.submission.function_spec import FunctionSpec, Group
from npbilstm.submission.layouts import LSTM_GATES

CELL = {"Wx": "D+E 4H", "Wh": "H 4H", "b": "4H"}
SCORE = {"Wq": "H A", "Wk": "E A", "v": "A"}
DECODER = Group(
    "params",
    textbook.DecoderParams,
    (
        Group("cell", textbook.LSTMParams, tuple(CELL)),
        Group("attention", textbook.AdditiveAttentionParams, tuple(SCORE)),
    ),
)

ATTENTION = [
    FunctionSpec(
        name="dot_attention",
        title="dot-product attention",
        forward="dot_attention_forward",
        backward="dot_attention_backward",
        arguments=("query", "keys", "lengths"),
        inputs={"query": "N H", "keys": "N S H", "lengths": "N"},
        outputs={"context": "N H", "alpha": "N S"},
        floats=("query", "keys"),
    ),
    FunctionSpec(
        name="additive_attention",
        title="additive attention",
        forward="additive_attention_forward",
        backward="additive_attention_backward",
        arguments=("query", "keys", Group("params", textbook.AdditiveAttentionParams, tuple(SCORE)), "lengths"),
        inputs={"query": "N H", "keys": "N S E", **SCORE, "lengths": "N"},
        outputs={"context": "N E", "alpha": "N S"},
        floats=("query", "keys", *SCORE),
    ),
    FunctionSpec(
        name="decoder_step",
        title="one step of a decoder with additive attention",
        forward="decoder_step_forward",
        backward="decoder_step_backward",
        arguments=("x", "h_prev", "c_prev", "context_prev", "keys", DECODER, "lengths"),
        inputs={
            "x": "N D",
            "h_prev": "N H",
            "c_prev": "N H",
            "context_prev": "N E",
            "keys": "N S E",
            **CELL,
            **SCORE,
            "lengths": "N",
        },
        outputs={"h": "N H", "c": "N H", "context": "N E", "alpha": "N S"},
        floats=("x", "h_prev", "c_prev", "context_prev", "keys", *CELL, *SCORE),
        gates=LSTM_GATES,
    ),
    FunctionSpec(
        name="decoder",
        title="a decoder with additive attention over time",
        forward="decoder_forward",
        backward="decoder_backward",
        arguments=("x", "h0", "c0", "keys", DECODER, "lengths", "source_lengths"),
        inputs={
            "x": "N T D",
            "h0": "N H",
            "c0": "N H",
            "keys": "N S E",
            **CELL,
            **SCORE,
            "lengths": "N",
            "source_lengths": "N",
        },
        outputs={"h": "N T H", "context": "N T E", "alpha": "N T S"},
        floats=("x", "h0", "c0", "keys", *CELL, *SCORE),
        gates=LSTM_GATES,
    ),
]
