"""Runs of WordTagger: stopped and gone on with as if never; its file in the middle of an epoch is caught up with."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.models.word_tagger import dense
from npbilstm.training import checkpoints
from npbilstm.training.gradients import gradient, sharded_gradient
from tests.training.test_seq2seq_runs import stop_after


def sentences(count=20, seed=0):
    """Words of one or two characters of five, each its own; is it long?"""
    rng, found = np.random.default_rng(seed), []
    for _ in range(count):
        T = int(rng.integers(1, 5))
        words = rng.integers(0, 5, (T, 3))
        words[:, 2] = np.where(words[:, 2] > 2, words[:, 2], -1)
        words[:, 0] = 5 * words[:, 1] + words[:, 2] + 1
        found.append((words, (words[:, 2] >= 0).astype(int)))
    return found


def made_of(dtype=np.float32, **options):
    sizes = {"embedding_size": 3, "character_embedding_size": 2, "character_hidden_size": 2, "hidden_size": 3}
    return nb.WordTagger(26, 5, 2, **sizes, **options, dtype=dtype, rng=0)


def trainer(make=nb.Adam, **settings):
    model = made_of(word_counts=[0] + [2] * 25, dropout=0.1)
    return nb.Trainer(model, make(0.02), nb.Settings(**{"epochs": 2, "batch_size": 4, **settings}))


@pytest.mark.parametrize("make", [nb.Adam, nb.SGD])
def test_a_run_that_was_stopped_and_resumed_is_the_same_to_the_bit(tmp_path, make):
    whole, path = trainer(make), tmp_path / "run.npz"
    history = whole.train(sentences(), sentences(4, 1), show=False, save=lambda: nb.save_checkpoint(path, whole))
    broken = trainer(make)
    save = lambda: nb.save_checkpoint(path, broken)  # noqa: E731
    broken.train(sentences(), sentences(4, 1), save=save, should_stop=stop_after(3), save_every=0.0, show=False)
    again, _ = nb.load_trainer(path)
    assert again.position.batch == 4
    assert again.train(sentences(), sentences(4, 1), show=False) == history
    for name, p in whole.model.params.items():
        assert p.tobytes() == again.model.params[name].tobytes(), name


def test_a_file_of_the_middle_of_an_epoch_holds_the_weights_with_all_that_was_late(tmp_path):
    run, path = trainer(), tmp_path / "run.npz"
    run.train(sentences(), save=lambda: nb.save_checkpoint(path, run), should_stop=stop_after(3), show=False)
    table = run.model.params["words.W"]
    saved = nb.load_model(path, kind=nb.WordTagger)[0].params["words.W"]
    assert not np.array_equal(saved, table)
    run.optimizer.settle(run.model.params)
    assert np.array_equal(saved, table)


def test_training_by_row_is_training_the_whole_table_at_every_step(monkeypatch):
    late = trainer(max_norm=0.5)
    late.train(sentences(), show=False)
    whole = trainer(max_norm=0.5)
    by_row = nb.WordTagger.loss_backward_by_row
    monkeypatch.setattr(nb.WordTagger, "loss_backward_by_row", lambda *given: dense(by_row(*given)))
    whole.train(sentences(), show=False)
    assert not any(key.startswith("behind") for key in whole.optimizer.state)
    for name, p in whole.model.params.items():
        np.testing.assert_allclose(late.model.params[name], p, rtol=0, atol=2e-5, err_msg=name)


def test_in_shards_a_run_is_the_same_and_to_the_bit_whoever_computes_them():
    model, rows = made_of(np.float64), sentences(7)
    loss, grads, _ = gradient(model, rows, 0)
    for shards in (2, 3, 50):
        summed, shares, _ = sharded_gradient(model, rows, shards, np.random.default_rng(0))
        assert abs(summed - loss) <= 1e-12 * loss
        for name, g in dense(grads).items():
            np.testing.assert_allclose(dense(shares)[name], g, rtol=0, atol=1e-12, err_msg=name)
    here, there = trainer(shards=3), trainer(shards=3)
    there.executor = partial(ThreadPoolExecutor, 2)
    for run in (here, there):
        run.train(sentences(), sentences(4, 1), show=False)
    assert here.position.history == there.position.history
    for name, p in here.model.params.items():
        assert p.tobytes() == there.model.params[name].tobytes(), name


def test_a_model_comes_back_as_it_was(tmp_path):
    model, path = trainer().model, tmp_path / "model.npz"
    nb.save_model(path, model, {"classes": ["short", "long"]})
    again, about = nb.load_model(path, kind=nb.WordTagger)
    assert about == {"classes": ["short", "long"]}
    assert again.config == model.config
    words, _, lengths = model.collate(sentences())
    assert np.array_equal(again.predict(words, lengths), model.predict(words, lengths))
    with pytest.raises(ValueError, match="holds a WordTagger; this needs a tagger or a classifier"):
        nb.load_model(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"num_layers": 1', '"num_layers": 1000000000'),
        ('"num_words": 26', '"num_words": 26000000000'),
        ('"character_hidden_size": 2', '"character_hidden_size": 2000000'),
        ('"word_counts": [0, ', '"word_counts": [['),
        ('"word_counts": [0, ', '"word_counts": [-1, '),
        ('"num_characters"', '"x"'),
    ],
)
def test_a_description_that_does_not_fit_its_arrays_is_damaged(tmp_path, old, new):
    path = tmp_path / "model.npz"
    nb.save_model(path, trainer().model)
    with np.load(path) as file:
        arrays = dict(file)
    meta = arrays["meta"].tobytes().decode()
    assert old in meta
    arrays["meta"] = np.frombuffer(meta.replace(old, new).encode(), np.uint8)
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=r"model\.npz"):
        nb.load_model(path, kind=nb.WordTagger)


@pytest.mark.parametrize("change", ["late/words.W", "behind/words.W", "faded/words.W"])
def test_a_run_without_what_is_late_is_damaged(tmp_path, change):
    run, path = trainer(), tmp_path / "run.npz"
    run.train(sentences(), save=lambda: nb.save_checkpoint(path, run), should_stop=stop_after(3), show=False)
    with np.load(path) as file:
        arrays = dict(file)
    arrays[f"{checkpoints.OPTIMIZER}/{change}"] = arrays[f"{checkpoints.OPTIMIZER}/{change}"].astype(np.float16)
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match="has dtype float16; it needs"):
        nb.load_trainer(path)
