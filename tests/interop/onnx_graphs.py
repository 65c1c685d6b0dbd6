"""ONNX files as other programs write them, and as earlier versions of export_onnx did."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from npbilstm.interop.description import KEY, describe
from npbilstm.interop.onnx_weights import to_node
from npbilstm.interop.parts import cell_of

D, H, N, T = 3, 4, 2, 5
REDUCE = {"sum": "ReduceSum", "mul": "ReduceProd", "ave": "ReduceMean"}


def numbers(*shape, seed=0, dtype=np.float32):
    return (0.5 * np.random.default_rng(seed).standard_normal(shape)).astype(dtype)


def weights(cell="LSTM", D=D, H=H, S=1, seed=0):
    """Constants W, R, B of a node."""
    G = {"LSTM": 4, "GRU": 3, "RNN": 1}[cell]
    shapes = {"W": (S, G * H, D), "R": (S, G * H, H), "B": (S, 2 * G * H)}
    return {name: numbers(*shape, seed=seed + n) for n, (name, shape) in enumerate(shapes.items())}


def value(name, *shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, list(shape))


X = value("X", T, N, D)


def saved(path, nodes, constants=(), inputs=(X,), outputs=("Y",), opset=17, domain=""):
    """A file with these nodes; constants: their values by name."""
    graph = helper.make_graph(
        nodes,
        "graph",
        list(inputs),
        [value(name, "any") for name in outputs],
        [numpy_helper.from_array(np.asarray(w), name) for name, w in dict(constants).items()],
    )
    content = helper.make_model(
        graph, opset_imports=[helper.make_opsetid(d, opset) for d in {"": 0, domain: 0}], ir_version=8
    )
    path.write_bytes(content.SerializeToString())
    return path


def lstm(*inputs, out="Y", op="LSTM", **attributes):
    """A recurrent node; the weights are W, R, B unless others are given."""
    inputs = list(inputs or ("X",))
    inputs += ["W", "R", "B"][len(inputs) - 1 :]
    outputs = [out] if isinstance(out, str) else out
    return helper.make_node(op, inputs, outputs, **{"hidden_size": H, **attributes})


def node(op, inputs, output, **attributes):
    return helper.make_node(op, inputs.split(), [output], **attributes)


def branch(nodes, output, constants=()):
    """A graph inside of a node."""
    stored = [numpy_helper.from_array(np.asarray(w), name) for name, w in dict(constants).items()]
    return helper.make_graph(nodes, "branch", [], [value(output, None, None, None, None)], stored)


def direct_stack(layer, path, described=True):
    """A file with one node for each layer, whatever its directions: as earlier versions of export_onnx wrote it, and as
    PyTorch does, which has no description of ours."""
    parts, S = layer.state_parts, len(layer.directions)
    constants = {"zero": np.int64(0)}
    nodes = [node("Transpose", "x", "x_t", perm=[1, 0, 2])]
    options = {"hidden_size": layer.hidden_size, "direction": "bidirectional" if S == 2 else layer.directions[0]}
    if cell_of(layer) == "lstm" and layer.coupled:
        options["input_forget"] = 1
    if cell_of(layer) == "gru":
        options["linear_before_reset"] = int(layer.reset_after)
    if cell_of(layer) == "rnn":
        options["activations"] = [layer.nonlinearity.capitalize()] * S
    x = "x_t"
    for k in range(layer.num_layers):
        own = to_node(layer, k)
        constants |= {f"{k}.{name}": w for name, w in own.items()}
        begin = []
        for part in parts:
            constants |= {f"{k}.from": np.array([k * S]), f"{k}.to": np.array([(k + 1) * S]), "axis": np.array([0])}
            nodes.append(node("Slice", f"{part}_0 {k}.from {k}.to axis", f"{k}.{part}_0"))
            begin.append(f"{k}.{part}_0")
        names = [f"{k}.{name}" if name in own else "" for name in ("W", "R", "B")]
        inputs = [x, *names, "lengths", *begin, *([f"{k}.P"] if "P" in own else [])]
        outputs = [f"{k}.Y", *(f"{k}.{part}_T" for part in parts)]
        nodes.append(helper.make_node(cell_of(layer).upper(), inputs, outputs, **options))
        x = f"{k}.y"
        if S == 1 or layer.merge == "concat":
            constants[f"{k}.shape"] = np.array([0, 0, layer.features(k)])
            nodes.append(node("Transpose", f"{k}.Y", f"{k}.Y_by_row", perm=[0, 2, 1, 3]))
            nodes.append(node("Reshape", f"{k}.Y_by_row {k}.shape", x))
        else:
            constants["one"] = np.array([1])
            nodes.append(node(REDUCE[layer.merge], f"{k}.Y one", x, keepdims=0))
    nodes.append(node("Transpose", x, "y", perm=[1, 0, 2]))
    states = [value(f"{part}_0", layer.num_layers * S, "N", layer.hidden_size) for part in parts]
    inputs = [value("x", "N", "T", layer.input_size), value("lengths", "N", kind=TensorProto.INT32), *states]
    saved(path, nodes, constants, inputs, ("y",), opset=18)
    content = onnx.load(path)
    if described:
        content.producer_name = "npbilstm"
        helper.set_model_props(content, {KEY: describe(layer)})
    path.write_bytes(content.SerializeToString())
    return path
