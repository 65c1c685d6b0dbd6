"""What if: a run in which some numbers are set, and all that follows from them is computed again.

    f = 0 at unit 3, steps 4 to 6        the cell's equations hold everywhere else

rerun.py has the recurrent layer's part, consequences.py what comes after it: labels, answers, loss, gradients.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np

from npbilstm.inspector.consequences import with_gradients, with_output
from npbilstm.inspector.descriptions import QUANTITIES
from npbilstm.inspector.indices import direction_of, layer_of, position
from npbilstm.inspector.rerun import rerun
from npbilstm.inspector.trace_data import Setting, TraceData
from npbilstm.textbook.sequences import valid_steps


def intervene(
    trace: TraceData, name: str, to: Any, unit: Any, layer: int, direction: str | None, steps: Any, row: int | None
) -> dict[str, Any]:
    """The fields of the changed trace; arguments as Trace.intervene has them."""
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
    if not isinstance(name, str) or name not in can:
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
    several = isinstance(given, Iterable) and not isinstance(given, str) and getattr(given, "ndim", 1) > 0
    each = given if several else [given]
    found = [position(name, one, count, owner, things) for one in each]
    if not found:
        raise ValueError(f"{name} is empty; it needs at least one of the {things}, or None for all of them")
    return found


def number(to: Any, dtype: np.dtype) -> float:
    """A number, finite in that dtype. Raises TypeError or ValueError for anything else."""
    if isinstance(to, bool) or not isinstance(to, Real):
        raise TypeError(f'to is {to!r}; it needs a number, or "mean"')
    try:
        value = float(to)
    except OverflowError:  # an integer may be too large for any dtype
        value = np.inf
    with np.errstate(over="ignore"):
        if not np.isfinite(np.float64(value).astype(dtype)):
            raise ValueError(f"to is {to}; it needs a number that is finite in {dtype}, the trace's dtype")
    return value


def number_of(trace: TraceData, name: str, to: str) -> np.ndarray:
    """Each unit's mean over the steps of its row, at every step."""
    if to != "mean":
        raise ValueError(f'to is {to!r}; it needs a number, or "mean"')
    counts = np.maximum(trace.lengths, 1)[:, None, None]
    means = trace[name].sum(axis=3, keepdims=True, dtype=np.float64) / counts
    return np.broadcast_to(means, trace[name].shape)
