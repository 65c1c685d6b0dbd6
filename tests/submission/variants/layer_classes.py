"""Layer classes of one's own, as many people name and lay them out: an LSTM, a GRU and an RNN over a sequence, made
from a few choices that hold together."""

from __future__ import annotations

NAMES = [
    ("Wx", "Wh", "b"),
    ("weights_x", "weights_h", "biases"),
    ("W_ih", "W_hh", "bias"),
    ("kernel", "recurrent_kernel", "bias"),
    ("U", "W", "b"),
    ("Wxh", "Whh", "bh"),
    ("input_weights", "hidden_weights", "b"),
]
CLASSES = ["LSTM", "LSTMLayer", "MyLSTM", "Layer_LSTM", "KerasLikeLSTM", "LstmFromScratch", "Lstm"]
ORDERS = ["ifgo", "ifog", "figo", "fiog", "ofig", "gifo", "oigf", "gofi"]
GRADIENTS = ["d{}", "grad_{}", "{}_grad", "d_{}", "grads"]
ARGUMENTS = [("inputs", "dvalues"), ("x", "dout"), ("X", "dH"), ("input_data", "output_gradient"), ("seq", "delta")]
GIVEN = ["array", "list", "attribute"]

SIGMOID = """
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))

"""


def choices(k):
    """The choices of the k-th class: each goes round by itself."""
    return {
        "called": CLASSES[k % 7],
        "names": NAMES[k % 7],
        "order": ORDERS[k % 8],
        "gradient": GRADIENTS[k % 5],
        "arguments": ARGUMENTS[(k // 2) % 5],
        "given": GIVEN[k % 3],
        "turned": k % 4 >= 2,
        "row": k % 3 == 1,
        "time_first": k % 6 == 4,
    }


def set_up(called, names, gates, turned, row, held):
    """The lines that make the weights."""
    Wx, Wh, b = names
    shape = "({a}, {b})"
    width = f"{gates} * n_units" if gates > 1 else "n_units"
    x, h = (shape.format(a=width if turned else n, b=n if turned else width) for n in ("n_in", "n_units"))
    bias = f"(1, {width})" if row else width
    grads = "\n        self.grads = {}" if held else ""
    return f"""
class {called}:
    def __init__(self, n_in, n_units):
        self.n_units = n_units
        self.{Wx} = 0.1 * np.random.randn(*{x})
        self.{Wh} = 0.1 * np.random.randn(*{h})
        self.{b} = np.zeros({bias}){grads}
"""


def kept(name, gradient):
    """Where the gradient of a weight is kept."""
    return f'self.grads["{name}"]' if gradient == "grads" else f"self.{gradient.format(name)}"


def loops(time_first, argument, upstream, given):
    """What depends on the axes: sizes, a step of x and of the upstream gradient, how steps are put together."""
    axis = 0 if time_first else 1
    sizes = f"T, N = {argument}.shape[0], {argument}.shape[1]" if time_first else f"N, T = {argument}.shape[:2]"
    at = "[t]" if time_first else "[:, t]"
    together = {"list": "out", "array": f"np.stack(out, axis={axis})", "attribute": f"np.stack(out, axis={axis})"}[
        given
    ]
    of_list = given == "list"
    return sizes, f"{argument}{at}", f"{upstream}[t]" if of_list else f"{upstream}{at}", together, axis


def lstm_class(k):
    """The k-th LSTM."""
    c = choices(k)
    names, turned, gradient = c["names"], c["turned"], c["gradient"]
    (x, d), (Wx, Wh, b) = c["arguments"], names
    sizes, x_t, d_t, together, axis = loops(c["time_first"], x, d, c["given"])
    T = ".T" if turned else ""
    back = "" if turned else ".T"
    order = ", ".join(c["order"])
    slopes = {"i": "dc * g * i * (1 - i)", "f": "dc * c_prev * f * (1 - f)", "g": "dc * i * (1 - g**2)"}
    slopes["o"] = "dh * np.tanh(c) * o * (1 - o)"
    joined = ", ".join(slopes[gate] for gate in c["order"])
    product = "da.T @ {0}" if turned else "{0}.T @ da"
    give = f"self.output = {together}" if c["given"] == "attribute" else f"return {together}"
    give_back = "self.dinputs = " if c["given"] == "attribute" else "return "
    dWx, dWh, db = (kept(name, gradient) for name in names)
    return f"""{SIGMOID}{set_up(c["called"], names, 4, turned, c["row"], gradient == "grads")}
    def forward(self, {x}):
        {sizes}
        h, c = np.zeros((N, self.n_units)), np.zeros((N, self.n_units))
        self.steps, out = [], []
        for t in range(T):
            a = {x_t} @ self.{Wx}{T} + h @ self.{Wh}{T} + self.{b}
            {order} = np.split(a, 4, axis=-1)
            i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
            h_prev, c_prev = h, c
            c = f * c_prev + i * g
            h = o * np.tanh(c)
            self.steps.append(({x_t}, h_prev, c_prev, i, f, g, o, c))
            out.append(h)
        {give}

    def backward(self, {d}):
        {dWx} = np.zeros_like(self.{Wx})
        {dWh} = np.zeros_like(self.{Wh})
        {db} = np.zeros_like(self.{b})
        dh_next, dc_next, dx = 0, 0, []
        for t in reversed(range(len(self.steps))):
            x_t, h_prev, c_prev, i, f, g, o, c = self.steps[t]
            dh = {d_t} + dh_next
            dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
            da = np.concatenate([{joined}], axis=1)
            {dWx} += {product.format("x_t")}
            {dWh} += {product.format("h_prev")}
            {db} += da.sum(axis=0)
            dx.insert(0, da @ self.{Wx}{back})
            dh_next = da @ self.{Wh}{back}
            dc_next = dc * f
        {give_back}np.stack(dx, axis={axis})
"""


def rnn_class(k):
    """The k-th plain RNN."""
    c = choices(k)
    names, turned, gradient = c["names"], c["turned"], c["gradient"]
    (x, d), (Wx, Wh, b) = c["arguments"], names
    sizes, x_t, d_t, together, axis = loops(c["time_first"], x, d, c["given"])
    T, back = (".T", "") if turned else ("", ".T")
    product = "da.T @ {0}" if turned else "{0}.T @ da"
    give = f"self.output = {together}" if c["given"] == "attribute" else f"return {together}"
    give_back = "self.dinputs = " if c["given"] == "attribute" else "return "
    dWx, dWh, db = (kept(name, gradient) for name in names)
    called = ["RNN", "SimpleRNN", "VanillaRNN", "RecurrentLayer", "MyRNN", "Layer_RNN", "RNNLayer"][k % 7]
    return f"""{SIGMOID}{set_up(called, names, 1, turned, c["row"], gradient == "grads")}
    def forward(self, {x}):
        {sizes}
        h = np.zeros((N, self.n_units))
        self.steps, out = [], []
        for t in range(T):
            h_prev = h
            h = np.tanh({x_t} @ self.{Wx}{T} + h_prev @ self.{Wh}{T} + self.{b})
            self.steps.append(({x_t}, h_prev, h))
            out.append(h)
        {give}

    def backward(self, {d}):
        {dWx} = np.zeros_like(self.{Wx})
        {dWh} = np.zeros_like(self.{Wh})
        {db} = np.zeros_like(self.{b})
        carry, dx = 0, []
        for t in range(len(self.steps) - 1, -1, -1):
            x_t, h_prev, h = self.steps[t]
            da = ({d_t} + carry) * (1 - h * h)
            {dWx} += {product.format("x_t")}
            {dWh} += {product.format("h_prev")}
            {db} += da.sum(axis=0)
            dx.append(da @ self.{Wx}{back})
            carry = da @ self.{Wh}{back}
        {give_back}np.stack(dx[::-1], axis={axis})
"""


LETTERS = [("W{}", "U{}", "b{}"), ("Wx{}", "Wh{}", "b{}"), ("W_x{}", "W_h{}", "b_{}"), ("W{}x", "W{}h", "b{}")]


def gru_class(k):
    """The k-th GRU, with a matrix for each gate: z keeps or writes, the reset stands before or after the product."""
    writes, after = k % 2 == 1, k % 4 >= 2
    turned, letters = k % 3 == 2, LETTERS[k % 4]
    n = "h" if k % 2 else "n"
    called = ["GRU", "GRULayer", "MyGRU", "GatedRecurrentUnit_GRU"][k % 4]
    (Wz, Uz, bz), (Wr, Ur, br), (Wn, Un, bn) = (tuple(form.format(gate) for form in letters) for gate in ("z", "r", n))
    T, back = (".T", "") if turned else ("", ".T")

    def both(W, U, b):
        return f"x @ self.{W}{T} + h @ self.{U}{T} + self.{b}"

    inner = f"r * (h @ self.{Un}{T})" if after else f"(r * h) @ self.{Un}{T}"
    mixed = "(1 - z) * h + z * n" if writes else "z * h + (1 - z) * n"
    dz, dn, held = ("n - h", "z", "1 - z") if writes else ("h - n", "1 - z", "z")
    product = "{1}.T @ {0}" if turned else "{0}.T @ {1}"
    if after:
        through = f"""du = dn * r
            dr = dn * (h @ self.{Un}{T}) * r * (1 - r)
            dh = dh * ({held}) + du @ self.{Un}{back}
            self.d{Un} += {product.format("h", "du")}"""
    else:
        through = f"""drh = dn @ self.{Un}{back}
            dr = drh * h * r * (1 - r)
            dh = dh * ({held}) + drh * r
            self.d{Un} += {product.format("(r * h)", "dn")}"""
    sizes = {"W": "(H, D)" if turned else "(D, H)", "U": "(H, H)", "b": "(H,)"}
    kinds = zip((Wz, Uz, bz, Wr, Ur, br, Wn, Un, bn), "WUb" * 3)
    weights = "\n        ".join(f"self.{name} = np.random.uniform(-0.1, 0.1, {sizes[kind]})" for name, kind in kinds)
    zero = "\n        ".join(
        f"self.d{name} = np.zeros_like(self.{name})" for name in (Wz, Uz, bz, Wr, Ur, br, Wn, Un, bn)
    )
    return f"""{SIGMOID}
class {called}:
    def __init__(self, D, H):
        self.H = H
        {weights}

    def forward(self, xs):
        h, self.steps, hs = np.zeros((len(xs), self.H)), [], np.zeros((*xs.shape[:2], self.H))
        for t in range(xs.shape[1]):
            x = xs[:, t]
            z = sigmoid({both(Wz, Uz, bz)})
            r = sigmoid({both(Wr, Ur, br)})
            n = np.tanh(x @ self.{Wn}{T} + {inner} + self.{bn})
            self.steps.append((x, h, z, r, n))
            h = {mixed}
            hs[:, t] = h
        return hs

    def backward(self, dhs):
        {zero}
        dxs, dh = [], 0
        for t in reversed(range(len(self.steps))):
            x, h, z, r, n = self.steps[t]
            dh = dh + dhs[:, t]
            dz = dh * ({dz}) * z * (1 - z)
            dn = dh * ({dn}) * (1 - n**2)
            {through}
            dh = dh + dz @ self.{Uz}{back} + dr @ self.{Ur}{back}
            self.d{Uz} += {product.format("h", "dz")}
            self.d{Ur} += {product.format("h", "dr")}
            for W, b, d in (("{Wz}", "{bz}", dz), ("{Wr}", "{br}", dr), ("{Wn}", "{bn}", dn)):
                getattr(self, "d" + W)[...] += {product.format("x", "d")}
                getattr(self, "d" + b)[...] += d.sum(axis=0)
            dxs.append(dz @ self.{Wz}{back} + dr @ self.{Wr}{back} + dn @ self.{Wn}{back})
        return np.stack(dxs[::-1], axis=1)
"""


def classes():
    """All of them, by what they are."""
    made = {f"an LSTM, {k}": (lstm_class, k) for k in range(28)}
    made |= {f"an RNN, {k}": (rnn_class, k) for k in range(14)}
    made |= {f"a GRU, {k}": (gru_class, k) for k in range(12)}
    return {name: lambda make=make, k=k: make(k) for name, (make, k) in made.items()}
