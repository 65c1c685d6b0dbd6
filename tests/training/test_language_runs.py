"""Runs over streams: every step is read once, the state is carried and saved, a stopped run is as if it never was."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.training.streams import stream_windows, symbol_costs

SIZES = [17, 0, 5, 40, 1]


def model_of(cell="lstm", **options):
    options = {"hidden_size": 5, "embedding_size": 3, "window": 4, **options}
    return nb.LanguageModel(5, cell=cell, rng=0, **options)


def texts(model, sizes=SIZES):
    rng = np.random.default_rng(0)
    return [model.shifted(rng.integers(0, 5, size)) for size in sizes]


def trainer(cell="lstm", **options):
    model = model_of(cell, **options)
    return nb.Trainer(model, nb.Adam(0.02), nb.Settings(epochs=2, batch_size=3))


def stop_after(batches):
    left = iter(range(batches))
    return lambda: next(left, None) is None


@pytest.mark.parametrize("count", [1, 3, 64, 200])
def test_streams_are_the_texts_one_after_the_other_and_no_step_is_left_out(count):
    model = model_of()
    batches = stream_windows(texts(model), count, 4, np.random.default_rng(7))
    windows = [batches[k] for k in range(len(batches))]
    streams = [[np.concatenate(parts) for parts in zip(*rows)] for rows in zip(*windows)]
    assert len(streams) == min(count, sum(SIZES))
    assert max(len(read) for read, _ in streams) - min(len(read) for read, _ in streams) <= 1
    assert all(len(read) <= 4 for rows in windows for read, _ in rows)
    rows = texts(model)
    order = np.random.default_rng(7).permutation(len(rows))
    for side in (0, 1):
        assert np.array_equal(
            np.concatenate([s[side] for s in streams]), np.concatenate([rows[n][side] for n in order])
        )


def test_texts_of_no_symbols_teach_nothing():
    run = trainer()
    before = {name: p.copy() for name, p in run.model.params.items()}
    assert run.train(texts(run.model, [0, 0]), texts(run.model, [0]), show=False)[-1] == {
        "epoch": 2,
        "loss": 0.0,
        "valid_bits_per_symbol": 0.0,
    }
    assert all(np.array_equal(p, before[name]) for name, p in run.model.params.items())


def test_an_epoch_is_the_loop_over_windows_that_one_would_write():
    whole = trainer()
    whole.settings = nb.Settings(epochs=1, batch_size=3, schedule="constant", max_norm=None)
    rows = texts(whole.model)
    whole.train(rows, show=False)
    model, adam = model_of(), nb.Adam(0.02)
    order = np.random.default_rng(0).permutation(len(rows))
    read, put_out = (np.array_split(np.concatenate([rows[n][side] for n in order]), 3) for side in (0, 1))
    (read, lengths), (put_out, _) = nb.pad(read), nb.pad(put_out)
    state = None
    for steps, lengths_here in nb.windows(read.shape[1], model.window, lengths):
        _, cache = model.loss_forward(read[:, steps], put_out[:, steps], lengths_here, state, training=True)
        adam.step(model.params, model.loss_backward(1.0, cache))
        state = cache.state
    for name, p in whole.model.params.items():
        assert np.array_equal(p, model.params[name]), name


@pytest.mark.few(1)
@pytest.mark.parametrize("options", [{"cell": "gru", "dropout": 0.2}, {}, {"num_layers": 2}], ids=str)
def test_a_run_that_was_stopped_within_a_stream_is_the_same_to_the_bit(tmp_path, options):
    whole, path = trainer(**options), tmp_path / "run.npz"
    rows = texts(whole.model)
    history = whole.train(rows, rows[:2], show=False)
    broken = trainer(**options)
    broken.train(rows, rows[:2], save=lambda: nb.save_checkpoint(path, broken), should_stop=stop_after(3), show=False)
    again, _ = nb.load_trainer(path)
    assert again.position.batch == 4
    assert again.train(rows, rows[:2], show=False) == history
    for name, p in whole.model.params.items():
        assert p.tobytes() == again.model.params[name].tobytes(), name
    forgetful, _ = nb.load_trainer(path)
    forgetful.carried = None  # the bug that this test is for
    assert forgetful.train(rows, rows[:2], show=False) != history


def test_what_a_file_says_of_the_state_is_compared_with_the_model(tmp_path):
    run, path = trainer(), tmp_path / "run.npz"
    rows = texts(run.model)
    run.train(rows, save=lambda: nb.save_checkpoint(path, run), should_stop=stop_after(1), show=False)
    with np.load(path) as file:
        arrays = dict(file)
    h = arrays["carried/h"]
    assert h.shape == (1, 3, 5)
    for wrong, sentence in [
        (None, "carried lacks 'h'"),
        (h[:, :, :2], r"carried\['h'\] has shape \(1, 3, 2\); it needs \(1, 3, 5\)"),
        (np.concatenate([h, h], axis=1), r"carried\['h'\] has shape \(1, 6, 5\); it needs \(1, 3, 5\)"),
        (h.astype(float), r"carried\['h'\] has dtype float64"),
        (h * np.nan, r"carried\['h'\] holds NaN or infinity"),
        (h[0], r"carried\['h'\] has shape \(3, 5\)"),
    ]:
        np.savez(
            path,
            **{
                **{name: a for name, a in arrays.items() if name != "carried/h"},
                **({} if wrong is None else {"carried/h": wrong}),
            },
        )
        with pytest.raises(ValueError, match=rf"run\.npz's {sentence}"):
            nb.load_trainer(path)
    np.savez(path, **{**arrays, "carried/h": h[:, :2], "carried/c": h[:, :2]})
    with pytest.raises(ValueError, match=r"state's h has shape \(1, 2, 5\); it needs \(1, 3, 5\)"):
        nb.load_trainer(path)[0].train(rows, show=False)


def test_a_model_comes_back_as_it_was_and_only_where_it_is_asked_for(tmp_path):
    model, path = model_of("gru", num_layers=2), tmp_path / "model.npz"
    nb.save_model(path, model, {"symbols": list("abcd")})
    again, about = nb.load_model(path, kind=nb.LanguageModel)
    assert (again.config, about) == (model.config, {"symbols": list("abcd")})
    assert list(again.sample(9, rng=0)) == list(model.sample(9, rng=0))
    with pytest.raises(ValueError, match="holds a LanguageModel; this needs a tagger or a classifier"):
        nb.load_model(path)


def test_costs_are_those_of_each_text_by_itself_whatever_stands_beside_it():
    model = model_of()
    rows = texts(model)
    costs = symbol_costs(model, rows, window=3)
    assert [len(row) for row in costs] == SIZES
    for (read, put_out), row in zip(rows, costs):
        if len(read):
            loss, _ = model.loss_forward(read[None], put_out[None])
            assert row.mean() == pytest.approx(loss / np.log(2), rel=1e-5)
            assert row == pytest.approx(symbol_costs(model, [(read, put_out)])[0], rel=1e-5)


def test_validation_measures_bits_and_keeps_the_epoch_that_has_fewest():
    run = trainer()
    rows = texts(run.model)
    history = run.train(rows, rows[:1], show=False)
    best = min(record["valid_bits_per_symbol"] for record in history)
    assert run.position.best == best
    assert symbol_costs(run.model, rows[:1])[0].mean() == pytest.approx(best)
    assert run.metric.told(best) == f"bits per symbol {best:.3f}"
