"""Dropout, one way.

Between two layers some units are dropped. What was kept for the backward pass was the first layer's output as it was
before that, and the mask was not kept: gradients as if nothing had been dropped. 98 % off, where without dropout all
digits agree.
"""

import numpy as np

SOURCE = "pytorch/pytorch #190059"


def forward(x, W1, W2, mask):
    h = np.tanh(x @ W1)
    y = np.tanh((h * mask) @ W2)
    return y, (x, h, y, W1, W2, mask)


def backward(dy, cache):
    x, h, y, W1, W2, mask = cache
    da2 = dy * (1 - y**2)
    dW2 = h.T @ da2
    dh = da2 @ W2.T
    da1 = dh * (1 - h**2)
    return da1 @ W1.T, x.T @ da1, dW2


MENDED = {"dW2 = h.T @ da2": "dW2 = (h * mask).T @ da2", "dh = da2 @ W2.T": "dh = (da2 @ W2.T) * mask"}
SAID = "The gradient is WRONG for x, W1, W2"
INPUTS = {"x": (3, 4), "W1": (4, 5), "W2": (5, 2), "mask": np.array([0, 2, 2, 0, 2])}
