"""The whole LSTM in its loop, no step functions; a stable sigmoid; caches as dicts."""

import numpy as np


def rnn_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    H = h0.shape[1]
    h = np.zeros((N, T + 1, H))
    h[:, -1] = h0
    for t in range(T):
        h[:, t] = np.tanh(x[:, t] @ Wx + h[:, t - 1] @ Wh + b)
    cache = {"x": x, "h": h, "Wx": Wx, "Wh": Wh}
    return h[:, :-1].copy(), cache


def rnn_backward(dh, cache):
    x, h, Wx, Wh = (cache[k] for k in ("x", "h", "Wx", "Wh"))
    N, T, H = dh.shape
    dx, dWx, dWh, db, dh0 = np.zeros_like(x), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(H), np.zeros((N, H))
    for t in range(T)[::-1]:
        dh0 = dh0 + dh[:, t]
        da = dh0 * (1 - h[:, t] ** 2)
        dx[:, t] = np.einsum("nh,dh->nd", da, Wx)
        dWx += np.einsum("nd,nh->dh", x[:, t], da)
        dWh += np.einsum("nk,nh->kh", h[:, t - 1], da)
        db += np.einsum("nh->h", da)
        dh0 = da @ Wh.T
    return dx, dh0, dWx, dWh, db


def lstm_forward(x, h0, Wx, Wh, b):
    def sigmoid(z):
        return np.where(z > 0, 1 / (1 + np.exp(-np.abs(z))), 1 - 1 / (1 + np.exp(-np.abs(z))))

    N, T, D = x.shape
    H = h0.shape[1]
    h, c = h0, np.zeros_like(h0)
    hs, cache = [], []
    for t in range(T):
        a = np.hstack([x[:, t], h, np.ones((N, 1))]) @ np.vstack([Wx, Wh, b])
        ifo = sigmoid(a[:, : 3 * H])
        g = np.tanh(a[:, 3 * H :])
        i, f, o = ifo[:, :H], ifo[:, H : 2 * H], ifo[:, 2 * H :]
        c_next = i * g + f * c
        tanh_c = np.tanh(c_next)
        h_next = o * tanh_c
        cache.append(dict(x=x[:, t], h=h, c=c, i=i, f=f, o=o, g=g, tanh_c=tanh_c, Wx=Wx, Wh=Wh))
        h, c = h_next, c_next
        hs.append(h)
    return np.swapaxes(np.array(hs), 0, 1), cache


def lstm_backward(dh, cache):
    N, T, H = dh.shape
    grads = {"dWx": 0, "dWh": 0, "db": 0}
    dx, dprev_h, dprev_c = [None] * T, np.zeros((N, H)), np.zeros((N, H))
    t = T
    while t > 0:
        t -= 1
        s = cache[t]
        d = dh[:, t] + dprev_h
        dc = dprev_c + d * s["o"] * (1 - s["tanh_c"] ** 2)
        da = np.empty((N, 4 * H))
        da[:, 0:H] = dc * s["g"] * s["i"] * (1 - s["i"])
        da[:, H : 2 * H] = dc * s["c"] * s["f"] * (1 - s["f"])
        da[:, 2 * H : 3 * H] = d * s["tanh_c"] * s["o"] * (1 - s["o"])
        da[:, 3 * H :] = dc * s["i"] * (1 - s["g"] ** 2)
        grads["dWx"] = grads["dWx"] + s["x"].T @ da
        grads["dWh"] = grads["dWh"] + s["h"].T @ da
        grads["db"] = grads["db"] + da.sum(0)
        dx[t] = da @ s["Wx"].T
        dprev_h, dprev_c = da @ s["Wh"].T, dc * s["f"]
    return np.stack(dx, 1), dprev_h, grads["dWx"], grads["dWh"], grads["db"]
