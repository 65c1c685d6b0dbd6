"""The CTC loss of a whole batch at once: the mathematics of the textbook's ctc.py, in one loop over time.

Beta is the alpha of the row turned round, time and labels both: the batch and the batch turned round are one batch of
2N rows, which one loop takes through time. With S = 2U + 1 places and places_y[n, t, s] = log_y[n, t, l'_s],

    reach[0]  = 0 at the places 0 and 1, else minus infinity
    reach[t]  = log(alpha[t-1, s] + alpha[t-1, s-1] + skip[s] alpha[t-1, s-2])
    alpha[t]  = reach[t] + places_y[t]                            by their logarithms, all of them
    gamma     = exp(reach + places_y + reach of the row turned round, turned back - log p)

for a row's end reaches back as far as its beginning reaches forward, and y stands once between them.

Sums of logarithms are kept in float64, whatever the logits are: over a thousand steps they grow to thousands, and
their differences are what counts. FLOOR stands for minus infinity: a sum with it stays finite, so no NaN comes up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FLOOR = -1e30
"""The logarithm of 0."""


class BatchCTCCache(NamedTuple):
    """What the backward pass needs: y and share (N, T, V), both 0 in the padding, and the dtype of the logits."""

    y: np.ndarray
    share: np.ndarray
    dtype: np.dtype


def ctc_batch_forward(
    logits: np.ndarray, targets: np.ndarray, lengths: np.ndarray, target_lengths: np.ndarray
) -> tuple[np.floating, np.ndarray, BatchCTCCache]:
    """The mean over the rows of minus the log-probability of their labels.

    logits (N, T, V), targets (N, U), lengths and target_lengths (N,), all of them checked: see the textbook's
    ctc_labels -> loss, log_p (N,), cache.
    """
    N, T, V = logits.shape
    valid = np.arange(T) < lengths[:, None]  # (N, T)
    z = np.where(valid[..., None], logits, 0).astype(np.float64, copy=False)
    z = z - z.max(axis=2, keepdims=True, initial=-np.inf)
    log_y = z - np.log(np.exp(z).sum(axis=2, keepdims=True))  # (N, T, V)

    U = targets.shape[1]
    extended = np.zeros((N, 2 * U + 1), np.int64)
    extended[:, 1::2] = np.where(np.arange(U) < target_lengths[:, None], targets, 0)
    places = 2 * target_lengths + 1  # how many of the S are the row's
    places_y = np.take_along_axis(log_y, np.broadcast_to(extended[:, None], (N, T, 2 * U + 1)), axis=2)
    places_y[np.broadcast_to((np.arange(2 * U + 1) >= places[:, None])[:, None], places_y.shape)] = FLOOR

    both = np.empty((T, 2 * N, 2 * U + 1))  # time first, so that a step is one block
    both[:, :N] = places_y.transpose(1, 0, 2)
    turned = turn(turn(places_y, lengths).transpose(0, 2, 1), places).transpose(0, 2, 1)
    both[:, N:] = turned.transpose(1, 0, 2)
    skip = skips(np.concatenate([extended, turn(extended, places)]))
    reach = reached(both, skip)

    log_p = np.zeros(N)
    some = lengths > 0
    if some.any():
        n, last = np.flatnonzero(some), (lengths - 1)[some]
        ends = both[last, n] + reach[last, n]  # (rows with steps, S)
        final = np.take_along_axis(ends, places[some, None] - 1, axis=1)[:, 0]
        label = np.where(places[some] > 1, ends[np.arange(len(n)), places[some] - 2], FLOOR)
        log_p[some] = np.logaddexp(final, label)

    onward = turn(turn(reach[:, N:].transpose(1, 2, 0), places).transpose(0, 2, 1), lengths)  # (N, T, S)
    gamma = reach[:, :N].transpose(1, 0, 2) + places_y
    gamma += onward
    gamma -= log_p[:, None, None]
    gamma[~valid] = FLOOR  # sums that took padding for steps may outgrow p, where the labels are unlikely, and overflow
    np.exp(gamma, out=gamma)
    share = gamma @ (extended[..., None] == np.arange(V)).astype(np.float64)  # (N, T, V)
    y = np.exp(log_y, out=log_y)
    y *= valid[..., None]
    loss = logits.dtype.type(-log_p.sum() / max(N, 1))
    return loss, log_p, BatchCTCCache(y, share, logits.dtype)


def ctc_batch_backward(dloss: float, cache: BatchCTCCache) -> np.ndarray:
    """dlogits = dloss / N (y - share), in the dtype of the logits; exactly 0 in the padding."""
    y, share, dtype = cache
    dlogits: np.ndarray = ((y - share) * (float(dloss) / max(len(y), 1))).astype(dtype, copy=False)
    return dlogits


def reached(places_y: np.ndarray, skip: np.ndarray) -> np.ndarray:
    """The loop over time. places_y (T, M, S), skip (M, S - 2) 0 or FLOOR -> reach (T, M, S)."""
    T, M, S = places_y.shape
    reach = np.empty((T, M, S))
    padded = np.full((M, S + 2), FLOOR)  # alpha behind two places that nothing reaches
    alpha, stay, step, over = padded[:, 2:], padded[:, 2:], padded[:, 1:-1], np.full((M, S), FLOOR)
    for t in range(T):
        now = reach[t]
        if t == 0:
            now[...] = FLOOR
            now[:, :2] = 0
        else:
            np.add(padded[:, 2:-2], skip, out=over[:, 2:])
            largest = np.maximum(np.maximum(stay, step), over)
            total = np.exp(stay - largest)
            total += np.exp(step - largest)
            total += np.exp(over - largest)
            np.add(np.log(total), largest, out=now)
        np.add(now, places_y[t], out=alpha)
        np.maximum(alpha, FLOOR, out=alpha)  # floors do not add up
    return reach


def skips(extended: np.ndarray) -> np.ndarray:
    """0 where a step may lead over a blank to a place, FLOOR where not. extended (M, S) -> (M, S - 2), for s >= 2."""
    return np.where(extended[:, 2:] != extended[:, :-2], 0.0, FLOOR)


def turn(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """x (N, T, ...) with the first lengths[n] entries of row n in reverse order, as the textbook's flip."""
    t, last = np.arange(x.shape[1]), lengths[:, None] - 1
    return x[np.arange(len(x))[:, None], np.where(t <= last, last - t, t)]
