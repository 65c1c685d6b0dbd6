"""The slope on one of two shares.

The equations as the course prints them, (8) to (10), for the candidate and two gates: a sum without brackets, so that
what the next step hands back is not scaled by the gate's slope. Those who typed them got a wrong gradient, and those
who asked were told that the formula is at fault.
"""

import numpy as np

from npbilstm.textbook import LSTMParams

SOURCE = "Coursera, Sequence Models, week 1, equations (8) to (10) (jinzishuai/learn2deeplearn #44)"


def lstm_step_backward(dh, dc, cache):
    x, h_prev, c_prev, i, f, g, o, tanh_c, params = cache
    through_h = dh * o * (1 - tanh_c**2)
    da_o = dh * tanh_c * o * (1 - o)
    da_g = dc * i + through_h * i * (1 - g**2)
    da_i = dc * g + through_h * g * i * (1 - i)
    da_f = dc * c_prev + through_h * c_prev * f * (1 - f)
    dc_prev = (dc + through_h) * f
    da = np.hstack([da_i, da_f, da_g, da_o])
    return da @ params.Wx.T, da @ params.Wh.T, dc_prev, LSTMParams(x.T @ da, h_prev.T @ da, da.sum(axis=0))


MENDED = {
    "da_g = dc * i + through_h * i * (1 - g**2)": "da_g = (dc * i + through_h * i) * (1 - g**2)",
    "da_i = dc * g + through_h * g * i * (1 - i)": "da_i = (dc * g + through_h * g) * i * (1 - i)",
    "da_f = dc * c_prev + through_h * c_prev * f * (1 - f)": "da_f = (dc * c_prev + through_h * c_prev) * f * (1 - f)",
}
NAMED = "slopes-on-h-share-only"
