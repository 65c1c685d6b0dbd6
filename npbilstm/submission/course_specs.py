"""Specs of what courses ask for and the textbook has no functions of its own for.

The textbook takes any cell through time with one function; courses write one for each cell, rnn_forward say, or all of
a model in one, with its loss (compositions.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from npbilstm import textbook
from npbilstm.submission import compositions
from npbilstm.submission.function_spec import FunctionSpec, Group
from npbilstm.submission.layouts import GRU_GATES, Layout
from npbilstm.submission.specs import (
    GRU_RESET_BEFORE_WEIGHTS,
    GRU_STEPS,
    GRU_WEIGHTS,
    RNN_WEIGHTS,
    SPECS,
    WEIGHTS,
    both_directions,
    pair_of,
    params_per_direction,
    state_of,
    step_spec,
)

RESET_BEFORE = "_reset_before"
STATE = Group("state", state_of, ("h0",))


def loop_spec(
    name: str, title: str, params: Callable[..., object], weights: dict[str, str], steps: tuple[str, str], gates: str
) -> FunctionSpec:
    """A cell through time, by functions of its own name."""
    return FunctionSpec(
        name,
        title,
        "recurrent_forward",
        "recurrent_backward",
        ("x", STATE, Group("params", params, tuple(weights)), "lengths"),
        {"x": "N T D", "h0": "N H", **weights, "lengths": "N"},
        {"h": "N T H", "h_T": "N H"},
        ("x", "h0", *weights),
        gates,
        steps,
        own=(f"{name}_forward", f"{name}_backward"),
    )


def part_of_rnn(name: str, title: str, inputs: dict[str, str], outputs: dict[str, str], compose: Any) -> FunctionSpec:
    """What courses ask for around a plain RNN, composed of the textbook's functions; only forms have it."""
    floats = {"x", "h0", "Wx", "Wh", "b", "Wy", "by"}
    weights = tuple(each for each in inputs if each.rpartition(".")[2] in floats)
    arguments = tuple(inputs)
    forward, backward = compositions.BOTH if "probabilities" not in outputs else (compositions.BOTH[0], "")
    return FunctionSpec(
        name, title, forward, backward, arguments, inputs, outputs, weights, own=("", ""), compose=compose
    )._replace(made_of=compositions.OF_TRUNCATED if compose is compositions.truncated_rnn else compositions.MADE_OF)


RNN_STEPS = ("rnn_step_forward", "rnn_step_backward")
TEXT = {"ids": "N T", "targets": "N T"}
OUTPUT = {"Wy": "H V", "by": "V"}

COURSE_SPECS = [
    step_spec(
        "rnn_reverse_step", "one step of a plain RNN in reverse time", textbook.RNNParams, RNN_WEIGHTS, "", h="N H"
    )._replace(forward=RNN_STEPS[0], backward=RNN_STEPS[1], own=("", "")),
    loop_spec(
        "rnn",
        "a plain RNN over a batch of sequences",
        textbook.RNNParams,
        RNN_WEIGHTS,
        RNN_STEPS,
        "",
    ),
    FunctionSpec(
        "birnn",
        "a plain RNN in both directions",
        "bidirectional_recurrent_forward",
        "bidirectional_recurrent_backward",
        ("x", STATE, Group("params", pair_of, params_per_direction(textbook.RNNParams, WEIGHTS)), "lengths"),
        {"x": "N T D", "h0": "2 N H", **both_directions(RNN_WEIGHTS), "lengths": "N"},
        {"y": "N T 2H", "h_T": "2 N H"},
        ("x", "h0", *both_directions(RNN_WEIGHTS)),
        steps=RNN_STEPS,
        own=("", ""),
    ),
    loop_spec("gru", "a GRU over a batch of sequences", textbook.GRUParams, GRU_WEIGHTS, GRU_STEPS, GRU_GATES),
    loop_spec(
        f"gru{RESET_BEFORE}",
        "a GRU over a batch of sequences, reset before the product",
        textbook.GRUResetBeforeParams,
        GRU_RESET_BEFORE_WEIGHTS,
        ("gru_reset_before_step_forward", "gru_reset_before_step_backward"),
        GRU_GATES,
    ),
    part_of_rnn(
        "softmax_output",
        "the softmax of an affine map",
        {"x": "N T D", "Wy": "D V", "by": "V"},
        {"probabilities": "N T V"},
        compositions.softmax_output,
    ),
    part_of_rnn(
        "rnn_classifier",
        "two layers of a plain RNN, and an affine map of the last step",
        {
            "x": "N T D",
            "h0": "2 N H",
            **{f"first.{name}": axes for name, axes in RNN_WEIGHTS.items()},
            **{f"second.{name}": axes for name, axes in {**RNN_WEIGHTS, "Wx": "H H"}.items()},
            **OUTPUT,
        },
        {"logits": "N V"},
        compositions.rnn_classifier,
    ),
    part_of_rnn(
        "char_rnn",
        "a plain RNN over symbols, with its loss",
        {**TEXT, "h0": "N H", **RNN_WEIGHTS, "Wx": "V H", **OUTPUT},
        {"loss": "", "h_T": "N H"},
        compositions.char_rnn,
    ),
    part_of_rnn(
        "truncated_rnn",
        "an RNN with the logistic function over symbols, backpropagation through time truncated",
        {**TEXT, "steps": "", "Wx": "V H", "Wh": "H H", "Wy": "H V"},
        {"loss": ""},
        compositions.truncated_rnn,
    ),
    part_of_rnn(
        "one_step_rnn",
        "an RNN with the logistic function over symbols, without backpropagation through time",
        {**TEXT, "Wx": "V H", "Wh": "H H", "Wy": "H V"},
        {"loss": ""},
        compositions.truncated_rnn,
    ),
]

ALL_SPECS: dict[str, FunctionSpec] = {**SPECS, **{spec.name: spec for spec in COURSE_SPECS}}
"""Every spec by its name: the textbook's, then those."""
PASSES = tuple(name for spec in ALL_SPECS.values() for name in spec.names if name)
"""The names by which functions are judged."""


def as_submitted(spec: FunctionSpec, functions: Collection[str], layout: Layout) -> FunctionSpec:
    """A spec with the names that its functions have among these. Where a GRU resets before the product,
    gru_step_forward is judged as gru_reset_before_step_forward."""
    forward, backward = spec.names
    if layout.reset == "before" and RESET_BEFORE in spec.name and not {forward, backward} & set(functions):
        forward, backward = forward.replace(RESET_BEFORE, ""), backward.replace(RESET_BEFORE, "")
    spec = spec._replace(forward=forward, backward=backward)
    if spec.own:
        spec = spec._replace(steps=None, arguments=tuple("h0" if a == STATE else a for a in spec.arguments))
    return spec


def subjects_in(functions: Collection[str], layout: Layout) -> dict[str, tuple[str, ...]]:
    """The specs of which a function is among these, by name -> those functions."""
    subjects = {}
    for name, spec in ALL_SPECS.items():
        submitted = as_submitted(spec, functions, layout)
        found = tuple(each for each in (submitted.forward, submitted.backward) if each and each in functions)
        if found and not (layout.reset == "before" and name in ("gru_step", "gru")):
            subjects[name] = found
    return subjects


def textbook_names(names: Iterable[str], layout: Layout) -> frozenset[str]:
    """The textbook's functions that these submitted ones stand for."""
    found: set[str] = set()
    names = set(names)
    for spec in ALL_SPECS.values():
        submitted = as_submitted(spec, names, layout)
        for own, textbooks in ((submitted.forward, spec.forward), (submitted.backward, spec.backward)):
            if own and own in names:
                found.add(textbooks)
    return frozenset(found)
