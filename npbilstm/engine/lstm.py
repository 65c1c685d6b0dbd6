"""The LSTM made fast: all rows, all gates and both directions at once, one matrix product a step.

The same function as textbook/lstm.py and textbook/bidirectional.py; tests hold the two equal. Letters as there: N rows,
T steps, D inputs, H units; and S directions, 1 or 2. K = D + H + 1.

What makes it fast, and so shapes the code:

- One product a step. Z[s, t] (N, K) holds [x_t, h_{t-1}, 1] side by side and W[s] (K, 4H) holds Wx over Wh over b, so
  all four pre-activations of all rows are `Z[:, t] @ W`; the new h is written straight into the next step's Z.
- One tanh for all gates: sigmoid(a) = 1/2 + 1/2 tanh(a/2), the inner halves folded into W once. The gates stand in
  the order i, f, o, g here, so that the three sigmoids are one block.
- No masks on the states. Padding is read as zeros and its steps are computed like all others; since each direction
  processes a row's valid steps first, they cannot touch a valid step. Outputs there are zeroed, and final states picked
  up where each row ends. Backward, the upstream gradient is zero in the padding and that of the final state enters at
  each row's last valid step, so what flows through padded steps is exactly zero.
- Sums over time wait until the loop is done: the gradients of weights and inputs are one large product each.

The two directions differ in one thing only: `place`, which input step is processed when.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Weights = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Wx (D, 4H), Wh (H, 4H), b (4H,) of one direction, gates in the order i, f, g, o."""


class LSTMCache(NamedTuple):
    """What the backward pass needs.

    Z (S, T+1, N, K), A (S, T, N, 4H) the gates i, f, o, g after squashing, c (S, T+1, N, H), tanh_c (S, T, N, H),
    lengths (N,) or None, and W (S, K, 4H), its sigmoid columns halved: a copy, so that weights updated between forward
    and backward cannot mix with this run's activations. c[:, t] is the cell state *before* step t and c[:, t+1] that
    after it; so with the h inside Z.
    """

    Z: np.ndarray
    A: np.ndarray
    c: np.ndarray
    tanh_c: np.ndarray
    lengths: np.ndarray | None
    W: np.ndarray


def lstm_forward(
    x: np.ndarray,
    h0: np.ndarray,
    c0: np.ndarray,
    params: Sequence[Weights],
    lengths: np.ndarray | None = None,
    keep: bool = True,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, LSTMCache | None]:
    """One layer of S = len(params) directions: the first reads forward, the second in reverse.

    x (N, T, D), h0 and c0 (S, N, H), lengths (N,) or None for all T -> y (N, T, S, H) in input time order,
    h_T and c_T (S, N, H), cache. All in one dtype. Arguments are not checked here: the layers do that.

    keep=False keeps nothing for the backward pass: memory beyond y does not grow with T, and the cache is None.
    """
    N, T, D = x.shape
    S, _, H = h0.shape
    W = np.stack([pack(*weights) for weights in params])  # (S, K, 4H)
    ends = rows_by_last_step(lengths)
    steps = T if keep else min(T, 1)  # without keeping, every step uses the same memory
    Z = np.empty((S, steps + 1, N, D + H + 1), x.dtype)
    A = np.empty((S, steps, N, 4 * H), x.dtype)
    c = np.empty((S, steps + 1, N, H), x.dtype)
    tanh_c = np.empty((S, steps, N, H), x.dtype)
    y = np.empty((N, T, S, H), x.dtype)
    ig = np.empty((S, N, H), x.dtype)
    Z[:, 0, :, D:-1] = h0
    Z[..., -1] = 1
    c[:, 0] = c0
    h_T, c_T = h0.copy(), c0.copy()
    for t in range(T):
        k, after = (t, t + 1) if keep else (0, 0)
        places = [place(s, t, T, lengths) for s in range(S)]
        for s in range(S):
            Z[s, k, :, :D] = x[places[s]]
        if lengths is not None:
            Z[:, k, t >= lengths, :D] = 0
        # a = [x_t, h_{t-1}, 1] W,   c_t = f * c_{t-1} + i * g,   h_t = o * tanh(c_t)
        a = np.matmul(Z[:, k], W, out=A[:, k])  # (S, N, 4H)
        np.tanh(a, out=a)
        ifo, g = a[..., : 3 * H], a[..., 3 * H :]
        ifo *= 0.5
        ifo += 0.5
        i, f, o = ifo[..., :H], ifo[..., H : 2 * H], ifo[..., 2 * H :]
        c_t = np.multiply(f, c[:, k], out=c[:, after])
        c_t += np.multiply(i, g, out=ig)
        h_t = np.multiply(o, np.tanh(c_t, out=tanh_c[:, k]), out=Z[:, after, :, D:-1])
        for s in range(S):
            y[(*places[s], s)] = h_t[s]
        if t in ends:  # rows whose last valid step this is
            h_T[:, ends[t]] = h_t[:, ends[t]]
            c_T[:, ends[t]] = c_t[:, ends[t]]
    if lengths is None and T:
        h_T, c_T = h_t.copy(), c_t.copy()
    elif lengths is not None:
        y[padding(lengths, T)] = 0
    return y, h_T, c_T, LSTMCache(Z, A, c, tanh_c, lengths, W) if keep else None


def lstm_backward(
    dy: np.ndarray, dh_T: np.ndarray, dc_T: np.ndarray, cache: LSTMCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Weights]]:
    """Gradients of one layer, given dy (N, T, S, H) and dh_T, dc_T (S, N, H).

    -> dx (N, T, D), dh0 and dc0 (S, N, H), a list of gradients like params.
    """
    Z, A, c, tanh_c, lengths, W = cache
    S, T, N, H = tanh_c.shape
    D = Z.shape[-1] - H - 1
    dtype = np.result_type(dy, dh_T, dc_T, A)
    WT = W.transpose(0, 2, 1).copy()  # (S, 4H, K)
    WT[:, : 3 * H] *= 2  # undo the halving: exact
    WxT, WhT = WT[..., :D], WT[..., D:-1]
    ends = rows_by_last_step(lengths)
    if lengths is None:
        dh, dc = dh_T.astype(dtype), dc_T.astype(dtype)
    else:
        dh, dc = np.zeros((2, S, N, H), dtype)
        dy = np.where(padding(lengths, T)[:, :, None, None], dy.dtype.type(0), dy)

    dA = np.empty((S, T, N, 4 * H), dtype)
    for t in reversed(range(T)):
        if t in ends:  # rows whose last valid step this is
            dh[:, ends[t]] += dh_T[:, ends[t]]
            dc[:, ends[t]] += dc_T[:, ends[t]]
        for s in range(S):
            dh[s] += dy[(*place(s, t, T, lengths), s)]
        ifo, g = A[:, t, :, : 3 * H], A[:, t, :, 3 * H :]
        i, f, o = ifo[..., :H], ifo[..., H : 2 * H], ifo[..., 2 * H :]
        da = dA[:, t]
        np.subtract(1, ifo, out=da[..., : 3 * H])
        da[..., : 3 * H] *= ifo  # sigmoid' = s (1 - s)
        da_i, da_f, da_o, da_g = (da[..., k * H : (k + 1) * H] for k in range(4))
        da_o *= dh
        da_o *= tanh_c[:, t]
        dh *= o
        dc += dh
        dh *= tanh_c[:, t]
        dh *= tanh_c[:, t]
        dc -= dh  # dc += dh o (1 - tanh^2 c)
        da_i *= dc
        da_i *= g
        da_f *= dc
        da_f *= c[:, t]
        np.multiply(g, g, out=da_g)
        np.subtract(1, da_g, out=da_g)  # tanh' = 1 - g^2
        da_g *= dc
        da_g *= i
        dc *= f
        np.matmul(da, WhT, out=dh)
    if -1 in ends:  # rows of length 0: their final state is their initial state
        dh[:, ends[-1]] += dh_T[:, ends[-1]]
        dc[:, ends[-1]] += dc_T[:, ends[-1]]

    dA = dA.reshape(S, T * N, 4 * H)
    dW = np.matmul(Z[:, :T].reshape(S, T * N, Z.shape[-1]).transpose(0, 2, 1), dA)  # (S, K, 4H)
    dx_s = np.matmul(dA, WxT).reshape(S, T, N, D)
    dx = np.zeros((N, T, D), dtype)
    for s in range(S):
        for t in range(T):
            dx[place(s, t, T, lengths)] += dx_s[s, t]
    dW = swap_last_gates(dW)
    return dx, dh, dc, [(dw[:D], dw[D:-1], dw[-1]) for dw in dW]


def swap_last_gates(w: np.ndarray) -> np.ndarray:
    """Swap the last two gates' blocks along the last axis: i, f, g, o to i, f, o, g. Its own inverse."""
    first, second, third, fourth = np.split(w, 4, axis=-1)
    return np.concatenate([first, second, fourth, third], axis=-1)


def pack(Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One matrix (K, 4H) for one product a step, the sigmoid gates halved for the single tanh."""
    W = swap_last_gates(np.concatenate([Wx, Wh, b[None]]))
    W[:, : 3 * len(Wh)] *= 0.5
    return W


def padding(lengths: np.ndarray, T: int) -> np.ndarray:
    """Which steps are padding: bool (N, T)."""
    return np.arange(T) >= lengths[:, None]


def place(s: int, t: int, T: int, lengths: np.ndarray | None) -> tuple[slice | np.ndarray, int | np.ndarray]:
    """Where step t of direction s stands in input time: an index into arrays (N, T, ...), to read x and to write y.

    Direction 1 reads each row from its last valid step to its first, then its padding.
    """
    if s == 0:
        return slice(None), t
    if lengths is None:
        return slice(None), T - 1 - t
    return np.arange(len(lengths)), np.where(t < lengths, lengths - 1 - t, t)


def rows_by_last_step(lengths: np.ndarray | None) -> dict[int, np.ndarray]:
    """Which rows end at which step of processing, -1 for rows of length 0; nothing where lengths is None."""
    if lengths is None:
        return {}
    return {int(length) - 1: np.flatnonzero(lengths == length) for length in np.unique(lengths)}
