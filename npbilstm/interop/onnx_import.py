"""ONNX in: the recurrent layers of a file, made here again; the whole model where export_onnx wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from npbilstm.interop.description import KEY, Description, combined, read_description
from npbilstm.interop.onnx_export import PRODUCER, require_onnx
from npbilstm.interop.onnx_stack import Graph, require_fed_as_here, require_no_nested, require_one_stack
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

KNOWN = ("hidden_size", "direction", "layout", "activations", "input_forget", "linear_before_reset")
"""The attributes that a node may have here. layout says where N and T stand, which no weight knows."""


def from_onnx(path: str | Path, **options: Any) -> Layer:
    """The layer in an ONNX file: one LSTM, GRU or RNN, or several stacked ones; a model where export_onnx wrote one.

    options: what the file does not tell, as the layer takes it, e.g. dropout; or merge, where the file is not ours and
    its directions are not concatenated. Of another's file only the recurrent layers are read, not what stands before
    the first and after the last, its merge included. Lengths and initial states that come from outside are what
    forward takes as lengths and state.

    Raises OSError where there is no such file; ValueError where it is damaged, holds no recurrent layer, or one that we
    have not; or where the package onnx is not installed.
    """
    return read_onnx(path, **options)[0]


def read_onnx(path: str | Path, **options: Any) -> tuple[Layer, Description]:
    """from_onnx, and what the file says of itself."""
    try:
        content, constants, text = load_content(path)
        said = read_description(text)
        options = combined(said.options, options)
        if said.kind is None and content.producer_name == PRODUCER:
            raise ValueError("export_onnx wrote it, and the description that it put beside the graph is gone")
        if said.kind in MODELS:
            layer = recurrent_layer(content, constants)
            W, b, E = (constants.get(name) for name in ("linear.W", "linear.b", "embedding.W"))
            if W is None or b is None or E is None:
                raise ValueError(f"it is said to hold a {said.kind}, and lacks embedding.W, linear.W or linear.b")
            return assembled(MODELS[said.kind], embedding_of(E), layer, linear_of(W, b), **options), said
        return recurrent_layer(content, constants, **options), said
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def load_content(path: str | Path) -> tuple[Any, Arrays, str | None]:
    """What a file holds, its constant arrays by name, and its description. Raises OSError or ValueError."""
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
        why = "it is no ONNX file, is damaged or cut short, or onnx's checker refuses it"
        raise ValueError(f"{why} ({first_line(error)})") from error
    return content, constants, props.get(KEY)


def first_line(error: Exception) -> str:
    """The first line of an error's text that says anything."""
    return next((line.strip() for line in str(error).split("\n") if line.strip()), type(error).__name__)


def recurrent_layer(content: Any, constants: Arrays, **options: Any) -> Recurrent:
    """The stack of a graph's recurrent nodes."""
    require_no_nested(content)
    graph = Graph(content, constants)
    nodes = graph.recurrent
    if not nodes:
        raise ValueError("it holds no LSTM, GRU or RNN node")
    roles = [{name: value for name, value in zip(INPUTS[node.op_type], node.input) if value} for node in nodes]
    require_fed_as_here(graph, roles)
    weights = [weights_of(node, given, constants) for node, given in zip(nodes, roles)]
    as_arrays("weights", {f"{k}.{name}": w for k, own in enumerate(weights) for name, w in own.items()})
    first, asked = weights[0], [options_of(node, own) for node, own in zip(nodes, weights)]
    for k, (node, other) in enumerate(zip(nodes, asked)):
        if (node.op_type, other) != (nodes[0].op_type, asked[0]):
            raise ValueError(f"recurrent node {k} is not of the first one's kind; all layers of a stack need to be")
        if k and any(attribute.name == "layout" and attribute.i for attribute in node.attribute):
            raise ValueError("its recurrent nodes have layout=1, which is read for one node alone")
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
    require_one_stack(graph, layer)
    return layer.with_params({name: params[name] for name in layer.params})


def weights_of(node: Any, given: dict[str, str], constants: Arrays) -> Arrays:
    """A node's W, R, B, P as arrays, of its inputs by name. Raises ValueError where one is no constant."""
    for name in ("W", "R"):
        if name not in given:
            raise ValueError(f"its {node.op_type} has no {name}")
    weights: Arrays = {}
    for name in ("W", "R", "B", "P"):
        if name in given:
            if given[name] not in constants:
                raise ValueError(f"the {name} of its {node.op_type} is computed; it needs to be a constant")
            weights[name] = constants[given[name]]
    return weights


def options_of(node: Any, weights: Arrays) -> dict[str, Any]:
    """What a node's attributes ask of a layer. Raises ValueError for what a layer here has not."""
    onnx = require_onnx()
    kind = node.op_type
    values = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    for name in values:
        if name not in KNOWN:
            raise ValueError(f"its {kind} has the attribute {name}, which no layer here has")
    H = weights["R"].shape[-1]
    if values.get("hidden_size", H) != H:
        raise ValueError(f"its {kind} has hidden_size={values['hidden_size']}, and R for {H} units")
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
