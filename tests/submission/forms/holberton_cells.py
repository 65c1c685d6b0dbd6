import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


class RNNCell:
    def __init__(self, i, h, o):
        self.Wh, self.Wy = np.random.randn(i + h, h), np.random.randn(h, o)
        self.bh, self.by = np.zeros((1, h)), np.zeros((1, o))

    def forward(self, h_prev, x_t):
        h_next = np.tanh(np.hstack((h_prev, x_t)) @ self.Wh + self.bh)
        return h_next, softmax(h_next @ self.Wy + self.by)


class GRUCell:
    def __init__(self, i, h, o):
        self.Wz, self.Wr, self.Wh = (np.random.randn(i + h, h) for _ in range(3))
        self.bz, self.br, self.bh = (np.zeros((1, h)) for _ in range(3))
        self.Wy, self.by = np.random.randn(h, o), np.zeros((1, o))

    def forward(self, h_prev, x_t):
        both = np.hstack((h_prev, x_t))
        z, r = sigmoid(both @ self.Wz + self.bz), sigmoid(both @ self.Wr + self.br)
        candidate = np.tanh(np.hstack((r * h_prev, x_t)) @ self.Wh + self.bh)
        h_next = (1 - z) * h_prev + z * candidate
        return h_next, softmax(h_next @ self.Wy + self.by)


class LSTMCell:
    def __init__(self, i, h, o):
        self.Wf, self.Wu, self.Wc, self.Wo = (np.random.randn(i + h, h) for _ in range(4))
        self.bf, self.bu, self.bc, self.bo = (np.zeros((1, h)) for _ in range(4))
        self.Wy, self.by = np.random.randn(h, o), np.zeros((1, o))

    def forward(self, h_prev, c_prev, x_t):
        both = np.hstack((h_prev, x_t))
        f, u, o = (sigmoid(both @ W + b) for W, b in ((self.Wf, self.bf), (self.Wu, self.bu), (self.Wo, self.bo)))
        c_next = f * c_prev + u * np.tanh(both @ self.Wc + self.bc)
        h_next = o * np.tanh(c_next)
        return h_next, c_next, softmax(h_next @ self.Wy + self.by)


def rnn(rnn_cell, X, h_0):
    H, Y = [h_0], []
    for x_t in X:
        h_next, y = rnn_cell.forward(H[-1], x_t)
        H.append(h_next)
        Y.append(y)
    return np.array(H), np.array(Y)
