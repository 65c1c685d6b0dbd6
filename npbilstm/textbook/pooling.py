"""Many to one: a sequence's outputs pooled into one vector, over its valid steps.

y (N, T, F) is what a recurrent layer puts out, F features per step, lengths (N,) as in sequences.py. A row of length 0
has nothing to pool: its vector is 0, and no gradient comes back.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.sequences import as_array, check_lengths, require_shape, valid_steps


class MeanCache(NamedTuple):
    """What the backward pass needs: which entries of y are valid (N, T, F), and how many along T, M (N, F)."""

    valid: np.ndarray
    M: np.ndarray


class MaxCache(NamedTuple):
    """What the backward pass needs: which entries of y were chosen (N, T, F), at most one along T."""

    chosen: np.ndarray


def mean_over_steps_forward(y: np.ndarray, lengths: np.ndarray | None = None) -> tuple[np.ndarray, MeanCache]:
    """The mean over each row's valid steps.

        M[n]      = the number of valid steps of row n, or 1 where there is none
        pooled[n] = 1/M[n]  sum over valid t of  y[n, t]

    y (N, T, F), lengths (N,) or None for all T -> pooled (N, F), cache.

    Raises ValueError where y has not three axes, and as check_lengths does.
    """
    valid = valid_entries(y, lengths)
    M = np.maximum(valid.sum(axis=1), 1).astype(y.real.dtype)  # (N, F); integers would widen float32
    pooled = np.where(valid, y, 0).sum(axis=1) / M
    return pooled, MeanCache(valid, M)


def mean_over_steps_backward(dpooled: np.ndarray, cache: MeanCache) -> np.ndarray:
    """The gradient of the mean, given dpooled (N, F): an equal share for each valid step.

        dy[n, t] = dpooled[n] / M[n]     at valid steps, 0 in the padding

    -> dy (N, T, F). Raises ValueError where dpooled has another shape.
    """
    valid, M = cache
    require_shape("dpooled", dpooled, M.shape)
    share = dpooled / M  # (N, F)
    return np.where(valid, share[:, None], 0)


def max_over_steps_forward(y: np.ndarray, lengths: np.ndarray | None = None) -> tuple[np.ndarray, MaxCache]:
    """The largest value over each row's valid steps, for each feature by itself (Collobert & Weston 2008).

        best[n, k]   = the first valid t at which y[n, t, k] is largest
        pooled[n, k] = y[n, best[n, k], k]

    Complex numbers are compared by their real parts.

    y (N, T, F), lengths (N,) or None for all T -> pooled (N, F), cache.

    Raises ValueError where y has not three axes, and as check_lengths does.
    """
    valid = valid_entries(y, lengths)
    N, T, F = y.shape
    scores = np.where(valid, y.real, -np.inf)
    best = scores.argmax(axis=1) if T else np.zeros((N, F), int)  # (N, F); argmax has no answer for no steps
    chosen = valid & (np.arange(T)[:, None] == best[:, None])  # (N, T, F)
    pooled = np.where(chosen, y, 0).sum(axis=1)
    return pooled, MaxCache(chosen)


def max_over_steps_backward(dpooled: np.ndarray, cache: MaxCache) -> np.ndarray:
    """The gradient of the maximum, given dpooled (N, F): all of it for the step that was chosen.

        dy[n, t, k] = dpooled[n, k]     where t = best[n, k], 0 elsewhere

    At a tie the derivative does not exist; the first of the largest takes it all.

    -> dy (N, T, F). Raises ValueError where dpooled has another shape.
    """
    N, _, F = cache.chosen.shape
    require_shape("dpooled", dpooled, (N, F))
    return np.where(cache.chosen, dpooled[:, None], 0)


def valid_entries(y: np.ndarray, lengths: np.ndarray | None) -> np.ndarray:
    """Which entries of y (N, T, F) stand at valid steps -> bool (N, T, F)."""
    y = as_array("y", y)
    if y.ndim != 3:
        raise ValueError(f"y has shape {y.shape}; it needs three axes (N, T, F)")
    N, T, _ = y.shape
    valid = valid_steps(check_lengths(lengths, N, T), T)
    return np.broadcast_to(valid[:, :, None], y.shape)
