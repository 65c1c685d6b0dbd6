"""ONNX out: a layer or a model as a file that other runtimes run.

A layer's file takes x (N, T, D), lengths (N,) int32 and the initial states h_0 (and c_0), and gives y and the final
states h_n (and c_n). A model's takes ids (N, T) int64 and lengths, and gives logits. N and T are free. Padding is as
here: outputs in it are 0, and a row of length 0 keeps its initial state. A Seq2Seq becomes two files: onnx_seq2seq.py.

Runtimes differ in what they do with a node's sequence_lens (some look away), and in the reverse direction most of all.
So nothing here depends on it, see onnx_directions.py. What a runtime has of the nodes themselves is for it to say:
onnxruntime 1.32 has them for float32 alone, and stops the process that gives it a batch of no rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.files import write_atomically
from npbilstm.interop.description import KEY, describe
from npbilstm.interop.onnx_directions import End, not_everywhere, one_direction, read_ids, step_masks
from npbilstm.interop.onnx_graph import Graph, Values
from npbilstm.interop.onnx_seq2seq import decoder_graph, encoder_graph, halves_of
from npbilstm.interop.parts import require_convertible_options, require_recurrent, require_storable
from npbilstm.layers import Layer
from npbilstm.models import Seq2Seq, SequenceModel, SequenceTagger

MERGE = {"sum": "Sum", "mul": "Mul", "ave": "Mean"}
"""The node that joins the two directions."""


def export_onnx(layer: Layer, path: str | Path, about: Mapping[str, Any] | None = None) -> None:
    """Write a recurrent layer or a model as an ONNX file: whole, or not at all. from_onnx reads it back.

    A Seq2Seq becomes two files: of the path "dates.onnx" dates.encoder.onnx and dates.decoder.onnx, the latter for one
    step. interop/onnx_seq2seq.py says what each takes and gives.

    about: whatever JSON can hold that its user needs, e.g. vocabulary and classes; it stands in the file's metadata.

    Warns (UserWarning) of what some runtimes leave out, e.g. peepholes. Raises ValueError for what ONNX has not, or
    where the package onnx is not installed; TypeError for another layer.

    >>> nb.export_onnx(nb.LSTM(3, 4, rng=0), "lstm.onnx")
    >>> nb.from_onnx("lstm.onnx")
    LSTM(3, 4, 1)
    """
    require_storable(layer)
    recurrent: Any = layer
    graphs: list[tuple[str, Callable[[Graph, Any], Values]]]
    if isinstance(layer, Seq2Seq):
        graphs = [("Seq2Seq encoder", encoder_graph), ("Seq2Seq decoder", decoder_graph)]
        recurrent = layer.encoder
    elif isinstance(layer, SequenceModel):
        graphs = [(type(layer).__name__, model_graph)]
        recurrent = layer.recurrent
    else:
        graphs = [(type(layer).__name__, layer_graph)]
    files = []
    for name, fill in graphs:  # all are made before one is written
        graph = Graph()
        values = fill(graph, layer)
        files.append(graph.file(name, values, {KEY: describe(layer, about)}))
    for file_path, whole in zip(onnx_paths(layer, path), files):
        write_atomically(file_path, lambda file, whole=whole: file.write(whole))  # type: ignore[misc]
    for sentence in not_everywhere(recurrent):
        warnings.warn(sentence, stacklevel=2)


def onnx_paths(layer: Layer, path: str | Path) -> list[Path]:
    """The files that export_onnx writes when it is given this path."""
    return halves_of(Path(path)) if isinstance(layer, Seq2Seq) else [Path(path)]


def layer_graph(graph: Graph, layer: Layer) -> Values:
    """x, lengths, h_0 (, c_0) -> y, h_n (, c_n): the graph's inputs and outputs."""
    layer = require_recurrent(layer, "or a tagger, a classifier or a Seq2Seq")
    state = layer.state_parts
    dtype = next(iter(layer.params.values())).dtype
    zero = step_masks(graph, "x", dtype)
    graph.node("Where", ["valid", "x", zero], "x_valid")
    graph.node("Transpose", ["x_valid"], "x_t", perm=[1, 0, 2])
    y, ends = recurrent(graph, layer, "x_t", [f"{part}_0" for part in state])
    graph.node("Where", ["valid", y, zero], "y")
    for part in state:
        finals = [getattr(end, part)(graph) for stack_layer in ends for end in stack_layer]
        graph.node("Concat", finals, f"{part}_T", axis=0)
        graph.node("Where", ["empty", f"{part}_0", f"{part}_T"], f"{part}_n")
    S, H = layer.num_layers * len(layer.directions), layer.hidden_size
    inputs = [graph.value("x", dtype, ["N", "T", layer.input_size]), graph.value("lengths", np.int32, ["N"])]
    inputs += [graph.value(f"{part}_0", dtype, [S, "N", H]) for part in state]
    outputs = [graph.value("y", dtype, ["N", "T", layer.features(layer.num_layers - 1)])]
    return inputs, outputs + [graph.value(f"{part}_n", dtype, [S, "N", H]) for part in state]


def model_graph(graph: Graph, model: Any) -> Values:
    """ids, lengths -> logits: the graph's inputs and outputs."""
    for name in ("embedding.W", "linear.W", "linear.b"):
        graph.constant(name, model.params[name])
    dtype = model.params["linear.b"].dtype
    zero = step_masks(graph, "ids", dtype)
    read_ids(graph, "embedding.W")
    y, ends = recurrent(graph, model.recurrent, "x_t", [])
    graph.node("MatMul", [head(graph, model, y, ends[-1], zero), "linear.W"], "product")
    C = model.linear.output_size
    inputs = [graph.value("ids", np.int64, ["N", "T"]), graph.value("lengths", np.int32, ["N"])]
    if isinstance(model, SequenceTagger):
        graph.node("Add", ["product", "linear.b"], "unmasked")
        graph.node("Where", ["valid", "unmasked", zero], "logits")
        return inputs, [graph.value("logits", dtype, ["N", "T", C])]
    graph.node("Add", ["product", "linear.b"], "logits")
    return inputs, [graph.value("logits", dtype, ["N", C])]


def head(graph: Graph, model: Any, y: str, ends: list[End], zero: str) -> str:
    """What a model's linear layer reads, of y (N, T, F) and the ends of the last layer's directions."""
    if isinstance(model, SequenceTagger):
        return y
    if model.pooling == "final":  # 0 for a row without steps, which is its initial state
        graph.node("Concat", [end.h(graph) for end in ends], "h_n", axis=2)
        return graph.node("Squeeze", ["h_n", graph.ints(0)], "pooled")
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


def recurrent(graph: Graph, layer: Any, x: str, initial: list[str]) -> tuple[str, list[list[End]]]:
    """The stack. x (T, N, D); initial: the names of h_0 (and c_0), or none of them for zeros.

    -> y (N, T, features), whose padding is whatever came out; where each layer's directions end.
    """
    require_known_to_onnx(layer)
    S, ends = len(layer.directions), []
    for k in range(layer.num_layers):
        stack_layer = []
        for s in range(S):
            begin = [own_part(graph, k * S + s, name) for name in initial]
            stack_layer.append(one_direction(graph, layer, k, s, x, begin))
        x = merged(graph, layer, k, [end.y for end in stack_layer])
        ends.append(stack_layer)
    return graph.node("Transpose", [x], "y_by_row", perm=[1, 0, 2]), ends


def own_part(graph: Graph, n: int, name: str) -> str:
    """The n-th direction's part (1, N, H) of an initial state (L * S, N, H)."""
    return graph.node("Slice", [name, graph.ints(n), graph.ints(n + 1), graph.ints(0)], f"{name}.{n}")


def merged(graph: Graph, layer: Any, k: int, directions: list[str]) -> str:
    """The directions of layer k, each (T, N, H), joined -> (T, N, features)."""
    if len(directions) == 1:
        return directions[0]
    if layer.merge == "concat":
        return graph.node("Concat", directions, f"{k}.y", axis=2)
    return graph.node(MERGE[layer.merge], directions, f"{k}.y")


def require_known_to_onnx(layer: Any) -> None:
    """Raise ValueError for what ONNX has no node for."""
    require_convertible_options(layer, "ONNX's LSTM", {"projection_size": None})
    if len(layer.directions) == 2 and layer.merge is None:
        raise ValueError('merge is None; an ONNX file gives one output y, e.g. that of merge="concat"')
