"""The affine map of the last axis, the same at every row and step: what makes scores of hidden states."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.sequences import require_shape


class AffineCache(NamedTuple):
    """What the backward pass needs: x (N, T, D), W (D, V)."""

    x: np.ndarray
    W: np.ndarray


def affine_forward(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, AffineCache]:
    """Scores of each step, with the same weights at all of them.

        scores[n, t] = x[n, t] W + b

    x (N, T, D), W (D, V), b (V,) -> scores (N, T, V), cache. x may have any number of axes before the last.

    Raises ValueError where a shape does not fit.
    """
    require_shape("W", W, (x.shape[-1], *W.shape[1:]))
    require_shape("b", b, W.shape[1:])
    scores = x @ W + b  # (N, T, V)
    return scores, AffineCache(x, W)


def affine_backward(dscores: np.ndarray, cache: AffineCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients, given dscores (N, T, V).

        dx[n, t] = dscores[n, t] W^T
        dW       = sum over n, t of  x[n, t]^T dscores[n, t]        the weights are used at every step of every row
        db       = sum over n, t of  dscores[n, t]

    -> dx (N, T, D), dW (D, V), db (V,). Raises ValueError where dscores has another shape.
    """
    x, W = cache
    D, V = W.shape
    require_shape("dscores", dscores, (*x.shape[:-1], V))
    dx = dscores @ W.T
    dW = x.reshape(-1, D).T @ dscores.reshape(-1, V)
    db = dscores.reshape(-1, V).sum(axis=0)
    return dx, dW, db
