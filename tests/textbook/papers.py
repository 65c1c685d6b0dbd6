"""The cells as the papers print them, one row and one gate at a time, to hold forward passes against.

A gradient check holds a backward pass to its forward pass; this holds the forward pass to the papers.
"""

import numpy as np

from npbilstm.commands.checks.textbook_cells import draw_mask
from tests.cases import assert_all_close


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


FUNCTIONS = {
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "relu": lambda a: np.maximum(a, 0),
    "hard_sigmoid": lambda a: np.clip(0.2 * a + 0.5, 0, 1),
    "hard_sigmoid_sixth": lambda a: np.clip(a + 3, 0, 6) / 6,
}
"""As Keras documents them: hard_sigmoid its versions 1 and 2, hard_sigmoid_sixth its version 3."""


def layer_norm(z, gain, bias=0.0):
    """Ba et al. (2016), of one row; with PyTorch's epsilon, as numbers one by one."""
    mean = sum(z) / len(z)
    deviation = np.sqrt(sum((number - mean) ** 2 for number in z) / len(z) + 1e-5)
    return gain * (z - mean) / deviation + bias


def layer_norm_lstm_by_the_paper(x, h, c, params):
    """Equations 20 to 22 of its supplement, h dropped already."""
    a = layer_norm(x @ params["Wx"], params["gain_x"]) + layer_norm(h @ params["Wh"], params["gain_h"]) + params["b"]
    i, f, g, o = np.split(a, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(layer_norm(c, params["gain_c"], params["bias_c"])), c


def step_by_the_papers(cell, x, state, params, mask):
    """One step for one row: x (D,), state vectors, mask (R,) -> the new state."""
    h_prev, size = state[0], cell.state[-1]
    act, sigma = (FUNCTIONS[name] for name in cell.activations)
    h_in = mask * h_prev

    def gate(k, h=h_in):
        block = slice(k * size, (k + 1) * size)
        return x @ params["Wx"][:, block] + h @ params["Wh"][:, block] + params["b"][block]

    if cell.step == "rnn_step":
        return (act(gate(0)),)
    if cell.step == "rnn_relu_step":
        return (np.maximum(gate(0), 0),)
    if cell.step.startswith("gru"):
        r, z = sigma(gate(0)), sigma(gate(1))
        if cell.step == "gru_reset_before_step":
            n = act(gate(2, r * h_in))
        else:
            from_x = gate(2, 0 * h_in)
            n = act(from_x + r * (gate(2) - from_x + params["b_hn"]))
        return (z * h_prev + (1 - z) * n,)
    c_prev = state[1]
    if cell.step == "layer_norm_lstm_step":
        return layer_norm_lstm_by_the_paper(x, h_in, c_prev, params)
    coupled = params["b"].size == 3 * size
    peepholes = params.get("p", np.zeros((2 if coupled else 3) * size)).reshape(-1, size)
    i = sigma(gate(0) + peepholes[0] * c_prev)
    f = 1 - i if coupled else sigma(gate(1) + peepholes[1] * c_prev)
    c = f * c_prev + i * act(gate(1 if coupled else 2))
    h = sigma(gate(2 if coupled else 3) + peepholes[-1] * c) * act(c)
    return h @ params.get("Wp", np.eye(size)), c


def both_directions_by_the_papers(cell, x, state, params, lengths, mask):
    """Row by row, each direction over the valid steps only. x (N, T, D), state (2, N, .) -> y (N, T, 2R), state_T."""
    N, T, _ = x.shape
    y = np.zeros((N, T, 2, cell.state[0]))
    state_T = [part.copy() for part in state]
    for n in range(N):
        for way in (0, 1):
            row = tuple(part[way, n] for part in state)
            for t in [range(lengths[n]), reversed(range(lengths[n]))][way]:
                row = step_by_the_papers(cell, x[n, t], row, params[way], mask[way, n])
                y[n, t, way] = row[0]
            for part, last in zip(state_T, row):
                part[way, n] = last
    return y.reshape(N, T, -1), tuple(state_T)


def assert_as_in_the_papers(book, cell, D, N, T, lengths, masked, seed):
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return 0.5 * rng.standard_normal(shape)

    x, state = draw(N, T, D), tuple(draw(2, N, size) for size in cell.state)
    params = [{name: draw(*shape) for name, shape in cell.shapes.items()} for _ in range(2)]
    mask = draw_mask(seed, 2, N, cell.state[0]) if masked else None
    y, state_T, _ = book.bidirectional_recurrent_forward(
        cell.passes(book)[0],
        x,
        state,
        tuple(getattr(book, cell.params)(**p) for p in params),
        None if lengths is None else np.array(lengths),
        mask,
    )
    lengths = [T] * N if lengths is None else lengths
    ones = np.ones((2, N, cell.state[0]))
    expected = both_directions_by_the_papers(cell, x, state, params, lengths, mask if masked else ones)
    assert_all_close((y, state_T), expected)
