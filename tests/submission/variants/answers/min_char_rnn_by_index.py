"""No one-hot vectors, states in one array, softmax without a loop."""

import numpy as np

hidden_size, vocab_size = 6, 8
Wxh = np.random.randn(hidden_size, vocab_size) * 0.01
Whh = np.random.randn(hidden_size, hidden_size) * 0.01
Why = np.random.randn(vocab_size, hidden_size) * 0.01
bh = np.zeros((hidden_size, 1))
by = np.zeros((vocab_size, 1))


def lossFun(inputs, targets, hprev):
    """
    inputs,targets are both list of integers.
    returns the loss, gradients on model parameters, and last hidden state
    """
    T = len(inputs)
    hs = np.zeros((T + 1, Whh.shape[0]))
    hs[-1] = hprev.ravel()
    for t in range(T):
        hs[t] = np.tanh(Wxh[:, inputs[t]] + Whh @ hs[t - 1] + bh[:, 0])
    scores = hs[:T] @ Why.T + by.T
    scores -= scores.max(axis=1, keepdims=True)
    ps = np.exp(scores)
    ps /= ps.sum(axis=1, keepdims=True)
    loss = -np.log(ps[np.arange(T), targets]).sum()
    dWxh, dWhh = np.zeros_like(Wxh), np.zeros_like(Whh)
    dbh = np.zeros_like(bh)
    dy = ps.copy()
    dy[np.arange(T), targets] -= 1
    dWhy = dy.T @ hs[:T]
    dby = dy.sum(axis=0)[:, None]
    dhnext = np.zeros(Whh.shape[0])
    for t in reversed(range(T)):
        dhraw = (1 - hs[t] ** 2) * (Why.T @ dy[t] + dhnext)
        dbh[:, 0] += dhraw
        dWxh[:, inputs[t]] += dhraw
        dWhh += np.outer(dhraw, hs[t - 1])
        dhnext = Whh.T @ dhraw
    for dparam in [dWxh, dWhh, dWhy, dbh, dby]:
        np.clip(dparam, -5, 5, out=dparam)
    return loss, dWxh, dWhh, dWhy, dbh, dby, hs[T - 1][:, None]
