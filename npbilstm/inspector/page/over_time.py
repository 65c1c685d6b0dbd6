"""The pictures that take backward passes of their own: gradients over time, and the influence of the inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from npbilstm.inspector.flow import flow, flow_of_every_step
from npbilstm.inspector.influence import influence, influence_cost

if TYPE_CHECKING:
    from npbilstm.inspector.tracing import Trace

LARGEST_COST = 10**11
"""Multiplications that a picture may take: seconds, not minutes."""


def pictures_over_time(
    trace: Trace, row: int, beside: Trace | None
) -> tuple[dict[str, dict[str, np.ndarray]], list[str]]:
    """flow and beside {"dh", "dc"}, influence {"x"}, as payload.py takes them, and notes on what is missing.

    flow is that of each step's loss alone, (L, S, T, T), or where that takes too long of the whole loss, (L, S, 1, T).
    Without gradients there is none. Raises ValueError where beside is not of the same steps, layers and directions.
    """
    found, notes = {}, []
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
        found["influence"] = {"x": influence(trace, row=row)}
    else:
        notes.append("the influence of the inputs takes too long for so many steps and outputs, and is left out")
    return found, notes


def sizes_over_time(trace: Trace, row: int, by_step: bool) -> dict[str, np.ndarray]:
    """The size of dL/dh and, where there is a cell, of dL/dc."""
    if by_step:
        sizes = flow_of_every_step(trace, row)
        return {name: size for name, size in zip(("dh", "dc"), sizes) if size is not None}
    dh, dc, _ = flow(trace, None, row)
    return {name: size[:, :, None] for name, size in (("dh", dh), ("dc", dc)) if size is not None}


def require_alike(trace: Trace, beside: Trace, row: int) -> None:
    """Raise ValueError unless the curves of both can be drawn over each other."""
    if row >= len(beside.lengths):
        raise ValueError(f"beside has {len(beside.lengths)} rows; it needs row {row}")
    sizes = [(t.layer.num_layers, len(t.directions), int(t.lengths[row])) for t in (trace, beside)]
    if sizes[0] != sizes[1]:
        own, other = ("{} layers, {} directions and {} steps in this row".format(*size) for size in sizes)
        raise ValueError(f"beside has {other}; it needs those of the trace: {own}")
