"""The state after the step.

At the second step the gradient of the recurrent weights took the first step's state, as it should; at the first step
it took the first step's state again, where the one before belongs. A reader asked why.
"""

import numpy as np

from npbilstm.textbook import RNNParams

SOURCE = "VikParuchuri/zero_to_gpt #9"


def rnn_step_forward(x, h_prev, Wx, Wh, b):
    h = np.tanh(x @ Wx + h_prev @ Wh + b)
    return h, (x, h_prev, h, Wx, Wh)


def rnn_step_backward(dh, cache):
    x, h_prev, h, Wx, Wh = cache
    da = dh * (1 - h**2)
    dWh = h.T @ da
    return da @ Wx.T, da @ Wh.T, RNNParams(x.T @ da, dWh, da.sum(axis=0))


MENDED = {"dWh = h.T @ da": "dWh = h_prev.T @ da"}
NAMED = "rnn-dwh-new-state"
