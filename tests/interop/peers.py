"""One time step of each peer, written from its own documentation, on its own names and shapes: the layouts' judges."""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def pytorch_step(state, end, cell, nonlinearity, x, h, c):
    """torch.nn.LSTM, GRU, RNN: x (N, D), h (N, R), c (N, H) -> h, c."""
    a_ih = x @ state["weight_ih" + end].T + state.get("bias_ih" + end, 0)
    a_hh = h @ state["weight_hh" + end].T + state.get("bias_hh" + end, 0)
    if cell == "rnn":
        return nonlinear(nonlinearity, a_ih + a_hh), c
    if cell == "gru":
        (ir, iz, i_n), (hr, hz, hn) = np.split(a_ih, 3, axis=1), np.split(a_hh, 3, axis=1)
        r, z = sigmoid(ir + hr), sigmoid(iz + hz)
        n = np.tanh(i_n + r * hn)
        return (1 - z) * n + z * h, c
    i, f, g, o = np.split(a_ih + a_hh, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return (h @ state["weight_hr" + end].T if "weight_hr" + end in state else h), c


def keras_step(weights, cell, reset_after, nonlinearity, x, h, c):
    """keras.layers.LSTM, GRU, SimpleRNN: kernel, recurrent_kernel and, where there is one, bias."""
    kernel, recurrent_kernel, *bias = weights
    H = len(recurrent_kernel)
    if cell == "rnn":
        return nonlinear(nonlinearity, x @ kernel + (bias[0] if bias else 0) + h @ recurrent_kernel), c
    if cell == "lstm":
        a = x @ kernel + h @ recurrent_kernel + (bias[0] if bias else 0)
        i, f, g, o = np.split(a, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    input_bias, recurrent_bias = (bias[0] if reset_after else (bias[0], 0)) if bias else (0, 0)
    x_z, x_r, x_h = np.split(x @ kernel + input_bias, 3, axis=1)
    if reset_after:
        h_z, h_r, h_h = np.split(h @ recurrent_kernel + recurrent_bias, 3, axis=1)
    else:
        h_z, h_r = np.split(h @ recurrent_kernel[:, : 2 * H], 2, axis=1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    hh = np.tanh(x_h + (r * h_h if reset_after else (r * h) @ recurrent_kernel[:, 2 * H :]))
    return z * h + (1 - z) * hh, c


def onnx_step(node, s, cell, coupled, linear_before_reset, nonlinearity, x, h, c):
    """ONNX's LSTM, GRU, RNN in direction s: W[iofc], R[iofc], P[iof]; W[zrh], R[zrh]; Wi, Ri."""
    W, R, H = node["W"][s], node["R"][s], node["R"].shape[2]
    Wb, Rb = np.split(node["B"][s], 2) if "B" in node else (np.zeros(len(W)), np.zeros(len(W)))
    if cell == "rnn":
        return nonlinear(nonlinearity, x @ W.T + h @ R.T + Wb + Rb), c
    if cell == "gru":
        (Wz, Wr, Wh), (Rz, Rr, Rh) = np.split(W, 3), np.split(R, 3)
        (Wbz, Wbr, Wbh), (Rbz, Rbr, Rbh) = np.split(Wb, 3), np.split(Rb, 3)
        z, r = sigmoid(x @ Wz.T + h @ Rz.T + Wbz + Rbz), sigmoid(x @ Wr.T + h @ Rr.T + Wbr + Rbr)
        within = r * (h @ Rh.T + Rbh) if linear_before_reset else (r * h) @ Rh.T + Rbh
        return (1 - z) * np.tanh(x @ Wh.T + within + Wbh) + z * h, c
    Pi, Po, Pf = np.split(node["P"][s], 3) if "P" in node else np.zeros((3, H))
    ai, ao, af, ac = np.split(x @ W.T + h @ R.T + Wb + Rb, 4, axis=1)
    i = sigmoid(ai + Pi * c)
    f = 1 - i if coupled else sigmoid(af + Pf * c)
    c = f * c + i * np.tanh(ac)
    return sigmoid(ao + Po * c) * np.tanh(c), c


def nonlinear(name, a):
    return np.tanh(a) if name == "tanh" else np.maximum(a, 0)


def own_step(layer, x, state):
    """The layer's own: one step of a single layer, x (N, D) and state a pair (h, c) of (S, N, .) -> (h, c)."""
    h, c = state
    _, final, _ = layer.forward(x[:, None], state=(h, c) if hasattr(layer, "coupled") else h)
    return final if hasattr(layer, "coupled") else (final, c)


def random_state(layer, seed=5, rows=3):
    """x (N, D) and (h, c), random, in the layer's dtype."""
    rng = np.random.default_rng(seed)
    S = len(layer.directions)
    dtype = next(iter(layer.params.values())).dtype
    shapes = [(rows, layer.input_size), (S, rows, layer.output_size), (S, rows, layer.hidden_size)]
    x, h, c = ((0.5 * rng.standard_normal(shape)).astype(dtype) for shape in shapes)
    return x, (h, c)
