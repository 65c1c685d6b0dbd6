import numpy as np
import pytest

import npbilstm as nb
from npbilstm.training.metrics import metric_of_spans
from npbilstm.training.spans import span_f1, spans


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("", []),
        ("O O", []),
        ("B-x I-x O B-x B-x", [(0, 2, "x"), (3, 4, "x"), (4, 5, "x")]),
        ("B-x I-x E-x S-y", [(0, 3, "x"), (3, 4, "y")]),
        ("I-x I-x O I-y", [(0, 2, "x"), (3, 4, "y")]),
        ("B-x I-y E-y I-y", [(0, 1, "x"), (1, 3, "y"), (3, 4, "y")]),
        ("B M E S M E", [(0, 3, ""), (3, 4, ""), (4, 6, "")]),
    ],
)
def test_spans_are_those_of_conlleval(tags, found):
    assert spans(tags.split()) == found


def test_the_f1_is_of_all_spans_together():
    true, predicted = ["B-x I-x O B-y", "B-x"], ["B-x I-x O B-x", "O"]  # one of three there, one of two found
    assert span_f1(map(str.split, true), map(str.split, predicted)) == pytest.approx(2 / 5)
    assert span_f1([["O"]], [["O"]]) == 0


NAMES = ["B-x", "I-x", "O"]


def tagger(classes=3, **options):
    return nb.SequenceTagger(4, classes, embedding_size=2, hidden_size=2, rng=0, **options)


def test_by_the_names_of_its_classes_validation_measures_entities_and_stops_by_them(tmp_path):
    rows = [(np.array([1, 2, 3]), np.array([0, 1, 2])), (np.array([3, 1]), np.array([2, 0]))]
    trainer = nb.Trainer(tagger(), nb.Adam(0.1), nb.Settings(epochs=60, patience=15), spans_of=NAMES)
    history = trainer.train(rows, rows, show=False, save=lambda: nb.save_checkpoint(tmp_path / "run.npz", trainer))
    assert set(history[0]) == {"epoch", "loss", "valid_span_f1"}
    assert len(history) < 60  # all were found
    assert history[-1]["valid_span_f1"] == trainer.position.best == 1
    again, _ = nb.load_trainer(tmp_path / "run.npz")
    assert again.spans_of == NAMES
    assert again.metric.name == "span_f1"


def test_the_metric_is_the_f1_of_the_names_and_knows_what_does_not_count():
    measure = metric_of_spans(NAMES).measure
    true, predicted = [np.array([0, 1, 2, 0]), np.array([0])], [np.array([0, 1, 2, 2]), np.array([0])]
    assert measure(true, predicted) == pytest.approx(2 * 2 / 5)
    assert measure([np.array([0, -100, 0])], [np.array([0, 1, 0])]) == 1


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (["NOUN", "O", "B"], ValueError, "class 'NOUN' is no tag of spans; those are O, or B, I, E, S or M"),
        (["O", "B-", "I"], ValueError, "class 'B-' is no tag"),
        (["O", "O-x", "B"], ValueError, "class 'O-x' is no tag"),
        (["O", "M", "E"], ValueError, "none is of a span"),
        ([1, 2, 3], TypeError, "spans_of holds 1; it needs the names of classes"),
        (["O", "B"], ValueError, "spans_of names 2 classes; the model has 3 at each step"),
    ],
)
def test_what_are_no_tags_of_spans_is_named(names, error, message):
    with pytest.raises(error, match=message):
        nb.Trainer(tagger(), spans_of=names)


def test_a_model_without_a_class_at_each_step_has_no_spans():
    for model in (nb.SequenceClassifier(4, 3, rng=0), nb.Seq2Seq(4, 3, rng=0), tagger(head="ctc")):
        with pytest.raises(ValueError, match="spans_of names 3 classes; the model has 0 at each step"):
            nb.Trainer(model, spans_of=NAMES)
