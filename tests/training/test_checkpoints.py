import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.files import remove_leftovers, write_atomically
from npbilstm.training import checkpoints, read_checkpoint


def make_run(epochs=1):
    model = nb.SequenceTagger(5, 3, embedding_size=2, hidden_size=3, rng=0)
    trainer = nb.Trainer(model, nb.Adam(0.01), nb.Settings(epochs=epochs, batch_size=2))
    data = [(np.array([1, 2, 3]), np.array([0, 1, 2])), (np.array([4]), np.array([1]))]
    trainer.train(data, data, show=False)
    return trainer


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "run.npz"
    nb.save_checkpoint(path, make_run(), {"classes": ["a", "b", "c"]})
    return path


def test_a_model_comes_back_as_it_was(tmp_path):
    for kind in (nb.SequenceTagger, nb.SequenceClassifier):
        model = kind(5, 3, embedding_size=2, hidden_size=3, num_layers=2, dropout=0.1, dtype=np.float64, rng=0)
        nb.save_model(tmp_path / "m.npz", model, {"note": "ø"})
        loaded, about = nb.load_model(tmp_path / "m.npz")
        assert type(loaded) is kind
        assert loaded.config == model.config
        assert about == {"note": "ø"}
        assert all(np.array_equal(loaded.params[name], p) for name, p in model.params.items())


def test_a_run_comes_back_as_it_was(saved):
    trainer, about = nb.load_trainer(saved)
    run = make_run()
    assert about == {"classes": ["a", "b", "c"]}
    assert trainer.position == run.position
    assert trainer.settings == run.settings
    assert trainer.optimizer.settings == run.optimizer.settings
    assert trainer.rng.bit_generator.state == run.rng.bit_generator.state


def test_the_same_run_writes_the_same_bytes(saved, tmp_path):
    nb.save_checkpoint(tmp_path / "again.npz", make_run(), {"classes": ["a", "b", "c"]})
    assert (tmp_path / "again.npz").read_bytes() == saved.read_bytes()


@pytest.mark.parametrize("said", [None, "a name", ["a"], 7])
def test_what_is_said_about_a_model_is_a_dict_of_use_or_an_empty_one(saved, tmp_path, said):
    path = rewrite(saved, tmp_path / "m.npz", lambda meta, arrays: meta.update(about=said))
    assert read_checkpoint(path).about == nb.load_model(path)[1] == nb.load_trainer(path)[1] == {}
    path = rewrite(saved, tmp_path / "m.npz", lambda meta, arrays: meta.pop("about"))
    assert nb.load_model(path)[1] == {}


def test_nothing_need_be_said_about_a_model_or_a_run(tmp_path):
    trainer = make_run()
    nb.save_model(tmp_path / "m.npz", trainer.model)
    nb.save_checkpoint(tmp_path / "r.npz", trainer)
    assert nb.load_model(tmp_path / "m.npz")[1] == nb.load_trainer(tmp_path / "r.npz")[1] == {}


def test_what_is_no_model_is_not_saved(tmp_path):
    with pytest.raises(TypeError, match="it needs a model. npbilstm.write_weights writes layers"):
        nb.save_model(tmp_path / "m.npz", nb.LSTM(2, 3, rng=0))
    assert os.listdir(tmp_path) == []


def test_a_run_without_validation_goes_on_and_is_a_model(tmp_path):
    model = nb.SequenceTagger(5, 3, embedding_size=2, hidden_size=3, rng=0)
    trainer = nb.Trainer(model, settings=nb.Settings(epochs=1))
    path = tmp_path / "r.npz"
    nb.save_checkpoint(path, trainer)  # before the first batch: no best weights, no memory of the optimizer
    trainer.train([(np.array([1, 2]), np.array([0, 1]))], show=False)
    again, _ = nb.load_trainer(path)
    assert again.best_params == again.optimizer.state == {}
    again.train([(np.array([1, 2]), np.array([0, 1]))], show=False)
    assert all(np.array_equal(again.model.params[name], p) for name, p in model.params.items())
    nb.save_checkpoint(path, again)
    assert all(np.array_equal(nb.load_model(path)[0].params[name], p) for name, p in model.params.items())


def test_a_run_takes_up_its_optimizers_memory_and_the_best_weights(saved):
    run, (loaded, _) = make_run(), nb.load_trainer(saved)
    assert loaded.optimizer.steps == run.optimizer.steps == 1
    for got, expected in [(loaded.optimizer.state, run.optimizer.state), (loaded.best_params, run.best_params)]:
        assert set(got) == set(expected)
        assert all(np.array_equal(got[name], array) for name, array in expected.items())
    assert set(loaded.optimizer.state) == {f"{slot}/{name}" for slot in "mv" for name in run.model.params}


def test_the_best_weights_are_the_models(saved):
    trainer = make_run()
    trainer.best_params = {name: p + 1 for name, p in trainer.model.params.items()}
    path = saved.with_name("best.npz")
    nb.save_checkpoint(path, trainer)
    model, _ = nb.load_model(path)
    assert all(np.array_equal(model.params[name], p) for name, p in trainer.best_params.items())


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "m.npz"
    path.write_bytes(b"old")

    def fails(file):
        file.write(b"half")
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        write_atomically(path, fails)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["m.npz"]


def test_a_failed_write_names_the_file_and_not_its_temporary_twin(tmp_path):
    def full(file):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left") as caught:
        write_atomically(tmp_path / "m.npz", full)
    assert caught.value.filename == str(tmp_path / "m.npz")
    with pytest.raises(ValueError, match="is a folder or a device; it needs to be a file"):
        write_atomically(tmp_path, full)


@pytest.mark.skipif(os.name != "posix", reason="links and file modes as POSIX has them")
def test_a_link_stays_a_link_and_a_file_gets_the_usual_rights(tmp_path):
    (tmp_path / "m.npz").write_bytes(b"old")
    (tmp_path / "link.npz").symlink_to(tmp_path / "m.npz")
    write_atomically(tmp_path / "link.npz", lambda file: file.write(b"new"))
    assert (tmp_path / "link.npz").is_symlink()
    assert (tmp_path / "m.npz").read_bytes() == b"new"
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    assert (tmp_path / "m.npz").stat().st_mode == plain.stat().st_mode


@pytest.mark.skipif(os.name != "posix", reason="asks for processes as POSIX does")
def test_leftovers_of_dead_writers_go_and_all_else_stays(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    kept = {f".m.npz.{os.getpid()}-1.tmp", ".m.npz.my-notes.tmp", ".other.npz.1-1.tmp", "m.npz"}
    for name in [*kept, f".m.npz.{dead.pid}-1.tmp"]:
        (tmp_path / name).write_bytes(b"")
    remove_leftovers(tmp_path / "m.npz")
    assert set(os.listdir(tmp_path)) == kept


def test_settings_of_ones_own_come_back(tmp_path):
    for optimizer in (nb.Adam(0.03, beta1=0.5, beta2=0.9, epsilon=1e-3), nb.SGD(0.2, momentum=0.3)):
        settings = nb.Settings(epochs=4, batch_size=3, max_norm=None, schedule="constant", patience=2, seed=np.int64(7))
        trainer = nb.Trainer(nb.SequenceTagger(3, 2, rng=0), optimizer, settings)
        nb.save_checkpoint(tmp_path / "run.npz", trainer)
        loaded, _ = nb.load_trainer(tmp_path / "run.npz")
        assert loaded.settings == settings
        assert loaded.optimizer.settings == optimizer.settings
        assert type(loaded.optimizer) is type(optimizer)


def test_the_file_holds_no_pickle(saved):
    with np.load(saved, allow_pickle=False) as archive:
        assert all(archive[name].dtype.kind in "fu" for name in archive.files)


@pytest.fixture(scope="module")
def whole(saved):
    return saved.read_bytes(), dict(nb.load_trainer(saved)[0].model.params)


@given(st.data())
def test_a_damaged_file_is_a_sentence_or_the_same_content(whole, saved, data):
    """Bytes changed, or the end cut off: never an error of another kind, never other numbers."""
    raw, params = bytearray(whole[0]), whole[1]
    if data.draw(st.booleans()):
        raw = raw[: data.draw(st.integers(0, len(raw) - 1))]
    for _ in range(data.draw(st.integers(0, 3))):
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = saved.with_name("damaged.npz")
    path.write_bytes(raw)
    try:
        trainer, _ = nb.load_trainer(path)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert all(np.array_equal(trainer.model.params[name], p) for name, p in params.items())


def rewrite(saved, path, change):
    """The saved file with its meta or arrays changed."""
    checkpoint = read_checkpoint(saved)
    meta, arrays = checkpoint.meta, dict(checkpoint.arrays)
    change(meta, arrays)
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda meta, arrays: meta.update(format="other 7"), "is not a model file of this version"),
        (lambda meta, arrays: meta.pop("model"), "its description makes no model"),
        (lambda meta, arrays: meta["model"].update({"class": "Transformer"}), "its description makes no model"),
        (lambda meta, arrays: meta["model"]["config"].update(hidden_size=9), "has shape"),
        (lambda meta, arrays: meta["model"]["config"].update(hidden_size="many"), "its description makes no model"),
        (lambda meta, arrays: meta["settings"].update(epochs=0), "its run cannot be taken up"),
        (lambda meta, arrays: meta["position"].update(shoe=43), "its run cannot be taken up"),
        (lambda meta, arrays: meta.pop("optimiser"), "holds a model alone, not a training run"),
        (lambda meta, arrays: arrays.pop("params/linear.b"), "params lacks 'linear.b'"),
        (lambda meta, arrays: arrays.pop("optimiser/m/linear.b"), "optimiser lacks 'm/linear.b'"),
        (lambda meta, arrays: arrays.update({"params/linear.b": np.zeros(3)}), "has dtype float64; it needs float32"),
        (lambda meta, arrays: arrays["best/linear.b"].fill(np.nan), "holds NaN or infinity; it needs finite numbers"),
        (lambda meta, arrays: arrays.pop("best/linear.b"), "best lacks 'linear.b'"),
        (lambda meta, arrays: arrays.update({"optimiser/m/linear.b": np.zeros(3)}), "has dtype float64"),
        (lambda meta, arrays: arrays.update({"optimiser/m/linear.b": np.array([{}, {}, {}])}), "Object arrays"),
        (lambda meta, arrays: arrays.update(other=np.zeros(3)), "it is a .npz archive of something else"),
        (lambda meta, arrays: meta["position"].update(batch=-1), "its run cannot be taken up"),
        (lambda meta, arrays: meta["position"].update(batch=1), "its run cannot be taken up"),
        (lambda meta, arrays: meta["position"].update(epoch="one"), "its run cannot be taken up"),
        (lambda meta, arrays: meta["position"].update(epoch_start={"x": 1}), "its run cannot be taken up"),
        (lambda meta, arrays: meta["position"].update(epoch=-1), "its run cannot be taken up"),
        (lambda meta, arrays: meta["position"].update(waited=-1), "its run cannot be taken up"),
        (lambda meta, arrays: meta["position"].update(best=np.nan), "its run cannot be taken up"),
        (lambda meta, arrays: meta["position"].update(loss_sum=np.inf), "its run cannot be taken up"),
        (lambda meta, arrays: meta["optimiser"].update(steps=-1), r"be taken up \(steps is -1; it needs"),
        (lambda meta, arrays: meta["position"].update(history=None), "its run cannot be taken up"),
        (lambda meta, arrays: meta["generator"]["state"].update(inc=-1), "its run cannot be taken up"),
        (lambda meta, arrays: meta["optimiser"].update(steps="many"), "its run cannot be taken up"),
        (lambda meta, arrays: meta["optimiser"].update(settings=[1]), "its run cannot be taken up"),
        (lambda meta, arrays: meta.update(model=None), "its description makes no model"),
        (lambda meta, arrays: meta.update(settings=None), "its run cannot be taken up"),
    ],
)
def test_a_file_that_does_not_fit_together_is_named(saved, tmp_path, change, sentence):
    path = rewrite(saved, tmp_path / "changed.npz", change)
    with pytest.raises(ValueError, match=sentence) as caught:
        nb.load_trainer(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("meta", [[1], "text", 7, None])
def test_a_description_that_is_no_dict_is_named(tmp_path, meta):
    np.savez(tmp_path / "m.npz", meta=np.frombuffer(json.dumps(meta).encode(), np.uint8))
    with pytest.raises(ValueError, match="m.npz is not a model file of this version"):
        nb.load_model(tmp_path / "m.npz")


@pytest.mark.parametrize("text", [b"{", b"\xff"])
def test_a_description_that_is_no_json_is_named(tmp_path, text):
    np.savez(tmp_path / "m.npz", meta=np.frombuffer(text, np.uint8))
    with pytest.raises(ValueError, match="m.npz is damaged: its description cannot be read"):
        nb.load_model(tmp_path / "m.npz")


def test_what_is_no_model_file_is_named(tmp_path):
    for content, sentence in [
        (b"", "is not a model file"),
        (b"hello", "it is not a .npz archive"),
        (b"PK but not a zip", "it is not a .npz archive"),
        (b"PK\x03\x04 and nothing of a zip behind it", "is damaged or cut short"),
    ]:
        path = tmp_path / "file.npz"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=sentence):
            read_checkpoint(path)
    np.savez(tmp_path / "other.npz", a=np.zeros(2))
    with pytest.raises(ValueError, match="it is a .npz archive of something else"):
        read_checkpoint(tmp_path / "other.npz")
    with pytest.raises(FileNotFoundError):
        read_checkpoint(tmp_path / "absent.npz")
    assert checkpoints.FORMAT == "npbilstm checkpoint 1"
