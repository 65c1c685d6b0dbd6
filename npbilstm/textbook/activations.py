"""The two squashing functions of an LSTM, the rectifier of a plain RNN, the hard sigmoid, and their derivatives.

Each derivative is written in terms of the function's *output*, which the forward pass has at hand already:
nothing need be computed twice.

Two functions go by the name of hard sigmoid, three straight lines each, of other slopes:

    hard_sigmoid         clip(a / 5 + 1/2, 0, 1)      Keras 1 and 2 (tf.keras up to TensorFlow 2.15), ONNX unless told
    hard_sigmoid_sixth   clip(a / 6 + 1/2, 0, 1)      Keras 3, PyTorch, JAX; also written relu6(a + 3) / 6
"""

from __future__ import annotations

from collections.abc import Callable

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


def hard_sigmoid(a: np.ndarray) -> np.ndarray:
    """A sigmoid of three straight lines: 0 up to a = -5/2, 1 from a = 5/2 on; a complex a is compared by its real part.

        hard_sigmoid(a) = clip(a / 5 + 1/2, 0, 1)

    Any shape.
    """
    return clip_to_unit(0.2 * a + 0.5)


def hard_sigmoid_derivative(s: np.ndarray) -> np.ndarray:
    """d hard_sigmoid(a) / da = 1/5 where 0 < s < 1 and 0 elsewhere, where s = hard_sigmoid(a). At both bends it is 0 by
    convention."""
    return inside_unit(s) * s.real.dtype.type(0.2)


def hard_sigmoid_sixth(a: np.ndarray) -> np.ndarray:
    """The flatter hard sigmoid: 0 up to a = -3, 1 from a = 3 on; a complex a is compared by its real part.

        hard_sigmoid_sixth(a) = clip(a / 6 + 1/2, 0, 1)

    Any shape.
    """
    return clip_to_unit(a / 6 + 0.5)


def hard_sigmoid_sixth_derivative(s: np.ndarray) -> np.ndarray:
    """d hard_sigmoid_sixth(a) / da = 1/6 where 0 < s < 1 and 0 elsewhere, where s = hard_sigmoid_sixth(a)."""
    return inside_unit(s) * s.real.dtype.type(1 / 6)


def clip_to_unit(s: np.ndarray) -> np.ndarray:
    """s between 0 and 1, what is below set to 0, what is above to 1."""
    return np.where(s.real <= 0, 0, np.where(s.real >= 1, 1, s))


def inside_unit(s: np.ndarray) -> np.ndarray:
    """Whether 0 < s < 1."""
    return (s.real > 0) & (s.real < 1)


ACTIVATIONS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]] = {
    "tanh": (tanh, tanh_derivative),
    "sigmoid": (sigmoid, sigmoid_derivative),
    "relu": (relu, relu_derivative),
    "hard_sigmoid": (hard_sigmoid, hard_sigmoid_derivative),
    "hard_sigmoid_sixth": (hard_sigmoid_sixth, hard_sigmoid_sixth_derivative),
}
"""Each function and its derivative, by the name that layers know it by."""
