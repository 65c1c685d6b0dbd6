"""Cross-entropy in which not every step counts alike: classes with weights, and steps that do not count at all.

A row's padding is at its end, and `lengths` says where it begins. Here a step in the middle may be left out too: nobody
knows its label, or it is a piece of a word whose first piece alone has one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.sequences import as_array, check_lengths, require_shape, valid_steps


class WeightedCrossEntropyCache(NamedTuple):
    """What the backward pass needs: p (..., V), targets (...) with 0 where w is 0, w (...) and its sum W."""

    p: np.ndarray
    targets: np.ndarray
    w: np.ndarray
    W: np.floating


def counted_steps(
    targets: np.ndarray,
    lengths: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    ignore_index: int | None = None,
) -> np.ndarray:
    """Which steps count: those before their row's end that no mask leaves out and whose target is not ignore_index.

    targets (N, T) or (N,), lengths (N,) or None for all T, mask bool, shaped as targets, or None for all steps,
    ignore_index a number that is no class, -100 say, or None -> bool, shaped as targets.

    Raises TypeError where mask is not of bools, ValueError where a shape does not fit.

    >>> nb.textbook.counted_steps(np.array([[2, -100, 1, 0]]), lengths=np.array([3]), ignore_index=-100).tolist()
    [[True, False, True, False]]
    """
    targets = as_array("targets", targets)
    counts = np.ones(targets.shape, bool)
    if mask is not None:
        mask = as_array("mask", mask)
        if mask.dtype.kind != "b":
            raise TypeError(f"mask has dtype {mask.dtype}; it needs bools, True where a step counts")
        require_shape("mask", mask, targets.shape)
        counts &= mask
    if lengths is not None:
        if targets.ndim != 2:
            raise ValueError(f"lengths goes with targets (N, T); targets has shape {targets.shape}")
        counts &= valid_steps(check_lengths(lengths, *targets.shape), targets.shape[1])
    if ignore_index is not None:
        counts &= targets != ignore_index
    return counts


def weighted_cross_entropy_forward(
    logits: np.ndarray,
    targets: np.ndarray,
    class_weights: np.ndarray | None = None,
    mask: np.ndarray | None = None,
) -> tuple[np.floating, WeightedCrossEntropyCache]:
    """The weighted mean, over the steps that count, of minus the log-probability of the target class.

        p[n, t, v] = exp(logits[n, t, v]) / sum_u exp(logits[n, t, u])
        w[n, t]    = class_weights[targets[n, t]]      where mask[n, t], else 0
        W          = sum over (n, t) of  w[n, t]
        loss       = -1/W  sum over (n, t) of  w[n, t] log p[n, t, targets[n, t]]

    A class that is rare gets a large weight, and is then not left unlearned for being rare. It is divided by the sum of
    the weights, not by the number of steps, as PyTorch's mean is. With no weight at all the loss is 0, where PyTorch's
    is NaN. Where mask is False neither logits nor targets matter. (Of two classes: King & Zeng 2001, section 4.2.)

    logits (N, T, V), targets (N, T) integers in 0..V-1, class_weights (V,), at least 0, None for all 1, mask bool
    (N, T), None for all steps, see counted_steps -> loss, cache. Of one label per sequence: (N, V), (N,), (V,), (N,).

    Raises TypeError or ValueError, naming the argument.

    >>> logits, targets = np.zeros((1, 3, 2)), np.array([[0, 1, 1]])
    >>> loss, cache = nb.weighted_cross_entropy_forward(logits, targets, np.array([1.0, 3.0]), targets > -1)
    >>> round(float(loss), 6), cache.w.tolist()
    (0.693147, [[1.0, 3.0, 3.0]])
    """
    logits, targets = as_array("logits", logits), as_array("targets", targets)
    if targets.dtype.kind not in "iu":
        raise TypeError(f"targets has dtype {targets.dtype}; it needs integers, each the number of a class")
    require_shape("targets", targets, logits.shape[:-1])
    V = logits.shape[-1]
    class_weights = checked_weights(class_weights, V).astype(logits.real.dtype)  # float64 would widen float32
    mask = counted_steps(targets, mask=mask)
    classes = np.where(mask, targets, 0)
    if classes.size and not (classes.min() >= 0 and classes.max() < V):
        outside = classes[(classes < 0) | (classes >= V)][0]
        raise ValueError(f"targets holds {outside} at a step that counts; logits has {V} classes, 0 to {V - 1}")
    w = np.where(mask, class_weights[classes], 0)  # (N, T)
    W = w.sum() if w.any() else w.dtype.type(1)
    z = np.where(mask[..., None], logits, 0)
    z = z - z.real.max(axis=-1, keepdims=True)  # the softmax is the same, and exp cannot overflow
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))  # (N, T, V)
    log_p_target = np.take_along_axis(log_p, classes[..., None], axis=-1)[..., 0]  # (N, T)
    loss = -(w * log_p_target).sum() / W
    return loss, WeightedCrossEntropyCache(np.exp(log_p), classes, w, W)


def weighted_cross_entropy_backward(dloss: float, cache: WeightedCrossEntropyCache) -> np.ndarray:
    """The gradient of the weighted mean with respect to the logits, given the scalar dloss (usually 1).

        dlogits[n, t] = dloss / W w[n, t] (p[n, t] - onehot(targets[n, t]))     0 where w is

    -> dlogits, shaped as the logits.

    >>> logits, targets = np.zeros((1, 3, 2)), np.array([[0, 1, 1]])
    >>> mask = np.array([[True, False, True]])
    >>> loss, cache = nb.weighted_cross_entropy_forward(logits, targets, np.array([1.0, 3.0]), mask)
    >>> (nb.weighted_cross_entropy_backward(1.0, cache) + 0).tolist()  # + 0 makes of -0.0 a 0.0
    [[[-0.125, 0.125], [0.0, 0.0], [0.375, -0.375]]]
    """
    p, targets, w, W = cache
    dloss = p.dtype.type(dloss)  # a float64 scalar would widen float32
    onehot = np.arange(p.shape[-1]) == targets[..., None]  # (N, T, V)
    return w[..., None] * (p - onehot) * (dloss / W)


def checked_weights(class_weights: np.ndarray | None, V: int) -> np.ndarray:
    """The weights (V,), all 1 for None. Raises TypeError or ValueError for what are none."""
    if class_weights is None:
        return np.ones(V)
    weights = as_array("class_weights", class_weights)
    if weights.dtype.kind not in "fiu":
        raise TypeError(f"class_weights has dtype {weights.dtype}; it needs floating numbers")
    require_shape("class_weights", weights, (V,))
    if not (np.isfinite(weights) & (weights >= 0)).all():
        outside = weights[~(np.isfinite(weights) & (weights >= 0))][0]
        raise ValueError(f"class_weights holds {outside}; it needs finite numbers of at least 0")
    return weights
