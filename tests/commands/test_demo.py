"""The demonstration's folder and its model, which is saved as soon as it is trained. What it shows is for .ci/run."""

import os

import pytest

import npbilstm as nb
from npbilstm.cli import main
from npbilstm.commands import demo


@pytest.fixture
def stopped(tmp_path, monkeypatch):
    """A demonstration in this folder, which Ctrl-C stops while the second tagger is trained."""

    def train_tagger(data, bidirectional, size, show):
        if not bidirectional:
            raise KeyboardInterrupt
        return nb.Trainer(nb.SequenceTagger(len(data.vocabulary), len(data.classes), hidden_size=2, rng=0))

    (tmp_path / "code").mkdir()
    for n in range(4):
        (tmp_path / "code" / f"m{n}.py").write_text(f"def f{n}(x):\n    return g(x)\n" * 20)
    files = demo.source_files(1000, tmp_path / "code")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(demo, "source_files", lambda characters: files)
    monkeypatch.setattr(demo, "check_gradients_of_all", lambda: "all agree")
    monkeypatch.setattr(demo, "train_tagger", train_tagger)
    return lambda: main(["demo", "--quick", "--quiet", "--out", "out"])


def test_the_model_is_saved_before_all_that_comes_after_its_training(stopped):
    assert stopped() == 130
    assert os.listdir("out") == ["model.npz"]
    assert nb.load_model("out/model.npz")[0].recurrent.hidden_size == 2


def test_what_a_stopped_demonstration_left_may_be_replaced_and_another_model_may_not(stopped, capsys):
    assert stopped() == stopped() == 130
    nb.save_model("out/model.npz", nb.SequenceTagger(3, 2, rng=0), {"made by": "somebody else"})
    assert stopped() == 2
    assert "exists and is not the demonstration's; choose another folder with --out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        ("", "--out is empty; it needs the name of a folder"),
        ("a\0b", "--out is 'a\\x00b', which cannot be the name of a file: it holds a null character"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_folder_that_cannot_be_is_a_sentence_before_any_work(stopped, out, sentence, capsys):
    assert main(["demo", "--out", out]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert sentence in shown.err
    assert os.listdir() == []


def test_what_cannot_be_replaced_by_a_file_is_found_before_any_work(stopped, capsys):
    assert stopped() == 130
    os.mkdir("out/page.html")
    assert stopped() == 2
    assert (
        "out/page.html is a folder or a device; the demonstration needs to write a file there"
        in capsys.readouterr().err
    )
