import numpy as np


def sig(z):
    return 1 / (1 + np.exp(-z))


class SimpleRNN:
    def __init__(self, input_dim, units):
        self.kernel = np.random.randn(input_dim, units)
        self.recurrent_kernel = np.random.randn(units, units)
        self.bias = np.zeros(units)

    def forward(self, x):
        self.x = x
        N, T, D = x.shape
        self.h = [np.zeros((N, len(self.bias)))]
        for t in range(T):
            self.h.append(np.tanh(x[:, t] @ self.kernel + self.h[-1] @ self.recurrent_kernel + self.bias))
        return self.h[-1]

    def backward(self, dout):
        self.dkernel = np.zeros_like(self.kernel)
        self.drecurrent_kernel = np.zeros_like(self.recurrent_kernel)
        self.dbias = np.zeros_like(self.bias)
        dx = np.zeros_like(self.x)
        dh = dout
        for t in reversed(range(self.x.shape[1])):
            da = dh * (1 - self.h[t + 1] ** 2)
            self.dkernel += self.x[:, t].T @ da
            self.drecurrent_kernel += self.h[t].T @ da
            self.dbias += da.sum(0)
            dx[:, t] = da @ self.kernel.T
            dh = da @ self.recurrent_kernel.T
        return dx


class LSTMCell:
    def __init__(self, input_size, hidden_size):
        self.Wx = np.random.randn(4 * hidden_size, input_size)
        self.Wh = np.random.randn(4 * hidden_size, hidden_size)
        self.b = np.zeros(4 * hidden_size)

    def forward(self, x, h_prev, c_prev):
        a = x @ self.Wx.T + h_prev @ self.Wh.T + self.b
        i, f, g, o = np.split(a, 4, 1)
        i, f, g, o = sig(i), sig(f), np.tanh(g), sig(o)
        c = f * c_prev + i * g
        h = o * np.tanh(c)
        self.k = (x, h_prev, c_prev, i, f, g, o, c)
        return h, c

    def backward(self, dh, dc):
        x, hp, cp, i, f, g, o, c = self.k
        t = np.tanh(c)
        dc = dc + dh * o * (1 - t * t)
        da = np.hstack([dc * g * i * (1 - i), dc * cp * f * (1 - f), dc * i * (1 - g * g), dh * t * o * (1 - o)])
        self.dWx = da.T @ x
        self.dWh = da.T @ hp
        self.db = da.sum(0)
        return da @ self.Wx, da @ self.Wh, dc * f
