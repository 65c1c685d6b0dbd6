"""Layers and models of given sizes whose params are still to come: their param_shapes are there to be compared with
what a file holds, and no memory is taken for what it only says. with_params fills them.
"""

from __future__ import annotations

from math import prod
from typing import Any

from npbilstm.layers.checks import require_size
from npbilstm.layers.models import SequenceModel
from npbilstm.layers.recurrent import Recurrent


def hollow_layer(
    make: type[Recurrent], input_size: int, hidden_size: int, num_layers: int, **options: Any
) -> Recurrent:
    """A recurrent layer. Its params are those of the smallest layer with these options, until others take their place.

    Raises as the layer's class does.
    """
    layer = make(1, 1, 1, **options)
    layer.input_size, layer.hidden_size, layer.num_layers = input_size, hidden_size, num_layers
    layer._check_options()
    return layer


def hollow_model(
    make: type[SequenceModel],
    num_symbols: int,
    num_classes: int,
    *,
    embedding_size: int,
    hidden_size: int,
    num_layers: int,
    **options: Any,
) -> SequenceModel:
    """A model, likewise. Raises as its class does."""
    model = make(1, 1, embedding_size=1, hidden_size=1, num_layers=1, **options)
    embedding, recurrent = model.embedding, model.recurrent
    embedding.num_embeddings = require_size("num_symbols", num_symbols)
    embedding.embedding_size = require_size("embedding_size", embedding_size)
    recurrent.input_size, recurrent.hidden_size, recurrent.num_layers = embedding_size, hidden_size, num_layers
    recurrent._check_options()
    model.linear.input_size = recurrent.features(recurrent.num_layers - 1)
    model.linear.output_size = require_size("num_classes", num_classes)
    return model


def count_of_numbers(model: SequenceModel) -> int:
    """How many numbers a model has, counted without a list of its layers, of which there may be a billion."""
    layer, embedding, linear = model.recurrent, model.embedding, model.linear
    first, other = (sum(map(prod, layer._shapes_at(k).values())) for k in (0, 1))
    recurrent = len(layer.directions) * (first + (layer.num_layers - 1) * other)
    return (
        embedding.num_embeddings * embedding.embedding_size + recurrent + (linear.input_size + 1) * linear.output_size
    )
