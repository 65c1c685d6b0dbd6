"""The linear-chain conditional random field: a score for a whole sequence of classes, not for each of them alone.

scores (N, T, V) is what a recurrent layer and an affine map give: how well each class suits each step. A softmax takes
every step by itself. Here what stands next to what has a score too,

    score(y) = start[y_0] + sum_t scores[t, y_t] + sum_t transitions[y_t-1, y_t] + end[y_last]
    P(y)     = exp score(y) / Z,     Z = the sum of exp score over all V^T sequences y

(Lafferty, McCallum & Pereira 2001; start and end as in Lample et al. 2016.) The sum over so many takes T steps of V^2,
since what came before the step t matters by its last class alone: the forward algorithm (Rabiner 1989, eq. 19 to 21).
All is kept by its logarithm; a score of minus infinity forbids. Over a thousand steps the logarithms grow to thousands,
and their differences are what counts: float32 has too few digits for gradients there, float64 enough.

lengths (N,) as in sequences.py: row n's sequence has lengths[n] classes. Of none there is one sequence, the empty one,
with score 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.log_space import log_sum_exp
from npbilstm.textbook.sequences import as_array, check_lengths, require_shape, valid_steps


class CRFParams(NamedTuple):
    """Scores of what stands next to what: transitions (V, V), transitions[u, v] of class v right after class u; start
    (V,) of the first class, end (V,) of the last."""

    transitions: np.ndarray
    start: np.ndarray
    end: np.ndarray


class CRFCache(NamedTuple):
    """What the backward pass needs: scores and targets, both 0 in the padding, lengths, params, and the number M of
    valid steps, at least 1."""

    scores: np.ndarray
    targets: np.ndarray
    lengths: np.ndarray
    params: CRFParams
    M: int


def crf_log_alpha(
    scores: np.ndarray, params: CRFParams, lengths: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The forward algorithm: the log-sum of all beginnings, by the class that they end in.

        log_alpha[0, v] = start[v] + scores[0, v]
        log_alpha[t, v] = log sum_u exp(log_alpha[t-1, u] + transitions[u, v]) + scores[t, v]
        log_Z           = log sum_v exp(log_alpha[last, v] + end[v])

    of each row n; log_alpha is 0 in the padding. (Rabiner 1989, eq. 19 to 21.)

    scores (N, T, V), lengths (N,) or None for all T -> log_alpha (N, T, V), log_Z (N,).

    Raises ValueError where a shape does not fit.

    >>> free = nb.textbook.CRFParams(np.zeros((2, 2)), np.zeros(2), np.zeros(2))
    >>> _, log_Z = nb.textbook.crf_log_alpha(np.zeros((1, 3, 2)), free)
    >>> round(float(np.exp(log_Z[0])), 6)  # 2^3 sequences, each with score 0
    8.0
    """
    scores, lengths, valid = checked(scores, params, lengths)
    _, T, _ = scores.shape
    log_alpha = np.zeros_like(scores)
    for t in range(T):
        before = log_alpha[:, t - 1, :, None]  # (N, V, 1); at t = 0 not read
        reached = params.start if t == 0 else log_sum_exp(before + params.transitions, axis=1)  # (N, V)
        log_alpha[:, t] = np.where(valid[:, t, None], reached + scores[:, t], 0)
    log_Z = log_sum_exp(at_last_step(log_alpha, lengths) + params.end, axis=1)
    return log_alpha, np.where(lengths > 0, log_Z, 0)


def crf_log_beta(scores: np.ndarray, params: CRFParams, lengths: np.ndarray | None = None) -> np.ndarray:
    """The backward algorithm: the log-sum of all that may come after, by the class that it comes after.

        log_beta[last, u] = end[u]
        log_beta[t, u]    = log sum_v exp(transitions[u, v] + scores[t+1, v] + log_beta[t+1, v])

    of each row n; 0 in the padding. (Rabiner 1989, eq. 24 and 25.)

    scores (N, T, V), lengths (N,) or None for all T -> log_beta (N, T, V).

    Raises ValueError where a shape does not fit.
    """
    scores, lengths, valid = checked(scores, params, lengths)
    _, T, _ = scores.shape
    log_beta = np.zeros_like(scores)
    for t in reversed(range(T)):
        after = (scores + log_beta)[:, min(t + 1, T - 1), None, :]  # (N, 1, V); at t = last not read
        onward = log_sum_exp(params.transitions + after, axis=2)  # (N, V)
        onward = np.where(lengths[:, None] == t + 1, params.end, onward)
        log_beta[:, t] = np.where(valid[:, t, None], onward, 0)
    return log_beta


def crf_marginals(
    scores: np.ndarray, params: CRFParams, lengths: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The probability of each class at each step, and of each two classes at each two steps that are neighbours.

        marginals[t, v] = P(y_t = v)                = exp(log_alpha[t, v] + log_beta[t, v] - log_Z)
        pairs[t, u, v]  = P(y_t-1 = u and y_t = v)  = exp(log_alpha[t-1, u] + transitions[u, v]
                                                          + scores[t, v] + log_beta[t, v] - log_Z)

    of each row n; both are 0 in the padding, and pairs are 0 at t = 0, before which nothing stands. (Rabiner 1989,
    eq. 27 and 37.)

    scores (N, T, V), lengths (N,) or None for all T -> marginals (N, T, V), pairs (N, T, V, V).

    Raises ValueError where a shape does not fit, or where every sequence of a row is forbidden.
    """
    scores, lengths, valid = checked(scores, params, lengths)
    log_alpha, log_Z = crf_log_alpha(scores, params, lengths)
    require_possible(log_Z, lengths)
    log_beta = crf_log_beta(scores, params, lengths)
    log_marginals = log_alpha + log_beta - log_Z[:, None, None]
    after = (scores + log_beta)[:, 1:, None, :]  # (N, T - 1, 1, V)
    log_pairs = log_alpha[:, :-1, :, None] + params.transitions + after - log_Z[:, None, None, None]
    marginals = np.exp(np.where(valid[:, :, None], log_marginals, -np.inf))
    pairs = np.zeros((*scores.shape, scores.shape[2]), scores.dtype)
    pairs[:, 1:] = np.exp(np.where(valid[:, 1:, None, None], log_pairs, -np.inf))
    return marginals, pairs


def crf_score(
    scores: np.ndarray, targets: np.ndarray, params: CRFParams, lengths: np.ndarray | None = None
) -> np.ndarray:
    """The score of one sequence of classes for each row.

        score = start[y_0] + sum_t scores[t, y_t] + sum_t transitions[y_t-1, y_t] + end[y_last],     y = targets[n]

    scores (N, T, V), targets (N, T) integers in 0..V-1, lengths (N,) or None for all T -> score (N,); 0 for a row of
    length 0.

    Raises TypeError where targets are not integers, ValueError where a shape does not fit or a valid target is not a
    class.
    """
    scores, lengths, valid = checked(scores, params, lengths)
    y = checked_targets(targets, scores, valid)
    at_steps = np.take_along_axis(scores, y[:, :, None], axis=2)[:, :, 0]  # (N, T)
    between = params.transitions[y[:, :-1], y[:, 1:]]  # (N, T - 1)
    score = np.where(valid, at_steps, 0).sum(axis=1) + np.where(valid[:, 1:], between, 0).sum(axis=1)
    score = score + params.start[y[:, :1]].sum(axis=1) + params.end[at_last_step(y, lengths)]
    return np.where(lengths > 0, score, 0)


def crf_forward(
    scores: np.ndarray, targets: np.ndarray, params: CRFParams, lengths: np.ndarray | None = None
) -> tuple[np.floating, CRFCache]:
    """Minus the log-probability of the target sequences, per valid step.

        loss = 1/M  sum_n  log_Z[n] - score[n]          M = the number of valid steps of all rows

    With params that are all 0 it is the softmax cross-entropy over valid steps. With no valid step the loss is 0.
    (Lafferty et al. 2001; Lample et al. 2016, section 2.2.)

    scores (N, T, V), targets (N, T) integers in 0..V-1, lengths (N,) or None for all T -> loss, cache.

    Raises TypeError where targets are not integers, ValueError where a shape does not fit, a valid target is not a
    class, or a row's targets are forbidden, with a score of minus infinity.

    >>> free = nb.textbook.CRFParams(np.zeros((4, 4)), np.zeros(4), np.zeros(4))
    >>> loss, cache = nb.textbook.crf_forward(np.zeros((1, 2, 4)), np.array([[0, 3]]), free)
    >>> round(float(loss), 6)  # log 4: four classes, each as likely
    1.386294
    """
    scores, lengths, valid = checked(scores, params, lengths)
    targets = checked_targets(targets, scores, valid)
    score = crf_score(scores, targets, params, lengths)
    require_allowed(score, scores, targets, params, lengths)
    _, log_Z = crf_log_alpha(scores, params, lengths)
    M = max(int(valid.sum()), 1)
    loss = (log_Z - score).sum() / M
    return loss, CRFCache(scores, targets, lengths, params, M)


def crf_backward(dloss: float, cache: CRFCache) -> tuple[np.ndarray, CRFParams]:
    """Gradients of the loss, given the scalar dloss (usually 1): what the CRF expects, minus what the targets say.

        dscores[n, t]      = dloss / M (marginals[n, t] - onehot(targets[n, t]))
        dtransitions[u, v] = dloss / M  sum_n,t  pairs[n, t, u, v] - [targets[n, t-1] = u, targets[n, t] = v]
        dstart             = dloss / M  sum_n  marginals[n, 0] - onehot(targets[n, 0])
        dend               = dloss / M  sum_n  marginals[n, last] - onehot(targets[n, last])

    over valid steps, t > 0 where t - 1 is read; dscores is 0 in the padding. What is forbidden has probability 0, and
    gradient 0. (The gradient of log Z is the expectation: Lafferty et al. 2001, section 4; Sutton & McCallum 2012,
    eq. 5.5.)

    -> dscores (N, T, V), grads with the structure of params. Raises ValueError as crf_marginals does.

    >>> free = nb.textbook.CRFParams(np.zeros((2, 2)), np.zeros(2), np.zeros(2))
    >>> loss, cache = nb.textbook.crf_forward(np.zeros((1, 2, 2)), np.array([[0, 1]]), free)
    >>> dscores, grads = nb.textbook.crf_backward(1.0, cache)
    >>> dscores.tolist()  # (marginals - one-hot) / 2
    [[[-0.25, 0.25], [0.25, -0.25]]]
    >>> grads.transitions.tolist()
    [[0.125, -0.375], [0.125, 0.125]]
    """
    scores, targets, lengths, params, M = cache
    _, T, V = scores.shape
    valid = valid_steps(lengths, T)
    marginals, pairs = crf_marginals(scores, params, lengths)
    onehot = valid[:, :, None] & (np.arange(V) == targets[:, :, None])  # (N, T, V)
    both = onehot[:, :-1, :, None] & onehot[:, 1:, None, :]  # (N, T - 1, V, V)
    excess = marginals - onehot  # 0 in the padding
    dloss = scores.dtype.type(dloss)  # a float64 scalar would widen float32
    dscores = excess * (dloss / M)
    dtransitions = (pairs[:, 1:] - both).sum(axis=(0, 1)) * (dloss / M)
    dstart = excess[:, :1].sum(axis=(0, 1)) * (dloss / M)
    dend = at_last_step(excess, lengths).sum(axis=0) * (dloss / M)
    return dscores, CRFParams(dtransitions, dstart, dend)


def crf_viterbi(
    scores: np.ndarray, params: CRFParams, lengths: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The sequence of classes with the highest score, and that score: the Viterbi algorithm.

        best[0, v]   = start[v] + scores[0, v]
        best[t, v]   = max_u (best[t-1, u] + transitions[u, v]) + scores[t, v]
        came_from[t, v] = the u of that maximum, the first at a tie
        path[last]   = argmax_v (best[last, v] + end[v])
        path[t]      = came_from[t+1, path[t+1]]

    of each row n. The forward algorithm with the maximum for the log-sum. (Viterbi 1967; Rabiner 1989, eq. 32 to 35.)

    scores (N, T, V), lengths (N,) or None for all T -> path (N, T) integers, 0 in the padding, best (N,).

    Raises ValueError where a shape does not fit, or where every sequence of a row is forbidden.

    >>> turns = nb.textbook.CRFParams(np.array([[-1.0, 0.0], [0.0, -1.0]]), np.zeros(2), np.zeros(2))
    >>> path, best = nb.textbook.crf_viterbi(np.array([[[1.0, 0.0], [0.6, 0.0], [1.0, 0.0]]]), turns)
    >>> path.tolist(), best.tolist()  # by itself each step would be 0
    ([[0, 1, 0]], [2.0])
    """
    scores, lengths, valid = checked(scores, params, lengths)
    N, T, V = scores.shape
    best, came_from = np.zeros_like(scores), np.zeros((N, T + 1, V), int)
    for t in range(T):
        before = best[:, t - 1, :, None]  # (N, V, 1); at t = 0 not read
        ways = before + params.transitions  # (N, V, V), from u to v
        came_from[:, t] = ways.argmax(axis=1)
        reached = params.start if t == 0 else ways.max(axis=1)
        best[:, t] = np.where(valid[:, t, None], reached + scores[:, t], 0)
    ended = at_last_step(best, lengths) + params.end  # (N, V)
    highest = np.where(lengths > 0, ended.max(axis=1), 0)
    require_possible(highest, lengths)
    path, y = np.zeros((N, T), int), np.zeros(N, int)
    for t in reversed(range(T)):
        y = np.where(t == lengths - 1, ended.argmax(axis=1), came_from[np.arange(N), t + 1, y])
        path[:, t] = np.where(valid[:, t], y, 0)
    return path, highest


def crf_constrained(params: CRFParams, legal: CRFParams) -> CRFParams:
    """The params with minus infinity wherever `legal`, the same shapes in bool, says False.

    -> CRFParams. Raises ValueError where a shape does not fit, TypeError where legal is not of bool.

    >>> legal = nb.textbook.legal_transitions(["O", "B-x", "I-x"], "BIO")
    >>> nb.textbook.crf_constrained(nb.textbook.CRFParams(np.zeros((3, 3)), np.zeros(3), np.zeros(3)), legal).start
    array([  0.,   0., -inf])
    """
    for name, p, allowed in zip(CRFParams._fields, params, legal):
        if np.asarray(allowed).dtype.kind != "b":
            raise TypeError(f"legal's {name} has dtype {np.asarray(allowed).dtype}; it needs bool, True where legal")
        require_shape(f"legal's {name}", allowed, np.shape(p))
    return CRFParams(*(np.where(allowed, p, p.dtype.type(-np.inf)) for p, allowed in zip(params, legal)))


def at_last_step(a: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """What each row of a (N, T, ...) has at its last valid step -> (N, ...); 0 for a row of length 0."""
    last = np.zeros((len(a), *a.shape[2:]), a.dtype)
    rows = np.flatnonzero(lengths)
    last[rows] = a[rows, lengths[rows] - 1]
    return last


def checked(
    scores: np.ndarray, params: CRFParams, lengths: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """-> scores, 0 in the padding and in the dtype of all that is computed with, lengths (N,), valid (N, T).

    Raises TypeError where scores are not of floating numbers, ValueError where a shape does not fit.
    """
    scores = as_array("scores", scores)
    if scores.dtype.kind not in "fc":
        raise TypeError(f"scores has dtype {scores.dtype}; it needs floating numbers")
    if scores.ndim != 3 or not scores.shape[2]:
        raise ValueError(f"scores has shape {scores.shape}; it needs three axes (N, T, V), and V at least 1")
    N, T, V = scores.shape
    for name, p, shape in zip(CRFParams._fields, params, [(V, V), (V,), (V,)], strict=True):
        require_shape(name, p, shape)
    lengths = check_lengths(lengths, N, T)
    valid = valid_steps(lengths, T)
    return np.where(valid[:, :, None], scores, 0).astype(np.result_type(scores, *params)), lengths, valid


def checked_targets(targets: np.ndarray, scores: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """The targets, 0 in the padding. Raises as crf_score does."""
    targets, V = as_array("targets", targets), scores.shape[2]
    if targets.dtype.kind not in "iu":
        raise TypeError(f"targets has dtype {targets.dtype}; it needs integers, each the number of a class")
    require_shape("targets", targets, valid.shape)
    classes = np.where(valid, targets, 0)
    if classes.size and not (classes.min() >= 0 and classes.max() < V):
        outside = classes[(classes < 0) | (classes >= V)][0]
        raise ValueError(f"targets holds {outside} at a valid step; scores has {V} classes, 0 to {V - 1}")
    return classes


def require_possible(log_Z: np.ndarray, lengths: np.ndarray) -> None:
    """Raise ValueError for the first row all of whose sequences are forbidden: log_Z is minus infinity."""
    for n in np.flatnonzero(log_Z.real == -np.inf)[:1]:
        steps = "1 step" if lengths[n] == 1 else f"{lengths[n]} steps"
        raise ValueError(f"row {n} has {steps}, and every sequence of classes of that length is forbidden")


def require_allowed(
    score: np.ndarray, scores: np.ndarray, targets: np.ndarray, params: CRFParams, lengths: np.ndarray
) -> None:
    """Raise ValueError for the first row whose targets are forbidden, and say where."""
    for n in np.flatnonzero(score.real == -np.inf)[:1]:
        y, last = targets[n, : lengths[n]], lengths[n] - 1
        found = [f"class {v} at step {t}" for t, v in enumerate(y) if scores[n, t, v].real == -np.inf]
        found += [f"class {y[0]} at the start"] if params.start[y[0]].real == -np.inf else []
        between = params.transitions[y[:-1], y[1:]].real == -np.inf
        found += [f"class {y[t + 1]} at step {t + 1} after class {y[t]}" for t in np.flatnonzero(between)]
        found += [f"class {y[last]} at the end, step {last}"] if params.end[y[last]].real == -np.inf else []
        raise ValueError(f"targets of row {n} are forbidden, their score is minus infinity: {found[0]}")
