import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm.textbook import (
    max_over_steps_backward,
    max_over_steps_forward,
    mean_over_steps_backward,
    mean_over_steps_forward,
    pooling,
)
from tests.cases import assert_close
from tests.textbook.plants import planted_in

POOLINGS = {
    "mean": (mean_over_steps_forward, mean_over_steps_backward, np.mean),
    "max": (max_over_steps_forward, max_over_steps_backward, np.max),
}


@st.composite
def pooled_cases(draw):
    """y (N, T, F), T = 0 too, of few distinct negative values so that ties are common; lengths; dpooled (N, F)."""
    N, T, F = draw(st.integers(1, 4)), draw(st.integers(0, 5)), draw(st.integers(1, 4))
    lengths = draw(st.none() | st.lists(st.integers(0, T), min_size=N, max_size=N))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    y = rng.integers(-6, -1, (N, T, F)) / 2
    return y, None if lengths is None else np.array(lengths), rng.standard_normal((N, F))


def lengths_of(y, lengths):
    return np.full(len(y), y.shape[1]) if lengths is None else lengths


def assert_pools(forward, pool, y, lengths):
    pooled, _ = forward(y, lengths)
    assert pooled.shape == (y.shape[0], y.shape[2])
    for n, length in enumerate(lengths_of(y, lengths)):
        assert_close(pooled[n], pool(y[n, :length], axis=0) if length else np.zeros(y.shape[2]))


@pytest.mark.parametrize("name", POOLINGS)
@given(case=pooled_cases())
def test_each_row_is_pooled_over_its_valid_steps(name, case):
    forward, _, pool = POOLINGS[name]
    assert_pools(forward, pool, *case[:2])


@pytest.mark.parametrize(
    ("name", "function", "old", "new"),
    [
        ("mean", "mean_over_steps_forward", "np.where(valid, y, 0)", "y"),
        ("mean", "mean_over_steps_forward", "np.maximum(valid.sum(axis=1), 1)", "(0 * valid + 1).sum(axis=1)"),
        ("max", "max_over_steps_forward", "np.where(valid, y.real, -np.inf)", "np.where(valid, y.real, 0)"),
        ("max", "max_over_steps_forward", "np.where(valid, y.real, -np.inf)", "y.real"),
        ("max", "max_over_steps_forward", "np.where(valid, y.real, -np.inf)", "abs(np.where(valid, y.real, 0))"),
    ],
)  # fmt: skip
def test_a_pooling_that_is_wrong_is_seen(name, function, old, new):
    changed = planted_in(pooling, function, old, new)
    y = np.random.default_rng(0).standard_normal((3, 5, 4)) - 2
    with pytest.raises(AssertionError):
        assert_pools(vars(changed)[function], POOLINGS[name][2], y, np.array([5, 2, 0]))


@pytest.mark.parametrize("name", POOLINGS)
@given(case=pooled_cases())
def test_padding_content_never_matters_and_gets_no_gradient(name, case):
    forward, backward, _ = POOLINGS[name]
    y, lengths, dpooled = case
    padding = np.arange(y.shape[1]) >= lengths_of(y, lengths)[:, None]
    pooled, cache = forward(y, lengths)
    dy = backward(dpooled, cache)
    assert not dy[padding].any()
    for junk in (np.nan, np.inf, 1e30):
        wild = y.copy()
        wild[padding] = junk
        again, cache = forward(wild, lengths)
        assert np.array_equal(again, pooled)
        assert np.array_equal(backward(dpooled, cache), dy)


@given(pooled_cases())
def test_at_a_tie_the_first_largest_step_takes_the_whole_gradient(case):
    y, lengths, dpooled = case
    dy = max_over_steps_backward(dpooled, max_over_steps_forward(y, lengths)[1])
    expected = np.zeros_like(dy)
    for n, length in enumerate(lengths_of(y, lengths)):
        for k in range(y.shape[2] if length else 0):
            column = list(y[n, :length, k])
            expected[n, column.index(max(column)), k] = dpooled[n, k]
    assert np.array_equal(dy, expected)


@given(pooled_cases())
def test_the_means_gradient_is_shared_out_without_a_remainder(case):
    y, lengths, dpooled = case
    dy = mean_over_steps_backward(dpooled, mean_over_steps_forward(y, lengths)[1])
    assert_close(dy.sum(axis=1), np.where(lengths_of(y, lengths)[:, None] > 0, dpooled, 0))


def test_complex_numbers_are_compared_by_their_real_parts():
    y = np.array([[[1 + 9j], [2 - 1j], [2 + 5j]]])
    assert max_over_steps_forward(y)[0] == 2 - 1j


def test_minus_infinity_at_a_valid_step_is_not_padding():
    pooled, cache = max_over_steps_forward(np.full((1, 3, 1), -np.inf), np.array([2]))
    assert pooled == -np.inf
    assert np.array_equal(max_over_steps_backward(np.ones((1, 1)), cache)[0, :, 0], [1, 0, 0])


@pytest.mark.parametrize("name", POOLINGS)
def test_nan_at_a_valid_step_is_not_hidden(name):
    y = np.array([[[1.0], [np.nan], [2.0]]])
    assert np.isnan(POOLINGS[name][0](y)[0])


@pytest.mark.parametrize("name", POOLINGS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_the_dtype_is_kept(name, dtype):
    forward, backward, _ = POOLINGS[name]
    pooled, cache = forward(np.ones((2, 3, 4), dtype), np.array([3, 1]))
    assert pooled.dtype == dtype
    assert backward(pooled, cache).dtype == dtype


@pytest.mark.parametrize("name", POOLINGS)
def test_a_shape_that_does_not_fit_is_named(name):
    forward, backward, _ = POOLINGS[name]
    with pytest.raises(ValueError, match=r"y has shape \(2, 3\); it needs three axes \(N, T, F\)"):
        forward(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"lengths\[1\] is 4"):
        forward(np.zeros((2, 3, 4)), np.array([1, 4]))
    with pytest.raises(ValueError, match=r"dpooled has shape \(4,\); it needs \(2, 4\)"):
        backward(np.zeros(4), forward(np.zeros((2, 3, 4)))[1])
