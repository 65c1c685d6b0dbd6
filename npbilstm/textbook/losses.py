"""Losses over the valid steps of a batch of sequences: means, in whose sum and scale the padding has no part."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.activations import relu, sigmoid
from npbilstm.textbook.sequences import as_array, check_lengths, require_shape, valid_steps


class CrossEntropyCache(NamedTuple):
    """What the backward pass needs: p (..., V), targets (...) with 0 in the padding, valid (...), their number M."""

    p: np.ndarray
    targets: np.ndarray
    valid: np.ndarray
    M: int


class BinaryCrossEntropyCache(NamedTuple):
    """What the backward pass needs, shaped as the logits: p, targets with 0 in the padding, valid; their number M."""

    p: np.ndarray
    targets: np.ndarray
    valid: np.ndarray
    M: int


class SquaredErrorCache(NamedTuple):
    """What the backward pass needs: the error (...), 0 in the padding, and the number M of valid ones."""

    error: np.ndarray
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
    For one label per sequence: logits (N, V), targets (N,), no lengths.

    Raises TypeError where targets are not integers, ValueError where a shape does not fit or a valid target is not a
    class.

    >>> loss, cache = nb.softmax_cross_entropy_forward(np.zeros((1, 2, 4)), np.array([[0, 3]]))
    >>> round(float(loss), 6)  # log 4: four classes, each as likely
    1.386294
    """
    logits, targets = as_array("logits", logits), as_array("targets", targets)
    if targets.dtype.kind not in "iu":
        raise TypeError(f"targets has dtype {targets.dtype}; it needs integers, each the number of a class")
    require_shape("targets", targets, logits.shape[:-1])
    if lengths is not None and targets.ndim != 2:
        raise ValueError(f"lengths goes with logits (N, T, V); logits has shape {logits.shape}")
    valid, M = counted(targets.shape, lengths)
    V = logits.shape[-1]
    classes = np.where(valid, targets, 0)
    if classes.size and not (classes.min() >= 0 and classes.max() < V):
        outside = classes[(classes < 0) | (classes >= V)][0]
        raise ValueError(f"targets holds {outside} at a valid step; logits has {V} classes, 0 to {V - 1}")
    z = np.where(valid[..., None], logits, 0)
    z = z - z.real.max(axis=-1, keepdims=True)  # the softmax is the same, and exp cannot overflow
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))  # (..., V)
    log_p_target = np.take_along_axis(log_p, classes[..., None], axis=-1)[..., 0]  # (...)
    loss = -np.where(valid, log_p_target, 0).sum() / M
    return loss, CrossEntropyCache(np.exp(log_p), classes, valid, M)


def softmax_cross_entropy_backward(dloss: float, cache: CrossEntropyCache) -> np.ndarray:
    """The gradient of the mean cross-entropy with respect to the logits, given the scalar dloss (usually 1).

        dlogits[n, t] = dloss / M (p[n, t] - onehot(targets[n, t]))     at valid steps, 0 in the padding

    -> dlogits, shaped as the logits. (It follows from Bishop 2006, eq. 4.106 and 4.108.)

    >>> loss, cache = nb.softmax_cross_entropy_forward(np.zeros((1, 2, 4)), np.array([[0, 3]]))
    >>> nb.softmax_cross_entropy_backward(1.0, cache).tolist()  # (softmax - one-hot) / 2
    [[[-0.375, 0.125, 0.125, 0.125], [0.125, 0.125, 0.125, -0.375]]]
    """
    p, targets, valid, M = cache
    dloss = p.dtype.type(dloss)  # a float64 scalar would widen float32
    onehot = np.arange(p.shape[-1]) == targets[..., None]  # (..., V)
    return np.where(valid[..., None], (p - onehot) * (dloss / M), 0)


def binary_cross_entropy_forward(
    logits: np.ndarray, targets: np.ndarray, lengths: np.ndarray | None = None
) -> tuple[np.floating, BinaryCrossEntropyCache]:
    """The mean, over the M valid logits a, of the cross-entropy between a target y in 0..1 and the probability p.

        p    = sigmoid(a)
        loss = -1/M  sum over valid of  y log p + (1 - y) log(1 - p)
             =  1/M  sum over valid of  max(a, 0) - a y + log(1 + exp(-|a|))

    The second form takes no logarithm of 0 and overflows for no a. Each number is a yes-or-no question of its own:
    several labels may hold at one step. With no valid step the loss is 0. (Bishop 2006, eq. 4.90.)

    logits (N, T, ...), targets shaped as they are, floats in 0..1, lengths (N,) or None for all T -> loss, cache.
    Without lengths: any shape.

    Raises TypeError where either is not of floating numbers, ValueError where a shape does not fit or a valid target is
    not in 0..1.

    >>> loss, cache = nb.binary_cross_entropy_forward(np.zeros((1, 3)), np.array([[1.0, 0.0, 1.0]]))
    >>> round(float(loss), 6)  # log 2: two outcomes, each as likely
    0.693147
    """
    a, y, valid, M = comparable("logits", logits, targets, lengths)
    if not ((y >= 0) & (y <= 1)).all():
        outside = y[~((y >= 0) & (y <= 1))][0]
        raise ValueError(f"targets holds {outside} at a valid step; it needs numbers from 0 to 1")
    positive = relu(a)
    terms = positive - a * y + np.log1p(np.exp((a - positive) - positive))  # a - 2 max(a, 0) = -|a|
    loss = np.where(valid, terms, 0).sum() / M
    return loss, BinaryCrossEntropyCache(sigmoid(a), y, valid, M)


def binary_cross_entropy_backward(dloss: float, cache: BinaryCrossEntropyCache) -> np.ndarray:
    """The gradient of the mean binary cross-entropy with respect to the logits, given the scalar dloss (usually 1).

        dlogits = dloss / M (p - y)     at valid steps, 0 in the padding

    -> dlogits, shaped as the logits. (Bishop 2006, eq. 4.91.)

    >>> loss, cache = nb.binary_cross_entropy_forward(np.zeros((1, 2)), np.array([[1.0, 0.0]]))
    >>> nb.binary_cross_entropy_backward(1.0, cache).tolist()  # (sigmoid - target) / 2
    [[-0.25, 0.25]]
    """
    p, targets, valid, M = cache
    dloss = p.dtype.type(dloss)  # a float64 scalar would widen float32
    return np.where(valid, (p - targets) * (dloss / M), 0)


def mean_squared_error_forward(
    predictions: np.ndarray, targets: np.ndarray, lengths: np.ndarray | None = None
) -> tuple[np.floating, SquaredErrorCache]:
    """The mean, over the M valid numbers, of the squared error.

        error = predictions - targets
        loss  = 1/M  sum over valid of  error^2

    The mean is over numbers, not over steps, and has no half before it. With no valid step the loss is 0.

    predictions (N, T, ...), targets shaped as they are, floats, lengths (N,) or None for all T -> loss, cache.
    Without lengths: any shape.

    Raises TypeError where either is not of floating numbers, ValueError where a shape does not fit.

    >>> loss, cache = nb.mean_squared_error_forward(np.array([[1.0, 5.0]]), np.array([[3.0, 5.0]]))
    >>> float(loss)
    2.0
    """
    predictions, targets, _, M = comparable("predictions", predictions, targets, lengths)
    error = predictions - targets  # 0 in the padding
    loss = (error * error).sum() / M
    return loss, SquaredErrorCache(error, M)


def mean_squared_error_backward(dloss: float, cache: SquaredErrorCache) -> np.ndarray:
    """The gradient of the mean squared error with respect to the predictions, given the scalar dloss (usually 1).

        dpredictions = dloss / M 2 error     at valid steps, 0 in the padding

    -> dpredictions, shaped as the predictions.

    >>> loss, cache = nb.mean_squared_error_forward(np.array([[1.0, 5.0]]), np.array([[3.0, 5.0]]))
    >>> nb.mean_squared_error_backward(1.0, cache).tolist()
    [[-2.0, 0.0]]
    """
    error, M = cache
    dloss = error.dtype.type(dloss)  # a float64 scalar would widen float32
    return 2 * error * (dloss / M)


def counted(shape: tuple[int, ...], lengths: np.ndarray | None) -> tuple[np.ndarray, int]:
    """Which entries of an array (N, T, ...) count, all of them without lengths, and how many they are, at least 1.

    -> bool of this shape, M. Raises as check_lengths does.
    """
    valid = np.ones(shape, bool)
    if lengths is not None:
        N, T = shape[:2]
        valid[~valid_steps(check_lengths(lengths, N, T), T)] = False
    return valid, max(int(valid.sum()), 1)


def comparable(
    name: str, predictions: np.ndarray, targets: np.ndarray, lengths: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Predictions and targets of one shape and one dtype, both 0 in the padding; which entries count, and their number.

    Raises TypeError and ValueError as the losses do; `name` is what the sentence calls the predictions.
    """
    predictions, targets = as_array(name, predictions), as_array("targets", targets)
    for called, array, kinds in [(name, predictions, "fc"), ("targets", targets, "f")]:
        if array.dtype.kind not in kinds:
            raise TypeError(f"{called} has dtype {array.dtype}; it needs floating numbers")
    require_shape("targets", targets, predictions.shape)
    if lengths is not None and predictions.ndim < 2:
        raise ValueError(f"lengths goes with {name} (N, T, ...); {name} has shape {predictions.shape}")
    valid, M = counted(predictions.shape, lengths)
    targets = targets.astype(predictions.real.dtype)  # float64 targets would widen float32
    return np.where(valid, predictions, 0), np.where(valid, targets, 0), valid, M
