import numpy as np


def bi_rnn(bi_cell, X, h_0, h_t):
    t, m, _ = X.shape
    h = h_0.shape[1]
    H = np.zeros((t, m, 2 * h))
    forward, backward = h_0, h_t
    for k in range(t):
        forward = bi_cell.forward(forward, X[k])
        backward = bi_cell.backward(backward, X[t - 1 - k])
        H[k, :, :h], H[t - 1 - k, :, h:] = forward, backward
    return H, bi_cell.output(H)
