"""The gradient of a batch: whole, or as a sum over shards, each of which any worker may compute (data parallelism).

    shard k of K     the rows k, k + K, k + 2K, ... of the batch: long and short ones in each
    w_k              what shard k counts in the batch's mean loss: its valid steps, or what else the model's loss is a
                     mean over (Model.loss_weight)
    W                = sum over k of  w_k
    loss             = sum over k of  w_k / W  loss_k             added up in the order of the shards
    gradient         = sum over k of  w_k / W  gradient_k         likewise, whichever arrives first

In exact numbers that is the whole batch's; in floating ones all but the last bits. Each shard draws its dropout masks
from a seed of its own, which the batch's generator draws. So loss and gradient are the same to the last bit whatever
computes the shards: here one after another, or any number of workers, as long as each computes with the same BLAS on
the same number of threads. With another number of shards they are not: other masks, sums in another order.

Of a model of streams, row n of a batch goes on where row n of the batch before ended: the state's rows go with the
shard that has theirs, and come back from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from operator import add
from typing import Any, NamedTuple

import numpy as np

from npbilstm.layers.row_gradient import RowGradient
from npbilstm.models import Model
from npbilstm.models.model import Sequences
from npbilstm.training.workers import Workers


class LossAndGradient(NamedTuple):
    """loss: of a batch, or a shard's share of it. grads: with the names of params; none where the loss overflows.
    state: of a model with a window, the one in which it ended."""

    loss: np.floating
    grads: Mapping[str, np.ndarray | RowGradient]
    state: Any = None


def gradient(
    model: Model, sequences: Sequences, rng: int | np.random.Generator, share: float = 1.0, state: Any = None
) -> LossAndGradient:
    """The mean loss of some sequences and its gradient, both times share. rng draws dropout's masks; state: of a model
    with a window, the one in which the sequences' windows before these ended, None for 0."""
    begins = {} if model.window is None else {"state": state}
    with np.errstate(all="ignore"):  # a worker has its own
        loss, cache = model.loss_forward(*model.collate(sequences), **begins, training=True, rng=rng)
        grads = {} if overflows(loss, loss.dtype) else model.loss_backward_by_row(share, cache)
        return LossAndGradient(loss * loss.dtype.type(share), grads, cache.state if begins else None)


def sharded_gradient(
    model: Model,
    sequences: Sequences,
    shards: int,
    rng: np.random.Generator,
    workers: Workers | None = None,
    state: Any = None,
) -> LossAndGradient:
    """A batch's mean loss and its gradient, summed over so many shards, or as many as there are sequences.

    workers: who computes them; None: they are computed here. state: as gradient has it.
    """
    K = min(shards, len(sequences))
    parts = [sequences[k::K] for k in range(K)]
    seeds = rng.integers(2**63, size=len(parts)).tolist()
    weights = [sum(model.loss_weight(*each) for each in part) for part in parts]
    W = sum(weights) or 1.0  # nothing counts: the loss is 0, and so is its gradient
    states = [None if state is None else of_arrays(partial(dealt_to, k, K), state) for k in range(K)]
    tasks = [(part, seed, weight / W, begins) for part, seed, weight, begins in zip(parts, seeds, weights, states)]
    if workers is None:
        return added([gradient(model, *task) for task in tasks])
    return added(workers.results(gradient, model, tasks))


def added(shares: Sequence[LossAndGradient]) -> LossAndGradient:
    """The sum, in this order."""
    loss = reduce(np.add, [share.loss for share in shares])
    if not all(share.grads for share in shares):
        return LossAndGradient(loss, {})
    grads = {name: reduce(add, [share.grads[name] for share in shares]) for name in shares[0].grads}
    states = [share.state for share in shares]
    return LossAndGradient(loss, grads, None if states[0] is None else of_arrays(dealt_back, *states))


def of_arrays(function: Callable[..., np.ndarray], *states: Any) -> Any:
    """function(*states) where a layer's state is an array; of one that is several, as an LSTM's (h, c), for each."""
    return tuple(map(function, *states)) if isinstance(states[0], tuple) else function(*states)


def dealt_to(k: int, K: int, state: np.ndarray) -> np.ndarray:
    """Shard k's rows of a state (layers, N, H)."""
    return state[:, k::K]


def dealt_back(*parts: np.ndarray) -> np.ndarray:
    """The shards' rows (layers, N_k, H) -> the state (layers, N, H)."""
    K, N = len(parts), sum(part.shape[1] for part in parts)
    whole = np.empty_like(parts[0], shape=(len(parts[0]), N, *parts[0].shape[2:]))
    for k, part in enumerate(parts):
        whole[:, k::K] = part
    return whole


def overflows(numbers: Any, dtype: np.dtype) -> bool:
    """Whether a number among these is not finite, or so large that the product with another like it would not be.

    Past that point it depends on the processor, on the order of its additions, where the first infinity shows.
    """
    return not (np.abs(numbers) < np.sqrt(np.finfo(dtype).max)).all()
