"""x @ Wx for all steps at once, and the weights' gradients after the loop."""

import numpy as np


def sigmoid(x):
    """A numerically stable version of the logistic sigmoid function."""
    pos_mask = x >= 0
    neg_mask = x < 0
    z = np.zeros_like(x)
    z[pos_mask] = np.exp(-x[pos_mask])
    z[neg_mask] = np.exp(x[neg_mask])
    top = np.ones_like(x)
    top[neg_mask] = z[neg_mask]
    return top / (1 + z)


def lstm_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    H = h0.shape[1]
    ax = (x.reshape(-1, D) @ Wx).reshape(N, T, 4 * H) + b
    gates, cs, hs = np.zeros((T, 4, N, H)), np.zeros((T + 1, N, H)), np.zeros((T + 1, N, H))
    hs[0] = h0
    for t in range(T):
        a = ax[:, t] + hs[t] @ Wh
        for k in range(4):
            part = a[:, k * H : (k + 1) * H]
            gates[t, k] = sigmoid(part) if k < 3 else np.tanh(part)
        i, f, o, g = gates[t]
        cs[t + 1] = f * cs[t] + i * g
        hs[t + 1] = o * np.tanh(cs[t + 1])
    return hs[1:].transpose(1, 0, 2).copy(), (x, Wx, Wh, gates, cs, hs)


def lstm_backward(dh, cache):
    x, Wx, Wh, gates, cs, hs = cache
    N, T, H = dh.shape
    da = np.zeros((N, T, 4, H))
    dnext_h, dnext_c = np.zeros((N, H)), np.zeros((N, H))
    for t in reversed(range(T)):
        i, f, o, g = gates[t]
        tc = np.tanh(cs[t + 1])
        d = dh[:, t] + dnext_h
        dc = dnext_c + d * o * (1 - tc * tc)
        da[:, t, 0], da[:, t, 1] = dc * g * i * (1 - i), dc * cs[t] * f * (1 - f)
        da[:, t, 2], da[:, t, 3] = d * tc * o * (1 - o), dc * i * (1 - g * g)
        dnext_h, dnext_c = da[:, t].reshape(N, -1) @ Wh.T, dc * f
    da = da.reshape(N, T, 4 * H)
    dx = da @ Wx.T
    dWx = np.tensordot(x, da, axes=([0, 1], [0, 1]))
    dWh = np.tensordot(hs[:-1].transpose(1, 0, 2), da, axes=([0, 1], [0, 1]))
    return dx, dnext_h, dWx, dWh, da.sum((0, 1))


def temporal_softmax_loss(x, y, mask, verbose=False):
    N, T, V = x.shape
    logp = x - np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True)) - x.max(-1, keepdims=True)
    onehot = np.eye(V)[y]
    loss = -(onehot * logp * mask[..., None]).sum() / N
    if verbose:
        print("dx: ", x.shape)
    return loss, (np.exp(logp) - onehot) * mask[..., None] / N


def word_embedding_forward(x, W):
    V, D = W.shape
    onehot = np.eye(V)[x]
    return onehot @ W, onehot


def word_embedding_backward(dout, cache):
    return np.einsum("ntv,ntd->vd", cache, dout)


def temporal_affine_forward(x, w, b):
    return np.einsum("ntd,dm->ntm", x, w) + b, dict(x=x, w=w, b=b)


def temporal_affine_backward(dout, cache):
    x, w, b = cache["x"], cache["w"], cache["b"]
    dx = np.zeros(x.shape)
    dw, db = np.zeros_like(w), np.zeros_like(b)
    for n in range(x.shape[0]):
        for t in range(x.shape[1]):
            dx[n, t] = w.dot(dout[n, t])
            dw += np.outer(x[n, t], dout[n, t])
            db += dout[n, t]
    return dx, dw, db
