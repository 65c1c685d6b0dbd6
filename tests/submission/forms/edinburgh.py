import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def grad(s):
    return s * (1 - s)


def make_onehot(i, n):
    y = np.zeros(n)
    y[i] = 1
    return y


class RNN:
    def __init__(self, vocab_size, hidden_dims, out_vocab_size):
        self.vocab_size, self.hidden_dims, self.out_vocab_size = vocab_size, hidden_dims, out_vocab_size
        self.U = np.random.randn(out_vocab_size, hidden_dims)
        self.W = np.random.randn(hidden_dims, hidden_dims)
        self.V = np.random.randn(hidden_dims, vocab_size)
        self.deltaU, self.deltaV, self.deltaW = np.zeros_like(self.U), np.zeros_like(self.V), np.zeros_like(self.W)

    def predict(self, x):
        s, y = np.zeros((len(x) + 1, self.hidden_dims)), np.zeros((len(x), self.out_vocab_size))
        for t in range(len(x)):
            s[t] = sigmoid(self.V @ make_onehot(x[t], self.vocab_size) + self.W @ s[t - 1])
            y[t] = softmax(self.U @ s[t])
        return y, s

    def acc_deltas_bptt(self, x, d, y, s, steps):
        for t in reversed(range(len(x))):
            delta_out = make_onehot(d[t], self.out_vocab_size) - y[t]
            self.deltaU += np.outer(delta_out, s[t])
            delta_in = (self.U.T @ delta_out) * grad(s[t])
            for k in range(t, max(t - steps, 0) - 1, -1):
                if k < t:
                    delta_in = (self.W.T @ delta_in) * grad(s[k])
                self.deltaV += np.outer(delta_in, make_onehot(x[k], self.vocab_size))
                self.deltaW += np.outer(delta_in, s[k - 1])

    def acc_deltas(self, x, d, y, s):
        for t in reversed(range(len(x))):
            delta_out = make_onehot(d[t], self.out_vocab_size) - y[t]
            delta_in = (self.U.T @ delta_out) * grad(s[t])
            self.deltaU += np.outer(delta_out, s[t])
            self.deltaV += np.outer(delta_in, make_onehot(x[t], self.vocab_size))
            self.deltaW += np.outer(delta_in, s[t - 1])
