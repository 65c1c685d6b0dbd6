# npbilstm: gates=fico weights=(4,H,D) x=(T,D,N) b=(4,H,1)
"""A bidirectional LSTM as somebody else would write it: right, and as unlike the textbook as it can be.

One matrix per gate, stacked: Wx (4, H, D), Wh (4, H, H), b (4, H, 1), in the order forget, input, candidate, output.
A batch is columns: one step (D, N), a sequence (T, D, N), a state (H, N), that of both directions (2, H, N),
y (T, 2H, N). The sequence has the equations in its own loop; nothing is shared with the single step, nor with npbilstm.
"""

import numpy as np


def lstm_step_forward(x, h_prev, c_prev, Wx, Wh, b):
    forget, enter, cand, show = (Wx[k] @ x + Wh[k] @ h_prev + b[k] for k in range(4))
    forget = 1 / (1 + np.exp(-forget))
    enter = 1 / (1 + np.exp(-enter))
    cand = np.tanh(cand)
    show = 1 / (1 + np.exp(-show))
    c = forget * c_prev + enter * cand
    h = show * np.tanh(c)
    return h, c, (x, h_prev, c_prev, c, forget, enter, cand, show, Wx, Wh)


def lstm_step_backward(dh, dc, cache):
    x, h_prev, c_prev, c, forget, enter, cand, show, Wx, Wh = cache
    dshow = dh * np.tanh(c) * show * (1 - show)
    dcell = dc + dh * show * (1 - np.tanh(c) ** 2)
    dforget = dcell * c_prev * forget * (1 - forget)
    denter = dcell * cand * enter * (1 - enter)
    dcand = dcell * enter * (1 - cand**2)
    dc_prev = dcell * forget
    dx = Wx[0].T @ dforget + Wx[1].T @ denter + Wx[2].T @ dcand + Wx[3].T @ dshow
    dh_prev = Wh[0].T @ dforget + Wh[1].T @ denter + Wh[2].T @ dcand + Wh[3].T @ dshow
    dz = np.stack([dforget, denter, dcand, dshow])
    dWx = np.stack([d @ x.T for d in dz])
    dWh = np.stack([d @ h_prev.T for d in dz])
    db = dz.sum(axis=2, keepdims=True)
    return dx, dh_prev, dc_prev, dWx, dWh, db


def lstm_forward(x, h0, c0, Wx, Wh, b, lengths=None):
    T, N = len(x), x.shape[-1]
    H = len(h0)
    live = np.arange(T)[:, None] < (np.full(N, T) if lengths is None else np.asarray(lengths))
    x = np.where(live[:, None], x, 0)
    S = np.zeros((T + 1, H, N), dtype=np.result_type(x, h0, c0, Wx, Wh, b))
    M = np.zeros_like(S)
    A = np.zeros((T, 4, H, N), dtype=S.dtype)
    h = np.zeros((T, H, N), dtype=S.dtype)
    S[0] = h0
    M[0] = c0
    for t in range(T):
        f = 1 / (1 + np.exp(-(Wx[0] @ x[t] + Wh[0] @ S[t] + b[0])))
        i = 1 / (1 + np.exp(-(Wx[1] @ x[t] + Wh[1] @ S[t] + b[1])))
        u = np.tanh(Wx[2] @ x[t] + Wh[2] @ S[t] + b[2])
        o = 1 / (1 + np.exp(-(Wx[3] @ x[t] + Wh[3] @ S[t] + b[3])))
        m = f * M[t] + i * u
        s = o * np.tanh(m)
        A[t] = f, i, u, o
        M[t + 1] = np.where(live[t], m, M[t])
        S[t + 1] = np.where(live[t], s, S[t])
        h[t] = np.where(live[t], s, 0)
    return h, S[T], M[T], (x, S, M, A, live, Wx, Wh)


def lstm_backward(dh, dh_T, dc_T, cache):
    x, S, M, A, live, Wx, Wh = cache
    dx = np.zeros(x.shape, dtype=np.result_type(dh, dh_T, dc_T, S))
    dWx = np.zeros(Wx.shape, dtype=dx.dtype)
    dWh = np.zeros(Wh.shape, dtype=dx.dtype)
    db = np.zeros((4, len(dh_T), 1), dtype=dx.dtype)
    sbar = dh_T
    mbar = dc_T
    for t in range(len(x) - 1, -1, -1):
        f, i, u, o = A[t]
        th = np.tanh(M[t + 1])
        ds = np.where(live[t], dh[t] + sbar, 0)
        dm = np.where(live[t], mbar, 0)
        dm = dm + ds * o * (1 - th**2)
        zf = dm * M[t] * f * (1 - f)
        zi = dm * u * i * (1 - i)
        zu = dm * i * (1 - u**2)
        zo = ds * th * o * (1 - o)
        for k, z in enumerate((zf, zi, zu, zo)):
            dWx[k] += z @ x[t].T
            dWh[k] += z @ S[t].T
        db += np.stack([zf, zi, zu, zo]).sum(axis=2, keepdims=True)
        dx[t] = Wx[0].T @ zf + Wx[1].T @ zi + Wx[2].T @ zu + Wx[3].T @ zo
        back = Wh[0].T @ zf + Wh[1].T @ zi + Wh[2].T @ zu + Wh[3].T @ zo
        sbar = np.where(live[t], back, sbar)
        mbar = np.where(live[t], dm * f, mbar)
    return dx, sbar, mbar, dWx, dWh, db


def bilstm_forward(x, h0, c0, forward, reverse, lengths=None):
    T, N = len(x), x.shape[-1]
    H = h0.shape[1]
    ends = [T] * N if lengths is None else [int(length) for length in lengths]
    left, left_h, left_c, left_cache = lstm_forward(x, h0[0], c0[0], *forward, lengths)
    mirror = np.zeros_like(x)
    for n, end in enumerate(ends):
        for t in range(end):
            mirror[t, :, n] = x[end - 1 - t, :, n]
    right, right_h, right_c, right_cache = lstm_forward(mirror, h0[1], c0[1], *reverse, lengths)
    y = np.zeros((T, 2 * H, N), dtype=np.result_type(left, right))
    y[:, :H] = left
    for n, end in enumerate(ends):
        for t in range(end):
            y[t, H:, n] = right[end - 1 - t, :, n]
    return y, np.array([left_h, right_h]), np.array([left_c, right_c]), (left_cache, right_cache, ends)


def bilstm_backward(dy, dh_T, dc_T, cache):
    left_cache, right_cache, ends = cache
    H = dh_T.shape[1]
    dleft = dy[:, :H]
    dright = np.zeros_like(dleft)
    for n, end in enumerate(ends):
        for t in range(end):
            dright[t, :, n] = dy[end - 1 - t, H:, n]
    dx, dh0_left, dc0_left, *dforward = lstm_backward(dleft, dh_T[0], dc_T[0], left_cache)
    dmirror, dh0_right, dc0_right, *dreverse = lstm_backward(dright, dh_T[1], dc_T[1], right_cache)
    for n, end in enumerate(ends):
        for t in range(end):
            dx[t, :, n] += dmirror[end - 1 - t, :, n]
    return dx, np.array([dh0_left, dh0_right]), np.array([dc0_left, dc0_right]), tuple(dforward), tuple(dreverse)
