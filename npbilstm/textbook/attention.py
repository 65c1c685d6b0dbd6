"""Attention: a decoder looks at all that an encoder put out, and takes a mean of it, weighted by how well steps fit.

Notation. N rows in a batch, S steps of the source, E features of each, H units of the decoder, A units between. For
one step of the decoder:

    query (N, H)            the decoder's state, which asks
    keys (N, S, E)          the encoder's outputs, of which each is asked (Bahdanau's annotations)
    lengths (N,)            how many of the S steps of each row are real
    scores (N, S)           how well each step fits the query
    alpha (N, S)            the weights: positive at valid steps, of sum 1; exactly 0 in the padding
    context (N, E)          the weighted mean of the keys

The two kinds differ in the score alone:

    additive    scores[n, s] = v . tanh(query[n] Wq + keys[n, s] Wk)      Bahdanau, Cho & Bengio 2015, section A.1.2
    dot         scores[n, s] = query[n] . keys[n, s]                      Luong, Pham & Manning 2015, eq. 8

A row of length 0 has nothing to look at: its weights and its context are 0, and no gradient comes back.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.activations import tanh, tanh_derivative
from npbilstm.textbook.sequences import check_lengths, require_shape, valid_steps


class AdditiveAttentionParams(NamedTuple):
    """Weights of additive attention: Wq (H, A), Wk (E, A), v (A,)."""

    Wq: np.ndarray
    Wk: np.ndarray
    v: np.ndarray


class AdditiveAttentionCache(NamedTuple):
    """What the backward pass needs: query (N, H), source (N, S, E), z (N, S, A), alpha and valid (N, S), params."""

    query: np.ndarray
    source: np.ndarray
    z: np.ndarray
    alpha: np.ndarray
    valid: np.ndarray
    params: AdditiveAttentionParams


class DotAttentionCache(NamedTuple):
    """What the backward pass needs: query (N, H), source (N, S, H), alpha (N, S), valid (N, S)."""

    query: np.ndarray
    source: np.ndarray
    alpha: np.ndarray
    valid: np.ndarray


def additive_attention_forward(
    query: np.ndarray, keys: np.ndarray, params: AdditiveAttentionParams, lengths: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, AdditiveAttentionCache]:
    """Additive attention: the score is a small network with one layer of A units.

        z[n, s]      = tanh(query[n] Wq + keys[n, s] Wk)
        scores[n, s] = z[n, s] . v
        alpha[n]     = softmax of scores[n] over the valid s, 0 in the padding
        context[n]   = sum_s alpha[n, s] keys[n, s]

    (Bahdanau, Cho & Bengio 2015, eq. 5 and 6, and section A.1.2; their s_{i-1} is the query, their h_j a key.)

    query (N, H), keys (N, S, E), lengths (N,) or None for all S -> context (N, E), alpha (N, S), cache.

    Raises ValueError where a shape does not fit, and as check_lengths does.
    """
    source, valid = valid_keys(query, keys, lengths)
    A = len(params.v)
    require_shape("Wq", params.Wq, (query.shape[1], A))
    require_shape("Wk", params.Wk, (source.shape[2], A))
    z = tanh((query @ params.Wq)[:, None] + source @ params.Wk)  # (N, S, A)
    scores = z @ params.v  # (N, S)
    alpha = softmax_over_steps(scores, valid)
    context = (alpha[:, :, None] * source).sum(axis=1)  # (N, E)
    return context, alpha, AdditiveAttentionCache(query, source, z, alpha, valid, params)


def additive_attention_backward(
    dcontext: np.ndarray, dalpha: np.ndarray, cache: AdditiveAttentionCache
) -> tuple[np.ndarray, np.ndarray, AdditiveAttentionParams]:
    """Gradients of additive attention, given dcontext (N, E), and dalpha (N, S): 0 where the loss sees no weights.

        dalpha[n, s] += dcontext[n] . keys[n, s]           a weight is seen twice: in the context, and by itself
        dscores       = softmax_over_steps_backward(dalpha)
        dz[n, s]      = dscores[n, s] v
        da            = dz tanh'(a)                        a = query Wq + keys Wk
        dquery[n]     = sum_s da[n, s] Wq^T                the query is compared with every key
        dkeys[n, s]   = alpha[n, s] dcontext[n] + da[n, s] Wk^T     a key is seen twice: in the mean, and in its score
        dWq           = sum over n, s of  query[n]^T da[n, s]
        dWk           = sum over n, s of  keys[n, s]^T da[n, s]
        dv            = sum over n, s of  dscores[n, s] z[n, s]

    -> dquery (N, H), dkeys (N, S, E), grads with the structure of params. Raises ValueError where a shape does not fit.
    """
    query, source, z, alpha, valid, params = cache
    N, S, E = source.shape
    A = len(params.v)
    require_shape("dcontext", dcontext, (N, E))
    require_shape("dalpha", dalpha, (N, S))
    dalpha = np.where(valid, dalpha + (source * dcontext[:, None]).sum(axis=2), 0)  # (N, S)
    dscores = softmax_over_steps_backward(dalpha, alpha)
    dz = dscores[:, :, None] * params.v  # (N, S, A)
    da = dz * tanh_derivative(z)
    da_sum = da.sum(axis=1)  # (N, A)
    dquery = da_sum @ params.Wq.T
    dkeys = alpha[:, :, None] * dcontext[:, None] + da @ params.Wk.T
    dWq = query.T @ da_sum
    dWk = source.reshape(-1, E).T @ da.reshape(-1, A)
    dv = (dscores[:, :, None] * z).sum(axis=(0, 1))
    return dquery, dkeys, AdditiveAttentionParams(dWq, dWk, dv)


def dot_attention_forward(
    query: np.ndarray, keys: np.ndarray, lengths: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, DotAttentionCache]:
    """Dot-product attention: the score is the product of the query with the key, and needs no weights.

        scores[n, s] = query[n] . keys[n, s]
        alpha[n]     = softmax of scores[n] over the valid s, 0 in the padding
        context[n]   = sum_s alpha[n, s] keys[n, s]

    (Luong, Pham & Manning 2015, eq. 7 and 8, "dot"; no factor 1/sqrt(H), which came with Vaswani et al. 2017.)

    query (N, H), keys (N, S, H), lengths (N,) or None for all S -> context (N, H), alpha (N, S), cache.

    Raises ValueError where a shape does not fit, and as check_lengths does.

    >>> query, keys = np.array([[2.0, 0.0]]), np.array([[[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]]])
    >>> context, alpha, cache = nb.textbook.dot_attention_forward(query, keys, np.array([2]))
    >>> alpha.round(3).tolist()  # e^2 and e^0, of their sum; the third step is padding
    [[0.881, 0.119, 0.0]]
    """
    source, valid = valid_keys(query, keys, lengths)
    require_shape("keys", source, (*source.shape[:2], query.shape[1]))
    scores = (source * query[:, None]).sum(axis=2)  # (N, S)
    alpha = softmax_over_steps(scores, valid)
    context = (alpha[:, :, None] * source).sum(axis=1)  # (N, H)
    return context, alpha, DotAttentionCache(query, source, alpha, valid)


def dot_attention_backward(
    dcontext: np.ndarray, dalpha: np.ndarray, cache: DotAttentionCache
) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of dot-product attention, given dcontext (N, H), and dalpha (N, S): 0 where the loss sees no weights.

        dalpha[n, s] += dcontext[n] . keys[n, s]           a weight is seen twice: in the context, and by itself
        dscores       = softmax_over_steps_backward(dalpha)
        dquery[n]     = sum_s dscores[n, s] keys[n, s]
        dkeys[n, s]   = alpha[n, s] dcontext[n] + dscores[n, s] query[n]     a key is seen twice, likewise

    -> dquery (N, H), dkeys (N, S, H). Raises ValueError where a shape does not fit.
    """
    query, source, alpha, valid = cache
    N, S, H = source.shape
    require_shape("dcontext", dcontext, (N, H))
    require_shape("dalpha", dalpha, (N, S))
    dalpha = np.where(valid, dalpha + (source * dcontext[:, None]).sum(axis=2), 0)  # (N, S)
    dscores = softmax_over_steps_backward(dalpha, alpha)
    dquery = (dscores[:, :, None] * source).sum(axis=1)
    dkeys = alpha[:, :, None] * dcontext[:, None] + dscores[:, :, None] * query[:, None]
    return dquery, dkeys


def softmax_over_steps(scores: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """The softmax over each row's valid steps; exactly 0 in the padding, and in all of a row that has no valid step.

        alpha[n, s] = exp(scores[n, s]) / sum over valid u of exp(scores[n, u])     at valid s

    scores (N, S), valid (N, S) -> alpha (N, S).
    """
    highest = np.where(valid, scores.real, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)  # (N, 1)
    some = valid.any(axis=1, keepdims=True)
    shifted = np.where(valid, scores - np.where(some, highest, 0), 0)  # the same softmax, and exp cannot overflow
    e = np.where(valid, np.exp(shifted), 0)
    return e / np.where(some, e.sum(axis=1, keepdims=True), 1)


def softmax_over_steps_backward(dalpha: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The gradient of the softmax, given dalpha (N, S): what one weight gains, the others lose.

        dscores[n, s] = alpha[n, s] (dalpha[n, s] - sum_u alpha[n, u] dalpha[n, u])

    -> dscores (N, S), 0 in the padding, where alpha is 0.
    """
    mean = (alpha * dalpha).sum(axis=1, keepdims=True)  # (N, 1)
    return alpha * (dalpha - mean)


def valid_keys(query: np.ndarray, keys: np.ndarray, lengths: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The source: the keys, with 0 in the padding (N, S, E); and which steps are valid (N, S)."""
    if query.ndim != 2:
        raise ValueError(f"query has shape {query.shape}; it needs two axes (N, H)")
    if keys.ndim != 3 or len(keys) != len(query):
        raise ValueError(f"keys has shape {keys.shape}; it needs three axes (N, S, E), with N = {len(query)}")
    N, S, _ = keys.shape
    valid = valid_steps(check_lengths(lengths, N, S), S)
    return np.where(valid[:, :, None], keys, 0), valid
