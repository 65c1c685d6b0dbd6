"""The functions that a cell may squash with, each written into an array that is there, and their derivatives.

lstm.py writes tanh and sigmoid out, where a call more would count; what else there is goes through these. The maximum
and the minimum of complex numbers go by their real parts, which is what the complex step needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy import add, greater, less, maximum, minimum, multiply, subtract, tanh

from npbilstm.engine.tiles import Array

ZERO, HALF, ONE = (np.array(value, np.float32) for value in (0, 0.5, 1))
"""In the narrowest dtype there is here, so that they widen no array's."""

InPlace = Callable[[Array, Array], object]


class Activation(NamedTuple):
    """function(a, out): out may be a. derivative(y, out), of what the function put out: out may not be y.

    of_scaled(a, out): the function of an a that comes multiplied by `scale`, as its weights are: half for the sigmoid,
        which that saves a pass, else 1.
    bounded: whether what it puts out is. What is not may grow from step to step, also from one step of the padding to
        the next; so there the state is set to 0.
    """

    function: InPlace
    derivative: InPlace
    of_scaled: InPlace
    scale: float = 1
    bounded: bool = True


def tanh_derivative(y: Array, out: Array) -> None:
    """1 - y^2; out may be y."""
    multiply(y, y, out)
    subtract(ONE, out, out)


def sigmoid_of_doubled(a: Array, out: Array) -> None:
    """sigmoid(2 a) = 1/2 + 1/2 tanh(a)."""
    tanh(a, out)
    multiply(out, HALF, out)
    add(out, HALF, out)


def sigmoid(a: Array, out: Array) -> None:
    """1/2 + 1/2 tanh(a/2)."""
    multiply(a, HALF, out)
    sigmoid_of_doubled(out, out)


def sigmoid_derivative(y: Array, out: Array) -> None:
    """y (1 - y)."""
    subtract(ONE, y, out)
    multiply(out, y, out)


def relu(a: Array, out: Array) -> None:
    """max(a, 0)."""
    maximum(a, ZERO, out=out)


def relu_derivative(y: Array, out: Array) -> None:
    """1 where y > 0."""
    greater(y.real, ZERO, out, casting="unsafe")


def hard_sigmoid(slope: float) -> Activation:
    """clip(slope a + 1/2, 0, 1), whose derivative is the slope where 0 < y < 1."""

    def function(a: Array, out: Array) -> None:
        multiply(a, slope, out)
        add(out, HALF, out)
        maximum(out, ZERO, out=out)
        minimum(out, ONE, out=out)

    def derivative(y: Array, out: Array) -> None:
        greater(y.real, ZERO, out, casting="unsafe")
        multiply(out, less(y.real, ONE), out)
        multiply(out, slope, out)

    return Activation(function, derivative, function)


ACTIVATIONS = {
    "tanh": Activation(tanh, tanh_derivative, tanh),
    "sigmoid": Activation(sigmoid, sigmoid_derivative, sigmoid_of_doubled, scale=0.5),
    "relu": Activation(relu, relu_derivative, relu, bounded=False),
    "hard_sigmoid": hard_sigmoid(1 / 5),
    "hard_sigmoid_sixth": hard_sigmoid(1 / 6),
}
"""By the names that layers know them by."""
