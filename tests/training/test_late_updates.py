"""Rows that are changed when they are read are what they would be, had the whole table been changed at every step."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.layers import RowGradient
from npbilstm.training import optimizers
from npbilstm.training.late_updates import ROW_SLOTS
from tests.cases import assert_close
from tests.planting import planted

V, D, STEPS = 12, 3, 60


def gradients(seed=0):
    """Of each step: the rows that are read, and what comes back of those of them that have a gradient."""
    rng = np.random.default_rng(seed)
    for step in range(STEPS):
        read = np.unique(rng.integers(0, V - 1 if step < 50 else V, 3))  # the last row is first read late
        rows = read[rng.random(len(read)) < 0.8]
        yield read, RowGradient(rows, rng.standard_normal((len(rows), D)), (V, D))


def by_row_and_dense(make, settle_all_at=()):
    """Both ways at once -> the table by rows, settled, and the other; asserting that each row that is read is right."""
    start = np.random.default_rng(1).standard_normal((V, D))
    by_row, whole = {"W": start.copy(), "b": np.zeros(2)}, {"W": start.copy(), "b": np.zeros(2)}
    one, other = make(), make()
    for step, (read, g) in enumerate(gradients()):
        one.settle(by_row, {"W": read})
        assert_close(by_row["W"][read], whole["W"][read], 1e-12)
        scale, db = 0.0 if 20 <= step < 30 else 1 - step / STEPS, np.array([1.0, step])
        one.step(by_row, {"W": g, "b": db}, scale)
        other.step(whole, {"W": g.dense(), "b": db}, scale)
        if step in settle_all_at:
            one.settle(by_row)
            assert_close(by_row["W"], whole["W"], 1e-12)
    one.settle(by_row)
    assert np.array_equal(by_row["b"], whole["b"])
    return one, by_row["W"], whole["W"]


MAKES = {
    "Adam": lambda: nb.Adam(0.1, epsilon=1e-300),
    "Adam, other betas": lambda: nb.Adam(0.1, 0.5, 0.6, epsilon=1e-300),
    "SGD": lambda: nb.SGD(0.1),
    "SGD without momentum": lambda: nb.SGD(0.1, momentum=0.0),
}


@pytest.mark.parametrize("kind", MAKES)
@pytest.mark.parametrize("settle_all_at", [(), (7, 8, 40)])
def test_rows_changed_late_are_those_of_the_whole_table_changed_at_every_step(kind, settle_all_at):
    _, late, whole = by_row_and_dense(MAKES[kind], settle_all_at)
    assert_close(late, whole, 1e-12)


def test_the_usual_epsilon_differs_by_no_more_than_it_is():
    start = np.random.default_rng(1).standard_normal((V, D))
    by_row, whole, one, other = {"W": start.copy()}, {"W": start.copy()}, nb.Adam(0.1), nb.Adam(0.1)
    for _, g in gradients():
        one.step(by_row, {"W": g})
        other.step(whole, {"W": g.dense()})
    one.settle(by_row)
    different = np.abs(by_row["W"] - whole["W"]).max()
    assert 0 < different < 1e-6


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("self.beta1 / np.sqrt(self.beta2), rate", "self.beta1, rate"),
        ("rate * root / (1 - self.beta1**self.steps)", "rate * root"),
        ("p[rows] -= ", "p[rows] += 0 * "),
        ("decay ** (self.steps - step)", "decay ** (1 + 0 * step)"),
        ("touched[rows], faded[rows], behind[rows] = self.steps, 1, 0", "behind[rows] = 0"),
        ("(touched[rows] < self.steps) | (behind[rows] != 0)", "behind[rows] != 0"),
    ],
)
def test_the_comparison_with_the_whole_table_finds_what_is_wrong(right, wrong):
    mistaken = planted(optimizers, right, wrong)

    def compare():
        _, late, whole = by_row_and_dense(lambda: mistaken.Adam(0.1, epsilon=1e-300), (7, 8, 40))
        assert_close(late, whole, 1e-12)

    with pytest.raises(AssertionError):
        compare()


def test_only_rows_that_were_read_are_touched():
    params = {"W": np.ones((V, D))}
    adam = nb.Adam(0.1)
    adam.step(params, {"W": RowGradient(np.array([2, 5]), np.ones((2, D)), (V, D))})
    adam.settle(params)
    assert np.flatnonzero((params["W"] != 1).any(axis=1)).tolist() == [2, 5]
    assert {key.split("/")[0] for key in adam.state} == {"m", "v", *ROW_SLOTS}


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.0), (0.9, 0.5), (0.9, 0.81), (0.0, 0.0)])
def test_a_fading_that_does_not_fade_is_refused(beta1, beta2):
    """A row that nobody reads would be behind by more at each step, until it is infinite."""
    g = RowGradient(np.array([0]), np.ones((1, D)), (V, D))
    with pytest.raises(ValueError, match=rf"beta2 is {beta2:g}; of tables of which few rows .* beta1\^2, {beta1**2:g}"):
        nb.Adam(0.1, beta1, beta2).step({"W": np.ones((V, D))}, {"W": g})


def test_a_table_s_gradient_has_the_table_s_shape():
    with pytest.raises(ValueError, match=r"grads\['W'\] has shape \(3, 3\); it needs \(12, 3\)"):
        nb.Adam(0.1).step({"W": np.ones((V, D))}, {"W": RowGradient(np.array([0]), np.ones((1, D)), (3, D))})


def test_clipping_knows_the_rows_that_are_not_there_to_be_0():
    g = RowGradient(np.array([1]), np.array([[3.0, 4.0]]), (4, 2))
    clipped, norm = nb.clip_by_global_norm({"W": g, "b": np.zeros(1)}, 1.0)
    same, same_norm = nb.clip_by_global_norm({"W": g.dense(), "b": np.zeros(1)}, 1.0)
    assert norm == same_norm == 5
    assert np.array_equal(clipped["W"].dense(), same["W"])
