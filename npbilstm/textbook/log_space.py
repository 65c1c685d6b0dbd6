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
