"""The fast engine is the textbook's function: forward and every gradient, for any cell, shape, lengths and plan."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npbilstm.engine import passes, recurrent_backward, recurrent_forward, schedule, workspace
from npbilstm.textbook import BiLSTMParams, LSTMParams, bilstm_backward, bilstm_forward
from tests.cases import assert_all_close, assert_close
from tests.engine.cells import ENGINE_CELLS, SQUASHED, by_engine, by_textbook, cases, make_case, weights_of
from tests.engine.plans import PLANS, going

plans = st.sampled_from(sorted(PLANS))
intervals = st.none() | st.integers(1, 7)
every_cell = pytest.mark.parametrize("name", ENGINE_CELLS)


@settings(max_examples=2 * settings().max_examples)
@given(cases(), plans, intervals)
def test_every_cell_equals_the_textbook(case, plan, store_every):
    with going(plan):
        assert_all_close(by_engine(case, store_every=store_every), by_textbook(case))


LARGER = [(None, (24, 37, 5, 64)), (8, (130, 9, 33, 16)), (8, (1, 300, 4, 8))]
"""store_every, and N, T, D, H."""


@pytest.mark.few(8)
@every_cell
@pytest.mark.parametrize(
    ("plan", "store_every", "shape"),
    [
        pytest.param(plan, *larger, marks=() if k % len(LARGER) == m else pytest.mark.slow)
        for k, plan in enumerate(PLANS)
        for m, larger in enumerate(LARGER)
    ],
)
def test_larger_shapes_equal_the_textbook(shape, plan, store_every, name):
    N, T, D, H = shape
    lengths = np.random.default_rng(0).integers(0, T + 1, N)
    case = make_case(name, N, T, D, H, lengths=lengths, scale=0.1)
    with going(plan):
        assert_all_close(by_engine(case, store_every=store_every), by_textbook(case))


def test_both_directions_of_the_lstm_equal_the_bidirectional_lstm_of_the_textbook():
    case = make_case(lengths=[5, 2, 0])
    params = BiLSTMParams(*(LSTMParams(**own) for own in case.params))
    y, h_T, c_T, cache = bilstm_forward(case.x, *case.state, params, case.lengths)
    dx, dh0, dc0, grads = bilstm_backward(case.dy.reshape(y.shape), *case.dstate_T, cache)
    expected = (y.reshape(case.dy.shape), (h_T, c_T)), (dx, (dh0, dc0), [own._asdict() for own in grads])
    assert_all_close(by_engine(case), expected)


@given(cases())
def test_keeping_nothing_changes_no_output(case):
    arguments = ENGINE_CELLS[case.name](), case.x, case.state, weights_of(case), case.lengths
    y, final, _ = recurrent_forward(*arguments, mask=case.mask)
    y_bare, final_bare, cache = recurrent_forward(*arguments, mask=case.mask, keep=False)
    assert cache is None
    assert_all_close([y_bare, *final_bare], [y, *final], 0)


@given(cases(), st.sampled_from([np.nan, np.inf, -7.0]))
def test_padding_content_never_matters(case, junk):
    lengths = np.zeros(len(case.x), int) if case.lengths is None else case.lengths
    case = case._replace(lengths=lengths)
    padding = np.arange(case.x.shape[1]) >= lengths[:, None]
    x, dy = case.x.copy(), case.dy.copy()
    x[padding], dy[padding] = junk, junk
    (y, final), gradients = by_engine(case._replace(x=x, dy=dy))
    assert_all_close(((y, final), gradients), by_engine(case), 0)
    bare = recurrent_forward(
        *(ENGINE_CELLS[case.name](), x, case.state, weights_of(case), lengths),
        directions=case.directions,
        mask=case.mask,
        keep=False,
    )  # without a warning
    assert_all_close((bare[0], tuple(bare[1])), (y, final), 0)
    assert not y[padding].any()
    assert not gradients[0][padding].any()


@pytest.mark.few(1)
@pytest.mark.parametrize("name", ["RNN, relu", "LSTM, relu", "GRU, relu, hard_sigmoid_sixth"])
def test_a_relu_that_would_explode_in_a_long_padding_does_not(name):
    case = make_case(name, N=2, T=700, lengths=[3, 0], scale=0.1)
    for own in case.params:
        own["Wh"][...] = np.tile(3 * np.eye(4), own["Wh"].shape[1] // 4)
        own["b"][...] = 1
        if name.startswith("GRU"):  # z keeps nothing
            own["Wh"][:, 4:8], own["b"][4:8] = 0, -9
    expected = by_textbook(case)
    for store_every in (None, 7):
        assert_all_close(by_engine(case, store_every=store_every), expected)


@settings(max_examples=100)
@given(cases(SQUASHED), plans, intervals)
def test_every_cell_with_any_activations_equals_the_textbook(case, plan, store_every):
    with going(plan):
        assert_all_close(by_engine(case, store_every=store_every), by_textbook(case))


@given(cases(), intervals)
def test_inputs_are_unchanged_and_both_passes_repeat_exactly(case, store_every):
    weights = [w for own in case.params for w in own.values()]
    arrays = [case.x, *case.state, case.dy, *case.dstate_T, *weights, *([] if case.mask is None else [case.mask])]
    copies = [array.copy() for array in arrays]
    cell = ENGINE_CELLS[case.name]()
    y, final, cache = recurrent_forward(
        *(cell, case.x, case.state, weights_of(case), case.lengths),
        directions=case.directions,
        mask=case.mask,
        store_every=store_every,
    )
    first = recurrent_backward(case.dy, case.dstate_T, cache)
    assert_all_close(recurrent_backward(case.dy, case.dstate_T, cache), first, 0)
    assert_all_close(by_engine(case, store_every=store_every)[0], (y, tuple(final)), 0)
    assert all(np.array_equal(array, copy) for array, copy in zip(arrays, copies))


@every_cell
@pytest.mark.parametrize("lengths", [None, [5, 0, 2]])
def test_what_is_changed_between_forward_and_backward_does_not_mix_in(lengths, name):
    case = make_case(name, lengths=lengths, masked=True)
    weights = weights_of(case)
    y, _, cache = recurrent_forward(ENGINE_CELLS[name](), case.x, case.state, weights, case.lengths, mask=case.mask)
    expected = recurrent_backward(case.dy, case.dstate_T, cache)
    for array in [case.x, *case.state, *(w for own in weights for w in own.values()), y]:
        array += 1
    for array in [case.lengths, case.mask]:
        if array is not None:
            array[...] = 1
    assert_all_close(recurrent_backward(case.dy, case.dstate_T, cache), expected, 0)


@pytest.mark.few(6)
@every_cell
def test_each_upstream_gradient_counts_by_itself(name):
    case = make_case(name, lengths=[5, 0, 2])
    parts = range(1 + len(case.dstate_T))
    for alone in parts:
        for kept in [{alone}, {*parts} - {alone}]:
            dy, *dstate_T = (d * (k in kept) for k, d in enumerate([case.dy, *case.dstate_T]))
            some = case._replace(dy=dy, dstate_T=tuple(dstate_T))
            assert_all_close(by_engine(some), by_textbook(some))
        dy, *dstate_T = (d * 1j if k == alone else d for k, d in enumerate([case.dy, *case.dstate_T]))
        some = case._replace(dy=dy, dstate_T=tuple(dstate_T))  # and is alone complex
        assert_all_close(by_engine(some), by_textbook(some))


def test_directions_in_threads_do_not_share_dx(monkeypatch):
    case = make_case()
    expected = by_textbook(case)
    shared = []
    backward_steps = passes.backward_steps

    def remember(*arguments):
        shared.append(arguments[-2].dx)
        backward_steps(*arguments)

    monkeypatch.setattr(passes, "backward_steps", remember)
    with going("a thread for each direction"):
        assert_all_close(by_engine(case), expected)
    assert not np.shares_memory(*shared)


@pytest.mark.few(6)
@every_cell
@pytest.mark.parametrize("plan", ["as the shape wants", "a thread for each direction"])
def test_threads_do_not_disturb_each_other(plan, name):
    made = [make_case(name, N=8, T=20, D=5, H=16, lengths=range(13, 21), seed=seed) for seed in range(4)]
    got = {}

    def work(k):
        for _ in range(5):
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


@every_cell
def test_float32_is_near_float64_and_stays_float32(name):
    (y, final), gradients = by_engine(make_case(name, dtype=np.float32))
    (y_64, final_64), gradients_64 = by_engine(make_case(name))
    for one, other in zip([y, *final, gradients[0]], [y_64, *final_64, gradients_64[0]]):
        assert one.dtype == np.float32
        assert_close(one, other, 1e-5)
    assert {g.dtype for own in gradients[2] for g in own.values()} == {np.dtype(np.float32)}


@every_cell
def test_an_empty_batch_and_empty_sequences_equal_the_textbook(name):
    for N, T in [(0, 3), (2, 0)]:
        for lengths in (None, [0] * N):
            case = make_case(name, N, T, lengths=lengths)
            assert_all_close(by_engine(case), by_textbook(case))


@every_cell
def test_complex_upstream_gradients_keep_their_imaginary_part(name):
    case = make_case(name, lengths=[5, 0, 2])
    case = case._replace(dy=case.dy * 1j, dstate_T=tuple(d * (1 + 2j) for d in case.dstate_T))
    assert_all_close(by_engine(case), by_textbook(case))


@every_cell
def test_complex_inputs_and_weights_equal_the_textbook(name):
    case = make_case(name, lengths=[5, 2, 0])
    case = case._replace(
        x=case.x + 0.1j * case.x[::-1],
        state=tuple(part * (1 + 0.1j) for part in case.state),
        params=[{key: w * (1 + 0.1j) for key, w in own.items()} for own in case.params],
    )
    assert_all_close(by_engine(case), by_textbook(case))


@pytest.mark.slow
def test_a_row_of_20_000_steps_equals_the_textbook():
    case = make_case(N=1, T=20_000, D=2, H=2)
    assert_all_close(by_engine(case), by_textbook(case), 1e-9)


@pytest.mark.slow
def test_a_row_of_100_000_steps_is_no_trouble():
    case = make_case(N=1, T=100_000, D=2, H=2)
    assert_all_close(by_engine(case, store_every=200), by_engine(case), 1e-9)


def test_the_plans_are_ways_that_the_engine_has():
    """A plan that patched a name nobody reads would prove nothing."""
    case = make_case("GRU, reset before", N=8, T=6, lengths=[6, 3, 0, 5, 1, 2, 4, 6])
    for plan, patches in PLANS.items():
        for (module, attribute), value in patches.items():
            if callable(value) and module is not schedule:  # those are asked for large steps only
                calls = []

                def spying(*arguments, value=value, calls=calls):
                    calls.append(arguments)
                    return value(*arguments)

                before = PLANS[plan][module, attribute]
                PLANS[plan][module, attribute] = spying
                try:
                    with going(plan):
                        by_engine(case)
                finally:
                    PLANS[plan][module, attribute] = before
                assert calls, (plan, attribute)


def test_a_block_of_steps_may_end_anywhere():
    case = make_case(N=2, T=11, lengths=[11, 7])
    expected = by_textbook(case)
    for size in range(1, 12):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(workspace, "forward_block", lambda N, K, size=size: size)
            patch.setattr(workspace, "backward_block", lambda N, H, T, size=size: 12 - size)
            assert_all_close(by_engine(case), expected)
