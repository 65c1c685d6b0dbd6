"""The last one walked wins.

One set of weights, used at every step, and at every step its gradient was set, not added to: what was left at the end
was step 0's. What is seen at the last step alone, a sequence's class say, could not be learned.
"""

import numpy as np

SOURCE = "tensorflow/swift-apis #518"


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
        old = hs[t - 1] if t > 0 else h0
        dh_t = dh[:, t] + dh_next
        da = dh_t * (1 - hs[t] ** 2)
        dx[:, t], dh_next = da @ Wx.T, da @ Wh.T
        dWx, dWh, db = x[:, t].T @ da, old.T @ da, da.sum(axis=0)
    return dx, dh_next, dWx, dWh, db


MENDED = {"x[:, t].T @ da, old.T @ da, da.sum(axis=0)": "dWx + x[:, t].T @ da, dWh + old.T @ da, db + da.sum(axis=0)"}
NAMED = "recurrent-grads-overwritten-over-time"
