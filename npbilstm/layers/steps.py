"""What happened at each step of a recurrent layer's passes, unpacked from its cache: to look inside, not for speed.

The numbers are those that the passes computed. Every array is (S, N, T, .): direction, row, step in input time order,
whichever direction read it, unit; 0 in the padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from npbilstm import engine
from npbilstm.layers.recurrent import Recurrent
from npbilstm.layers.stack import RecurrentLayerCache
from npbilstm.textbook.sequences import flip, valid_steps

Steps = dict[str, np.ndarray]


def forward_by_steps(cache: RecurrentLayerCache) -> list[Steps]:
    """For each layer of the stack, the gates and states that the forward pass computed, by their textbook names."""
    return [forward_steps(stack_layer.engine, stack_layer.y) for stack_layer in cache.stack]


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
        after = backward_steps(dy, dfinal, stack_layer.engine, stack_layer.y)
        arrived = without_padding(stack_layer.engine, dy.transpose(2, 0, 1, 3))
        found.insert(0, {"dy": arrived} | {f"d{part}_next": d for part, d in zip(layer.state_parts, after)})

    dx, _, _ = layer.backward(dy, cache, dstate, watch=watch)
    return dx, found


def forward_steps(cache: engine.RecurrentCache, y: np.ndarray) -> Steps:
    """All that the cell kept, and its state before and after each step; h_prev is as it was before a mask.

    y (N, T, S, R) is what the forward pass returned. The cache must have been made without store_every.
    """
    h = processed(cache, y)
    found = {"h": h, "h_prev": np.concatenate([cache.stored[0], h])[:-1]}
    for k, name in enumerate(cache.cell.kept):
        found[name] = kept(cache, k)[:-1]
        if name == "c_prev":
            found["c"] = kept(cache, k)[1:]
    return {name: in_input_order(cache, array) for name, array in found.items()}


def backward_steps(
    dy: np.ndarray, dstate_T: Sequence[np.ndarray], cache: engine.RecurrentCache, y: np.ndarray
) -> list[np.ndarray]:
    """What the rest of the sequence says of each part of the state after each step: its gradient but for dy's share.

    Arguments as engine.recurrent_backward's, and y.
    """
    T = len(cache.layer.x)
    before = [np.concatenate([cache.stored[0], processed(cache, y)])[:-1]]
    if len(cache.stored) == 2:
        before.append(kept(cache, cache.cell.kept.index("c_prev"))[:-1])
    after = [np.zeros_like(part, np.result_type(part, dy)) for part in before]

    def watch(own: slice, step: int, dstate: list[np.ndarray]) -> None:
        if step > 0:
            for part, d in zip(after, dstate):
                part[step - 1, own] = d

    # as if every state had been stored, so that watch is told of every step; nothing is computed again, A is there
    engine.recurrent_backward(dy, dstate_T, cache._replace(stored=before, interval=1), watch)
    last = (np.full(dy.shape[0], T) if cache.layer.lengths is None else cache.layer.lengths) - 1
    rows = np.flatnonzero(last >= 0)
    for part, d_T in zip(after, dstate_T):
        part[last[rows], :, rows] = d_T[:, rows].swapaxes(0, 1)
    return [in_input_order(cache, part) for part in after]


def kept(cache: engine.RecurrentCache, k: int) -> np.ndarray:
    """One of the arrays that the cell keeps (T+1, S, N, H), in processing order."""
    return np.concatenate([A[:, k] for A in cache.A], axis=1)


def processed(cache: engine.RecurrentCache, y: np.ndarray) -> np.ndarray:
    """(N, T, S, .) in input order -> (T, S, N, .) as each direction read it."""
    directions, lengths = cache.layer.directions, cache.layer.lengths
    read = [flip(y[:, :, s], lengths) if way else y[:, :, s] for s, way in enumerate(directions)]
    return np.stack(read).transpose(2, 0, 1, 3)


def in_input_order(cache: engine.RecurrentCache, steps: np.ndarray) -> np.ndarray:
    """(T, S, N, .) as each direction read it -> (S, N, T, .) in input order, 0 in the padding."""
    by_row = steps.transpose(1, 2, 0, 3)
    read = [flip(own, cache.layer.lengths) if way else own for own, way in zip(by_row, cache.layer.directions)]
    return without_padding(cache, np.stack(read))


def without_padding(cache: engine.RecurrentCache, steps: np.ndarray) -> np.ndarray:
    """(S, N, T, .) in input order, 0 in the padding."""
    if cache.layer.lengths is None:
        return steps
    return np.where(valid_steps(cache.layer.lengths, steps.shape[2])[..., None], steps, 0)
