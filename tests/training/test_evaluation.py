"""Predictions over many sequences, and what was taken for what."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.training import accuracy, confusion, count, evaluation, predict_long, predict_sequences, recall, span_f1
from tests.training.tasks import make_model, task

ROW = np.array([1, 2])


class Echo:
    """A tagger that gives each id back as its class, and notes what it was asked."""

    predicts_per_step = True
    pad = staticmethod(nb.pad)

    def __init__(self):
        self.asked = []

    def predict(self, ids, lengths):
        self.asked.append(ids.shape)
        return ids


def test_predictions_come_back_in_order_and_without_padding():
    model = make_model()
    rows = [ids for ids, _ in task(25)]
    for row, predicted in zip(rows, predict_sequences(model, rows, steps=20)):
        assert np.array_equal(predicted, model.predict(row[None])[0])
    assert predict_sequences(model, []) == []


def test_a_long_row_in_pieces_gets_a_class_for_each_symbol_and_agrees_where_context_suffices():
    model = make_model()
    rows = [np.random.default_rng(n).integers(0, 3, n) for n in (0, 1, 7, 8, 9, 100)]
    pieces = predict_long(model, rows, window=8)
    assert [len(p) for p in pieces] == [len(row) for row in rows]
    whole = predict_long(model, rows, window=1000)
    assert np.mean(np.hstack(pieces) == np.hstack(whole)) > 0.9
    assert np.array_equal(whole[-1], model.predict(rows[-1][None])[0])


def test_context_reaches_over_the_edges_of_windows():
    """Was the symbol two steps away a 1? In a window of 6, only the context on both sides tells at its edges."""
    rng = np.random.default_rng(0)
    for shift in (2, -2):
        step = np.arange(20)
        known = (step + shift >= 0) & (step + shift < 20)
        rows = [rng.integers(0, 2, 20) for _ in range(100)]
        data = [(row, np.where(known, np.roll(row, -shift), 0)) for row in rows]
        model = nb.SequenceTagger(2, 2, embedding_size=4, hidden_size=12, rng=0)
        nb.Trainer(model, nb.Adam(0.03), nb.Settings(epochs=10, batch_size=8)).train(data, show=False)
        long = rng.integers(0, 2, 400)
        (cut,) = predict_long(model, [long], window=6)
        assert np.mean(cut[5:-5] == np.roll(long, -shift)[5:-5]) > 0.95


@pytest.mark.parametrize(
    ("lengths", "steps", "batches"),
    [
        ([500, *[4] * 50], 100, [(1, 500), (25, 4), (25, 4)]),  # one long row does not blow up a batch of short ones
        ([4, 500, 4], 100, [(1, 500), (2, 4)]),
        ([5, 4, 3], 10, [(2, 5), (1, 3)]),
        ([5, 5, 5], 9, [(1, 5)] * 3),
        ([0, 0, 0], 2, [(2, 0), (1, 0)]),
        ([1 << 13] * 5, None, [(2, 1 << 13), (2, 1 << 13), (1, 1 << 13)]),
    ],
)
def test_a_batch_has_as_many_rows_as_the_steps_allow_the_longest_first_and_at_least_one(lengths, steps, batches):
    echo, rows = Echo(), [np.arange(n) for n in lengths]
    predicted = predict_sequences(echo, rows, *([] if steps is None else [steps]))
    assert echo.asked == batches
    assert [row.tolist() for row in predicted] == [row.tolist() for row in rows]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (4, [(0, 6), (2, 10), (6, 11)]),
        (6, [(0, 9), (3, 11)]),
        (3, [(0, 4), (2, 7), (5, 10), (8, 11)]),  # half of 3 is 1
        (1, [(k, k + 1) for k in range(11)]),
    ],
)
def test_each_piece_of_a_long_row_has_half_a_window_of_context_on_either_side(window, expected):
    echo = Echo()
    rows = [np.arange(11), np.arange(0)]
    pieces = []

    def noting(model, cut):
        pieces.extend(piece.tolist() for piece in cut)
        return predict_sequences(model, cut)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "predict_sequences", noting)
        predicted = predict_long(echo, rows, window)
    assert pieces == [*([*range(*piece)] for piece in expected), []]
    assert [row.tolist() for row in predicted] == [row.tolist() for row in rows]


@pytest.mark.parametrize("window", [1, 2, 3, 5, 8])
def test_only_the_windows_own_predictions_are_kept(window):
    rows = [np.arange(n) for n in range(20)]
    assert [row.tolist() for row in predict_long(Echo(), rows, window)] == [row.tolist() for row in rows]


def test_a_classifier_gives_each_row_its_one_class_in_order():
    model = nb.SequenceClassifier(3, 4, embedding_size=4, hidden_size=6, rng=0)
    rows = [ids for ids, _ in task(25)]
    predicted = predict_sequences(model, rows, steps=20)
    assert [(int(one), one.shape) for one in predicted] == [(int(model.predict(row[None])[0]), ()) for row in rows]


@pytest.mark.parametrize("kind", [nb.SequenceTagger, nb.SequenceClassifier])
def test_every_valid_step_or_sequence_is_counted_once_under_its_true_class(kind):
    model = kind(3, 2, embedding_size=4, hidden_size=6, rng=1)
    data = [(ids, labels if kind is nb.SequenceTagger else int(labels[0])) for ids, labels in task(25)]
    expected = np.zeros((2, 2), int)
    for ids, labels in data:
        np.add.at(expected, (labels, model.predict(ids[None])[0]), 1)
    assert count(model, data).tolist() == expected.tolist()
    assert (expected.sum(axis=1) != expected.sum(axis=0)).all()  # true and predicted cannot change places


def test_confusion_accuracy_and_recall_by_hand():
    counts = confusion(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 1, 0]), 3)
    assert counts.tolist() == [[1, 2, 0], [1, 2, 0], [0, 0, 0]]
    assert accuracy(counts) == 0.5
    assert recall(counts)[:2].tolist() == [1 / 3, 2 / 3]
    assert np.isnan(recall(counts)[2])
    assert accuracy(np.zeros((2, 2))) == 0


def test_a_class_that_occurs_once_is_recognised_wholly_or_not_at_all():
    counts = confusion(np.array([0, 1, 2, 2]), np.array([0, 2, 2, 2]), 4)
    assert recall(counts)[:3].tolist() == [1, 0, 1]
    assert np.isnan(recall(counts)[3])
    assert accuracy(counts) == 0.75


def test_labels_of_a_small_type_do_not_overflow():
    labels = np.arange(20, dtype=np.uint8)
    assert np.array_equal(confusion(labels, labels, 20), np.eye(20))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: confusion(ROW + 4, ROW, 3), "true holds 5"),
        (lambda: confusion(ROW, -ROW, 3), "predicted holds -1"),
        (lambda: confusion(ROW, ROW[:1], 3), r"predicted has shape \(1,\); it needs \(2,\)"),
        (lambda: predict_long(make_model(), [ROW], -1), "window is -1; it needs to be at least 1"),
        (lambda: predict_long(nb.SequenceClassifier(3, 2, rng=0), [ROW], 2), "it needs to be a tagger"),
        (lambda: predict_long(nb.SequenceTagger(3, 2, head="ctc", rng=0), [ROW], 2), "it needs to be a tagger"),
        (lambda: count(nb.SequenceTagger(3, 2, head="ctc", rng=0), [(ROW, ROW)]), "needs to predict a class for each"),
        (lambda: count(nb.SequenceTagger(3, num_values=1, rng=0), [(ROW, ROW / 2)]), "to predict a class for each"),
        (lambda: span_f1([["B"]], [["B", "I"]]), r"predicted\[0\] has 2 tags; it needs 1, as true\[0\] has"),
    ],
)
def test_what_cannot_be_counted_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_long_rows_of_values_come_whole_too_and_one_of_no_steps():
    model = nb.SequenceTagger(3, num_values=2, hidden_size=2, rng=0)
    found = predict_long(model, [np.zeros(0, int), np.ones(7, int)], window=3)
    assert [values.shape for values in found] == [(0, 2), (7, 2)]
