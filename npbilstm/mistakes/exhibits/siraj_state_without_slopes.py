"""Past the squashings.

The gradient of the old hidden state was collected from the gates' gradients as they were before their slopes, though
the weights' own gradients had them. "dtangent is missing from the derivation. Is that correct?"
"""

import numpy as np

from npbilstm.textbook import LSTMParams

SOURCE = "llSourcell/LSTM_Networks #4"


def lstm_step_backward(dh, dc, cache):
    x, h_prev, c_prev, i, f, g, o, tanh_c, params = cache
    do = dh * tanh_c
    dc = dc + dh * o * (1 - tanh_c**2)
    di, df, dg, dc_prev = dc * g, dc * c_prev, dc * i, dc * f
    da_i = di * i * (1 - i)
    da_f = df * f * (1 - f)
    da_g = dg * (1 - g**2)
    da_o = do * o * (1 - o)
    da = np.hstack([da_i, da_f, da_g, da_o])
    dx, dh_prev = da @ params.Wx.T, np.hstack([di, df, dg, do]) @ params.Wh.T
    grads = LSTMParams(Wx=x.T @ da, Wh=h_prev.T @ da, b=da.sum(axis=0))
    return dx, dh_prev, dc_prev, grads


MENDED = {"np.hstack([di, df, dg, do]) @ params.Wh.T": "da @ params.Wh.T"}
NAMED = "dh-prev-skips-the-slopes"
