"""Real-time recurrent learning (RTRL): the LSTM's gradients carried forward in time, beside the states.

BPTT keeps every step and walks back. RTRL (Williams & Zipser 1989) keeps no step: it takes along how h and c depend on
each weight, so that the gradient is there as soon as a step's loss is. Both give the same numbers. For one row:

    numbers kept       BPTT  T (D + 7 H)         RTRL  8 H^2 (D + H + 1), whatever T is
    multiplications    BPTT  12 T H (D + H)      RTRL  16 T H^3 (D + H + 1)       those of the matrix products

Notation as in lstm.py, and W (R, 4H) for Wx, Wh and b, one under the other: R = D + H + 1 rows that multiply
row = [x, h_prev, 1]. h_W (N, R, 4H, H) is the derivative of each h with respect to each entry of W; c_W, a_W alike.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.activations import sigmoid, sigmoid_derivative, tanh, tanh_derivative
from npbilstm.textbook.lstm import LSTMParams, require_fit
from npbilstm.textbook.sequences import require_shape


class RTRLState(NamedTuple):
    """h, c (N, H), and their derivatives by W: h_W, c_W (N, R, 4H, H)."""

    h: np.ndarray
    c: np.ndarray
    h_W: np.ndarray
    c_W: np.ndarray


def rtrl_start(h0: np.ndarray, c0: np.ndarray, params: LSTMParams) -> RTRLState:
    """Before the first step, the states depend on no weight. h0, c0 (N, H) -> state."""
    N, H = h0.shape
    R = len(params.Wx) + H + 1
    zero = np.zeros((N, R, 4 * H, H), np.result_type(h0, c0, *params))
    return RTRLState(h0, c0, zero, zero)


def rtrl_step(x: np.ndarray, state: RTRLState, params: LSTMParams) -> RTRLState:
    """One step, and its derivatives.

        a   = x Wx + h_prev Wh + b
        a_W = h_prev_W Wh + row at its own gate      every weight acts through the old h, and this one directly
        i_W = sigmoid'(a_i) a_i_W                    and so f, o; of g tanh'
        c_W = f * c_prev_W + c_prev * f_W + g * i_W + i * g_W
        h_W = tanh(c) * o_W + o * tanh'(c) * c_W

    x (N, D) -> the state after the step.
    """
    h_prev, c_prev, h_prev_W, c_prev_W = state
    N, H = h_prev.shape
    row = np.concatenate([x, h_prev, np.ones((N, 1))], axis=1)  # (N, R)
    a = x @ params.Wx + h_prev @ params.Wh + params.b  # (N, 4H)
    a_W = h_prev_W @ params.Wh + row[:, :, None, None] * np.eye(4 * H)  # (N, R, 4H, 4H)
    a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)
    i, f, g, o = (gate[:, None, None] for gate in (sigmoid(a_i), sigmoid(a_f), tanh(a_g), sigmoid(a_o)))
    a_i_W, a_f_W, a_g_W, a_o_W = np.split(a_W, 4, axis=3)
    i_W = sigmoid_derivative(i) * a_i_W
    f_W = sigmoid_derivative(f) * a_f_W
    g_W = tanh_derivative(g) * a_g_W
    o_W = sigmoid_derivative(o) * a_o_W
    c = f * c_prev[:, None, None] + i * g  # (N, 1, 1, H)
    c_W = f * c_prev_W + c_prev[:, None, None] * f_W + g * i_W + i * g_W
    h_W = tanh(c) * o_W + o * tanh_derivative(tanh(c)) * c_W
    return RTRLState((o * tanh(c))[:, 0, 0], c[:, 0, 0], h_W, c_W)


def rtrl_gradient(dh: np.ndarray, dc: np.ndarray, state: RTRLState) -> LSTMParams:
    """The gradient of a loss that reads the state as it is now, given dh and dc (N, H).

        dW = sum over n and units of  dh * h_W + dc * c_W

    -> grads with the structure of params.
    """
    dW = np.einsum("nh,nrkh->rk", dh, state.h_W) + np.einsum("nh,nrkh->rk", dc, state.c_W)  # (R, 4H)
    D = len(dW) - dh.shape[1] - 1
    return LSTMParams(dW[:D], dW[D:-1], dW[-1])


def lstm_rtrl(
    x: np.ndarray, h0: np.ndarray, c0: np.ndarray, params: LSTMParams, dh: np.ndarray
) -> tuple[np.ndarray, LSTMParams]:
    """A batch of sequences of equal length, and the gradients of sum(dh * h) without a way back.

        grads = sum_t gradient(dh[:, t], state_t)

    x (N, T, D), h0 (N, H), c0 (N, H), dh (N, T, H) -> h (N, T, H), grads with the structure of params.

    Raises ValueError where a shape does not fit.
    """
    require_fit(x, h0, c0, params)
    require_shape("dh", dh, (*x.shape[:2], h0.shape[1]))
    h = np.zeros(dh.shape, np.result_type(x, h0, c0, *params))
    grads = LSTMParams(*(np.zeros_like(p, dtype=np.result_type(h, dh)) for p in params))
    state = rtrl_start(h0, c0, params)
    for t in range(x.shape[1]):
        state = rtrl_step(x[:, t], state, params)
        h[:, t] = state.h
        here = rtrl_gradient(dh[:, t], np.zeros_like(c0), state)
        grads = LSTMParams(*(total + share for total, share in zip(grads, here)))
    return h, grads
