"""Runs of Seq2Seq: stopped and gone on with as if never, files read back, and refused where another model is needed."""

import numpy as np
import pytest

import npbilstm as nb


def pairs(count=24):
    rng = np.random.default_rng(0)
    rows = [rng.integers(0, 5, int(rng.integers(1, 5))) for _ in range(count)]
    return [(row, row[::-1]) for row in rows]


def trainer(kind="dot"):
    model = nb.Seq2Seq(5, 5, attention=kind, hidden_size=4, embedding_size=3, rng=0)
    return nb.Trainer(model, nb.Adam(0.02), nb.Settings(epochs=2, batch_size=5))


def stop_after(batches):
    left = iter(range(batches))
    return lambda: next(left, None) is None


@pytest.mark.parametrize("kind", ["additive", "dot", None])
def test_a_run_that_was_stopped_and_resumed_is_the_same_to_the_bit(tmp_path, kind):
    whole, path = trainer(kind), tmp_path / "run.npz"
    history = whole.train(pairs(), pairs(4), show=False)
    broken = trainer(kind)
    save = lambda: nb.save_checkpoint(path, broken)  # noqa: E731
    broken.train(pairs(), pairs(4), save=save, should_stop=stop_after(3), show=False)
    again, _ = nb.load_trainer(path)
    assert again.position.batch == 4
    assert again.train(pairs(), pairs(4), show=False) == history
    for name, p in whole.model.params.items():
        assert p.tobytes() == again.model.params[name].tobytes(), name
    assert set(history[-1]) == {"epoch", "loss", "valid_whole_answers"}


def test_a_model_comes_back_as_it_was(tmp_path):
    model, path = trainer("additive").model, tmp_path / "model.npz"
    nb.save_model(path, model, {"sources": "abcde"})
    again, about = nb.load_model(path, kind=nb.Seq2Seq)
    assert about == {"sources": "abcde"}
    assert again.config == model.config
    assert [a.tolist() for a in again.predict([[1, 2, 3]])] == [a.tolist() for a in model.predict([[1, 2, 3]])]
    with pytest.raises(ValueError, match="holds a Seq2Seq; this needs a tagger or a classifier"):
        nb.load_model(path)
    nb.save_model(path, nb.SequenceTagger(3, 2, rng=0))
    with pytest.raises(ValueError, match="holds a SequenceTagger; this needs a Seq2Seq"):
        nb.load_model(path, kind=nb.Seq2Seq)


def test_a_description_that_does_not_fit_its_arrays_is_damaged(tmp_path):
    path = tmp_path / "model.npz"
    nb.save_model(path, trainer().model)
    with np.load(path) as file:
        arrays = dict(file)
    meta = arrays["meta"].tobytes().decode()
    changes = {'"hidden_size": 4': '"hidden_size": 4000000', '"dot"': '"cosine"', '"num_targets": 5': '"x": 5'}
    for old, new in changes.items():
        assert old in meta
        arrays["meta"] = np.frombuffer(meta.replace(old, new).encode(), np.uint8)
        np.savez(path, **arrays)
        with pytest.raises(ValueError, match=r"model\.npz"):
            nb.load_model(path, kind=nb.Seq2Seq)


def test_whole_answers_are_counted_whole():
    metric = nb.training.metrics.METRICS["whole_answers"]
    assert metric.measure([[1, 2], [3], [4, 5]], [np.array([1, 2]), np.array([3, 3]), np.array([4, 6])]) == 1 / 3
    assert metric.measure([], []) == 0
