"""Weights in and out: the layouts of PyTorch, Keras and ONNX, and files of them.

    state = to_pytorch(layer)                      layer = from_pytorch(state)
    weights = to_keras(layer)                      layer = from_keras(weights, "lstm")
    export_onnx(model, "model.onnx")               model = from_onnx("model.onnx")
    write_weights("model.safetensors", model)      model, about = read_weights("model.safetensors")
                                                   layer, about = open_weights(state or path or Keras' weights)

parts.py says what all formats share; pytorch.py, keras.py and onnx_weights.py each begin with a table of theirs.
"""

from npbilstm.interop.files import read_weights, write_weights
from npbilstm.interop.keras import from_keras, linear_from_keras, to_keras
from npbilstm.interop.onnx_export import export_onnx
from npbilstm.interop.onnx_import import from_onnx
from npbilstm.interop.opening import open_weights
from npbilstm.interop.pytorch import (
    embedding_from_pytorch,
    from_pytorch,
    linear_from_pytorch,
    model_from_pytorch,
    to_pytorch,
)

__all__ = [
    "embedding_from_pytorch",
    "export_onnx",
    "from_keras",
    "from_onnx",
    "from_pytorch",
    "linear_from_keras",
    "linear_from_pytorch",
    "model_from_pytorch",
    "open_weights",
    "read_weights",
    "to_keras",
    "to_pytorch",
    "write_weights",
]
