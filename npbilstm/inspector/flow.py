"""How far gradients flow through time: their size at each step, and what the forget gates let through.

Axes: layer of the stack L, direction S, step T of one row, in input time order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from npbilstm.inspector.backpropagation import backward_of_row, in_batches
from npbilstm.inspector.indices import row_of, step_of
from npbilstm.inspector.trace_data import TraceData


class Flow(NamedTuple):
    """Of one row: dh (L, S, T) = |dL/dh_t| and dc (L, S, T) = |dL/dc_t|, Euclidean norms over the units; forget
    (L, S, T, H), see `forgetting`. A GRU has no dc; an RNN neither dc nor forget: they are None."""

    dh: np.ndarray
    dc: np.ndarray | None
    forget: np.ndarray | None


def flow(trace: TraceData, step: int | None = None, row: int = 0) -> Flow:
    """How large the gradient of the loss is at each step of a row.

    step: None for the trace's own loss. Or an output step: then of the loss at that step alone, its upstream gradient
        kept and all others 0; the gradient of the final state belongs to no step, nor does a classifier's loss.

    Raises ValueError where the trace has no gradients, and for a row or step that there is not.
    """
    row, T = row_of(trace, row)
    require_gradients(trace)
    if step is None:
        dh = size(trace["dh"][:, :, row, :T])
        dc = size(trace["dc"][:, :, row, :T]) if "dc" in trace.names else None
    else:
        step = step_of(trace, step, row)
        require_loss_by_step(trace, step)
        ((_, dh_only, dc_only),) = gradients_of_steps(trace, [step], row)
        dh = size(dh_only[:, :, 0])
        dc = None if dc_only is None else size(dc_only[:, :, 0])
    return Flow(dh, dc, forgetting(trace, step, row))


def flow_of_every_step(trace: TraceData, row: int = 0) -> tuple[np.ndarray, np.ndarray | None]:
    """flow(trace, step).dh and .dc for each step: (L, S, T, T), [l, s, step, t].

    (L, S, 1, T), that of the whole loss, where it is not a sum over steps: of a classifier, or of final states alone.

    Raises as flow does.
    """
    row, T = row_of(trace, row)
    require_gradients(trace)
    if not loss_is_by_step(trace):
        whole = flow(trace, None, row)
        return whole.dh[:, :, None], None if whole.dc is None else whole.dc[:, :, None]
    found = [np.zeros((*trace["dh"].shape[:2], T, T)) for name in ("dh", "dc") if name in trace.names]
    for some, *gradients in gradients_of_steps(trace, range(T), row):
        for sizes, gradient in zip(found, gradients):
            assert gradient is not None
            sizes[:, :, some] = size(gradient)
    return found[0], found[1] if len(found) > 1 else None


def gradients_of_steps(
    trace: TraceData, steps: Sequence[int], row: int = 0
) -> Iterator[tuple[list[int], np.ndarray, np.ndarray | None]]:
    """For a few of the steps B at a time, the gradient of the loss at each of them alone: dL/dh (L, S, B, T, R) and
    dL/dc (L, S, B, T, H), None without a cell."""
    T = trace.lengths[row]
    wanted = [f"d{part}" for part in trace.layer.state_parts]

    def alone(upstream: np.ndarray, some: list[int]) -> np.ndarray:
        own = upstream[row, :T]
        dy = np.zeros((len(some), *own.shape), trace["h"].dtype)
        dy[range(len(some)), some] = own[some]
        return dy

    for some in in_batches(trace, row, steps, 1):
        pair = isinstance(trace.upstream, tuple)
        dy = tuple(alone(d, some) for d in trace.upstream) if pair else alone(trace.upstream, some)
        _, found = backward_of_row(trace, row, dy, keep=wanted)
        dh, *dc = (np.stack([each[name] for each in found]) for name in wanted)
        yield some, dh, dc[0] if dc else None


def size(gradient: np.ndarray) -> np.ndarray:
    """The Euclidean norm over the last axis; relative to the largest, as squares of what has all but vanished are 0."""
    gradient = np.asarray(gradient, np.float64)
    largest = np.abs(gradient).max(axis=-1, initial=0)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1)
    return scale * np.linalg.norm(gradient / scale[..., None], axis=-1)


def forgetting(trace: TraceData, step: int | None = None, row: int = 0) -> np.ndarray | None:
    """What of each step's cell is still in that of `step` by the direct way, that is through the forget gates alone.

        forget[u] = product of f[v] over the steps v that are read after u, up to and including `step`

    1 at `step` itself; 0 where u is read after it. step=None: the step that the direction reads last. Of a GRU f is z,
    the update gate, as it stands in h = (1 - z) * n + z * h_prev.

    -> (L, S, T, H) float64; None for an RNN, which has no such gate. Raises ValueError as flow does.
    """
    row, T = row_of(trace, row)
    gate = next((name for name in ("f", "z") if name in trace.names), None)
    if gate is None:
        return None
    f = trace[gate][:, :, row, :T].astype(np.float64)  # (L, S, T, H)
    kept = trace.settings.get("c" if gate == "f" else "h")
    if kept is not None:  # of what was there before nothing is left in a state that is set
        f[kept.where[:, :, row, :T]] = 0
    found = []
    for s, direction in enumerate(trace.directions):
        if direction == "forward":
            found.append(product_to(f[:, s], T - 1 if step is None else step_of(trace, step, row)))
        else:
            turn = T - 1 if step is None else T - 1 - step_of(trace, step, row)
            found.append(product_to(f[:, s, ::-1], turn)[:, ::-1])
    return np.stack(found, axis=1)


def product_to(f: np.ndarray, last: int) -> np.ndarray:
    """f (L, T, H) in reading order -> at each step the product of f over the steps after it up to `last`."""
    found = np.zeros_like(f)
    found[:, last] = 1
    found[:, :last] = np.cumprod(f[:, last:0:-1], axis=1)[:, ::-1]
    return found


def loss_is_by_step(trace: TraceData) -> bool:
    """Whether the loss has a part for each step."""
    return trace.output_is_by_step and trace.upstream is not None and trace.step_maps is None


def require_gradients(trace: TraceData) -> None:
    """Raise ValueError where there was no loss."""
    if not trace.has_gradients:
        raise ValueError("trace has no gradients; flow needs one made with an upstream gradient or a target")


def require_loss_by_step(trace: TraceData, step: int) -> None:
    """Raise ValueError where the loss at one step alone is asked for and there is none."""
    if not loss_is_by_step(trace):
        sees = "the final states alone" if trace.output_is_by_step else "a whole sequence"
        if trace.step_maps is not None:
            sees = "a whole sequence" if trace.seq2seq is None else "a whole answer"
        raise ValueError(f"step is {step}; this trace's loss is of {sees}, so step needs to be None")


def require_alike(trace: TraceData, beside: TraceData, row: int) -> None:
    """Raise unless the curves of both can be drawn over each other."""
    if not isinstance(beside, TraceData):
        raise TypeError(f"beside is a {type(beside).__name__}; it needs a trace")
    if not -len(beside.lengths) <= row < len(beside.lengths):
        raise ValueError(f"beside has {len(beside.lengths)} rows; it needs row {row}")
    sizes = [
        (t.layer.num_layers, " and ".join(t.directions), int(t.lengths[row]), " and ".join(t.layer.state_parts))
        for t in (trace, beside)
    ]
    if sizes[0] != sizes[1]:
        own, other = ("layers {}, directions {}, steps in this row {}, states {}".format(*size) for size in sizes)
        raise ValueError(f"beside has {other}; it needs those of the trace: {own}")
