import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class GRU:
    def __init__(self, input_size, hidden_size):
        s = hidden_size
        self.Wz, self.Wr, self.Wh = [np.random.randn(input_size, s) for _ in range(3)]
        self.Uz, self.Ur, self.Uh = [np.random.randn(s, s) for _ in range(3)]
        self.bz, self.br, self.bh = [np.zeros(s) for _ in range(3)]

    def forward(self, inputs):
        N, T, D = inputs.shape
        self.x = inputs
        h = np.zeros((N, len(self.bz)))
        self.c = []
        out = []
        for t in range(T):
            x = inputs[:, t]
            z = sigmoid(x @ self.Wz + h @ self.Uz + self.bz)
            r = sigmoid(x @ self.Wr + h @ self.Ur + self.br)
            n = np.tanh(x @ self.Wh + (r * h) @ self.Uh + self.bh)
            self.c.append((x, h, z, r, n))
            h = z * h + (1 - z) * n
            out.append(h)
        self.output = np.stack(out, 1)
        return self.output

    def backward(self, dvalues):
        for k in ["Wz", "Wr", "Wh", "Uz", "Ur", "Uh", "bz", "br", "bh"]:
            setattr(self, "d" + k, np.zeros_like(getattr(self, k)))
        self.dinputs = np.zeros_like(self.x)
        dn_ = 0
        for t in reversed(range(self.x.shape[1])):
            x, h, z, r, n = self.c[t]
            d = dvalues[:, t] + dn_
            dn = d * (1 - z) * (1 - n * n)
            dz = d * (h - n) * z * (1 - z)
            drh = dn @ self.Uh.T
            dr = drh * h * r * (1 - r)
            for k, a, hh in (("z", dz, h), ("r", dr, h), ("h", dn, r * h)):
                getattr(self, "dW" + k)[...] += x.T @ a
                getattr(self, "dU" + k)[...] += hh.T @ a
                getattr(self, "db" + k)[...] += a.sum(0)
            self.dinputs[:, t] = dz @ self.Wz.T + dr @ self.Wr.T + dn @ self.Wh.T
            dn_ = d * z + drh * r + dz @ self.Uz.T + dr @ self.Ur.T
