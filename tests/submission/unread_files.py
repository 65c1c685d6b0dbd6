"""Files in which a pass stands that nobody judges, in the forms of many courses.

Beside each stands a right sigmoid, which is judged: what is right must not hide what is not read.
"""

from tests.submission.unread_forms import FORMS

COURSES = {
    "a plain RNN over a sequence, by a name of one's own": (
        """
def my_rnn_forward(x, h0, Wx, Wh, b):
    h, hs = h0, []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ Wx + h @ Wh + b)
        hs.append(h)
    return np.stack(hs, 1), (x, h0, hs, Wx, Wh)

def my_rnn_backward(dh, cache):
    return None
""",
        ["my_rnn_forward", "my_rnn_backward"],
    ),
    "CS231n: a word embedding": (
        """
def word_embedding_forward(x, W):
    return W[x], (x, W.shape)

def word_embedding_backward(dout, cache):
    dW = np.zeros(cache[1])
    np.add.at(dW, cache[0], dout)
    return dW
""",
        ["word_embedding_forward", "word_embedding_backward"],
    ),
    "CS231n: an affine layer over time": (
        "def temporal_affine_forward(x, w, b): return x @ w + b, (x, w)\n",
        ["temporal_affine_forward"],
    ),
    "CS231n: the loss over time": (
        """
def temporal_softmax_loss(x, y, mask):
    p = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    return -np.sum(mask * np.log(p[y])) / len(x), p
""",
        ["temporal_softmax_loss"],
    ),
    "CS231n: a model whose loss is made of passes": (
        """
class CaptioningRNN:
    def __init__(self, D, H):
        self.params = {"Wx": np.zeros((D, 4 * H))}

    def loss(self, x, y):
        h, cache = rnn_sequence(x, self.params["Wx"])
        loss, dh = temporal_loss(h, y)
        grads = {"Wx": x.T @ dh}
        return loss, grads
""",
        ["CaptioningRNN"],
    ),
    "Coursera: a cell": (
        """
def lstm_cell_forward(xt, a_prev, c_prev, parameters):
    concat = np.concatenate([a_prev, xt])
    ft = sigmoid(parameters["Wf"] @ concat + parameters["bf"])
    c_next = ft * c_prev
    return np.tanh(c_next), c_next, (xt, parameters)
""",
        ["lstm_cell_forward"],
    ),
    "Coursera: gradients in a dict": (
        """
def rnn_cell_backward(da_next, cache):
    a_next, a_prev, xt, parameters = cache
    dtanh = (1 - a_next**2) * da_next
    return {"dxt": parameters["Wax"].T @ dtanh, "dWax": dtanh @ xt.T}
""",
        ["rnn_cell_backward"],
    ),
    "Coursera: a sequence by one of the textbook's names": (
        """
def lstm_forward(x, a0, parameters, n_a, n_y):
    return x, x, x, []
""",
        ["lstm_forward"],
    ),
    "CMU 11-785: a plain RNN's cell": (
        """
class RNNCell:
    def __init__(self, input_size, hidden_size):
        self.W_ih, self.W_hh = np.zeros((hidden_size, input_size)), np.zeros((hidden_size, hidden_size))
        self.dW_ih = np.zeros_like(self.W_ih)

    def forward(self, x, h_prev_t):
        return np.tanh(x @ self.W_ih.T + h_prev_t @ self.W_hh.T)

    def backward(self, delta, h_t, h_prev_l, h_prev_t):
        dz = delta * (1 - h_t**2)
        self.dW_ih += dz.T @ h_prev_l / len(delta)
        return dz @ self.W_ih, dz @ self.W_hh
""",
        ["RNNCell"],
    ),
    "CMU 11-785: CTC": (
        """
class CTC:
    def __init__(self, BLANK=0):
        self.BLANK = BLANK

    def get_forward_probs(self, logits, extended_symbols, skip_connect):
        alpha = np.zeros((len(logits), len(extended_symbols)))
        for t in range(1, len(logits)):
            alpha[t] = alpha[t - 1] * logits[t, extended_symbols]
        return alpha
""",
        ["CTC"],
    ),
    "CMU 11-785: a classifier that is called": (
        """
class RNNPhonemeClassifier:
    def __init__(self, layers):
        self.rnn = layers

    def __call__(self, x, h_0=None):
        hidden = h_0
        for t in range(x.shape[1]):
            for l, layer in enumerate(self.rnn):
                hidden[l] = layer(x[:, t], hidden[l])
        return hidden
""",
        ["RNNPhonemeClassifier"],
    ),
    "Saito: LSTM": (
        """
class LSTM:
    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(p) for p in self.params]

    def forward(self, x, h_prev, c_prev):
        Wx, Wh, b = self.params
        A = np.dot(x, Wx) + np.dot(h_prev, Wh) + b
        return np.tanh(A), c_prev

    def backward(self, dh_next, dc_next):
        return dh_next, dc_next
""",
        ["LSTM"],
    ),
    "Saito: a layer over time that calls cells": (
        """
class TimeLSTM:
    def __init__(self, layers):
        self.layers = layers

    def forward(self, xs):
        return [layer.forward(x) for layer, x in zip(self.layers, xs)]
""",
        ["TimeLSTM"],
    ),
    "Saito: the loss over time": (
        """
class TimeSoftmaxWithLoss:
    def forward(self, xs, ts): return -np.log(xs[ts]).sum()
    def backward(self, dout=1): return dout
""",
        ["TimeSoftmaxWithLoss"],
    ),
    "a bidirectional cell of a name of its own": (
        """
class TwoWayCell:
    def __init__(self, i, h, o):
        self.Whf, self.Whb, self.Wy = np.zeros((i + h, h)), np.zeros((i + h, h)), np.zeros((2 * h, o))

    def output(self, H):
        y = np.exp(H @ self.Wy)
        return y / y.sum(axis=-1, keepdims=True)
""",
        ["TwoWayCell"],
    ),
    "Holberton: a loop over a cell that is handed in": (
        """
def bi_rnn(bi_cell, X, h_0, h_t):
    forward = [h_0]
    for x in X:
        forward.append(bi_cell.forward(forward[-1], x))
    return np.array(forward), bi_cell.output(np.array(forward))
""",
        ["bi_rnn"],
    ),
    "min-char-rnn": (
        """
Wxh, Whh, Why = (0.1 * np.random.randn(4, 4) for _ in range(3))
def lossFun(inputs, targets, hprev):
    hs = {-1: hprev}
    for t in range(len(inputs)):
        hs[t] = np.tanh(np.dot(Wxh, inputs[t]) + np.dot(Whh, hs[t - 1]))
    dWhy = np.dot(targets[0], hs[0].T)
    return 0.0, dWhy
""",
        ["lossFun"],
    ),
    "Edinburgh: deltas added up": (
        """
class RNN:
    def __init__(self, vocab, hidden):
        self.U, self.V = np.zeros((hidden, hidden)), np.zeros((hidden, vocab))
        self.deltaU = np.zeros_like(self.U)

    def acc_deltas_bptt(self, x, d, y, s, steps):
        for t in reversed(range(len(x))):
            delta = self.U.T @ d[t] * s[t] * (1 - s[t])
            self.deltaU += np.outer(delta, s[t - 1])
""",
        ["RNN"],
    ),
    "nnfs: a dense layer": (
        """
class Layer_Dense:
    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases

    def backward(self, dvalues):
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dinputs = np.dot(dvalues, self.weights.T)
""",
        ["Layer_Dense"],
    ),
    "nnfs: an activation": (
        """
class Activation_Sigmoid:
    def forward(self, inputs): self.output = sigmoid(inputs)
    def backward(self, dvalues): self.dinputs = dvalues * (1 - self.output) * self.output
""",
        ["Activation_Sigmoid"],
    ),
    "Keras: a cell that is called": (
        """
class MinimalCell:
    def build(self, shape): self.kernel = np.zeros(shape)
    def call(self, inputs, states):
        h = inputs @ self.kernel + states[0]
        return h, [h]
""",
        ["MinimalCell"],
    ),
    "scikit-learn: a loop inside fit": (
        """
class Regressor:
    def fit(self, X, y):
        self.w = np.zeros(X.shape[1])
        for _ in range(100):
            p = sigmoid(X @ self.w)
            self.w -= 0.1 * X.T @ (p - y)
        return self

    def predict(self, X):
        return sigmoid(X @ self.w) > 0.5
""",
        ["Regressor"],
    ),
    "an RNN from scratch that learns as it goes back": (
        """
class RNN:
    def forward(self, inputs): return inputs
    def backprop(self, d_y, learn_rate=2e-2): self.Why = self.Why - learn_rate * (d_y @ self.h.T)
""",
        ["RNN"],
    ),
    "a network of its own, with nablas": (
        """
class Network:
    def update_mini_batch(self, batch, eta):
        nabla_w = [np.zeros(w.shape) for w in self.weights]
    def cost_derivative(self, a, y): return a - y
    def propagate_back(self, x, y):
        delta = self.cost_derivative(x, y) * x * (1 - x)
        return np.dot(delta, x.T)
""",
        ["Network"],
    ),
}
"""A file's name -> its source without START of unread_forms.py, the names that must be told."""

UNREAD = {**COURSES, **FORMS}
