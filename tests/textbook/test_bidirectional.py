import numpy as np
from hypothesis import given

from npbilstm.textbook import BiLSTMParams, bilstm_backward, bilstm_forward, flip, lstm_forward
from tests.cases import assert_close, cases, make_case


@given(cases())
def test_tied_weights_on_reversed_input_swap_the_halves(case):
    """If both directions have the same weights, reading the reversed sequence only exchanges them."""
    params = BiLSTMParams(case.params.forward, case.params.forward)
    y, h_T, c_T, cache = bilstm_forward(case.x, case.h0, case.c0, params, case.lengths)
    x_r = flip(case.x, case.lengths)
    y_r, h_r, c_r, cache_r = bilstm_forward(x_r, case.h0[::-1], case.c0[::-1], params, case.lengths)
    H = case.h0.shape[2]
    swapped = np.concatenate([y[:, :, H:], y[:, :, :H]], axis=2)
    assert_close(y_r, flip(swapped, case.lengths))
    assert_close([h_r, c_r], [h_T[::-1], c_T[::-1]])
    dy_r = flip(np.concatenate([case.dy[:, :, H:], case.dy[:, :, :H]], axis=2), case.lengths)
    dx, dh0, dc0, grads = bilstm_backward(case.dy, case.dh_T, case.dc_T, cache)
    dx_r, dh0_r, dc0_r, grads_r = bilstm_backward(dy_r, case.dh_T[::-1], case.dc_T[::-1], cache_r)
    assert_close(flip(dx_r, case.lengths), np.where(np.isnan(dx), 0, dx))
    assert_close([dh0_r, dc0_r], [dh0[::-1], dc0[::-1]])
    for ours, theirs in zip(grads.forward, grads_r.reverse):
        assert_close(ours, theirs)


@given(cases())
def test_each_direction_knows_its_own_side_only(case):
    """Causality: changing step t changes the forward half from t on and the reverse half up to t, nothing else."""
    N, T, _ = case.x.shape
    H = case.h0.shape[2]
    t = T // 2
    changed = case.x.copy()
    changed[:, t] += 1.0
    before = bilstm_forward(case.x, case.h0, case.c0, case.params, case.lengths)[0]
    after = bilstm_forward(changed, case.h0, case.c0, case.params, case.lengths)[0]
    moved = before != after
    assert not moved[:, :t, :H].any()
    assert not moved[:, t + 1 :, H:].any()
    valid = np.full(N, True) if case.lengths is None else case.lengths > t
    assert moved[valid, t].any(axis=-1).all()


def test_the_final_state_of_the_reverse_direction_stands_at_step_0():
    case = make_case(lengths=[5, 3, 1])
    y, h_T, _, _ = bilstm_forward(case.x, case.h0, case.c0, case.params, case.lengths)
    assert np.array_equal(h_T[1], y[:, 0, 4:])
    assert np.array_equal(h_T[0], y[np.arange(3), case.lengths - 1, :4])
    assert not np.array_equal(h_T[1], y[:, -1, 4:])


def test_lengths_changed_after_the_forward_pass_do_not_mix_in():
    case = make_case(lengths=[5, 3, 1])
    *_, cache = bilstm_forward(case.x, case.h0, case.c0, case.params, case.lengths)
    before = bilstm_backward(case.dy, case.dh_T, case.dc_T, cache)[0]
    case.lengths[:] = 5
    assert np.array_equal(bilstm_backward(case.dy, case.dh_T, case.dc_T, cache)[0], before)


def test_the_forward_half_is_the_one_direction_lstm():
    case = make_case(lengths=[5, 3, 1])
    y, *_ = bilstm_forward(case.x, case.h0, case.c0, case.params, case.lengths)
    h, *_ = lstm_forward(case.x, case.h0[0], case.c0[0], case.params.forward, case.lengths)
    assert np.array_equal(y[:, :, :4], h)
