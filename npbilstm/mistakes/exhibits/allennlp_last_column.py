"""The last column is not the last state.

What an encoder hands to a decoder was taken from the last column of the outputs. Of every row but the longest that is
padding: 0.
"""

import numpy as np

from npbilstm.textbook import LSTMParams, lstm_step_forward

SOURCE = "allenai/allennlp #1713"


def lstm_forward(x, h0, c0, Wx, Wh, b, lengths):
    valid = np.arange(x.shape[1]) < lengths[:, None]
    h_t, c_t, hs = h0, c0, []
    for t in range(x.shape[1]):
        v = valid[:, t, None]
        h_new, c_new, _ = lstm_step_forward(np.where(v, x[:, t], 0), h_t, c_t, LSTMParams(Wx, Wh, b))
        h_t, c_t = np.where(v, h_new, h_t), np.where(v, c_new, c_t)
        hs.append(np.where(v, h_new, 0))
    h = np.stack(hs, axis=1)
    return h, h[:, -1], c_t


MENDED = {"return h, h[:, -1], c_t": "return h, h_t, c_t"}
NAMED = "h-final-is-last-column"
