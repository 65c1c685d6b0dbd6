"""Padding that counts.

The padding was masked: at those steps the input was 0. But a cell that is given 0 is not at rest, its bias goes on:
the state that came out depended on how much padding there was.
"""

import numpy as np

from npbilstm.textbook import LSTMParams, lstm_step_forward

SOURCE = "keras-team/keras #1300"


def lstm_forward(x, h0, c0, Wx, Wh, b, lengths):
    valid = np.arange(x.shape[1]) < lengths[:, None]
    h_t, c_t, hs = h0, c0, []
    for t in range(x.shape[1]):
        v = valid[:, t, None]
        h_new, c_new, _ = lstm_step_forward(np.where(v, x[:, t], 0), h_t, c_t, LSTMParams(Wx, Wh, b))
        h_t, c_t = h_new, c_new
        hs.append(np.where(v, h_new, 0))
    h = np.stack(hs, axis=1)
    return h, h_t, c_t


MENDED = {"h_t, c_t = h_new, c_new": "h_t, c_t = np.where(v, h_new, h_t), np.where(v, c_new, c_t)"}
NAMED = "padding-updates-state"
