"""The whole gradient along one random direction: what it says of kinks that meet, and of what is not finite."""

import numpy as np

import npbilstm as nb
from npbilstm.gradcheck.judge import random_direction

ZEROS = {"a": np.zeros(2)}


def saddle(p):
    """A kink that opens upwards along the first entry, and downwards along the second."""
    return abs(p["a"][0].real) - abs(p["a"][1].real)


def beyond(seed):
    """A gradient that is right at each entry, and steeper along the random direction than the loss on either side."""
    return {"a": np.sign(random_direction(ZEROS, seed)["a"])}


def test_where_kinks_meet_a_gradient_that_is_right_entry_by_entry_is_right_along_the_direction():
    for seed in range(5):
        grads = beyond(seed)
        report = nb.check_gradients(saddle, ZEROS, grads, "richardson", seed=seed)
        assert report.ok, report
        got = float((grads["a"] * random_direction(ZEROS, seed)["a"]).sum())
        low, high = report.convergence.sides
        assert not low <= got <= high
        assert (report.direction.expected, report.direction.got, report.direction.relative) == (got, got, 0)


def test_where_the_entries_are_not_checked_the_direction_shows_the_nearest_gradient_at_the_kink():
    grads = beyond(0)
    report = nb.check_gradients(saddle, ZEROS, grads, "richardson", entries=1)
    low, high = report.convergence.sides
    assert not report.direction.ok
    assert report.direction.expected in (low, high)
    assert abs(report.direction.got - report.direction.expected) == min(
        abs(report.direction.got - low), abs(report.direction.got - high)
    )


def test_differences_do_not_approach_what_is_not_finite():
    report = nb.check_gradients(lambda p: (p["a"] ** 2).sum(), {"a": np.ones(2)}, {"a": np.array([2.0, np.nan])})
    convergence = report.convergence
    assert (convergence.order, convergence.floor, convergence.floor_step) == (None, None, None)
    assert len(convergence.steps) == len(convergence.differences) > 0
    assert "have nothing to approach" in str(report)
