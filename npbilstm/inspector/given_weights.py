"""Weights in place of a layer: opened by interop; and an input, drawn where nobody gives one."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np

from npbilstm.interop import open_weights
from npbilstm.interop.keras_layers import are_layers
from npbilstm.layers import RNN, Recurrent
from npbilstm.models import Model, Seq2Seq, SequenceModel

STEPS = 12
"""Of a drawn input."""

SEED = 0

SHOWN = 8
"""So many parts that are left out are enough in a sentence."""


def resolved(given: Any, x: Any, options: Mapping[str, Any], beside: Mapping[str, Any]) -> tuple[Any, Any, list[str]]:
    """The layer or model that is traced, what it reads, and notes on both; what is no layer, model or weights as it is.

    beside: by name what goes with an x, None for what is not given. Raises OSError, TypeError or ValueError.
    """
    notes: list[str] = []
    if are_weights(given):
        given, notes = opened(given, options)
    elif options:
        raise TypeError(f"{next(iter(options))} is given, which goes with weights; this is a {type(given).__name__}")
    if x is None and isinstance(given, (Recurrent, SequenceModel, Seq2Seq)):
        for name in [name for name, value in beside.items() if value is not None]:
            raise ValueError(f"{name} is given and x is not; nothing goes with an input that is drawn")
        x, note = drawn_input(given)
        notes = [*notes, note]
    return given, x, notes


def are_weights(given: Any) -> bool:
    """Whether this is what weights may come as, and no layer or model of ours."""
    if isinstance(given, (Recurrent, Model)):
        return False
    return isinstance(given, (str, PathLike, Mapping, list, tuple)) or hasattr(given, "state_dict") or are_layers(given)


def opened(weights: Any, options: Mapping[str, Any]) -> tuple[Recurrent | Model, list[str]]:
    """The layer or model that weights make, and notes on what of them is not read. Raises as open_weights does."""
    try:
        layer, about = open_weights(weights, **options)
    except (TypeError, ValueError) as error:
        if isinstance(weights, (str, PathLike)):  # which the sentence names
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"model_or_layer: {error}") from error
    notes = []
    left_out = about.get("left_out")
    if isinstance(left_out, list) and left_out:
        more = [f"{len(left_out) - SHOWN:,} more"] if len(left_out) > SHOWN else []
        notes.append(f"what stands beside this layer is not read: {', '.join([*map(str, left_out[:SHOWN]), *more])}")
    if isinstance(layer, RNN) and about.get("untold"):
        notes.append(f"the weights do not tell the RNN's nonlinearity; {layer.nonlinearity} is taken")
    return layer, notes


def drawn_input(model_or_layer: Recurrent | SequenceModel | Seq2Seq) -> tuple[np.ndarray, str]:
    """One row that it can read, and a note that says where it comes from: standard normal numbers, or symbols."""
    rng = np.random.default_rng(SEED)
    embedding = None if isinstance(model_or_layer, Recurrent) else model_or_layer.embedding
    if embedding is not None:
        ids = rng.integers(0, embedding.num_embeddings, (1, STEPS))
        return ids, f"nobody gave an input, so it is drawn: {STEPS} symbols, each as likely as any, seed {SEED}"
    recurrent = model_or_layer.recurrent if isinstance(model_or_layer, SequenceModel) else model_or_layer
    assert isinstance(recurrent, Recurrent)  # a Seq2Seq has an embedding
    x = rng.standard_normal((1, STEPS, recurrent.input_size))
    return x, f"nobody gave an input, so it is drawn: {STEPS} steps of standard normal numbers, seed {SEED}"
