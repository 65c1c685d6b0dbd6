"""What happened at each step of a recurrent layer's passes: for who looks inside.

Every array is (S, N, T, .): direction, row, step in input time order, unit; 0 in the padding.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm import engine
from npbilstm.layers.recurrent import Recurrent
from npbilstm.layers.stack import RecurrentLayerCache
from npbilstm.textbook.sequences import valid_steps

Steps = dict[str, np.ndarray]


def forward_by_steps(cache: RecurrentLayerCache) -> list[Steps]:
    """For each layer of the stack, the gates and states that the forward pass computed, by their textbook names."""
    return [engine.forward_steps_of(stack_layer.engine, stack_layer.y) for stack_layer in cache.stack]


def backward_by_steps(
    layer: Recurrent, dy: Any, cache: RecurrentLayerCache, dstate: Any = None
) -> tuple[np.ndarray, list[Steps]]:
    """A backward pass of the layer, and for each layer of the stack what arrived at each step:

        dy        from above: the layer's own upstream gradient, or that of the layer that reads it
        dh_next   through the next step that the direction reads; at the last, the gradient of the final state
        dc_next   the same, of an LSTM's cell

    -> dx, shaped as x, and these by name.
    """
    found: list[Steps] = []

    def watch(layer_index: int, dy: np.ndarray, dfinal: list[np.ndarray]) -> None:
        stack_layer = cache.stack[layer_index]
        after = engine.backward_steps_of(dy, dfinal, stack_layer.engine, stack_layer.y)
        arrived = dy.transpose(2, 0, 1, 3)  # (S, N, T, R)
        if stack_layer.engine.lengths is not None:
            valid = valid_steps(stack_layer.engine.lengths, arrived.shape[2])
            arrived = np.where(valid[..., None], arrived, 0)
        found.insert(0, {"dy": arrived} | {f"d{part}_next": d for part, d in zip(layer.state_parts, after)})

    dx, _, _ = layer.backward(dy, cache, dstate, watch=watch)
    return dx, found
