"""ONNX out: a layer or a model as a file that other runtimes run.

A layer's file takes x (N, T, D), lengths (N,) int32 and the initial states h_0 (and c_0), and gives y and the final
states h_n (and c_n). A model's takes ids (N, T) int64 and lengths, and gives logits. N and T are free. Padding is as
here: outputs in it are 0, and a row of length 0 keeps its initial state.

What a runtime has of this is for it to say: onnxruntime 1.32 has these nodes for float32 alone, and stops the process
that gives it a batch of no rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from npbilstm.files import write_atomically
from npbilstm.interop.description import KEY, describe
from npbilstm.interop.onnx_weights import to_node
from npbilstm.interop.parts import USUAL_ACTIVATIONS, cell_of, require_options, require_recurrent, require_storable
from npbilstm.layers import Layer, SequenceTagger
from npbilstm.layers.models import SequenceModel

PRODUCER = "npbilstm"

REDUCE = {"sum": "ReduceSum", "mul": "ReduceProd", "ave": "ReduceMean"}
"""The node that merges directions."""

OPSET, IR_VERSION = 18, 8
"""Of 2022: the first in which all that is used here has its present form."""


def require_onnx() -> ModuleType:
    """The package onnx. Raises ValueError where it is not installed."""
    try:
        import onnx
    except ImportError as error:
        raise ValueError("ONNX files need the package onnx: pip install 'npbilstm[onnx]'") from error
    return onnx


class Graph:
    """A graph in the making: nodes in the order they run, and the constants they read. Values go by name."""

    def __init__(self) -> None:
        self.onnx = require_onnx()
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, array: Any) -> str:
        """An array under a name -> the name."""
        self.constants.append(self.onnx.numpy_helper.from_array(np.asarray(array), name))
        return name

    def ints(self, *numbers: int) -> str:
        """Axes, sizes or shapes, as nodes take them -> their name."""
        return self.constant(f"ints.{len(self.constants)}", np.array(numbers, np.int64))

    def node(self, operator: str, inputs: list[str], output: str, *others: str, **attributes: Any) -> str:
        """One node with its outputs -> the name of the first."""
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, [output, *others], **attributes))
        return output

    def value(self, name: str, dtype: Any, shape: list[Any]) -> Any:
        """What an input or output of the graph is; an axis given by a name is free."""
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.onnx.helper.make_tensor_value_info(name, kind, shape)


def export_onnx(layer: Layer, path: str | Path, about: Mapping[str, Any] | None = None) -> None:
    """Write a recurrent layer or a model as an ONNX file: whole, or not at all. from_onnx reads it back.

    about: whatever JSON can hold that its user needs, e.g. vocabulary and classes; it stands in the file's metadata.

    Raises ValueError for what ONNX has not, or where the package onnx is not installed; TypeError for another layer.
    """
    graph = Graph()
    require_storable(layer)
    if isinstance(layer, SequenceModel):
        inputs, outputs = model_graph(graph, layer)
    else:
        inputs, outputs = layer_graph(graph, layer)
    helper = graph.onnx.helper
    content = helper.make_model(
        helper.make_graph(graph.nodes, type(layer).__name__, inputs, outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name=PRODUCER,
    )
    helper.set_model_props(content, {KEY: describe(layer, about)})
    graph.onnx.checker.check_model(content)
    write_atomically(path, lambda file: file.write(content.SerializeToString()))


def layer_graph(graph: Graph, layer: Layer) -> tuple[list[Any], list[Any]]:
    """x, lengths, h_0 (, c_0) -> y, h_n (, c_n): the graph's inputs and outputs."""
    layer = require_recurrent(layer, "or a model")
    state = layer.state_parts
    dtype = next(iter(layer.params.values())).dtype
    zero = valid_mask(graph, "x", dtype)
    graph.node("Transpose", ["x"], "x_t", perm=[1, 0, 2])
    y, finals = recurrent(graph, layer, "x_t", [f"{part}_0" for part in state])
    graph.node("Where", ["valid", y, zero], "y")  # onnxruntime has zeros there already; ONNX does not say
    for part, final in zip(state, finals):
        graph.node("Concat", final, f"{part}_T", axis=0)
        graph.node("Where", ["empty", f"{part}_0", f"{part}_T"], f"{part}_n")
    S, H = layer.num_layers * len(layer.directions), layer.hidden_size
    inputs = [graph.value("x", dtype, ["N", "T", layer.input_size]), graph.value("lengths", np.int32, ["N"])]
    inputs += [graph.value(f"{part}_0", dtype, [S, "N", H]) for part in state]
    outputs = [graph.value("y", dtype, ["N", "T", layer.features(layer.num_layers - 1)])]
    return inputs, outputs + [graph.value(f"{part}_n", dtype, [S, "N", H]) for part in state]


def model_graph(graph: Graph, model: Any) -> tuple[list[Any], list[Any]]:
    """ids, lengths -> logits: the graph's inputs and outputs."""
    for name in ("embedding.W", "linear.W", "linear.b"):
        graph.constant(name, model.params[name])
    dtype = model.params["linear.b"].dtype
    zero = valid_mask(graph, "ids", dtype)
    graph.node("Squeeze", ["valid", graph.ints(2)], "valid_ids")
    graph.node("Where", ["valid_ids", "ids", graph.constant("id_0", np.int64(0))], "known_ids")
    graph.node("Gather", ["embedding.W", "known_ids"], "embedded")
    graph.node("Transpose", ["embedded"], "x_t", perm=[1, 0, 2])
    y, finals = recurrent(graph, model.recurrent, "x_t", [])
    graph.node("MatMul", [head(graph, model, y, finals[0][-1], zero), "linear.W"], "product")
    C = model.linear.output_size
    inputs = [graph.value("ids", np.int64, ["N", "T"]), graph.value("lengths", np.int32, ["N"])]
    if isinstance(model, SequenceTagger):
        graph.node("Add", ["product", "linear.b"], "unmasked")
        graph.node("Where", ["valid", "unmasked", zero], "logits")
        return inputs, [graph.value("logits", dtype, ["N", "T", C])]
    graph.node("Add", ["product", "linear.b"], "logits")
    return inputs, [graph.value("logits", dtype, ["N", C])]


def head(graph: Graph, model: Any, y: str, h_T: str, zero: str) -> str:
    """What a model's linear layer reads, of y (N, T, F) and the last layer's final states h_T (S, N, H)."""
    if isinstance(model, SequenceTagger):
        return y
    if model.pooling == "final":
        width = model.linear.input_size
        graph.node("Where", ["empty", zero, h_T], "h_n")
        graph.node("Transpose", ["h_n"], "h_by_row", perm=[1, 0, 2])
        return graph.node("Reshape", ["h_by_row", graph.ints(0, width)], "pooled")
    if model.pooling == "mean":  # over the valid steps; a row that has none: 0
        graph.node("Where", ["valid", y, zero], "y_valid")
        graph.node("ReduceSum", ["y_valid", graph.ints(1)], "y_sum", keepdims=0)
        graph.node("Max", ["lengths", graph.constant("one", np.int32(1))], "divisor")
        graph.node("Unsqueeze", ["divisor", graph.ints(1)], "divisor_by_row")
        graph.node("CastLike", ["divisor_by_row", zero], "divisor_as_y")
        return graph.node("Div", ["y_sum", "divisor_as_y"], "pooled")
    lowest = graph.constant("lowest", np.array(-np.inf, model.params["linear.b"].dtype))
    graph.node("Where", ["valid", y, lowest], "y_valid")
    graph.node("ReduceMax", ["y_valid", graph.ints(1)], "y_max", keepdims=0)
    graph.node("Unsqueeze", ["lengths", graph.ints(1)], "lengths_by_row")
    graph.node("Equal", ["lengths_by_row", graph.constant("none", np.int32(0))], "nothing")
    return graph.node("Where", ["nothing", zero, "y_max"], "pooled")


def valid_mask(graph: Graph, batch: str, dtype: np.dtype) -> str:
    """valid (N, T, 1), which steps are real; empty (1, N, 1), which rows have none. batch (N, T, ...) tells T.

    -> the name of a zero, for where nothing is valid.
    """
    graph.node("Shape", [batch], "T_axis", start=1, end=2)
    graph.node("Squeeze", ["T_axis"], "T")
    start, step = (graph.constant(f"range.{n}", np.int64(n)) for n in (0, 1))
    graph.node("Range", [start, "T", step], "steps")
    graph.node("Cast", ["lengths"], "lengths_64", to=graph.onnx.TensorProto.INT64)
    graph.node("Unsqueeze", ["lengths_64", graph.ints(1)], "lengths_column")
    graph.node("Less", ["steps", "lengths_column"], "valid_2")
    graph.node("Unsqueeze", ["valid_2", graph.ints(2)], "valid")
    graph.node("Unsqueeze", ["lengths_64", graph.ints(0, 2)], "lengths_of_states")
    graph.node("Equal", ["lengths_of_states", start], "empty")
    return graph.constant("zero", np.zeros((), dtype))


def recurrent(graph: Graph, layer: Any, x: str, initial: list[str]) -> tuple[str, list[list[str]]]:
    """The stack. x (T, N, D); initial: the names of h_0 (and c_0), or none of them for zeros.

    -> y (N, T, features); the final states' names, part by part, layer by layer. What either holds where nothing is
       valid, in the padding and for rows of length 0, is the runtime's choice.
    """
    require_known_to_onnx(layer)
    cell, H, S = cell_of(layer), layer.hidden_size, len(layer.directions)
    attributes: dict[str, Any] = {"hidden_size": H, "direction": "bidirectional" if S == 2 else "forward"}
    if cell == "lstm" and layer.coupled:
        attributes["input_forget"] = 1
    if cell == "gru":
        attributes["linear_before_reset"] = int(layer.reset_after)
    if cell == "rnn":
        attributes["activations"] = [{"tanh": "Tanh", "relu": "Relu"}[layer.nonlinearity]] * S
    finals: list[list[str]] = [[] for _ in layer.state_parts]
    for k in range(layer.num_layers):
        weights = {name: graph.constant(f"{k}.{name}", w) for name, w in to_node(layer, k).items()}
        begin = [own_part(graph, k, S, name) for name in initial] or [""] * len(finals)
        ends = [f"{k}.{part}_T" for part in layer.state_parts]
        inputs = [x, weights["W"], weights["R"], weights.get("B", ""), "lengths", *begin]
        inputs += [weights["P"]] if "P" in weights else []
        y = graph.node(cell.upper(), inputs, f"{k}.Y", *ends, **attributes)  # (T, S, N, H)
        for final, end in zip(finals, ends):
            final.append(end)
        x = merged(graph, layer, k, y)
    return graph.node("Transpose", [x], "y_by_row", perm=[1, 0, 2]), finals


def own_part(graph: Graph, k: int, S: int, name: str) -> str:
    """Layer k's rows (S, N, H) of an initial state (L * S, N, H)."""
    return graph.node("Slice", [name, graph.ints(k * S), graph.ints((k + 1) * S), graph.ints(0)], f"{k}.{name}")


def merged(graph: Graph, layer: Any, k: int, y: str) -> str:
    """The directions of layer k joined: y (T, S, N, H) -> (T, N, features)."""
    if len(layer.directions) == 1 or layer.merge == "concat":
        graph.node("Transpose", [y], f"{k}.Y_by_row", perm=[0, 2, 1, 3])
        return graph.node("Reshape", [f"{k}.Y_by_row", graph.ints(0, 0, layer.features(k))], f"{k}.y")
    return graph.node(REDUCE[layer.merge], [y, graph.ints(1)], f"{k}.y", keepdims=0)


def require_known_to_onnx(layer: Any) -> None:
    """Raise ValueError for what ONNX has no node for."""
    require_options(layer, "a file written here", {"reverse": False, **USUAL_ACTIVATIONS})
    if getattr(layer, "nonlinearity", "tanh") not in ("tanh", "relu"):
        raise ValueError(f"nonlinearity is {layer.nonlinearity!r}; a file written here has 'tanh' and 'relu' alone")
    require_options(layer, "ONNX's LSTM", {"projection_size": None})
    if len(layer.directions) == 2 and layer.merge is None:
        raise ValueError('merge is None; an ONNX file gives one output y, e.g. that of merge="concat"')
