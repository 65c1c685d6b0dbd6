"""Models whose classes count differently, and labels that do not count."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.training import count
from tests.cases import assert_close

ROWS = [(np.array([1, 2, 3, 4]), np.array([0, -100, 2, 0])), (np.array([5, 3]), np.array([-100, 1]))]


def tagger(**options):
    return nb.SequenceTagger(7, 3, hidden_size=4, dtype=np.float64, rng=0, **options)


def test_a_label_of_minus_100_counts_neither_in_the_loss_nor_in_what_is_measured():
    model = tagger()
    ids, targets, lengths = model.collate(ROWS)
    scores, _ = model.forward(ids, lengths)
    kept = targets * (np.arange(4) < lengths[:, None]), (targets != -100) & (np.arange(4) < lengths[:, None])
    expected, _ = nb.softmax_cross_entropy_forward(scores[kept[1]], targets[kept[1]])
    loss, cache = model.loss_forward(ids, targets, lengths, training=True)
    assert_close(loss, expected)
    assert all(np.isfinite(g).all() for g in model.loss_backward(1.0, cache).values())
    history = nb.Trainer(model, settings=nb.Settings(epochs=1)).train(ROWS, ROWS, show=False)
    predicted = nb.training.predict_sequences(model, [ids for ids, _ in ROWS])
    right = [p == t for row, (_, labels) in zip(predicted, ROWS) for p, t in zip(row, labels) if t != -100]
    assert history[0]["valid_accuracy"] == np.mean(right)
    assert count(model, ROWS).sum() == len(right) == 4


def test_class_weights_weigh_the_loss_and_are_in_the_file(tmp_path):
    model = tagger(class_weights=[1, 2, 0.5])
    ids, targets, lengths = model.collate([(np.array([1, 2]), np.array([0, 1])), (np.array([3]), np.array([2]))])
    mask = np.array([[True, True], [True, False]])
    expected, _ = nb.weighted_cross_entropy_forward(
        model.forward(ids, lengths)[0], targets, np.array([1, 2, 0.5]), mask
    )
    assert_close(model.loss_forward(ids, targets, lengths)[0], expected)
    assert not np.isclose(expected, tagger().loss_forward(ids, targets, lengths)[0])
    nb.save_model(tmp_path / "m.npz", model)
    assert nb.load_model(tmp_path / "m.npz")[0].config == model.config
    assert model.config["class_weights"] == [1.0, 2.0, 0.5]
    assert "class_weights" not in tagger().config


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"class_weights": [1, 2]}, r"class_weights has shape \(2,\); it needs \(3,\)"),
        ({"class_weights": [1, 2, -1]}, "class_weights holds -1; it needs finite numbers of at least 0"),
        ({"class_weights": [1, 2, 3], "head": "crf"}, "class_weights goes with the head 'classes'"),
    ],
)
def test_weights_that_cannot_be_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        tagger(**options)


def test_a_crf_has_a_tag_for_every_step():
    with pytest.raises(ValueError, match="has class -100; the model has classes 0 to 2"):
        nb.Trainer(tagger(head="crf")).train(ROWS, show=False)


@pytest.mark.parametrize("size", [1e-300, 1e-40, 1e50, 1e300, 4e307])
def test_how_large_class_weights_are_does_not_matter_but_by_their_ratio(size):
    """Most of these are 0, or infinite, in float32."""
    losses = []
    for weights in ([1.0, 2.0, 4.0], [size, 2 * size, 4 * size]):
        model = nb.SequenceTagger(4, 3, hidden_size=2, class_weights=weights, rng=0)
        trainer = nb.Trainer(model, settings=nb.Settings(epochs=1, batch_size=2, shards=2))
        losses.append(trainer.train([([1, 2], [0, 1]), ([3], [2])], show=False)[0]["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert losses[0] > 0.5
