"""The module of PyTorch, the layers of Keras on PyTorch, and the node of ONNX, that do what a layer of ours does.

Each framework is imported by whoever asks for one of its layers.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.interop import to_keras, to_pytorch
from npbilstm.interop.onnx_weights import to_node
from npbilstm.interop.parts import cell_of
from npbilstm.layers.recurrent import merge_at

os.environ["KERAS_BACKEND"] = "torch"  # read when Keras is imported


def torch_peer(layer: nb.Recurrent, **options: Any) -> Any:
    """With our weights, in their dtype. options: instead of what the layer says."""
    import torch

    own: dict[str, Any] = {"batch_first": True, "bidirectional": len(layer.directions) == 2, "bias": layer.bias}
    if isinstance(layer, nb.RNN):
        own["nonlinearity"] = layer.nonlinearity
    if isinstance(layer, nb.LSTM) and layer.projection_size is not None:
        own["proj_size"] = layer.projection_size
    state = {name: torch.tensor(w) for name, w in to_pytorch(layer).items()}
    own["dtype"] = state["weight_ih_l0"].dtype
    peer = getattr(torch.nn, cell_of(layer).upper())(
        layer.input_size, layer.hidden_size, layer.num_layers, **{**own, **options}
    )
    peer.load_state_dict(state)
    return peer


def keras_layer(layer, k=0, **options):
    """The Keras layer that does what layer k of our stack does, with weights of its own."""
    import keras

    options = {"use_bias": layer.bias, **options}
    if isinstance(layer, nb.LSTM):
        peer = keras.layers.LSTM(layer.hidden_size, **options)
    elif isinstance(layer, nb.GRU):
        peer = keras.layers.GRU(layer.hidden_size, reset_after=layer.reset_after, **options)
    else:
        peer = keras.layers.SimpleRNN(layer.hidden_size, activation=layer.nonlinearity, **options)
    if len(layer.directions) == 2:
        peer = keras.layers.Bidirectional(peer, merge_mode=merge_at(layer, k), dtype=peer.dtype)
    peer.build((None, None, layer.features(k - 1) if k else layer.input_size))
    return peer


def keras_of(layer, **options):
    """The Keras layer that does what our layer of depth 1 does."""
    peer = keras_layer(layer, **{"return_sequences": True, "return_state": True, **options})
    peer.set_weights(to_keras(layer))
    return peer


def keras_stack(layer, weights):
    """The Keras layers that do what ours does, one for each layer of the stack."""
    weights = iter(weights)
    both = {"return_sequences": True, "return_state": True, "zero_output_for_mask": True}
    stack = [keras_layer(layer, k, dtype="float64", **both) for k in range(layer.num_layers)]
    for one in stack:
        one.set_weights([next(weights) for _ in one.weights])
    assert next(weights, None) is None
    return stack


def onnx_node(layer, x, lengths=None, h_0=None, **attributes):
    """Our layer's one node as onnxruntime runs it: x (T, N, D) -> Y (T, S, N, H), Y_h (S, N, H)."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed (group oracles)")
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (group oracles)")
    lengths = None if lengths is None else np.array(lengths, np.int32)
    inputs = {"X": x, "W": 0, "R": 0, "B": 0, "lengths": lengths, "h_0": h_0, "c_0": None, **to_node(layer, 0)}
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in inputs.items() if array is not None]
    names = ["" if array is None else name for name, array in inputs.items()]
    direction = "bidirectional" if len(layer.directions) == 2 else "forward"
    attributes = {"hidden_size": layer.hidden_size, "direction": direction, **attributes}
    node = onnx.helper.make_node(type(layer).__name__, names[: 8 if "P" in inputs else 6], ["Y", "Y_h"], **attributes)
    kind = onnx.helper.np_dtype_to_tensor_dtype(x.dtype)
    outputs = [onnx.helper.make_tensor_value_info(name, kind, None) for name in ("Y", "Y_h")]
    graph = onnx.helper.make_graph([node], "one_node", [], outputs, constants)
    content = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what fails is raised as well
    session = onnxruntime.InferenceSession(content.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(["Y", "Y_h"], {})


def arrays(parts):
    """What a framework returned, as arrays."""
    return [arrays(part) for part in parts] if isinstance(parts, (tuple, list)) else parts.detach().numpy()


def valid(lengths, T):
    """The mask of these lengths."""
    import torch

    return None if lengths is None else torch.tensor(np.arange(T) < np.array(lengths)[:, None])
