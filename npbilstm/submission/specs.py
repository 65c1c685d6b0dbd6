"""Subjects: what of the textbook can be re-implemented and judged, a concept each with its two passes.

A subject says how its functions are called in the textbook's form,

    *outputs, cache = forward(*arguments)           grads = backward(*upstream, cache)

and gives names and axes to every array that goes in or out. So all subjects are run alike, by dicts of arrays: `Pair`.
Axes are letters, as in the textbook: N rows, T steps, D features, H units, V classes; "4H" is four blocks of H.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from npbilstm import textbook

Arrays = dict[str, np.ndarray]


class Pair(NamedTuple):
    """A subject's two passes by names: forward(inputs) -> outputs, cache; backward(upstream, cache) -> gradients.

    upstream has the names of the outputs, the gradients those of the inputs. backward is None where there is none.
    """

    forward: Callable[[Arrays], tuple[Arrays, Any]]
    backward: Callable[[Arrays, Any], Arrays] | None


class Group(NamedTuple):
    """An argument made of several arrays: `made` is called with them, in this order, and can be iterated to get them
    back. The members may be groups themselves."""

    name: str
    made: Callable[..., Any]
    members: tuple[Any, ...]


Argument = str | Group


class Subject(NamedTuple):
    """A concept of the textbook.

    forward, backward: its functions' names; backward is "" for a function that has none. arguments: of the forward
    pass. inputs, outputs: the axes of each array. floats: the inputs that the loss is differentiated by. gates: the
    names of the blocks in the last axis of Wx, Wh, b. steps: functions that both passes take before all else.
    again: arguments that the backward pass takes after the cache.
    """

    name: str
    title: str
    forward: str
    backward: str
    arguments: tuple[Argument, ...]
    inputs: dict[str, str]
    outputs: dict[str, str]
    floats: tuple[str, ...]
    gates: str = ""
    steps: tuple[str, str] | None = None
    again: tuple[str, ...] = ()

    def in_textbook_form(self, functions: Any) -> Pair:
        """The pair by names, of functions that are called as the textbook's are; `functions` has them as attributes."""

        def forward(inputs: Arrays) -> tuple[Arrays, Any]:
            step = () if self.steps is None else (getattr(functions, self.steps[0]),)
            arguments = {name_of(argument): packed(argument, inputs) for argument in self.arguments}
            answer = getattr(functions, self.forward)(*step, *arguments.values())
            if not self.backward:
                return dict(zip(self.outputs, [answer] if len(self.outputs) == 1 else answer)), None
            *outs, cache = answer
            return named(tuple(self.outputs), outs), (cache, [arguments[name] for name in self.again])

        def backward(upstream: Arrays, cache: Any) -> Arrays:
            step = () if self.steps is None else (getattr(functions, self.steps[1]),)
            douts: list[Any] = [upstream[name] for name in self.outputs]
            if self.again:  # the loop over one sequence, which takes and gives lists of steps
                douts[0] = list(douts[0])
            if self.steps is not None:
                douts[1] = (douts[1],)
            answer = getattr(functions, self.backward)(*step, *douts, cache[0], *cache[1])
            wanted = [argument for argument in self.arguments if set(names_in(argument)) & set(self.floats)]
            grads: Arrays = {}
            for argument, grad in zip(wanted, (answer,) if len(wanted) == 1 else answer, strict=True):
                unpack(argument, grad, grads)
            return grads

        return Pair(forward, backward if self.backward else None)

    def blocks(self, name: str) -> tuple[str, ...]:
        """The names of the blocks in the last axis of one of the inputs; () where it has none."""
        last = self.inputs[name].split()[-1:]
        return tuple(self.gates) if self.gates and last == [f"{len(self.gates)}H"] else ()


def name_of(argument: Argument) -> str:
    """An argument's name."""
    return argument if isinstance(argument, str) else argument.name


def names_in(argument: Argument) -> list[str]:
    """The names of the arrays that an argument is made of."""
    return [argument] if isinstance(argument, str) else [n for member in argument.members for n in names_in(member)]


def packed(argument: Argument, arrays: Mapping[str, Any]) -> Any:
    """An argument made of its arrays."""
    if isinstance(argument, str):
        return arrays[argument]
    return argument.made(*(packed(member, arrays) for member in argument.members))


def unpack(argument: Argument, value: Any, into: Arrays) -> None:
    """Put the arrays that an argument is made of into a dict, by name."""
    if isinstance(argument, str):
        into[argument] = value
    elif argument.made is list:
        into[argument.members[0]] = np.stack(value)
    else:
        for member, part in zip(argument.members, value, strict=True):
            unpack(member, part, into)


def named(names: tuple[str, ...], values: list[Any]) -> Arrays:
    """Outputs by name; one that is a list of steps or a tuple of one array becomes an array."""
    arrays = {}
    for name, value in zip(names, values, strict=True):
        if isinstance(value, tuple) and len(value) == 1:
            value = value[0]
        arrays[name] = np.stack(value) if isinstance(value, list) else np.asarray(value)
    return arrays


def size_of(axes: str, sizes: dict[str, int]) -> tuple[int, ...]:
    """The shape that axes like "N T 4H" have with these sizes."""
    return tuple(int(axis) if axis.isdigit() else int(axis[:-1] or 1) * sizes[axis[-1]] for axis in axes.split())


def sizes_of(subject: Subject, inputs: Arrays) -> dict[str, int]:
    """How large N, T, D ... are in these inputs."""
    sizes = {}
    for name, axes in subject.inputs.items():
        if name in ("N", "T"):
            sizes[name] = int(inputs[name])
        for axis, size in zip(axes.split(), np.shape(inputs[name])):
            if not axis.isdigit():
                sizes[axis[-1]] = size // int(axis[:-1] or 1)
    return sizes


def pair_of(first: Any, second: Any) -> tuple[Any, Any]:
    """A plain pair."""
    return first, second


def single(part: Any) -> tuple[Any]:
    """A tuple of one part: the state of a cell that has but h."""
    return (part,)


def both(prefixes: tuple[str, str], made: Callable[..., Any], names: tuple[str, ...]) -> tuple[Group, Group]:
    """A group for each direction, of arrays named with its prefix."""
    return tuple(Group(way, made, tuple(f"{way}.{name}" for name in names)) for way in prefixes)  # type: ignore[return-value]


WAYS = ("forward", "reverse")
W = ("Wx", "Wh", "b")
LSTM_WEIGHTS = {"Wx": "D 4H", "Wh": "H 4H", "b": "4H"}
GRU_WEIGHTS = {"Wx": "D 3H", "Wh": "H 3H", "b": "3H", "b_hn": "H"}
GATE_WEIGHTS = {"Wx": "4 H D", "Wh": "4 H H", "b": "4 H"}


def each_way(weights: dict[str, str]) -> dict[str, str]:
    """The weights of both directions."""
    return {f"{way}.{name}": axes for way in WAYS for name, axes in weights.items()}


def step_subject(name: str, title: str, params: Any, weights: dict[str, str], gates: str, **state: str) -> Subject:
    """One time step of a cell; `state` has the axes of its parts, h or h and c."""
    states = {f"{part}_prev": axes for part, axes in state.items()}
    inputs = {"x": "N D", **states, **weights}
    return Subject(
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


def loss_subject(name: str, title: str, scores: str) -> Subject:
    """A loss over the valid steps."""
    targets = "N T" if scores == "logits" and name.startswith("softmax") else "N T V"
    inputs = {scores: "N T V", "targets": targets, "lengths": "N"}
    return Subject(name, title, f"{name}_forward", f"{name}_backward", tuple(inputs), inputs, {"loss": ""}, (scores,))


def pooling_subject(name: str, title: str) -> Subject:
    """A pooling of a sequence's valid steps."""
    inputs = {"y": "N T D", "lengths": "N"}
    return Subject(name, title, f"{name}_forward", f"{name}_backward", tuple(inputs), inputs, {"pooled": "N D"}, ("y",))


def function_subject(name: str, title: str, inputs: dict[str, str], outputs: dict[str, str]) -> Subject:
    """A function without a backward pass of its own."""
    return Subject(name, title, name, "", tuple(inputs), inputs, outputs, ())


VARIANT = step_subject(
    "lstm_variant_step",
    "one time step of an LSTM with peepholes and a projection",
    textbook.LSTMVariantParams,
    {"Wx": "D 4H", "Wh": "R 4H", "b": "4H", "p": "3H", "Wp": "H R"},
    "ifgo",
    h="N R",
    c="N H",
)

SUBJECTS: dict[str, Subject] = {
    subject.name: subject
    for subject in [
        *(
            function_subject(name, title, {"a": "N H"}, {"value": "N H"})
            for name, title in [
                ("sigmoid", "the logistic function"),
                ("tanh", "the hyperbolic tangent"),
                ("relu", "the rectifier"),
            ]
        ),
        *(
            function_subject(f"{name}_derivative", f"the derivative of {name}", {"value": "N H"}, {"slope": "N H"})
            for name in ("sigmoid", "tanh", "relu")
        ),
        function_subject("valid_steps", "which steps are real", {"lengths": "N", "T": ""}, {"valid": "N T"}),
        function_subject("check_lengths", "lengths, checked", {"lengths": "N", "N": "", "T": ""}, {"checked": "N"}),
        function_subject(
            "flip", "each row's valid steps reversed", {"x": "N T D", "lengths": "N"}, {"flipped": "N T D"}
        ),
        function_subject(
            "fuse", "gates' matrices side by side", GATE_WEIGHTS, {"Wx": "D 4H", "Wh": "H 4H", "b": "4H"}
        )._replace(arguments=(Group("params", textbook.GateParams, W),)),
        step_subject(
            "lstm_step", "one time step of an LSTM", textbook.LSTMParams, LSTM_WEIGHTS, "ifgo", h="N H", c="N H"
        ),
        Subject(
            "lstm",
            "an LSTM over a batch of sequences",
            "lstm_forward",
            "lstm_backward",
            ("x", "h0", "c0", Group("params", textbook.LSTMParams, W), "lengths"),
            {"x": "N T D", "h0": "N H", "c0": "N H", **LSTM_WEIGHTS, "lengths": "N"},
            {"h": "N T H", "h_T": "N H", "c_T": "N H"},
            ("x", "h0", "c0", *W),
            "ifgo",
        ),
        Subject(
            "bilstm",
            "a bidirectional LSTM over a batch of sequences",
            "bilstm_forward",
            "bilstm_backward",
            ("x", "h0", "c0", Group("params", textbook.BiLSTMParams, both(WAYS, textbook.LSTMParams, W)), "lengths"),
            {"x": "N T D", "h0": "2 N H", "c0": "2 N H", **each_way(LSTM_WEIGHTS), "lengths": "N"},
            {"y": "N T 2H", "h_T": "2 N H", "c_T": "2 N H"},
            ("x", "h0", "c0", *each_way(LSTM_WEIGHTS)),
            "ifgo",
        ),
        Subject(
            "sequence_lstm",
            "an LSTM over one sequence",
            "sequence_lstm_forward",
            "sequence_lstm_backward",
            (Group("xs", list, ("x",)), "h0", "c0", Group("params", textbook.GateParams, W)),
            {"x": "T D", "h0": "H", "c0": "H", **GATE_WEIGHTS},
            {"h": "T H", "c_T": "H"},
            ("x", "h0", "c0", *W),
            again=("params",),
        ),
        Subject(
            "sequence_bilstm",
            "a bidirectional LSTM over one sequence",
            "sequence_bilstm_forward",
            "sequence_bilstm_backward",
            (Group("xs", list, ("x",)), *both(WAYS, textbook.GateParams, W)),
            {"x": "T D", **each_way(GATE_WEIGHTS)},
            {"y": "T 2H"},
            ("x", *each_way(GATE_WEIGHTS)),
            again=WAYS,
        ),
        step_subject("gru_step", "one time step of a GRU", textbook.GRUParams, GRU_WEIGHTS, "rzn", h="N H"),
        step_subject(
            "gru_reset_before_step",
            "one time step of a GRU, reset before the product",
            textbook.GRUResetBeforeParams,
            {name: GRU_WEIGHTS[name] for name in W},
            "rzn",
            h="N H",
        ),
        *(
            step_subject(name, title, textbook.RNNParams, {"Wx": "D H", "Wh": "H H", "b": "H"}, "", h="N H")
            for name, title in [
                ("rnn_step", "one time step of a plain RNN"),
                ("rnn_relu_step", "one time step of a plain RNN with the rectifier"),
            ]
        ),
        VARIANT._replace(arguments=(*VARIANT.arguments, "mask"), inputs={**VARIANT.inputs, "mask": "N R"}),
        Subject(
            "recurrent",
            "a cell through time",
            "recurrent_forward",
            "recurrent_backward",
            ("x", Group("state", single, ("h0",)), Group("params", textbook.GRUParams, tuple(GRU_WEIGHTS)), "lengths"),
            {"x": "N T D", "h0": "N H", **GRU_WEIGHTS, "lengths": "N"},
            {"h": "N T H", "h_T": "N H"},
            ("x", "h0", *GRU_WEIGHTS),
            "rzn",
            steps=("gru_step_forward", "gru_step_backward"),
        ),
        Subject(
            "bidirectional_recurrent",
            "a cell through time, in both directions",
            "bidirectional_recurrent_forward",
            "bidirectional_recurrent_backward",
            (
                "x",
                Group("state", single, ("h0",)),
                Group("params", pair_of, both(WAYS, textbook.GRUParams, tuple(GRU_WEIGHTS))),
                "lengths",
            ),
            {"x": "N T D", "h0": "2 N H", **each_way(GRU_WEIGHTS), "lengths": "N"},
            {"y": "N T 2H", "h_T": "2 N H"},
            ("x", "h0", *each_way(GRU_WEIGHTS)),
            "rzn",
            steps=("gru_step_forward", "gru_step_backward"),
        ),
        loss_subject("softmax_cross_entropy", "softmax cross-entropy over valid steps", "logits"),
        loss_subject("binary_cross_entropy", "binary cross-entropy over valid steps", "logits"),
        loss_subject("mean_squared_error", "squared error over valid steps", "predictions"),
        pooling_subject("mean_over_steps", "the mean over valid steps"),
        pooling_subject("max_over_steps", "the maximum over valid steps"),
    ]
}
"""Every subject, in the order in which they build on one another."""
