"""The plain recurrent network: one time step, forward and backward, with tanh or with the rectifier.

Notation as in lstm.py: N rows, D input features, H hidden units, x (N, D), h (N, H), h_prev before the step.

mask (N, H) is variational dropout: already scaled by 1/(1-p), the same at every time step, it multiplies h_prev where
h_prev enters a product (Gal & Ghahramani 2016). None is no dropout.

recurrence.py takes a step through time. What lstm.py adds is a second state that no matrix multiplies: here every step
back in time passes through Wh^T and the squashing, and gradients vanish or explode (Bengio et al. 1994).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from npbilstm.textbook.activations import relu, relu_derivative, tanh, tanh_derivative


class RNNParams(NamedTuple):
    """Weights of a plain RNN: Wx (D, H), Wh (H, H), b (H,)."""

    Wx: np.ndarray
    Wh: np.ndarray
    b: np.ndarray


class RNNStepCache(NamedTuple):
    """What one step's backward pass needs: x (N, D), h_in = mask * h_prev, the mask, h (N, H), and the params."""

    x: np.ndarray
    h_in: np.ndarray
    mask: np.ndarray | float
    h: np.ndarray
    params: RNNParams


def rnn_step_forward(
    x: np.ndarray, h_prev: np.ndarray, params: RNNParams, mask: np.ndarray | None = None
) -> tuple[np.ndarray, RNNStepCache]:
    """One time step of a plain RNN (Elman 1990).

        a = x Wx + (mask * h_prev) Wh + b
        h = tanh(a)

    x (N, D), h_prev (N, H), mask (N, H) or None -> h (N, H), cache.
    """
    return step_forward(tanh, x, h_prev, params, mask)


def rnn_step_backward(dh: np.ndarray, cache: RNNStepCache) -> tuple[np.ndarray, np.ndarray, RNNParams]:
    """Gradients of one step, given dh (N, H): those of `step_backward`, with da = dh tanh'(a).

    -> dx (N, D), dh_prev (N, H), grads with the structure of params.
    """
    return step_backward(tanh_derivative, dh, cache)


def rnn_relu_step_forward(
    x: np.ndarray, h_prev: np.ndarray, params: RNNParams, mask: np.ndarray | None = None
) -> tuple[np.ndarray, RNNStepCache]:
    """One time step with the rectifier, which does not squash: h may grow (Le, Jaitly & Hinton 2015: Wh starts as I).

        a = x Wx + (mask * h_prev) Wh + b
        h = relu(a)

    x (N, D), h_prev (N, H), mask (N, H) or None -> h (N, H), cache.
    """
    return step_forward(relu, x, h_prev, params, mask)


def rnn_relu_step_backward(dh: np.ndarray, cache: RNNStepCache) -> tuple[np.ndarray, np.ndarray, RNNParams]:
    """Gradients of one step, given dh (N, H): those of `step_backward`, with da = dh relu'(a).

    -> dx (N, D), dh_prev (N, H), grads with the structure of params.
    """
    return step_backward(relu_derivative, dh, cache)


def step_forward(
    activation: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
    h_prev: np.ndarray,
    params: RNNParams,
    mask: np.ndarray | None,
) -> tuple[np.ndarray, RNNStepCache]:
    """One time step with either activation: what rnn_step_forward and rnn_relu_step_forward share."""
    m = 1.0 if mask is None else mask
    h_in = m * h_prev
    a = x @ params.Wx + h_in @ params.Wh + params.b  # (N, H)
    h = activation(a)
    return h, RNNStepCache(x, h_in, m, h, params)


def step_backward(
    derivative: Callable[[np.ndarray], np.ndarray], dh: np.ndarray, cache: RNNStepCache
) -> tuple[np.ndarray, np.ndarray, RNNParams]:
    """Gradients of one step with either activation, its derivative written in terms of h.

        da      = dh derivative(h)
        dx      = da Wx^T
        dh_prev = mask * (da Wh^T)
        dWx     = x^T da                     summed over the rows of the batch
        dWh     = (mask * h_prev)^T da
        db      = sum_n da

    -> dx (N, D), dh_prev (N, H), grads with the structure of params.
    """
    x, h_in, mask, h, params = cache
    da = dh * derivative(h)
    dx = da @ params.Wx.T
    dh_prev = mask * (da @ params.Wh.T)
    dWx = x.T @ da
    dWh = h_in.T @ da
    db = da.sum(axis=0)
    return dx, dh_prev, RNNParams(dWx, dWh, db)
