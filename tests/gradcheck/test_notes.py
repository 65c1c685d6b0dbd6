"""Notes: each is said where it holds, and not where it would mislead."""

import numpy as np
import pytest

import npbilstm as nb

X = {"a": np.array([0.3, -0.7, 1.2]), "b": np.array([2.0, -1.0])}
RIGHT = {name: 2 * p for name, p in X.items()}


def squares(p):
    return (p["a"] ** 2).sum() + (p["b"] ** 2).sum()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda g: g / 3, True),
        (lambda g: -g, True),
        (lambda g: 0 * g, False),
        (lambda g: np.nan * g, False),
        (lambda g: g[::-1], False),
    ],
)
def test_the_factor_in_front_is_named_where_one_ratio_explains_all_and_only_there(change, said):
    report = nb.check_gradients(squares, X, {name: change(g) for name, g in RIGHT.items()})
    assert any("Look at the factor in front of the loss" in note for note in report.notes) == said


def test_a_kink_of_one_parameter_is_not_said_to_be_along_no_entry():
    def bent(p):
        return np.abs(p["a"]).sum() + (p["b"] ** 2).sum()

    point = {"a": np.array([0.0]), "b": X["b"]}
    report = nb.check_gradients(bent, point, {"a": np.array([3.0]), "b": RIGHT["b"]}, "richardson")
    assert [row.flags for row in report.rows] == [("kink",), ()]
    assert not any("none along any entry" in note for note in report.notes)
    assert any("The loss has a kink" in note for note in report.notes)


def test_names_that_are_missing_or_too_many_are_in_order():
    names = [f"w{k}" for k in range(9)]
    with pytest.raises(ValueError, match="grads must have the names of params") as caught:
        nb.check_gradients(squares, dict.fromkeys(names, np.ones(1)), dict.fromkeys([*"zyx"], np.ones(1)))
    assert f"it lacks {names} and has {['x', 'y', 'z']} besides" in str(caught.value)


def test_a_loss_blurred_by_its_own_offset_is_judged_sharply_where_the_complex_step_sees_no_blur():
    def offset(p):
        return ((1e9 + p["a"]) - 1e9).sum()

    report = nb.check_gradients(offset, {"a": X["a"]}, {"a": np.ones(3)})
    assert report.ok, report
    assert report.tolerance == 1e-12
    assert not nb.check_gradients(offset, {"a": X["a"]}, {"a": np.full(3, 1 + 1e-6)}).ok
