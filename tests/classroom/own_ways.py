"""The same exercises as three people write them by themselves; two have been taught by the same course."""

BY_SLICES = {
    "flip": """
def flip(x, lengths=None):
    N, T = x.shape[:2]
    out = x.copy()
    for n in range(N):
        last = T if lengths is None else int(lengths[n])
        for t in range(last):
            out[n, t] = x[n, last - 1 - t]
    return out
""",
    "lstm_step_forward": """
def lstm_step_forward(x, h_prev, c_prev, params):
    N, H = h_prev.shape
    scores = np.dot(x, params.Wx) + np.dot(h_prev, params.Wh) + params.b
    i = 1 / (1 + np.exp(-scores[:, 0:H]))
    f = 1 / (1 + np.exp(-scores[:, H:2*H]))
    g = np.tanh(scores[:, 2*H:3*H])
    o = 1 / (1 + np.exp(-scores[:, 3*H:4*H]))
    c = f * c_prev + i * g
    h = o * np.tanh(c)
    return h, c, (x, h_prev, c_prev, i, f, g, o, c, params)
""",
    "lstm_step_backward": """
def lstm_step_backward(dh, dc, cache):
    x, h_prev, c_prev, i, f, g, o, c, params = cache
    N, H = dh.shape
    squashed = np.tanh(c)
    total = dc + dh * o * (1 - squashed ** 2)
    da = np.zeros((N, 4 * H))
    da[:, 0:H] = total * g * i * (1 - i)
    da[:, H:2*H] = total * c_prev * f * (1 - f)
    da[:, 2*H:3*H] = total * i * (1 - g ** 2)
    da[:, 3*H:4*H] = dh * squashed * o * (1 - o)
    grads = LSTMParams(np.dot(x.T, da), np.dot(h_prev.T, da), np.sum(da, axis=0))
    return np.dot(da, params.Wx.T), np.dot(da, params.Wh.T), total * f, grads
""",
}

BY_GATES = {
    "flip": """
def flip(x, lengths=None):
    lengths = [x.shape[1]] * len(x) if lengths is None else lengths
    rows = [np.concatenate([row[:length][::-1], row[length:]]) for row, length in zip(x, lengths)]
    return np.stack(rows)
""",
    "lstm_step_forward": """
def lstm_step_forward(x, h_prev, c_prev, params):
    joined = np.hstack([x, h_prev])
    weights = np.vstack([params.Wx, params.Wh])
    pre = np.split(joined @ weights + params.b, 4, axis=-1)
    squash = [sigmoid, sigmoid, np.tanh, sigmoid]
    gates = [function(part) for function, part in zip(squash, pre)]
    c = gates[1] * c_prev + gates[0] * gates[2]
    return gates[3] * np.tanh(c), c, (joined, weights, gates, c_prev, c, x.shape[1])
""",
    "lstm_step_backward": """
def lstm_step_backward(dh, dc, cache):
    joined, weights, gates, c_prev, c, D = cache
    i, f, g, o = gates
    through = dc + dh * o / np.cosh(c) ** 2
    parts = [through * g, through * c_prev, through * i, dh * np.tanh(c)]
    slopes = [1 - g * g if k == 2 else gate * (1 - gate) for k, gate in enumerate(gates)]
    da = np.hstack([part * slope for part, slope in zip(parts, slopes)])
    back = da @ weights.T
    outer = joined.T @ da
    return back[:, :D], back[:, D:], through * f, LSTMParams(outer[:D], outer[D:], da.sum(0))
""",
}

BY_SLICES_TOO = {
    "flip": """
def flip(x, lengths=None):
    if lengths is None:
        return x[:, ::-1].copy()
    result = np.array(x)
    for row in range(x.shape[0]):
        k = lengths[row]
        result[row, :k] = result[row, :k][::-1].copy()
    return result
""",
    "lstm_step_forward": """
def lstm_step_forward(x, h_prev, c_prev, params):
    H = h_prev.shape[1]
    a = x.dot(params.Wx) + h_prev.dot(params.Wh) + params.b
    ai = a[:, :H]
    af = a[:, H:2*H]
    ag = a[:, 2*H:3*H]
    ao = a[:, 3*H:]
    i, f, g, o = sigmoid(ai), sigmoid(af), np.tanh(ag), sigmoid(ao)
    next_c = f * c_prev + i * g
    next_h = o * np.tanh(next_c)
    cache = (x, params, h_prev, c_prev, i, f, g, o, next_c)
    return next_h, next_c, cache
""",
    "lstm_step_backward": """
def lstm_step_backward(dh, dc, cache):
    x, params, h_prev, c_prev, i, f, g, o, next_c = cache
    do = dh * np.tanh(next_c)
    dc_total = dc + dh * o * (1 - np.tanh(next_c) ** 2)
    df = dc_total * c_prev
    di = dc_total * g
    dg = dc_total * i
    dai = di * i * (1 - i)
    daf = df * f * (1 - f)
    dag = dg * (1 - g ** 2)
    dao = do * o * (1 - o)
    da = np.hstack((dai, daf, dag, dao))
    dx = da.dot(params.Wx.T)
    dprev_h = da.dot(params.Wh.T)
    return dx, dprev_h, dc_total * f, LSTMParams(x.T.dot(da), h_prev.T.dot(da), da.sum(axis=0))
""",
}
