"""ONNX in: the recurrent layers of a file, made here again; the whole model where export_onnx wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.interop.description import KEY, Description, combined, read_description
from npbilstm.interop.onnx_export import REDUCE, require_onnx
from npbilstm.interop.onnx_weights import from_node, to_node
from npbilstm.interop.parts import Arrays, as_arrays, assembled, embedding_of, fresh, linear_of
from npbilstm.layers import Layer
from npbilstm.layers.layer import require_same_names
from npbilstm.layers.recurrent import Recurrent
from npbilstm.training.checkpoints import MODELS

INPUTS = {
    "LSTM": ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"),
    "GRU": ("X", "W", "R", "B", "sequence_lens", "initial_h"),
    "RNN": ("X", "W", "R", "B", "sequence_lens", "initial_h"),
}
ACTIVATIONS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
"""What each direction computes with, unless the node says otherwise."""

OF_SHAPE = ("Cast", "Concat", "Dropout", "Expand", "Identity", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze")
"""Operators that move numbers and change none. Between two layers all but Slice and Expand may stand."""

KNOWN = ("hidden_size", "direction", "layout", "activations", "input_forget", "linear_before_reset")
"""The attributes that a node may have here. layout says where N and T stand, which no weight knows."""


def from_onnx(path: str | Path, **options: Any) -> Layer:
    """The layer in an ONNX file: one LSTM, GRU or RNN, or several stacked ones; a model where export_onnx wrote one.

    options: what the file does not tell, as the layer takes it, e.g. dropout; or merge, where the file is not ours and
    its directions are not concatenated. Of another's file only the recurrent layers are read, not what stands around
    them.

    Raises OSError where there is no such file; ValueError where it is damaged, holds no recurrent layer, or one that we
    have not; or where the package onnx is not installed.
    """
    return read_onnx(path, **options)[0]


def read_onnx(path: str | Path, **options: Any) -> tuple[Layer, Description]:
    """from_onnx, and what the file says of itself."""
    try:
        graph, constants, text = load_graph(path)
        said = read_description(text)
        options = combined(said.options, options)
        if said.kind is None and graph.name in MODELS:
            raise ValueError(f"it is named {graph.name} and has lost the description that export_onnx wrote beside it")
        if said.kind in MODELS:
            layer = recurrent_layer(graph, constants)
            W, b, E = (constants.get(name) for name in ("linear.W", "linear.b", "embedding.W"))
            if W is None or b is None or E is None:
                raise ValueError(f"it is said to hold a {said.kind}, and lacks embedding.W, linear.W or linear.b")
            return assembled(MODELS[said.kind], embedding_of(E), layer, linear_of(W, b), **options), said
        return recurrent_layer(graph, constants, **options), said
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def load_graph(path: str | Path) -> tuple[Any, Arrays, str | None]:
    """A file's graph, its constant arrays by name, and its description. Raises OSError or ValueError."""
    onnx = require_onnx()
    with open(path, "rb"):
        pass  # an OSError that names the path
    try:
        content = onnx.load(str(path))
        onnx.checker.check_model(content)
        tensors = {tensor.name: tensor for tensor in content.graph.initializer}
        for node in content.graph.node:
            if node.op_type == "Constant" and node.attribute[0].name == "value":
                tensors[node.output[0]] = node.attribute[0].t
        constants = {name: onnx.numpy_helper.to_array(tensor) for name, tensor in tensors.items()}
        props = {entry.key: entry.value for entry in content.metadata_props}
    except Exception as error:  # protobuf, the checker and NumPy raise many things for bytes not theirs
        raise ValueError(f"it is no ONNX file, or it is damaged or cut short ({first_line(error)})") from error
    return content.graph, constants, props.get(KEY)


def first_line(error: Exception) -> str:
    """The first line of an error's text that says anything."""
    return next((line.strip() for line in str(error).split("\n") if line.strip()), type(error).__name__)


def recurrent_layer(graph: Any, constants: Arrays, **options: Any) -> Recurrent:
    """The stack of a graph's recurrent nodes."""
    nodes = [node for node in graph.node if node.op_type in INPUTS]
    if not nodes:
        raise ValueError("it holds no LSTM, GRU or RNN node")
    require_chain(graph, nodes, options.get("merge"))
    weights = [weights_of(node, graph, constants) for node in nodes]
    as_arrays("weights", {f"{k}.{name}": w for k, own in enumerate(weights) for name, w in own.items()})
    first, asked = weights[0], [options_of(node, own) for node, own in zip(nodes, weights)]
    for k, (node, other) in enumerate(zip(nodes, asked)):
        if (node.op_type, other) != (nodes[0].op_type, asked[0]):
            raise ValueError(f"recurrent node {k} is not of the first one's kind; all layers of a stack need to be")
    for name in ("W", "R"):
        if first[name].ndim != 3:
            raise ValueError(
                f"the first {nodes[0].op_type}'s {name} has shape {first[name].shape}; it needs three axes"
            )
    _, _, H = first["R"].shape
    layer = fresh(
        nodes[0].op_type.lower(),
        first["W"].shape[2],
        H,
        len(nodes),
        first["W"].dtype,
        {"bias": "B" in first},
        combined(asked[0], options),
    )
    params: Arrays = {}
    for k, own in enumerate(weights):
        require_same_names(f"recurrent node {k}", own, to_node(layer, k))
        params.update(from_node(layer, k, own))
    return layer.with_params({name: params[name] for name in layer.params})


def weights_of(node: Any, graph: Any, constants: Arrays) -> Arrays:
    """A node's W, R, B, P as arrays. Raises ValueError where one is no constant, or an initial state is part of the
    graph and not 0."""
    given = {name: value for name, value in zip(INPUTS[node.op_type], node.input) if value}
    makers = {output: maker for maker in graph.node for output in maker.output}
    outside = {value.name for value in graph.input} - set(constants)
    for state in ("initial_h", "initial_c"):
        if state in given and not is_zero_or_given(given[state], makers, constants, outside):
            raise ValueError(
                f"the {state} of its {node.op_type} is part of the graph and not 0; a layer here takes its state from "
                "whoever calls it"
            )
    weights: Arrays = {}
    for name in ("W", "R", "B", "P"):
        if name in given:
            if given[name] not in constants:
                raise ValueError(f"the {name} of its {node.op_type} is computed; it needs to be a constant")
            weights[name] = constants[given[name]]
    return weights


def is_zero_or_given(value: str, makers: dict[str, Any], constants: Arrays, outside: set[str]) -> bool:
    """Whether a value is 0 for sure, or comes from outside, perhaps in another shape."""
    if value in constants:
        return not np.any(constants[value])
    maker = makers.get(value)
    if maker is None:
        return value in outside
    if maker.op_type == "ConstantOfShape":
        onnx = require_onnx()
        return not any(np.any(onnx.numpy_helper.to_array(fill.t)) for fill in maker.attribute)
    data = maker.input if maker.op_type == "Concat" else maker.input[:1]
    return maker.op_type in OF_SHAPE and all(is_zero_or_given(one, makers, constants, outside) for one in data)


def options_of(node: Any, weights: Arrays) -> dict[str, Any]:
    """What a node's attributes ask of a layer. Raises ValueError for what a layer here has not."""
    onnx = require_onnx()
    kind = node.op_type
    values = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    for name in values:
        if name not in KNOWN:
            raise ValueError(f"its {kind} has the attribute {name}, which no layer here has")
    direction = values.get("direction", b"forward").decode(errors="replace")
    if direction not in ("forward", "bidirectional"):
        raise ValueError(f'the direction of its {kind} is "{direction}"; it needs "forward" or "bidirectional"')
    S = 2 if direction == "bidirectional" else 1
    activations = [name.decode(errors="replace") for name in values.get("activations", [])] or ACTIVATIONS[kind] * S
    options: dict[str, Any] = {"bidirectional": S == 2}
    if kind == "RNN" and activations == ["Relu"] * S:
        options["nonlinearity"] = "relu"
    elif activations != ACTIVATIONS[kind] * S:
        needed = ", ".join(ACTIVATIONS[kind] * S)
        raise ValueError(f"the activations of its {kind} are {', '.join(activations)}; they need to be {needed}")
    elif kind == "RNN":
        options["nonlinearity"] = "tanh"
    if kind == "GRU":
        options["reset_after"] = bool(values.get("linear_before_reset", 0))
    if kind == "LSTM":
        options["coupled"] = bool(values.get("input_forget", 0))
        options["peepholes"] = "P" in weights
    return options


def require_chain(graph: Any, nodes: list[Any], merge: str | None) -> None:
    """Raise ValueError unless each recurrent node reads what the one before it put out, its directions merged so."""
    allowed = {*OF_SHAPE, REDUCE.get(merge or "", "")} - {"Slice", "Expand"}
    makers = {output: node for node in graph.node for output in node.output}
    for k, node in enumerate(nodes):
        passed: list[str] = []
        before = makers.get(node.input[0])
        while before is not None and before.op_type not in INPUTS and before.input:
            passed.append(before.op_type)
            before = makers.get(before.input[0])
        recurrent = before if before is not None and before.op_type in INPUTS else None
        if recurrent is not (nodes[k - 1] if k else None):
            raise ValueError("its recurrent nodes do not stand one on the other; it needs one stack of layers")
        for operator in passed if k else []:
            if operator not in allowed:
                raise ValueError(
                    f"between its recurrent nodes {k - 1} and {k} stands {operator}; no stack here has that"
                )
