"""Which inputs an output depends on, and how much: the size of each block of the Jacobian.

    influence[t, u] = |d output_t / d x_u|      Frobenius: the root of the sum of the squares of all its entries

Exact, by a backward pass for each number of the output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from npbilstm.inspector.backpropagation import backward_of_row, in_batches
from npbilstm.inspector.consequences import scores_of
from npbilstm.inspector.flow import size
from npbilstm.inspector.indices import row_of, step_of
from npbilstm.inspector.trace_data import TraceData
from npbilstm.models import backward_to_recurrent


@np.errstate(all="ignore")  # a model that diverged has infinite numbers
def influence(trace: TraceData, step: int | None = None, row: int = 0) -> np.ndarray:
    """How much the output at each step depends on each step's input, of one row.

    The output is a model's logits, or a layer's y, of a pair both; the input what the first layer reads, inputs[0]:
    of a model its embedded symbols.

    -> (T, T), [t, u]: of the output at t by the input at u. A classifier has one output: (1, T). step: one of the
    outputs alone, (T,).

    influence_cost tells how much work that is. Raises ValueError for a row or step that there is not.
    """
    row, T = row_of(trace, row)
    steps = asked_for(trace, step, row)
    gradients = gradients_of_outputs(trace, row)
    found = np.zeros((len(steps), T))
    for some in in_batches(trace, row, range(len(steps)), outputs(trace)):
        each = [gradients(int(steps[k])) for k in some]
        dy, dstate = (as_one_batch(parts) for parts in zip(*each))
        dx, _ = backward_of_row(trace, row, dy, dstate)
        blocks = dx.reshape(len(some), -1, T, dx.shape[-1]).swapaxes(1, 2)  # (B, T, numbers of the output, D)
        found[some] = size(blocks.reshape(len(some), T, -1))
    return found if step is None else found[0]


def influence_cost(trace: TraceData, step: int | None = None, row: int = 0) -> int:
    """How many multiplications `influence` takes, about: each number of the output goes back through every weight at
    every step."""
    row, T = row_of(trace, row)
    return len(asked_for(trace, step, row)) * outputs(trace) * T * trace.layer.num_parameters


def outputs(trace: TraceData) -> int:
    """How many numbers an output has."""
    return sum(part.shape[-1] for part in as_parts(trace.output))


def gradients_of_outputs(trace: TraceData, row: int) -> Callable[[int], tuple[Any, Any]]:
    """A function of the output's step: what backward_of_row takes, dy and dstate, for each number of that output."""
    T, V = int(trace.lengths[row]), outputs(trace)
    if trace.model is None:
        dtype = trace["h"].dtype
        sizes = [part.shape[-1] for part in as_parts(trace.output)]

        def of_layer(step: int) -> tuple[Any, Any]:
            dy = np.zeros((V, T, V), dtype)
            dy[:, step] = np.eye(V)
            return (tuple(np.split(dy, np.cumsum(sizes)[:-1], axis=-1)) if len(sizes) > 1 else dy), None

        return of_layer
    model = trace.model
    assert trace.ids is not None
    logits, cache = model.forward(np.repeat(trace.ids[row, None, :T], V, axis=0), training=True)
    if trace.settings:
        states = np.repeat(trace["h"][:, :, [row], :T], V, axis=2)
        cache = cache._replace(**scores_of(trace, model, states, np.full(V, T))[1])

    def of_model(step: int) -> tuple[Any, Any]:
        dlogits = np.zeros_like(logits)
        if model.label_per_step:
            dlogits[:, step] = np.eye(V)
        else:
            dlogits[...] = np.eye(V)
        return backward_to_recurrent(model, dlogits, cache)[:2]

    return of_model


def as_parts(y: Any) -> Sequence[Any]:
    """A pair, or one array as the only part."""
    return y if isinstance(y, (tuple, list)) else [y]


def as_one_batch(rows: Sequence[Any]) -> Any:
    """Gradients of several outputs as one batch: of arrays, of tuples of them, or of None."""
    if isinstance(rows[0], tuple):
        return tuple(map(as_one_batch, zip(*rows)))
    return None if rows[0] is None else np.concatenate(rows)


def asked_for(trace: TraceData, step: int | None, row: int) -> np.ndarray:
    """The output steps that `step` stands for; of a classifier a single one, whatever its number."""
    if not trace.output_is_by_step:
        if step is not None:
            raise ValueError(f"step is {step}; a classifier has one output a sequence, so step needs to be None")
        return np.zeros(1, int)
    return np.arange(trace.lengths[row]) if step is None else np.array([step_of(trace, step, row)])
