"""The gradient check itself: a backward pass beside central differences of its forward pass.

What it must not be fooled by: float32, whose round-off is larger than the differences; a forward pass that gives back a
view of what it got, which changes when that does; an upstream gradient of ones, for which much that is wrong is right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

STEP = 1e-5


def numerical_gradient(loss: Callable[[np.ndarray], Any], x: np.ndarray) -> np.ndarray:
    """The gradient of loss at x by central differences, an entry at a time.

        grad[k] = (loss(x + step e_k) - loss(x - step e_k)) / (2 step)

    e_k is 1 at the entry k and 0 elsewhere. x of float64, which is not changed, any shape -> grad like x.
    """
    grad = np.zeros(x.shape)
    for k in np.ndindex(x.shape):
        e = np.zeros(x.shape, x.dtype)
        e[k] = STEP
        grad[k] = (loss(x + e) - loss(x - e)) / (2 * STEP)
    return grad


def backward_is_right(
    forward: Callable[[np.ndarray], tuple[np.ndarray, Any]],
    backward: Callable[[np.ndarray, Any], np.ndarray],
    x: np.ndarray,
) -> bool:
    """Whether backward gives the gradient of forward at x.

        y, cache = forward(x)
        dy       random, like y
        loss     = sum of y * dy
        dx       = backward(dy, cache)
        error    = max |dx - numerical gradient of loss| / max |numerical gradient of loss|

    It is right where the error is below 1e-6. x, of any shape, may come as float32, and need not lie in one piece; all
    is done in float64, and nothing that was given is changed.

    forward(x) -> y, cache; backward(dy, cache) -> dx like x; x -> True or False.
    """
    x = np.array(x, dtype=np.float64)
    y, cache = forward(x.copy())
    dy = np.random.default_rng(0).standard_normal(y.shape)
    dx = backward(dy.copy(), cache)
    expected = numerical_gradient(lambda moved: (forward(moved)[0] * dy).sum(), x)
    error = np.abs(dx - expected).max() / max(np.abs(expected).max(), 1e-12)
    return bool(error < 1e-6)
