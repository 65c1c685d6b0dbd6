"""Dropout over time, with one mask for all steps of a row (Srivastava et al. 2014; Gal & Ghahramani 2016).

Inverted: what is kept is made larger at once, so that the mean stays, and nothing is left to do when it is used.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.sequences import require_shape


class DropoutCache(NamedTuple):
    """What the backward pass needs: the mask (N, D)."""

    mask: np.ndarray


def mask_from_uniform(u: np.ndarray, rate: float) -> np.ndarray:
    """A mask of random numbers.

        mask = 1/(1 - rate) where u >= rate, 0 elsewhere

    u (N, D) uniform in 0..1, rate in 0..1 but not 1: how much is dropped -> mask (N, D). Its mean is 1.
    """
    return (u >= rate) / (1 - rate)


def dropout_over_time_forward(x: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, DropoutCache]:
    """Drop features of a row, the same at every step.

        dropped[n, t] = mask[n] * x[n, t]

    x (N, T, D), mask (N, D) -> dropped (N, T, D), cache. Raises ValueError where the mask's shape does not fit.
    """
    require_shape("mask", mask, (len(x), x.shape[2]))
    dropped = mask[:, None] * x
    return dropped, DropoutCache(mask)


def dropout_over_time_backward(ddropped: np.ndarray, cache: DropoutCache) -> np.ndarray:
    """The gradient, given ddropped (N, T, D).

        dx[n, t] = mask[n] * ddropped[n, t]      the same mask: what was dropped has no part in it

    -> dx (N, T, D).
    """
    return cache.mask[:, None] * ddropped
