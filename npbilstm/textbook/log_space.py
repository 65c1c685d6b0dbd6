"""Sums of probabilities that are known by their logarithms: what is too small for a number is not for its logarithm."""

from __future__ import annotations

import numpy as np


def log_sum_exp(a: np.ndarray, axis: int) -> np.ndarray:
    """The logarithm of a sum of exponentials along an axis.

        m      = max_k a[k]                         by real parts; 0 where no a[k] is finite
        result = m + log sum_k exp(a[k] - m)

    exp cannot overflow, and the largest term is 1. Of minus infinity alone, probabilities that are all 0, it is minus
    infinity; so it is of nothing at all.

    a (..., K, ...) -> (..., ...), without that axis.

    >>> from npbilstm.textbook.log_space import log_sum_exp
    >>> round(float(np.exp(log_sum_exp(np.log([0.25, 0.5]), axis=0))), 6)
    0.75
    """
    m = a.real.max(axis=axis, keepdims=True, initial=-np.inf)
    m = np.where(np.isinf(m), 0, m)
    with np.errstate(divide="ignore"):  # log 0 is minus infinity
        log_sum = np.log(np.exp(a - m).sum(axis=axis))
    return log_sum + np.squeeze(m, axis=axis)


def log_sigmoid(a: np.ndarray) -> np.ndarray:
    """The logarithm of sigmoid(a), where sigmoid(a) itself may be too small for a number.

        log sigmoid(a) = min(a, 0) - log(1 + exp(-|a|))        signs by real parts

    a of any shape -> the same.

    >>> from npbilstm.textbook.log_space import log_sigmoid
    >>> float(log_sigmoid(np.array(-1000.0)))
    -1000.0
    """
    negative = a.real < 0
    return np.where(negative, a, 0) - np.log1p(np.exp(np.where(negative, a, -a)))
