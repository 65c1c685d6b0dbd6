"""Binary cross-entropy and mean squared error: losses of one number each, not of classes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm.textbook import (
    binary_cross_entropy_backward,
    binary_cross_entropy_forward,
    losses,
    mean_squared_error_backward,
    mean_squared_error_forward,
)
from tests.cases import assert_close
from tests.textbook.plants import planted_in


def cross_entropy(a, y):
    p = 1 / (1 + np.exp(-a))
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


LOSSES = {
    "logits": (binary_cross_entropy_forward, binary_cross_entropy_backward, cross_entropy),
    "predictions": (mean_squared_error_forward, mean_squared_error_backward, lambda p, y: (p - y) ** 2),
}
"""What the loss calls its first argument: both passes, and the term for one number."""

BINARY, SQUARED, SHARED, MEAN = "binary_cross_entropy_forward", "mean_squared_error_forward", "comparable", "counted"


@st.composite
def number_cases(draw):
    """Numbers (N, T, ...), targets in 0..1, the ends among them, and lengths or none."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=2, max_size=4)))
    lengths = draw(st.none() | st.lists(st.integers(0, shape[1]), min_size=shape[0], max_size=shape[0]))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    targets = np.clip(1.5 * rng.random(shape) - 0.25, 0, 1)
    return 3 * rng.standard_normal(shape), targets, None if lengths is None else np.array(lengths)


def assert_is_the_mean(forward, term, a, y, lengths):
    N, T = a.shape[:2]
    rows = [(n, t) for n in range(N) for t in range(T if lengths is None else lengths[n])]
    terms = [term(a[row][k], y[row][k]) for row in rows for k in np.ndindex(a.shape[2:])]
    assert_close(forward(a, y, lengths)[0], np.mean(terms) if terms else 0.0)


@pytest.mark.parametrize("name", LOSSES)
@given(case=number_cases())
def test_the_loss_is_the_mean_over_valid_numbers(name, case):
    forward, _, term = LOSSES[name]
    assert_is_the_mean(forward, term, *case)


@pytest.mark.parametrize(
    ("name", "function", "old", "new"),
    [
        ("logits", BINARY, "- a * y", "+ a * y"),
        ("logits", BINARY, "- a * y", "- positive * y"),
        ("logits", BINARY, "(a - positive) - positive", "a - positive"),
        ("logits", BINARY, "np.where(valid, terms, 0)", "terms"),
        ("logits", MEAN, "max(int(valid.sum()), 1)", "valid.size"),
        ("predictions", SQUARED, "(error * error)", "abs(error)"),
        ("predictions", SQUARED, "(error * error)", "(error * error / 2)"),
        ("predictions", SHARED, "np.where(valid, targets, 0)", "targets"),
        ("predictions", MEAN, "max(int(valid.sum()), 1)", "int(valid[..., 0].sum())"),
    ],
)
def test_a_loss_that_is_wrong_is_seen(name, function, old, new):
    wrong = vars(planted_in(losses, function, old, new))[LOSSES[name][0].__name__]
    rng = np.random.default_rng(0)
    a, y = 2 * rng.standard_normal((3, 5, 2)), rng.random((3, 5, 2))
    with pytest.raises(AssertionError):
        assert_is_the_mean(wrong, LOSSES[name][2], a, y, np.array([5, 2, 0]))


@pytest.mark.parametrize("name", LOSSES)
@given(case=number_cases())
def test_padding_content_never_matters_and_gets_no_gradient(name, case):
    forward, backward, _ = LOSSES[name]
    a, y, lengths = case
    lengths = np.zeros(len(a), int) if lengths is None else lengths
    padding = np.arange(a.shape[1]) >= lengths[:, None]
    loss, cache = forward(a, y, lengths)
    gradient = backward(1.0, cache)
    assert gradient.shape == a.shape
    assert not gradient[padding].any()
    for junk in (np.nan, np.inf, -1e30):
        wild, odd = a.copy(), y.copy()
        wild[padding], odd[padding] = junk, junk
        again, cache = forward(wild, odd, lengths)
        assert again == loss
        assert np.array_equal(backward(1.0, cache), gradient)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_the_dtype_of_the_numbers_is_kept_whatever_the_targets_have(name, dtype):
    forward, backward, _ = LOSSES[name]
    for targets in (np.zeros((2, 3)), np.zeros((2, 3), np.float32)):
        loss, cache = forward(np.ones((2, 3), dtype), targets)
        assert loss.dtype == dtype
        assert backward(np.float64(1), cache).dtype == dtype


@pytest.mark.parametrize("name", LOSSES)
def test_any_shape_goes_without_lengths(name):
    forward, backward, term = LOSSES[name]
    for shape in [(), (4,), (2, 3), (2, 3, 4, 5)]:
        a = np.random.default_rng(0).standard_normal(shape)
        y = np.full(shape, 0.25)
        loss, cache = forward(a, y)
        assert_close(loss, term(a, y).mean())
        assert backward(1.0, cache).shape == shape


@pytest.mark.parametrize("name", LOSSES)
def test_no_number_at_all_is_a_loss_of_0(name):
    forward, backward, _ = LOSSES[name]
    loss, cache = forward(np.zeros((0, 3)), np.zeros((0, 3)))
    assert loss == 0
    assert backward(1.0, cache).shape == (0, 3)


def test_huge_logits_do_not_overflow():
    with np.errstate(over="raise", invalid="raise"):
        loss, cache = binary_cross_entropy_forward(np.array([1e4, -1e4, 0.0]), np.array([0.0, 0.0, 1.0]))
    assert_close(loss, (1e4 + np.log(2)) / 3)
    assert_close(binary_cross_entropy_backward(3.0, cache), [1.0, 0.0, -0.5])


def test_a_sure_and_right_answer_costs_little_but_not_nothing():
    """log(1 + exp(-40)) is exp(-40), which 1 + exp(-40) would lose."""
    assert_close(binary_cross_entropy_forward(np.array([40.0]), np.ones(1))[0] * np.exp(40), 1.0)


def test_the_derivative_at_a_logit_of_0_is_right_by_the_complex_step():
    """max(a, 0) and |a| have a corner at 0, their sum has none."""
    h = 1e-20
    loss, _ = binary_cross_entropy_forward(np.array([h * 1j]), np.array([0.25]))
    _, cache = binary_cross_entropy_forward(np.array([0.0]), np.array([0.25]))
    assert_close(loss.imag / h, 0.25)
    assert_close(binary_cross_entropy_backward(1.0, cache), [0.25])


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"y": np.zeros((2, 3), int)}, TypeError, "targets has dtype int64; it needs floating numbers"),
        ({"y": np.zeros((2, 3), complex)}, TypeError, "targets has dtype complex128; it needs floating numbers"),
        ({"a": np.zeros((2, 3), int)}, TypeError, "{name} has dtype int64; it needs floating numbers"),
        ({"y": np.zeros(3)}, ValueError, r"targets has shape \(3,\); it needs \(2, 3\)"),
        ({"lengths": np.array([1, 4])}, ValueError, r"lengths\[1\] is 4"),
        (
            {"a": np.zeros(2), "y": np.zeros(2), "lengths": np.array([1, 1])},
            ValueError,
            r"lengths goes with {name} \(N, T, ...\); {name} has shape \(2,\)",
        ),
    ],
)
def test_what_does_not_fit_is_named(name, change, error, sentence):
    case = {"a": np.zeros((2, 3)), "y": np.zeros((2, 3)), "lengths": None, **change}
    with pytest.raises(error, match=sentence.replace("{name}", name)):
        LOSSES[name][0](*case.values())


@pytest.mark.parametrize("outside", [-0.5, 1.5, np.nan])
def test_a_target_that_is_no_probability_is_named(outside):
    targets = np.array([[0.5, outside, 0.5]])
    with pytest.raises(ValueError, match=f"targets holds {outside} at a valid step; it needs numbers from 0 to 1"):
        binary_cross_entropy_forward(np.zeros((1, 3)), targets, np.array([2]))
    binary_cross_entropy_forward(np.zeros((1, 3)), targets, np.array([1]))
