"""Losses over the valid steps of a batch of sequences."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.sequences import check_lengths, require_shape, valid_steps


class CrossEntropyCache(NamedTuple):
    """What the backward pass needs: p (..., V), targets (...) with 0 in the padding, valid (...), their number M."""

    p: np.ndarray
    targets: np.ndarray
    valid: np.ndarray
    M: int


def softmax_cross_entropy_forward(
    logits: np.ndarray, targets: np.ndarray, lengths: np.ndarray | None = None
) -> tuple[np.floating, CrossEntropyCache]:
    """The mean, over the M valid steps, of minus the log-probability that the softmax gives to the target class.

        p[n, t, v] = exp(logits[n, t, v]) / sum_u exp(logits[n, t, u])
        loss       = -1/M  sum over valid (n, t) of  log p[n, t, targets[n, t]]

    The mean is over valid steps, not over N T: a row's padding takes no part in the loss or in its scale. With no valid
    step at all the loss is 0. (Bishop 2006, eq. 4.104 and 4.108.)

    logits (N, T, V), targets (N, T) integers in 0..V-1, lengths (N,) or None for all T -> loss, cache.
    For one label a sequence: logits (N, V), targets (N,), no lengths.

    Raises TypeError where targets are not integers, ValueError where a shape does not fit or a valid target is not a
    class.
    """
    targets = np.asarray(targets)
    if targets.dtype.kind not in "iu":
        raise TypeError(f"targets has dtype {targets.dtype}; it needs integers, each the number of a class")
    require_shape("targets", targets, logits.shape[:-1])
    if lengths is None:
        valid = np.ones(targets.shape, bool)
    elif targets.ndim != 2:
        raise ValueError(f"lengths goes with logits (N, T, V); logits has shape {logits.shape}")
    else:
        N, T = targets.shape
        valid = valid_steps(check_lengths(lengths, N, T), T)
    V = logits.shape[-1]
    targets = np.where(valid, targets, 0)
    if targets.size and not (targets.min() >= 0 and targets.max() < V):
        outside = targets[(targets < 0) | (targets >= V)][0]
        raise ValueError(f"targets holds {outside} at a valid step; logits has {V} classes, 0 to {V - 1}")
    M = max(int(valid.sum()), 1)
    z = np.where(valid[..., None], logits, 0)
    z = z - z.real.max(axis=-1, keepdims=True)  # the softmax is the same, and exp cannot overflow
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))  # (..., V)
    log_p_target = np.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]  # (...)
    loss = -np.where(valid, log_p_target, 0).sum() / M
    return loss, CrossEntropyCache(np.exp(log_p), targets, valid, M)


def softmax_cross_entropy_backward(dloss: float, cache: CrossEntropyCache) -> np.ndarray:
    """The gradient of the mean cross-entropy with respect to the logits, given the scalar dloss (usually 1).

        dlogits[n, t] = dloss / M (p[n, t] - onehot(targets[n, t]))     at valid steps, 0 in the padding

    -> dlogits, shaped as the logits. (It follows from Bishop 2006, eq. 4.106 and 4.108.)
    """
    p, targets, valid, M = cache
    dloss = p.dtype.type(dloss)  # a float64 scalar would widen float32
    onehot = np.arange(p.shape[-1]) == targets[..., None]  # (..., V)
    return np.where(valid[..., None], (p - onehot) * (dloss / M), 0)
