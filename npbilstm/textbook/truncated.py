"""Truncated backpropagation through time: a long sequence is read window by window (Williams & Peng 1990).

The state goes on from one window to the next; its gradient does not. So memory and work of a backward pass are those of
one window, and what lies further back than its beginning is not learned from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from npbilstm.textbook.recurrence import RecurrentCache, State, recurrent_backward, recurrent_forward


class TruncatedCache(NamedTuple):
    """What the backward pass needs: each window's cache, and how many steps a window has."""

    windows: list[RecurrentCache]
    window: int


def truncated_forward(
    step_forward: Callable[..., Any], x: np.ndarray, state: State, params: Any, window: int
) -> tuple[np.ndarray, State, TruncatedCache]:
    """A cell over a batch of sequences, window by window.

        y[:, start : start + window], state = recurrent(x[:, start : start + window], state)
                                                                    for start = 0, window, 2 window, ...

    The last window may be shorter. The outputs are those of recurrent_forward: only the way back is cut.

    x (N, T, D), state: arrays (N, .) -> y (N, T, R), state_T, cache.

    Raises ValueError where window is not at least 1, and as recurrent_forward does.
    """
    if window < 1:
        raise ValueError(f"window is {window}; it needs to be at least 1")
    ys, caches = [], []
    for start in range(0, max(x.shape[1], 1), window):
        y, state, cache = recurrent_forward(step_forward, x[:, start : start + window], state, params)
        ys.append(y)
        caches.append(cache)
    return np.concatenate(ys, axis=1), state, TruncatedCache(caches, int(window))


def truncated_backward(
    step_backward: Callable[..., Any], dy: np.ndarray, dstate_T: State, cache: TruncatedCache
) -> tuple[np.ndarray, State, Any]:
    """The truncated gradients, given dy (N, T, R), and dstate_T, the gradients of the final state's parts.

        dx_w, dstate, grads_w = recurrent_backward(dy_w, dstate)    for the last window w to the first
        dstate = 0                                                  before each window but the last: there it is cut
        grads  = sum_w grads_w

    They are no derivatives of the outputs, unless one window holds all steps: a gradient check says that they are
    wrong, and is right. dstate_0 is what the first window alone gives.

    -> dx (N, T, D), dstate_0 shaped as the state, grads with the structure of params.
    """
    windows, window = cache
    dxs: list[np.ndarray] = []
    dstate, grads = dstate_T, None
    for k in reversed(range(len(windows))):
        dy_w = dy[:, k * window : (k + 1) * window]
        dx, dstate_0, grads_w = recurrent_backward(step_backward, dy_w, dstate, windows[k])
        dxs.insert(0, dx)
        dstate = tuple(np.zeros_like(part) for part in dstate_0)
        grads = grads_w if grads is None else grads._make(total + here for total, here in zip(grads, grads_w))
    return np.concatenate(dxs, axis=1), dstate_0, grads


def backward_from_each_step(step_backward: Callable[..., Any], dy: np.ndarray, caches: list[Any], reach: int) -> Any:
    """The gradients truncated in another way, given dy (N, T, R): each step's part of the loss goes back by itself.

        dh_k    = dy[:, t]                                          for k = t
        dh_prev, grads_k = step_backward(dh_k)                      for k = t .. t - reach, and no further than 0
        dh_k    = dh_prev                                           for the step before
        grads   = sum over t and k of grads_k

    A step is walked through reach + 1 times at most, so no part of the loss is cut shorter than another, as it is by
    windows. caches: of each step of a cell whose state is h alone.

    -> grads with the structure of params.
    """
    T, params = len(caches), caches[0].params
    grads = params._make(np.zeros_like(p) for p in params)
    for t in reversed(range(T)):
        dh_k = dy[:, t]
        for k in range(t, max(t - reach, 0) - 1, -1):
            _, dh_prev, grads_k = step_backward(dh_k, caches[k])
            grads = params._make(total + here for total, here in zip(grads, grads_k))
            dh_k = dh_prev
    return grads
