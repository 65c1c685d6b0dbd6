"""A long batch in windows: which steps each has, and how many of them each row has."""

import numpy as np
import pytest

import npbilstm as nb


def test_each_window_has_its_steps_and_each_row_what_is_left_of_it():
    windows = [(steps, lengths.tolist()) for steps, lengths in nb.windows(7, 3, np.array([7, 4, 0, 1]))]
    assert windows == [
        (slice(0, 3), [3, 3, 0, 1]),
        (slice(3, 6), [3, 1, 0, 0]),
        (slice(6, 7), [1, 0, 0, 0]),
    ]


def test_without_lengths_there_are_steps_alone():
    assert list(nb.windows(4, 2)) == [(slice(0, 2), None), (slice(2, 4), None)]
    assert list(nb.windows(2, 5)) == [(slice(0, 2), None)]
    assert list(nb.windows(0, 5)) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((-1, 2), "T is -1; it needs to be at least 0"),
        ((4, 0), "size is 0; it needs to be at least 1"),
        ((4, 2, np.array([3, 5])), r"lengths\[1\] is 5; it needs to be between 0 and T = 4"),
        ((4, 2, np.array([[3]])), r"lengths has shape \(1, 1\); it needs \(1,\)"),
    ],
)
def test_what_does_not_fit_is_named(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        list(nb.windows(*arguments))
