"""Weights in whatever form people hold them, opened in one call: a file, a state_dict, Keras' weights or layers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from npbilstm.interop.files import read_weights
from npbilstm.interop.keras import from_keras
from npbilstm.interop.keras_layers import are_layers, recurrent_part
from npbilstm.interop.pytorch_names import require_state_dict
from npbilstm.interop.states import one_layer
from npbilstm.layers import RNN, Recurrent
from npbilstm.models import Model


def open_weights(weights: Any, **options: Any) -> tuple[Recurrent | Model, dict[str, Any]]:
    """The recurrent layer that weights make, whatever else stands beside it, or the model that they say they are; and
    what is said `about` it: about["left_out"] names what is not read, about["untold"] an option that the weights do not
    tell and of which the usual value is taken.

    weights: the path of a file that read_weights reads; a dict of names and arrays or tensors, a state_dict of
        PyTorch's or params of ours; what from_keras takes: a list of arrays, a dict of them under Keras' names, layers.
    options: as that reader takes them. prefix: of a file or dict with several recurrent layers, of the one that is
        meant. cell: of weights that do not tell whether they are those of an "lstm", "gru" or "rnn".

    Raises OSError, TypeError or ValueError as the reader does.

    >>> state = nb.to_pytorch(nb.SequenceTagger(9, 2, embedding_size=3, hidden_size=4, rng=0))
    >>> layer, about = nb.interop.open_weights(state)
    >>> layer, about["left_out"]
    (LSTM(3, 4, 1, bidirectional=True), ['embedding', 'linear'])
    """
    if isinstance(weights, (str, os.PathLike)):
        return read_weights(os.fspath(weights), alone=True, **options)
    if "node" in options:
        raise ValueError(f"node is {options['node']!r}, which chooses among the layers of an .onnx file")
    if isinstance(weights, (list, tuple)) or are_layers(weights) or of_keras(weights):
        return of_keras_opened(weights, options)
    require_state_dict(weights)
    return one_layer(weights, options.pop("prefix", None), options)


def of_keras_opened(weights: Any, options: Mapping[str, Any]) -> tuple[Recurrent | Model, dict[str, Any]]:
    """The layer or model of Keras' layers, or of their weights; and what is said about it."""
    if "prefix" in options:
        raise ValueError(f"prefix is {options['prefix']!r}; weights of Keras have none")
    if are_layers(weights):
        part, beside = recurrent_part(weights)
        return from_keras(part, **options), {"left_out": beside} if beside else {}
    if isinstance(weights, (list, tuple)) and any(type(w).__module__.partition(".")[0] == "torch" for w in weights):
        raise TypeError("a list of PyTorch's tensors does not say which is which; it needs the module's state_dict()")
    layer = from_keras(weights, **options)
    untold = isinstance(layer, RNN) and not options.keys() & {"nonlinearity", "activation"}
    return layer, {"untold": ["nonlinearity"]} if untold else {}


def of_keras(named: Any) -> bool:
    """Whether these are arrays under the names that Keras has."""
    if not isinstance(named, Mapping):
        return False
    return any(str(name).removesuffix(":0").rpartition("/")[2] == "recurrent_kernel" for name in named)
