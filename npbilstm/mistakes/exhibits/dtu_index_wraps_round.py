"""The index that wraps round.

`hidden_states[t - 1]` at t = 0 is `hidden_states[-1]`: no error, but the last state. The gradient of the recurrent
weights was wrong by one term of many, and the loss went down.
"""

import numpy as np

SOURCE = "nicklashansen/rnn_lstm_from_scratch, notebook at 2fb95cb"


def rnn_forward(x, h0, Wx, Wh, b):
    h, hs = h0, []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ Wx + h @ Wh + b)
        hs.append(h)
    return np.stack(hs, axis=1), (x, h0, hs, Wx, Wh)


def rnn_backward(dh, cache):
    x, h0, hs, Wx, Wh = cache
    dx, dWx, dWh, db, dh_next = np.zeros_like(x), 0, 0, 0, 0
    for t in reversed(range(len(hs))):
        old = hs[t - 1]
        dh_t = dh[:, t] + dh_next
        da = dh_t * (1 - hs[t] ** 2)
        dx[:, t], dh_next = da @ Wx.T, da @ Wh.T
        dWx, dWh, db = dWx + x[:, t].T @ da, dWh + old.T @ da, db + da.sum(axis=0)
    return dx, dh_next, dWx, dWh, db


MENDED = {
    "old = hs[t - 1]": "old = hs[t - 1] if t > 0 else h0",
}
NAMED = "recurrent-old-state-wraps-round"
