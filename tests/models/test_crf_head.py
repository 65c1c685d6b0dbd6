"""The head "crf": a tagger whose classes depend on their neighbours."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.models.crf_head import CRFHead
from npbilstm.textbook import legal_transitions
from tests.cases import assert_close
from tests.models.runs import trained

rng = np.random.default_rng(0)
ROWS = [(rng.standard_normal((T, 2)), rng.integers(0, 3, T)) for T in (6, 3, 1, 5)]
OPTIONS = {"input_size": 2, "num_classes": 3, "hidden_size": 4, "head": "crf", "dtype": np.float64, "rng": 0}


def with_transitions():
    """A model whose transitions are not 0."""
    model = nb.SequenceTagger(**OPTIONS)
    for name, p in model.head.params.items():
        p[...] = np.random.default_rng(len(name)).standard_normal(p.shape)
    return model


def test_the_loss_has_the_gradient_of_all_params():
    model = with_transitions()
    x, targets, lengths = model.collate(ROWS)
    _, cache = model.loss_forward(x, targets, lengths, training=True)
    report = nb.check_gradients(
        lambda params: model.with_params(params).loss_forward(x, targets, lengths, training=True)[0],
        dict(model.params),
        model.loss_backward(1.0, cache),
        "central",
        entries=2,
    )
    assert report.ok, report
    assert {"head.transitions", "head.start", "head.end"} <= set(model.params)


def test_with_transitions_of_0_it_is_the_head_of_classes():
    crf, classes = nb.SequenceTagger(**OPTIONS), nb.SequenceTagger(**{**OPTIONS, "head": "classes"})
    batch = crf.collate(ROWS)
    assert_close(crf.loss_forward(*batch)[0], classes.loss_forward(*batch)[0])
    assert np.array_equal(crf.predict(batch[0], batch[2])[0], classes.predict(batch[0], batch[2])[0])


def test_nan_in_the_padding_changes_nothing():
    model = with_transitions()
    x, targets, lengths = model.collate(ROWS)
    padding = np.arange(x.shape[1]) >= lengths[:, None]
    junk, wild = x.copy(), targets.copy()
    junk[padding], wild[padding] = np.nan, -1
    grads = [
        model.loss_backward(1.0, model.loss_forward(*given, lengths, training=True)[1])
        for given in [(x, targets), (junk, wild)]
    ]
    assert all(np.array_equal(grads[1][name], d) for name, d in grads[0].items())
    assert np.array_equal(model.predict(x, lengths), model.predict(junk, lengths))


def test_a_legal_prediction_has_no_illegal_pair():
    model, legal = with_transitions(), legal_transitions("BIO", "BIO")
    scores = 3 * np.random.default_rng(1).standard_normal((20, 7, 3))
    path = model.head.predict(scores, legal=legal)
    assert not legal.transitions[model.head.predict(scores)[:, :-1], model.head.predict(scores)[:, 1:]].all()
    assert legal.start[path[:, 0]].all()
    assert legal.transitions[path[:, :-1], path[:, 1:]].all()


def test_it_learns_and_a_resumed_run_is_the_same_bit_by_bit(tmp_path):
    whole = trained(nb.SequenceTagger(**OPTIONS), ROWS)
    assert whole.position.history[-1]["loss"] < 0.5 * whole.position.history[0]["loss"]
    assert np.abs(whole.model.head.params["transitions"]).max() > 0.1
    resumed = trained(nb.SequenceTagger(**OPTIONS), ROWS, tmp_path / "run.npz", 17)
    for name, p in whole.model.params.items():
        assert np.array_equal(resumed.model.params[name], p), name
    nb.save_model(tmp_path / "model.npz", whole.model)
    model, _ = nb.load_model(tmp_path / "model.npz")
    assert model.config == whole.model.config
    assert model.config["head"] == "crf"


def test_a_classifier_has_no_steps_for_it():
    with pytest.raises(ValueError, match="^head is 'crf', which needs scores at every step; SequenceTagger has them$"):
        nb.SequenceClassifier(3, 2, head="crf")


def test_a_long_row_of_float32_has_the_gradient_of_float64():
    """The log-probability of all paths is some 8,000 here, of which float32 keeps three decimals."""
    draw = np.random.default_rng(0)
    scores, tags = 3 * draw.standard_normal((1, 600, 3)) + 10, draw.integers(0, 3, (1, 600))
    found = {}
    for dtype in (np.float32, np.float64):
        head = CRFHead(3, per_step=True, dtype=dtype)
        loss, cache = head.loss_forward(scores.astype(dtype), tags)
        dscores, grads = head.loss_backward(600, cache)
        assert {dscores.dtype, loss.dtype, *(g.dtype for g in grads.values())} == {np.dtype(dtype)}
        found[dtype] = dscores, grads["transitions"]
    assert_close(found[np.float32][0], found[np.float64][0], 1e-5)
    assert_close(found[np.float32][1] / 600, found[np.float64][1] / 600, 1e-5)
