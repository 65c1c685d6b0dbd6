"""The table of specs: all of the textbook that can be written anew and judged.

Most differ in few things, so small functions make those that are alike: steps of a cell, losses, poolings, functions
without a backward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npbilstm import textbook
from npbilstm.submission.attention_specs import ATTENTION
from npbilstm.submission.crf_specs import CRF
from npbilstm.submission.ctc_specs import CTC
from npbilstm.submission.function_spec import FunctionSpec, Group
from npbilstm.submission.layer_norm_specs import LAYER_NORM
from npbilstm.submission.layouts import GRU_GATES, LSTM_GATES
from npbilstm.submission.probes import backward_of, forward_of, given_of

DIRECTIONS = ("forward", "reverse")
WEIGHTS = ("Wx", "Wh", "b")
LSTM_WEIGHTS = {"Wx": "D 4H", "Wh": "H 4H", "b": "4H"}
VARIANT_WEIGHTS = {"Wx": "D 4H", "Wh": "R 4H", "b": "4H", "p": "3H", "Wp": "H R"}
GRU_WEIGHTS = {"Wx": "D 3H", "Wh": "H 3H", "b": "3H", "b_hn": "H"}
GRU_RESET_BEFORE_WEIGHTS = {name: GRU_WEIGHTS[name] for name in WEIGHTS}
RNN_WEIGHTS = {"Wx": "D H", "Wh": "H H", "b": "H"}
GATE_WEIGHTS = {"Wx": "4 H D", "Wh": "4 H H", "b": "4 H"}
GRU_STEPS = ("gru_step_forward", "gru_step_backward")


def pair_of(first: Any, second: Any) -> tuple[Any, Any]:
    """A plain pair."""
    return first, second


def state_of(part: Any) -> tuple[Any]:
    """The state of a cell that has but h: a tuple of one part."""
    return (part,)


def both_directions(weights: dict[str, str]) -> dict[str, str]:
    """The weights of both directions."""
    return {f"{direction}.{name}": axes for direction in DIRECTIONS for name, axes in weights.items()}


def params_per_direction(make: Callable[..., Any], names: tuple[str, ...]) -> tuple[Group, ...]:
    """A group of weights for each direction."""
    return tuple(Group(direction, make, tuple(f"{direction}.{name}" for name in names)) for direction in DIRECTIONS)


def step_spec(name: str, title: str, params: Any, weights: dict[str, str], gates: str, **state: str) -> FunctionSpec:
    """One time step of a cell; `state` has the axes of its parts, h or h and c."""
    states = {f"{part}_prev": axes for part, axes in state.items()}
    inputs = {"x": "N D", **states, **weights}
    return FunctionSpec(
        name,
        title,
        f"{name}_forward",
        f"{name}_backward",
        ("x", *states, Group("params", params, tuple(weights))),
        inputs,
        state,
        tuple(inputs),
        gates,
    )


def variant_spec() -> FunctionSpec:
    """A step of the LSTM's variant, which takes a mask of dropout as well."""
    name, title = "lstm_variant_step", "one time step of an LSTM with peepholes and a projection"
    spec = step_spec(name, title, textbook.LSTMVariantParams, VARIANT_WEIGHTS, LSTM_GATES, h="N R", c="N H")
    return spec._replace(arguments=(*spec.arguments, "mask"), inputs={**spec.inputs, "mask": "N R"})


def loss_spec(name: str, title: str, scores: str) -> FunctionSpec:
    """A loss over the valid steps."""
    targets = "N T" if scores == "logits" and name.startswith("softmax") else "N T V"
    inputs = {scores: "N T V", "targets": targets, "lengths": "N"}
    return FunctionSpec(
        name, title, f"{name}_forward", f"{name}_backward", tuple(inputs), inputs, {"loss": ""}, (scores,)
    )


def pooling_spec(name: str, title: str) -> FunctionSpec:
    """A pooling of a sequence's valid steps."""
    inputs = {"y": "N T D", "lengths": "N"}
    return FunctionSpec(
        name, title, f"{name}_forward", f"{name}_backward", tuple(inputs), inputs, {"pooled": "N D"}, ("y",)
    )


def plain_spec(name: str, title: str, inputs: dict[str, str], outputs: dict[str, str]) -> FunctionSpec:
    """A function without a backward pass of its own."""
    return FunctionSpec(name, title, name, "", tuple(inputs), inputs, outputs, ())


ACTIVATIONS = {
    "sigmoid": "the logistic function",
    "tanh": "the hyperbolic tangent",
    "relu": "the rectifier",
    "hard_sigmoid": "the hard sigmoid",
    "hard_sigmoid_sixth": "the flatter hard sigmoid",
}

FUNCTIONS = [
    *(plain_spec(name, title, {"a": "N H"}, {"value": "N H"}) for name, title in ACTIVATIONS.items()),
    *(
        plain_spec(f"{name}_derivative", f"the derivative of {name}", {"value": "N H"}, {"slope": "N H"})
        for name in ACTIVATIONS
    ),
    plain_spec("valid_steps", "which steps are real", {"lengths": "N", "T": ""}, {"valid": "N T"}),
    plain_spec("check_lengths", "lengths, checked", {"lengths": "N", "N": "", "T": ""}, {"checked": "N"}),
    plain_spec("flip", "each row's valid steps reversed", {"x": "N T D", "lengths": "N"}, {"flipped": "N T D"}),
    plain_spec("fuse", "gates' matrices side by side", GATE_WEIGHTS, LSTM_WEIGHTS)._replace(
        arguments=(Group("params", textbook.GateParams, WEIGHTS),)
    ),
]

LSTMS = [
    step_spec("lstm_step", "one time step of an LSTM", textbook.LSTMParams, LSTM_WEIGHTS, LSTM_GATES, h="N H", c="N H"),
    FunctionSpec(
        name="lstm",
        title="an LSTM over a batch of sequences",
        forward="lstm_forward",
        backward="lstm_backward",
        arguments=("x", "h0", "c0", Group("params", textbook.LSTMParams, WEIGHTS), "lengths"),
        inputs={"x": "N T D", "h0": "N H", "c0": "N H", **LSTM_WEIGHTS, "lengths": "N"},
        outputs={"h": "N T H", "h_T": "N H", "c_T": "N H"},
        floats=("x", "h0", "c0", *WEIGHTS),
        gates=LSTM_GATES,
    ),
    FunctionSpec(
        name="bilstm",
        title="a bidirectional LSTM over a batch of sequences",
        forward="bilstm_forward",
        backward="bilstm_backward",
        arguments=(
            "x",
            "h0",
            "c0",
            Group("params", textbook.BiLSTMParams, params_per_direction(textbook.LSTMParams, WEIGHTS)),
            "lengths",
        ),
        inputs={"x": "N T D", "h0": "2 N H", "c0": "2 N H", **both_directions(LSTM_WEIGHTS), "lengths": "N"},
        outputs={"y": "N T 2H", "h_T": "2 N H", "c_T": "2 N H"},
        floats=("x", "h0", "c0", *both_directions(LSTM_WEIGHTS)),
        gates=LSTM_GATES,
    ),
    FunctionSpec(
        name="sequence_lstm",
        title="an LSTM over one sequence",
        forward="sequence_lstm_forward",
        backward="sequence_lstm_backward",
        arguments=(Group("xs", list, ("x",)), "h0", "c0", Group("params", textbook.GateParams, WEIGHTS)),
        inputs={"x": "T D", "h0": "H", "c0": "H", **GATE_WEIGHTS},
        outputs={"h": "T H", "c_T": "H"},
        floats=("x", "h0", "c0", *WEIGHTS),
        again=("params",),
    ),
    FunctionSpec(
        name="sequence_bilstm",
        title="a bidirectional LSTM over one sequence",
        forward="sequence_bilstm_forward",
        backward="sequence_bilstm_backward",
        arguments=(Group("xs", list, ("x",)), *params_per_direction(textbook.GateParams, WEIGHTS)),
        inputs={"x": "T D", **both_directions(GATE_WEIGHTS)},
        outputs={"y": "T 2H"},
        floats=("x", *both_directions(GATE_WEIGHTS)),
        again=DIRECTIONS,
    ),
]

OTHER_CELLS = [
    step_spec("gru_step", "one time step of a GRU", textbook.GRUParams, GRU_WEIGHTS, GRU_GATES, h="N H"),
    step_spec(
        "gru_reset_before_step",
        "one time step of a GRU, reset before the product",
        textbook.GRUResetBeforeParams,
        GRU_RESET_BEFORE_WEIGHTS,
        GRU_GATES,
        h="N H",
    ),
    step_spec("rnn_step", "one time step of a plain RNN", textbook.RNNParams, RNN_WEIGHTS, "", h="N H"),
    step_spec(
        "rnn_relu_step",
        "one time step of a plain RNN with the rectifier",
        textbook.RNNParams,
        RNN_WEIGHTS,
        "",
        h="N H",
    ),
    variant_spec(),
]

LOOPS = [
    FunctionSpec(
        name="recurrent",
        title="a cell through time",
        forward="recurrent_forward",
        backward="recurrent_backward",
        arguments=(
            "x",
            Group("state", state_of, ("h0",)),
            Group("params", textbook.GRUParams, tuple(GRU_WEIGHTS)),
            "lengths",
        ),
        inputs={"x": "N T D", "h0": "N H", **GRU_WEIGHTS, "lengths": "N"},
        outputs={"h": "N T H", "h_T": "N H"},
        floats=("x", "h0", *GRU_WEIGHTS),
        gates=GRU_GATES,
        steps=GRU_STEPS,
    ),
    FunctionSpec(
        name="bidirectional_recurrent",
        title="a cell through time, in both directions",
        forward="bidirectional_recurrent_forward",
        backward="bidirectional_recurrent_backward",
        arguments=(
            "x",
            Group("state", state_of, ("h0",)),
            Group("params", pair_of, params_per_direction(textbook.GRUParams, tuple(GRU_WEIGHTS))),
            "lengths",
        ),
        inputs={"x": "N T D", "h0": "2 N H", **both_directions(GRU_WEIGHTS), "lengths": "N"},
        outputs={"y": "N T 2H", "h_T": "2 N H"},
        floats=("x", "h0", *both_directions(GRU_WEIGHTS)),
        gates=GRU_GATES,
        steps=GRU_STEPS,
    ),
]

IN_AND_OUT = [
    FunctionSpec(
        name="embedding",
        title="an embedding",
        forward="embedding_forward",
        backward="embedding_backward",
        arguments=("ids", "table"),  # the textbook's W: no layout of weights turns it round
        inputs={"ids": "N T", "table": "V D"},
        outputs={"x": "N T D"},
        floats=("table",),
    ),
    FunctionSpec(
        name="affine",
        title="an affine map of every step",
        forward="affine_forward",
        backward="affine_backward",
        arguments=("x", "W", "b"),
        inputs={"x": "N T D", "W": "D V", "b": "V"},
        outputs={"scores": "N T V"},
        floats=("x", "W", "b"),
    ),
]

STACKED_WEIGHTS = {"first": LSTM_WEIGHTS, "second": {**LSTM_WEIGHTS, "Wx": "H 4H"}}
STACKED = {f"{layer}.{name}": axes for layer, weights in STACKED_WEIGHTS.items() for name, axes in weights.items()}

AROUND_TRAINING = [
    FunctionSpec(
        name="stacked_lstm",
        title="two LSTMs, one upon the other",
        forward="stacked_lstm_forward",
        backward="stacked_lstm_backward",
        arguments=(
            "x",
            "h0",
            "c0",
            Group(
                "params",
                pair_of,
                tuple(
                    Group(layer, textbook.LSTMParams, tuple(f"{layer}.{name}" for name in WEIGHTS))
                    for layer in STACKED_WEIGHTS
                ),
            ),
            "lengths",
        ),
        inputs={"x": "N T D", "h0": "2 N H", "c0": "2 N H", **STACKED, "lengths": "N"},
        outputs={"h": "N T H", "h_T": "2 N H", "c_T": "2 N H"},
        floats=("x", "h0", "c0", *STACKED),
        gates=LSTM_GATES,
    ),
    FunctionSpec(
        name="truncated",
        title="a cell through time, window by window",
        forward="truncated_forward",
        backward="truncated_backward",
        arguments=(
            "x",
            Group("state", state_of, ("h0",)),
            Group("params", textbook.GRUParams, tuple(GRU_WEIGHTS)),
            "window",
        ),
        inputs={"x": "N T D", "h0": "N H", **GRU_WEIGHTS, "window": ""},
        outputs={"h": "N T H", "h_T": "N H"},
        floats=("x", "h0", *GRU_WEIGHTS),
        gates=GRU_GATES,
        steps=GRU_STEPS,
    ),
    plain_spec("mask_from_uniform", "dropout's mask", {"u": "N D", "rate": ""}, {"mask": "N D"}),
    FunctionSpec(
        name="dropout_over_time",
        title="dropout over time",
        forward="dropout_over_time_forward",
        backward="dropout_over_time_backward",
        arguments=("x", "mask"),
        inputs={"x": "N T D", "mask": "N D"},
        outputs={"dropped": "N T D"},
        floats=("x",),
    ),
    plain_spec("clipping_factor", "clipping's factor", {"norm": "", "max_norm": ""}, {"factor": ""}),
    plain_spec(
        "clipped_gradients",
        "gradients clipped by their global norm",
        {"dtable": "V D", "dW": "D V", "db": "V", "max_norm": ""},
        {"clipped_dtable": "V D", "clipped_dW": "D V", "clipped_db": "V", "norm": ""},
    ),
    plain_spec(
        "backward_is_right",
        "a gradient check",
        {"forward_probe": "", "backward_probe": "", "x_probe": "", "start": "N D"},
        {"right": ""},
    )._replace(
        arguments=(
            Group("forward", forward_of, ("forward_probe",)),
            Group("backward", backward_of, ("backward_probe",)),
            Group("x", given_of, ("x_probe", "start")),
        )
    ),
]

LOSSES_AND_POOLINGS = [
    loss_spec("softmax_cross_entropy", "softmax cross-entropy over valid steps", "logits"),
    loss_spec("weighted_cross_entropy", "cross-entropy with class weights and a mask", "logits")._replace(
        arguments=("logits", "targets", "class_weights", "mask"),
        inputs={"logits": "N T V", "targets": "N T", "class_weights": "V", "mask": "N T"},
    ),
    loss_spec("binary_cross_entropy", "binary cross-entropy over valid steps", "logits"),
    loss_spec("mean_squared_error", "squared error over valid steps", "predictions"),
    pooling_spec("mean_over_steps", "the mean over valid steps"),
    pooling_spec("max_over_steps", "the maximum over valid steps"),
]

ALL = [*FUNCTIONS, *LSTMS, *OTHER_CELLS, *LOOPS, *IN_AND_OUT, *LOSSES_AND_POOLINGS, *CTC, *AROUND_TRAINING]
SPECS: dict[str, FunctionSpec] = {spec.name: spec for spec in [*ALL, *ATTENTION, *CRF, *LAYER_NORM]}
"""Every spec by its name, in the order in which they build on one another."""
