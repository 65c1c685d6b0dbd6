"""The cell's documentation as the school asks for it, H from lists that are turned round."""

import numpy as np


class BidirectionalCell:
    """Represents a bidirectional cell of an RNN"""

    def __init__(self, i, h, o):
        self.Whf = np.random.normal(size=(i + h, h))
        self.Whb = np.random.normal(size=(i + h, h))
        self.Wy = np.random.normal(size=(2 * h, o))
        self.bhf = np.zeros((1, h))
        self.bhb = np.zeros((1, h))
        self.by = np.zeros((1, o))

    def forward(self, h_prev, x_t):
        cell_input = np.concatenate((h_prev, x_t), axis=1)
        h_next = np.tanh(np.dot(cell_input, self.Whf) + self.bhf)
        return h_next

    def backward(self, h_next, x_t):
        cell_input = np.concatenate((h_next, x_t), axis=1)
        h_prev = np.tanh(np.dot(cell_input, self.Whb) + self.bhb)
        return h_prev

    def output(self, H):
        Y = []
        for t in range(H.shape[0]):
            y = np.dot(H[t], self.Wy) + self.by
            Y.append(np.exp(y) / np.sum(np.exp(y), axis=1, keepdims=True))
        return np.array(Y)


def bi_rnn(bi_cell, X, h_0, h_t):
    t, m, i = X.shape
    hf, hb = [], []
    h_prev, h_next = h_0, h_t
    for step in range(t):
        h_prev = bi_cell.forward(h_prev, X[step])
        hf.append(h_prev)
    for step in reversed(range(t)):
        h_next = bi_cell.backward(h_next, X[step])
        hb.append(h_next)
    hb.reverse()
    H = np.concatenate((np.array(hf), np.array(hb)), axis=-1)
    return H, bi_cell.output(H)
