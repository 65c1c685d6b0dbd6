"""How good a model is: predictions over many sequences, and counts of what was taken for what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from npbilstm.layers.checks import require_ids, require_size
from npbilstm.models import Model
from npbilstm.textbook.sequences import require_shape


def predict_sequences(model: Model, rows: Sequence[np.ndarray], steps: int = 16_384) -> list[Any]:
    """Each row's ids (T_n,) -> each row's likeliest classes (T_n,), or its one class (), in the same order; of a model
    of another kind, what it reads of a row and what it predicts.

    steps: how many a batch may have, padding included, so that one long row does not blow up a batch of short ones.
    """
    predicted: list[Any] = [None] * len(rows)
    left = np.argsort([-len(row) for row in rows], kind="stable")  # longest first: like lengths side by side
    while len(left):
        size = max(steps // max(len(rows[left[0]]), 1), 1)
        batch, left = left[:size], left[size:]
        ids, lengths = model.pad([rows[n] for n in batch])
        for n, row, length in zip(batch, model.predict(ids, lengths), lengths):
            predicted[n] = row[:length] if model.predicts_per_step else row
    return predicted


def confusion(true: np.ndarray, predicted: np.ndarray, V: int) -> np.ndarray:
    """counts[u, v]: how often class u was taken for class v. true and predicted (M,) integers in 0..V-1 -> (V, V).

    Raises TypeError or ValueError, naming the argument, for others.
    """
    true, predicted = require_ids("true", true, V), require_ids("predicted", predicted, V)
    require_shape("predicted", predicted, true.shape)
    # a small type would overflow, and bincount takes no larger one than an index has, 32 bits in a browser
    true, predicted = true.astype(np.intp), predicted.astype(np.intp)
    return np.bincount(true * V + predicted, minlength=V * V).reshape(V, V)


def accuracy(counts: np.ndarray) -> float:
    """The share on the diagonal; 0 where nothing was counted."""
    return float(counts.trace() / max(counts.sum(), 1))


def recall(counts: np.ndarray) -> np.ndarray:
    """For each class the share of its own that was recognised (V,); NaN for a class that does not occur."""
    total = counts.sum(axis=1)
    return np.where(total > 0, counts.diagonal() / np.maximum(total, 1), np.nan)


def predict_long(model: Model, rows: Sequence[np.ndarray], window: int) -> list[np.ndarray]:
    """As predict_sequences, for a tagger and rows much longer than the windows it was trained on.

    Each row is cut into overlapping pieces, a window with half a window of context on either side, and only the
    window's own predictions are kept: near the edge of a piece one direction knows too little. Raises ValueError for a
    model that predicts no entry per step.
    """
    if not model.predicts_per_step:
        raise ValueError(
            f"model is a {type(model).__name__} that predicts nothing step by step; it needs to be a tagger"
        )
    context = require_size("window", window) // 2
    starts = [(n, start) for n, row in enumerate(rows) for start in range(0, max(len(row), 1), window)]
    pieces = [rows[n][max(start - context, 0) : start + window + context] for n, start in starts]
    predicted: list[list[np.ndarray]] = [[] for _ in rows]
    for (n, start), piece in zip(starts, predict_sequences(model, pieces)):
        begin = min(start, context)
        predicted[n].append(piece[begin : begin + window])
    return [np.concatenate(parts) for parts in predicted]
