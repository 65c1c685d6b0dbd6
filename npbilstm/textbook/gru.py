"""The gated recurrent unit, one time step, forward and backward, in its two forms (Cho et al. 2014, eq. 5 to 8).

Notation as in lstm.py: N rows, D input features, H hidden units. At one step:

    x (N, D), h_prev (N, H)     what comes in, and the state before the step; h (N, H) after it
    r, z, n (N, H)              reset gate, update gate, new state's candidate; always in this order
    Wx (D, 3H), Wh (H, 3H), b (3H,)

The two forms differ in where the reset gate stands in the candidate:

    reset before the product    n = tanh(x Wx_n + b_n + (r * h_prev) Wh_n)             as Cho et al. print it
    reset after the product     n = tanh(x Wx_n + b_n + r * (h_prev Wh_n + b_hn))      PyTorch, Keras, cuDNN

Reset after needs one product h_prev Wh for all three blocks, which is fast; reset before must know r before it can
multiply by Wh_n. They are different functions: weights of one are wrong in the other, unless r = 1.

Reset after has a second bias. For r and z a bias beside x and another beside h would only add up to one. In n the gate
stands between them: b_hn is reset with the state, b_n never is, so no single bias can do the work of both.

mask (N, H) is variational dropout: already scaled by 1/(1-p), the same at every time step, it multiplies h_prev where
h_prev enters a product with Wh, and not in z * h_prev, which carries the state on (Gal & Ghahramani 2016).
None is no dropout.

recurrence.py takes either step through time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.activations import sigmoid, sigmoid_derivative, tanh, tanh_derivative
from npbilstm.textbook.sequences import require_shape


class GRUParams(NamedTuple):
    """Weights of a GRU, reset after: Wx (D, 3H), Wh (H, 3H), b (3H,), blocks r, z, n; b_hn (H,)."""

    Wx: np.ndarray
    Wh: np.ndarray
    b: np.ndarray
    b_hn: np.ndarray


class GRUResetBeforeParams(NamedTuple):
    """Weights of a GRU, reset before: Wx (D, 3H), Wh (H, 3H), b (3H,), blocks r, z, n."""

    Wx: np.ndarray
    Wh: np.ndarray
    b: np.ndarray


class GRUStepCache(NamedTuple):
    """What one step's backward pass needs: x (N, D), the mask, all others (N, H), and the params."""

    x: np.ndarray
    h_prev: np.ndarray
    mask: np.ndarray | float
    r: np.ndarray
    z: np.ndarray
    n: np.ndarray
    q: np.ndarray
    params: GRUParams


class GRUResetBeforeStepCache(NamedTuple):
    """What one step's backward pass needs: x (N, D), the mask, all others (N, H), and the params."""

    x: np.ndarray
    h_prev: np.ndarray
    mask: np.ndarray | float
    r: np.ndarray
    z: np.ndarray
    n: np.ndarray
    params: GRUResetBeforeParams


def gru_step_forward(
    x: np.ndarray, h_prev: np.ndarray, params: GRUParams, mask: np.ndarray | None = None
) -> tuple[np.ndarray, GRUStepCache]:
    """One time step of a GRU, reset after the product.

        a = x Wx + b
        u = (mask * h_prev) Wh
        r = sigmoid(a_r + u_r)        how much of the old state the candidate sees
        z = sigmoid(a_z + u_z)        how much of the old state to keep
        q = u_n + b_hn
        n = tanh(a_n + r * q)         the candidate
        h = (1 - z) * n + z * h_prev

    x (N, D), h_prev (N, H), mask (N, H) or None -> h (N, H), cache. Raises ValueError where b_hn is not (H,).
    """
    require_shape("b_hn", params.b_hn, (h_prev.shape[1],))
    m = 1.0 if mask is None else mask
    a = x @ params.Wx + params.b  # (N, 3H)
    u = (m * h_prev) @ params.Wh  # (N, 3H)
    a_r, a_z, a_n = np.split(a, 3, axis=1)  # each (N, H)
    u_r, u_z, u_n = np.split(u, 3, axis=1)
    r = sigmoid(a_r + u_r)
    z = sigmoid(a_z + u_z)
    q = u_n + params.b_hn
    n = tanh(a_n + r * q)
    h = (1 - z) * n + z * h_prev
    return h, GRUStepCache(x, h_prev, m, r, z, n, q, params)


def gru_step_backward(dh: np.ndarray, cache: GRUStepCache) -> tuple[np.ndarray, np.ndarray, GRUParams]:
    """Gradients of one step, given dh (N, H).

        dz      = dh * (h_prev - n)
        dn      = dh * (1 - z)
        da_n    = dn tanh'(n)
        dr      = da_n * q
        dq      = da_n * r
        da_r    = dr sigmoid'(r)
        da_z    = dz sigmoid'(z)
        da      = [da_r, da_z, da_n]                    what x reaches
        du      = [da_r, da_z, dq]                      what h_prev reaches: the same but for the candidate
        dx      = da Wx^T
        dh_prev = dh * z + mask * (du Wh^T)             h_prev is seen twice: kept by z, and in the product
        dWx     = x^T da                                summed over the rows of the batch
        dWh     = (mask * h_prev)^T du
        db      = sum_n da
        db_hn   = sum_n dq

    -> dx (N, D), dh_prev (N, H), grads with the structure of params.
    """
    x, h_prev, mask, r, z, n, q, params = cache
    dz = dh * (h_prev - n)
    dn = dh * (1 - z)
    da_n = dn * tanh_derivative(n)
    dr = da_n * q
    dq = da_n * r
    da_r = dr * sigmoid_derivative(r)
    da_z = dz * sigmoid_derivative(z)
    da = np.concatenate([da_r, da_z, da_n], axis=1)  # (N, 3H)
    du = np.concatenate([da_r, da_z, dq], axis=1)  # (N, 3H)
    dx = da @ params.Wx.T
    dh_prev = dh * z + mask * (du @ params.Wh.T)
    dWx = x.T @ da
    dWh = (mask * h_prev).T @ du
    db = da.sum(axis=0)
    db_hn = dq.sum(axis=0)
    return dx, dh_prev, GRUParams(dWx, dWh, db, db_hn)


def gru_reset_before_step_forward(
    x: np.ndarray, h_prev: np.ndarray, params: GRUResetBeforeParams, mask: np.ndarray | None = None
) -> tuple[np.ndarray, GRUResetBeforeStepCache]:
    """One time step of a GRU, reset before the product (Cho et al. 2014, eq. 5 to 8).

        a    = x Wx + b
        h_in = mask * h_prev
        r    = sigmoid(a_r + h_in Wh_r)
        z    = sigmoid(a_z + h_in Wh_z)
        n    = tanh(a_n + (r * h_in) Wh_n)
        h    = (1 - z) * n + z * h_prev

    x (N, D), h_prev (N, H), mask (N, H) or None -> h (N, H), cache.
    """
    m = 1.0 if mask is None else mask
    Wh_r, Wh_z, Wh_n = np.split(params.Wh, 3, axis=1)  # each (H, H)
    a = x @ params.Wx + params.b  # (N, 3H)
    a_r, a_z, a_n = np.split(a, 3, axis=1)  # each (N, H)
    h_in = m * h_prev
    r = sigmoid(a_r + h_in @ Wh_r)
    z = sigmoid(a_z + h_in @ Wh_z)
    n = tanh(a_n + (r * h_in) @ Wh_n)
    h = (1 - z) * n + z * h_prev
    return h, GRUResetBeforeStepCache(x, h_prev, m, r, z, n, params)


def gru_reset_before_step_backward(
    dh: np.ndarray, cache: GRUResetBeforeStepCache
) -> tuple[np.ndarray, np.ndarray, GRUResetBeforeParams]:
    """Gradients of one step, given dh (N, H). s stands for r * h_in, what the candidate's product sees.

        dz      = dh * (h_prev - n)
        dn      = dh * (1 - z)
        da_n    = dn tanh'(n)
        ds      = da_n Wh_n^T
        dr      = ds * h_in
        da_r    = dr sigmoid'(r)
        da_z    = dz sigmoid'(z)
        da      = [da_r, da_z, da_n]
        dh_in   = da_r Wh_r^T + da_z Wh_z^T + ds * r    in three products
        dx      = da Wx^T
        dh_prev = dh * z + mask * dh_in
        dWx     = x^T da                                summed over the rows of the batch
        dWh     = [h_in^T da_r, h_in^T da_z, s^T da_n]
        db      = sum_n da

    -> dx (N, D), dh_prev (N, H), grads with the structure of params.
    """
    x, h_prev, mask, r, z, n, params = cache
    Wh_r, Wh_z, Wh_n = np.split(params.Wh, 3, axis=1)  # each (H, H)
    h_in = mask * h_prev
    s = r * h_in
    dz = dh * (h_prev - n)
    dn = dh * (1 - z)
    da_n = dn * tanh_derivative(n)
    ds = da_n @ Wh_n.T
    dr = ds * h_in
    da_r = dr * sigmoid_derivative(r)
    da_z = dz * sigmoid_derivative(z)
    da = np.concatenate([da_r, da_z, da_n], axis=1)  # (N, 3H)
    dh_in = da_r @ Wh_r.T + da_z @ Wh_z.T + ds * r
    dx = da @ params.Wx.T
    dh_prev = dh * z + mask * dh_in
    dWx = x.T @ da
    dWh = np.concatenate([h_in.T @ da_r, h_in.T @ da_z, s.T @ da_n], axis=1)  # (H, 3H)
    db = da.sum(axis=0)
    return dx, dh_prev, GRUResetBeforeParams(dWx, dWh, db)
