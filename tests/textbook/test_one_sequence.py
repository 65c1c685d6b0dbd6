import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm.textbook import (
    BiLSTMParams,
    GateParams,
    bilstm_backward,
    bilstm_forward,
    fuse,
    lstm_backward,
    lstm_forward,
    sequence_bilstm_backward,
    sequence_bilstm_forward,
    sequence_lstm_backward,
    sequence_lstm_forward,
)
from tests.cases import assert_close


def gate_params(rng, D, H):
    return GateParams(*(0.5 * rng.standard_normal(shape) for shape in [(4, H, D), (4, H, H), (4, H)]))


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 4), st.integers(0, 999))
def test_the_loop_over_one_sequence_equals_the_batch_forward_and_backward(T, D, H, seed):
    rng = np.random.default_rng(seed)
    params = gate_params(rng, D, H)
    x, h0, c0, dh, dc_T = (rng.standard_normal(s) for s in [(T, D), (H,), (H,), (T, H), (H,)])
    hs, c_T, caches = sequence_lstm_forward(list(x), h0, c0, params)
    dxs, dh0, dc0, grads = sequence_lstm_backward(list(dh), dc_T, caches, params)

    h, _, c_T_batch, cache = lstm_forward(x[None], h0[None], c0[None], fuse(params))
    dx, dh0_batch, dc0_batch, grads_batch = lstm_backward(dh[None], np.zeros((1, H)), dc_T[None], cache)
    assert_close(np.stack(hs), h[0])
    assert_close([c_T], c_T_batch)
    assert_close(np.stack(dxs), dx[0])
    assert_close([dh0, dc0], [dh0_batch[0], dc0_batch[0]])
    for one, other in zip(fuse(grads), grads_batch):
        assert_close(one, other)


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 4), st.integers(0, 999))
def test_two_loops_equal_the_bidirectional_batch_forward_and_backward(T, D, H, seed):
    rng = np.random.default_rng(seed)
    fwd, rev = gate_params(rng, D, H), gate_params(rng, D, H)
    x, dy = rng.standard_normal((T, D)), rng.standard_normal((T, 2 * H))
    ys, caches = sequence_bilstm_forward(list(x), fwd, rev)
    dxs, grads_fwd, grads_rev = sequence_bilstm_backward(list(dy), caches, fwd, rev)

    zero = np.zeros((2, 1, H))
    y, _, _, cache = bilstm_forward(x[None], zero, zero, BiLSTMParams(fuse(fwd), fuse(rev)))
    dx, _, _, grads = bilstm_backward(dy[None], zero, zero, cache)
    assert_close(np.stack(ys), y[0])
    assert_close(np.stack(dxs), dx[0])
    for ours, theirs in [(grads_fwd, grads.forward), (grads_rev, grads.reverse)]:
        for one, other in zip(fuse(ours), theirs):
            assert_close(one, other)


def test_a_gradient_for_each_step_is_needed():
    params = gate_params(np.random.default_rng(0), 2, 3)
    hs, c_T, caches = sequence_lstm_forward([np.ones(2)] * 3, np.zeros(3), np.zeros(3), params)
    with pytest.raises(ValueError, match="argument 2 is longer"):
        sequence_lstm_backward(hs[:2], c_T, caches, params)


@pytest.mark.parametrize("shape", [(), (1,), (1, 3), (2, 3)])
def test_a_state_that_would_broadcast_is_named(shape):
    params, wrong, h = gate_params(np.random.default_rng(0), 2, 3), np.zeros(shape), np.zeros(3)
    hs, _, caches = sequence_lstm_forward([np.ones(2)], h, h, params)
    for name, go_on in [
        ("h0", lambda: sequence_lstm_forward([np.ones(2)], wrong, h, params)),
        ("c0", lambda: sequence_lstm_forward([np.ones(2)], h, wrong, params)),
        ("dc_T", lambda: sequence_lstm_backward(hs, wrong, caches, params)),
    ]:
        with pytest.raises(ValueError, match=re.escape(f"{name} has shape {shape}; it needs (3,)")):
            go_on()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_the_loop_keeps_the_dtype(dtype):
    rng = np.random.default_rng(0)
    fwd, rev = (GateParams(*(p.astype(dtype) for p in gate_params(rng, 2, 3))) for _ in range(2))
    ys, caches = sequence_bilstm_forward(list(np.ones((4, 2), dtype)), fwd, rev)
    dxs, grads, _ = sequence_bilstm_backward(ys, caches, fwd, rev)
    assert {array.dtype for array in [*ys, *dxs, *grads]} == {np.dtype(dtype)}
