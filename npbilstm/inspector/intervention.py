"""What if: a run in which some numbers are set, and all that follows from them is computed again.

    f = 0 at unit 3, steps 4 to 6        the cell's equations hold everywhere else

A step is computed again where something that it reads differs, by the trace's own equations in float64, whatever the
dtype in which it is kept; all other numbers stay the run's own. Nothing passes back through what is set: its gradient
is 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from npbilstm.inspector.backpropagation import backward_of_row
from npbilstm.inspector.cell_equations import weight_block
from npbilstm.inspector.descriptions import QUANTITIES
from npbilstm.inspector.equations import Dot, Symbol, evaluate, parse
from npbilstm.inspector.head_maps import head_step_maps
from npbilstm.inspector.indices import direction_of, layer_of, position
from npbilstm.inspector.losses import loss_of_classes
from npbilstm.inspector.trace_data import Setting, TraceData
from npbilstm.layers.merge import merge_forward
from npbilstm.layers.recurrent import merge_at
from npbilstm.models import SequenceModel, backward_to_recurrent, forward_from_recurrent
from npbilstm.models.ctc_head import CTCHead
from npbilstm.textbook.sequences import flip, valid_steps


class Rerun(NamedTuple):
    """The forward arrays of a changed run by name, (L, S, N, T, .), and what each layer of the stack reads."""

    arrays: dict[str, np.ndarray]
    inputs: list[np.ndarray]


def intervene(
    trace: TraceData, name: str, to: Any, unit: Any, layer: int, direction: str | None, steps: Any, row: int | None
) -> dict[str, Any]:
    """The fields of the changed trace; arguments as Trace.intervene has them."""
    if trace.seq2seq is not None:
        raise ValueError("the trace is of a Seq2Seq; intervene needs that of a layer, a tagger or a classifier")
    settings = {**trace.settings, name: setting_of(trace, name, to, unit, layer, direction, steps, row)}
    with np.errstate(all="ignore"):
        arrays, inputs = rerun(trace, settings, np.arange(len(trace.lengths)))
        changed = replace(trace, arrays=arrays, inputs=inputs, settings=settings)
        return with_gradients(trace, with_output(changed))


def setting_of(
    trace: TraceData, name: str, to: Any, unit: Any, layer: int, direction: str | None, steps: Any, row: int | None
) -> Setting:
    """What is set to what, upon what was set before. Raises TypeError or ValueError, naming the argument."""
    can = [one for one in QUANTITIES if one in trace.names]
    if name not in can:
        raise ValueError(f"name is {name!r}; it needs one of {', '.join(can)}")
    array, (N, T) = trace[name], trace.order.shape[1:]
    before = trace.settings.get(name)
    where = np.zeros(array.shape, bool) if before is None else before.where.copy()
    value = np.zeros_like(array) if before is None else before.to.copy()
    units = positions("unit", unit, array.shape[-1], name, "units")
    times = positions("steps", steps, T, "the trace", "steps")
    rows = range(N) if row is None else [position("row", row, N, "the trace", "rows")]
    at = np.ix_([layer_of(trace, layer)], [direction_of(trace, direction)], rows, times, units)
    where[at] = True
    value[at] = number_of(trace, name, to)[at] if isinstance(to, str) else number(to, array.dtype)
    where &= valid_steps(trace.lengths, T)[:, :, None]
    return Setting(where, value)


def positions(name: str, given: Any, count: int, owner: str, things: str) -> list[int]:
    """None for all, one, or several."""
    if given is None:
        return list(range(count))
    each = given if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    found = [position(name, one, count, owner, things) for one in each]
    if not found:
        raise ValueError(f"{name} is empty; it needs at least one of the {things}, or None for all of them")
    return found


def number(to: Any, dtype: np.dtype) -> float:
    """A number, finite in that dtype. Raises TypeError or ValueError for anything else."""
    if isinstance(to, bool) or not isinstance(to, Real):
        raise TypeError(f'to is {to!r}; it needs a number, or "mean"')
    with np.errstate(over="ignore"):
        if not np.isfinite(np.float64(to).astype(dtype)):
            raise ValueError(f"to is {to}; it needs a number that is finite in {dtype}, the trace's dtype")
    return float(to)


def number_of(trace: TraceData, name: str, to: str) -> np.ndarray:
    """Each unit's mean over the steps of its row, at every step."""
    if to != "mean":
        raise ValueError(f'to is {to!r}; it needs a number, or "mean"')
    counts = np.maximum(trace.lengths, 1)[:, None, None]
    means = trace[name].sum(axis=3, keepdims=True, dtype=np.float64) / counts
    return np.broadcast_to(means, trace[name].shape)


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


def scores_of(
    trace: TraceData, model: SequenceModel, h: np.ndarray, lengths: np.ndarray
) -> tuple[np.ndarray, dict[str, Any]]:
    """The model's scores of the states h (L, S, N, T, R), and what its cache holds of them."""
    L, S, N, T, R = h.shape
    valid = valid_steps(lengths, T)
    last = np.maximum(lengths - 1, 0)
    at_last = {"forward": last, "reverse": np.zeros_like(last)}
    final = np.stack([h[:, s, range(N), at_last[direction]] for s, direction in enumerate(trace.directions)], axis=1)
    h_n = np.where(lengths[:, None] > 0, final, 0).reshape(L * S, N, R)
    y = merge_forward(h[-1].transpose(1, 2, 0, 3), merge_at(trace.layer, L - 1))
    return forward_from_recurrent(model, y, h_n, valid)


def with_output(changed: TraceData) -> TraceData:
    """The changed trace with the output of its states."""
    model = changed.model
    if model is None:
        y = changed["h"][-1].transpose(1, 2, 0, 3)
        return replace(changed, output=merge_forward(y, merge_at(changed.layer, changed.layer.num_layers - 1)))
    scores, _ = scores_of(changed, model, changed["h"].astype(np.float64), changed.lengths)
    scores = scores.astype(changed["h"].dtype)
    maps = head_step_maps(model, scores, changed.lengths, None, changed.classes or list(map(str, range(len(scores.T)))))
    return replace(changed, output=scores, step_maps=maps)


def with_gradients(trace: TraceData, changed: TraceData) -> dict[str, Any]:
    """The changed trace's fields, with the loss and its gradients where they can be known: of a layer by the upstream
    gradient that was given, of a model by its target."""
    fields = {**vars(changed), "loss": None, "dx": None, "upstream": None}
    fields.pop("predicted", None)  # that of the run before
    model = changed.model
    if not trace.has_gradients or (model is not None and (trace.target is None or isinstance(model.head, CTCHead))):
        return fields
    dstate: Any
    if model is None:
        dy, dstate = trace.upstream, final_gradients(trace)
        if dy is None:  # the loss sees the final state alone
            y = changed.output
            dy = tuple(map(np.zeros_like, y)) if isinstance(y, tuple) else np.zeros_like(y)
    else:
        assert changed.ids is not None
        loss, dlogits = loss_of_classes(model, changed.output, trace.target, trace.lengths)
        fields["loss"] = float(loss)
        _, cache = model.forward(changed.ids, trace.lengths, training=True)
        _, own = scores_of(changed, model, changed["h"], changed.lengths)
        dy, dstate, _ = backward_to_recurrent(model, dlogits, cache._replace(**own))
        dstate = (dstate,) if isinstance(dstate, np.ndarray) else dstate
    fields["upstream"] = dy if trace.upstream is not None else None
    names = ["dy", *(parse(text).name for text in trace.equations.backward)]
    gradients = {name: np.zeros_like(trace[name]) for name in names}
    dx = np.zeros_like(trace.inputs[0])
    for row in np.flatnonzero(trace.lengths):
        T = trace.lengths[row]
        own_dy = tuple(d[row : row + 1, :T] for d in dy) if isinstance(dy, tuple) else dy[row : row + 1, :T]
        own_dstate = None if dstate is None else tuple(d[:, row : row + 1] for d in dstate)
        dx_row, found = backward_of_row(changed, int(row), own_dy, own_dstate, keep=names)
        dx[row, :T] = dx_row[0]
        for name in names:
            gradients[name][:, :, row, :T] = np.stack([each[name][:, 0] for each in found])
    return {**fields, "arrays": {**changed.arrays, **gradients}, "dx": dx}


def final_gradients(trace: TraceData) -> tuple[np.ndarray, ...]:
    """The gradient of the final state, each part (L * S, N, .), as it stands where each direction reads last."""
    lengths, N = trace.lengths, np.arange(len(trace.lengths))
    last = np.maximum(lengths - 1, 0)
    found = []
    for part in trace.layer.state_parts:
        d = trace[f"d{part}_next"]
        both = [d[:, s, N, last if way == "forward" else 0 * last] for s, way in enumerate(trace.directions)]
        found.append(np.stack(both, axis=1).reshape(-1, len(N), d.shape[-1]))
    return tuple(found)
