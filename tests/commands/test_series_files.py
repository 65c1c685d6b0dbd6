"""`npbilstm train` on series of numbers."""

import re
from pathlib import Path

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.cli import main
from npbilstm.commands.tasks import series as task
from npbilstm.training import predict_sequences

SMALL = ["--epochs", "3", "--hidden-size", "3", "--batch-size", "8"]
GUIDE = Path(__file__).parents[2] / "tutorials" / "guides" / "series.md"


def arrays(N=30, T=5):
    rng = np.random.default_rng(0)
    x = rng.normal(20, 5, (N, T, 2))
    return x, rng.integers(1, T + 1, N)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x, lengths = arrays()
    sign = np.where(x[:, 0, 0] > 20, "warm", "cold")
    targets = {"class": sign, "class_per_step": (x[..., 0] > 20) + 0, "value": x[:, 0, :1], "value_per_step": x * 2}
    for kind, target in targets.items():
        np.savez(f"{kind}.npz", x=x, lengths=lengths, **{kind: target})
    lines = [f"{n},{sign[n]},{a},{b}" for n, length in enumerate(lengths) for a, b in x[n, :length].tolist()]
    Path("data.csv").write_text("\n".join(["series,class,a,b", *lines]))
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "make", "answer"),
    [
        ("class", nb.SequenceClassifier, {"num_classes": 2}),
        ("class_per_step", nb.SequenceTagger, {"num_classes": 2}),
        ("value", nb.SequenceClassifier, {"num_values": 1}),
        ("value_per_step", nb.SequenceTagger, {"num_values": 2}),
    ],
)
def test_each_kind_of_target_gets_its_model_and_a_report_on_the_test_part(kind, make, answer, folder, capsys):
    assert main(["train", f"{kind}.npz", "--out", "m.npz", *SMALL]) == 0
    model, about = nb.load_model("m.npz")
    assert type(model) is make
    assert answer.items() <= model.config.items()
    assert model.config["input_size"] == 2
    assert about["target"] == kind
    shown = capsys.readouterr().out
    assert f"{kind}: 24 series of " in shown
    if kind.startswith("class"):
        assert re.search(r"^all +\d+ +[\d.]+%$", shown, re.MULTILINE)
    else:
        assert len(re.findall(r"^value \d +[\d.]+ +[\d.]+$", shown, re.MULTILINE)) == answer["num_values"]


@pytest.mark.parametrize("kind", ["class_per_step", "value_per_step"])
def test_of_no_step_in_test_nothing_is_said_to_be_right(kind, folder, capsys):
    x, target = np.zeros((3, 2, 2)), {"class": np.zeros((3, 2), int), "value": np.zeros((3, 2, 1))}[kind[:5]]
    np.savez("empty.npz", x=x, lengths=[0, 0, 0], **{kind: target})
    np.savez("some.npz", x=x, **{kind: target})
    assert main(["train", "some.npz", "--test", "empty.npz", "--out", "m.npz", *SMALL]) == 0
    assert re.search(r"^(all +0 +-|value 0 +- +-)$", capsys.readouterr().out, re.MULTILINE)


def test_the_same_series_in_csv_and_in_npz_make_the_same_model(folder):
    for data in ("data.csv", "class.npz"):
        assert main(["train", data, "--out", f"{data}.model.npz", "--quiet", *SMALL]) == 0
    one, other = (nb.load_model(f"{data}.model.npz")[0] for data in ("data.csv", "class.npz"))
    assert all(np.array_equal(one.params[name], p) for name, p in other.params.items())


def test_the_error_in_test_is_in_the_values_own_units_beside_that_of_the_mean(folder):
    assert main(["train", "value.npz", "--out", "m.npz", "--quiet", *SMALL]) == 0
    model, about = nb.load_model("m.npz")
    data = nb.series("value.npz")
    inputs, values = (nb.datasets.Standardization(**about[name]) for name in ("inputs", "values"))
    assert np.array_equal(inputs.mean, data.inputs.mean)
    predicted = values.undo(np.array(predict_sequences(model, [x for x, _ in data.test])))
    true = values.undo(np.array([target for _, target in data.test]))
    line = task.report(model, data)[1].split()
    assert float(line[2]) == pytest.approx(np.sqrt(np.mean((predicted - true) ** 2)), rel=1e-3)
    assert float(line[3]) == pytest.approx(np.sqrt(np.mean((values.mean - true) ** 2)), rel=1e-3)


def test_a_run_that_is_resumed_ends_in_the_same_bytes(folder):
    assert main(["train", "value_per_step.npz", "--out", "whole.npz", "--quiet", *SMALL]) == 0
    trainer, about = nb.load_trainer("whole.npz")
    fresh = nb.Trainer(
        nb.SequenceTagger(input_size=2, num_values=2, hidden_size=3, dropout=0.3, rng=0),
        nb.Adam(0.005),
        trainer.settings,
    )
    data = nb.series("value_per_step.npz")
    fresh.train(
        data.train,
        data.valid,
        save=lambda: nb.save_checkpoint("half.npz", fresh, about),
        should_stop=lambda: fresh.position.batch == 2,
        show=False,
    )
    assert (fresh.position.epoch, fresh.position.batch) == (0, 2)
    assert main(["train", "--resume", "half.npz", "--quiet"]) == 0
    assert Path("half.npz").read_bytes() == Path("whole.npz").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("train broken.csv", "broken.csv, line 2, column 'a': the value is missing ('nan')"),
        ("train absent.csv", "absent.csv: there is no such file or folder"),
        ("train data.csv --test class_per_step.npz", "class_per_step.npz has class_per_step, and"),
        (
            "train data.csv --embedding-size 4 --columns 1,2",
            "task 'series' has no use for --columns, --embedding-size",
        ),
        ("train data.csv --out data.csv", "--out is data.csv, which this command reads"),
        ("train m.npz --out other.npz", "which is none of x, lengths, class"),
        ("tag m.npz data.csv", "m.npz holds a model that reads series of numbers; needed is one that reads symbols"),
        ("inspect m.npz --text x", "m.npz holds a model that reads series of numbers"),
        ("convert m.npz m.onnx", "the model reads features"),
        ("train --resume m.npz", "class_per_step.npz is not what it was when m.npz was begun"),
        ("train --resume m.npz --epochs 1", "class_per_step.npz is not what it was"),
    ],
)
def test_broken_input_is_one_sentence(arguments, sentence, folder, capsys):
    Path("broken.csv").write_text("series,class,a\n1,x,nan\n")
    assert main(["train", "class_per_step.npz", "--out", "m.npz", "--quiet", *SMALL]) == 0
    x, lengths = arrays()
    np.savez("class_per_step.npz", x=x + 1, lengths=lengths, class_per_step=np.zeros(x.shape[:2], int))
    if arguments.startswith("convert"):
        pytest.importorskip("onnx")
    assert main(arguments.split()) == 2
    shown = capsys.readouterr().err
    assert sentence in shown
    assert "Traceback" not in shown


def test_the_guides_python_runs_as_it_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    names = {}
    exec(compile(block, "series.md", "exec"), names)
    assert names["warmth"].shape == (2, 1)
    assert np.ptp(names["warmth"]) < 40


def test_the_guides_words_are_those_of_the_readers():
    told = GUIDE.read_text()
    assert all(f"`{suffix}`" in told for suffix in task.READERS)
    assert all(f"`{kind}`" in told for kind in nb.datasets.series_file.KINDS)
