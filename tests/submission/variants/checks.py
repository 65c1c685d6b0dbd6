"""A gradient check of one's own at the end of a file, form by form."""

NUMERICAL = """

def numerical(f, x, h=1e-5):
    grad = np.zeros_like(x)
    for k in np.ndindex(x.shape):
        old = x[k]
        x[k] = old + h
        up = f()
        x[k] = old - h
        grad[k] = (up - f()) / (2 * h)
        x[k] = old
    return grad

"""
CHECKS = {
    "cs231n": """
rng = np.random.default_rng(0)
x, h0, Wx, Wh, b = (rng.standard_normal(s) for s in ((2, 3, 4), (2, 5), (4, 5), (5, 5), (5,)))
h, cache = rnn_forward(x, h0, Wx, Wh, b)
dh = rng.standard_normal(h.shape)
dx, dh0, dWx, dWh, db = rnn_backward(dh, cache)
expected = numerical(lambda: (rnn_forward(x, h0, Wx, Wh, b)[0] * dh).sum(), Wh)
print("dWh error:", np.abs(dWh - expected).max())
""",
    "coursera": """
np.random.seed(1)
x, a0 = np.random.randn(3, 10, 4), np.random.randn(5, 10)
parameters = {"Wax": np.random.randn(5, 3), "Waa": np.random.randn(5, 5), "Wya": np.random.randn(2, 5)}
parameters.update(ba=np.random.randn(5, 1), by=np.random.randn(2, 1))
a, y, caches = rnn_forward(x, a0, parameters)
da = np.random.randn(5, 10, 4)
gradients = rnn_backward(da, caches)
expected = numerical(lambda: (rnn_forward(x, a0, parameters)[0] * da).sum(), parameters["Waa"])
print("dWaa error:", np.abs(gradients["dWaa"] - expected).max())
""",
    "cmu11785": """
np.random.seed(11785)
cell = GRUCell(3, 4)
x, h = np.random.randn(3), np.random.randn(4)
delta = np.random.randn(4)
cell.forward(x, h)
dx, dh = cell.backward(delta)
expected = numerical(lambda: (cell.forward(x, h) * delta).sum(), cell.Wnh)
print("dWnh error:", np.abs(cell.dWnh - expected).max())
""",
    "saito": """
np.random.seed(0)
Wx, Wh, b = np.random.randn(3, 16), np.random.randn(4, 16), np.zeros(16)
layer = TimeLSTM(Wx, Wh, b)
xs = np.random.randn(2, 5, 3)
hs = layer.forward(xs)
dhs = np.random.randn(*hs.shape)
layer.backward(dhs)
expected = numerical(lambda: (layer.forward(xs) * dhs).sum(), Wh)
print("dWh error:", np.abs(layer.grads[1] - expected).max())
""",
    "holberton": """
np.random.seed(8)
bi_cell = BidirectionalCell(10, 15, 5)
X = np.random.randn(6, 8, 10)
H, Y = bi_rnn(bi_cell, X, np.zeros((8, 15)), np.zeros((8, 15)))
print(H.shape, Y.shape)
print(np.allclose(Y.sum(axis=-1), 1))
""",
    "min_char_rnn": """
inputs, targets, hprev = [0, 2, 1], [2, 1, 3], np.zeros((hidden_size, 1))
loss, dWxh, dWhh, dWhy, dbh, dby, hprev_next = lossFun(inputs, targets, hprev)
expected = numerical(lambda: lossFun(inputs, targets, hprev)[0], Whh)
print("dWhh error:", np.abs(dWhh - expected).max())
""",
    "edinburgh": """
rnn = RNN(4, 3, 4)
x, d = np.array([1, 2, 3]), np.array([2, 3, 0])
y, s = rnn.predict(x)
rnn.acc_deltas_bptt(x, d, y, s, 3)
expected = numerical(lambda: -np.log(rnn.predict(x)[0][range(3), d]).sum(), rnn.W)
print("deltaW error:", np.abs(rnn.deltaW + expected).max())
""",
    "layers": """
np.random.seed(0)
layer = Layer_RNN(3, 4)
X = np.random.randn(2, 5, 3)
layer.forward(X)
dvalues = np.random.randn(*layer.output.shape)
layer.backward(dvalues)
def f():
    layer.forward(X)
    return (layer.output * dvalues).sum()
found = layer.dweights_h.copy()
print("dweights_h error:", np.abs(found - numerical(f, layer.weights_h)).max())
""",
}
"""Lines that check, with `numerical` above them."""


def at_the_bottom(form: str) -> str:
    """The check as it stands in a file."""
    return NUMERICAL + CHECKS[form]


def under_main(form: str) -> str:
    """The same, under `if __name__ == "__main__"`."""
    lines = CHECKS[form].strip().splitlines()
    return NUMERICAL + '\nif __name__ == "__main__":\n' + "".join(f"    {line}\n" for line in lines)


def in_a_function(form: str) -> str:
    """The same, as a function that is called there."""
    lines = CHECKS[form].strip().splitlines()
    return (
        NUMERICAL
        + "\ndef main():\n"
        + "".join(f"    {line}\n" for line in lines)
        + '\n\nif __name__ == "__main__":\n    main()\n'
    )
