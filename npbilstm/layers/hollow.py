"""Layers of given sizes whose params are still to come: their param_shapes are there to be compared with what a file
holds, and no memory is taken for what it only says. with_params fills them.
"""

from __future__ import annotations

from math import prod
from typing import Any

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


def count_of_layer(layer: Recurrent) -> int:
    """How many numbers a recurrent layer has, counted without a list of its layers, of which there may be a billion."""
    first, other = (sum(map(prod, layer._shapes_at(k).values())) for k in (0, 1))
    return len(layer.directions) * (first + (layer.num_layers - 1) * other)
