"""When a run is saved and when it stops. The clock is the test's own: it goes on with each batch."""

from types import SimpleNamespace

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.training import trainer as trainer_module
from tests.training.tasks import equal, make_model, task, weights


@pytest.fixture
def train(monkeypatch):
    """A run of 2 epochs of 6 batches with these options -> where it was saved, how often it was asked to stop."""

    def run(stop_at=None, valid=(), tick=1, **options):
        clock = SimpleNamespace(now=100.0)
        monkeypatch.setattr(trainer_module, "time", SimpleNamespace(monotonic=lambda: clock.now))
        trainer = nb.Trainer(make_model(), settings=nb.Settings(epochs=2, batch_size=10))
        saves = []

        def should_stop():
            clock.now += tick
            return clock.now - 100 == stop_at

        def save():
            saves.append((trainer.position.epoch, trainer.position.batch))

        if "save" not in options:
            options["save"] = save
        trainer.train(task(60), valid, should_stop=should_stop, show=False, **options)
        return trainer, saves, clock.now - 100

    return run


EPOCHS = [(0, 0), (1, 0), (2, 0)]
"""Saved always: before the first batch and after each epoch."""


@pytest.mark.parametrize(
    ("save_every", "between"),
    [
        (0, [(epoch, batch) for epoch in (0, 1) for batch in range(1, 7)]),
        (1, [(0, 2), (0, 4), (0, 6), (1, 1), (1, 3), (1, 5)]),  # a second goes by where the epoch ends, too
        (4.5, [(0, 5), (1, 4)]),
        (20, []),
    ],
)
def test_in_between_a_run_is_saved_when_more_than_save_every_seconds_went_by_since_the_last_time(
    train, save_every, between
):
    _, saves, _ = train(save_every=save_every)
    assert saves == sorted(EPOCHS + between)


def test_where_nothing_is_said_a_run_is_saved_after_more_than_twenty_seconds(train):
    assert train(tick=10)[1] == sorted([*EPOCHS, (0, 3), (0, 6), (1, 2), (1, 5)])
    assert train(tick=21)[1] == sorted([*EPOCHS, *((epoch, batch) for epoch in (0, 1) for batch in range(1, 7))])


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_save_every_is_a_time_that_can_go_by(train, seconds):
    with pytest.raises(ValueError, match=f"save_every is {seconds}; it needs to be at least 0 seconds"):
        train(save_every=seconds)


@pytest.mark.parametrize(
    ("stop_at", "position"), [(1, (0, 1)), (3, (0, 3)), (6, (0, 6)), (7, (1, 0)), (8, (1, 1)), (13, (1, 6))]
)
def test_a_run_that_is_to_stop_is_saved_where_it_stands_and_stops_at_once(train, stop_at, position):
    trainer, saves, asked = train(stop_at)
    assert (trainer.position.epoch, trainer.position.batch) == position
    assert saves == [place for place in EPOCHS if place < position] + [position]
    assert asked == stop_at
    assert not trainer.finished


def test_a_run_that_nobody_saves_stops_all_the_same(train):
    trainer, _, asked = train(3, save=None, save_every=0)
    assert (trainer.position.epoch, trainer.position.batch) == (0, 3)
    assert asked == 3


def test_a_run_that_was_stopped_keeps_the_weights_it_stands_at_and_a_finished_one_takes_the_best(train):
    valid = task(20, 1)
    stopped, *_ = train(9, valid)
    assert stopped.best_params
    assert not equal(weights(stopped.model), stopped.best_params)
    finished, *_ = train(None, valid)
    assert equal(weights(finished.model), finished.best_params)


def test_a_finished_run_has_nothing_left_to_train(train):
    trainer, saves, _ = train()
    before, history = weights(trainer.model), list(trainer.position.history)
    saves.clear()
    assert trainer.train(task(60), save=lambda: saves.append(1), show=False) == history
    assert equal(weights(trainer.model), before)
    assert saves == [1]
    assert trainer.optimizer.steps == 12


@pytest.mark.parametrize("where", ["in an epoch", "at its end"])
def test_what_is_no_longer_finite_is_not_saved(train, where):
    trainer = nb.Trainer(make_model(), settings=nb.Settings(epochs=1, batch_size=20))
    saves = []

    def should_stop():  # asked after each of the three batches
        if where == "in an epoch" or trainer.position.batch == 3:
            trainer.model.params["linear.b"][0] = np.inf
        return False

    with pytest.raises(FloatingPointError, match="linear.b is no longer finite in epoch 1, batch"):
        trainer.train(
            task(),
            save=lambda: saves.append(1),
            save_every=0 if where == "in an epoch" else 1e9,
            should_stop=should_stop,
            show=False,
        )
    assert saves == [1]
