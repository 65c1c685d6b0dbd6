"""The head "ctc": a tagger whose targets are labels, of another length than the input."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.textbook import ctc_backward, ctc_forward
from npbilstm.training.metrics import edit_distance, label_error_rate
from tests.cases import assert_close
from tests.models.runs import trained

rng = np.random.default_rng(0)
ROWS = [
    (rng.standard_normal((T, 2)), np.array(labels, int))
    for T, labels in [(6, [1, 1, 2]), (3, [3]), (4, []), (5, [2, 3])]
]
OPTIONS = {"input_size": 2, "num_classes": 4, "hidden_size": 4, "head": "ctc", "dtype": np.float64, "rng": 0}


def test_the_loss_is_the_textbooks_and_its_gradient_that_of_all_params():
    model = nb.SequenceTagger(**OPTIONS)
    x, (labels, label_lengths), lengths = model.collate(ROWS)
    loss, cache = model.loss_forward(x, (labels, label_lengths), lengths, training=True)
    scores, _ = model.forward(x, lengths)
    expected, textbook_cache = ctc_forward(scores, labels, lengths, label_lengths)
    assert_close(loss, expected)
    assert_close(model.head.loss_backward(1.0, cache.loss)[0], ctc_backward(1.0, textbook_cache))
    report = nb.check_gradients(
        lambda params: model.with_params(params).loss_forward(x, (labels, label_lengths), lengths, training=True)[0],
        dict(model.params),
        model.loss_backward(1.0, cache),
        "central",
        entries=2,
    )
    assert report.ok, report


def test_nan_in_any_padding_changes_nothing():
    model = nb.SequenceTagger(**OPTIONS)
    x, (labels, label_lengths), lengths = model.collate(ROWS)
    junk, wild = x.copy(), labels.copy()
    junk[np.arange(x.shape[1]) >= lengths[:, None]] = np.nan
    wild[np.arange(labels.shape[1]) >= label_lengths[:, None]] = -1
    gradients = []
    for given in [(x, (labels, label_lengths), lengths), (junk, (wild, label_lengths), lengths)]:
        gradients.append(model.loss_backward(1.0, model.loss_forward(*given, training=True)[1]))
    assert all(np.array_equal(gradients[1][name], d) for name, d in gradients[0].items())


def test_it_learns_and_predicts_labels_and_a_resumed_run_is_the_same_bit_by_bit(tmp_path):
    whole = trained(nb.SequenceTagger(**OPTIONS), ROWS)
    assert whole.position.history[-1]["valid_label_error_rate"] == 0
    x, _, lengths = whole.model.collate(ROWS)
    assert [row.tolist() for row in whole.model.predict(x, lengths)] == [row.tolist() for _, row in ROWS]
    resumed = trained(nb.SequenceTagger(**OPTIONS), ROWS, tmp_path / "run.npz", 17)
    for name, p in whole.model.params.items():
        assert np.array_equal(resumed.model.params[name], p), name
    nb.save_model(tmp_path / "model.npz", whole.model)
    model, _ = nb.load_model(tmp_path / "model.npz")
    assert model.config == whole.model.config
    assert model.config["head"] == "ctc"


@pytest.mark.parametrize(
    ("labels", "error", "sentence"),
    [
        ([1, 1, 2, 2], ValueError, r"train\[0\] has 5 steps; its 4 labels need 6, with a blank between equal neighb"),
        ([1, 0], ValueError, r"train\[0\] has label 0; the model has labels 1 to 3, and 0 is the blank"),
        ([1, 4], ValueError, r"train\[0\] has label 4"),
        ([1.0], TypeError, r"train\[0\] has labels of dtype float64; it needs integers"),
        (1, ValueError, r"train\[0\] has labels of shape \(\); the model needs \(U,\)"),
    ],
)
def test_labels_that_do_not_fit_are_named_before_training(labels, error, sentence):
    with pytest.raises(error, match=sentence):
        nb.Trainer(nb.SequenceTagger(**OPTIONS)).train([(np.zeros((5, 2)), np.array(labels))], show=False)


def test_a_classifier_has_no_such_head():
    with pytest.raises(ValueError, match="head is 'ctc', which needs scores at every step; SequenceTagger has them"):
        nb.SequenceClassifier(**OPTIONS)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("", "", 0), ("abc", "abc", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)],
)
def test_the_edit_distance_counts_what_is_changed_put_in_and_left_out(one, other, distance):
    assert edit_distance(*(np.array(list(word), str) for word in (one, other))) == distance


def test_the_label_error_rate_is_of_all_labels():
    assert label_error_rate([np.array([1, 2, 3]), np.array([4])], [np.array([1, 3]), np.array([5])]) == 0.5
    assert label_error_rate([], []) == 0
