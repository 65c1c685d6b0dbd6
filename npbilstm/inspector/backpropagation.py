"""One row's backward pass for many upstream gradients at once, by the trace's own equations and numbers.

B upstream gradients share the row's gates and states, so that a step is a few products of (B, H) with the weights; no
gradient of a weight is computed. Otherwise what layer.backward does; tests hold the two equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from npbilstm.inspector.cell_equations import weight_block
from npbilstm.inspector.equations import Dot, Symbol, evaluate, parse
from npbilstm.inspector.trace_data import TraceData
from npbilstm.layers.merge import merge_backward
from npbilstm.layers.recurrent import merge_at

ROOM = 2**26
"""About how many numbers may be held at once."""


@np.errstate(all="ignore")
def backward_of_row(
    trace: TraceData, row: int, dy: Any, dstate: Any = None, keep: Sequence[str] = ()
) -> tuple[np.ndarray, list[dict[str, np.ndarray]]]:
    """Gradients of B losses.

    dy (B, T, features), a pair of (B, T, R) with merge=None: of the layer's y at the row's T steps. dstate: of the
    final state, as layer.backward takes it for B rows; None for 0.

    -> dx (B, T, D), of inputs[0]; for each layer the gradients that `keep` names, (S, B, T, .) in input time order.
    """
    layer, T, S = trace.layer, int(trace.lengths[row]), len(trace.directions)
    B = len(dy[0] if isinstance(dy, tuple) else dy)
    parts = dstate if isinstance(dstate, tuple) else [dstate] * len(layer.state_parts)
    found: list[dict[str, np.ndarray]] = []
    for k in reversed(range(layer.num_layers)):
        y = np.broadcast_to(trace["h"][k][:, row, None, :T], (S, B, T, layer.output_size)).transpose(1, 2, 0, 3)
        arrived = merge_backward(dy, y, merge_at(layer, k)).transpose(2, 0, 1, 3)  # (S, B, T, R)
        final = [
            np.zeros((S, B, trace[name].shape[-1]), arrived.dtype) if part is None else part[k * S : (k + 1) * S]
            for name, part in zip(layer.state_parts, parts)
        ]
        dy, kept = backward_of_layer(trace, row, k, arrived, final, keep)
        found.insert(0, kept)
    return dy, found


def backward_of_layer(
    trace: TraceData, row: int, k: int, dy: np.ndarray, final: Sequence[Any], keep: Sequence[str]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Of layer k of the stack, given dy (S, B, T, R) and the gradient (S, B, .) of each part of the final state.

    -> dx (B, T, D_k), what `keep` names.
    """
    layer, (S, B, T, _) = trace.layer, dy.shape
    before = [f"{part}_prev" for part in layer.state_parts]
    names = [*before, *(parse(text).name for text in trace.equations.forward)]
    given = {name: in_reading_order(trace, trace[name][k][:, row, :T]) for name in names}  # (S, T, .)
    dy = in_reading_order(trace, dy, axis=2)
    last = {f"d{part}_next": d for part, d in zip(layer.state_parts, final)}
    das = [f"da_{gate}" for gate in layer.gates] or ["da"]
    held = {
        f"d{name}": in_reading_order(trace, setting.where[k][:, row, :T]) for name, setting in trace.settings.items()
    }
    WxT = np.stack([layer.params[f"{k}.{direction}.Wx"].T for direction in layer.directions])
    weights: dict[str, np.ndarray] = {}

    def weight(name: str) -> np.ndarray:  # (S, rows, columns), of one row where it is a vector
        if name not in weights:
            both = [np.atleast_2d(weight_block(layer, k, direction, name)) for direction in layer.directions]
            weights[name] = np.stack(both)
        return weights[name]

    def value(symbol: Symbol) -> np.ndarray:
        numbers = read_next if symbol.next else now
        return numbers[symbol.name] if symbol.name in numbers else weight(symbol.name)

    def dot(node: Dot) -> np.ndarray:
        W = weight(node.weight)
        return value(node.vector) @ (W.swapaxes(1, 2) if node.transposed else W)

    dx = np.zeros((S, B, T, WxT.shape[-1]), dy.dtype)
    kept: dict[str, np.ndarray] = {}
    read_next: dict[str, np.ndarray] = {}
    for turn in reversed(range(T)):
        now = {name: array[:, None, turn] for name, array in given.items()} | {"dy": dy[:, :, turn]}
        for equation in map(parse, trace.equations.backward):
            if turn == T - 1 and equation.name in last:
                now[equation.name] = last[equation.name]
            else:
                now[equation.name] = evaluate(equation.sum, value, dot)
            if equation.name in held:  # nothing passes back through what is set
                now[equation.name] = np.where(held[equation.name][:, None, turn], 0, now[equation.name])
        dx[:, :, turn] = np.concatenate([now[name] for name in das], axis=-1) @ WxT
        for name in keep:
            kept.setdefault(name, np.zeros((S, B, T, now[name].shape[-1]), dy.dtype))[:, :, turn] = now[name]
        read_next = now
    kept = {name: in_reading_order(trace, array, axis=2) for name, array in kept.items()}
    return in_reading_order(trace, dx, axis=2).sum(axis=0), kept


def in_reading_order(trace: TraceData, array: np.ndarray, axis: int = 1) -> np.ndarray:
    """The reverse direction's steps reversed, with the directions at axis 0; its own inverse."""
    each = zip(trace.directions, array)
    return np.stack([np.flip(own, axis - 1) if direction == "reverse" else own for direction, own in each])


def in_batches(trace: TraceData, row: int, items: Sequence[int], size: int) -> Iterator[list[int]]:
    """The items a few at a time, as many as there is room for where each takes `size` upstream gradients."""
    layer = trace.layer
    outputs = [layer.features(k) for k in range(layer.num_layers)]
    # at a step and direction: an upstream gradient and dx of the widest layer, what is kept of each, and da
    a_step = max(2 * (x.shape[-1] + y) for x, y in zip(trace.inputs, outputs)) + 6 * layer.hidden_size
    count = max(1, ROOM // (int(trace.lengths[row]) * size * a_step * len(layer.directions)))
    for start in range(0, len(items), count):
        yield list(items[start : start + count])
