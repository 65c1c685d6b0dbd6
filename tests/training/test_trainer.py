import numpy as np
import pytest

import npbilstm as nb
from npbilstm.training import count, predict_long, predict_sequences


def task(n=60, seed=0):
    """Was the next symbol a 1? Only who reads in reverse can know."""
    rng = np.random.default_rng(seed)
    rows = [rng.integers(0, 3, rng.integers(3, 9)) for _ in range(n)]
    return [(row, np.append(row[1:] == 1, False).astype(int)) for row in rows]


def make_model(seed=0, **options):
    return nb.SequenceTagger(3, 2, embedding_size=4, hidden_size=6, rng=seed, **options)


def weights(model):
    return {name: p.copy() for name, p in model.params.items()}


def equal(one, other):
    return set(one) == set(other) and all(np.array_equal(one[name], other[name]) for name in one)


def test_two_directions_learn_what_one_cannot():
    scores = {}
    for bidirectional in (True, False):
        model = make_model(bidirectional=bidirectional)
        history = nb.Trainer(model, nb.Adam(0.03), nb.Settings(epochs=12, batch_size=8)).train(
            task(), task(30, seed=1), show=False
        )
        scores[bidirectional] = history[-1]["valid_accuracy"]
        assert len(history) == 12
        assert history[-1]["loss"] < history[0]["loss"]
    assert scores[True] > 0.99
    assert scores[False] < 0.85


def test_a_classifier_learns_too():
    rng = np.random.default_rng(0)
    rows = [rng.integers(0, 3, rng.integers(2, 9)) for _ in range(80)]
    data = [(row, int(row[0] == 1)) for row in rows]
    model = nb.SequenceClassifier(3, 2, embedding_size=4, hidden_size=6, rng=0)
    history = nb.Trainer(model, nb.Adam(0.03), nb.Settings(epochs=8, batch_size=8)).train(
        data[:60], data[60:], show=False
    )
    assert history[-1]["valid_accuracy"] > 0.95
    assert count(model, data[60:]).sum() == 20


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    results = []
    for seed in (0, 0, 1):
        trainer = nb.Trainer(make_model(dropout=0.2), nb.Adam(0.01), nb.Settings(epochs=2, batch_size=8, seed=seed))
        trainer.train(task(), task(20, 1), show=False)
        results.append(weights(trainer.model))
    assert equal(results[0], results[1])
    assert not equal(results[0], results[2])


@pytest.mark.parametrize("optimiser", [nb.Adam, nb.SGD])
def test_a_run_stopped_after_any_batch_and_resumed_from_its_file_ends_bit_identical(optimiser, tmp_path):
    train, valid = task(40), task(20, 1)
    settings = nb.Settings(epochs=3, batch_size=8, patience=2)
    whole = nb.Trainer(make_model(dropout=0.3), optimiser(0.02), settings)
    history = whole.train(train, valid, show=False)
    path = tmp_path / "run.npz"
    for stop_after in range(1, 16):
        trainer = nb.Trainer(make_model(dropout=0.3), optimiser(0.02), settings)
        batches = iter(range(10**6))
        trainer.train(
            train,
            valid,
            save=lambda: nb.save_checkpoint(path, trainer),  # noqa: B023
            should_stop=lambda: next(batches) >= stop_after - 1,  # noqa: B023
            show=False,
        )
        assert not trainer.finished or stop_after == 15
        resumed, _ = nb.load_trainer(path)
        assert resumed.train(train, valid, show=False) == history
        assert equal(weights(resumed.model), weights(whole.model))
        assert equal(resumed.optimiser.state, whole.optimiser.state)


def test_the_best_epoch_is_kept_and_patience_ends_a_run():
    class Spoiler(nb.SGD):
        """Makes things better for a while, then worse."""

        def step(self, params, grads, scale=1.0):
            super().step(params, grads, scale if self.steps < 30 else -5.0)

    trainer = nb.Trainer(
        make_model(), Spoiler(0.5), nb.Settings(epochs=50, batch_size=8, patience=2, schedule="constant")
    )
    valid = task(30, 1)
    history = trainer.train(task(), valid, show=False)
    scores = [epoch["valid_accuracy"] for epoch in history]
    assert len(history) < 50
    assert scores.index(max(scores)) == len(history) - 3
    counts = count(trainer.model, valid)
    assert counts.trace() / counts.sum() == max(scores)


def test_without_validation_the_last_weights_stay():
    trainer = nb.Trainer(make_model(), settings=nb.Settings(epochs=1))
    assert trainer.train(task(), show=False) == trainer.position.history
    assert "valid_accuracy" not in trainer.position.history[0]


def test_predictions_come_back_in_order_and_without_padding():
    model = make_model()
    rows = [ids for ids, _ in task(25)]
    for row, predicted in zip(rows, predict_sequences(model, rows, batch_size=4)):
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


@pytest.mark.parametrize(
    ("train", "valid", "sentence"),
    [
        ([], [], "train holds no sequences"),
        (
            [(np.array([0, 1]), np.array([0]))],
            [],
            r"train\[0\] has labels of shape \(1,\); for these ids the model needs \(2,\)",
        ),
        ([(np.array([0]), np.array([2]))], [], r"train\[0\] has class 2; the model has classes 0 to 1"),
        ([(np.array([0]), np.array([0]))], [(np.array([0]), np.array([-1]))], r"valid\[0\] has class -1"),
        ([(np.array([3]), np.array([0]))], [], "ids holds 3; this layer has rows 0 to 2"),
    ],
)
def test_data_that_does_not_fit_the_model_is_named(train, valid, sentence):
    with pytest.raises(ValueError, match=sentence):
        nb.Trainer(make_model()).train(train, valid, show=False)


def test_a_loss_that_is_not_finite_stops_the_run_with_advice():
    model = make_model()
    model.params["linear.b"][:] = np.nan
    with pytest.raises(FloatingPointError, match="the loss became nan in epoch 1, batch 1; a smaller learning rate"):
        nb.Trainer(model).train(task(), show=False)


def test_the_plain_bar_says_where_it_is(capsys):
    nb.Trainer(make_model(), settings=nb.Settings(epochs=1, batch_size=30)).train(task(), task(5), show=True)
    shown = capsys.readouterr().err
    assert "epoch 1/1: 2/2 loss 0." in shown
    assert "validation accuracy " in shown


def test_weights_that_end_up_infinite_stop_the_run_with_advice():
    trainer = nb.Trainer(make_model(), nb.SGD(1e39), nb.Settings(epochs=1, batch_size=100, max_norm=None))
    with pytest.raises(FloatingPointError, match="is no longer finite in epoch 1, batch 2; a smaller learning rate"):
        trainer.train([(ids, 0 * labels) for ids, labels in task()], show=False)
