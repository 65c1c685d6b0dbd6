"""Faults of a pair of passes: what looks like one and is none."""

import numpy as np

import npbilstm as nb


def test_a_gradient_that_is_nan_at_every_call_is_wrong_and_not_said_to_differ_from_call_to_call():
    def backward(d, a):
        return np.where(np.arange(3) == 1, np.nan, 2 * d * a)

    report = nb.check_pair(lambda a: (a**2, a), backward, {"a": np.array([0.3, -0.7, 1.2])})
    assert not report.ok
    assert report.rows[0].flags == ("not finite",)
    assert report.findings == ()
