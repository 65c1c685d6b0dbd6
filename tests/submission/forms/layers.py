import numpy as np


class Layer_Dense:
    def __init__(self, n_inputs, n_neurons):
        self.weights = 0.01 * np.random.randn(n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))

    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases

    def backward(self, dvalues):
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)


class Activation_Softmax_Loss_CategoricalCrossentropy:
    def forward(self, inputs, y_true):
        e = np.exp(inputs - inputs.max(axis=1, keepdims=True))
        self.output = e / e.sum(axis=1, keepdims=True)
        return -np.log(self.output[range(len(inputs)), y_true]).mean()

    def backward(self, dvalues, y_true):
        self.dinputs = dvalues.copy()
        self.dinputs[range(len(dvalues)), y_true] -= 1
        self.dinputs = self.dinputs / len(dvalues)


class Layer_RNN:
    def __init__(self, n_inputs, n_neurons):
        self.weights_x = 0.1 * np.random.randn(n_inputs, n_neurons)
        self.weights_h = 0.1 * np.random.randn(n_neurons, n_neurons)
        self.biases = np.zeros((1, n_neurons))

    def forward(self, inputs):
        self.inputs = inputs
        N, T, _ = inputs.shape
        self.states = np.zeros((N, T + 1, self.weights_h.shape[0]))
        for t in range(T):
            before = inputs[:, t] @ self.weights_x + self.states[:, t] @ self.weights_h + self.biases
            self.states[:, t + 1] = np.tanh(before)
        self.output = self.states[:, 1:]

    def backward(self, dvalues):
        self.dweights_x, self.dweights_h = np.zeros_like(self.weights_x), np.zeros_like(self.weights_h)
        self.dbiases, self.dinputs = np.zeros_like(self.biases), np.zeros_like(self.inputs)
        carry = 0
        for t in reversed(range(self.inputs.shape[1])):
            d = (dvalues[:, t] + carry) * (1 - self.states[:, t + 1] ** 2)
            self.dweights_x += self.inputs[:, t].T @ d
            self.dweights_h += self.states[:, t].T @ d
            self.dbiases += d.sum(axis=0, keepdims=True)
            self.dinputs[:, t], carry = d @ self.weights_x.T, d @ self.weights_h.T


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class MyLSTM:
    """One matrix on [x, h], a bias, and gates f, i, o, g."""

    def __init__(self, input_dim, hidden_dim):
        self.W = np.random.randn(input_dim + hidden_dim, 4 * hidden_dim)
        self.b = np.zeros(4 * hidden_dim)
        self.H = hidden_dim

    def forward(self, inputs):
        N, T, _ = inputs.shape
        h, c, self.steps, out = np.zeros((N, self.H)), np.zeros((N, self.H)), [], []
        for t in range(T):
            z = np.concatenate([inputs[:, t], h], axis=1)
            f, i, o, g = np.split(z @ self.W + self.b, 4, axis=1)
            f, i, o, g = sigmoid(f), sigmoid(i), sigmoid(o), np.tanh(g)
            c_prev, c = c, f * c + i * g
            h = o * np.tanh(c)
            self.steps.append((z, c_prev, c, f, i, o, g))
            out.append(h)
        return np.stack(out, axis=1)

    def backward(self, dvalues):
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)
        dh, dc, dinputs = 0, 0, []
        for t in reversed(range(len(self.steps))):
            z, c_prev, c, f, i, o, g = self.steps[t]
            dh, tanh_c = dh + dvalues[:, t], np.tanh(c)
            dc = dc + dh * o * (1 - tanh_c**2)
            da = np.concatenate(
                [
                    dc * c_prev * f * (1 - f),
                    dc * g * i * (1 - i),
                    dh * tanh_c * o * (1 - o),
                    dc * i * (1 - g**2),
                ],
                axis=1,
            )
            self.dW += z.T @ da
            self.db += da.sum(axis=0)
            dz = da @ self.W.T
            dinputs.append(dz[:, : -self.H])
            dh, dc = dz[:, -self.H :], dc * f
        return np.stack(dinputs[::-1], axis=1)


class GRUCell:
    """A matrix for each gate, on x and on h."""

    def __init__(self, n_in, n_hidden):
        for gate in "zrh":
            setattr(self, f"W_{gate}", np.random.randn(n_in, n_hidden))
            setattr(self, f"U_{gate}", np.random.randn(n_hidden, n_hidden))
            setattr(self, f"b_{gate}", np.zeros(n_hidden))

    def forward(self, x, h_prev):
        z = sigmoid(x @ self.W_z + h_prev @ self.U_z + self.b_z)
        r = sigmoid(x @ self.W_r + h_prev @ self.U_r + self.b_r)
        n = np.tanh(x @ self.W_h + (r * h_prev) @ self.U_h + self.b_h)
        self.cache = x, h_prev, z, r, n
        return (1 - z) * h_prev + z * n

    def backward(self, dh):
        x, h_prev, z, r, n = self.cache
        dn = dh * z * (1 - n**2)
        dz = dh * (n - h_prev) * z * (1 - z)
        back = dn @ self.U_h.T
        dr = back * h_prev * r * (1 - r)
        for gate, d, h in (("z", dz, h_prev), ("r", dr, h_prev), ("h", dn, r * h_prev)):
            setattr(self, f"dW_{gate}", x.T @ d)
            setattr(self, f"dU_{gate}", h.T @ d)
            setattr(self, f"db_{gate}", d.sum(axis=0))
        dx = dz @ self.W_z.T + dr @ self.W_r.T + dn @ self.W_h.T
        return dx, dh * (1 - z) + back * r + dz @ self.U_z.T + dr @ self.U_r.T
