"""The LSTM's variants, one time step, forward and backward: peepholes, coupled gates, projection, in any combination.

    peepholes     the gates see the cell, each unit its own: i and f the old one, o the new (Gers & Schmidhuber 2000)
    coupled       f = 1 - i: what is forgotten makes room for what is written, one gate less (Greff et al. 2017, CIFG)
    projection    h is a linear map of o * tanh(c) to R < H numbers, so Wh is smaller (Sak, Senior & Beaufays 2014)

Without any of them this is the step of lstm.py, exactly. Its notation holds; R is the size of h, which is H without a
projection. Which variant it is, the params say:

    Wx (D, 4H), Wh (R, 4H), b (4H,)     blocks i, f, g, o
    Wx (D, 3H), Wh (R, 3H), b (3H,)     blocks i, g, o: coupled
    p (3H,), or (2H,) when coupled      blocks i, f, o, or i, o: peepholes; None without
    Wp (H, R)                           projection; None without

mask (N, R) is variational dropout: already scaled by 1/(1-p), the same at every time step, it multiplies h_prev where
h_prev enters the product with Wh (Gal & Ghahramani 2016). None is no dropout.

recurrence.py takes the step through time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from npbilstm.textbook.activations import sigmoid, sigmoid_derivative, tanh, tanh_derivative
from npbilstm.textbook.sequences import require_shape


class LSTMVariantParams(NamedTuple):
    """Weights of an LSTM variant: Wx, Wh and b, with p for peepholes and Wp for a projection; shapes as above."""

    Wx: np.ndarray
    Wh: np.ndarray
    b: np.ndarray
    p: np.ndarray | None = None
    Wp: np.ndarray | None = None


class LSTMVariantStepCache(NamedTuple):
    """What one step's backward pass needs: x (N, D), h_in = mask * h_prev and the mask (N, R), the rest (N, H)."""

    x: np.ndarray
    h_in: np.ndarray
    mask: np.ndarray | float
    c_prev: np.ndarray
    i: np.ndarray
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    c: np.ndarray
    tanh_c: np.ndarray
    params: LSTMVariantParams


def lstm_variant_step_forward(
    x: np.ndarray, h_prev: np.ndarray, c_prev: np.ndarray, params: LSTMVariantParams, mask: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, LSTMVariantStepCache]:
    """One time step of an LSTM variant.

        a = x Wx + (mask * h_prev) Wh + b
        i = sigmoid(a_i + p_i * c_prev)       without peepholes p is 0
        f = sigmoid(a_f + p_f * c_prev)       coupled: f = 1 - i
        g = tanh(a_g)
        c = f * c_prev + i * g
        o = sigmoid(a_o + p_o * c)            sees the new c
        h = (o * tanh(c)) Wp                  without projection: h = o * tanh(c)

    x (N, D), h_prev (N, R), c_prev (N, H), mask (N, R) or None -> h (N, R), c (N, H), cache.

    Raises ValueError where Wx has neither 4H nor 3H columns, or p or Wp does not fit.
    """
    R, H = h_prev.shape[1], c_prev.shape[1]
    coupled = has_coupled_gates(params, H)
    p_i, p_f, p_o = peepholes(params, H)
    m = 1.0 if mask is None else mask
    h_in = m * h_prev
    a = x @ params.Wx + h_in @ params.Wh + params.b  # (N, 4H), coupled (N, 3H)
    a_i, *a_f, a_g, a_o = np.split(a, 3 if coupled else 4, axis=1)  # each (N, H); a_f a list of one or none
    i = sigmoid(a_i + p_i * c_prev)
    f = 1 - i if coupled else sigmoid(a_f[0] + p_f * c_prev)
    g = tanh(a_g)
    c = f * c_prev + i * g
    o = sigmoid(a_o + p_o * c)
    tanh_c = tanh(c)
    h = o * tanh_c
    if params.Wp is not None:
        require_shape("Wp", params.Wp, (H, R))
        h = h @ params.Wp
    return h, c, LSTMVariantStepCache(x, h_in, m, c_prev, i, f, g, o, c, tanh_c, params)


def lstm_variant_step_backward(
    dh: np.ndarray, dc: np.ndarray, cache: LSTMVariantStepCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray, LSTMVariantParams]:
    """Gradients of one step, given dh (N, R) and dc (N, H). s stands for o * tanh(c).

        ds      = dh Wp^T                     without projection: ds = dh
        do      = ds * tanh(c)
        da_o    = do sigmoid'(a_o)
        dc     += ds * o * tanh'(c) + da_o * p_o        o comes before c: its peephole sees the new one
        di      = dc * g
        df      = dc * c_prev
        dg      = dc * i
        di     -= df                          coupled only: f = 1 - i
        da_i    = di sigmoid'(a_i)
        da_f    = df sigmoid'(a_f)            coupled: there is no a_f
        da_g    = dg tanh'(a_g)
        dc_prev = dc * f + da_i * p_i + da_f * p_f      with peepholes it is no longer the only way back
        da      = [da_i, da_f, da_g, da_o]
        dx      = da Wx^T
        dh_prev = mask * (da Wh^T)
        dWx     = x^T da                      summed over the rows of the batch
        dWh     = (mask * h_prev)^T da
        db      = sum_n da
        dp      = sum_n [da_i * c_prev, da_f * c_prev, da_o * c]
        dWp     = s^T dh

    -> dx (N, D), dh_prev (N, R), dc_prev (N, H), grads with the structure of params: None where a param is None.
    """
    x, h_in, mask, c_prev, i, f, g, o, c, tanh_c, params = cache
    H = c_prev.shape[1]
    coupled = has_coupled_gates(params, H)
    p_i, p_f, p_o = peepholes(params, H)
    s = o * tanh_c
    ds = dh if params.Wp is None else dh @ params.Wp.T
    do = ds * tanh_c
    da_o = do * sigmoid_derivative(o)
    dc = dc + ds * o * tanh_derivative(tanh_c) + da_o * p_o
    di = dc * g
    df = dc * c_prev
    dg = dc * i
    if coupled:
        di = di - df
    da_i = di * sigmoid_derivative(i)
    da_f = df * sigmoid_derivative(f)
    da_g = dg * tanh_derivative(g)
    dc_prev = dc * f + da_i * p_i + da_f * p_f  # coupled: p_f is 0
    da = np.concatenate([da_i, da_g, da_o] if coupled else [da_i, da_f, da_g, da_o], axis=1)
    dx = da @ params.Wx.T
    dh_prev = mask * (da @ params.Wh.T)
    dWx = x.T @ da
    dWh = h_in.T @ da
    db = da.sum(axis=0)
    dp = dWp = None
    if params.p is not None:
        seen = [da_i * c_prev, da_o * c] if coupled else [da_i * c_prev, da_f * c_prev, da_o * c]
        dp = np.concatenate(seen, axis=1).sum(axis=0)
    if params.Wp is not None:
        dWp = s.T @ dh
    return dx, dh_prev, dc_prev, LSTMVariantParams(dWx, dWh, db, dp, dWp)


def has_coupled_gates(params: LSTMVariantParams, H: int) -> bool:
    """Whether f = 1 - i: Wx has three blocks then, not four. Raises ValueError where it has neither."""
    D, columns = params.Wx.shape
    if columns not in (3 * H, 4 * H):
        raise ValueError(f"Wx has shape {(D, columns)}; it needs {(D, 4 * H)}, or {(D, 3 * H)} for coupled gates")
    return columns == 3 * H


def peepholes(params: LSTMVariantParams, H: int) -> tuple[Any, Any, Any]:
    """The peepholes p_i, p_f, p_o, each (H,), or 0 where there is none. Raises ValueError where p does not fit."""
    if params.p is None:
        return 0.0, 0.0, 0.0
    if has_coupled_gates(params, H):
        require_shape("p", params.p, (2 * H,))
        p_i, p_o = np.split(params.p, 2)
        return p_i, 0.0, p_o
    require_shape("p", params.p, (3 * H,))
    p_i, p_f, p_o = np.split(params.p, 3)
    return p_i, p_f, p_o
