import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class RNN:
    def __init__(self, n_in, n_h):
        self.U = np.random.randn(n_h, n_in)
        self.W = np.random.randn(n_h, n_h)
        self.b = np.zeros(n_h)

    def forward(self, x):
        self.x = x
        self.h = np.zeros((len(x) + 1, len(self.b)))
        for t in range(len(x)):
            self.h[t] = np.tanh(self.U @ x[t] + self.W @ self.h[t - 1] + self.b)
        return self.h[:-1]

    def backward(self, dh):
        self.dU = np.zeros_like(self.U)
        self.dW = np.zeros_like(self.W)
        self.db = np.zeros_like(self.b)
        dx = np.zeros_like(self.x)
        carry = 0
        for t in reversed(range(len(self.x))):
            da = (dh[t] + carry) * (1 - self.h[t] ** 2)
            self.dU += np.outer(da, self.x[t])
            self.dW += np.outer(da, self.h[t - 1])
            self.db += da
            dx[t] = da @ self.U
            carry = da @ self.W
        return dx
