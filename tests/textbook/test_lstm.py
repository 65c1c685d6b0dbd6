import numpy as np
import pytest
from hypothesis import given

from npbilstm.textbook import LSTMParams, bilstm_backward, bilstm_forward, lstm_backward, lstm_forward, sigmoid
from tests.cases import assert_close, cases, make_case


def run(case, **changes):
    case = case._replace(**changes)
    y, h_T, c_T, cache = bilstm_forward(case.x, case.h0, case.c0, case.params, case.lengths)
    return (y, h_T, c_T), bilstm_backward(case.dy, case.dh_T, case.dc_T, cache)


def flat(nested):
    return [nested] if isinstance(nested, np.ndarray) else [array for part in nested for array in flat(part)]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(flat(one), flat(other)))


def test_one_step_by_hand():
    """One unit, one input, weights to be followed with a pencil."""
    params = LSTMParams(np.array([[1.0, 2.0, 3.0, 4.0]]), np.zeros((1, 4)), np.array([0.1, 0.2, 0.3, 0.4]))
    h, h_T, c_T, _ = lstm_forward(np.array([[[0.5]]]), np.zeros((1, 1)), np.array([[2.0]]), params)
    i, f, g, o = 1 / (1 + np.exp(-0.6)), 1 / (1 + np.exp(-1.2)), np.tanh(1.8), 1 / (1 + np.exp(-2.4))
    assert_close(c_T, [[f * 2 + i * g]])
    assert_close(h_T, o * np.tanh(c_T))
    assert_close(h[:, 0], h_T)


def test_sigmoid_never_overflows():
    with np.errstate(all="raise"):
        assert_close(sigmoid(np.array([-1e4, 0.0, 1e4])), [0.0, 0.5, 1.0])


@given(cases())
def test_a_padded_batch_equals_each_row_alone(case):
    (y, h_T, c_T), (dx, dh0, dc0, grads) = run(case)
    total = [np.zeros_like(g) for g in flat(grads)]
    T = case.x.shape[1]
    for n, length in enumerate(case.lengths if case.lengths is not None else [T] * len(case.x)):
        row = slice(n, n + 1)
        alone = case._replace(
            x=case.x[row, :length],
            h0=case.h0[:, row],
            c0=case.c0[:, row],
            lengths=None,
            dy=case.dy[row, :length],
            dh_T=case.dh_T[:, row],
            dc_T=case.dc_T[:, row],
        )
        (y1, h1, c1), (dx1, dh01, dc01, grads1) = run(alone)
        for got, expected in [
            (y[row, :length], y1),
            (h_T[:, row], h1),
            (c_T[:, row], c1),
            (dx[row, :length], dx1),
            (dh0[:, row], dh01),
            (dc0[:, row], dc01),
        ]:
            assert_close(got, expected)
        assert not y[n, length:].any()
        assert not dx[n, length:].any()
        total = [t + g for t, g in zip(total, flat(grads1))]
    for got, expected in zip(flat(grads), total):
        assert_close(got, expected)


@given(cases())
def test_padding_content_never_matters(case):
    lengths = case.lengths if case.lengths is not None else np.full(len(case.x), case.x.shape[1])
    padding = np.arange(case.x.shape[1]) >= lengths[:, None]
    reference = run(case)
    for junk in (np.nan, np.inf, 1e30, -7.0):
        x, dy = case.x.copy(), case.dy.copy()
        x[padding], dy[padding] = junk, junk
        assert same(run(case, x=x, dy=dy), reference)


def test_a_row_of_length_0_passes_its_state_and_its_gradient_straight_through():
    case = make_case(lengths=[5, 0, 2])
    (y, h_T, c_T), (dx, dh0, dc0, _) = run(case)
    assert not y[1].any()
    assert not dx[1].any()
    assert same(
        [h_T[:, 1], c_T[:, 1], dh0[:, 1], dc0[:, 1]], [case.h0[:, 1], case.c0[:, 1], case.dh_T[:, 1], case.dc_T[:, 1]]
    )


def test_an_empty_sequence_and_an_empty_batch_are_answered():
    for N, T in [(2, 0), (0, 3)]:
        case = make_case(N, T)
        (y, h_T, _), (dx, dh0, _, grads) = run(case)
        assert y.shape == (N, T, 8)
        assert same([h_T, dh0, dx], [case.h0, case.dh_T, case.x])
        assert not any(g.any() for g in flat(grads))


@given(cases())
def test_inputs_are_unchanged_and_both_passes_repeat_exactly(case):
    copies = [
        array.copy() for array in flat(case._replace(lengths=np.zeros(0) if case.lengths is None else case.lengths))
    ]
    y, h_T, c_T, cache = bilstm_forward(case.x, case.h0, case.c0, case.params, case.lengths)
    first = bilstm_backward(case.dy, case.dh_T, case.dc_T, cache)
    second = bilstm_backward(case.dy, case.dh_T, case.dc_T, cache)
    assert same(first, second)
    assert same(run(case), ((y, h_T, c_T), first))
    assert same(copies, flat(case._replace(lengths=np.zeros(0) if case.lengths is None else case.lengths)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_every_result_has_the_dtype_of_the_inputs(dtype):
    outputs, gradients = run(make_case(lengths=[5, 0, 2], dtype=dtype))
    assert {array.dtype for array in flat(outputs) + flat(gradients)} == {np.dtype(dtype)}


def test_float32_is_near_float64():
    for one, other in zip(flat(run(make_case(dtype=np.float32))), flat(run(make_case()))):
        assert_close(one, other, 1e-5)


def test_an_unrolled_lstm_equals_one_cut_in_two_with_its_state_carried_over():
    case = make_case(T=6)
    params, h0, c0 = case.params.forward, case.h0[0], case.c0[0]
    whole, h_T, c_T, cache = lstm_forward(case.x, h0, c0, params)
    first, h, c, cache_1 = lstm_forward(case.x[:, :4], h0, c0, params)
    second, h_2, c_2, cache_2 = lstm_forward(case.x[:, 4:], h, c, params)
    assert_close(np.concatenate([first, second], axis=1), whole)
    assert_close([h_2, c_2], [h_T, c_T])
    dh = case.dy[:, :, :4]
    dx, dh0, dc0, grads = lstm_backward(dh, case.dh_T[0], case.dc_T[0], cache)
    dx_2, dh_cut, dc_cut, grads_2 = lstm_backward(dh[:, 4:], case.dh_T[0], case.dc_T[0], cache_2)
    dx_1, dh0_1, dc0_1, grads_1 = lstm_backward(dh[:, :4], dh_cut, dc_cut, cache_1)
    assert_close(np.concatenate([dx_1, dx_2], axis=1), dx)
    assert_close([dh0_1, dc0_1], [dh0, dc0])
    for one, two, both in zip(grads_1, grads_2, grads):
        assert_close(one + two, both)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"x": np.zeros((3, 5))}, r"x has shape \(3, 5\); it needs three axes \(N, T, D\)"),
        ({"x": np.zeros((3, 5, 7))}, r"Wx has shape \(3, 16\); it needs \(7, 16\)"),
        ({"h0": np.zeros((3, 4))}, r"h0 has shape \(3, 4\); it needs \(2, 3, 4\)"),
        ({"c0": np.zeros((2, 1, 4))}, r"c0 has shape \(2, 1, 4\)"),
        ({"lengths": np.array([1, 2, 9])}, r"lengths\[2\] is 9"),
        ({"dy": np.zeros((3, 5, 4))}, r"dy has shape \(3, 5, 4\); it needs \(3, 5, 8\)"),
        ({"dh_T": np.zeros((3, 4))}, r"dh_T has shape \(3, 4\); it needs \(2, 3, 4\)"),
    ],
)
def test_a_shape_that_does_not_fit_is_named(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        run(make_case(), **change)
