"""minGRU and minLSTM (Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024): gates that see the input alone.

In a GRU the gates of a step read the state before it, so step t cannot begin before t-1 has ended. Without that, and
without the tanh, all gates are known at once, and what is left through time is linear in the state:

    h_t = keep_t * h_(t-1) + put_t

Two such steps are one: first (k1, p1), then (k2, p2) is (k2 k1, k2 p1 + p2). So they can be joined in any grouping, and
a *parallel scan* needs about log2 T rounds, each over all steps at once, where the loop needs T. Both are here, and
give the same. Backward the same holds: the gradient of the state is such a recurrence from the last step to the first.

    z    = sigmoid(x Wx_z + b_z)        minGRU
    n    = x Wx_n + b_n
    keep = 1 - z
    put  = z * n

    i    = sigmoid(x Wx_i + b_i)        minLSTM
    f    = sigmoid(x Wx_f + b_f)
    g    = x Wx_g + b_g
    keep = f / (f + i)
    put  = i / (f + i) * g

The price: a step cannot choose by what the state holds; layers upon one another have to. lengths as in sequences.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from npbilstm.textbook.activations import sigmoid, sigmoid_derivative
from npbilstm.textbook.log_space import log_sigmoid
from npbilstm.textbook.sequences import check_lengths, valid_steps

Recurrence = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Either of the two ways through time."""


class MinGRUParams(NamedTuple):
    """Weights of a minGRU: Wx (D, 2H), b (2H,), blocks z, n."""

    Wx: np.ndarray
    b: np.ndarray


class MinLSTMParams(NamedTuple):
    """Weights of a minLSTM: Wx (D, 3H), b (3H,), blocks i, f, g."""

    Wx: np.ndarray
    b: np.ndarray


class MinRNNCache(NamedTuple):
    """What the backward pass needs: x (N, T, D), 0 in the padding; the gates, each (N, T, H), of a minLSTM with i's
    share; keep, and the state before each step, h_prev (N, T, H); valid (N, T, 1); params; the way through time."""

    x: np.ndarray
    gates: tuple[np.ndarray, ...]
    keep: np.ndarray
    h_prev: np.ndarray
    valid: np.ndarray
    params: MinGRUParams | MinLSTMParams
    recurrence: Recurrence


def recurrence_loop(keep: np.ndarray, put: np.ndarray, h0: np.ndarray) -> np.ndarray:
    """h[t] = keep[t] * h[t-1] + put[t], one step after another. keep, put (N, T, H), h0 (N, H) -> h (N, T, H)."""
    h = np.empty(put.shape, np.result_type(keep, put, h0))
    before = h0
    for t in range(put.shape[1]):
        before = keep[:, t] * before + put[:, t]
        h[:, t] = before
    return h


def recurrence_scan(keep: np.ndarray, put: np.ndarray, h0: np.ndarray) -> np.ndarray:
    """The same by a parallel scan: after the round of distance d each step is joined with the 2d - 1 before it.

        put[t]  = put[t] + keep[t] * put[t-d]
        keep[t] = keep[t] * keep[t-d]              for d = 1, 2, 4 ... below T

    (Hillis & Steele 1986.) It does log2 T times the loop's work, in log2 T rounds.

    keep, put (N, T, H), h0 (N, H) -> h (N, T, H).

    >>> from npbilstm.textbook import recurrence_scan
    >>> recurrence_scan(np.full((1, 4, 1), 0.5), np.ones((1, 4, 1)), np.zeros((1, 1))).ravel().tolist()
    [1.0, 1.5, 1.75, 1.875]
    """
    T = put.shape[1]
    keep, put = keep.copy(), put.astype(np.result_type(keep, put, h0))  # copies
    put[:, :1] = put[:, :1] + keep[:, :1] * h0[:, None]
    d = 1
    while d < T:
        put[:, d:] = put[:, d:] + keep[:, d:] * put[:, :-d]  # the right side is computed before it is put in its place
        keep[:, d:] = keep[:, d:] * keep[:, :-d]
        d = 2 * d
    return put


def min_gru_forward(
    x: np.ndarray,
    h0: np.ndarray,
    params: MinGRUParams,
    lengths: np.ndarray | None = None,
    recurrence: Recurrence = recurrence_loop,
) -> tuple[np.ndarray, np.ndarray, MinRNNCache]:
    """A minGRU over a batch of sequences (Feng et al. 2024, section 3.1.3).

        a = x Wx + b
        z = sigmoid(a_z)
        n = a_n
        h_t = (1 - z_t) * h_(t-1) + z_t * n_t

    x (N, T, D), h0 (N, H), lengths (N,) or None for all T -> h (N, T, H), 0 in the padding, h_T (N, H), cache.
    """
    x, valid = without_padding(x, lengths)
    a_z, a_n = np.split(x @ params.Wx + params.b, 2, axis=2)  # each (N, T, H)
    z = sigmoid(a_z)
    n = a_n
    return through_time(1 - z, z * n, h0, MinRNNCache(x, (z, n), z, z, valid, params, recurrence))


def min_gru_backward(
    dh: np.ndarray, dh_T: np.ndarray, cache: MinRNNCache
) -> tuple[np.ndarray, np.ndarray, MinGRUParams]:
    """Gradients of a minGRU, given dh (N, T, H) and dh_T (N, H). delta is the state's, see state_gradient.

        dz   = delta * (n - h_prev)
        dn   = delta * z
        da_z = dz sigmoid'(z)
        da_n = dn

    -> dx (N, T, D), dh0 (N, H), grads with the structure of params.
    """
    z, n = cache.gates
    delta, dh0 = state_gradient(dh, dh_T, cache)
    dz = delta * (n - cache.h_prev)
    dn = delta * z
    da_z = dz * sigmoid_derivative(z)
    da_n = dn
    dx, dWx, db = affine_gradients(np.concatenate([da_z, da_n], axis=2), cache)
    return dx, dh0, MinGRUParams(dWx, db)


def min_lstm_forward(
    x: np.ndarray,
    h0: np.ndarray,
    params: MinLSTMParams,
    lengths: np.ndarray | None = None,
    recurrence: Recurrence = recurrence_loop,
) -> tuple[np.ndarray, np.ndarray, MinRNNCache]:
    """A minLSTM over a batch of sequences (Feng et al. 2024, section 3.2.3). It has no cell state beside h.

        a    = x Wx + b
        i, f = sigmoid(a_i), sigmoid(a_f)
        g    = a_g
        h_t  = (f_t * h_(t-1) + i_t * g_t) / (f_t + i_t)      the two shares add up to 1: h is on one scale at all steps

    Where both gates are closed so far that they are 0 as numbers, the shares are not 0 / 0: they are computed from the
    gates' logarithms (as in the paper's appendix B).

        share = i / (f + i) = sigmoid(log i - log f)
        keep  = f / (f + i) = sigmoid(log f - log i)

    x (N, T, D), h0 (N, H), lengths (N,) or None for all T -> h (N, T, H), 0 in the padding, h_T (N, H), cache.
    """
    x, valid = without_padding(x, lengths)
    a_i, a_f, a_g = np.split(x @ params.Wx + params.b, 3, axis=2)  # each (N, T, H)
    i, f = sigmoid(a_i), sigmoid(a_f)
    g = a_g
    log_ratio = log_sigmoid(a_i) - log_sigmoid(a_f)
    share, keep = sigmoid(log_ratio), sigmoid(-log_ratio)
    return through_time(keep, share * g, h0, MinRNNCache(x, (i, f, g, share), keep, keep, valid, params, recurrence))


def min_lstm_backward(
    dh: np.ndarray, dh_T: np.ndarray, cache: MinRNNCache
) -> tuple[np.ndarray, np.ndarray, MinLSTMParams]:
    """Gradients of a minLSTM, given dh (N, T, H) and dh_T (N, H). delta is the state's, see state_gradient.

        dr   = delta * (g - h_prev) * share * keep             r = log i - log f, whose sigmoid is i's share
        dg   = delta * share
        da_i = dr * (1 - i)                                    (log i)' = 1 - i
        da_f = -dr * (1 - f)
        da_g = dg

    -> dx (N, T, D), dh0 (N, H), grads with the structure of params.
    """
    i, f, g, share = cache.gates
    delta, dh0 = state_gradient(dh, dh_T, cache)
    dr = delta * (g - cache.h_prev) * share * cache.keep
    dg = delta * share
    da_i = dr * (1 - i)
    da_f = -dr * (1 - f)
    da_g = dg
    dx, dWx, db = affine_gradients(np.concatenate([da_i, da_f, da_g], axis=2), cache)
    return dx, dh0, MinLSTMParams(dWx, db)


def without_padding(x: np.ndarray, lengths: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """x with 0 in the padding, and which steps are valid (N, T, 1). Raises as check_lengths does."""
    N, T = x.shape[:2]
    valid = valid_steps(check_lengths(lengths, N, T), T)[..., None]
    return np.where(valid, x, 0), valid


def through_time(
    keep: np.ndarray, put: np.ndarray, h0: np.ndarray, cache: MinRNNCache
) -> tuple[np.ndarray, np.ndarray, MinRNNCache]:
    """The states; over padding the state is held: keep = 1, put = 0."""
    keep, put = np.where(cache.valid, keep, 1), np.where(cache.valid, put, 0)
    states = np.concatenate([h0[:, None], cache.recurrence(keep, put, h0)], axis=1)  # (N, T + 1, H)
    h = np.where(cache.valid, states[:, 1:], 0)
    return h, states[:, -1], cache._replace(keep=keep, h_prev=states[:, :-1])


def state_gradient(dh: np.ndarray, dh_T: np.ndarray, cache: MinRNNCache) -> tuple[np.ndarray, np.ndarray]:
    """The gradient of the state after each step, by the same recurrence from the last step to the first.

        delta_t = dh_t + keep_(t+1) * delta_(t+1)         behind the last step: dh_T, kept whole
        dh0     = keep_0 * delta_0

    -> delta (N, T, H), 0 at padded steps, whose input had no part in the state; dh0 (N, H).
    """
    T = dh.shape[1]
    dh = np.where(cache.valid, dh, 0)
    keep_next = np.concatenate([cache.keep[:, 1:], np.ones_like(dh[:, :1])], axis=1)[:, :T]
    delta = cache.recurrence(keep_next[:, ::-1], dh[:, ::-1], dh_T)[:, ::-1]
    dh0 = cache.keep[:, 0] * delta[:, 0] if T else dh_T
    return np.where(cache.valid, delta, 0), dh0


def affine_gradients(da: np.ndarray, cache: MinRNNCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of a = x Wx + b: dx = da Wx^T, dWx = sum of x^T da, db = sum of da, over all rows and steps."""
    dx = da @ cache.params.Wx.T
    dWx = np.einsum("ntd,nth->dh", cache.x, da)
    db = da.sum(axis=(0, 1))
    return dx, dWx, db
