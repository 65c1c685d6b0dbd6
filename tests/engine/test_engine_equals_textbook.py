"""The fast engine is the textbook's function: forward and every gradient, for any shape, lengths and plan."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm import engine
from npbilstm.engine import lstm as engine_lstm
from npbilstm.engine import order, tiles
from npbilstm.textbook import bilstm_backward, bilstm_forward, lstm_backward, lstm_forward
from tests.cases import assert_all_close, assert_close, cases, make_case
from tests.engine.plans import PLANS, going
from tests.planting import planted, planted_below

plans = st.sampled_from(sorted(PLANS))
intervals = st.none() | st.integers(1, 7)


def by_textbook(case):
    y, h_T, c_T, cache = bilstm_forward(case.x, case.h0, case.c0, case.params, case.lengths)
    return (y, h_T, c_T), bilstm_backward(case.dy, case.dh_T, case.dc_T, cache)


def by_engine(case, engine=engine, store_every=None):
    """The engine keeps the directions on an axis of their own: (N, T, S, H)."""
    N, T, features = case.dy.shape
    y, h_T, c_T, cache = engine.lstm_forward(
        case.x, case.h0, case.c0, case.params, case.lengths, store_every=store_every
    )
    dy = case.dy.reshape(N, T, 2, features // 2)
    dx, dh0, dc0, grads = engine.lstm_backward(dy, case.dh_T, case.dc_T, cache)
    return (y.reshape(case.dy.shape), h_T, c_T), (dx, dh0, dc0, tuple(grads))


@given(cases(), plans, intervals)
def test_both_directions_equal_the_textbook(case, plan, store_every):
    with going(plan):
        assert_all_close(by_engine(case, store_every=store_every), by_textbook(case))


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("store_every", [None, 8])
@pytest.mark.parametrize("shape", [(24, 37, 5, 64), (130, 9, 33, 16), (1, 300, 4, 8), (20, 7, 64, 72)])
def test_larger_shapes_equal_the_textbook(shape, plan, store_every):
    N, T, D, H = shape
    lengths = np.random.default_rng(0).integers(0, T + 1, N)
    case = make_case(N, T, D, H, lengths, scale=0.1)
    with going(plan):
        assert_all_close(by_engine(case, store_every=store_every), by_textbook(case))


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
    y, h_T, c_T, _ = engine.lstm_forward(x, case.h0, case.c0, case.params, lengths, keep=False)  # without a warning
    assert_all_close((y.reshape(outputs[0].shape), h_T, c_T), outputs, 0)
    assert not outputs[0][padding].any()
    assert not gradients[0][padding].any()


@given(cases(), intervals)
def test_inputs_are_unchanged_and_both_passes_repeat_exactly(case, store_every):
    arrays = [case.x, case.h0, case.c0, case.dy, case.dh_T, case.dc_T, *case.params.forward, *case.params.reverse]
    copies = [array.copy() for array in arrays]
    y, h_T, c_T, cache = engine.lstm_forward(
        case.x, case.h0, case.c0, case.params, case.lengths, store_every=store_every
    )
    dy = case.dy.reshape(*y.shape)
    first = engine.lstm_backward(dy, case.dh_T, case.dc_T, cache)
    second = engine.lstm_backward(dy, case.dh_T, case.dc_T, cache)
    assert_all_close(second, first, 0)
    assert_all_close(by_engine(case, store_every=store_every)[0], (y.reshape(case.dy.shape), h_T, c_T), 0)
    assert all(np.array_equal(array, copy) for array, copy in zip(arrays, copies))


@pytest.mark.parametrize("lengths", [None, [5, 0, 2]])
def test_what_is_changed_between_forward_and_backward_does_not_mix_in(lengths):
    case = make_case(lengths=lengths)
    expected = by_engine(case)[1]
    y, _, _, cache = engine.lstm_forward(case.x, case.h0, case.c0, case.params, case.lengths)
    for array in [case.x, case.h0, case.c0, *case.params.forward, *case.params.reverse, y]:
        array += 1
    if lengths:
        case.lengths[:] = 1
    dx, dh0, dc0, grads = engine.lstm_backward(case.dy.reshape(y.shape), case.dh_T, case.dc_T, cache)
    assert_all_close((dx, dh0, dc0, tuple(grads)), expected, 0)


@pytest.mark.parametrize("absent", ["dy", "dh_T", "dc_T"])
def test_each_upstream_gradient_counts_by_itself(absent):
    for others in [{"dy", "dh_T", "dc_T"} - {absent}, {absent}]:
        case = make_case(lengths=[5, 0, 2])
        case = case._replace(**{name: np.zeros_like(getattr(case, name)) for name in others})
        assert_all_close(by_engine(case), by_textbook(case))
        case = case._replace(**{absent: getattr(case, absent) * 1j})  # and is alone complex
        assert_all_close(by_engine(case), by_textbook(case))


def test_directions_in_threads_do_not_share_dx(monkeypatch):
    case = make_case()
    expected = by_textbook(case)
    shared, backward_steps = [], engine_lstm.backward_steps

    def remember(*arguments):
        shared.append(arguments[-2])
        backward_steps(*arguments)

    monkeypatch.setattr(engine_lstm, "backward_steps", remember)
    with going("a thread for each direction"):
        assert_all_close(by_engine(case), expected)
    assert not np.shares_memory(*shared)


@pytest.mark.parametrize("plan", PLANS)
def test_threads_do_not_disturb_each_other(plan):
    made = [make_case(N=8, T=20, D=5, H=16, lengths=range(13, 21), seed=seed) for seed in range(4)]
    got = {}

    def work(k):
        for _ in range(10):
            got[k] = by_engine(made[k])

    with going(plan):
        expected = [by_engine(case) for case in made]
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
        for lengths in (None, [0] * N):
            case = make_case(N, T, lengths=lengths)
            case = case._replace(lengths=None if lengths is None else np.array(lengths, int))
            assert_all_close(by_engine(case), by_textbook(case))


def test_complex_upstream_gradients_keep_their_imaginary_part():
    case = make_case(lengths=[5, 0, 2])
    case = case._replace(dy=case.dy * 1j, dh_T=case.dh_T * (1 + 2j))
    assert_all_close(by_engine(case), by_textbook(case))


def test_a_row_of_20_000_steps_equals_the_textbook():
    case = make_case(N=1, T=20_000, D=2, H=2)
    assert_all_close(by_engine(case), by_textbook(case), 1e-9)


def test_a_row_of_100_000_steps_is_no_trouble():
    case = make_case(N=1, T=100_000, D=2, H=2)
    assert_all_close(by_engine(case, store_every=200), by_engine(case), 1e-9)


BUGS = [
    (order, "x_t is not reversed", "if direction == 0:", "if True:"),
    (order, "a reverse pass that ignores lengths", "    if lengths is None:\n        end", "    if True:\n        end"),
    (order, "rows end at T", "setdefault(length - 1, [])", "setdefault(max(lengths) - 1, [])"),
    (engine_lstm, "padding is read in training", "            x[padded] = 0", "            pass"),
    (engine_lstm, "the padding's output is not zeroed", "y[start : start + n][padded] = 0", "pass"),
    (engine_lstm, "padding's upstream gradient is let in", "dy_steps.swapaxes(1, 2)[padded] = 0", "pass"),
    (engine_lstm, "the reverse final state is y's last", "0 * rows if s else lengths[rows] - 1", "lengths[rows] - 1"),
    (
        engine_lstm,
        "the final cell state is not picked up",
        "                c_T[:, ends[t]] = c[:, ends[t]]",
        "                pass",
    ),
    (
        tiles,
        "the sigmoids of i and f are not halved",
        "np.multiply(ifgo[:2], half, ",
        "np.multiply(ifgo[:2], 1, ",
    ),
    (tiles, "o and g change places", "oifg[3] = ifgo[2]", "oifg[3] = ifgo[3]"),
    (tiles, "the halving is not undone", "    WT[:, :3] *= 2  # exact\n", ""),
    (tiles, "Wx and Wh change places", "WT[..., H:-1].reshape", "WT[..., :D].reshape"),
    (engine_lstm, "an affine step left out", "            multiply(oif, half, oif)\n", ""),
    (
        engine_lstm,
        "the final state is the last step's",
        "    if lengths is None:\n            h_T[own]",
        "    if True:\n            h_T[own]",
    ),
    (engine_lstm, "the state is not carried into the next block", "        Z_h[0] = Z_h[n]\n", ""),
    (engine_lstm, "the state is not carried into the next interval", "h, c = forward_steps(", "forward_steps("),
    (engine_lstm, "dc lacks what comes from h", "            add(dc, dh, dc)", "            pass"),
    (engine_lstm, "dc is not carried on", "            multiply(f, dc, dc)\n", ""),
    (
        engine_lstm,
        "o's gradient uses the wrong dh",
        "multiply(F_o, dh, da_o)\n            multiply(F_c_t, dh, dh)",
        "multiply(F_c_t, dh, dh)\n            multiply(F_o, dh, da_o)",
    ),
    (engine_lstm, "o's factor lacks tanh(c)", "    multiply(F_o, tanh_c, F_o)\n", ""),
    (
        engine_lstm,
        "f's factor uses the new c",
        "multiply(F_if, g_c, F_if)",
        "multiply(F_if[:, :1], g_c[:, :1], F_if[:, :1])",
    ),
    (engine_lstm, "g's factor lacks i", "    multiply(F_g, i, F_g)\n", ""),
    (engine_lstm, "c's factor lacks o", "return multiply(F_c, o, F_c)", "return F_c"),
    (
        engine_lstm,
        "h before a block is that after its first step",
        "A[k - 1, 0] * tanh_c[0] if k",
        "A[k, 0] * tanh_c[1] if k",
    ),
    (engine_lstm, "the initial state has no part in dWh", "tanh_c[0] if k else h", "tanh_c[0] if k else 0"),
    (
        engine_lstm,
        "dWh pairs the gradient with the new h",
        "multiply(now[:-1, 0], tanh_c[1:-1], h_before[1:])",
        "multiply(now[1:, 0], tanh_c[2:], h_before[1:])",
    ),
    (
        engine_lstm,
        "gradients come back in the engine's order",
        "dW[..., H:], dW[..., :H]",
        "dW[..., : 3 * H], dW[..., 3 * H :]",
    ),
    (
        engine_lstm,
        "only the first block's dW",
        "add(dW[:, :-1], dW_block[:, : H + D], dW[:, :-1])",
        "dW[:, :-1] = dW_block[:, : H + D]",
    ),
    (
        engine_lstm,
        "only the first block's db",
        "add(dW[:, -1], da.sum(axis=1), dW[:, -1])",
        "dW[:, -1] = da.sum(axis=1)",
    ),
    (engine_lstm, "dx of one direction only", "[at[p]] += dx_steps[p]", "[at[p]] = dx_steps[p]"),
    (
        engine_lstm,
        "the gradient of the final state enters at T",
        "if t in ends:\n                dh",
        "if t == len(x) - 1 and t in ends:\n                dh",
    ),
    (engine_lstm, "rows of length 0 lose their gradient", "if -1 in ends:", "if False:"),
    (
        engine_lstm,
        "the final state's gradient enters twice",
        "        dh, dc = np.zeros((2, S, N, H), dtype)",
        "        dh, dc = dh_T.astype(dtype), dc_T.astype(dtype)",
    ),
]


@pytest.mark.parametrize("bug", BUGS, ids=[name for _, name, *_ in BUGS])
def test_a_bug_planted_in_the_engine_is_seen(bug):
    module, _, old, new = bug
    changed = planted(module, old, new) if module is engine_lstm else planted_below(engine_lstm, module, old, new)
    case = make_case(N=4, T=6, lengths=[6, 3, 0, 5])
    case.x[1, 3:], case.dy[1, 3:] = np.nan, np.nan
    vars(changed).update({name: value for (_, name), value in PLANS["blocks of two steps"].items()})  # borders within
    with np.errstate(all="ignore"):
        try:
            got = by_engine(case, changed, store_every=4)
        except IndexError:
            return  # seen
    with pytest.raises(AssertionError):
        assert_all_close(got, by_textbook(case))
