"""Connectionist temporal classification: a loss for labels of which nobody knows when they are (Graves et al. 2006).

A row has T steps and U labels, U mostly far below T: phonemes in a recording, letters in a line of handwriting. The
network says at every step which class it sees, one of the labels 1 to V-1 or the *blank*, class 0: none of them. A
sequence of T classes is an *alignment*, and reads as the labels that are left when first its runs are merged and then
its blanks are dropped:

    a a 0 b b 0 b   reads   a b b         a 0 0 a   reads   a a         a a a a   reads   a

The probability of the labels is the sum over all alignments that read so, and an alignment's is the product of its
steps'. The sum over so many takes T steps of 2U + 1: alignments walk through the *extended* labels l', the labels with
a blank before, between and behind them,

    l' = 0 a 0 b 0 b 0        S = 2U + 1 places s, and l'_s is the class at the place s

and a step leads from a place to itself, to the next, or over a blank to the label behind it, if that is another label
than the one before the blank: two equal labels need a blank between them. Such a row needs U steps, and one more for
each pair of equal neighbours.

All is kept by its logarithm. lengths (N,) and target_lengths (N,) are as in sequences.py, of the steps and the labels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.log_space import log_sum_exp
from npbilstm.textbook.sequences import as_array, check_lengths, require_shape, valid_steps


class CTCCache(NamedTuple):
    """What the backward pass needs: log_y (N, T, V), lengths (N,), each row's labels and log-probability log_p (N,)."""

    log_y: np.ndarray
    lengths: np.ndarray
    labels: list[np.ndarray]
    log_p: np.ndarray


def ctc_forward(
    logits: np.ndarray,
    targets: np.ndarray,
    lengths: np.ndarray | None = None,
    target_lengths: np.ndarray | None = None,
) -> tuple[np.floating, CTCCache]:
    """The mean, over the N rows, of minus the log-probability of the row's labels.

        y[n, t]  = softmax(logits[n, t])
        log_p[n] = log(alpha[T-1, S-1] + alpha[T-1, S-2])      which end in the last blank, or in the last label
        loss     = -1/N  sum_n log_p[n]

    with alpha from ctc_log_alpha, and T and S those of the row. Of no steps and no labels p is 1. With no rows the loss
    is 0. (Graves et al. 2006, sections 4.1 and 4.2.)

    logits (N, T, V), class 0 the blank; targets (N, U) integers in 1..V-1; lengths (N,) of the rows or None for all T,
    target_lengths (N,) or None for all U -> loss, cache.

    Raises TypeError where targets are not integers, ValueError where a shape does not fit, a valid target is not a
    label, or a row has too few steps for its labels.

    >>> loss, cache = nb.ctc_forward(np.zeros((1, 2, 2)), np.array([[1]]))
    >>> round(float(np.exp(-loss)), 6)  # of four alignments, each as likely, three read as this label: 1 1, 1 0, 0 1
    0.75
    """
    logits = as_array("logits", logits)
    if logits.ndim != 3 or logits.shape[2] == 0:
        raise ValueError(f"logits has shape {logits.shape}; it needs axes (N, T, V), with a class at least, the blank")
    N, T, V = logits.shape
    lengths = check_lengths(lengths, N, T)
    labels = ctc_labels(targets, target_lengths, lengths, V)
    z = np.where(valid_steps(lengths, T)[..., None], logits, 0)  # (N, T, V)
    log_y = z - log_sum_exp(z, axis=2)[..., None]
    log_p = np.zeros(N, log_y.dtype)
    for n in range(N):
        if lengths[n] > 0:
            log_alpha = ctc_log_alpha(log_y[n, : lengths[n]], labels[n])
            log_p[n] = log_sum_exp(log_alpha[-1, -2:], axis=0)
    loss = -log_p.sum() / max(N, 1)
    return loss, CTCCache(log_y, lengths, labels, log_p)


def ctc_backward(dloss: float, cache: CTCCache) -> np.ndarray:
    """The gradient of the CTC loss with respect to the logits, given the scalar dloss (usually 1).

        gamma[t, s]       = alpha[t, s] beta[t, s] / p        how likely a step is at a place, given the row's labels
        share[t, k]       = sum over s with l'_s = k of  gamma[t, s]
        dlogits[n, t, k]  = dloss / N (y[n, t, k] - share[t, k])     at valid steps, 0 in the padding

    The same as softmax cross-entropy's, with share, what the labels say of the step, in place of a one-hot target. A
    label that stands twice in the row has two places, and the share of both. (Graves et al. 2006, section 4.2.)

    -> dlogits (N, T, V).

    >>> loss, cache = nb.ctc_forward(np.zeros((1, 2, 2)), np.array([[1]]))
    >>> nb.ctc_backward(1.0, cache).round(6).tolist()  # two of the three alignments have the label at a step
    [[[0.166667, -0.166667], [0.166667, -0.166667]]]
    """
    log_y, lengths, labels, log_p = cache
    N = len(log_y)
    dloss = log_y.dtype.type(dloss)  # a float64 scalar would widen float32
    dlogits = np.zeros_like(log_y)
    for n in range(N):
        row = log_y[n, : lengths[n]]  # (T, V)
        gamma = ctc_gamma(row, labels[n], log_p[n])  # (T, S)
        share = np.zeros_like(row)
        for s, k in enumerate(ctc_extended(labels[n])):
            share[:, k] += gamma[:, s]
        dlogits[n, : lengths[n]] = (np.exp(row) - share) * (dloss / N)
    return dlogits


def ctc_extended(labels: np.ndarray) -> np.ndarray:
    """The extended labels l': labels (U,) with a blank before, between and behind them -> (2U + 1,)."""
    extended = np.zeros(2 * len(labels) + 1, int)
    extended[1::2] = labels
    return extended


def ctc_log_alpha(log_y: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The log-probability of all beginnings of alignments, by the place that they have reached.

        alpha[0, s] = y[0, l'_s]     for s = 0 and 1: a row begins with the first blank or the first label. Else 0
        alpha[t, s] = y[t, l'_s] (alpha[t-1, s] + alpha[t-1, s-1] + skip[s] alpha[t-1, s-2])

    where skip[s] is 1 if l'_s differs from l'_{s-2}, and 0 else: at all blanks, and at the second of two equal labels.
    (Graves et al. 2006, section 4.1.)

    log_y (T, V) of one row, labels (U,) -> log_alpha (T, S), minus infinity where alpha is 0.
    """
    extended = ctc_extended(labels)
    log_alpha = np.full((len(log_y), len(extended)), -np.inf, log_y.dtype)
    log_alpha[:1, :2] = log_y[:1, extended[:2]]
    skip = extended[2:] != extended[:-2]
    for t in range(1, len(log_y)):
        from_places = np.full((3, len(extended)), -np.inf, log_y.dtype)
        from_places[0] = log_alpha[t - 1]
        from_places[1, 1:] = log_alpha[t - 1, :-1]
        from_places[2, 2:] = np.where(skip, log_alpha[t - 1, :-2], -np.inf)
        log_alpha[t] = log_y[t, extended] + log_sum_exp(from_places, axis=0)
    return log_alpha


def ctc_log_beta(log_y: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The log-probability of all ends of alignments after the step t, by the place at t.

        beta[T-1, s] = 1     for s = S-1 and S-2: a row ends with the last blank or the last label. Else 0
        onward[s]    = y[t+1, l'_s] beta[t+1, s]
        beta[t, s]   = onward[s] + onward[s+1] + skip[s+2] onward[s+2]

    with skip as in ctc_log_alpha. The step t itself is in alpha[t] alone, as in Graves 2012, section 7.3: in the paper
    of 2006 it is in beta[t] too, and the product of both is divided by y.

    log_y (T, V) of one row, labels (U,) -> log_beta (T, S), minus infinity where beta is 0.
    """
    extended = ctc_extended(labels)
    log_beta = np.full((len(log_y), len(extended)), -np.inf, log_y.dtype)
    log_beta[-1:, -2:] = 0
    skip = extended[2:] != extended[:-2]
    for t in reversed(range(len(log_y) - 1)):
        onward = log_y[t + 1, extended] + log_beta[t + 1]
        to_places = np.full((3, len(extended)), -np.inf, log_y.dtype)
        to_places[0] = onward
        to_places[1, :-1] = onward[1:]
        to_places[2, :-2] = np.where(skip, onward[2:], -np.inf)
        log_beta[t] = log_sum_exp(to_places, axis=0)
    return log_beta


def ctc_gamma(log_y: np.ndarray, labels: np.ndarray, log_p: np.floating) -> np.ndarray:
    """How likely each step is at each place, given that the row reads as its labels: gamma = alpha beta / p.

    log_y (T, V) of one row, labels (U,), log_p of these labels -> gamma (T, S), whose rows add up to 1.
    """
    return np.exp(ctc_log_alpha(log_y, labels) + ctc_log_beta(log_y, labels) - log_p)


def ctc_labels(targets: np.ndarray, target_lengths: np.ndarray | None, lengths: np.ndarray, V: int) -> list[np.ndarray]:
    """Each row's labels (U,), without the padding. Raises as ctc_forward says."""
    N, targets = len(lengths), as_array("targets", targets)
    if targets.ndim != 2:
        raise ValueError(f"targets has shape {targets.shape}; it needs axes (N, U)")
    require_shape("targets", targets, (N, targets.shape[1]))
    if targets.dtype.kind not in "iu" and targets.size:
        raise TypeError(f"targets has dtype {targets.dtype}; it needs integers, each the number of a label")
    try:
        counts = check_lengths(target_lengths, N, targets.shape[1])
    except (TypeError, ValueError) as error:
        raise type(error)(f"target_{error}".replace(" T = ", " U = ")) from None
    labels = [row[:count].astype(int) for row, count in zip(targets, counts)]
    for n, row in enumerate(labels):
        for label in row:
            if not 1 <= label < V:
                raise ValueError(f"targets[{n}] holds {label}; labels are 1 to {V - 1}, and 0 is the blank")
        needed = ctc_steps_needed(row)
        if needed > lengths[n]:
            steps = "1 step" if needed == 1 else f"{needed} steps"
            raise ValueError(
                f"targets[{n}] needs {steps}, one for each label and one for a blank between equal neighbours; row {n} "
                f"has {lengths[n]}"
            )
    return labels


def ctc_steps_needed(labels: np.ndarray) -> int:
    """How many steps a row of these labels (U,) has at least: U, and one for each pair of equal neighbours."""
    return len(labels) + int((labels[1:] == labels[:-1]).sum())
