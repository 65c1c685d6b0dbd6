"""A buffer for two.

To save memory the gradient of a layer's input was written where the gradient from above stood. Of two directions the
first one wrote, and the second one read what was there then. Only where input and output are of one size, from the
second layer on, did it fit and show.
"""

import numpy as np

SOURCE = "apache/mxnet #17898, mended by #18203"


def forward(x, W_fwd, W_rev):
    h_fwd, h_rev = np.tanh(np.cumsum(x, axis=0) @ W_fwd), np.tanh(np.cumsum(x[::-1], axis=0)[::-1] @ W_rev)
    return np.hstack([h_fwd, h_rev]), (x, h_fwd, h_rev, W_fwd, W_rev)


def backward(dy, cache):
    x, h_fwd, h_rev, W_fwd, W_rev = cache
    dx, H = dy, h_fwd.shape[1]
    da_fwd = dy[:, :H] * (1 - h_fwd**2)
    dx_fwd = np.cumsum((da_fwd @ W_fwd.T)[::-1], axis=0)[::-1]
    dx[:] = dx_fwd
    da_rev = dy[:, H:] * (1 - h_rev**2)
    dx = dx + np.cumsum(da_rev @ W_rev.T, axis=0)
    return dx, np.cumsum(x, axis=0).T @ da_fwd, np.cumsum(x[::-1], axis=0)[::-1].T @ da_rev


MENDED = {"dx, H = dy, ": "dx, H = np.empty_like(dy), "}
SAID = "The gradient is WRONG for x, W_rev"
INPUTS = {"x": (4, 6), "W_fwd": (6, 3), "W_rev": (6, 3)}
