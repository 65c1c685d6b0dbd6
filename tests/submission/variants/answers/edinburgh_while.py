"""Columns of V by index, the truncation by a counter."""

import numpy as np


def softmax(x):
    xt = np.exp(x - np.max(x))
    return xt / np.sum(xt)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


class RNN(object):
    def __init__(self, vocab_size, hidden_dims, out_vocab_size):
        self.vocab_size = vocab_size
        self.hidden_dims = hidden_dims
        self.out_vocab_size = out_vocab_size
        self.U = np.random.randn(self.out_vocab_size, self.hidden_dims) * np.sqrt(0.1)
        self.V = np.random.randn(self.hidden_dims, self.vocab_size) * np.sqrt(0.1)
        self.W = np.random.randn(self.hidden_dims, self.hidden_dims) * np.sqrt(0.1)
        self.deltaU = np.zeros_like(self.U)
        self.deltaV = np.zeros_like(self.V)
        self.deltaW = np.zeros_like(self.W)

    def predict(self, x):
        s = np.zeros((len(x) + 1, self.hidden_dims))
        y = np.zeros((len(x), self.out_vocab_size))
        for t in range(len(x)):
            net_in = self.V[:, x[t]] + np.dot(self.W, s[t - 1])
            s[t] = sigmoid(net_in)
            y[t] = softmax(np.dot(self.U, s[t]))
        return y, s

    def acc_deltas(self, x, d, y, s):
        for t in reversed(range(len(x))):
            delta_out = -y[t].copy()
            delta_out[d[t]] += 1
            self.deltaU += delta_out[:, None] * s[t][None]
            delta_in = self.U.T.dot(delta_out) * s[t] * (1 - s[t])
            self.deltaV[:, x[t]] += delta_in
            self.deltaW += delta_in[:, None] * s[t - 1][None]

    def acc_deltas_bptt(self, x, d, y, s, steps):
        for t in reversed(range(len(x))):
            delta_out = -y[t].copy()
            delta_out[d[t]] += 1
            self.deltaU += delta_out[:, None] * s[t][None]
            delta_in = self.U.T.dot(delta_out) * s[t] * (1 - s[t])
            tau = 0
            while True:
                self.deltaV[:, x[t - tau]] += delta_in
                self.deltaW += delta_in[:, None] * s[t - tau - 1][None]
                tau += 1
                if tau > steps or t - tau < 0:
                    break
                delta_in = self.W.T.dot(delta_in) * s[t - tau] * (1 - s[t - tau])
