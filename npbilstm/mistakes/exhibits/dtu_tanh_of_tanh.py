"""Squashed twice.

A helper `tanh(x, derivative=True)` that is written for the input was given the output: tanh(c) was squashed once more
before its slope was taken. Near 0 the two slopes are nearly one, so a model with small weights learned all the same.
"""

import numpy as np

from npbilstm.textbook import LSTMParams, tanh

SOURCE = "nicklashansen/rnn_lstm_from_scratch, notebook at 2fb95cb"


def lstm_step_backward(dh, dc, cache):
    x, h_prev, c_prev, i, f, g, o, tanh_c, params = cache
    do = dh * tanh_c
    dc = dc + dh * o * (1 - tanh(tanh_c) ** 2)
    di, df, dg, dc_prev = dc * g, dc * c_prev, dc * i, dc * f
    da_i = di * i * (1 - i)
    da_f = df * f * (1 - f)
    da_g = dg * (1 - g**2)
    da_o = do * o * (1 - o)
    da = np.hstack([da_i, da_f, da_g, da_o])
    dx, dh_prev = da @ params.Wx.T, da @ params.Wh.T
    grads = LSTMParams(Wx=x.T @ da, Wh=h_prev.T @ da, b=da.sum(axis=0))
    return dx, dh_prev, dc_prev, grads


MENDED = {
    "dc = dc + dh * o * (1 - tanh(tanh_c) ** 2)": "dc = dc + dh * o * (1 - tanh_c**2)",
}
NAMED = "dc-tanh-taken-twice"
