"""Activations as classes, rows in a GRU, N taken by mean; the classifier's own Linear divides by N."""

import numpy as np


class Sigmoid:
    def forward(self, Z):
        self.A = 1 / (1 + np.exp(-Z))
        return self.A

    def backward(self, dLdA):
        return dLdA * self.A * (1 - self.A)


class Tanh:
    def forward(self, Z):
        self.A = np.tanh(Z)
        return self.A

    def backward(self, dLdA, state=None):
        A = self.A if state is None else state
        return dLdA * (1 - A * A)


class RNNCell(object):
    def __init__(self, input_size, hidden_size):
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.activation = Tanh()
        h, d = hidden_size, input_size
        self.W_ih = np.random.randn(h, d)
        self.W_hh = np.random.randn(h, h)
        self.b_ih = np.random.randn(h)
        self.b_hh = np.random.randn(h)
        self.dW_ih = np.zeros((h, d))
        self.dW_hh = np.zeros((h, h))
        self.db_ih = np.zeros(h)
        self.db_hh = np.zeros(h)

    def init_weights(self, W_ih, W_hh, b_ih, b_hh):
        self.W_ih = W_ih
        self.W_hh = W_hh
        self.b_ih = b_ih
        self.b_hh = b_hh

    def zero_grad(self):
        d, h = self.input_size, self.hidden_size
        self.dW_ih = np.zeros((h, d))
        self.dW_hh = np.zeros((h, h))
        self.db_ih = np.zeros(h)
        self.db_hh = np.zeros(h)

    def __call__(self, x, h_prev_t):
        return self.forward(x, h_prev_t)

    def forward(self, x, h_prev_t):
        z = np.dot(x, self.W_ih.T) + self.b_ih + np.dot(h_prev_t, self.W_hh.T) + self.b_hh
        return self.activation.forward(z)

    def backward(self, delta, h_t, h_prev_l, h_prev_t):
        batch_size = delta.shape[0]
        dz = self.activation.backward(delta, state=h_t)
        self.dW_ih += np.dot(dz.T, h_prev_l) / batch_size
        self.dW_hh += np.dot(dz.T, h_prev_t) / batch_size
        self.db_ih += np.sum(dz, axis=0) / batch_size
        self.db_hh += np.sum(dz, axis=0) / batch_size
        dx = np.dot(dz, self.W_ih)
        dh_prev_t = np.dot(dz, self.W_hh)
        return dx, dh_prev_t


class GRUCell(object):
    def __init__(self, input_size, hidden_size):
        self.d = input_size
        self.h = hidden_size
        h, d = self.h, self.d
        self.x_t = 0
        self.Wrx, self.Wzx, self.Wnx = np.random.randn(h, d), np.random.randn(h, d), np.random.randn(h, d)
        self.Wrh, self.Wzh, self.Wnh = np.random.randn(h, h), np.random.randn(h, h), np.random.randn(h, h)
        self.brx, self.bzx, self.bnx = np.random.randn(h), np.random.randn(h), np.random.randn(h)
        self.brh, self.bzh, self.bnh = np.random.randn(h), np.random.randn(h), np.random.randn(h)
        self.dWrx, self.dWzx, self.dWnx = np.zeros((h, d)), np.zeros((h, d)), np.zeros((h, d))
        self.dWrh, self.dWzh, self.dWnh = np.zeros((h, h)), np.zeros((h, h)), np.zeros((h, h))
        self.dbrx, self.dbzx, self.dbnx = np.zeros(h), np.zeros(h), np.zeros(h)
        self.dbrh, self.dbzh, self.dbnh = np.zeros(h), np.zeros(h), np.zeros(h)
        self.r_act = Sigmoid()
        self.z_act = Sigmoid()
        self.h_act = Tanh()

    def __call__(self, x, h_prev_t):
        return self.forward(x, h_prev_t)

    def forward(self, x, h_prev_t):
        self.x = x
        self.hidden = h_prev_t
        self.r = self.r_act.forward(self.Wrx @ x + self.brx + self.Wrh @ h_prev_t + self.brh)
        self.z = self.z_act.forward(self.Wzx @ x + self.bzx + self.Wzh @ h_prev_t + self.bzh)
        self.n = self.h_act.forward(self.Wnx @ x + self.bnx + self.r * (self.Wnh @ h_prev_t + self.bnh))
        h_t = (1 - self.z) * self.n + self.z * h_prev_t
        assert self.x.shape == (self.d,)
        assert h_t.shape == (self.h,)
        return h_t

    def backward(self, delta):
        x, hidden = self.x.reshape(1, -1), self.hidden.reshape(1, -1)
        delta = delta.reshape(1, -1)
        dz = self.z_act.backward(delta * (hidden - self.n))
        dn = self.h_act.backward(delta * (1 - self.z))
        dr = self.r_act.backward(dn * (self.Wnh @ self.hidden + self.bnh))
        self.dWrx += dr.T @ x
        self.dWzx += dz.T @ x
        self.dWnx += dn.T @ x
        self.dWrh += dr.T @ hidden
        self.dWzh += dz.T @ hidden
        self.dWnh += (dn * self.r).T @ hidden
        self.dbrx += dr[0]
        self.dbzx += dz[0]
        self.dbnx += dn[0]
        self.dbrh += dr[0]
        self.dbzh += dz[0]
        self.dbnh += (dn * self.r)[0]
        dx = dr @ self.Wrx + dz @ self.Wzx + dn @ self.Wnx
        dh_prev_t = delta * self.z + dr @ self.Wrh + dz @ self.Wzh + (dn * self.r) @ self.Wnh
        return dx, dh_prev_t
