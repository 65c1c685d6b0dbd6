"""A run of the recurrent layer in which some numbers are set.

A step is computed again where something that it reads differs, by the trace's own equations in float64, whatever the
dtype in which it is kept; all other numbers stay the run's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np

from npbilstm.inspector.cell_equations import weight_block
from npbilstm.inspector.equations import Dot, Symbol, evaluate, parse
from npbilstm.inspector.trace_data import Setting, TraceData
from npbilstm.layers.merge import merge_forward
from npbilstm.layers.recurrent import merge_at
from npbilstm.textbook.sequences import flip


class Rerun(NamedTuple):
    """The forward arrays of a changed run by name, (L, S, N, T, .), and what each layer of the stack reads."""

    arrays: dict[str, np.ndarray]
    inputs: list[np.ndarray]


def rerun(trace: TraceData, settings: Mapping[str, Setting], rows: np.ndarray) -> Rerun:
    """The forward pass of these rows, in which some of the numbers are set. A setting has an N of as many rows."""
    layer, lengths = trace.layer, trace.lengths[rows]
    names = [f"{part}_prev" for part in layer.state_parts] + [parse(text).name for text in trace.equations.forward]
    x = trace.inputs[0][rows]
    inputs, found = [x], []
    for k in range(layer.num_layers):
        both = []
        for s, direction in enumerate(trace.directions):
            old = {name: trace[name][k, s][rows] for name in names}
            own = {name: Setting(*(part[k, s] for part in setting)) for name, setting in settings.items()}
            both.append(rerun_direction(trace, k, direction, lengths, (x, trace.inputs[k][rows]), old, own))
        found.append({name: np.stack([each[name] for each in both]) for name in names})
        if k + 1 < layer.num_layers:
            x = merge_forward(found[k]["h"].transpose(1, 2, 0, 3), merge_at(layer, k))
            inputs.append(x)
    return Rerun({name: np.stack([each[name] for each in found]) for name in names}, inputs)


def rerun_direction(
    trace: TraceData,
    k: int,
    direction: str,
    lengths: np.ndarray,
    inputs: tuple[np.ndarray, np.ndarray],
    old: Mapping[str, np.ndarray],
    settings: Mapping[str, Setting],
) -> dict[str, np.ndarray]:
    """One direction of layer k of the stack, (N, T, .) by name: inputs, what it reads now and what it read before."""
    layer = trace.layer

    def in_reading_order(array: np.ndarray) -> np.ndarray:  # its own inverse
        return flip(array, lengths) if direction == "reverse" else array

    x, x_old = map(in_reading_order, inputs)
    set_at = {name: Setting(*map(in_reading_order, setting)) for name, setting in settings.items()}
    new = {name: np.array(in_reading_order(array)) for name, array in old.items()}
    equations = [parse(text) for text in trace.equations.forward]
    state = {f"{part}_prev": new[f"{part}_prev"][:, 0] for part in layer.state_parts}
    now: dict[str, np.ndarray] = {}

    @cache
    def weight(name: str) -> np.ndarray:  # that of float64 makes all that is computed with it float64
        return weight_block(layer, k, direction, name).astype(np.float64)

    def value(symbol: Symbol) -> np.ndarray:
        return now[symbol.name] if symbol.name in now else weight(symbol.name)

    def dot(node: Dot) -> np.ndarray:
        return value(node.vector) @ weight(node.weight)

    for t in range(x.shape[1]):
        differs = (x[:, t] != x_old[:, t]).any(axis=-1)
        for name, part in state.items():
            differs |= (part != new[name][:, t]).any(axis=-1)
        for where, _ in set_at.values():
            differs |= where[:, t].any(axis=-1)
        again = np.flatnonzero(differs & (t < lengths))
        if len(again):
            now = {"x": x[again, t], **{name: part[again] for name, part in state.items()}}
            for equation in equations:
                computed = evaluate(equation.sum, value, dot)
                if equation.name in set_at:
                    where, to = set_at[equation.name]
                    computed = np.where(where[again, t], to[again, t], computed)
                now[equation.name] = computed
            for name, array in new.items():
                array[again, t] = now[name]
        state = {f"{part}_prev": new[part][:, t] for part in layer.state_parts}
    return {name: in_reading_order(array) for name, array in new.items()}
