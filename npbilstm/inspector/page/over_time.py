"""The pictures that take backward passes of their own: gradients over time, and the influence of the inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from npbilstm.inspector.flow import flow, flow_of_every_step, loss_is_by_step, require_alike
from npbilstm.inspector.influence import influence, influence_cost
from npbilstm.inspector.trace_data import TraceData

LARGEST_COST = 3 * 10**10
"""Multiplications that a picture may take: a few seconds."""


class Picture(NamedTuple):
    """The shapes of a picture's arrays, so that one that has no room is never made; and what makes them."""

    shapes: dict[str, tuple[int, ...]]
    make: Callable[[], dict[str, np.ndarray]]


def pictures_over_time(trace: TraceData, row: int, beside: TraceData | None) -> tuple[dict[str, Picture], list[str]]:
    """flow and beside {"dh", "dc"}, influence {"x"}, as payload.py takes them, and notes on what is missing.

    flow is that of each step's loss alone, (L, S, T, T), or where that takes too long of the whole loss, (L, S, 1, T).
    Without gradients there is none. Raises ValueError where beside is not of the same steps, layers and directions.
    """
    found: dict[str, Picture] = {}
    notes = []
    T = int(trace.lengths[row])
    by_step = T * T * trace.layer.num_parameters <= LARGEST_COST
    if trace.has_gradients:
        found["flow"] = sizes_over_time(trace, row, by_step)
        if not by_step:
            notes.append("the gradients over time are those of the whole loss, as each step's alone take too long")
    if beside is not None:
        require_alike(trace, beside, row)
        if beside.has_gradients:
            found["beside"] = sizes_over_time(beside, row, by_step)
        else:
            notes.append("the trace beside has no gradients, so it is not drawn")
    if influence_cost(trace, row=row) <= LARGEST_COST:
        outputs = T if trace.output_is_by_step else 1
        found["influence"] = Picture({"x": (outputs, T)}, lambda: {"x": influence(trace, row=row)})
    else:
        notes.append("the influence of the inputs takes too long for so many steps and outputs, and is left out")
    return found, notes


def sizes_over_time(trace: TraceData, row: int, by_step: bool) -> Picture:
    """The size of dL/dh and, where there is a cell, of dL/dc."""
    T = int(trace.lengths[row])
    losses = T if by_step and loss_is_by_step(trace) else 1
    names = [name for name in ("dh", "dc") if name in trace.names]

    def make() -> dict[str, np.ndarray]:
        if by_step:
            return dict(zip(names, (size for size in flow_of_every_step(trace, row) if size is not None)))
        whole = flow(trace, None, row)
        return {name: getattr(whole, name)[:, :, None] for name in names}

    return Picture({name: (*trace[name].shape[:2], losses, T) for name in names}, make)
