"""CTC as somebody writes it who has not seen the textbook: a loop over places, beta with its own step's y."""

import numpy as np


def log_add(*logs):
    m = max(logs)
    return m if m == -np.inf else m + np.log(sum(np.exp(x - m) for x in logs))


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def ctc_forward(logits, targets, input_lengths, target_lengths):
    N = len(logits)
    total, dlogits = 0.0, np.zeros_like(logits)
    for n in range(N):
        T = int(input_lengths[n])
        if T == 0:
            continue
        y = softmax(logits[n, :T])
        log_y = np.log(y)
        path = [0]
        for k in targets[n, : target_lengths[n]]:
            path += [int(k), 0]
        S = len(path)
        a, b = np.full((T, S), -np.inf), np.full((T, S), -np.inf)
        for s in range(min(2, S)):
            a[0, s] = log_y[0, path[s]]
            b[-1, S - 1 - s] = log_y[-1, path[S - 1 - s]]
        for t in range(1, T):
            for s in range(S):
                ways = [a[t - 1, s]]
                if s > 0:
                    ways.append(a[t - 1, s - 1])
                if s > 1 and path[s] not in (0, path[s - 2]):
                    ways.append(a[t - 1, s - 2])
                a[t, s] = log_add(*ways) + log_y[t, path[s]]
        for t in range(T - 2, -1, -1):
            for s in range(S):
                ways = [b[t + 1, s]]
                if s < S - 1:
                    ways.append(b[t + 1, s + 1])
                if s < S - 2 and path[s] not in (0, path[s + 2]):
                    ways.append(b[t + 1, s + 2])
                b[t, s] = log_add(*ways) + log_y[t, path[s]]
        log_p = log_add(*a[-1, -2:])
        total -= log_p
        share = np.zeros_like(y)
        for s in range(S):
            share[:, path[s]] += np.exp(a[:, s] + b[:, s] - log_y[:, path[s]] - log_p)
        dlogits[n, :T] = (y - share) / N
    return total / N, dlogits


def ctc_backward(dout, cache):
    return dout * cache


def ctc_greedy(logits, lengths):
    labels, counts = np.zeros(logits.shape[:2], int), np.zeros(len(logits), int)
    for n, row in enumerate(logits):
        before = 0
        for k in row[: lengths[n]].argmax(-1):
            if k not in (0, before):
                labels[n, counts[n]] = k
                counts[n] += 1
            before = k
    return labels, counts
