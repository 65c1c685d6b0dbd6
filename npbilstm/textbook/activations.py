"""The two squashing functions of an LSTM, the rectifier of a plain RNN, and their derivatives.

Each derivative is written in terms of the function's *output*, which the forward pass has at hand already:
nothing need be computed twice.
"""

from __future__ import annotations

import numpy as np


def sigmoid(a: np.ndarray) -> np.ndarray:
    """The logistic function, a gate's opening between 0 and 1.

        sigmoid(a) = 1 / (1 + exp(-a)) = 1/2 + 1/2 tanh(a/2)

    The second form overflows for no a, and takes complex a. It is exact to about 1e-16, so that a gate below that, at
    a < -37, is 0. Any shape.
    """
    return 0.5 + 0.5 * np.tanh(0.5 * a)


def sigmoid_derivative(s: np.ndarray) -> np.ndarray:
    """d sigmoid(a) / da = s (1 - s), where s = sigmoid(a)."""
    return s * (1 - s)


def tanh(a: np.ndarray) -> np.ndarray:
    """The hyperbolic tangent, between -1 and 1. Any shape."""
    return np.tanh(a)


def tanh_derivative(y: np.ndarray) -> np.ndarray:
    """d tanh(a) / da = 1 - y^2, where y = tanh(a)."""
    return 1 - y * y


def relu(a: np.ndarray) -> np.ndarray:
    """The rectifier max(a, 0); a complex a is compared by its real part. Any shape."""
    return np.where(a.real <= 0, 0, a)


def relu_derivative(y: np.ndarray) -> np.ndarray:
    """d relu(a) / da = 1 where y > 0 and 0 elsewhere, where y = relu(a). At a = 0 it is 0 by convention."""
    return y.real > 0
