"""Models that read real numbers, and models that answer with them."""

from typing import Any

import numpy as np
import pytest

import npbilstm as nb
from tests.cases import assert_close

OPTIONS: dict[str, Any] = {"hidden_size": 4, "dtype": np.float64, "rng": 0}
TAGGER = nb.SequenceTagger(input_size=3, num_values=2, **OPTIONS)
CLASSIFIER = nb.SequenceClassifier(input_size=3, num_classes=5, pooling="mean", **OPTIONS)
LENGTHS = np.array([4, 2, 0])


def series(N=3, T=4, D=3):
    return np.random.default_rng(7).standard_normal((N, T, D))


@pytest.mark.parametrize("model", [TAGGER, CLASSIFIER, nb.SequenceClassifier(input_size=3, num_values=1, **OPTIONS)])
def test_padding_of_features_never_matters_and_has_no_gradient(model):
    x = series()
    padding = np.arange(4) >= LENGTHS[:, None]
    junk = np.where(padding[..., None], np.nan, x)
    scores, cache = model.forward(x, LENGTHS, training=True)
    again, junk_cache = model.forward(junk, LENGTHS, training=True)
    assert np.array_equal(scores, again)
    dscores = np.random.default_rng(1).standard_normal(scores.shape)
    (dx, grads), (junk_dx, junk_grads) = model.backward(dscores, cache), model.backward(dscores, junk_cache)
    assert not dx[padding].any()
    assert np.array_equal(dx, junk_dx)
    assert all(np.array_equal(grads[name], junk_grads[name]) for name in model.params)
    assert set(grads) == set(model.params)
    assert not any(name.startswith("embedding") for name in grads)


def test_dropout_of_features_leaves_the_padding_out_too():
    model = nb.SequenceTagger(input_size=3, num_values=2, dropout=0.5, **OPTIONS)
    x = np.where((np.arange(4) < LENGTHS[:, None])[..., None], series(), np.nan)
    loss, cache = model.loss_forward(x, np.ones((3, 4, 2)), LENGTHS, training=True, rng=0)
    assert np.isfinite(loss)
    assert all(np.isfinite(g).all() for g in model.loss_backward(1.0, cache).values())


def test_values_are_the_scores_and_their_loss_is_the_mean_squared_error_of_valid_steps():
    x, targets = series(), np.random.default_rng(2).standard_normal((3, 4, 2))
    values = TAGGER.predict(x, LENGTHS)
    assert np.array_equal(values, TAGGER.forward(x, LENGTHS)[0])
    right = [((values[n, :length] - targets[n, :length]) ** 2).ravel() for n, length in enumerate(LENGTHS)]
    assert_close(TAGGER.loss_forward(x, targets, LENGTHS)[0], np.concatenate(right).mean())
    model = nb.SequenceClassifier(input_size=3, num_values=2, **OPTIONS)
    assert_close(
        model.loss_forward(x, targets[:, 0], LENGTHS)[0], ((model.predict(x, LENGTHS) - targets[:, 0]) ** 2).mean()
    )


def test_config_says_which_numbers_a_model_was_made_with():
    assert TAGGER.config["input_size"] == 3
    assert TAGGER.config["num_values"] == 2
    assert not {"num_symbols", "num_classes", "embedding_size", "head"} & set(TAGGER.config)
    for model in (TAGGER, CLASSIFIER, nb.SequenceTagger(5, num_values=1, **OPTIONS)):
        assert repr(type(model)(**model.config)) == repr(model)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "num_symbols or input_size: neither is given"),
        ({"num_symbols": 3, "input_size": 3}, "num_symbols or input_size: both are given"),
        ({"input_size": 3, "num_classes": 2, "embedding_size": 4}, "embedding_size is given with input_size"),
        ({"input_size": 3}, "num_classes or num_values: neither is given"),
        ({"input_size": 3, "num_classes": 2, "num_values": 2}, "num_classes or num_values: both are given"),
        ({"input_size": 3, "num_values": 2, "head": "classes"}, "head is 'classes', which goes with num_classes"),
        ({"input_size": 3, "num_classes": 2, "head": "values"}, "head is 'values', which goes with num_values"),
        ({"input_size": 0, "num_classes": 2}, "input_size is 0; it needs to be at least 1"),
        ({"input_size": 3, "num_values": 0}, "num_values is 0; it needs to be at least 1"),
    ],
)
def test_a_model_is_made_with_one_thing_to_read_and_one_to_answer(options, said):
    with pytest.raises(ValueError, match=said):
        nb.SequenceTagger(**options)


@pytest.mark.parametrize(
    ("x", "error", "said"),
    [
        (np.ones((2, 4), int), TypeError, "x has dtype int64; it needs floating numbers"),
        (np.ones((2, 4)), ValueError, r"x has shape \(2, 4\); it needs axes \(N, T, D\)"),
        (np.ones((2, 4, 5)), ValueError, "x has 5 features at its last axis; this layer was made with input_size=3"),
    ],
)
def test_wrong_features_are_refused_by_name(x, error, said):
    with pytest.raises(error, match=said):
        TAGGER.forward(x)


ROWS = [(series()[n, :length], series()[n, :length, :1]) for n, length in enumerate([4, 2, 3])]


@pytest.mark.parametrize(
    ("x", "target", "error", "said"),
    [
        (np.array([[1.0, 2, np.nan]]), np.ones((1, 1)), ValueError, r"train\[1\]'s x holds nan at step 0, feature 2"),
        (np.ones((1, 3)), np.ones(1), ValueError, r"train\[1\] has targets of shape \(1,\); the model needs \(1, 1\)"),
        (np.ones((1, 3)), np.ones((1, 1), int), TypeError, r"train\[1\]'s targets has dtype int64; it needs floating"),
        (
            np.ones((1, 3)),
            np.full((1, 1), np.inf),
            ValueError,
            r"train\[1\] has targets that are not finite, .* \[0, 0",
        ),
    ],
)
def test_a_series_that_cannot_be_trained_on_is_named(x, target, error, said):
    trainer = nb.Trainer(nb.SequenceTagger(input_size=3, num_values=1, **OPTIONS))
    with pytest.raises(error, match=said):
        trainer.train([ROWS[0], (x, target)], show=False)


def test_of_a_regression_the_best_epoch_is_the_one_of_the_smallest_error():
    model = nb.SequenceTagger(input_size=3, num_values=1, **OPTIONS)
    trainer = nb.Trainer(model, nb.SGD(3.0), nb.Settings(epochs=8, max_norm=None, schedule="constant"))
    history = trainer.train(ROWS, ROWS, show=False)
    errors = [epoch["valid_mean_squared_error"] for epoch in history]
    assert errors.index(min(errors)) != len(errors) - 1  # the learning rate is too large: a later one is worse
    assert trainer.position.best == min(errors)
    predicted = nb.training.predict_sequences(model, [x for x, _ in ROWS])
    assert [row.shape for row in predicted] == [(4, 1), (2, 1), (3, 1)]
    squares = np.concatenate([(row - target).ravel() ** 2 for row, (_, target) in zip(predicted, ROWS)])
    assert_close(squares.mean(), min(errors))


def test_patience_waits_for_a_smaller_error():
    model = nb.SequenceTagger(input_size=3, num_values=1, **OPTIONS)
    trainer = nb.Trainer(model, nb.Adam(0.05), nb.Settings(epochs=9, patience=2))
    away = [(x, model.predict(x[None])[0] - 3 * target) for x, target in ROWS]  # training leads away from these
    trainer.train(ROWS, away, show=False)
    errors = [epoch["valid_mean_squared_error"] for epoch in trainer.position.history]
    assert errors == sorted(errors)
    assert len(errors) == 3


@pytest.mark.parametrize("make", [nb.SequenceTagger, nb.SequenceClassifier])
def test_a_run_on_features_that_is_stopped_and_resumed_is_bit_identical(make, tmp_path):
    rows = ROWS if make is nb.SequenceTagger else [(x, target[0]) for x, target in ROWS]

    def fresh():
        model = make(input_size=3, num_values=1, hidden_size=4, dropout=0.3, rng=0)
        return nb.Trainer(model, nb.Adam(0.01), nb.Settings(epochs=3, batch_size=2))

    whole, path = fresh(), tmp_path / "run.npz"
    whole.train(rows, rows, save=lambda: nb.save_checkpoint(tmp_path / "whole.npz", whole), show=False)
    trainer = fresh()
    while not trainer.finished:
        trainer.train(
            rows,
            rows,
            save=lambda trainer=trainer: nb.save_checkpoint(path, trainer),
            should_stop=lambda: True,
            show=False,
        )
        trainer, _ = nb.load_trainer(path)
    assert path.read_bytes() == (tmp_path / "whole.npz").read_bytes()


@pytest.mark.parametrize(
    "model",
    [TAGGER, nb.SequenceTagger(5, num_values=1, **OPTIONS), nb.LanguageModel(5, rng=0), nb.WordTagger(5, 5, 2, rng=0)],
)
def test_formats_that_have_no_such_model_refuse_it(model):
    for write in (nb.to_pytorch, nb.to_keras, lambda model: nb.export_onnx(model, "model.onnx")):
        with pytest.raises(ValueError, match=r"npbilstm\.save_model keeps it"):
            write(model)
