"""Right in the loop, wrong in the check.

`dh[:, t] = dprev_h + dh[:, t]` adds the carry into the array that was handed in. The loop is right; the check that
computes its numbers from that array afterwards is not. "All gradients are wrong in my version. It is just so weird."
"""

import numpy as np

SOURCE = "Burton2000/CS231n-2017 #7"


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
        dh_t = dh[:, t] = dh[:, t] + dh_next
        da = dh_t * (1 - hs[t] ** 2)
        dx[:, t], dh_next = da @ Wx.T, da @ Wh.T
        dWx, dWh, db = dWx + x[:, t].T @ da, dWh + old.T @ da, db + da.sum(axis=0)
    return dx, dh_next, dWx, dWh, db


MENDED = {
    "dh_t = dh[:, t] = dh[:, t] + dh_next": "dh_t = dh[:, t] + dh_next",
}
SAID = "changes its dh in place"
