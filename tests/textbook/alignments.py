"""Every alignment of a row, one after another: what CTC's recursions sum, by its definition."""

from itertools import groupby, product

import numpy as np


def read(alignment):
    """The labels that are left when runs are merged and then blanks dropped."""
    return tuple(k for k, _ in groupby(alignment) if k != 0)


def by_labels(logits):
    """logits (T, V) of one row -> the probability of every sequence of labels, and of every class at every step joined
    with it (T, V)."""
    y = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    T, V = y.shape
    p, joint = {}, {}
    for alignment in product(range(V), repeat=T):
        labels, likely = read(alignment), np.prod(y[range(T), alignment])
        p[labels] = p.get(labels, 0.0) + likely
        joint.setdefault(labels, np.zeros((T, V)))[range(T), alignment] += likely
    return p, joint


def loss_and_gradient(logits, targets, lengths, target_lengths):
    """The CTC loss of a batch and its gradient, summed over all alignments."""
    N, loss, dlogits = len(logits), 0.0, np.zeros(logits.shape)
    for n in range(N):
        row, labels = logits[n, : lengths[n]], tuple(targets[n, : target_lengths[n]].tolist())
        p, joint = by_labels(row)
        loss -= np.log(p[labels]) / N
        y = np.exp(row) / np.exp(row).sum(axis=1, keepdims=True)
        dlogits[n, : lengths[n]] = (y - joint[labels] / p[labels]) / N
    return loss, dlogits
