import numpy as np


class BidirectionalCell:
    def __init__(self, i, h, o):
        self.Whf, self.Whb = np.random.randn(i + h, h), np.random.randn(i + h, h)
        self.Wy = np.random.randn(2 * h, o)
        self.bhf, self.bhb, self.by = np.zeros((1, h)), np.zeros((1, h)), np.zeros((1, o))

    def forward(self, h_prev, x_t):
        return np.tanh(np.matmul(np.concatenate((h_prev, x_t), axis=1), self.Whf) + self.bhf)

    def backward(self, h_next, x_t):
        return np.tanh(np.matmul(np.concatenate((h_next, x_t), axis=1), self.Whb) + self.bhb)

    def output(self, H):
        e = np.exp(np.matmul(H, self.Wy) + self.by)
        return e / e.sum(axis=-1, keepdims=True)


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
