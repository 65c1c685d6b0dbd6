"""A layout is found out from the numbers; a mistake that looks like one is still a mistake."""

from itertools import permutations

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.mistakes import BUGS, plant
from npbilstm.submission.layouts import Layout, layout_of
from tests.diagnosis.in_layouts import functions_in

LAYOUTS = [
    ("lstm", {"gates": "fico", "weights": "(4,H,D)", "x": "(T,D,N)"}, "x is (D,N); weights (4,H,D); gates f, i, g, o"),
    ("lstm", {"gates": "ifog", "weights": "(H+D,4H)"}, "weights (H+D,4H); gates i, f, o, g"),
    ("lstm", {"weights": "(4H,D+H)", "x": "(D,T,N)"}, "x is (D,N); weights (4H,D+H)"),
    ("lstm", {"weights": "(4,H,D+H)", "x": "(D,T)", "b": "(4,H)"}, "x is (D); weights (4,H,D+H)"),
    ("lstm", {"b": "(4,H)"}, "b (4,H)"),
    ("gru", {"gates": "zrn", "update": "writes"}, "gates z, r, n; z writes; reset before the product"),
    ("gru", {"weights": "(3H,H+D)", "x": "(T,N,D)"}, "weights (3H,H+D); reset before the product"),
    ("gru", {"gates": "nzr", "x": "(T,D)"}, "x is (D); gates n, z, r; reset before the product"),
    ("rnn", {"weights": "(H,D)", "x": "(D,N,T)"}, "x is (D,N); weights (H,D)"),
    ("rnn", {"weights": "(H,D+H)", "x": "(T,D)"}, "x is (D); weights (H,D+H)"),
]


def steps_of(functions):
    """The steps alone."""
    return {name: function for name, function in functions.items() if "step" in name}


@pytest.mark.few(3)
@pytest.mark.parametrize(("cell", "settings", "said"), LAYOUTS)
def test_a_layout_is_adopted_and_said(cell, settings, said):
    report = nb.diagnose(functions_in(layout_of(settings), cell))
    assert report.ok, report
    assert report.read_as[0] == f"Layout, by the outputs of {cell}_step_forward: {said}"


@pytest.mark.few(2)
@pytest.mark.parametrize("gates", ["".join(order) for order in permutations("ifgo")][1:])
def test_every_order_of_the_gates_is_found(gates):
    report = nb.diagnose(functions_in(Layout(gates=gates), "lstm"))
    assert report.ok
    assert report.read_as == (f"Layout, by the outputs of lstm_step_forward: gates {', '.join(gates)}",)


def test_the_textbooks_own_layout_is_not_worth_a_word():
    assert nb.diagnose(functions_in(Layout(), "lstm")).read_as == ()


def test_steps_are_first_by_the_sequences_outputs():
    report = nb.diagnose(functions_in(layout_of({"x": "(T,N,D)"}), "lstm"))
    assert report.ok
    assert report.read_as == ("Layout, by the outputs of lstm_forward: x is (T,N,D)",)


@pytest.mark.parametrize("options", [{"strict": True}, {"gates": "ifgo"}])
def test_a_layout_that_is_pinned_is_no_other(options):
    report = nb.diagnose(functions_in(Layout(gates="ifog"), "lstm"), **options)
    assert report.verdict == "wrong"
    assert report.read_as == ()
    assert "gate-order-ifog" in str(report)


@pytest.mark.few(1)
@pytest.mark.parametrize("gates", ["figo", "igfo", "ofgi", "ifog"])
def test_gates_exchanged_in_the_forward_pass_alone_are_a_mistake(gates):
    report = nb.diagnose(steps_of(functions_in(Layout(), "lstm", forward=Layout(gates=gates))))
    assert report.verdict == "wrong"
    (said,) = report.read_as
    assert said == (
        f"lstm_step_forward gives the outputs of another layout, gates {', '.join(gates)}, and lstm_step_backward does "
        "not follow it"
    )


@pytest.mark.slow
def test_x_and_h_exchanged_in_the_forward_pass_alone_are_a_mistake():
    there, back = (layout_of({"weights": f"({rows},4H)"}) for rows in ("D+H", "H+D"))
    report = nb.diagnose(functions_in(back, "lstm", forward=there))
    assert report.verdict == "wrong"
    assert nb.diagnose(functions_in(back, "lstm")).ok


def test_gates_exchanged_in_the_backward_pass_alone_are_a_mistake():
    report = nb.diagnose(steps_of(functions_in(Layout(gates="figo"), "lstm", forward=Layout(gates="ifgo"))))
    assert report.verdict == "wrong"
    assert "lstm_step_backward" in str(report)


@pytest.mark.few(1)
@pytest.mark.parametrize("bug", ["df-wrong-cell-state", "do-uses-c", "dc-prev-factor-missing", "dx-sign"])
def test_a_mistake_is_named_in_a_layout_that_nobody_told(bug):
    planted = plant([BUGS[bug]])
    changed = {"lstm_step_forward": planted.lstm_step_forward, "lstm_step_backward": planted.lstm_step_backward}
    report = nb.diagnose(functions_in(Layout(gates="ifog", x="TND"), "lstm", **changed))
    assert [bugs[0].id for bugs in report.diagnoses[0].named] == [bug]
    assert report.diagnoses[1].known == (BUGS[bug],)


def squared_error(count):
    """Both passes of a squared error whose mean divides by a count of their own."""

    def forward(predictions, targets, lengths=None):
        N, T = predictions.shape[:2]
        valid = np.ones((N, T), bool) if lengths is None else np.arange(T) < np.asarray(lengths)[:, None]
        valid = valid.reshape(N, T, *[1] * (predictions.ndim - 2)) & np.ones(predictions.shape, bool)
        error = np.where(valid, predictions - targets, 0)
        M = max(count(valid, error, lengths), 1)
        return (error**2).sum() / M, (error, M)

    def backward(dloss, cache):
        error, M = cache
        return dloss * 2 * error / M

    return {"mean_squared_error_forward": forward, "mean_squared_error_backward": backward}


def cross_entropy_over_rows():
    """Both passes of a cross-entropy whose mean divides by the number of rows; of one sequence alone that are its
    steps."""

    def forward(logits, targets, lengths=None):
        logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        hot = np.arange(logits.shape[-1]) == targets[..., None]
        valid = np.ones(targets.shape, bool) if lengths is None else np.arange(targets.shape[1]) < lengths[:, None]
        return -(logs * hot * valid[..., None]).sum() / len(logits), (np.exp(logs) - hot) * valid[..., None]

    def backward(dloss, cache):
        return dloss * cache / len(cache)

    return {"softmax_cross_entropy_forward": forward, "softmax_cross_entropy_backward": backward}


COUNTS = {
    "steps, whatever their width": lambda valid, error, lengths: (
        valid.shape[0] * valid.shape[1] if lengths is None else np.sum(lengths)
    ),
    "what is not exactly right": lambda valid, error, lengths: np.count_nonzero(error),
    "one number of each step": lambda valid, error, lengths: valid[..., 0].sum(),
    "the mask applied twice": lambda valid, error, lengths: valid.sum() * valid.mean(),
}


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "functions",
    [*map(squared_error, COUNTS.values()), cross_entropy_over_rows()],
    ids=[*COUNTS, "cross-entropy over rows"],
)
def test_a_loss_that_is_right_of_one_sequence_alone_is_wrong(functions):
    report = nb.diagnose(functions)
    assert report.verdict == "wrong"
    assert report.read_as == ()


@pytest.mark.parametrize(
    ("count", "verdict"),
    [(lambda real, valid: np.count_nonzero(real, axis=1), "wrong"), (lambda real, valid: valid.sum(axis=1), "right")],
    ids=["what is not 0", "what is real"],
)
def test_a_mean_over_steps_counts_what_is_real_though_it_be_0(count, verdict):
    def forward(y, lengths=None):
        valid = np.arange(y.shape[1]) < (np.full(len(y), y.shape[1]) if lengths is None else lengths)[:, None]
        real = np.where(valid[:, :, None], y, 0)
        return real.sum(axis=1) / np.maximum(count(real, valid[:, :, None]), 1), None

    assert nb.diagnose({"mean_over_steps_forward": forward}).verdict == verdict


def test_a_loss_over_what_is_real_is_right():
    assert nb.diagnose(squared_error(lambda valid, error, lengths: valid.sum())).ok
