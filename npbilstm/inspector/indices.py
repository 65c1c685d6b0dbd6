"""Which layer, direction, row, step and unit of a trace is meant; where there is no such one, a sentence."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from npbilstm.inspector.trace_data import TraceData


def position(name: str, value: Any, count: int, owner: str, things: str) -> int:
    """An index as Python has them, counted from the front. Raises TypeError or ValueError where it is none.

    True and False are none, though Python counts with them: those of a mask would be positions 1 and 0.
    """
    try:
        found = None if isinstance(value, bool) else index(value)
    except TypeError:
        found = None
    if found is None:
        raise TypeError(f"{name} is {value!r}; it needs an integer")
    if not -count <= found < count:
        has = f"no {things}" if count == 0 else f"{count} {things if count > 1 else things[:-1]}"
        valid = "" if count == 0 else f", 0 to {count - 1}" if count > 1 else ", 0 alone"
        raise ValueError(f"{name} is {found}; {owner} has {has}{valid}")
    return found % count


def row_of(trace: TraceData, row: int) -> tuple[int, int]:
    """A row that has steps, and how many."""
    row = position("row", row, len(trace.lengths), "the trace", "rows")
    if trace.lengths[row] == 0:
        raise ValueError(f"row is {row}; this row has no steps")
    return row, int(trace.lengths[row])


def step_of(trace: TraceData, step: int, row: int) -> int:
    """A step of a row, none of its padding."""
    return position("step", step, int(trace.lengths[row]), f"row {row}", "steps")


def layer_of(trace: TraceData, layer: int) -> int:
    """A layer of the stack."""
    return position("layer", layer, trace.layer.num_layers, "the trace", "layers")


def unit_of(trace: TraceData, unit: int) -> int:
    """A unit of any layer: all have as many."""
    return position("unit", unit, trace.layer.hidden_size, "the layer", "units")


def direction_of(trace: TraceData, direction: str | None) -> int:
    """Where a direction's numbers stand in the trace's arrays; None is the first that the layer has."""
    if direction is None:
        return 0
    if not isinstance(direction, str) or direction not in trace.directions:
        needed = " or ".join(map(repr, trace.directions))
        raise ValueError(f"direction is {direction!r}; it needs {needed}, which this layer has")
    return trace.directions.index(direction)


def most_varying(trace: TraceData, layer: int = 0, row: int = 0) -> tuple[int, int]:
    """The direction and the unit whose h varies most over the steps: where to begin to look."""
    h = trace["h"][layer, :, row, : trace.lengths[row]]
    with np.errstate(all="ignore"):
        spread = np.nan_to_num(h.astype(np.float64).std(axis=1), nan=0.0, posinf=0.0)  # (S, R)
    direction, unit = np.unravel_index(spread.argmax(), spread.shape)
    return int(direction), int(unit)
