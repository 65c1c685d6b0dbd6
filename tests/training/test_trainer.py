import numpy as np
import pytest

import npbilstm as nb
from npbilstm.training import count
from tests.training.tasks import equal, make_model, task, weights


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


@pytest.mark.few(1)
@pytest.mark.parametrize("optimizer", [nb.Adam, nb.SGD])
def test_a_run_stopped_after_any_batch_and_resumed_from_its_file_ends_bit_identical(optimizer, tmp_path):
    train, valid = task(40), task(20, 1)
    settings = nb.Settings(epochs=3, batch_size=8, patience=2)
    whole = nb.Trainer(make_model(dropout=0.3), optimizer(0.02), settings)
    history = whole.train(train, valid, show=False)
    path = tmp_path / "run.npz"
    for stop_after in range(1, 16):
        trainer = nb.Trainer(make_model(dropout=0.3), optimizer(0.02), settings)
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
        assert equal(resumed.optimizer.state, whole.optimizer.state)


def test_a_classifiers_run_stopped_in_an_epoch_goes_on_to_the_same_bytes(tmp_path):
    data = [(ids, int(labels[0])) for ids, labels in task(40)]

    def begin():
        model = nb.SequenceClassifier(3, 2, embedding_size=4, hidden_size=6, dropout=0.3, rng=0)
        return nb.Trainer(model, settings=nb.Settings(epochs=2, batch_size=8))

    whole, stopped = begin(), begin()
    history = whole.train(data, data, show=False)
    path = tmp_path / "run.npz"
    stopped.train(
        data,
        data,
        save=lambda: nb.save_checkpoint(path, stopped),
        should_stop=lambda: stopped.position.batch == 3,
        show=False,
    )
    resumed, _ = nb.load_trainer(path)
    assert (resumed.position.epoch, resumed.position.batch) == (0, 3)
    assert resumed.train(data, data, show=False) == history
    assert equal(weights(resumed.model), weights(whole.model))


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


@pytest.mark.parametrize("valid", [[], task(5, 1)])
def test_the_history_is_a_line_an_epoch_and_is_not_said_unless_it_is_to_be_shown(valid, capsys):
    for show in (False, True):
        trainer = nb.Trainer(make_model(), settings=nb.Settings(epochs=3))
        history = trainer.train(task(), valid, show=show)
        assert [record["epoch"] for record in history] == [1, 2, 3]
        assert all(("valid_accuracy" in record) == bool(valid) for record in history)
        shown = capsys.readouterr().err
        assert [shown.count(f"epoch {k}/3: 2/2 loss ") for k in (1, 2, 3)] == [show] * 3
        assert shown.count("validation accuracy") == (3 if show and valid else 0)


def test_where_nothing_is_said_a_run_is_what_the_docs_say():
    trainer = nb.Trainer(make_model())
    assert trainer.settings == nb.Settings(
        epochs=3, batch_size=32, max_norm=1.0, schedule="linear", patience=None, seed=0
    )
    assert trainer.optimizer.settings == nb.Adam(0.01).settings


def test_the_validation_accuracy_is_the_share_of_steps_whatever_row_they_stand_in():
    rng = np.random.default_rng(0)
    valid = [(rng.integers(0, 3, n), rng.integers(0, 2, n)) for n in (1, 40, 3, 1)]
    trainer = nb.Trainer(make_model(), settings=nb.Settings(epochs=1))
    history = trainer.train(task(), valid, show=False)
    right = [trainer.model.predict(ids[None])[0] == labels for ids, labels in valid]
    assert history[0]["valid_accuracy"] == np.hstack(right).mean()
    assert not np.isclose(history[0]["valid_accuracy"], np.mean([row.mean() for row in right]))


def test_without_validation_the_last_weights_stay():
    trainer = nb.Trainer(make_model(), settings=nb.Settings(epochs=1))
    assert trainer.train(task(), show=False) == trainer.position.history
    assert "valid_accuracy" not in trainer.position.history[0]


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
        ([(np.array([0, 1]), np.array([0, 2]))], [], r"train\[0\] has class 2; the model has classes 0 to 1"),
        ([(np.array([0, 1]), np.array([-3, 2]))], [], r"train\[0\] has class -3; the model has classes 0 to 1"),
        ([(np.array([0]), np.array([0]))], [(np.array([0]), np.array([-1]))], r"valid\[0\] has class -1"),
        ([(np.array([3]), np.array([0]))], [], r"train\[0\]'s ids holds 3; this layer has rows 0 to 2"),
        ([(np.array([0]), np.array([0]))], [(np.array([9]), np.array([0]))], r"valid\[0\]'s ids holds 9"),
    ],
)
def test_data_that_does_not_fit_the_model_is_named(train, valid, sentence):
    with pytest.raises(ValueError, match=sentence):
        nb.Trainer(make_model()).train(train, valid, show=False)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_stops_the_run_with_advice_and_without_a_warning(value):
    model = make_model()
    model.params["linear.b"][:] = value
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


@pytest.mark.parametrize(
    ("rate", "epochs", "how"),
    [(1e30, 1, r"grew to \d\.\d+e\+2\d in epoch 1, batch 2"), (1e21, 2, "the loss became|grew to")],
)
def test_weights_too_large_to_compute_with_stop_the_run_on_every_kernel(rate, epochs, how):
    settings = nb.Settings(epochs=epochs, batch_size=100, max_norm=None)
    with pytest.raises(FloatingPointError, match=f"{how}.*; a smaller learning rate"):
        nb.Trainer(make_model(), nb.SGD(rate), settings).train(task(), show=False)


def test_a_model_whose_outputs_are_not_finite_predicts_no_class():
    model = make_model()
    model.params["linear.b"][0] = np.nan
    with pytest.raises(FloatingPointError, match="the model's outputs are not finite"):
        nb.training.predict_sequences(model, [ids for ids, _ in task()])


def test_what_diverged_is_not_saved_over_what_was_whole():
    trainer = nb.Trainer(make_model(), nb.SGD(1e39), nb.Settings(epochs=1, batch_size=20, max_norm=None))
    saves = []
    with pytest.raises(FloatingPointError, match="a smaller learning rate"):
        trainer.train(task(), save=lambda: saves.append(weights(trainer.model)), save_every=0.0, show=False)
    assert saves
    assert all(np.isfinite(p).all() for saved in saves for p in saved.values())


class Recorder(nb.Adam):
    """Adam that notes what it was given."""

    def __init__(self, rate):
        super().__init__(rate)
        self.seen = []

    def step(self, params, grads, scale=1.0):
        self.seen.append(({name: g.copy() for name, g in grads.items()}, scale))
        super().step(params, grads, scale)


@pytest.mark.parametrize("max_norm", [0.05, None])
def test_each_step_is_the_clipped_gradient_of_the_masked_loss_at_the_schedules_rate(max_norm):
    data = task(14)  # ragged
    recorder = Recorder(0.01)
    trainer = nb.Trainer(make_model(), recorder, nb.Settings(epochs=2, batch_size=4, max_norm=max_norm, seed=3))
    history = trainer.train(data, show=False)
    rng, twin, plain = np.random.default_rng(3), make_model(), nb.Adam(0.01)
    k, total = 0, 8
    for epoch in range(2):
        losses = []
        for batch in nb.training.batch_order([len(ids) for ids, _ in data], 4, rng):
            ids, lengths = nb.pad([data[n][0] for n in batch])
            assert len(set(lengths)) > 1 or len(lengths) < 4
            targets, _ = nb.pad([data[n][1] for n in batch])
            logits, cache = twin.forward(ids, lengths, training=True)
            loss, loss_cache = nb.softmax_cross_entropy_forward(logits, targets, lengths)
            _, grads = twin.backward(nb.softmax_cross_entropy_backward(1.0, loss_cache), cache)
            norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
            factor = 1 if max_norm is None else max_norm / norm
            assert max_norm is None or factor < 1
            seen, scale = recorder.seen[k]
            assert all(np.allclose(seen[name], g * factor, rtol=1e-5, atol=1e-9) for name, g in grads.items())
            assert scale == 1 - k / total
            plain.step(twin.params, seen, scale)
            losses.append(loss)
            k += 1
        assert np.isclose(history[epoch]["loss"], np.mean(losses))
    assert equal(weights(twin), weights(trainer.model))


def test_a_run_is_saved_before_its_first_batch_in_between_and_after_each_epoch():
    positions = []
    trainer = nb.Trainer(make_model(), settings=nb.Settings(epochs=2, batch_size=20))
    trainer.train(
        task(),
        save=lambda: positions.append((trainer.position.epoch, trainer.position.batch)),
        save_every=0.0,
        show=False,
    )
    assert positions == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3), (2, 0)]


def test_of_equally_good_epochs_the_first_is_kept():
    trainer = nb.Trainer(make_model(), nb.SGD(1e-12), nb.Settings(epochs=3, batch_size=60))
    trainer.train(task(), task(10, 1), show=False)
    assert trainer.position.waited == 2


def test_generators_are_read_once_and_whole():
    data = task(20)
    history = nb.Trainer(make_model(), settings=nb.Settings(epochs=1)).train((pair for pair in data), show=False)
    assert history[0]["loss"] > 0


@pytest.mark.parametrize(
    ("settings", "error", "sentence"),
    [
        ({"epochs": 2.5}, TypeError, "epochs is 2.5; it needs a whole number"),
        ({"epochs": float("nan")}, TypeError, "epochs is nan; it needs a whole number"),
        ({"seed": -1}, ValueError, "seed is -1; it needs to be at least 0"),
        ({"patience": 0}, ValueError, "patience is 0; it needs to be at least 1"),
    ],
)
def test_settings_are_whole_numbers(settings, error, sentence):
    with pytest.raises(error, match=sentence):
        nb.Settings(**settings)


def test_labels_and_ids_that_are_no_integers_are_named():
    ids, labels = np.array([0, 1]), np.array([0, 1])
    for pair, sentence in [
        ((ids, labels / 2), "has labels of dtype float64"),
        ((ids / 2, labels), "ids has dtype float64"),
    ]:
        with pytest.raises(TypeError, match=sentence):
            nb.Trainer(make_model()).train([pair], show=False)


@pytest.mark.parametrize("about", [{"a": np.ones(2)}, {1: 2, "b": 3}])
def test_what_is_said_of_a_model_and_cannot_be_written_is_named(about, tmp_path):
    with pytest.raises(TypeError, match="about cannot be written as JSON"):
        nb.save_model(tmp_path / "m.npz", nb.SequenceTagger(3, 2, hidden_size=2, rng=0), about)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [{}, {"class_weights": [1, 2]}, {"head": "crf"}, {"head": "ctc"}])
def test_a_list_of_nothing_is_a_sequence_of_no_steps(options):
    model = nb.SequenceTagger(3, 2, hidden_size=2, rng=0, **options)
    trainer = nb.Trainer(model, settings=nb.Settings(epochs=1, shards=2))
    rows = [([], []), ([1, 2], [1])] if options.get("head") == "ctc" else [([], []), ([1, 2], [1, 0])]
    (epoch,) = trainer.train(rows, rows, show=False)
    assert epoch["loss"] > 0
