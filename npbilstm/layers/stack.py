"""The passes over a stack of recurrent layers, each of which reads what the one below it put out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from npbilstm import engine
from npbilstm.layers.checks import in_dtype
from npbilstm.layers.dropout import dropout_mask
from npbilstm.layers.layer import Layer
from npbilstm.layers.merge import merge_backward, merge_forward
from npbilstm.layers.options import Merge
from npbilstm.layers.overflow import LayerRange

Watch = Callable[[int, np.ndarray, list[np.ndarray]], None]
"""Told, in a backward pass, what arrives at a layer of the stack: its layer_index, dy (N, T, S, R), and each part of
dstate (S, N, ...)."""


class StackLayerCache(NamedTuple):
    """One layer of the stack: the engine's cache, the directions' y (N, T, S, R), how they were joined, the mask of its
    input: (N, T, D), or (N, 1, D) where it is the same at every step."""

    engine: engine.RecurrentCache
    y: np.ndarray
    merge: Merge | None
    scaled_mask: np.ndarray | None


class RecurrentLayerCache(NamedTuple):
    """One forward pass: a cache for each layer of the stack; kept is False after training=False, batched unless x
    came as (T, D)."""

    layer: Layer
    kept: bool
    stack: list[StackLayerCache]
    state_shapes: list[tuple[int, ...]]
    batched: bool

    def __repr__(self) -> str:
        of = f"{self.state_shapes[0][1]} rows" if self.batched else "one sequence"
        return f"<cache of {self.layer!r}, {of}, training={self.kept}>"


def stack_forward(
    cell: engine.Cell,
    weights: Sequence[list[engine.Weights]],
    merges: Sequence[Merge | None],
    x: Any,
    state: list[np.ndarray],
    lengths: np.ndarray | None,
    *,
    dtype: np.dtype,
    directions: Sequence[int],
    dropout: float,
    input_dropout: float,
    recurrent_dropout: float,
    rng: np.random.Generator,
    keep: bool,
    store_every: int | None,
    within: LayerRange | None = None,
) -> tuple[Any, list[np.ndarray], list[StackLayerCache]]:
    """x (N, T, D) of any precision, the state's parts (num_layers * S, N, ...), for each layer of the stack its weights
    and its merge -> y as the last layer's merge has it, the final state, and with keep a cache for each layer.

    dtype: of the state, and what x is cast to: here, so that a cast copy is kept no longer than the first layer needs.
    dropout, input_dropout, recurrent_dropout: of this pass; rng draws their masks. within: what checks that numbers
    stay in range. The rest as the engine has it.
    """
    S = len(directions)
    x = in_dtype("x", x, dtype, lengths)
    finals, stack = [], []
    for layer_index, merge in enumerate(merges):
        scaled_mask = recurrent_mask = None
        if layer_index > 0 and dropout:
            scaled_mask = dropout_mask(rng, dropout, x)
        if input_dropout:
            over_time = dropout_mask(rng, input_dropout, x[:, :1])  # (N, 1, D)
            scaled_mask = over_time if scaled_mask is None else scaled_mask * over_time
        if scaled_mask is not None:
            x = x * scaled_mask
        own = [part[layer_index * S : (layer_index + 1) * S] for part in state]
        if recurrent_dropout:
            recurrent_mask = dropout_mask(rng, recurrent_dropout, own[0])
        y, final, cache = engine.recurrent_forward(
            cell,
            x,
            own,
            weights[layer_index],
            lengths,
            directions=directions,
            mask=recurrent_mask,
            keep=keep,
            store_every=store_every,
        )
        joined = merge_forward(y, merge)
        if within is not None:
            within.forward(layer_index, x, own, lengths, y, joined)
        x = joined
        finals.append(final)
        if cache is not None:
            stack.append(StackLayerCache(cache, y, merge, scaled_mask))
    return x, [np.concatenate(parts) for parts in zip(*finals)], stack


def stack_backward(
    dy: Any,
    dstate: list[np.ndarray],
    stack: Sequence[StackLayerCache],
    watch: Watch | None = None,
    within: LayerRange | None = None,
) -> tuple[np.ndarray, list[np.ndarray], list[list[dict[str, np.ndarray]]]]:
    """Gradients, given dy shaped as y and the parts of dstate shaped as the final state's -> dx (N, T, D), the parts of
    the initial state's gradient, and for each layer of the stack its weights'."""
    dstates: list[list[np.ndarray]] = []
    grads: list[list[dict[str, np.ndarray]]] = []
    for layer_index in reversed(range(len(stack))):
        kept, y, merge, scaled_mask = stack[layer_index]
        S = y.shape[2]
        given = []
        if within is not None:  # else what came from above would be kept for nothing
            given = [kept.layer.x, y, *(dy if isinstance(dy, (tuple, list)) else [dy])]
        dy = merge_backward(dy, y, merge, kept.layer.lengths)  # (N, T, S, R)
        dfinal = [part[layer_index * S : (layer_index + 1) * S] for part in dstate]
        if watch is not None:
            watch(layer_index, dy, dfinal)
        dy, dinitial, dweights = engine.recurrent_backward(dy, dfinal, kept)
        if within is not None:
            weights = [dw for own in dweights for dw in own.values()]
            within.backward(layer_index, [*given, *dfinal], [dy, *dinitial, *weights])
        dstates.insert(0, dinitial)
        grads.insert(0, dweights)
        if scaled_mask is not None:
            dy = dy * scaled_mask
    return dy, [np.concatenate(parts) for parts in zip(*dstates)], grads
