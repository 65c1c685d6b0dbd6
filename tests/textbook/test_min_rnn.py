import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.textbook import (
    MinGRUParams,
    MinLSTMParams,
    min_gru_backward,
    min_gru_forward,
    min_lstm_backward,
    min_lstm_forward,
    min_rnn,
    recurrence_loop,
    recurrence_scan,
)
from tests.cases import assert_all_close, assert_close
from tests.textbook.plants import planted_in

CELLS: dict[str, tuple] = {
    "minGRU": (MinGRUParams, min_gru_forward, min_gru_backward, 2),
    "minLSTM": (MinLSTMParams, min_lstm_forward, min_lstm_backward, 3),
}
N, T, D, H = 3, 6, 2, 4
LENGTHS = np.array([6, 3, 0])


def drawn(blocks, seed=0, T=T):
    rng = np.random.default_rng(seed)
    x, h0, Wx, b = (rng.standard_normal(shape) for shape in [(N, T, D), (N, H), (D, blocks * H), (blocks * H,)])
    return {"x": x, "h0": h0, "Wx": Wx, "b": b}


def passes(name, inputs, lengths=LENGTHS, recurrence=recurrence_loop, module=min_rnn):
    """Outputs and gradients under random upstream gradients."""
    params, forward, backward, _ = CELLS[name]
    forward, backward = (vars(module)[function.__name__] for function in (forward, backward))
    h, h_T, cache = forward(inputs["x"], inputs["h0"], params(inputs["Wx"], inputs["b"]), lengths, recurrence)
    rng = np.random.default_rng(9)
    dh, dh_T = rng.standard_normal(h.shape), rng.standard_normal(h_T.shape)
    dx, dh0, grads = backward(dh, dh_T, cache)
    return (h * dh).sum() + (h_T * dh_T).sum(), (h, h_T), {"x": dx, "h0": dh0, **grads._asdict()}


@given(st.integers(0, 17), st.integers(0, 999))
def test_the_parallel_scan_equals_the_loop(T, seed):
    rng = np.random.default_rng(seed)
    keep, put, h0 = rng.standard_normal((2, T, 3)), rng.standard_normal((2, T, 3)), rng.standard_normal((2, 3))
    given = keep.copy(), put.copy()
    assert_close(recurrence_scan(keep, put, h0), recurrence_loop(keep, put, h0))
    assert np.array_equal(keep, given[0])
    assert np.array_equal(put, given[1])


@pytest.mark.parametrize(
    ("old", "new"),
    [("d = 2 * d", "d = 3 * d"), ("while d < T:", "while d < T // 2:"), ("keep[:, :1] * h0[:, None]", "h0[:, None]")],
)
def test_a_bug_in_the_scan_is_seen(old, new):
    scan = planted_in(min_rnn, "recurrence_scan", old, new).recurrence_scan
    rng = np.random.default_rng(0)
    keep, put, h0 = rng.standard_normal((2, 9, 3)), rng.standard_normal((2, 9, 3)), rng.standard_normal((2, 3))
    with pytest.raises(AssertionError):
        assert_close(scan(keep, put, h0), recurrence_loop(keep, put, h0))


@pytest.mark.parametrize("name", CELLS)
def test_by_scan_all_outputs_and_gradients_are_those_by_loop(name):
    for T, lengths in [(6, LENGTHS), (1, np.array([1, 0, 1])), (0, np.zeros(3, int)), (6, None)]:
        inputs = drawn(CELLS[name][3], T=T)
        by_loop = passes(name, inputs, lengths)
        assert_all_close(passes(name, inputs, lengths, recurrence_scan), by_loop)


def require_right_gradients(name, recurrence, module=min_rnn):
    inputs = drawn(CELLS[name][3])
    _, _, grads = passes(name, inputs, recurrence=recurrence, module=module)
    report = nb.check_gradients(
        lambda p: passes(name, p, recurrence=recurrence, module=module)[0], inputs, grads, "complex"
    )
    assert report.ok, report


@pytest.mark.parametrize("recurrence", [recurrence_loop, recurrence_scan])
@pytest.mark.parametrize("name", CELLS)
def test_every_gradient_agrees_with_the_complex_step(name, recurrence):
    require_right_gradients(name, recurrence)


@pytest.mark.parametrize(
    ("name", "function", "old", "new"),
    [
        ("minGRU", "min_gru_backward", "(n - cache.h_prev)", "n"),
        ("minLSTM", "min_lstm_backward", "(g - cache.h_prev)", "g"),
        ("minLSTM", "min_lstm_backward", "-dr * (1 - f)", "-dr * f"),
        ("minGRU", "state_gradient", "cache.keep[:, 1:]", "cache.keep[:, :-1]"),
        ("minLSTM", "state_gradient", "return np.where(cache.valid, delta, 0), dh0", "return delta, dh0"),
    ],
)
def test_a_bug_in_a_gradient_is_seen(name, function, old, new):
    with pytest.raises(AssertionError):
        require_right_gradients(name, recurrence_loop, planted_in(min_rnn, function, old, new))


@pytest.mark.parametrize("name", CELLS)
def test_the_states_are_the_papers_step_by_step(name):
    inputs = drawn(CELLS[name][3])
    _, (h, h_T), _ = passes(name, inputs)
    for n in range(N):
        state = inputs["h0"][n]
        for t in range(LENGTHS[n]):
            a = np.split(inputs["x"][n, t] @ inputs["Wx"] + inputs["b"], CELLS[name][3])
            gates = [1 / (1 + np.exp(-each)) for each in a[:-1]]
            if name == "minGRU":
                state = (1 - gates[0]) * state + gates[0] * a[1]
            else:
                state = (gates[1] * state + gates[0] * a[2]) / (gates[0] + gates[1])
            assert_close(h[n, t], state)
        assert not h[n, LENGTHS[n] :].any()
        assert_close(h_T[n], state)


@pytest.mark.parametrize(("dtype", "closed"), [(np.float64, -800.0), (np.float32, -60.0), (np.float32, -100.0)])
def test_gates_too_far_closed_for_a_number_share_as_their_logarithms_say(dtype, closed):
    """Where i and f are exp(a) there is left of a_i and a_f their difference alone."""
    x, h0, Wx = np.zeros((1, 1, 1), dtype), np.full((1, 1), 2, dtype), np.zeros((1, 3), dtype)
    b = np.array([closed + 1, closed, 5], dtype)
    h, _, cache = min_lstm_forward(x, h0, MinLSTMParams(Wx, b))
    share = 1 / (1 + np.exp(-1))
    np.testing.assert_allclose(h, [[[share * 5 + (1 - share) * 2]]], rtol=1e-6)
    _, dh0, grads = min_lstm_backward(np.ones_like(h), np.zeros_like(h0), cache)
    slope = (5 - 2) * share * (1 - share)
    np.testing.assert_allclose(grads.b, [slope, -slope, share], rtol=1e-5)
    np.testing.assert_allclose(dh0, [[1 - share]], rtol=1e-6)


@pytest.mark.parametrize("name", CELLS)
def test_padding_content_never_matters_and_gets_no_gradient(name):
    inputs = drawn(CELLS[name][3])
    junk = inputs["x"].copy()
    padding = np.arange(T) >= LENGTHS[:, None]
    junk[padding] = np.nan
    _, outputs, grads = passes(name, inputs)
    _, same, again = passes(name, {**inputs, "x": junk})
    assert all(np.array_equal(one, other) for one, other in zip(outputs, same))
    assert all(np.array_equal(again[key], d) for key, d in grads.items())
    assert not grads["x"][padding].any()
