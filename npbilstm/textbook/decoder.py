"""A decoder that looks at what an encoder has read: one step, forward and backward, then over time.

Three forms are in use. They differ in which state asks, and in what the next step is told of the answer:

    Bahdanau et al. 2015    the state *before* the step asks; the cell reads the context at once
    Luong et al. 2015       the state *after* the step asks; the next step reads tanh(W [context, h]), "input feeding"
    Chan et al. 2016        the state *after* the step asks; the next step reads the context itself

This is the third, eq. 6 to 8 of Chan, Jaitly, Le & Vinyals, "Listen, attend and spell", with an LSTM for their RNN: who
asks has read the last symbol already, and no matrix stands between the context and the cell.

Notation as in lstm.py and attention.py: N rows, T steps of the decoder, D features of what it reads (the embedding of
the symbol before), H units, S steps of the source with E features each. What is made of [h, context], the scores of
the next symbol, is affine.py's, at all steps at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.attention import (
    AdditiveAttentionCache,
    AdditiveAttentionParams,
    DotAttentionCache,
    additive_attention_backward,
    additive_attention_forward,
    dot_attention_backward,
    dot_attention_forward,
)
from npbilstm.textbook.lstm import LSTMParams, LSTMStepCache, lstm_step_backward, lstm_step_forward
from npbilstm.textbook.sequences import check_lengths, require_shape, valid_steps


class DecoderParams(NamedTuple):
    """Weights of a decoder: the cell's, with Wx (D+E, 4H), its rows for x before those for the context; and those of
    additive attention, or None for dot-product attention, which has none and needs E = H."""

    cell: LSTMParams
    attention: AdditiveAttentionParams | None


class DecoderStepCache(NamedTuple):
    """What one step's backward pass needs: the caches of the cell and of the attention, and D."""

    cell: LSTMStepCache
    attention: AdditiveAttentionCache | DotAttentionCache
    D: int


class DecoderCache(NamedTuple):
    """What the way back through time needs: the cache of every step, which steps of which rows are valid (N, T), the
    keys with 0 in the padding (N, S, E), and the params."""

    steps: list[DecoderStepCache]
    valid: np.ndarray
    keys: np.ndarray
    params: DecoderParams


def decoder_step_forward(
    x: np.ndarray,
    h_prev: np.ndarray,
    c_prev: np.ndarray,
    context_prev: np.ndarray,
    keys: np.ndarray,
    params: DecoderParams,
    lengths: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, DecoderStepCache]:
    """One step of a decoder.

        h, c           = lstm_step([x, context_prev], h_prev, c_prev)      the cell reads what the last look gave
        context, alpha = attention(h, keys)                                the new state asks

    x (N, D), h_prev and c_prev (N, H), context_prev (N, E), keys (N, S, E), lengths (N,) of the keys or None for all S
    -> h (N, H), c (N, H), context (N, E), alpha (N, S), cache.

    Raises as the attention does.
    """
    both = np.concatenate([x, context_prev], axis=1)  # (N, D+E)
    h, c, cell = lstm_step_forward(both, h_prev, c_prev, params.cell)
    attention: AdditiveAttentionCache | DotAttentionCache
    if params.attention is None:
        context, alpha, attention = dot_attention_forward(h, keys, lengths)
    else:
        context, alpha, attention = additive_attention_forward(h, keys, params.attention, lengths)
    return h, c, context, alpha, DecoderStepCache(cell, attention, x.shape[1])


def decoder_step_backward(
    dh: np.ndarray, dc: np.ndarray, dcontext: np.ndarray, dalpha: np.ndarray, cache: DecoderStepCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, DecoderParams]:
    """Gradients of one step, given dh and dc (N, H), dcontext (N, E), dalpha (N, S).

        dquery, dkeys, dattention     = attention_backward(dcontext, dalpha)
        dh                           += dquery             h is seen by who reads it, and it asked
        dboth, dh_prev, dc_prev, dcell = lstm_step_backward(dh, dc)
        dx, dcontext_prev             = dboth[:, :D], dboth[:, D:]

    -> dx (N, D), dh_prev (N, H), dc_prev (N, H), dcontext_prev (N, E), dkeys (N, S, E), grads with the structure of
    params.
    """
    if isinstance(cache.attention, DotAttentionCache):
        dquery, dkeys = dot_attention_backward(dcontext, dalpha, cache.attention)
        dattention = None
    else:
        dquery, dkeys, dattention = additive_attention_backward(dcontext, dalpha, cache.attention)
    dh = dh + dquery
    dboth, dh_prev, dc_prev, dcell = lstm_step_backward(dh, dc, cache.cell)
    dx, dcontext_prev = np.split(dboth, [cache.D], axis=1)
    return dx, dh_prev, dc_prev, dcontext_prev, dkeys, DecoderParams(dcell, dattention)


def decoder_forward(
    x: np.ndarray,
    h0: np.ndarray,
    c0: np.ndarray,
    keys: np.ndarray,
    params: DecoderParams,
    lengths: np.ndarray | None = None,
    source_lengths: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, DecoderCache]:
    """A decoder over time, told at each step what to read (teacher forcing: the symbol that should have come before).

        h_t, c_t, context_t, alpha_t = step(x_t, h_{t-1}, c_{t-1}, context_{t-1}, keys)     for t = 0 .. T-1

    context_{-1} is 0: before the first step nobody has looked. At a padded step the state is held and the outputs are
    0; what stands in the padding, of x or of the keys, NaN even, is never seen.

    x (N, T, D), h0 and c0 (N, H), keys (N, S, E), lengths (N,) of x or None for all T, source_lengths (N,) of the keys
    or None for all S -> h (N, T, H), context (N, T, E), alpha (N, T, S), cache.

    Raises ValueError where a shape does not fit, and as check_lengths does.
    """
    require_decoder_fits(x, h0, c0, keys, params)
    N, T, _ = x.shape
    _, S, E = keys.shape
    valid = valid_steps(check_lengths(lengths, N, T), T)  # (N, T)
    looked_at = valid_steps(check_lengths(source_lengths, N, S), S)
    x = np.where(valid[:, :, None], x, 0)
    keys = np.where(looked_at[:, :, None], keys, 0)
    dtype = np.result_type(x, h0, c0, keys, *params.cell, *(params.attention or ()))
    h, context, alpha = (np.zeros((N, T, size), dtype) for size in (h0.shape[1], E, S))
    h_t, c_t, context_t = h0, c0, np.zeros((N, E), dtype)
    steps = []
    for t in range(T):
        v = valid[:, t, None]  # (N, 1)
        h_new, c_new, context_new, alpha_new, cache = decoder_step_forward(
            x[:, t], h_t, c_t, context_t, keys, params, source_lengths
        )
        h_t = np.where(v, h_new, h_t)
        c_t = np.where(v, c_new, c_t)
        context_t = np.where(v, context_new, context_t)
        h[:, t] = np.where(v, h_new, 0)
        context[:, t] = np.where(v, context_new, 0)
        alpha[:, t] = np.where(v, alpha_new, 0)
        steps.append(cache)
    return h, context, alpha, DecoderCache(steps, valid, keys, params)


def decoder_backward(
    dh: np.ndarray, dcontext: np.ndarray, dalpha: np.ndarray, cache: DecoderCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, DecoderParams]:
    """The way back through time, given dh (N, T, H), dcontext (N, T, E), dalpha (N, T, S).

        dh_t       = dh[:, t] + dh_next                 the loss sees h_t, and so does the next step
        dcontext_t = dcontext[:, t] + dcontext_next     and the same of the context
        dx[:, t], dh_next, dc_next, dcontext_next, dkeys_t, grads_t
                   = step_backward(dh_t, dc_next, dcontext_t, dalpha[:, t])     for t = T-1 .. 0
        dkeys      = sum_t dkeys_t                      every step looks at the same keys
        grads      = sum_t grads_t                      the params are used at every step

    What is left of dcontext_next before the first step belongs to nobody: that context was 0.

    -> dx (N, T, D), dh0 (N, H), dc0 (N, H), dkeys (N, S, E), grads with the structure of params.

    Raises ValueError where a shape does not fit.
    """
    steps, valid, keys, params = cache
    (N, T), (_, S, E), H = valid.shape, keys.shape, len(params.cell.Wh)
    for name, array, size in [("dh", dh, H), ("dcontext", dcontext, E), ("dalpha", dalpha, S)]:
        require_shape(name, array, (N, T, size))
    dh, dcontext, dalpha = (np.where(valid[:, :, None], d, 0) for d in (dh, dcontext, dalpha))
    attention = params.attention
    dtype = np.result_type(dh, dcontext, dalpha, keys, *params.cell, *(attention or ()))
    dx = np.zeros((N, T, len(params.cell.Wx) - E), dtype)
    dkeys = np.zeros((N, S, E), dtype)
    dcell = LSTMParams(*(np.zeros_like(p, dtype=dtype) for p in params.cell))
    dattention = None if attention is None else AdditiveAttentionParams(*(np.zeros_like(p, dtype) for p in attention))
    dh_next, dc_next, dcontext_next = np.zeros((N, H), dtype), np.zeros((N, H), dtype), np.zeros((N, E), dtype)
    for t in reversed(range(T)):
        v = valid[:, t, None]  # (N, 1)
        dh_t = np.where(v, dh[:, t] + dh_next, 0)
        dc_t = np.where(v, dc_next, 0)
        dcontext_t = np.where(v, dcontext[:, t] + dcontext_next, 0)
        dx[:, t], dh_prev, dc_prev, dcontext_prev, dkeys_t, grads_t = decoder_step_backward(
            dh_t, dc_t, dcontext_t, dalpha[:, t], steps[t]
        )
        dh_next = np.where(v, dh_prev, dh_next)
        dc_next = np.where(v, dc_prev, dc_next)
        dcontext_next = np.where(v, dcontext_prev, dcontext_next)
        dkeys = dkeys + dkeys_t
        dcell = LSTMParams(*(total + here for total, here in zip(dcell, grads_t.cell)))
        if dattention is not None and grads_t.attention is not None:
            dattention = AdditiveAttentionParams(*(total + here for total, here in zip(dattention, grads_t.attention)))
    return dx, dh_next, dc_next, dkeys, DecoderParams(dcell, dattention)


def require_decoder_fits(
    x: np.ndarray, h0: np.ndarray, c0: np.ndarray, keys: np.ndarray, params: DecoderParams
) -> None:
    """Raise ValueError, naming the argument, unless the shapes of inputs and params belong together."""
    if x.ndim != 3:
        raise ValueError(f"x has shape {x.shape}; it needs three axes (N, T, D)")
    N, _, D = x.shape
    if keys.ndim != 3 or len(keys) != N:
        raise ValueError(f"keys has shape {keys.shape}; it needs three axes (N, S, E), with N = {N}")
    H, E = len(params.cell.Wh), keys.shape[2]
    require_shape("Wx", params.cell.Wx, (D + E, 4 * H))
    require_shape("Wh", params.cell.Wh, (H, 4 * H))
    require_shape("b", params.cell.b, (4 * H,))
    require_shape("h0", h0, (N, H))
    require_shape("c0", c0, (N, H))
    if params.attention is None and E != H:
        raise ValueError(f"keys has {E} features; dot-product attention needs as many as the decoder has units, {H}")
