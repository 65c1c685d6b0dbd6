"""One direction of one layer in an ONNX graph, written so that runtimes agree about rows of unequal lengths.

ONNX gives a node the lengths of the rows, sequence_lens, and a direction. onnxruntime does as the two say; others leave
the lengths out (tutorials/guides/peers.md says which), and then begin a padded row's reverse direction in the padding.
So here

    every node reads forward                a step that is real never sees the padding, which comes after it
    the reverse direction is a forward      ReverseSequence turns the real steps of each row around, before the node
    node between two ReverseSequence        and after it
    h_T is picked out of y                  at the step lengths - 1, where the node has read the row as a whole
    c_T is held                             see below; a node gives c after the last step alone

and the node is told the lengths all the same: it may save the steps of the padding.

To hold c, x gets one number more, 1 in the padding and else 0, and the LSTM a weight for it: -60 to the input gate, +60
to the forget gate. In the padding i = 0 and f = 1, c = 1 c + 0 g: it stays what it was after the row's last step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from npbilstm.interop.onnx_graph import Graph
from npbilstm.interop.onnx_weights import to_node
from npbilstm.interop.parts import cell_of

HOLD = 60.0
"""exp(-60) is nothing beside 1; exp(60) is still a number in float32."""


class End(NamedTuple):
    """Where one direction comes out: y (T, N, H) in the order of time; y_read (T, N, H), as the direction read; Y_c
    (1, N, H), an LSTM's."""

    name: str
    y: str
    y_read: str
    Y_c: str

    def h(self, graph: Graph) -> str:
        """h (1, N, H) after each row's last step; 0 for a row that has none."""
        graph.node("Where", ["last", self.y_read, "zero"], f"{self.name}.y_last")
        return graph.node("ReduceSum", [f"{self.name}.y_last", graph.ints(0)], f"{self.name}.h_T", keepdims=1)

    def c(self, graph: Graph) -> str:
        """c (1, N, H) after each row's last step; anything for a row that has none."""
        return self.Y_c


RANGE = ("range.0", "range.1")
"""Where the steps begin, and from one to the next."""


def valid_steps(graph: Graph, batch: str) -> str:
    """The steps that are real, of lengths (N,) and batch (N, T, ...) -> the name of a mask (N, T)."""
    graph.node("Shape", [batch], "T_axis", start=1, end=2)
    graph.node("Squeeze", ["T_axis"], "T")
    start, step = (graph.constant(name, np.int64(n)) for n, name in enumerate(RANGE))
    graph.node("Range", [start, "T", step], "steps")
    graph.node("Cast", ["lengths"], "lengths_64", to=graph.onnx.TensorProto.INT64)
    graph.node("Unsqueeze", ["lengths_64", graph.ints(1)], "lengths_column")
    return graph.node("Less", ["steps", "lengths_column"], "valid_2")


def step_masks(graph: Graph, batch: str, dtype: np.dtype) -> str:
    """Which steps and rows are what, of lengths (N,) and batch (N, T, ...):

    valid (N, T, 1)     the steps that are real             empty (1, N, 1)      the rows that have none
    last (T, N, 1)      each row's last one                 turned (N,)          how many ReverseSequence turns around
    padding (T, N, 1)   1 where a step is not real, else 0

    -> the name of a zero, for where nothing is valid.
    """
    zero = graph.constant("zero", np.zeros((), dtype))
    graph.node("Unsqueeze", [valid_steps(graph, batch), graph.ints(2)], "valid")
    start, step = RANGE
    graph.node("Unsqueeze", ["lengths_64", graph.ints(0, 2)], "lengths_of_states")
    graph.node("Equal", ["lengths_of_states", start], "empty")
    graph.node("Max", ["lengths_64", step], "one_or_more")  # to turn one step around is nothing; of 0 runtimes differ
    graph.node("Min", ["one_or_more", "T"], "turned")
    graph.node("Unsqueeze", ["steps", graph.ints(1, 2)], "steps_column")
    graph.node("Sub", ["lengths_of_states", step], "last_step")
    graph.node("Equal", ["steps_column", "last_step"], "last")
    graph.node("Less", ["steps_column", "lengths_of_states"], "valid_t")
    graph.node("Not", ["valid_t"], "padding_bool")
    graph.node("CastLike", ["padding_bool", zero], "padding")
    return zero


def read_ids(graph: Graph, table: str) -> None:
    """x_t (T, N, D): the rows of a table (V, D) for ids (N, T). Those of the padding, which may be any, are not looked
    up."""
    graph.node("Where", ["valid_2", "ids", graph.constant("id_0", np.int64(0))], "known_ids")
    graph.node("Gather", [table, "known_ids"], "embedded")
    graph.node("Transpose", ["embedded"], "x_t", perm=[1, 0, 2])


def one_direction(graph: Graph, layer: Any, k: int, s: int, x: str, initial: list[str]) -> End:
    """Direction s of layer k. x (T, N, D); initial: the names of its own h_0 (and c_0), or none of them for zeros."""
    direction = layer.directions[s]
    name = f"{k}.{direction}"
    node = {part: graph.constant(f"{name}.{part}", w[s : s + 1]) for part, w in to_node(layer, k).items()}
    W = node["W"]
    if direction == "reverse":
        x = graph.node("ReverseSequence", [x, "turned"], f"{name}.x", time_axis=0, batch_axis=1)
    holds = bool(initial) and cell_of(layer) == "lstm" and activation_names(layer)[0] in ("sigmoid", *SLOPES)
    if holds:
        x = graph.node("Concat", [x, "padding"], f"{name}.x_and_padding", axis=2)
        W = graph.node("Concat", [W, hold(graph, layer)], f"{name}.W_and_hold", axis=2)
    inputs = [x, W, node["R"], node.get("B", ""), "lengths", *initial]
    if "P" in node:
        inputs += [""] * (7 - len(inputs)) + [node["P"]]
    outputs = [f"{name}.{output}" for output in (("Y", "Y_h", "c_T") if cell_of(layer) == "lstm" else ("Y",))]
    graph.node(cell_of(layer).upper(), inputs, *outputs, **attributes(layer))
    y_read = y = graph.node("Squeeze", [f"{name}.Y", graph.ints(1)], f"{name}.y_read")
    if direction == "reverse":
        y = graph.node("ReverseSequence", [y_read, "turned"], f"{name}.y", time_axis=0, batch_axis=1)
    return End(name, y, y_read, f"{name}.c_T")


def hold(graph: Graph, layer: Any) -> str:
    """What the gates i, o, f, c of an LSTM have for the padding: W's last column (1, 4H, 1), the same everywhere."""
    if not any(constant.name == "hold" for constant in graph.constants):
        dtype = next(iter(layer.params.values())).dtype
        column = np.repeat(np.array([-HOLD, 0, HOLD, 0], dtype), layer.hidden_size)
        graph.constant("hold", column.reshape(1, -1, 1))
    return "hold"


def attributes(layer: Any) -> dict[str, Any]:
    """What the node is to compute, beside its weights."""
    cell = cell_of(layer)
    found: dict[str, Any] = {"hidden_size": layer.hidden_size}
    if cell == "lstm" and layer.coupled:
        found["input_forget"] = 1
    if cell == "gru":
        found["linear_before_reset"] = int(layer.reset_after)
    names = activation_names(layer)
    if names != USUAL[cell]:
        found |= onnx_activations(names)
    return found


USUAL = {"lstm": ["sigmoid", "tanh", "tanh"], "gru": ["sigmoid", "tanh"], "rnn": ["tanh"]}
"""What a node computes with unless it says otherwise."""

SLOPES = {"hard_sigmoid": 1 / 5, "hard_sigmoid_sixth": 1 / 6}
"""The alpha of ONNX's HardSigmoid, whose beta is 1/2."""


def activation_names(layer: Any) -> list[str]:
    """The activations of a layer in the order of a node, by their names here."""
    if cell_of(layer) == "rnn":
        return [layer.nonlinearity]
    return [layer.recurrent_activation] + [layer.activation] * (len(USUAL[cell_of(layer)]) - 1)


def onnx_activations(names: list[str]) -> dict[str, Any]:
    """A node's attributes for activations of these names.

    Each HardSigmoid takes the next alpha and beta. Some runtimes take those at its own place instead; so there are as
    many as activations, and one that needs none has its neighbour's.
    """
    found: dict[str, Any] = {"activations": ["HardSigmoid" if n in SLOPES else n.capitalize() for n in names]}
    slopes = [SLOPES.get(name) for name in names]
    given = [slope for slope in slopes if slope is not None]
    if given:
        found["activation_alpha"] = [
            given[-1 if slope is None and n else 0] if slope is None else slope for n, slope in enumerate(slopes)
        ]
        found["activation_beta"] = [0.5] * len(names)
    return found


def not_everywhere(layer: Any) -> list[str]:
    """A sentence for each thing that a layer has and a runtime leaves out, giving other numbers. Of what a runtime
    refuses, it says so itself."""
    cell, found = cell_of(layer), []
    if getattr(layer, "peepholes", False):
        found.append("OpenVINO leaves the peepholes of an LSTM out, and gives other numbers")
    if cell != "rnn" and activation_names(layer) != USUAL[cell]:
        found.append("onnx's ReferenceEvaluator computes with sigmoid and tanh alone, and gives other numbers")
    return found
