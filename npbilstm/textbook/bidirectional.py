"""The bidirectional LSTM: one LSTM reads forward, another reads the reversed sequence, and their outputs are joined
at each time step (Schuster & Paliwal 1997; Graves & Schmidhuber 2005).

    x ──────────► LSTM (forward) ─────────────► h_fwd ─┐
                                                       ├─► y[:, t] = [h_fwd[:, t], h_rev[:, t]]
    x ──► flip ─► LSTM (reverse) ─► ... ─► flip ► h_rev ─┘

Time-aligned: the reverse LSTM reads step lengths[n]-1 first and step 0 last; flipping its outputs puts each back at the
step it was made for. So y[n, t] joins what one direction knows of the steps 0..t with what the other knows of t..end.
Direction never enters the gates' equations: bidirectional = flip in, run, flip out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.lstm import LSTMCache, LSTMParams, lstm_backward, lstm_forward
from npbilstm.textbook.sequences import check_lengths, flip, require_shape


class BiLSTMParams(NamedTuple):
    """Weights of the two directions. They share nothing."""

    forward: LSTMParams
    reverse: LSTMParams


class BiLSTMCache(NamedTuple):
    """What the backward pass needs: each direction's cache, and the lengths for the flips."""

    forward: LSTMCache
    reverse: LSTMCache
    lengths: np.ndarray | None


def bilstm_forward(
    x: np.ndarray, h0: np.ndarray, c0: np.ndarray, params: BiLSTMParams, lengths: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, BiLSTMCache]:
    """A bidirectional LSTM over a batch of sequences.

        h_fwd = lstm(x)
        h_rev = flip(lstm(flip(x)))
        y     = [h_fwd, h_rev]              joined at the same time step

    The first axis of h0, c0, h_T, c_T is the direction, forward then reverse. h_T of the reverse direction is its
    state after it has read everything, that is after step t = 0: it stands in y[:, 0], not in y[:, -1].

    x (N, T, D), h0 (2, N, H), c0 (2, N, H), lengths (N,) or None for all T
    -> y (N, T, 2H), h_T (2, N, H), c_T (2, N, H), cache.

    Raises as lstm_forward does.
    """
    N, H = len(x), len(params.forward.Wh)
    lengths = None if lengths is None else check_lengths(lengths, N, x.shape[1])
    require_shape("h0", h0, (2, N, H))
    require_shape("c0", c0, (2, N, H))
    h_fwd, h_T_fwd, c_T_fwd, cache_fwd = lstm_forward(x, h0[0], c0[0], params.forward, lengths)
    h_rev, h_T_rev, c_T_rev, cache_rev = lstm_forward(flip(x, lengths), h0[1], c0[1], params.reverse, lengths)
    y = np.concatenate([h_fwd, flip(h_rev, lengths)], axis=2)  # (N, T, 2H)
    h_T = np.stack([h_T_fwd, h_T_rev])
    c_T = np.stack([c_T_fwd, c_T_rev])
    return y, h_T, c_T, BiLSTMCache(cache_fwd, cache_rev, lengths)


def bilstm_backward(
    dy: np.ndarray, dh_T: np.ndarray, dc_T: np.ndarray, cache: BiLSTMCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray, BiLSTMParams]:
    """Gradients of a bidirectional LSTM, given dy (N, T, 2H), dh_T and dc_T (2, N, H).

        dh_fwd, dh_rev = the two halves of dy
        dx_fwd         = lstm_backward(dh_fwd)
        dx_rev         = flip(lstm_backward(flip(dh_rev)))       flip is its own backward
        dx             = dx_fwd + dx_rev                         both directions read x

    -> dx (N, T, D), dh0 (2, N, H), dc0 (2, N, H), grads with the structure of params.

    Raises ValueError where a shape does not fit.
    """
    lengths = cache.lengths
    N, T = cache.forward.valid.shape
    H = len(cache.forward.params.Wh)
    for name, array, shape in [("dy", dy, (N, T, 2 * H)), ("dh_T", dh_T, (2, N, H)), ("dc_T", dc_T, (2, N, H))]:
        require_shape(name, array, shape)
    dh_fwd, dh_rev = np.split(dy, 2, axis=2)  # each (N, T, H)
    dx_fwd, dh0_fwd, dc0_fwd, grads_fwd = lstm_backward(dh_fwd, dh_T[0], dc_T[0], cache.forward)
    dx_rev, dh0_rev, dc0_rev, grads_rev = lstm_backward(flip(dh_rev, lengths), dh_T[1], dc_T[1], cache.reverse)
    dx = dx_fwd + flip(dx_rev, lengths)
    dh0 = np.stack([dh0_fwd, dh0_rev])
    dc0 = np.stack([dc0_fwd, dc0_rev])
    return dx, dh0, dc0, BiLSTMParams(grads_fwd, grads_rev)
