import numpy as np


class RNNCell:
    def __init__(self, input_size, hidden_size):
        self.input_size, self.hidden_size = input_size, hidden_size
        self.init_weights(
            np.random.randn(hidden_size, input_size),
            np.random.randn(hidden_size, hidden_size),
            np.random.randn(hidden_size),
            np.random.randn(hidden_size),
        )

    def init_weights(self, W_ih, W_hh, b_ih, b_hh):
        self.W_ih, self.W_hh, self.b_ih, self.b_hh = W_ih, W_hh, b_ih, b_hh
        self.zero_grad()

    def zero_grad(self):
        self.dW_ih, self.dW_hh = np.zeros_like(self.W_ih), np.zeros_like(self.W_hh)
        self.db_ih, self.db_hh = np.zeros_like(self.b_ih), np.zeros_like(self.b_hh)

    def __call__(self, x, h_prev_t):
        return self.forward(x, h_prev_t)

    def forward(self, x, h_prev_t):
        return np.tanh(x @ self.W_ih.T + self.b_ih + h_prev_t @ self.W_hh.T + self.b_hh)

    def backward(self, delta, h_t, h_prev_l, h_prev_t):
        batch_size = delta.shape[0]
        dz = delta * (1 - h_t**2)
        self.dW_ih += dz.T @ h_prev_l / batch_size
        self.dW_hh += dz.T @ h_prev_t / batch_size
        self.db_ih += dz.mean(axis=0)
        self.db_hh += dz.mean(axis=0)
        return dz @ self.W_ih, dz @ self.W_hh


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class GRUCell:
    def __init__(self, input_size, hidden_size):
        self.d, self.h = input_size, hidden_size
        for gate in "rzn":
            for side, size in (("x", input_size), ("h", hidden_size)):
                setattr(self, f"W{gate}{side}", np.random.randn(hidden_size, size))
                setattr(self, f"b{gate}{side}", np.random.randn(hidden_size))
                setattr(self, f"dW{gate}{side}", np.zeros((hidden_size, size)))
                setattr(self, f"db{gate}{side}", np.zeros(hidden_size))

    def forward(self, x, h_prev_t):
        self.x, self.hidden = x, h_prev_t
        self.r = sigmoid(self.Wrx @ x + self.brx + self.Wrh @ h_prev_t + self.brh)
        self.z = sigmoid(self.Wzx @ x + self.bzx + self.Wzh @ h_prev_t + self.bzh)
        self.inner = self.Wnh @ h_prev_t + self.bnh
        self.n = np.tanh(self.Wnx @ x + self.bnx + self.r * self.inner)
        return (1 - self.z) * self.n + self.z * h_prev_t

    def backward(self, delta):
        dn = delta * (1 - self.z) * (1 - self.n**2)
        dz = delta * (self.hidden - self.n) * self.z * (1 - self.z)
        dr = dn * self.inner * self.r * (1 - self.r)
        dn_inner = dn * self.r
        self.dWrx += np.outer(dr, self.x)
        self.dWzx += np.outer(dz, self.x)
        self.dWnx += np.outer(dn, self.x)
        self.dWrh += np.outer(dr, self.hidden)
        self.dWzh += np.outer(dz, self.hidden)
        self.dWnh += np.outer(dn_inner, self.hidden)
        self.dbrx += dr
        self.dbrh += dr
        self.dbzx += dz
        self.dbzh += dz
        self.dbnx += dn
        self.dbnh += dn_inner
        dx = dr @ self.Wrx + dz @ self.Wzx + dn @ self.Wnx
        return dx, delta * self.z + dr @ self.Wrh + dz @ self.Wzh + dn_inner @ self.Wnh


class Linear:
    def __init__(self, in_features, out_features):
        self.W, self.b = np.zeros((out_features, in_features)), np.zeros(out_features)

    def forward(self, A):
        self.A = A
        return A @ self.W.T + self.b

    def backward(self, dLdZ):
        self.dLdW = dLdZ.T @ self.A
        self.dLdb = dLdZ.sum(axis=0)
        return dLdZ @ self.W


class RNNPhonemeClassifier:
    def __init__(self, input_size, hidden_size, output_size, num_layers=2):
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.rnn = [RNNCell(hidden_size if k else input_size, hidden_size) for k in range(num_layers)]
        self.output_layer = Linear(hidden_size, output_size)
        self.hiddens = []

    def init_weights(self, rnn_weights, linear_weights):
        for k, cell in enumerate(self.rnn):
            cell.init_weights(*rnn_weights[k])
        self.output_layer.W, self.output_layer.b = linear_weights

    def forward(self, x, h_0=None):
        batch_size, seq_len = x.shape[:2]
        shape = (self.num_layers, batch_size, self.hidden_size)
        hidden = np.zeros(shape, dtype=float) if h_0 is None else h_0
        self.x, self.hiddens = x, [hidden.copy()]
        for t in range(seq_len):
            below, now = x[:, t], np.zeros(shape)
            for k in range(self.num_layers):
                below = now[k] = self.rnn[k](below, self.hiddens[-1][k])
            self.hiddens.append(now)
        return self.output_layer.forward(self.hiddens[-1][-1])

    def backward(self, delta):
        batch_size, seq_len = self.x.shape[:2]
        dh = np.zeros((self.num_layers, batch_size, self.hidden_size))
        dh[-1] = self.output_layer.backward(delta)
        for t in reversed(range(seq_len)):
            for k in reversed(range(self.num_layers)):
                below = self.hiddens[t + 1][k - 1] if k else self.x[:, t]
                dx, dh[k] = self.rnn[k].backward(dh[k], self.hiddens[t + 1][k], below, self.hiddens[t][k])
                if k:
                    dh[k - 1] += dx
        return dh / batch_size
