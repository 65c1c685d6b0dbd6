"""The squashing for its slope.

Of four gates three called `sigmoid(..., derivative=True)`; at the forget gate that argument was forgotten. Training
went on, a gradient check did not pass, and a pull request years later put the argument in.
"""

import numpy as np

from npbilstm.textbook import LSTMParams, sigmoid

SOURCE = "nicklashansen/rnn_lstm_from_scratch #1, CaptainE/RNN-LSTM-in-numpy #1"


def lstm_step_backward(dh, dc, cache):
    x, h_prev, c_prev, i, f, g, o, tanh_c, params = cache
    do = dh * tanh_c
    dc = dc + dh * o * (1 - tanh_c**2)
    di, df, dg, dc_prev = dc * g, dc * c_prev, dc * i, dc * f
    da_i = di * i * (1 - i)
    da_f = df * sigmoid(f)
    da_g = dg * (1 - g**2)
    da_o = do * o * (1 - o)
    da = np.hstack([da_i, da_f, da_g, da_o])
    dx, dh_prev = da @ params.Wx.T, da @ params.Wh.T
    grads = LSTMParams(Wx=x.T @ da, Wh=h_prev.T @ da, b=da.sum(axis=0))
    return dx, dh_prev, dc_prev, grads


MENDED = {
    "da_f = df * sigmoid(f)": "da_f = df * f * (1 - f)",
}
NAMED = "da-f-squashed-again"
