import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm.textbook import check_lengths, flip, valid_steps


@st.composite
def ragged(draw):
    N, T = draw(st.integers(1, 5)), draw(st.integers(0, 6))
    lengths = draw(st.none() | st.lists(st.integers(0, T), min_size=N, max_size=N))
    x = np.random.default_rng(0).standard_normal((N, T, 2))
    return x, None if lengths is None else np.array(lengths)


@given(ragged())
def test_flip_is_its_own_inverse(case):
    x, lengths = case
    assert np.array_equal(flip(flip(x, lengths), lengths), x)


@given(ragged())
def test_flip_reverses_the_valid_steps_and_leaves_the_padding(case):
    x, lengths = case
    flipped = flip(x, lengths)
    for n, length in enumerate(check_lengths(lengths, *x.shape[:2])):
        assert np.array_equal(flipped[n, :length], x[n, :length][::-1])
        assert np.array_equal(flipped[n, length:], x[n, length:])


def test_flip_of_the_docstring():
    x = np.array([list("abcd"), list("ef..")])
    assert flip(x, np.array([4, 2])).tolist() == [list("dcba"), list("fe..")]


def test_flip_leaves_its_input_alone():
    x = np.arange(6.0).reshape(2, 3)
    flip(x)[:] = 0
    assert x.sum() == 15


def test_valid_steps_are_those_before_the_length():
    assert valid_steps(np.array([2, 0]), 3).tolist() == [[True, True, False], [False, False, False]]


@pytest.mark.parametrize(
    ("lengths", "error", "sentence"),
    [
        ([1, 4], ValueError, r"lengths\[1\] is 4; it needs to be between 0 and T = 3"),
        ([-1, 2], ValueError, r"lengths\[0\] is -1"),
        ([1.0, 2.0], TypeError, "lengths has dtype float64; it needs integers"),
        ([1], ValueError, r"lengths has shape \(1,\); it needs \(2,\)"),
    ],
)
def test_wrong_lengths_are_named(lengths, error, sentence):
    with pytest.raises(error, match=sentence):
        check_lengths(np.array(lengths), 2, 3)
