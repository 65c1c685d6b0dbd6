"""Files in which nothing is to be named: all is judged, or looks like no pass."""

from tests.submission.unread_forms import STEP

ALL_JUDGED = {
    "helpers that are called": (
        """
def squash(a): return np.tanh(a)
def slope(y): return 1 - y**2
def tanh(a): return squash(a)
def tanh_derivative(value): return slope(value)
"""
    ),
    "helpers of helpers": "def f(a, W): return np.tanh(a @ W)\ndef g(a): return f(a, np.eye(a.shape[1]))\n"
    "def tanh(a): return g(a)\n",
    "a class behind a function": (
        """
class Cell:
    def __init__(self): self.W = gates(np.eye(4))
    def forward(self, a):
        self.y = np.tanh(a)
        return self.y
def gates(W): return np.tanh(W @ W)
def tanh(a):
    cell = Cell()
    return cell.forward(a)
"""
    ),
    "an object behind a function": (
        """
class Base:
    def forward(self, a): return np.tanh(a)
class Cell(Base):
    pass
cell = Cell()
def tanh(a): return cell.forward(a)
"""
    ),
    "a wrapped function": (
        """
def logged(function):
    @functools.wraps(function)
    def forward_to(*arguments): return function(*arguments)
    return forward_to
def squash(a): return np.tanh(a)
@logged
def tanh(a): return squash(a)
sigmoid = logged(sigmoid)
"""
    ),
    "a function inside a judged function": (
        "def tanh(a):\n    def step(x, h):\n        return np.tanh(x @ h)\n    return step(a, np.eye(a.shape[1]))\n"
    ),
    "a method under a name of its own": (
        """
class Cell:
    def forward(self, a): return np.tanh(a)
tanh = Cell().forward
"""
    ),
    "a function wrapped without a trace": (
        """
def plain(function):
    def inner(*arguments): return function(*arguments)
    return inner
def gate(a): return np.tanh(a)
@plain
def tanh(a): return gate(a)
"""
    ),
    "a lambda and a partial object": (
        "squash = lambda k, a: np.tanh(k * a)\ntanh = functools.partial(squash, 1.0)\n"
        "relu = lambda a: np.maximum(0, a)\n"
    ),
    "one of two branches": (
        "if math.pi > 3:\n    def relu(a): return np.maximum(0, a)\nelse:\n    def other(a): ...\n"
    ),
}
"""Files in which all that looks like a pass is judged, by itself or through a function that calls it."""

INNOCENT = {
    "numerical gradients": (
        """
def eval_numerical_gradient_array(f, x, df, h=1e-5):
    grad = np.zeros_like(x)
    it = np.nditer(x, flags=["multi_index"], op_flags=["readwrite"])
    while not it.finished:
        ix = it.multi_index
        old = x[ix]
        x[ix] = old + h
        pos = f(x).copy()
        x[ix] = old - h
        neg = f(x).copy()
        x[ix] = old
        grad[ix] = np.sum((pos - neg) * df) / (2 * h)
        it.iternext()
    return grad

def numerical_gradient(f, x, eps=1e-6):
    grad = np.zeros_like(x)
    for i in range(x.size):
        e = np.zeros(x.size)
        e[i] = eps
        grad.flat[i] = (f(x + e) - f(x - e)) / (2 * eps)
    return grad

def rel_error(x, y):
    return np.max(np.abs(x - y) / np.maximum(1e-8, np.abs(x) + np.abs(y)))

def grad(f, x, h=1e-5):
    return (f(x + h) - f(x - h)) / (2 * h)

def grad_check(f, x, dx, eps=1e-6, tol=1e-7):
    num = numerical_gradient(f, x, eps)
    return rel_error(num, dx) < tol

def gradient_check_n(parameters, gradients, epsilon=1e-7):
    difference = np.linalg.norm(gradients) / np.linalg.norm(parameters)
    return difference
"""
    ),
    "a loss to check a step with": (
        STEP
        + """
def check_step(seed=0):
    rng = np.random.default_rng(seed)
    x, h, c = (rng.standard_normal((3, 2)) for _ in range(3))
    Wx, Wh, b = rng.standard_normal((2, 8)), rng.standard_normal((2, 8)), np.zeros(8)
    dh, dc = rng.standard_normal((3, 2)), rng.standard_normal((3, 2))
    def loss(x):
        h_next, c_next, _ = lstm_step_forward(x, h, c, Wx, Wh, b)
        return np.sum(h_next * dh) + np.sum(c_next * dc)
    h_next, c_next, cache = lstm_step_forward(x, h, c, Wx, Wh, b)
    dx, dh_prev, dc_prev, dWx, dWh, db = lstm_step_backward(dh, dc, cache)
    fx = lambda x: lstm_step_forward(x, h, c, Wx, Wh, b)[0]
    return loss(x), fx(x), dx

if __name__ == "__main__":
    print(check_step())
"""
    ),
    "optimisers": (
        """
def sgd_step(params, grads, lr=0.1):
    for name in params:
        params[name] -= lr * grads[name]

def adam_update(w, dw, config):
    config["m"] = config["beta1"] * config["m"] + (1 - config["beta1"]) * dw
    config["v"] = config["beta2"] * config["v"] + (1 - config["beta2"]) * dw**2
    return w - config["lr"] * config["m"] / (np.sqrt(config["v"]) + 1e-8)

class SGD:
    def __init__(self, lr, momentum): self.lr, self.momentum = lr, momentum
    def step(self, params, grads):
        for k in params:
            self.v[k] = self.momentum * self.v[k] + self.lr * grads[k]
            params[k] -= self.v[k]

class Adam:
    def update(self, params, grads):
        self.m = self.beta1 * self.m + (1 - self.beta1) * grads
        params -= self.lr * self.m

def clip_grads(grads, max_norm):
    total = math.sqrt(sum((g**2).sum() for g in grads))
    rate = max_norm / (total + 1e-6)
    for grad in grads:
        grad *= rate

def epochs(w, g):
    for _ in range(3):
        w = update_rnn(w, g)
    return w

def learning_rate_at(step, warmup, d_model):
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
"""
    ),
    "a step of another kind": (
        """
def step_from(x, speed):
    dx = 0.5 * speed
    return x + dx
"""
    ),
    "what weights start from": (
        """
def init_lstm(D, H, rng):
    return {"Wx": rng.standard_normal((D, 4 * H)) / np.sqrt(D), "b": np.zeros(4 * H)}

def initialize_parameters(n_x, n_a):
    return {"Wax": np.random.randn(n_a, n_x) * 0.01}

def xavier(fan_in, fan_out):
    return np.random.uniform(-1, 1, (fan_in, fan_out)) * np.sqrt(6 / (fan_in + fan_out))

def orthogonal(shape, rng):
    q, r = np.linalg.qr(rng.standard_normal(shape))
    return q * np.sign(np.diag(r))

def rnn_shapes(D, H):
    return {"Wx": (D, H), "Wh": (H, H)}

def make_gru_weights(D, H):
    return np.zeros((D, 3 * H))

class Params:
    def __init__(self, D, H):
        self.Wx, self.dWx = np.zeros((D, H)), np.zeros((D, H))
    def zero_grad(self):
        self.dWx *= 0
    def __repr__(self):
        return f"Params({self.Wx.shape})"
"""
    ),
    "text and numbers": (
        """
def load_corpus(path):
    with open(path) as stream:
        return stream.read()

def build_vocab(text):
    chars = sorted(set(text))
    return {c: i for i, c in enumerate(chars)}

def one_hot(ids, n):
    out = np.zeros((len(ids), n))
    out[np.arange(len(ids)), ids] = 1
    return out

def get_batches(x, batch_size):
    for i in range(0, len(x), batch_size):
        yield x[i : i + batch_size]

def pad_sequences(rows, value=0):
    longest = max(map(len, rows))
    return np.array([list(r) + [value] * (longest - len(r)) for r in rows])

def make_toy_data(n, rng):
    X = rng.standard_normal((n, 3))
    return X, sigmoid(X @ np.ones(3)) > 0.5

def normalize(x):
    return (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-8)
"""
    ),
    "pictures and words": (
        """
def plot_activations():
    x = np.linspace(-5, 5, 100)
    return x, sigmoid(x), np.tanh(2 * x + 1) @ x

def plot_loss(losses):
    smooth = [losses[0]]
    for loss in losses:
        smooth.append(0.9 * smooth[-1] + 0.1 * loss)
    return smooth

def print_gradients(grads):
    for name, grad in grads.items():
        print(f"{name}: {np.abs(grad).max():.2e}")

def show(a):
    print(a.shape)

def accuracy(y, p):
    return np.mean(y == p.argmax(axis=-1))

def perplexity(losses, counts):
    return np.exp(np.sum(losses) / np.sum(counts))
"""
    ),
    "tests": (
        """
def test_sigmoid():
    assert np.allclose(sigmoid(np.zeros(3)), 0.5)

def test_step():
    rng = np.random.default_rng(0)
    x, W = rng.standard_normal((3, 2)), rng.standard_normal((2, 2))
    expected = np.tanh(x @ W + 1)
    assert expected.shape == (3, 2)

class TestSigmoid:
    def test_forward(self):
        assert sigmoid(0) == 0.5

def main():
    test_sigmoid()
    test_step()
    print("all is well")

if __name__ == "__main__":
    main()
"""
    ),
    "a training loop over what is judged": (
        STEP
        + """
def train(x, params, epochs, lr):
    h = c = np.zeros((len(x), 4))
    for epoch in range(epochs):
        h, c, cache = lstm_step_forward(x, h, c, *params)
        dx, dh, dc, *grads = lstm_step_backward(h, c, cache)
        for p, g in zip(params, grads):
            p -= lr * g
    return params
"""
    ),
    "names and records": (
        """
import collections
from typing import NamedTuple
Cache = collections.namedtuple("Cache", "x h_prev i f g o")

class LSTMParams(NamedTuple):
    Wx: np.ndarray
    Wh: np.ndarray

class Timer:
    def __enter__(self): return self
    def __exit__(self, *_): return None

def set_seed(seed):
    np.random.seed(seed)

def timed(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)
    return wrapper

N, T, D, H = 3, 5, 2, 4
rng = np.random.default_rng(0)
x = rng.standard_normal((N, T, D))
dh = rng.standard_normal((N, H))
"""
    ),
}
"""Files in which nothing but the sigmoid, and maybe a step, looks like a pass."""
