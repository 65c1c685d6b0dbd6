import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm import textbook
from npbilstm.commands.checks.textbook_cells import cells, draw_mask
from npbilstm.textbook import (
    bidirectional_recurrent_backward,
    bidirectional_recurrent_forward,
    bilstm_backward,
    bilstm_forward,
    gru_step_backward,
    gru_step_forward,
    lstm_backward,
    lstm_forward,
    lstm_step_backward,
    lstm_step_forward,
    lstm_variant_step_forward,
    recurrent_backward,
    recurrent_forward,
    rnn_step_backward,
    rnn_step_forward,
)
from tests.cases import assert_all_close, cases

NAMES = list(cells(1, 1, 1))


def make(name, N=3, T=5, D=3, H=4, R=2, lengths=None, seed=0, dtype=np.float64, masked=True):
    """Inputs, weights and upstream gradients of a cell in both directions, all distinct, none zero."""
    rng = np.random.default_rng(seed)
    cell = cells(D, H, R)[name]

    def draw(*shape):
        return (0.5 * rng.standard_normal(shape)).astype(dtype)

    params = getattr(textbook, cell.params)
    return {
        "cell": cell,
        "x": draw(N, T, D),
        "state": tuple(draw(2, N, size) for size in cell.state),
        "params": tuple(params(**{key: draw(*shape) for key, shape in cell.shapes.items()}) for _ in range(2)),
        "lengths": None if lengths is None else np.array(lengths),
        "mask": draw_mask(seed, 2, N, cell.state[0]).astype(dtype) if masked else None,
        "dy": draw(N, T, 2 * cell.state[0]),
        "dstate_T": tuple(draw(2, N, size) for size in cell.state),
    }


def run(case, **changes):
    case = {**case, **changes}
    forward, backward = case["cell"].passes()
    y, state_T, cache = bidirectional_recurrent_forward(
        forward, case["x"], case["state"], case["params"], case["lengths"], case["mask"]
    )
    return (y, state_T), bidirectional_recurrent_backward(backward, case["dy"], case["dstate_T"], cache)


def flat(nested):
    if isinstance(nested, dict):
        return flat(list(nested.values()))
    if isinstance(nested, (tuple, list)):
        return [array for part in nested for array in flat(part)]
    return [nested] if isinstance(nested, np.ndarray) else []


def same(one, other):
    one, other = flat(one), flat(other)
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other))


@st.composite
def any_case(draw):
    """Any cell, any small shape; lengths absent or ragged, zero included; with and without a mask."""
    N, T, D, H, R = (draw(st.integers(1, most)) for most in (4, 5, 4, 4, 4))
    lengths = draw(st.none() | st.lists(st.integers(0, T), min_size=N, max_size=N))
    seed, masked = draw(st.integers(0, 999)), draw(st.booleans())
    return make(draw(st.sampled_from(NAMES)), N, T, D, H, R, lengths, seed, masked=masked)


@given(cases())
def test_with_the_lstms_step_it_is_the_lstm_exactly(case):
    params, state, dstate_T = case.params.forward, (case.h0[0], case.c0[0]), (case.dh_T[0], case.dc_T[0])
    h, h_T, c_T, cache = lstm_forward(case.x, *state, params, case.lengths)
    y, state_T, recurrent_cache = recurrent_forward(lstm_step_forward, case.x, state, params, case.lengths)
    assert same((y, state_T), (h, (h_T, c_T)))
    dh = case.dy[:, :, : h.shape[2]]
    dx, dh0, dc0, grads = lstm_backward(dh, *dstate_T, cache)
    assert same(recurrent_backward(lstm_step_backward, dh, dstate_T, recurrent_cache), (dx, (dh0, dc0), grads))


@given(cases())
def test_with_the_lstms_step_both_directions_are_the_bidirectional_lstm_exactly(case):
    y, h_T, c_T, cache = bilstm_forward(case.x, case.h0, case.c0, case.params, case.lengths)
    got, state_T, recurrent_cache = bidirectional_recurrent_forward(
        lstm_step_forward, case.x, (case.h0, case.c0), case.params, case.lengths
    )
    assert same((got, state_T), (y, (h_T, c_T)))
    dx, dh0, dc0, grads = bilstm_backward(case.dy, case.dh_T, case.dc_T, cache)
    back = bidirectional_recurrent_backward(lstm_step_backward, case.dy, (case.dh_T, case.dc_T), recurrent_cache)
    assert same(back, (dx, (dh0, dc0), tuple(grads)))


@given(any_case())
def test_a_padded_batch_equals_each_row_alone(case):
    (y, state_T), (dx, dstate_0, grads) = run(case)
    N, T, _ = case["x"].shape
    total = [np.zeros_like(grad) for grad in flat(grads)]
    for n, length in enumerate([T] * N if case["lengths"] is None else case["lengths"]):
        row = slice(n, n + 1)
        one = run(
            case,
            x=case["x"][row, :length],
            state=tuple(part[:, row] for part in case["state"]),
            lengths=None,
            mask=None if case["mask"] is None else case["mask"][:, row],
            dy=case["dy"][row, :length],
            dstate_T=tuple(part[:, row] for part in case["dstate_T"]),
        )
        (y_1, state_1), (dx_1, dstate_1, grads_1) = one
        assert_all_close(
            [y[row, :length], dx[row, :length], *(part[:, row] for part in (*state_T, *dstate_0))],
            [y_1, dx_1, *state_1, *dstate_1],
        )
        assert not y[n, length:].any()
        assert not dx[n, length:].any()
        total = [so_far + grad for so_far, grad in zip(total, flat(grads_1))]
    assert_all_close(flat(grads), total)


@given(any_case())
def test_padding_content_never_matters(case):
    N, T, _ = case["x"].shape
    padding = np.arange(T) >= (np.full(N, T) if case["lengths"] is None else case["lengths"])[:, None]
    reference = run(case)
    for junk in (np.nan, np.inf, 1e30, -7.0):
        x, dy = case["x"].copy(), case["dy"].copy()
        x[padding], dy[padding] = junk, junk
        assert same(run(case, x=x, dy=dy), reference)


@given(any_case())
def test_inputs_are_unchanged_and_both_passes_repeat_exactly(case):
    copies = [array.copy() for array in flat(case)]
    forward, backward = case["cell"].passes()
    y, state_T, cache = bidirectional_recurrent_forward(
        forward,
        *(case[name] for name in ("x", "state", "params", "lengths", "mask")),
    )
    first = bidirectional_recurrent_backward(backward, case["dy"], case["dstate_T"], cache)
    second = bidirectional_recurrent_backward(backward, case["dy"], case["dstate_T"], cache)
    assert same(first, second)
    assert same(run(case), ((y, state_T), first))
    assert same(copies, flat(case))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_every_result_has_the_dtype_of_the_inputs(name, dtype):
    for masked in (False, True):
        assert {array.dtype for array in flat(run(make(name, lengths=[5, 0, 2], dtype=dtype, masked=masked)))} == {
            np.dtype(dtype)
        }


@pytest.mark.parametrize("name", NAMES)
def test_grads_have_exactly_the_structure_of_the_params(name):
    case = make(name)
    _, (_, _, grads) = run(case)
    for own, params in zip(grads, case["params"]):
        assert type(own) is type(params)
        for grad, param in zip(own, params):
            assert (grad is None) == (param is None)
            assert param is None or grad.shape == param.shape


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_sequence_and_an_empty_batch_are_answered(name):
    for N, T in [(2, 0), (0, 3)]:
        case = make(name, N, T)
        (y, state_T), (dx, dstate_0, grads) = run(case)
        assert y.shape == (N, T, 2 * case["cell"].state[0])
        assert same([state_T, dstate_0, dx], [case["state"], case["dstate_T"], case["x"]])
        assert not any(grad.any() for grad in flat(grads))


@pytest.mark.parametrize("name", NAMES)
def test_a_sequence_equals_one_cut_in_two_with_its_state_carried_over(name):
    case = make(name, T=6)
    forward, backward = case["cell"].passes()
    x, params, mask, R = case["x"], case["params"][0], case["mask"][0], case["cell"].state[0]
    state, dstate_T = (tuple(part[0] for part in case[key]) for key in ("state", "dstate_T"))
    dy = case["dy"][:, :, :R]
    y, state_T, cache = recurrent_forward(forward, x, state, params, mask=mask)
    y_1, state_1, cache_1 = recurrent_forward(forward, x[:, :4], state, params, mask=mask)
    y_2, state_2, cache_2 = recurrent_forward(forward, x[:, 4:], state_1, params, mask=mask)
    assert_all_close([np.concatenate([y_1, y_2], axis=1), state_2], [y, state_T])
    dx, dstate_0, grads = recurrent_backward(backward, dy, dstate_T, cache)
    dx_2, dcut, grads_2 = recurrent_backward(backward, dy[:, 4:], dstate_T, cache_2)
    dx_1, dstart, grads_1 = recurrent_backward(backward, dy[:, :4], dcut, cache_1)
    assert_all_close([np.concatenate([dx_1, dx_2], axis=1), dstart], [dx, dstate_0])
    assert_all_close([one + two for one, two in zip(flat(grads_1), flat(grads_2))], flat(grads))


def test_lengths_changed_after_the_forward_pass_do_not_mix_in():
    case = make("GRU", lengths=[5, 3, 1])
    args = (case[name] for name in ("x", "state", "params", "lengths", "mask"))
    *_, cache = bidirectional_recurrent_forward(gru_step_forward, *args)
    before = bidirectional_recurrent_backward(gru_step_backward, case["dy"], case["dstate_T"], cache)
    case["lengths"][:] = 5
    assert same(bidirectional_recurrent_backward(gru_step_backward, case["dy"], case["dstate_T"], cache), before)


def test_a_state_of_one_part_is_a_tuple_all_the_same():
    """Also where an array's rows would be the right parts, so that all could go on."""
    case = make("RNN", N=1)
    x, params, (h,), (dh_T,), dy = case["x"], case["params"], case["state"], case["dstate_T"], case["dy"]
    *_, cache = recurrent_forward(rnn_step_forward, x, (h[0],), params[0])
    *_, cache_of_both = bidirectional_recurrent_forward(rnn_step_forward, x, (h,), params)
    for what, run_with in [
        ("state", lambda part: recurrent_forward(rnn_step_forward, x, part[0], params[0])),
        ("state", lambda part: bidirectional_recurrent_forward(rnn_step_forward, x, part, params)),
        ("dstate_T", lambda part: recurrent_backward(rnn_step_backward, dy[:, :, :4], part[0], cache)),
        ("dstate_T", lambda part: bidirectional_recurrent_backward(rnn_step_backward, dy, part, cache_of_both)),
    ]:
        for array in (dh_T, dh_T[None]):  # (2, 1, 4), (1, 2, 1, 4)
            with pytest.raises(
                TypeError, match=rf"^{what} is ndarray; it needs a tuple of arrays, \(h,\) or \(h, c\)$"
            ):
                run_with(array)


def test_a_state_without_parts_is_named_and_so_is_a_gradient_of_other_parts_than_the_states():
    case = make("GRU")
    for name in ("state", "dstate_T"):
        with pytest.raises(ValueError, match=f"^{name} has 0 parts; it needs "):
            run(case, **{name: ()})
    with pytest.raises(ValueError, match="^state has 0 parts; it needs at least h$"):
        recurrent_forward(gru_step_forward, case["x"], (), case["params"][0])
    with pytest.raises(ValueError, match="^dstate_T has 2 parts; it needs 1, as the state has$"):
        run(case, dstate_T=case["dstate_T"] * 2)
    *_, cache = recurrent_forward(gru_step_forward, case["x"], (case["state"][0][0],), case["params"][0])
    with pytest.raises(ValueError, match="^dstate_T has 2 parts; it needs 1, as the state has$"):
        recurrent_backward(gru_step_backward, case["dy"][:, :, :4], (case["dstate_T"][0][0],) * 2, cache)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"x": np.zeros((3, 5))}, r"x has shape \(3, 5\); it needs three axes \(N, T, D\)"),
        ({"x": np.zeros((3, 5, 7))}, r"Wx has shape \(3, 12\); it needs \(7, 12\)"),
        ({"state": (np.zeros((3, 4)),)}, r"state\[0\] has shape \(3, 4\); it needs \(2, 3, \.\), forward then reverse"),
        ({"state": (np.zeros((2, 1, 4)),)}, r"state\[0\] has shape \(2, 1, 4\); it needs \(2, 3, \.\)"),
        ({"state": (np.zeros((2, 3, 1)),)}, r"Wh has shape \(4, 12\); it needs \(1, 12\)"),
        ({"mask": np.ones((2, 3, 1))}, r"mask has shape \(3, 1\); it needs \(3, 4\)"),
        ({"mask": np.ones((2, 4))}, r"mask has shape \(2, 4\); it needs \(2, 3, \.\)"),
        ({"lengths": np.array([1, 2, 9])}, r"lengths\[2\] is 9"),
        ({"dy": np.zeros((3, 5, 4))}, r"dy has shape \(3, 5, 4\); it needs \(3, 5, 8\)"),
        ({"dstate_T": (np.zeros((3, 4)),)}, r"dstate_T\[0\] has shape \(3, 4\); it needs \(2, 3, 4\)"),
    ],
)
def test_a_shape_that_does_not_fit_is_named(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        run(make("GRU"), **change)


@pytest.mark.parametrize("T", [5, 0])
@pytest.mark.parametrize("k", [0, 1])
def test_a_part_of_the_state_with_another_number_of_rows_is_named_even_where_no_step_would_read_it(T, k):
    case = make("LSTM, variant of no kind", T=T)
    state, both = [part[0] for part in case["state"]], list(case["state"])
    state[k], both[k] = state[k][:1], both[k][:, :1]
    with pytest.raises(ValueError, match=rf"state\[{k}\] has shape \(1, 4\); it needs \(3, \.\)"):
        recurrent_forward(lstm_variant_step_forward, case["x"], tuple(state), case["params"][0])
    with pytest.raises(ValueError, match=rf"state\[{k}\] has shape \(2, 1, 4\); it needs \(2, 3, \.\)"):
        run(case, state=tuple(both))


def test_a_cell_state_that_would_broadcast_is_named():
    case = make("LSTM, variant of no kind")
    h, params = case["state"][0][0], textbook.LSTMParams(*case["params"][0][:3])
    with pytest.raises(ValueError, match=r"state\[1\] has shape \(3, 1\); it needs \(3, 4\)"):
        recurrent_forward(lstm_step_forward, case["x"], (h, np.zeros((3, 1))), params)
