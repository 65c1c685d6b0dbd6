"""Set where it should be added.

"Especially dCt should +=": an example's LSTM set the cell's gradient from this step's h alone. What the next step had
handed back was overwritten, and with it all memory longer than a step.
"""

import numpy as np

from npbilstm.textbook import LSTMParams

SOURCE = "apache/mxnet #4057"


def lstm_step_backward(dh, dc, cache):
    x, h_prev, c_prev, i, f, g, o, tanh_c, params = cache
    do = dh * tanh_c
    dc = dh * o * (1 - tanh_c**2)
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
    "dc = dh * o * (1 - tanh_c**2)": "dc = dc + dh * o * (1 - tanh_c**2)",
}
NAMED = "dc-carry-lost"
