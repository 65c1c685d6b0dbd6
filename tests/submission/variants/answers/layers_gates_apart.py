"""An LSTM with a matrix for x and one for h of every gate, Keras' names for the candidate."""

import numpy as np


class LSTM:
    def __init__(self, input_size, hidden_size):
        D, H = input_size, hidden_size
        self.Wf, self.Uf, self.bf = np.random.randn(H, D), np.random.randn(H, H), np.zeros(H)
        self.Wi, self.Ui, self.bi = np.random.randn(H, D), np.random.randn(H, H), np.zeros(H)
        self.Wo, self.Uo, self.bo = np.random.randn(H, D), np.random.randn(H, H), np.zeros(H)
        self.Wc, self.Uc, self.bc = np.random.randn(H, D), np.random.randn(H, H), np.zeros(H)
        self.hidden_size = hidden_size

    @staticmethod
    def sigmoid(z):
        return 1.0 / (1.0 + np.exp(-z))

    def step(self, x, h, c):
        f = self.sigmoid(x @ self.Wf.T + h @ self.Uf.T + self.bf)
        i = self.sigmoid(x @ self.Wi.T + h @ self.Ui.T + self.bi)
        o = self.sigmoid(x @ self.Wo.T + h @ self.Uo.T + self.bo)
        n = np.tanh(x @ self.Wc.T + h @ self.Uc.T + self.bc)
        c_new = f * c + i * n
        return o * np.tanh(c_new), c_new, (x, h, c, f, i, o, n, c_new)

    def forward(self, x):
        N, T, _ = x.shape
        h = c = np.zeros((N, self.hidden_size))
        self.history, outputs = [], np.zeros((N, T, self.hidden_size))
        for t in range(T):
            h, c, kept = self.step(x[:, t, :], h, c)
            self.history.append(kept)
            outputs[:, t, :] = h
        return outputs

    def backward(self, dout):
        for k in "fioc":
            for w in "WUb":
                setattr(self, "d" + w + k, np.zeros_like(getattr(self, w + k)))
        dx = np.zeros((dout.shape[0], dout.shape[1], self.Wf.shape[1]))
        dh = dc = np.zeros((dout.shape[0], self.hidden_size))
        for t in reversed(range(dout.shape[1])):
            x, h, c, f, i, o, n, c_new = self.history[t]
            dh = dh + dout[:, t, :]
            dc = dc + dh * o * (1 - np.tanh(c_new) ** 2)
            deltas = {"f": dc * c * f * (1 - f), "i": dc * n * i * (1 - i)}
            deltas["o"] = dh * np.tanh(c_new) * o * (1 - o)
            deltas["c"] = dc * i * (1 - n**2)
            dh = np.zeros_like(dh)
            for k, d in deltas.items():
                setattr(self, "dW" + k, getattr(self, "dW" + k) + d.T @ x)
                setattr(self, "dU" + k, getattr(self, "dU" + k) + d.T @ h)
                setattr(self, "db" + k, getattr(self, "db" + k) + d.sum(axis=0))
                dx[:, t, :] += d @ getattr(self, "W" + k)
                dh += d @ getattr(self, "U" + k)
            dc = dc * f
        return dx
