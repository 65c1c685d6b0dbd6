"""A checkpoint whose description does not fit its arrays: told before anything of the size it claims is made."""

import json
import math

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.training import read_checkpoint
from tests.training.tasks import make_model, task


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A run of one epoch, as it was saved."""
    path = tmp_path_factory.mktemp("forged") / "run.npz"
    trainer = nb.Trainer(make_model(), settings=nb.Settings(epochs=1, batch_size=20))
    trainer.train(task(), task(10, 1), show=False)
    nb.save_checkpoint(path, trainer, {"classes": ["a", "b"]})
    return path


def forged(saved, path, change):
    """The file with its description changed."""
    meta, arrays = read_checkpoint(saved)[1:]
    change(meta)
    np.savez(path, meta=np.frombuffer(json.dumps(meta).encode(), np.uint8), **arrays)
    return path


@pytest.mark.parametrize(
    ("size", "value", "sentence"),
    [
        ("num_symbols", 3 * 10**8, "(best|params)\\['embedding.W'\\] has shape .* it needs \\(300000000, "),
        ("num_classes", 3 * 10**8, "(best|params)\\['linear.W'\\] has shape .* it needs \\(.*, 300000000\\)"),
        ("embedding_size", 10**9, "(best|params)\\['embedding.W'\\] has shape .* it needs \\(.*, 1000000000\\)"),
        ("hidden_size", 3 * 10**6, "(best|params)\\['linear.W'\\] has shape .* it needs \\(6000000, 2\\)"),
        ("num_layers", 2, "(best|params) lacks 'lstm.1.forward.Wx'"),
        ("num_layers", 10**5, "its description makes no model \\(num_layers is 100000; it has \\d+ arrays\\)"),
        ("num_layers", 10**400, "its description makes no model \\(num_layers is 10*; it needs to be at most "),
        ("hidden_size", 10**400, "its description makes no model \\(hidden_size is 10*; it needs to be at most "),
        ("hidden_size", 2.5, "its description makes no model \\(hidden_size is 2.5; it needs a whole number"),
        ("hidden_size", None, "its description makes no model \\(hidden_size is None"),
        ("dropout", math.nan, "its description makes no model \\(dropout is nan"),
    ],
)
def test_sizes_that_the_arrays_do_not_have(saved, tmp_path, size, value, sentence):
    path = forged(saved, tmp_path / "m.npz", lambda meta: meta["model"]["config"].update({size: value}))
    for read in (nb.load_model, nb.load_trainer):
        with pytest.raises(ValueError, match=sentence) as caught:
            read(path)
        assert str(caught.value).startswith(str(path))


HUGE = 10**400


@pytest.mark.parametrize(
    ("part", "name", "value", "sentence"),
    [
        ("optimiser", "steps", HUGE, "steps is 10*; it needs to be at most"),
        ("position", "epoch", HUGE, "epoch is 10*; it needs to be at most"),
        ("position", "batch", HUGE, "batch is 10*; it needs to be at most"),
        ("position", "waited", HUGE, "waited is 10*; it needs to be at most"),
        ("position", "loss_sum", HUGE, ""),
        ("position", "best", HUGE, ""),
        ("position", "history", [1], "each epoch of history needs to be a table of numbers"),
        ("position", "history", [{"loss": math.nan}], "each epoch of history needs to be a table of numbers"),
        ("position", "history", [{"loss": HUGE}], ""),
        ("position", "history", {"loss": 1}, "history needs to be a list"),
        ("settings", "epochs", HUGE, "epochs is 10*; it needs to be at most"),
        ("settings", "batch_size", HUGE, "batch_size is 10*; it needs to be at most"),
        ("settings", "patience", HUGE, "patience is 10*; it needs to be at most"),
        ("settings", "max_norm", HUGE, ""),
        ("settings", "max_norm", math.nan, "max_norm is nan; it needs to be above 0"),
        ("settings", "schedule", ["linear"], ""),
    ],
)
def test_a_run_that_cannot_be(saved, tmp_path, part, name, value, sentence):
    path = forged(saved, tmp_path / "m.npz", lambda meta: meta[part].update({name: value}))
    with pytest.raises(ValueError, match=f"{path} is damaged: its run cannot be taken up \\(.*{sentence}"):
        nb.load_trainer(path)
    nb.load_model(path)  # the model is whole all the same


@pytest.mark.parametrize("value", [math.nan, math.inf, -1, HUGE, "much", [1], None])
@pytest.mark.parametrize("name", ["learning_rate", "beta1", "beta2", "epsilon"])
def test_settings_of_an_optimizer_that_cannot_be(saved, tmp_path, name, value):
    path = forged(saved, tmp_path / "m.npz", lambda meta: meta["optimiser"]["settings"].update({name: value}))
    with pytest.raises(ValueError, match=f"{path} is damaged: its run cannot be taken up"):
        nb.load_trainer(path)


def test_a_seed_may_be_as_large_as_it_likes():
    assert nb.Settings(seed=HUGE).seed == HUGE


def test_a_run_that_stands_behind_the_end_of_its_epoch_is_not_taken_up(saved, tmp_path):
    def forge(meta):
        meta["position"] |= {"epoch": 0, "batch": 7, "epoch_start": meta["generator"]}

    trainer, _ = nb.load_trainer(forged(saved, tmp_path / "m.npz", forge))
    with pytest.raises(ValueError, match="the run stands at batch 7 of an epoch; these sequences make 3"):
        trainer.train(task(), show=False)


@pytest.mark.few(3)
@pytest.mark.parametrize("optimizer", [nb.Adam(0.01), nb.SGD(0.1)], ids=["Adam", "SGD"])
@pytest.mark.parametrize("stop", [1, 2, 3, 4, 6])  # after so many batches: within an epoch, and at its end
def test_a_resumed_runs_file_is_the_uninterrupted_ones_byte_by_byte(tmp_path, stop, optimizer):
    def fresh():
        again = type(optimizer)(**optimizer.settings)
        return nb.Trainer(make_model(), again, nb.Settings(epochs=3, batch_size=20))

    def train(trainer, path, **options):
        return trainer.train(
            task(), task(20, 1), save=lambda: nb.save_checkpoint(path, trainer, {"note": "ø"}), show=False, **options
        )

    whole, resumed = tmp_path / "whole.npz", tmp_path / "resumed.npz"
    train(fresh(), whole)
    batches = iter(range(1, 100))
    train(fresh(), resumed, should_stop=lambda: next(batches) == stop)
    assert resumed.read_bytes() != whole.read_bytes()
    train(nb.load_trainer(resumed)[0], resumed)
    assert resumed.read_bytes() == whole.read_bytes()
