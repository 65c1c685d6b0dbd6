"""A cell through time, for any cell: backpropagation through time, and both directions.

lstm.py and bidirectional.py write this out for the LSTM, whose state is a pair. Here it stands once more for a state of
any parts, so that the cell is the only thing that rnn.py, gru.py and lstm_variants.py have to say.

    state                           a tuple of arrays (N, .); the first is h (N, R), which is also the output
    params                          a NamedTuple that begins with Wx (D, K), Wh (R, K), b (K,); what follows may be None
    step_forward(x_t, *state, params)       -> *new state, cache
    step_forward(x_t, *state, params, mask) -> *new state, cache      where there is a mask, the same at every step
    step_backward(*dstate, cache)           -> dx_t, *dstate_prev, grads

So an LSTM is recurrent_forward(lstm_step_forward, x, (h0, c0), params), a GRU recurrent_forward(gru_step_forward, x,
(h0,), params).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from npbilstm.textbook.sequences import check_lengths, flip, require_shape, valid_steps

State = tuple[np.ndarray, ...]


class RecurrentCache(NamedTuple):
    """What BPTT needs: the cache of every step, which steps of which rows are valid (N, T), state_0 and the params."""

    steps: list[Any]
    valid: np.ndarray
    state_0: State
    params: Any


class BidirectionalRecurrentCache(NamedTuple):
    """What the backward pass needs: each direction's cache, and the lengths for the flips."""

    forward: RecurrentCache
    reverse: RecurrentCache
    lengths: np.ndarray | None


def recurrent_forward(
    step_forward: Callable[..., Any],
    x: np.ndarray,
    state: State,
    params: Any,
    lengths: np.ndarray | None = None,
    mask: np.ndarray | None = None,
) -> tuple[np.ndarray, State, RecurrentCache]:
    """A cell over a batch of sequences.

        state_t = step(x_t, state_{t-1})     for t = 0 .. T-1, the same params and the same mask at every step
        y_t     = the first part of state_t

    At a padded step the state is held and the output is 0. So state_T is the state after each row's last valid step,
    and what stands in the padding, NaN even, is never seen.

    x (N, T, D), state: arrays (N, .), lengths (N,) or None for all T, mask (N, R) or None
    -> y (N, T, R), state_T, cache.

    Raises TypeError where state is not a tuple, ValueError where a shape does not fit, and as check_lengths does.
    """
    require_parts_fit(x, state, params, mask)
    N, T, _ = x.shape
    R = state[0].shape[1]
    valid = valid_steps(check_lengths(lengths, N, T), T)  # (N, T)
    x = np.where(valid[:, :, None], x, 0)
    masks = () if mask is None else (mask,)
    y = np.zeros((N, T, R), np.result_type(x, *state, *present(params), *masks))
    state_t = tuple(state)
    steps = []
    for t in range(T):
        v = valid[:, t, None]  # (N, 1)
        *state_new, cache = step_forward(x[:, t], *state_t, params, *masks)
        for k, (new, held) in enumerate(zip(state_new, state_t)):
            require_shape(f"state[{k}]", held, new.shape)
        state_t = tuple(np.where(v, new, held) for new, held in zip(state_new, state_t))
        y[:, t] = np.where(v, state_new[0], 0)
        steps.append(cache)
    return y, state_t, RecurrentCache(steps, valid, tuple(state), params)


def recurrent_backward(
    step_backward: Callable[..., Any], dy: np.ndarray, dstate_T: State, cache: RecurrentCache
) -> tuple[np.ndarray, State, Any]:
    """Backpropagation through time, given dy (N, T, R), and dstate_T, the gradients of the final state's parts.

        dh_t = dy[:, t] + dh_next                   the loss sees h_t, and so does the next step
        dx[:, t], *dstate_next, grads_t = step_backward(dh_t, the other parts of dstate_next)     for t = T-1 .. 0
        grads = sum_t grads_t                       the params are used at every step

    dh_next is the first part of dstate_next, which starts as dstate_T and ends as dstate_0.

    A padded step held the state, so the state's gradient passes through it unchanged, and its dx is 0.

    -> dx (N, T, D), dstate_0 shaped as the state, grads with the structure of params.

    Raises TypeError where dstate_T is not a tuple, ValueError where a shape does not fit.
    """
    steps, valid, state_0, params = cache
    N, T = valid.shape
    D, R = params.Wx.shape[0], state_0[0].shape[1]
    require_shape("dy", dy, (N, T, R))
    require_parts("dstate_T", dstate_T, len(state_0))
    for k, (dpart, part) in enumerate(zip(dstate_T, state_0)):
        require_shape(f"dstate_T[{k}]", dpart, part.shape)
    dy = np.where(valid[:, :, None], dy, 0)
    dx = np.zeros((N, T, D), np.result_type(dy, *dstate_T, *present(params)))
    grads = params._make(None if p is None else np.zeros_like(p, dtype=dx.dtype) for p in params)
    dstate_next = tuple(dstate_T)
    for t in reversed(range(T)):
        v = valid[:, t, None]  # (N, 1)
        dh_next, *dothers = (np.where(v, dpart, 0) for dpart in dstate_next)
        dx[:, t], *dstate_prev, grads_t = step_backward(dy[:, t] + dh_next, *dothers, steps[t])
        dstate_next = tuple(np.where(v, prev, held) for prev, held in zip(dstate_prev, dstate_next))
        grads = params._make(None if total is None else total + here for total, here in zip(grads, grads_t))
    return dx, dstate_next, grads


def bidirectional_recurrent_forward(
    step_forward: Callable[..., Any],
    x: np.ndarray,
    state: State,
    params: tuple[Any, Any],
    lengths: np.ndarray | None = None,
    mask: np.ndarray | None = None,
) -> tuple[np.ndarray, State, BidirectionalRecurrentCache]:
    """Two cells over a batch of sequences, one reading forward, one in reverse, joined at each time step.

        y_fwd = recurrent(x)
        y_rev = flip(recurrent(flip(x)))
        y     = [y_fwd, y_rev]

    The first axis of the state's parts and of the mask is the direction, forward then reverse.

    x (N, T, D), state: arrays (2, N, .), params a pair, lengths (N,) or None for all T, mask (2, N, R) or None
    -> y (N, T, 2R), state_T, cache.

    Raises as recurrent_forward does.
    """
    require_parts("state", state)
    for name, array in [*((f"state[{k}]", part) for k, part in enumerate(state)), ("mask", mask)]:
        if array is not None and (array.ndim != 3 or array.shape[:2] != (2, len(x))):
            raise ValueError(f"{name} has shape {array.shape}; it needs (2, {len(x)}, .), forward then reverse")
    lengths = None if lengths is None else check_lengths(lengths, len(x), x.shape[1])
    mask_fwd, mask_rev = (None, None) if mask is None else mask
    state_fwd, state_rev = zip(*state)
    y_fwd, fwd_T, cache_fwd = recurrent_forward(step_forward, x, state_fwd, params[0], lengths, mask_fwd)
    y_rev, rev_T, cache_rev = recurrent_forward(step_forward, flip(x, lengths), state_rev, params[1], lengths, mask_rev)
    y = np.concatenate([y_fwd, flip(y_rev, lengths)], axis=2)  # (N, T, 2R)
    state_T = tuple(np.stack(both) for both in zip(fwd_T, rev_T))
    return y, state_T, BidirectionalRecurrentCache(cache_fwd, cache_rev, lengths)


def bidirectional_recurrent_backward(
    step_backward: Callable[..., Any], dy: np.ndarray, dstate_T: State, cache: BidirectionalRecurrentCache
) -> tuple[np.ndarray, State, tuple[Any, Any]]:
    """Gradients of both directions, given dy (N, T, 2R), and dstate_T, arrays (2, N, .).

        dy_fwd, dy_rev = the two halves of dy
        dx             = recurrent_backward(dy_fwd) + flip(recurrent_backward(flip(dy_rev)))

    -> dx (N, T, D), dstate_0 shaped as the state, the pair of grads.

    Raises TypeError where dstate_T is not a tuple, ValueError where a shape does not fit.
    """
    forward, reverse, lengths = cache
    N, T = forward.valid.shape
    R = forward.state_0[0].shape[1]
    require_shape("dy", dy, (N, T, 2 * R))
    require_parts("dstate_T", dstate_T, len(forward.state_0))
    for k, (dpart, part) in enumerate(zip(dstate_T, forward.state_0)):
        require_shape(f"dstate_T[{k}]", dpart, (2, *part.shape))
    dy_fwd, dy_rev = np.split(dy, 2, axis=2)  # each (N, T, R)
    dfwd_T, drev_T = zip(*dstate_T)
    dx_fwd, dfwd_0, grads_fwd = recurrent_backward(step_backward, dy_fwd, dfwd_T, forward)
    dx_rev, drev_0, grads_rev = recurrent_backward(step_backward, flip(dy_rev, lengths), drev_T, reverse)
    dx = dx_fwd + flip(dx_rev, lengths)
    dstate_0 = tuple(np.stack(both) for both in zip(dfwd_0, drev_0))
    return dx, dstate_0, (grads_fwd, grads_rev)


def present(params: Any) -> list[np.ndarray]:
    """The params that are there: not None."""
    return [p for p in params if p is not None]


def require_parts(name: str, state: Any, count: int | None = None) -> None:
    """Raise TypeError unless the state is a tuple, of one part even: an array would be taken apart row by row.

    Raises ValueError where it has no part, or not `count` of them.
    """
    if not isinstance(state, (tuple, list)):
        raise TypeError(f"{name} is {type(state).__name__}; it needs a tuple of arrays, (h,) or (h, c)")
    if count is None and not state:
        raise ValueError(f"{name} has 0 parts; it needs at least h")
    if count is not None and len(state) != count:
        raise ValueError(f"{name} has {len(state)} parts; it needs {count}, as the state has")


def require_parts_fit(x: np.ndarray, state: State, params: Any, mask: np.ndarray | None) -> None:
    """Raise TypeError or ValueError, naming the argument, unless the shapes of inputs and params belong together."""
    require_parts("state", state)
    if x.ndim != 3:
        raise ValueError(f"x has shape {x.shape}; it needs three axes (N, T, D)")
    N, _, D = x.shape
    for k, part in enumerate(state):
        if part.ndim != 2 or len(part) != N:
            raise ValueError(f"state[{k}] has shape {part.shape}; it needs ({N}, .)")
    R, K = state[0].shape[1], params.Wx.shape[1]
    require_shape("Wx", params.Wx, (D, K))
    require_shape("Wh", params.Wh, (R, K))
    require_shape("b", params.b, (K,))
    if mask is not None:
        require_shape("mask", mask, (N, R))
