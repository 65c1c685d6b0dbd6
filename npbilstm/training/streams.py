"""Texts read as streams, window by window, for models that have a window: language models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from npbilstm.layers.padding import pad
from npbilstm.models.model import Sequences
from npbilstm.training.batches import windows

ROWS = 64
"""How many texts are measured side by side."""


class StreamWindows(Sequence[Sequences]):
    """The batches of an epoch: the k-th holds the k-th window of each stream. There is one, be it empty."""

    def __init__(self, streams: Sequences, window: int) -> None:
        self.streams = streams
        longest = max(len(read) for read, _ in streams)
        self.steps = [steps for steps, _ in windows(longest, window)] or [slice(0, 0)]

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, k: Any) -> Any:
        return [(read[self.steps[k]], put_out[self.steps[k]]) for read, put_out in self.streams]


def stream_windows(train: Sequences, batch_size: int, window: int, rng: np.random.Generator) -> Sequence[Sequences]:
    """Sequences (read, put_out), one after the other in an order that rng draws, cut into batch_size streams of one
    length, or one step more -> the windows of all streams side by side, batch by batch. No step is left out."""
    order = rng.permutation(len(train))
    read, put_out = (np.concatenate([np.asarray(train[n][side]) for n in order]) for side in (0, 1))
    count = max(min(batch_size, len(read)), 1)
    return StreamWindows(list(zip(np.array_split(read, count), np.array_split(put_out, count))), window)


def symbol_costs(model: Any, sequences: Sequences, window: int = 128) -> list[np.ndarray]:
    """What each symbol that is put out costs, in bits: minus the binary logarithm of the probability that the model
    gave it -> for each sequence (T_n,), floating numbers. A text's costs added up are the bits that it takes with this
    model, by arithmetic coding say.

    model: a LanguageModel. sequences: pairs (read, put_out); each begins with the state 0. window: for the memory
    alone. Raises FloatingPointError where a logit is not finite.

    >>> model = nb.LanguageModel(num_symbols=4, hidden_size=2, rng=0)
    >>> model.linear.params["W"][...] = 0
    >>> [costs.tolist() for costs in nb.training.symbol_costs(model, [model.shifted([3, 1, 2])])]
    [[2.0, 2.0, 2.0]]
    """
    costs: list[np.ndarray] = [np.zeros(0, np.float32)] * len(sequences)
    left = np.argsort([-len(read) for read, _ in sequences], kind="stable")  # like lengths side by side
    while len(left):
        rows, left = left[:ROWS], left[ROWS:]
        read, lengths = pad([sequences[n][0] for n in rows])
        put_out, _ = pad([sequences[n][1] for n in rows])
        found, state = [np.zeros((len(rows), 0), np.float32)], None
        for steps, lengths_here in windows(read.shape[1], window, lengths):
            logits, state = model.finite_forward(read[:, steps], lengths_here, state)
            logits -= logits.max(axis=-1, keepdims=True)
            of_symbol = np.take_along_axis(logits, put_out[:, steps, None], axis=-1)[..., 0]
            found.append((np.log(np.exp(logits).sum(axis=-1)) - of_symbol) / np.log(2, dtype=logits.dtype))
        together = np.concatenate(found, axis=1)
        for n, row, length in zip(rows, together, lengths):
            costs[n] = row[:length]
    return costs
