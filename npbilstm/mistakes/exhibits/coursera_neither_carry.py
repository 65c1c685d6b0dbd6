"""Neither carry moves.

A course's own answer. Each step was right; over time `da_prevt` and `dc_prevt` were made, filled with zeros and never
touched again. Whoever carried the gradients got other numbers than the course printed. A later edition prints those.
"""

import numpy as np

from npbilstm.textbook import LSTMParams, lstm_step_backward, lstm_step_forward

SOURCE = "Coursera, Sequence Models, week 1, notebook v3 (sagarnildass/andrew_ng_deep_learning #1)"


def lstm_forward(x, h0, Wx, Wh, b):
    h, c, hs, caches = h0, np.zeros_like(h0), [], []
    for t in range(x.shape[1]):
        h, c, cache = lstm_step_forward(x[:, t], h, c, LSTMParams(Wx, Wh, b))
        hs.append(h)
        caches.append(cache)
    return np.stack(hs, axis=1), caches


def lstm_backward(dh, caches):
    dh_next, dc_next = np.zeros_like(dh[:, 0]), np.zeros_like(dh[:, 0])
    dx, grads = [], 0
    for t in reversed(range(dh.shape[1])):
        dxt, dh_prev, dc_prev, here = lstm_step_backward(dh[:, t], dc_next, caches[t])
        dx.insert(0, dxt)
        grads = [total + each for total, each in zip(grads or [0, 0, 0], here)]
    dh0 = dh_prev
    return np.stack(dx, axis=1), dh0, *grads


MENDED = {
    "here = lstm_step_backward(dh[:, t], dc_next, caches[t])": (
        "here = lstm_step_backward(dh[:, t] + dh_next, dc_next, caches[t])\n        dh_next, dc_next = dh_prev, dc_prev"
    )
}
NAMED = "both-carries-missing"
