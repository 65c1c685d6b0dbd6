"""The wrong way through time.

A library took the derivative of a loop by putting the steps together in the order in which they were run. That is
right where the order does not matter, and in an RNN it does. Every LSTM, GRU and ConvLSTM learned from it, until
somebody moved one weight a little and looked at the loss: 0.091, where the gradient said 0.405.
"""

import numpy as np

from npbilstm.textbook import GRUParams, gru_step_backward, gru_step_forward

SOURCE = "elixir-nx/axon #646"


def gru_forward(x, h0, Wx, Wh, b, b_hn):
    h, hs, caches = h0, [], []
    for t in range(x.shape[1]):
        h, cache = gru_step_forward(x[:, t], h, GRUParams(Wx, Wh, b, b_hn))
        hs.append(h)
        caches.append(cache)
    return np.stack(hs, axis=1), caches


def gru_backward(dh, caches):
    dx, grads, dh_next = np.zeros((*dh.shape[:2], caches[0].x.shape[1])), [0, 0, 0, 0], 0
    for t in range(len(caches)):
        dx[:, t], dh_next, here = gru_step_backward(dh[:, t] + dh_next, caches[t])
        grads = [total + each for total, each in zip(grads, here)]
    return dx, dh_next, *grads


MENDED = {"for t in range(len(caches)):": "for t in reversed(range(len(caches))):"}
NAMED = "recurrent-loop-runs-forward"
