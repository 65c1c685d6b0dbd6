"""The LSTM with layer normalisation, one time step, forward and backward.

(Ba, Kiros & Hinton 2016, supplement, equations 20 to 22.) The notation of lstm.py and layer_norm.py holds.

Three things are normalised, each with a gain of its own: what comes from x, what comes from h, and the cell on its way
out. So neither of the two sums outgrows the other, however large x or the weights are, and the tanh of the cell does
not saturate over long sequences. The cell that is handed on is not touched: nothing stands in the gradient's way back.

    Wx (D, 4H), Wh (H, 4H), b (4H,)     blocks i, f, g, o
    gain_x, gain_h (4H,)                of x Wx and of h Wh
    gain_c, bias_c (H,)                 of the cell

This is the paper's form: the statistics of x Wx and of h Wh run over all 4H numbers. Another is that of TensorFlow's
LayerNormBasicLSTMCell: it normalises the sum of both, each gate's H numbers by themselves, and keeps the normalised
cell. The paper adds a bias to each of the two products, and b; the three add up to one, which is b here.

mask (N, H) is variational dropout, as in lstm_variants.py. recurrence.py takes the step through time, with lengths:
outputs are 0 in the padding, and what stands there never matters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.activations import sigmoid, sigmoid_derivative, tanh, tanh_derivative
from npbilstm.textbook.layer_norm import LayerNormCache, layer_norm_backward, layer_norm_forward


class LayerNormLSTMParams(NamedTuple):
    """Weights of an LSTM with layer normalisation; shapes as above."""

    Wx: np.ndarray
    Wh: np.ndarray
    b: np.ndarray
    gain_x: np.ndarray
    gain_h: np.ndarray
    gain_c: np.ndarray
    bias_c: np.ndarray


class LayerNormLSTMStepCache(NamedTuple):
    """What one step's backward pass needs: x (N, D), h_in = mask * h_prev and the mask (N, H), the rest (N, H); the
    caches of the three normalisations."""

    x: np.ndarray
    h_in: np.ndarray
    mask: np.ndarray | float
    c_prev: np.ndarray
    i: np.ndarray
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    tanh_m: np.ndarray
    norm_x: LayerNormCache
    norm_h: LayerNormCache
    norm_c: LayerNormCache
    params: LayerNormLSTMParams


def layer_norm_lstm_step_forward(
    x: np.ndarray,
    h_prev: np.ndarray,
    c_prev: np.ndarray,
    params: LayerNormLSTMParams,
    mask: np.ndarray | None = None,
    epsilon: float | np.ndarray = 1e-5,
) -> tuple[np.ndarray, np.ndarray, LayerNormLSTMStepCache]:
    """One time step of an LSTM with layer normalisation.

        z_x = x Wx
        z_h = (mask * h_prev) Wh
        a   = LN(z_x; gain_x) + LN(z_h; gain_h) + b        (20)
        i   = sigmoid(a_i)
        f   = sigmoid(a_f)
        g   = tanh(a_g)
        o   = sigmoid(a_o)
        c   = f * c_prev + i * g                           (21)
        m   = LN(c; gain_c, bias_c)                        what is shown of the cell; what is kept is c
        h   = o * tanh(m)                                  (22)

    x (N, D), h_prev (N, H), c_prev (N, H), mask (N, H) or None -> h (N, H), c (N, H), cache.

    Raises as layer_norm_forward does.
    """
    m_h = 1.0 if mask is None else mask
    h_in = m_h * h_prev
    z_x = x @ params.Wx  # (N, 4H)
    z_h = h_in @ params.Wh
    a_x, norm_x = layer_norm_forward(z_x, params.gain_x, 0.0, epsilon)
    a_h, norm_h = layer_norm_forward(z_h, params.gain_h, 0.0, epsilon)
    a = a_x + a_h + params.b
    a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)  # each (N, H)
    i = sigmoid(a_i)
    f = sigmoid(a_f)
    g = tanh(a_g)
    o = sigmoid(a_o)
    c = f * c_prev + i * g
    m, norm_c = layer_norm_forward(c, params.gain_c, params.bias_c, epsilon)
    tanh_m = tanh(m)
    h = o * tanh_m
    return h, c, LayerNormLSTMStepCache(x, h_in, m_h, c_prev, i, f, g, o, tanh_m, norm_x, norm_h, norm_c, params)


def layer_norm_lstm_step_backward(
    dh: np.ndarray, dc: np.ndarray, cache: LayerNormLSTMStepCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray, LayerNormLSTMParams]:
    """Gradients of one step, given dh and dc (N, H). LN' is layer_norm_backward.

        do      = dh * tanh(m)
        dm      = dh * o * tanh'(m)
        dc_shown, dgain_c, dbias_c = LN'(dm)
        dc     += dc_shown                     c is seen twice: normalised by h, and as it is by the next step
        di      = dc * g
        df      = dc * c_prev
        dg      = dc * i
        dc_prev = dc * f
        da      = [di sigmoid'(a_i), df sigmoid'(a_f), dg tanh'(a_g), do sigmoid'(a_o)]
        db      = sum_n da
        dz_x, dgain_x = LN'(da)                each product has passed a normalisation of its own
        dz_h, dgain_h = LN'(da)
        dx      = dz_x Wx^T
        dh_prev = mask * (dz_h Wh^T)
        dWx     = x^T dz_x                     summed over the rows of the batch
        dWh     = (mask * h_prev)^T dz_h

    -> dx (N, D), dh_prev (N, H), dc_prev (N, H), grads with the structure of params.
    """
    x, h_in, mask, c_prev, i, f, g, o, tanh_m, norm_x, norm_h, norm_c, params = cache
    do = dh * tanh_m
    dm = dh * o * tanh_derivative(tanh_m)
    dc_shown, dgain_c, dbias_c = layer_norm_backward(dm, norm_c)
    dc = dc + dc_shown
    di = dc * g
    df = dc * c_prev
    dg = dc * i
    dc_prev = dc * f
    da_i = di * sigmoid_derivative(i)
    da_f = df * sigmoid_derivative(f)
    da_g = dg * tanh_derivative(g)
    da_o = do * sigmoid_derivative(o)
    da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)  # (N, 4H)
    db = da.sum(axis=0)
    dz_x, dgain_x, _ = layer_norm_backward(da, norm_x)
    dz_h, dgain_h, _ = layer_norm_backward(da, norm_h)
    dx = dz_x @ params.Wx.T
    dh_prev = mask * (dz_h @ params.Wh.T)
    dWx = x.T @ dz_x
    dWh = h_in.T @ dz_h
    return dx, dh_prev, dc_prev, LayerNormLSTMParams(dWx, dWh, db, dgain_x, dgain_h, dgain_c, dbias_c)
