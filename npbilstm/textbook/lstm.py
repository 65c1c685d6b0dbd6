"""The LSTM: one time step, forward and backward, then the sequence: backpropagation through time (BPTT).

Notation. N rows in a batch, T time steps, D input features, H hidden units. At one step:

    x (N, D)                what comes in
    h (N, H), c (N, H)      hidden state and cell state after the step; h_prev and c_prev before it
    i, f, g, o (N, H)       input gate, forget gate, candidate, output gate; always in this order
    a (N, 4H)               their pre-activations, side by side
    Wx (D, 4H), Wh (H, 4H), b (4H,)

`d` + a name is the gradient of the loss with respect to that name: dh is dL/dh. *Backward* is the gradient's way,
never a direction of reading.

Sources: Hochreiter & Schmidhuber 1997 (the cell), Gers, Schmidhuber & Cummins 2000 (the forget gate),
Graves & Schmidhuber 2005, appendix A (exact BPTT for it, without their peepholes).

Every function takes float32, float64 and complex arrays, changes none of its inputs, and a cache may be used twice.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.activations import sigmoid, sigmoid_derivative, tanh, tanh_derivative
from npbilstm.textbook.sequences import check_lengths, require_shape, valid_steps


class LSTMParams(NamedTuple):
    """Weights of an LSTM: Wx (D, 4H), Wh (H, 4H), b (4H,), the gates' blocks in the order i, f, g, o."""

    Wx: np.ndarray
    Wh: np.ndarray
    b: np.ndarray


class LSTMStepCache(NamedTuple):
    """What one step's backward pass needs: x (N, D), all others (N, H), and the params."""

    x: np.ndarray
    h_prev: np.ndarray
    c_prev: np.ndarray
    i: np.ndarray
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    tanh_c: np.ndarray
    params: LSTMParams


class LSTMCache(NamedTuple):
    """What BPTT needs: the cache of every step, and which steps of which rows are valid (N, T)."""

    steps: list[LSTMStepCache]
    valid: np.ndarray
    params: LSTMParams


def lstm_step_forward(
    x: np.ndarray, h_prev: np.ndarray, c_prev: np.ndarray, params: LSTMParams
) -> tuple[np.ndarray, np.ndarray, LSTMStepCache]:
    """One time step of an LSTM.

        a = x Wx + h_prev Wh + b
        i = sigmoid(a_i)              how much of the candidate to write
        f = sigmoid(a_f)              how much of the old cell to keep
        g = tanh(a_g)                 the candidate
        o = sigmoid(a_o)              how much of the cell to show
        c = f * c_prev + i * g
        h = o * tanh(c)

    x (N, D), h_prev (N, H), c_prev (N, H) -> h (N, H), c (N, H), cache.
    """
    a = x @ params.Wx + h_prev @ params.Wh + params.b  # (N, 4H)
    a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)  # each (N, H)
    i = sigmoid(a_i)
    f = sigmoid(a_f)
    g = tanh(a_g)
    o = sigmoid(a_o)
    c = f * c_prev + i * g
    tanh_c = tanh(c)
    h = o * tanh_c
    return h, c, LSTMStepCache(x, h_prev, c_prev, i, f, g, o, tanh_c, params)


def lstm_step_backward(
    dh: np.ndarray, dc: np.ndarray, cache: LSTMStepCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray, LSTMParams]:
    """Gradients of one step, given dh and dc (N, H): those of the loss with respect to the h and c it put out.

        do      = dh * tanh(c)
        dc     += dh * o * tanh'(c)          c is seen twice: through h, and by the next step
        di      = dc * g
        df      = dc * c_prev
        dg      = dc * i
        dc_prev = dc * f                     the only way back for the cell: no matrix, no squashing
        da      = [di sigmoid'(a_i), df sigmoid'(a_f), dg tanh'(a_g), do sigmoid'(a_o)]
        dx      = da Wx^T
        dh_prev = da Wh^T
        dWx     = x^T da                     summed over the rows of the batch
        dWh     = h_prev^T da
        db      = sum_n da

    -> dx (N, D), dh_prev (N, H), dc_prev (N, H), grads with the structure of params.
    """
    x, h_prev, c_prev, i, f, g, o, tanh_c, params = cache
    do = dh * tanh_c
    dc = dc + dh * o * tanh_derivative(tanh_c)
    di = dc * g
    df = dc * c_prev
    dg = dc * i
    dc_prev = dc * f
    da_i = di * sigmoid_derivative(i)
    da_f = df * sigmoid_derivative(f)
    da_g = dg * tanh_derivative(g)
    da_o = do * sigmoid_derivative(o)
    da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)  # (N, 4H)
    dx = da @ params.Wx.T
    dh_prev = da @ params.Wh.T
    dWx = x.T @ da
    dWh = h_prev.T @ da
    db = da.sum(axis=0)
    return dx, dh_prev, dc_prev, LSTMParams(dWx, dWh, db)


def lstm_forward(
    x: np.ndarray, h0: np.ndarray, c0: np.ndarray, params: LSTMParams, lengths: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, LSTMCache]:
    """An LSTM over a batch of sequences.

        h_t, c_t = step(x_t, h_{t-1}, c_{t-1})     for t = 0 .. T-1, the same params at every step

    At a padded step the state is held (h_t = h_{t-1}, c_t = c_{t-1}) and the output is 0. So h_T and c_T are the
    state after each row's last valid step, and what stands in the padding, NaN even, is never seen.

    x (N, T, D), h0 (N, H), c0 (N, H), lengths (N,) or None for all T
    -> h (N, T, H), h_T (N, H), c_T (N, H), cache.

    Raises ValueError where a shape does not fit, and as check_lengths does.
    """
    require_fit(x, h0, c0, params)
    N, T, _ = x.shape
    H = len(params.Wh)
    valid = valid_steps(check_lengths(lengths, N, T), T)  # (N, T)
    x = np.where(valid[:, :, None], x, 0)
    h = np.zeros((N, T, H), np.result_type(x, h0, c0, *params))
    h_t, c_t = h0, c0
    steps = []
    for t in range(T):
        v = valid[:, t, None]  # (N, 1)
        h_new, c_new, cache = lstm_step_forward(x[:, t], h_t, c_t, params)
        h_t = np.where(v, h_new, h_t)
        c_t = np.where(v, c_new, c_t)
        h[:, t] = np.where(v, h_new, 0)
        steps.append(cache)
    return h, h_t, c_t, LSTMCache(steps, valid, params)


def lstm_backward(
    dh: np.ndarray, dh_T: np.ndarray, dc_T: np.ndarray, cache: LSTMCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray, LSTMParams]:
    """Backpropagation through time, given dh (N, T, H), and dh_T and dc_T (N, H) of the final state.

        dh_t = dh[:, t] + dh_next                   the loss sees h_t, and so does the next step
        dx[:, t], dh_next, dc_next, grads_t = step_backward(dh_t, dc_next)     for t = T-1 .. 0
        grads = sum_t grads_t                       the params are used at every step

    dh_next, dc_next start as dh_T, dc_T and end as dh0, dc0.

    A padded step held the state, so the state's gradient passes through it unchanged, and its dx is 0.

    -> dx (N, T, D), dh0 (N, H), dc0 (N, H), grads with the structure of params.

    Raises ValueError where a shape does not fit.
    """
    steps, valid, params = cache
    N, T = valid.shape
    D, H = len(params.Wx), len(params.Wh)
    for name, array, shape in [("dh", dh, (N, T, H)), ("dh_T", dh_T, (N, H)), ("dc_T", dc_T, (N, H))]:
        require_shape(name, array, shape)
    dh = np.where(valid[:, :, None], dh, 0)
    dx = np.zeros((N, T, D), np.result_type(dh, dh_T, dc_T, *params))
    grads = LSTMParams(*(np.zeros_like(p, dtype=dx.dtype) for p in params))
    dh_next, dc_next = dh_T, dc_T
    for t in reversed(range(T)):
        v = valid[:, t, None]  # (N, 1)
        dh_t = np.where(v, dh[:, t] + dh_next, 0)
        dc_t = np.where(v, dc_next, 0)
        dx[:, t], dh_prev, dc_prev, grads_t = lstm_step_backward(dh_t, dc_t, steps[t])
        dh_next = np.where(v, dh_prev, dh_next)
        dc_next = np.where(v, dc_prev, dc_next)
        grads = LSTMParams(*(total + here for total, here in zip(grads, grads_t)))
    return dx, dh_next, dc_next, grads


def require_fit(x: np.ndarray, h0: np.ndarray, c0: np.ndarray, params: LSTMParams) -> None:
    """Raise ValueError, naming the argument, unless the shapes of inputs and params belong together."""
    if x.ndim != 3:
        raise ValueError(f"x has shape {x.shape}; it needs three axes (N, T, D)")
    N, _, D = x.shape
    H = len(params.Wh)
    require_shape("Wx", params.Wx, (D, 4 * H))
    require_shape("Wh", params.Wh, (H, 4 * H))
    require_shape("b", params.b, (4 * H,))
    require_shape("h0", h0, (N, H))
    require_shape("c0", c0, (N, H))
