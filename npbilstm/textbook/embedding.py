"""The embedding: a table with one learned vector for each symbol of a vocabulary.

Looking a symbol up is multiplying a one-hot vector by the table, without the multiplications that are by 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.sequences import as_array, require_shape


class EmbeddingCache(NamedTuple):
    """What the backward pass needs: the ids (N, T), and the table W (V, D)."""

    ids: np.ndarray
    W: np.ndarray


def embedding_forward(ids: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, EmbeddingCache]:
    """Look up the vector of each symbol.

        x[n, t] = W[ids[n, t]]

    ids (N, T) integers in 0..V-1, W (V, D) -> x (N, T, D), cache. ids may have any shape.

    Raises TypeError where ids are not integers, ValueError where one is not in 0..V-1: of -1 NumPy would make the last.
    """
    ids = as_array("ids", ids)
    if ids.dtype.kind not in "iu":
        raise TypeError(f"ids has dtype {ids.dtype}; it needs integers, each the number of a symbol")
    if ids.size and not (ids.min() >= 0 and ids.max() < len(W)):
        outside = ids[(ids < 0) | (ids >= len(W))][0]
        raise ValueError(f"ids holds {outside}; W has {len(W)} symbols, 0 to {len(W) - 1}")
    x = W[ids]  # (N, T, D)
    return x, EmbeddingCache(ids, W)


def embedding_backward(dx: np.ndarray, cache: EmbeddingCache) -> np.ndarray:
    """The gradient of the table, given dx (N, T, D); the ids have none.

        dW[v] = sum over (n, t) with ids[n, t] = v of  dx[n, t]

    A symbol that occurs twice is used twice, and its gradient is a sum. dW[ids] += dx would not add it up: NumPy reads
    dW[ids], adds, and writes back, and of two places with one symbol the last one written stays.

    -> dW (V, D). Raises ValueError where dx has another shape.
    """
    ids, W = cache
    require_shape("dx", dx, (*ids.shape, W.shape[1]))
    dW = np.zeros_like(W, dtype=np.result_type(dx, W))
    np.add.at(dW, ids, dx)
    return dW
