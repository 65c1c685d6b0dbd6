"""Files in which a pass stands that nobody judges, in forms of no course: under any name, and in whatever Python has
that can be called."""

START = """
import functools
import math
import numpy as np

def sigmoid(a):
    return 1 / (1 + np.exp(-a))
"""

STEP = """
def lstm_step_forward(x, h_prev, c_prev, Wx, Wh, b):
    i, f, g, o = np.split(x @ Wx + h_prev @ Wh + b, 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c = f * c_prev + i * g
    return o * np.tanh(c), c, (x, h_prev, c_prev, i, f, g, o, c, Wx, Wh)

def lstm_step_backward(dh, dc, cache):
    x, h_prev, c_prev, i, f, g, o, c, Wx, Wh = cache
    t = np.tanh(c)
    dc = dc + dh * o * (1 - t**2)
    da = [dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g**2), dh * t * o * (1 - o)]
    da = np.concatenate(da, axis=1)
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, h_prev.T @ da, da.sum(axis=0)
"""
"""A right step, for what is built on it."""

FORMS = {
    "bptt": ("def bptt(x, y, U, V, W): return x\n", ["bptt"]),
    "compute_gradients": (
        "def compute_gradients(x, y, w):\n    dw = x.T @ (x @ w - y)\n    return dw\n",
        ["compute_gradients"],
    ),
    "feedforward and backprop": (
        "def feedforward(x, W): return x\ndef backprop(d, W): return d\n",
        ["feedforward", "backprop"],
    ),
    "forward_pass": ("def forward_pass(x): return x\n", ["forward_pass"]),
    "fprop and bprop": ("def fprop(x): return x\ndef bprop(d): return d\n", ["fprop", "bprop"]),
    "lstm": ("def lstm(x, h, c, p): return lstm_step_forward(x, h, c, p)\n", ["lstm"]),
    "my_cell": ("def my_cell(x, h, c, W): return np.tanh(np.hstack([x, h]) @ W), c\n", ["my_cell"]),
    "a name that says nothing": ("def f(x, h, W, U):\n    return np.tanh(x @ W + h @ U)\n", ["f"]),
    "a name that says something else": ("def train(x, h, W, U):\n    return np.tanh(x @ W + h @ U)\n", ["train"]),
    "a sum over an index": ("def f(x, W): return np.einsum('nd,dh->nh', x, W)\n", ["f"]),
    "a sigmoid written out": ("def f(x, W): return 1 / (1 + np.exp(-np.dot(x, W)))\n", ["f"]),
    "run_layer": ("def run_layer(x, W): return x\n", ["run_layer"]),
    "plain Python": (
        """
def f(x, h, w, u):
    total = 0.0
    for i in range(len(x)):
        total += w[i] * x[i]
    return math.tanh(total + u * h)
""",
        ["f"],
    ),
    "a squashing by a name that says nothing": ("def g(z): return 1 / (1 + np.exp(-z))\n", ["g"]),
    "another": ("def h(z): return np.tanh(z)\n", ["h"]),
    "a rectifier": ("def h(z): return np.maximum(z, 0.0)\n", ["h"]),
    "exponentials": ("def normal_state(z): return np.exp(z) / np.exp(z).sum()\n", ["normal_state"]),
    "a cell without squashing": ("def step(x, h, w, u): return w * x + u * h\n", ["step"]),
    "a gradient by a name that says little": ("def back(dh, o): return dh * o\n", ["back"]),
    "a gradient by a name that says nothing": ("def g(d, W): return d @ W.T\n", ["g"]),
    "a gate by a name that says little": ("def gate(a): return 1 / (1 + np.exp(-a))\n", ["gate"]),
    "squares": ("def loss(a, b): return ((a - b) ** 2).mean()\n", ["loss"]),
    "a logarithm": ("def cost(h, y): return -(y * np.log(h)).mean()\n", ["cost"]),
    "a derivative": ("def derivative(a, b): return 2 * (a - b) / len(a)\n", ["derivative"]),
    "the gradient of one thing": ("def dh_of(dy, o): return dy * o\n", ["dh_of"]),
    "a batch": (
        "def forward_batch(x): return x\ndef batchnorm_forward(x): return x\n",
        ["forward_batch", "batchnorm_forward"],
    ),
    "data": ("def forward_data(x): return x\n", ["forward_data"]),
    "a function that calls what it is given": ("def forward(f, x): return f(x)\n", ["forward"]),
    "a class with a method of another name": (
        "class Softplus:\n    def apply(self, x): return np.log1p(x)\n    def __repr__(self): return 'Softplus'\n",
        ["Softplus"],
    ),
    "a slope by a name that says nothing": ("def g(y): return 1 - y**2\n", ["g"]),
    "another slope": ("def g(y): return y * (1 - y)\n", ["g"]),
    "sigmoid_grad": ("def sigmoid_grad(s): return s * (1 - s)\n", ["sigmoid_grad"]),
    "a loss": ("def mse(a, b): return np.mean((a - b) ** 2 * a + b * a)\n", ["mse"]),
    "a lambda inside a function": ("def f(xs, W): return list(map(lambda x: np.tanh(x @ W), xs))\n", ["f"]),
    "a lambda": ("step = lambda x, h, W: np.tanh(x @ W + h)\n", ["step"]),
    "a partial object": (
        "def apply_cell(W, x, h): return np.tanh(x @ W + h)\ncell = functools.partial(apply_cell, np.eye(2))\n",
        ["apply_cell"],
    ),
    "a decorated function": (
        "@functools.lru_cache\ndef cell(x, h): return np.tanh(x @ h)\n",
        ["cell"],
    ),
    "a function inside a function": (
        "def make(W):\n    def step(x, h):\n        return np.tanh(x @ W + h)\n    return step\n",
        ["step in make"],
    ),
    "one inside a judged function that nobody calls": (
        "def tanh(a):\n    def step(x, h):\n        return np.tanh(x @ h)\n    return np.tanh(a)\n",
        ["step in tanh"],
    ),
    "a class inside a class": (
        """
class Models:
    class Cell:
        @staticmethod
        def forward(x): return x
""",
        ["Models.Cell"],
    ),
    "an object that is called": (
        """
class GRU:
    def __call__(self, x, h): return h
gru = GRU()
""",
        ["GRU"],
    ),
    "a branch that was not taken": (
        "if math.pi < 3:\n    def lstm_step_backward(dh, dc, cache): return dh\n",
        ["lstm_step_backward"],
    ),
    "a try that failed": (
        """
try:
    import a_module_that_nobody_has
    def rnn_step_forward(x, prev_h, Wx, Wh, b): return x
except ImportError:
    pass
""",
        ["rnn_step_forward"],
    ),
    "one that is deleted": ("def flip_backward(dy): return dy\ndel flip_backward\n", ["flip_backward"]),
    "one in place of another": (
        "def tanh(a): return np.tanh(a @ a)\ndef tanh(a): return np.tanh(a)\n",
        ["tanh"],
    ),
    "lines outside of functions": (
        """
X, w = np.zeros((4, 3)), np.zeros((3, 1))
for _ in range(3):
    p = sigmoid(X @ w)
    w_delta = X.T @ (p * (1 - p))
    w += w_delta
""",
        ["the lines outside of functions"],
    ),
    "made as the file runs": (
        'exec("def lstm_cell_forward(x): return x")\nglobals()["gru_" + "cell"] = lambda x: x\n',
        ["lstm_cell_forward", "gru_cell"],
    ),
    "a method that is given to a class": ("class A: 1\nsetattr(A, 'forward', lambda self, x: x)\n", ["A"]),
    "a class that is made": ('Layer = type("Layer", (), {"forward": lambda self, x: x})\n', ["Layer"]),
    "not written yet": ("class LSTM:\n    def forward(self, x):\n        raise NotImplementedError\n", ["LSTM"]),
    "a step that is right, and a loop over it": (
        STEP
        + """
def unfold(x, h, c, Wx, Wh, b):
    out = []
    for t in range(x.shape[1]):
        h, c, _ = lstm_step_forward(x[:, t], h, c, Wx, Wh, b)
        out.append(h)
    return np.stack(out, axis=1)
""",
        ["unfold"],
    ),
    "a step that is right, and a loop back through it": (
        STEP
        + """
def through_time(dh, caches):
    d, e = 0, 0
    for t in reversed(range(len(caches))):
        _, d, e, *_ = lstm_step_backward(dh[:, t] + d, e, caches[t])
    return d, e
""",
        ["through_time"],
    ),
    "a step that is right, and two directions of it": (
        STEP
        + """
def both(x, params, run):
    a = [lstm_step_forward(each, *params) for each in x]
    b = [lstm_step_forward(each, *params) for each in x[::-1]]
    return np.concatenate([a, b[::-1]])
""",
        ["both"],
    ),
    "a method that is right, and one that nobody calls": (
        """
class Cell:
    def squash(self, a): return np.tanh(a)
    def forward(self, a): return self.squash(a)
    def backward(self, dy, y): return dy * (1 - y**2)
cell = Cell()
def tanh(a): return cell.forward(a)
""",
        ["Cell"],
    ),
    "one by the name of a local variable of a judged function": (
        "def step(x, h, W): return np.tanh(x @ W + h)\ndef tanh(a):\n    step = np.tanh(a)\n    return step\n",
        ["step"],
    ),
}
"""A file's name -> its source without START, the names that must be told."""

MADE = {"made as the file runs", "a class that is made", "a method that is given to a class"}
"""The forms of which the text does not tell."""
