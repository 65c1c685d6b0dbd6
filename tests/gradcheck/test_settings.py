"""How to check: each option at the ends of what it may be, and the sentence beyond them."""

from fractions import Fraction

import numpy as np
import pytest

import npbilstm as nb

A = {"a": np.array([0.3, -0.7, 1.2])}
RIGHT = {"a": 2 * A["a"]}


def check(**options):
    return nb.check_gradients(lambda p: (p["a"] ** 2).sum(), A, RIGHT, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"tolerance": 0.999},
        {"tolerance": np.float32(1e-6)},
        {"step": 1e-4},
        {"step": Fraction(1, 10**4)},
        {"entries": 1},
        {"seed": 0},
        {"seed": 7},
    ],
)
def test_an_option_at_the_end_of_its_range_is_taken(options):
    assert check(**options).ok


def test_without_entries_the_random_direction_alone_is_judged():
    assert check(entries=0).direction.ok
    assert not check(entries=0).ok


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tolerance": 1}, "tolerance is 1; it needs less than 1, at which a gradient of 0 passes"),
        ({"tolerance": 1.5}, "tolerance is 1.5; it needs less than 1"),
        ({"tolerance": 0}, "tolerance is 0; it needs a positive number"),
        ({"tolerance": -1e-6}, "tolerance is -1e-06; it needs a positive number"),
        ({"tolerance": "small"}, "tolerance is 'small'; it needs a positive number"),
        ({"step": np.inf}, "step is inf; it needs a positive number"),
        ({"step": 10**400}, "step is 10*; it needs a positive number"),
        ({"entries": True}, "entries is True; it needs a whole number from 0, or None for all"),
        ({"seed": -1}, "seed is -1; it needs a whole number from 0"),
        ({"seed": True}, "seed is True; it needs a whole number from 0"),
        ({"seed": 0.5}, "seed is 0.5; it needs a whole number from 0"),
    ],
)
def test_an_option_beyond_its_range_is_named(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        check(**options)


def test_arrays_without_numbers_are_nothing_to_check():
    with pytest.raises(ValueError, match="the arrays hold no numbers at all; there is nothing to check"):
        nb.check_gradients(lambda p: 0.0, {"a": np.zeros((0, 3))}, {"a": np.zeros((0, 3))})


@pytest.mark.parametrize(
    ("dtype", "why"),
    [
        (
            "float32",
            "a gradient check needs float64: in float32 round-off alone makes right gradients differ in the fourth "
            "digit",
        ),
        ("int64", "a gradient check needs float64: a small step added to a whole number is lost"),
        ("complex128", "a gradient check needs float64"),
    ],
)
def test_the_sentence_on_a_dtype_is_whole(dtype, why):
    with pytest.raises(TypeError) as caught:
        nb.check_gradients(lambda p: 0.0, {"a": np.ones(2, dtype)}, {"a": np.ones(2)})
    advice = "Convert with .astype(np.float64) and run again"
    assert str(caught.value) == f"params['a'] has dtype {dtype}; {why}. {advice}"
