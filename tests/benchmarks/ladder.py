"""The ladder from the textbook to the engine, a rung for each section of tutorials/guides/engine.md.

Every rung is a training step of one direction: (x, dy, lengths, params) -> y, dx, grads, from a state of 0; tests hold
it equal to the textbook's. Letters as there; A (T+1, 5, N, H) holds the gates o, i, f, g of each step and the c before
it, Z (T+1, N, K) = [h 1 x].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy import add, matmul, multiply, subtract, tanh

from npbilstm import textbook
from npbilstm.engine import lstm_cell, recurrent_backward, recurrent_forward
from npbilstm.engine.tiles import product_views, tile_width
from npbilstm.textbook import LSTMParams

Array = np.ndarray
Answer = tuple[Array, Array, LSTMParams]

BLOCK_ROWS = 512


def loop_over_rows(x: Array, dy: Array, lengths: Array, params: LSTMParams) -> Answer:
    """One row, one step, one gate at a time."""
    H = len(params.Wh)
    Wx, Wh = (W.reshape(-1, 4, H).transpose(1, 2, 0) for W in params[:2])
    gates, zero = textbook.GateParams(Wx, Wh, params.b.reshape(4, H)), np.zeros(H, x.dtype)
    y, dx, grads = np.zeros((*x.shape[:2], H), x.dtype), np.zeros_like(x), [np.zeros_like(part) for part in gates]
    for n, length in enumerate(lengths):
        hs, _, caches = textbook.sequence_lstm_forward(list(x[n, :length]), zero, zero, gates)
        dxs, _, _, of_row = textbook.sequence_lstm_backward(list(dy[n, :length]), zero, caches, gates)
        y[n, :length], dx[n, :length] = np.reshape(hs, (-1, H)), np.reshape(dxs, (-1, x.shape[-1]))
        grads = [total + here for total, here in zip(grads, of_row)]
    return y, dx, textbook.fuse(textbook.GateParams(*grads))


def batch(x: Array, dy: Array, lengths: Array, params: LSTMParams) -> Answer:
    """The textbook's LSTM."""
    zero = np.zeros((len(x), len(params.Wh)), x.dtype)
    y, _, _, cache = textbook.lstm_forward(x, zero, zero, params, lengths)
    dx, _, _, grads = textbook.lstm_backward(dy, zero, zero, cache)
    return y, dx, grads


def one_product(x: Array, dy: Array, lengths: Array, params: LSTMParams) -> Answer:
    """a = [h 1 x] W and one tanh; backward a step at a time, dz = da W^T."""
    return backward_by_steps(dy, forward(x, lengths, params, in_tiles=False), in_tiles=False)


def tiles(x: Array, dy: Array, lengths: Array, params: LSTMParams) -> Answer:
    """The same with W and Wh^T in tiles."""
    return backward_by_steps(dy, forward(x, lengths, params, in_tiles=True), in_tiles=True)


def blocks(x: Array, dy: Array, lengths: Array, params: LSTMParams) -> Answer:
    """The same, backward in blocks of steps: local derivatives before a block's loop, dW and dx after it."""
    return backward_by_blocks(dy, forward(x, lengths, params, in_tiles=True))


def no_masks(x: Array, dy: Array, lengths: Array, params: LSTMParams) -> Answer:
    """The same; padded steps are computed like all others."""
    return backward_by_blocks(dy, forward(x, lengths, params, in_tiles=True, masks=False))


def tanh_again(x: Array, dy: Array, lengths: Array, params: LSTMParams) -> Answer:
    """The same; backward makes tanh(c) and h again, and Z is as long as a block."""
    return backward_by_blocks(dy, forward(x, lengths, params, in_tiles=True, masks=False, keep=False))


def engine(x: Array, dy: Array, lengths: Array, params: LSTMParams) -> Answer:
    """npbilstm's own: all of it, in memory that is made once."""
    zero = np.zeros((1, len(x), len(params.Wh)), x.dtype)
    equal = None if (lengths == x.shape[1]).all() else lengths
    y, _, cache = recurrent_forward(lstm_cell(), x, [zero, zero], [params._asdict()], equal)
    assert cache is not None
    dx, _, grads = recurrent_backward(dy[:, :, None], [zero, zero], cache)
    return y[:, :, 0], dx, LSTMParams(**grads[0])


RUNGS: dict[str, Callable[[Array, Array, Array, LSTMParams], Answer]] = {
    "a loop over rows": loop_over_rows,
    "a batch, and the gates side by side": batch,
    "one product, one tanh": one_product,
    "weights in tiles": tiles,
    "what needs no recurrence leaves the loop": blocks,
    "no masks on the states": no_masks,
    "tanh(c) is made again": tanh_again,
    "all of these in the engine, in one thread": engine,
    "a second thread for the gradients": engine,
}
"""By the headings of the guide; with several threads the engine takes the last rung by itself."""


class Passed(NamedTuple):
    """What backward has of a forward pass; Z and tanh_c are None where they are to be made again."""

    x: Array
    y: Array
    A: Array
    valid: Array
    W: Array
    masks: bool
    Z: Array | None
    tanh_c: Array | None


def steps_to_a_block(N: int, T: int) -> int:
    return min(T, max(1, BLOCK_ROWS // N))


def tiled(W: Array, w: int) -> Array:
    """W (K, width) as (width/w, 1, K, w)."""
    return W.reshape(len(W), -1, w).swapaxes(0, 1)[:, None].copy()


def forward(
    x: Array, lengths: Array, params: LSTMParams, in_tiles: bool, masks: bool = True, keep: bool = True
) -> Passed:
    """All steps; the gates of a step stand side by side, (N, 5 H), or where W is in tiles each by itself."""
    (N, T, _), H = x.shape, len(params.Wh)
    valid = np.arange(T) < lengths[:, None]  # (N, T)
    x = np.where(valid[:, :, None], x, 0)
    i_f_g_o = np.concatenate([params.Wh, params.b[None], params.Wx])  # (K, 4H)
    W = np.concatenate([i_f_g_o[:, 3 * H :], i_f_g_o[:, : 3 * H]], axis=1)
    halved = W * np.repeat(np.array([0.5, 0.5, 0.5, 1], W.dtype), H)
    size = T if keep else steps_to_a_block(N, T)
    Z, y = np.empty((size + 1, N, len(W)), x.dtype), np.zeros((N, T, H), x.dtype)
    Z[0, :, :H], Z[..., H] = 0, 1
    A = np.empty((T + 1, 5, N, H) if in_tiles else (T + 1, N, 5, H), x.dtype)
    A = A if in_tiles else A.swapaxes(1, 2)
    A[0, 4] = 0
    tanh_c, terms = np.empty((T if keep else 1, N, H), x.dtype), np.empty((2, N, H), x.dtype)
    w = tile_width(H)
    W_tiles = tiled(halved, w).reshape(4, H // w, 1, -1, w)
    for start in range(0, T, size):
        count = min(size, T - start)
        Z[:count, :, H + 1 :] = x[:, start : start + count].swapaxes(0, 1)
        for k in range(count):
            t, h = start + k, Z[k + 1, :, :H]
            now, tanh_c_t = A[t], tanh_c[t if keep else 0]
            a, c = now[:4], A[t + 1, 4]
            if in_tiles:
                z, places = product_views(Z[k], W_tiles, a)
                matmul(z, W_tiles, places)
            else:
                matmul(Z[k], halved, a.swapaxes(0, 1).reshape(N, 4 * H))
            tanh(a, a)
            multiply(now[:3], 0.5, now[:3])
            add(now[:3], 0.5, now[:3])
            multiply(now[1:3], now[3:], terms)  # [i f] [g c]
            add(terms[0], terms[1], c)
            tanh(c, tanh_c_t)
            multiply(now[0], tanh_c_t, h)
            if masks:
                v = valid[:, t, None]
                h[...] = np.where(v, h, Z[k, :, :H])
                c[...] = np.where(v, c, now[4])
                y[:, t] = np.where(v, h, 0)
        if not masks:
            y[:, start : start + count] = Z[1 : count + 1, :, :H].swapaxes(0, 1)
        Z[0, :, :H] = Z[count, :, :H] if not keep else 0
    if not masks:
        y[~valid] = 0
    return Passed(x, y, A, valid, W, masks, Z if keep else None, tanh_c if keep else None)


def backward_by_steps(dy: Array, passed: Passed, in_tiles: bool) -> Answer:
    """The textbook's equations, with da = [da_o da_i da_f da_g] and dW = Z^T da."""
    (N, T, H), W, Z, all_tanh_c = dy.shape, passed.W, passed.Z, passed.tanh_c
    assert Z is not None
    assert all_tanh_c is not None
    dW, dx, da = np.zeros_like(W), np.empty_like(passed.x), np.empty((N, 4, H), W.dtype)
    dh, dc = np.zeros((2, N, H), W.dtype)
    w = tile_width(H)
    WhT = tiled(W[:H].T, w)
    da_rows = da.reshape(N, 4 * H)
    for t in reversed(range(T)):
        v, tanh_c, (o, i, f, g, c_prev) = passed.valid[:, t, None], all_tanh_c[t], passed.A[t]
        dh_t, dc_t = np.where(v, dy[:, t] + dh, 0), np.where(v, dc, 0)
        dc_t = dc_t + dh_t * o * (1 - tanh_c * tanh_c)
        da[:, 0] = dh_t * tanh_c * o * (1 - o)
        da[:, 1] = dc_t * g * i * (1 - i)
        da[:, 2] = dc_t * c_prev * f * (1 - f)
        da[:, 3] = dc_t * i * (1 - g * g)
        dW += Z[t].T @ da_rows
        if in_tiles:
            dh_prev = np.empty((N, H), W.dtype)
            rows, places = product_views(da_rows, WhT, dh_prev)
            matmul(rows, WhT, places)
            dx[:, t] = da_rows @ W[H + 1 :].T
        else:
            dz = da_rows @ W.T
            dh_prev, dx[:, t] = dz[:, :H], dz[:, H + 1 :]
        dh, dc = np.where(v, dh_prev, dh), np.where(v, dc_t * f, dc)
    return passed.y, dx, named(dW, H)


def backward_by_blocks(dy: Array, passed: Passed) -> Answer:
    """da = F dh or F dc with the factors F of a whole block; of all its da, one product for dW and one for dx."""
    (N, T, H), W, D = dy.shape, passed.W, passed.x.shape[-1]
    dW, dx = np.zeros_like(W), np.empty_like(passed.x)
    dh, dc, dh_prev = np.zeros((3, N, H), W.dtype)
    w, size = tile_width(H), steps_to_a_block(N, T)
    WhT = tiled(W[:H].T, w)
    dy_by_step = np.where(passed.valid[:, :, None], dy, 0).swapaxes(0, 1)
    all_da, all_F = np.empty((size, N, 4, H), W.dtype), np.empty((size, 4, N, H), W.dtype)
    all_F_c = np.empty((size, N, H), W.dtype)
    for start in reversed(range(0, T, size)):
        stop = min(T, start + size)
        A, da = passed.A[start:stop], all_da[: stop - start]
        tanh_c = tanh(passed.A[start + 1 : stop + 1, 4]) if passed.tanh_c is None else passed.tanh_c[start:stop]
        o, f = A[:, 0], A[:, 2]
        F, F_c = all_F[: stop - start], all_F_c[: stop - start]
        local_derivatives(A, tanh_c, F, F_c)
        for t in reversed(range(len(da))):
            v = passed.valid[:, start + t, None]
            add(dh, dy_by_step[start + t], dh)
            if passed.masks:
                dh_next, dc_next = dh.copy(), dc.copy()
                dh[...], dc[...] = np.where(v, dh, 0), np.where(v, dc, 0)
            multiply(F[t, 0], dh, da[t, :, 0])
            multiply(F_c[t], dh, dh)
            add(dc, dh, dc)
            multiply(F[t, 1:], dc, da[t, :, 1:].swapaxes(0, 1))
            multiply(f[t], dc, dc)
            rows, places = product_views(da[t].reshape(N, 4 * H), WhT, dh_prev)
            matmul(rows, WhT, places)
            dh, dh_prev = dh_prev, dh
            if passed.masks:
                dh[...], dc[...] = np.where(v, dh, dh_next), np.where(v, dc, dc_next)
        x = passed.x[:, start:stop].swapaxes(0, 1)
        if passed.Z is None:  # h_{t-1} = o tanh(c) of the step before
            Z = np.ones((*da.shape[:2], len(W)), W.dtype)
            Z[1:, :, :H], Z[..., H + 1 :] = o[:-1] * tanh_c[:-1], x
            Z[0, :, :H] = passed.A[start - 1, 0] * tanh(passed.A[start, 4]) if start else 0
        else:
            Z = passed.Z[start:stop]
        rows = da.reshape(-1, 4 * H)
        dW += Z.reshape(len(rows), -1).T @ rows
        dx[:, start:stop] = (rows @ W[H + 1 :].T).reshape(-1, N, D).swapaxes(0, 1)
    return passed.y, dx, named(dW, H)


def local_derivatives(A: Array, tanh_c: Array, F: Array, F_c: Array) -> None:
    """Fill F (n, 4, N, H), the factors of o, i, f, g, and F_c = o (1 - tanh(c)^2), each in few passes over memory."""
    oif, o, i, g, g_c = A[:, :3], A[:, 0], A[:, 1], A[:, 3], A[:, 3:]
    subtract(1, oif, F[:, :3])
    multiply(F[:, :3], oif, F[:, :3])  # the sigmoids' s (1 - s)
    multiply(F[:, 0], tanh_c, F[:, 0])
    multiply(F[:, 1:3], g_c, F[:, 1:3])
    for y, times, out in [(g, i, F[:, 3]), (tanh_c, o, F_c)]:
        multiply(y, y, out)
        subtract(1, out, out)
        multiply(out, times, out)


def named(dW: Array, H: int) -> LSTMParams:
    """The rows of h, 1 and x in dW, its gates o, i, f, g back in the order i, f, g, o."""
    dW = np.concatenate([dW[:, H:], dW[:, :H]], axis=1)
    return LSTMParams(dW[H + 1 :], dW[:H], dW[H])
