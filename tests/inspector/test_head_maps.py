"""What a CRF and a CTC make of the steps: their maps, losses and gradients are the heads' own."""

from itertools import pairwise, product

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.inspector import consequences, head_maps, intervention
from npbilstm.textbook.crf import CRFParams, crf_marginals
from tests.cases import assert_close
from tests.inspector.test_step_maps import check_equations
from tests.planting import planted

IDS, LENGTHS = np.array([[1, 2, 3, 0], [3, 1, 9, 9], [9, 9, 9, 9]]), np.array([4, 2, 0])
TAGS, LABELS = np.array([[0, 2, 1, 1], [2, 0, 0, 0], [0, 0, 0, 0]]), [[2, 2], [1], []]
NAMES = ["x", "y", "z"]


def made(head, seed=0):
    model = nb.SequenceTagger(4, 3, head=head, hidden_size=3, embedding_size=2, dtype=np.float64, rng=0)
    rng = np.random.default_rng(seed)
    model.params = {name: rng.standard_normal(p.shape) for name, p in model.params.items()}
    return model


def maps(head, module=head_maps):
    model = made(head)
    scores = model.forward(IDS, LENGTHS)[0]
    return scores, module.head_step_maps(model, scores, LENGTHS, LABELS if head == "ctc" else None, NAMES)


def check_crf(module):
    scores, found = maps("crf", module)
    marginals, _ = crf_marginals(scores, CRFParams(**made("crf").head.params), LENGTHS)
    for one, expected, length in zip(found, marginals, LENGTHS):
        assert_close(one.values, expected[:length].T)
        assert one.lines == NAMES
        check_equations(one)


def check_ctc(module):
    """Against all alignments, one by one."""
    scores, found = maps("ctc", module)
    for one, row, length, labels in zip(found, scores, LENGTHS, LABELS):
        y = np.exp(row[:length]) / np.exp(row[:length]).sum(axis=1, keepdims=True)
        extended = [0, *(k for label in labels for k in (label, 0))]
        assert one.lines == [NAMES[k] for k in extended]
        gamma = np.zeros((len(extended), length))
        for places in product(range(len(extended)), repeat=length):
            ends = length and places[0] <= 1 and places[-1] >= len(extended) - 2
            if ends and all(legal(extended, s, t) for s, t in pairwise(places)):
                gamma[list(places), np.arange(length)] += np.prod([y[t, extended[s]] for t, s in enumerate(places)])
        assert_close(one.values, gamma / gamma.sum(axis=0, keepdims=True))
        check_equations(one)


def legal(extended, s, t):
    """Whether an alignment may go from place s to place t."""
    return t in (s, s + 1) or (t == s + 2 and extended[t] != 0 and extended[t] != extended[s])


CHECKS = {"crf": check_crf, "ctc": check_ctc}


@pytest.mark.parametrize("head", CHECKS)
def test_the_map_of_a_head_is_that_of_the_textbook_or_of_all_alignments(head):
    CHECKS[head](head_maps)


@pytest.mark.parametrize(
    ("head", "old", "new"),
    [
        ("crf", "np.exp(log_alpha + log_beta - log_Z)[0].T", "np.exp(log_alpha - log_Z)[0].T"),
        ("crf", "log_alpha[0].T", "log_beta[0].T"),
        ("ctc", "log_sum_exp(log_alpha[-1] + log_beta[-1], axis=0)", "log_sum_exp(log_alpha[-1], axis=0)"),
        ("ctc", "names[k] for k in ctc_extended(labels)]", "names[k] for k in ctc_extended(labels)[::-1]][1:] + ['x']"),
        ("ctc", "log_sum_exp(scores, axis=1)[:, None]", "log_sum_exp(scores, axis=0)"),
    ],
)
def test_a_planted_bug_in_a_heads_map_is_seen(head, old, new):
    with pytest.raises((AssertionError, ValueError)):
        CHECKS[head](planted(head_maps, old, new))


@pytest.mark.parametrize("head", CHECKS)
def test_the_loss_and_its_gradients_are_the_heads(head):
    model, targets = made(head), TAGS if head == "crf" else LABELS
    trace = nb.trace(model, IDS[:2], LENGTHS[:2], target=targets[:2], classes=NAMES)
    batch = model.collate(
        [(i[:length], t if head == "ctc" else t[:length]) for i, length, t in zip(IDS[:2], LENGTHS, targets)]
    )
    loss, cache = model.loss_forward(*batch, training=True)
    grads = model.loss_backward(1.0, cache)
    assert trace.loss == pytest.approx(float(loss), rel=1e-12)
    found = np.zeros_like(grads["embedding.W"])
    for ids, dx, length in zip(IDS, trace.dx, LENGTHS):
        np.add.at(found, ids[:length], dx[:length])
    assert_close(found, grads["embedding.W"])
    with pytest.raises(ValueError, match="this trace's loss is of a whole sequence, so step needs to be None"):
        trace.flow(0)
    own = model.predict(IDS[:2], LENGTHS[:2])
    if head == "crf":
        assert (trace.predicted == own).all()
    else:
        untold = nb.trace(model, IDS[:2], LENGTHS[:2], classes=NAMES)
        assert [one.lines[1::2] for one in untold.step_maps] == [[NAMES[k] for k in row] for row in own]
        assert not untold.has_gradients


SETTINGS = [("h", -3.0, 0, "forward", [1, 2]), ("f", 0.0, 1, "reverse", None), ("h", 2.0, 2, "reverse", [0])]


def changed_run(one):
    for name, to, unit, direction, steps in SETTINGS:
        one = one.intervene(name, to, unit=unit, direction=direction, steps=steps)
    return one


def require_changed_labels(given=LABELS):
    """The scores are those of the changed states; labels, loss and map are the head's, of these scores."""
    model = made("ctc")
    run = changed_run(nb.trace(model, IDS, LENGTHS, target=given, classes=NAMES))
    y = np.concatenate([run["h"][0, 0], run["h"][0, 1]], axis=-1)
    scores = y @ model.params["linear.W"] + model.params["linear.b"]
    read = model.head.predict(scores, LENGTHS)
    labels = read if given is None else given
    assert_close(run.output[np.arange(4) < LENGTHS[:, None]], scores[np.arange(4) < LENGTHS[:, None]])
    assert [list(row) for row in run.answers] == [list(row) for row in labels]
    expected = head_maps.head_step_maps(model, scores, LENGTHS, labels, NAMES)
    for found, one in zip(run.step_maps, expected):
        assert found.lines == one.lines
        assert_close(found.values, one.values)
    if given is None:
        assert run.loss is None
    else:
        assert run.loss == pytest.approx(float(model.head.loss_forward(scores, nb.pad(given), LENGTHS)[0]), rel=1e-12)
    return run


def test_labels_loss_and_map_of_a_changed_run_are_those_of_its_states():
    run = require_changed_labels()
    require_changed_labels(None)
    before = nb.trace(made("ctc"), IDS, LENGTHS, classes=NAMES)
    assert [row.tolist() for row in before.answers] != [row.tolist() for row in changed_run(before).answers]
    for side, row, step, unit in [(0, 0, 3, 0), (1, 0, 2, 1), (0, 1, 0, 2)]:
        h = run["h"][0, side, row, step, unit]
        place = {"unit": unit, "direction": run.directions[side], "steps": step, "row": row}
        above, below = (run.intervene("h", h + by, **place).loss for by in (1e-5, -1e-5))
        np.testing.assert_allclose(run["dh"][0, side, row, step, unit], (above - below) / 2e-5, rtol=1e-6, atol=1e-10)
    assert not run["dh"][0, 0, :, [1, 2], 0].any()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("and changed.loss is None:", "and True:"),
        ("and changed.loss is None:", "and False:"),
        ("output=scores, answers", "output=2 * scores, answers"),
    ],
)
def test_a_planted_bug_in_a_changed_runs_labels_is_seen(old, new, monkeypatch):
    monkeypatch.setattr(intervention, "with_output", planted(consequences, old, new).with_output)
    with pytest.raises(AssertionError):
        [require_changed_labels(given) for given in (LABELS, None)]


def test_the_head_of_classes_has_no_map():
    assert nb.trace(made("classes"), IDS, LENGTHS).step_maps is None


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (LABELS[:1], "target has 1 row; x has 3"),
        ([[2, 2], [0], []], r"target\[1\] has label 0; the model has labels 1 to 2, and 0 is the blank"),
        ([[2, 2, 1, 1], [1], []], r"target\[0\] has 4 steps; its 4 labels need 6"),
        ([[0.5], [1], []], r"target\[0\] has labels of dtype float64"),
    ],
)
def test_labels_that_cannot_be_are_refused_in_a_sentence(target, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        nb.trace(made("ctc"), IDS, LENGTHS, target=target)
