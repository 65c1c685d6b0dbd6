import numpy as np


def sig(z):
    return 1 / (1 + np.exp(-z))


class LSTM:
    def __init__(self, n_in, n_h):
        self.n_h = n_h
        self.params = {k: np.random.randn(n_h, n_in + n_h) * 0.1 for k in ("Wf", "Wi", "Wc", "Wo")}
        self.params.update({k: np.zeros((n_h, 1)) for k in ("bf", "bi", "bc", "bo")})
        self.grads = {}

    def forward(self, X):
        N, T, D = X.shape
        h = np.zeros((self.n_h, N))
        c = np.zeros((self.n_h, N))
        self.cache = []
        out = np.zeros((N, T, self.n_h))
        p = self.params
        for t in range(T):
            z = np.vstack([h, X[:, t].T])
            f = sig(p["Wf"] @ z + p["bf"])
            i = sig(p["Wi"] @ z + p["bi"])
            g = np.tanh(p["Wc"] @ z + p["bc"])
            o = sig(p["Wo"] @ z + p["bo"])
            cp = c
            c = f * c + i * g
            h = o * np.tanh(c)
            self.cache.append((z, f, i, g, o, cp, c))
            out[:, t] = h.T
        return out

    def backward(self, dout):
        N, T, H = dout.shape
        self.grads = {k: np.zeros_like(v) for k, v in self.params.items()}
        dh = np.zeros((H, N))
        dc = np.zeros((H, N))
        D = self.params["Wf"].shape[1] - H
        dX = np.zeros((N, T, D))
        for t in range(T - 1, -1, -1):
            z, f, i, g, o, cp, c = self.cache[t]
            dh = dh + dout[:, t].T
            tc = np.tanh(c)
            dc = dc + dh * o * (1 - tc**2)
            d = {
                "f": dc * cp * f * (1 - f),
                "i": dc * g * i * (1 - i),
                "c": dc * i * (1 - g * g),
                "o": dh * tc * o * (1 - o),
            }
            dz = 0
            for k, v in d.items():
                self.grads["W" + k] += v @ z.T
                self.grads["b" + k] += v.sum(1, keepdims=True)
                dz = dz + self.params["W" + k].T @ v
            dh, dX[:, t], dc = dz[:H], dz[H:].T, dc * f
        return dX
