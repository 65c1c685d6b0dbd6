"""The first step's mask.

With zoneout some units keep their old state, others at each step. The backward pass of a fast GRU read the first
step's mask at every step: without zoneout it was right, and nobody tested it with.
"""

import numpy as np

SOURCE = "lmnt-com/haste #43"


def forward(x, h0, Wx, Wh, masks):
    h, cache = h0, []
    for t in range(x.shape[1]):
        new = np.tanh(x[:, t] @ Wx + h @ Wh)
        cache.append((h, new))
        h = np.where(masks[t], new, h)
    return h, (x, Wx, Wh, masks, cache)


def backward(dh, state):
    x, Wx, Wh, masks, cache = state
    dx, dWx, dWh = np.zeros_like(x), np.zeros_like(Wx), np.zeros_like(Wh)
    for t in reversed(range(len(cache))):
        old, new = cache[t]
        mask = masks[0]
        da = np.where(mask, dh, 0) * (1 - new**2)
        dx[:, t], dWx, dWh = da @ Wx.T, dWx + x[:, t].T @ da, dWh + old.T @ da
        dh = np.where(mask, 0, dh) + da @ Wh.T
    return dx, dh, dWx, dWh


MENDED = {"mask = masks[0]": "mask = masks[t]"}
SAID = "The gradient is WRONG for x, h0, Wx, Wh"
INPUTS = {
    "x": (3, 4, 2),
    "h0": (3, 5),
    "Wx": (2, 5),
    "Wh": (5, 5),
    "masks": np.random.default_rng(1).random((4, 3, 5)) < 0.6,
}
