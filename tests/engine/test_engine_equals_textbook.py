"""The fast engine is the textbook's function: forward and every gradient, for any shape and lengths."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm import engine
from npbilstm.engine import lstm as engine_lstm
from npbilstm.textbook import bilstm_backward, bilstm_forward, lstm_backward, lstm_forward
from tests.cases import assert_all_close, assert_close, cases, make_case
from tests.planting import planted


def by_textbook(case):
    y, h_T, c_T, cache = bilstm_forward(case.x, case.h0, case.c0, case.params, case.lengths)
    return (y, h_T, c_T), bilstm_backward(case.dy, case.dh_T, case.dc_T, cache)


def by_engine(case, engine=engine):
    """The engine keeps the directions on an axis of their own: (N, T, S, H)."""
    N, T, features = case.dy.shape
    y, h_T, c_T, cache = engine.lstm_forward(case.x, case.h0, case.c0, case.params, case.lengths)
    dy = case.dy.reshape(N, T, 2, features // 2)
    dx, dh0, dc0, grads = engine.lstm_backward(dy, case.dh_T, case.dc_T, cache)
    return (y.reshape(case.dy.shape), h_T, c_T), (dx, dh0, dc0, tuple(grads))


@given(cases())
def test_both_directions_equal_the_textbook(case):
    assert_all_close(by_engine(case), by_textbook(case))


@given(cases())
def test_one_direction_equals_the_textbook(case):
    H = case.h0.shape[2]
    dh = case.dy[:, :, :H]
    y, h_T, c_T, cache = engine.lstm_forward(case.x, case.h0[:1], case.c0[:1], [case.params.forward], case.lengths)
    dx, dh0, dc0, (grads,) = engine.lstm_backward(dh[:, :, None], case.dh_T[:1], case.dc_T[:1], cache)
    h, h_T_textbook, c_T_textbook, cache = lstm_forward(
        case.x, case.h0[0], case.c0[0], case.params.forward, case.lengths
    )
    expected = lstm_backward(dh, case.dh_T[0], case.dc_T[0], cache)
    assert_all_close((y[:, :, 0], h_T[0], c_T[0]), (h, h_T_textbook, c_T_textbook))
    assert_all_close((dx, dh0[0], dc0[0], grads), expected)


@given(cases())
def test_keeping_nothing_changes_no_output(case):
    *kept, _ = engine.lstm_forward(case.x, case.h0, case.c0, case.params, case.lengths)
    *bare, cache = engine.lstm_forward(case.x, case.h0, case.c0, case.params, case.lengths, keep=False)
    assert cache is None
    for one, other in zip(kept, bare):
        assert np.array_equal(one, other)


@given(cases(), st.sampled_from([np.nan, np.inf, -7.0]))
def test_padding_content_never_matters(case, junk):
    lengths = np.zeros(len(case.x), int) if case.lengths is None else case.lengths
    case = case._replace(lengths=lengths)
    padding = np.arange(case.x.shape[1]) >= lengths[:, None]
    x, dy = case.x.copy(), case.dy.copy()
    x[padding], dy[padding] = junk, junk
    outputs, gradients = by_engine(case._replace(x=x, dy=dy))
    assert_all_close((outputs, gradients), by_engine(case), 0)
    assert not outputs[0][padding].any()
    assert not gradients[0][padding].any()


@given(cases())
def test_inputs_are_unchanged_and_both_passes_repeat_exactly(case):
    arrays = [case.x, case.h0, case.c0, case.dy, case.dh_T, case.dc_T, *case.params.forward, *case.params.reverse]
    copies = [array.copy() for array in arrays]
    y, h_T, c_T, cache = engine.lstm_forward(case.x, case.h0, case.c0, case.params, case.lengths)
    dy = case.dy.reshape(*y.shape)
    first = engine.lstm_backward(dy, case.dh_T, case.dc_T, cache)
    second = engine.lstm_backward(dy, case.dh_T, case.dc_T, cache)
    assert_all_close(second, first, 0)
    assert_all_close(by_engine(case)[0], (y.reshape(case.dy.shape), h_T, c_T), 0)
    assert all(np.array_equal(array, copy) for array, copy in zip(arrays, copies))


def test_weights_changed_between_forward_and_backward_do_not_mix_in():
    case = make_case(lengths=[5, 0, 2])
    expected = by_engine(case)[1]
    y, _, _, cache = engine.lstm_forward(case.x, case.h0, case.c0, case.params, case.lengths)
    for weights in case.params:
        for w in weights:
            w += 1
    dx, dh0, dc0, grads = engine.lstm_backward(case.dy.reshape(y.shape), case.dh_T, case.dc_T, cache)
    assert_all_close((dx, dh0, dc0, tuple(grads)), expected, 0)


def test_threads_do_not_disturb_each_other():
    made = [make_case(N=8, T=20, D=5, H=16, lengths=range(13, 21), seed=seed) for seed in range(4)]
    expected = [by_engine(case) for case in made]
    got = {}

    def work(k):
        for _ in range(10):
            got[k] = by_engine(made[k])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(4):
        assert_all_close(got[k], expected[k], 0)


def test_float32_is_near_float64():
    for one, other in zip(by_engine(make_case(dtype=np.float32))[0], by_engine(make_case())[0]):
        assert one.dtype == np.float32
        assert_close(one, other, 1e-5)


def test_an_empty_batch_and_empty_sequences_equal_the_textbook():
    for N, T in [(0, 3), (2, 0)]:
        case = make_case(N, T)
        assert_all_close(by_engine(case), by_textbook(case))


def test_complex_upstream_gradients_keep_their_imaginary_part():
    case = make_case(lengths=[5, 0, 2])
    case = case._replace(dy=case.dy * 1j, dh_T=case.dh_T * (1 + 2j))
    assert_all_close(by_engine(case), by_textbook(case))


def test_a_long_row_is_no_trouble():
    case = make_case(N=1, T=20_000, D=2, H=2)
    assert_all_close(by_engine(case), by_textbook(case), 1e-9)


BUGS = [
    ("x_t is not reversed", "    if s == 0:\n        return slice", "    if True:\n        return slice"),
    (
        "a reverse pass that ignores lengths",
        "np.where(t < lengths, lengths - 1 - t, t)",
        "np.full_like(lengths, T - 1 - t)",
    ),
    ("the padding's output is not zeroed", "y[padding(lengths, T)] = 0", "pass"),
    (
        "the final state is the last step's",
        "elif lengths is not None:\n",
        "else:\n        h_T, c_T = h_t.copy(), c_t.copy()\n",
    ),
    ("padding is read", "Z[:, k, t >= lengths, :D] = 0", "pass"),
    ("dc lacks the tanh", "dc -= dh  #", "pass  #"),
    ("f's gradient uses the new c", "da_f *= c[:, t]", "da_f *= c[:, t + 1]"),
    ("the halving is not undone", "WT[:, : 3 * H] *= 2", "pass"),
    ("gates come back in the engine's order", "dW = swap_last_gates(dW)", "pass"),
    (
        "padding's upstream gradient is let in",
        "dy = np.where(padding(lengths, T)[:, :, None, None], dy.dtype.type(0), dy)",
        "pass",
    ),
    (
        "the gradient of the final state enters at T",
        "if t in ends:  # rows whose last valid step this is\n            dh[",
        "if t == T - 1 and t in ends:\n            dh[",
    ),
    (
        "dx of one direction overwrites the other's",
        "dx[place(s, t, T, lengths)] += dx_s",
        "dx[place(s, t, T, lengths)] = dx_s",
    ),
    ("rows of length 0 lose their gradient", "if -1 in ends:", "if False:"),
]


@pytest.mark.parametrize("bug", BUGS, ids=[name for name, *_ in BUGS])
def test_a_bug_planted_in_the_engine_is_seen(bug):
    _, old, new = bug
    case = make_case(N=4, T=6, lengths=[6, 3, 0, 5])
    case.x[1, 3:], case.dy[1, 3:] = np.nan, np.nan
    with pytest.raises((AssertionError, IndexError)), np.errstate(all="ignore"):
        assert_all_close(by_engine(case, planted(engine_lstm, old, new)), by_textbook(case))
