"""A CRF as a student writes it, right: row by row, with other names than the textbook's, all in two passes."""

import numpy as np


def logsumexp(a, axis):
    m = a.max(axis=axis, keepdims=True)
    return np.log(np.exp(a - m).sum(axis=axis)) + m.squeeze(axis)


def alphas(emissions, transitions, start, end):
    alpha = [start + emissions[0]]
    for t in range(1, len(emissions)):
        alpha.append(logsumexp(alpha[-1][:, None] + transitions, 0) + emissions[t])
    return np.array(alpha), logsumexp(alpha[-1] + end, 0)


def crf_forward(emissions, tags, transitions, start, end, lengths):
    total, rows = 0.0, []
    for n, L in enumerate(lengths):
        if L == 0:
            rows.append(None)
            continue
        e, y = emissions[n, :L], tags[n, :L]
        alpha, Z = alphas(e, transitions, start, end)
        score = start[y[0]] + e[np.arange(L), y].sum() + transitions[y[:-1], y[1:]].sum() + end[y[-1]]
        total += Z - score
        rows.append((e, y, alpha, Z))
    M = max(int(np.sum(lengths)), 1)
    return total / M, (rows, emissions.shape, transitions, start, end, M)


def crf_backward(dloss, cache):
    rows, shape, transitions, start, end, M = cache
    d, dt, ds, de = np.zeros(shape), np.zeros_like(transitions), np.zeros_like(start), np.zeros_like(end)
    for n, row in enumerate(rows):
        if row is None:
            continue
        e, y, alpha, Z = row
        L = len(e)
        beta = np.zeros_like(e)
        beta[-1] = end
        for t in range(L - 2, -1, -1):
            beta[t] = logsumexp(transitions + e[t + 1] + beta[t + 1], 1)
        p = np.exp(alpha + beta - Z)
        p[np.arange(L), y] -= 1
        d[n, :L] = p
        ds += p[0]
        de += p[-1]
        for t in range(L - 1):
            dt += np.exp(alpha[t][:, None] + transitions + e[t + 1] + beta[t + 1] - Z)
            dt[y[t], y[t + 1]] -= 1
    k = dloss / M
    return d * k, dt * k, ds * k, de * k


def crf_viterbi(emissions, transitions, start, end, lengths):
    N, T, _ = emissions.shape
    path = np.zeros((N, T), int)
    best = np.zeros(N)
    for n, L in enumerate(lengths):
        if L == 0:
            continue
        score, back = start + emissions[n, 0], []
        for t in range(1, L):
            ways = score[:, None] + transitions
            back.append(ways.argmax(0))
            score = ways.max(0) + emissions[n, t]
        score = score + end
        y = [int(score.argmax())]
        best[n] = score.max()
        for b in reversed(back):
            y.append(int(b[y[-1]]))
        path[n, :L] = y[::-1]
    return path, best
