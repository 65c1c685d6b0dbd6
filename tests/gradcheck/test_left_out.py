"""What was not compared is named and not called right, in a gradient and in a pair of passes."""

import json

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.gradcheck import check_pair
from tests.gradcheck.test_check_pair import XW, W, b, linear, linear_back

A, B = np.array([0.3, -0.7]), np.array([[1.2, 0.5]])
PARAMS = {"a": A, "b": B}


def loss(p):
    return (p["a"] ** 2).sum() + (p["b"] ** 3).sum()


def gradient():
    return {"a": 2 * A, "b": 3 * B**2}


def test_where_no_entry_was_compared_the_gradient_is_not_called_right():
    reason = "none of its entries was compared"
    report = nb.check_gradients(loss, PARAMS, gradient(), entries=0)
    assert (report.ok, report.direction.ok) == (False, True)
    assert [row.ok for row in report.rows] == [None, None]
    assert report.not_judged == (("a", reason), ("b", reason))
    assert report.verdict == (
        f"NOT JUDGED: a, b: {reason}. Nothing is wrong so far: along a random direction the whole gradient agrees with "
        "complex step."
    )
    assert "\n-   a " in str(report)
    assert f"\nNot judged: b: {reason}.\n" in str(report)
    written = json.loads(report.to_json())
    assert written["not_judged"][0] == {"name": "a", "reason": reason}
    assert written["rows"][0]["ok"] is None
    assert "<tr style" not in report._repr_html_()
    assert not nb.check_gradients(loss, PARAMS, {**gradient(), "a": A}, entries=0).direction.ok


def test_an_array_without_numbers_is_named_and_not_called_right():
    params, grads = {**PARAMS, "none": np.zeros((0, 3))}, {**gradient(), "none": np.zeros((0, 3))}
    report = nb.check_gradients(loss, params, grads)
    assert not report.ok
    assert report.not_judged == (("none", "it holds no numbers"),)
    assert report.verdict == (
        "NOT JUDGED: none: it holds no numbers. Nothing is wrong so far: all 4 entries checked agree with complex step."
    )
    assert nb.check_gradients(loss, params, {**grads, "a": A}).verdict.startswith("The gradient is WRONG for a")


def test_an_empty_block_is_named():
    params = {"b": np.ones(2), "w": np.ones((2, 0))}
    report = nb.check_gradients(lambda p: p["b"].sum(), params, params, blocks={"w": "if"})
    assert [each.name for each in report.not_judged] == ["w (block i)", "w (block f)"]


def test_many_that_are_left_out_make_no_long_verdict():
    params = {f"{'w' * 30}{k}": np.ones(1) for k in range(9)}
    report = nb.check_gradients(lambda p: sum(w[0] for w in p.values()), params, params, entries=0)
    assert "and 6 more" in report.verdict
    assert len(report.verdict) <= 230


class Held:
    def __init__(self, **parts):
        vars(self).update(parts)


def double(x):
    return 2 * x, None


@pytest.mark.parametrize(
    ("forward", "inputs", "options", "not_judged"),
    [
        (double, {"x": np.zeros((0, 3))}, {}, None),
        (lambda x, W: (x @ W, (x, W)), {"x": np.zeros((0, 3)), "W": W}, {}, ["out", "x"]),
        (lambda x, W: (x @ W, x[:0], (x, W)), XW, {}, ["out1"]),
        (lambda x, W: (x @ W, x, (x, W)), XW, {"upstream": {"out1": np.zeros((4, 3))}}, ["out1"]),
        (lambda x, W: (x @ W, Held(h=x), (x, W)), XW, {}, ["out1"]),
        (lambda x, W: (x @ W, [3, Held(h=x)], (x, W)), XW, {}, ["out1.1"]),
        (lambda x, W: (x @ W, np.array([x, None], object), (x, W)), XW, {}, ["out1"]),
        (lambda x, W, held: (x @ W + held.b, (x, W)), {**XW, "held": Held(b=b)}, {}, ["held"]),
        (lambda x, W, held: (x @ W, (x, W)), {**XW, "held": Held(b=3)}, {}, []),
        (lambda x, W: (x @ W, 3, None, "h", np.arange(3), (), (x, W)), XW, {}, []),
        (lambda x, W: (x @ W, (x, W)), XW, {"entries": 0}, ["x", "W"]),
        (lambda x, W: (x @ W, (x, W)), XW, {"entries": 1}, []),
    ],
)
def test_what_no_gradient_tells_of_is_named_and_not_called_right(forward, inputs, options, not_judged):
    def back(dy, *others):
        dx, dW = linear_back(dy, others[-1])
        second = others[0]
        return (dx + second if isinstance(second, np.ndarray) and second.shape == dx.shape else dx), dW

    if not_judged is None:
        with pytest.raises(ValueError, match="the arrays hold no numbers at all; there is nothing to check"):
            check_pair(forward, lambda dy, cache: 2 * dy, inputs)
        return
    report = check_pair(forward, back, inputs, **options)
    assert [each.name for each in report.not_judged] == not_judged
    assert report.ok == (not not_judged)
    assert ("NOT JUDGED" in report.verdict) == bool(not_judged)


def test_what_has_no_gradient_for_a_reason_is_noted():
    def picked(x, W, ids, scale):
        return scale * (x @ W)[ids], ids, (x, W, ids, scale)

    def back(dy, _, cache):
        x, W, ids, scale = cache
        full = np.zeros((len(x), W.shape[1]))
        np.add.at(full, ids, scale * dy)
        return linear_back(full, (x, W))

    inputs = {**XW, "ids": np.array([0, 2]), "scale": 0.5}
    report = check_pair(picked, back, inputs)
    assert report.ok, report
    assert report.notes == (
        "No gradient is checked of ids, scale: that is no array of floating-point numbers.",
        "No gradient comes from out1: that holds no floating-point numbers.",
    )
    only = check_pair(linear, lambda dy, cache: linear_back(dy, cache)[0], XW, gradients=["x"])
    assert only.notes == ("No gradient is checked of W: `gradients` does not name it.",)
