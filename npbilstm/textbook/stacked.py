"""Stacked LSTMs: each layer reads the outputs of the one below, step by step (Graves 2013)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.lstm import LSTMCache, LSTMParams, lstm_backward, lstm_forward
from npbilstm.textbook.sequences import require_shape


class StackedCache(NamedTuple):
    """What the backward pass needs: each layer's cache, the lowest first."""

    layers: list[LSTMCache]


def stacked_lstm_forward(
    x: np.ndarray,
    h0: np.ndarray,
    c0: np.ndarray,
    params: tuple[LSTMParams, ...],
    lengths: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, StackedCache]:
    """LSTMs one upon another.

        h^0 = x
        h^l = lstm(h^{l-1})      for layers l = 1 .. L, each with weights and initial states of its own

    The first axis of h0, c0, h_T, c_T is the layer, the lowest first.

    x (N, T, D), h0 (L, N, H), c0 (L, N, H), params: LSTMParams for each layer, lengths (N,) or None for all T
    -> h (N, T, H) of the highest layer, h_T (L, N, H), c_T (L, N, H), cache.

    Raises as lstm_forward does.
    """
    require_shape("h0", h0, (len(params), len(x), len(params[0].Wh)))
    require_shape("c0", c0, h0.shape)
    h, h_T, c_T, caches = x, [], [], []
    for layer, weights in enumerate(params):
        h, h_last, c_last, cache = lstm_forward(h, h0[layer], c0[layer], weights, lengths)
        h_T.append(h_last)
        c_T.append(c_last)
        caches.append(cache)
    return h, np.stack(h_T), np.stack(c_T), StackedCache(caches)


def stacked_lstm_backward(
    dh: np.ndarray, dh_T: np.ndarray, dc_T: np.ndarray, cache: StackedCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[LSTMParams, ...]]:
    """Gradients of stacked LSTMs, given dh (N, T, H) of the highest layer, dh_T and dc_T (L, N, H).

        dh^{l-1} = lstm_backward(dh^l)      for layers l = L .. 1: the dx of a layer is the dh of the one below
        dx       = dh^0

    -> dx (N, T, D), dh0 (L, N, H), dc0 (L, N, H), grads with the structure of params.

    Raises as lstm_backward does.
    """
    dh0, dc0 = np.zeros_like(dh_T), np.zeros_like(dc_T)
    grads: list[LSTMParams] = []
    for layer in reversed(range(len(cache.layers))):
        dh, dh0[layer], dc0[layer], here = lstm_backward(dh, dh_T[layer], dc_T[layer], cache.layers[layer])
        grads.insert(0, here)
    return dh, dh0, dc0, tuple(grads)
