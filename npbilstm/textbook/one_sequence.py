"""The bottom rung: an LSTM over one sequence, with a loop over time and plain lists.

Here the idea is met in its first form, the equations exactly as papers print them: column vectors, one matrix per gate,
`np.dot`. There is no batch and no padding. A sequence xs is a list of T vectors x (D,); h and c are vectors (H,).
lstm.py is the same function for a whole batch; `fuse` carries the weights over.

Gates are numbered 0..3 in the order i, f, g, o.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from npbilstm.textbook.activations import sigmoid, sigmoid_derivative, tanh, tanh_derivative
from npbilstm.textbook.lstm import LSTMParams
from npbilstm.textbook.sequences import require_shape


class GateParams(NamedTuple):
    """Weights with one matrix per gate: Wx (4, H, D), Wh (4, H, H), b (4, H)."""

    Wx: np.ndarray
    Wh: np.ndarray
    b: np.ndarray


def fuse(params: GateParams) -> LSTMParams:
    """The same weights as lstm.py holds them: the gates' matrices transposed, side by side.

    Wx (4, H, D) -> (D, 4H), Wh (4, H, H) -> (H, 4H), b (4, H) -> (4H,).
    """
    return LSTMParams(np.concatenate(params.Wx).T, np.concatenate(params.Wh).T, np.concatenate(params.b))


def sequence_lstm_forward(
    xs: list[np.ndarray], h0: np.ndarray, c0: np.ndarray, params: GateParams
) -> tuple[list[np.ndarray], np.ndarray, list[tuple[Any, ...]]]:
    """An LSTM over one sequence (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

        i = sigmoid(Wx_i x + Wh_i h + b_i)
        f = sigmoid(Wx_f x + Wh_f h + b_f)
        g = tanh   (Wx_g x + Wh_g h + b_g)
        o = sigmoid(Wx_o x + Wh_o h + b_o)
        c = f * c + i * g
        h = o * tanh(c)

    xs: T vectors (D,), h0 (H,), c0 (H,) -> hs: T vectors (H,), the last c (H,), caches: one per step.

    Raises ValueError where h0 or c0 is not (H,).
    """
    Wx, Wh, b = params
    require_shape("h0", h0, b[0].shape)
    require_shape("c0", c0, b[0].shape)
    h, c = h0, c0
    hs, caches = [], []
    for x in xs:
        h_prev, c_prev = h, c
        i = sigmoid(np.dot(Wx[0], x) + np.dot(Wh[0], h_prev) + b[0])
        f = sigmoid(np.dot(Wx[1], x) + np.dot(Wh[1], h_prev) + b[1])
        g = tanh(np.dot(Wx[2], x) + np.dot(Wh[2], h_prev) + b[2])
        o = sigmoid(np.dot(Wx[3], x) + np.dot(Wh[3], h_prev) + b[3])
        c = f * c_prev + i * g
        h = o * tanh(c)
        hs.append(h)
        caches.append((x, h_prev, c_prev, i, f, g, o, c))
    return hs, c, caches


def sequence_lstm_backward(
    dhs: list[np.ndarray], dc_T: np.ndarray, caches: list[tuple[Any, ...]], params: GateParams
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray, GateParams]:
    """BPTT over one sequence, given dhs, the T gradients (H,) of the outputs, and dc_T (H,), that of the last c.

    Walk the steps from the last to the first, with dh and dc the gradients of the state after the step:

        dh     += dhs[t]
        dc     += dh * o * (1 - tanh(c)^2)
        da_i    = dc * g       * i (1 - i)         sigmoid' and tanh', each from its output
        da_f    = dc * c_prev  * f (1 - f)
        da_g    = dc * i       * (1 - g^2)
        da_o    = dh * tanh(c) * o (1 - o)
        dx      = sum over gates of Wx_k^T da_k
        dWx_k  += da_k x^T,   dWh_k += da_k h_prev^T,   db_k += da_k
        dh, dc  = sum over gates of Wh_k^T da_k,   dc * f        for the step before

    The gradient of the final h belongs in dhs[-1]: the two are the same vector.

    -> dxs: T vectors (D,), dh0 (H,), dc0 (H,), grads with the structure of params.

    Raises ValueError where dc_T is not (H,) or dhs has not a gradient for each step.
    """
    Wx, Wh, b = params
    require_shape("dc_T", dc_T, b[0].shape)
    dWx, dWh, db = (np.zeros_like(p, dtype=np.result_type(p, dc_T, *dhs)) for p in params)
    dh, dc = np.zeros_like(dc_T), dc_T
    dxs = []
    for dh_t, (x, h_prev, c_prev, i, f, g, o, c) in zip(dhs[::-1], caches[::-1], strict=True):
        dh = dh + dh_t
        dc = dc + dh * o * tanh_derivative(tanh(c))
        da = [
            dc * g * sigmoid_derivative(i),
            dc * c_prev * sigmoid_derivative(f),
            dc * i * tanh_derivative(g),
            dh * tanh(c) * sigmoid_derivative(o),
        ]
        dxs.append(sum(np.dot(Wx[k].T, da[k]) for k in range(4)))
        for k in range(4):
            dWx[k] += np.outer(da[k], x)
            dWh[k] += np.outer(da[k], h_prev)
            db[k] += da[k]
        dh, dc = sum(np.dot(Wh[k].T, da[k]) for k in range(4)), dc * f
    return dxs[::-1], dh, dc, GateParams(dWx, dWh, db)


def sequence_bilstm_forward(
    xs: list[np.ndarray], params_fwd: GateParams, params_rev: GateParams
) -> tuple[list[np.ndarray], tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]]:
    """Two LSTMs over one sequence, from zero states, one reading forward and one in reverse, joined at each step.

        y_t = [h_fwd_t, h_rev_t]

    xs: T vectors (D,) -> ys: T vectors (2H,), the caches of both directions.
    """
    zero = np.zeros_like(params_fwd.b[0])  # (H,)
    hs_fwd, _, caches_fwd = sequence_lstm_forward(xs, zero, zero, params_fwd)
    hs_rev, _, caches_rev = sequence_lstm_forward(xs[::-1], zero, zero, params_rev)
    ys = [np.concatenate([h_fwd, h_rev]) for h_fwd, h_rev in zip(hs_fwd, hs_rev[::-1])]
    return ys, (caches_fwd, caches_rev)


def sequence_bilstm_backward(
    dys: list[np.ndarray],
    caches: tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]],
    params_fwd: GateParams,
    params_rev: GateParams,
) -> tuple[list[np.ndarray], GateParams, GateParams]:
    """Gradients of the two directions, given dys: T gradients (2H,) of the joined outputs.

    Split, turn the reverse half round, walk each direction back, turn its dx round again, add.

    -> dxs: T vectors (D,), the grads of the forward and of the reverse direction.
    """
    H = params_fwd.b.shape[1]
    zero = np.zeros_like(params_fwd.b[0])  # (H,)
    dxs_fwd, _, _, grads_fwd = sequence_lstm_backward([dy[:H] for dy in dys], zero, caches[0], params_fwd)
    dxs_rev, _, _, grads_rev = sequence_lstm_backward([dy[H:] for dy in dys][::-1], zero, caches[1], params_rev)
    dxs = [dx_fwd + dx_rev for dx_fwd, dx_rev in zip(dxs_fwd, dxs_rev[::-1])]
    return dxs, grads_fwd, grads_rev
