"""How a verdict is reached at kinks, at refusing losses and in odd caches, and what a constant ratio is."""

import sys

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.gradcheck.convergence import STEPS, Kink, order_of, study
from npbilstm.gradcheck.flags import flags_of

X = {"a": np.array([0.3, -0.7, 1.2])}


def test_a_kink_admits_what_its_error_allows():
    kink = Kink(0.0, 1.0, 0.1)
    assert kink.admits(1.05, 0)
    assert kink.nearest(1.05, 0) == 1.05
    assert not kink.admits(1.2, 0)
    assert kink.nearest(1.2, 0) == 1


def test_a_step_at_which_the_loss_divides_by_zero_is_left_out():
    def refusing(t):
        return t + (1 / 0 if abs(t) > 1e-3 else 0)

    assert study(refusing, 0.0, 1e-16).derivative == pytest.approx(1)


def test_the_order_is_that_of_the_shortest_steps():
    errors = np.where(STEPS > 1e-3, 1.0, STEPS**2)
    assert order_of(STEPS, errors, 1e-20) == pytest.approx(2)


def test_the_parameter_that_loses_its_imaginary_part_is_named():
    def loss(p):
        return (p["a"] ** 2).sum() + (p["b"] ** 2).sum() + (p["b"].real ** 3).sum()

    b = np.array([0.5, 0.25])
    report = nb.check_gradients(loss, {**X, "b": b}, {"a": 2 * X["a"], "b": 2 * b + 3 * b**2})
    assert report.ok
    assert "what 'b' does" in " ".join(report.notes)


def test_the_worst_entry_that_is_wrong_is_shown_and_not_a_right_one():
    def loss(p):
        return (np.maximum(p["a"], 0) * [5, 1, 1]).sum()

    report = nb.check_gradients(loss, {"a": np.array([0.0, 1.0, 2.0])}, {"a": np.array([2.0, 1.0, 1.5])})
    assert report.rows[0].index == (2,)


def test_more_kinks_than_one_are_counted():
    def loss(p):
        return np.maximum(p["a"], 0).sum()

    report = nb.check_gradients(loss, {"a": np.zeros(3)}, {"a": np.full(3, 2.0)}, method="richardson")
    assert not report.ok
    right = nb.check_gradients(loss, {"a": np.zeros(3)}, {"a": np.full(3, 0.3)}, method="richardson")
    assert right.ok
    assert "(and at 2 more of its entries)" in " ".join(right.notes)


def square(a):
    return a**2, a


def test_the_upstream_gradient_is_drawn_with_the_seed():
    def got(seed):
        return nb.check_pair(square, lambda d, a: 2 * d * a, X, seed=seed).rows[0].got

    assert got(0) == got(0) != got(1)


def test_an_input_without_floats_is_told_from_one_that_is_not_there():
    with pytest.raises(ValueError, match="that input holds none"):
        nb.check_pair(lambda a, n: square(a), lambda d, a: 2 * d * a, {**X, "n": 3}, gradients=["n"])


def test_a_cache_that_holds_itself_is_no_trouble():
    def forward(a):
        cache = [a]
        cache.append(cache)
        return a**2, cache

    assert nb.check_pair(forward, lambda d, cache: 2 * d * cache[0], X).ok


def test_an_array_that_is_kept_twice_is_named_once():
    def forward(a):
        kept = a.copy()
        return a**2, (kept, kept)

    def backward(d, cache):
        grad = 2 * d * cache[0]
        cache[0][0] += 1
        return grad

    report = nb.check_pair(forward, backward, X)
    assert sum("which is kept for it" in finding for finding in report.findings) == 1


def test_two_forward_passes_again_are_allowed_and_three_are_not_and_the_profiler_is_given_back():
    def backward(times):
        def run(d, a):
            for _ in range(times):
                square(a)
            return 2 * d * a

        return run

    before = sys.getprofile()
    assert nb.check_pair(square, backward(2), X).ok
    assert "calls forward 3 times" in nb.check_pair(square, backward(3), X).findings[0]
    assert sys.getprofile() is before


def test_a_list_stays_a_list():
    def forward(parts):
        assert type(parts) is list
        return parts[0] * parts[1], parts

    def backward(d, parts):
        return [d * parts[1], d * parts[0]]

    assert nb.check_pair(forward, backward, {"parts": [X["a"], 2 * X["a"]]}).ok


def test_an_axis_is_no_truth_value():
    with pytest.raises(TypeError, match="it needs a whole number"):
        nb.check_gradients(
            lambda p: (p["a"] ** 2).sum(), {"a": np.ones((2, 2))}, {"a": np.ones((2, 2))}, time={"a": True}
        )


@pytest.mark.parametrize(
    ("got", "expected", "tolerance", "flags"),
    [
        ([3.0, 6.0], [1.0, 2.0], 1e-6, ("constant ratio 3",)),
        ([3.0, 6.1], [1.0, 2.0], 1e-6, ()),
        ([2.0], [1.0], 1e-6, ()),  # of one entry any ratio is constant
        ([2.0, 1e-9], [1.0, 5e-10], 1e-6, ()),  # and so it is of one beside which the others are nothing
        ([1e-3, 1.9e-3], [1.0, 2.0], 1e-3, ()),  # constant to its own size, not to that of what is expected
    ],
)
def test_a_ratio_is_constant_where_two_entries_say_so(got, expected, tolerance, flags):
    assert flags_of(np.array(got), np.array(expected), False, False, tolerance) == flags
