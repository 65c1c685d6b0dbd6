"""`npbilstm train --task language`, stopped and resumed, its bits beside the compressors'; `npbilstm sample`."""

import email
import lzma
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.cli import main
from npbilstm.commands import sample, train
from npbilstm.commands.tasks import language

SMALL = ["--hidden-size", "4", "--embedding-size", "3", "--window", "64", "--batch-size", "4"]
TEXT = "the cat runs, and the dog runs after it.\n" * 25


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(language, "SAMPLE", 20)
    monkeypatch.setattr(language, "MOST_EPOCHS", 1)
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "b.txt").write_text(TEXT.replace("cat", "cow"))
    return tmp_path


def trained(*options):
    assert main(["train", "a.txt", "b.txt", "--task", "language", *SMALL, "--quiet", *options]) == 0


def test_a_run_that_is_stopped_goes_on_to_the_same_bytes(folder, monkeypatch, capsys):
    trained("--epochs", "2", "--out", "whole.npz")
    asked = iter(range(100))

    class StopAtOnce(train.StopFlag):
        def __call__(self):
            return next(asked) == 4

    with monkeypatch.context() as patched:
        patched.setattr(train, "StopFlag", StopAtOnce)
        with pytest.raises(AssertionError):
            trained("--epochs", "2", "--out", "broken.npz")
    assert main(["train", "--resume", "broken.npz", "--quiet"]) == 0
    assert (folder / "whole.npz").read_bytes() == (folder / "broken.npz").read_bytes()
    (folder / "b.txt").write_text(TEXT)
    assert main(["train", "--resume", "broken.npz", "--epochs", "4"]) == 2
    assert "2 files is not what it was when broken.npz was begun" in capsys.readouterr().err


def test_the_report_has_the_model_s_bits_and_the_compressors_on_the_same_text(folder, capsys):
    (folder / "a.txt").write_text(TEXT + "ñ" + TEXT[-20:])
    assert main(["train", "a.txt", "--task", "language", *SMALL, "--epochs", "1", "--out", "m.npz"]) == 0
    said = capsys.readouterr().out
    model, about = nb.load_model("m.npz", kind=nb.LanguageModel)
    data = nb.plain_text(["a.txt"])
    assert about["symbols"] == data.vocabulary.symbols[1:]
    (text,) = data.test
    raw, read = text.encode(), data.train[0].encode()
    ids = data.vocabulary.encode(text)
    loss, _ = model.loss_forward(*(row[None] for row in model.shifted(ids)))
    bits = {
        "this model": loss / np.log(2) + 21 / len(text),  # the ñ, which training has never seen
        "zlib": 8 * len(zlib.compress(raw, 9)) / len(text),
        "lzma": 8 * len(lzma.compress(raw, preset=9)) / len(text),
        "lzma, the training part read before": 8
        * (len(lzma.compress(read + raw, preset=9)) - len(lzma.compress(read, preset=9)))
        / len(text),
    }
    assert f"{len(text)} characters, of which 1 are unknown" in said
    for name, each in bits.items():
        assert f"\n{name:44}{each:8.3f}\n" in said
    assert "by itself" not in said  # there is one text
    assert f"\n\n{text[:40]}" in said.split("So the model goes on")[1]


def test_of_several_texts_the_compressors_read_each_by_itself_too(folder):
    data = nb.plain_text(["a.txt", "b.txt"])
    bits = language.bits_by_compressors(data)
    alone = [len(zlib.compress(text.encode(), 9)) for text in data.test]
    assert len(alone) == 2
    assert bits["zlib, each text by itself"] == 8 * sum(alone) / sum(map(len, data.test)) > bits["zlib"]
    assert bits["lzma, each text by itself"] > bits["lzma"]


def test_where_no_epochs_are_said_a_small_text_is_read_more_often(folder, monkeypatch):
    found = []
    monkeypatch.setattr(language, "MOST_EPOCHS", 10)
    monkeypatch.setattr(train, "train", lambda path, run, options: found.append(run.trainer.settings.epochs) or 0)
    for read, options in [(10**7, []), (3 * 1640, []), (10, []), (10, ["--epochs", "5"])]:
        monkeypatch.setattr(language, "READ", read)
        trained(*options)
    assert found == [10, 3, 1, 5]


def test_long_texts_are_measured_in_pieces_and_nothing_is_lost_of_them(folder, monkeypatch):
    monkeypatch.setattr(language, "PIECE", 7)
    assert "".join(language.pieces([TEXT, "", "abc"])) == TEXT + "abc"
    assert max(map(len, language.pieces([TEXT]))) == 7


def test_the_standard_library_is_what_is_read_where_no_file_is_said(folder, monkeypatch, capsys):
    some = sorted(Path(email.__file__).parent.glob("*.py"))  # to find them all takes a second
    monkeypatch.setattr(sys.modules["npbilstm.datasets.plain_text"], "library_files", lambda: some)
    assert main(["train", "--task", "language", "--characters", "3000", *SMALL, "--out", "m.npz"]) == 0
    shown = capsys.readouterr()
    assert "the standard library's source: " in shown.out
    assert "are too rare for the vocabulary: read as unknown" in shown.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["a.txt", "--characters", "9000", "--task", "language"], "--characters is for the standard library's source"),
        (["none.txt", "--task", "language"], "none.txt: there is no such file"),
        (["", "--task", "language"], "there is no such file or folder"),
        ([".", "--task", "language"], "Is a directory"),
        (["a.txt", "odd.txt", "--task", "language"], "odd.txt, line 1: this is not UTF-8 text"),
        (["null.txt", "--task", "language"], "null.txt holds null bytes: it is binary data"),
        (["few.txt", "--task", "language"], "few.txt: 3 characters; there need to be at least 1,000"),
        (["once.txt", "--task", "language"], "no character of the training part occurs twice"),
        (["--task", "language", "--characters", "10"], "characters is 10; it needs to be at least 1000"),
        (["a.txt", "--task", "language", "--window", "0"], "window is 0; it needs to be at least 1"),
        (["a.txt", "--task", "language", "--one-direction"], "the task 'language' has no use for --one-direction"),
        (["a.txt", "--task", "language", "--hidden-size", str(10**9)], "there is not enough memory for this"),
        (["a.txt", "b.txt"], "DATA is given 2 times; --task language alone reads several files"),
        (["a.txt", "--out", "a.txt", "--task", "language", "--overwrite"], "--out is a.txt, which this command reads"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(folder, capsys, arguments, sentence):
    (folder / "odd.txt").write_bytes(b"\xff\xfe\xff\n")
    (folder / "null.txt").write_bytes(b"a\0b" * 1000)
    (folder / "few.txt").write_text("abc")
    (folder / "once.txt").write_text("".join(map(chr, range(0x4E00, 0x5200))))
    assert main(["train", "--out", "m.npz", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_a_sample_begins_with_the_prompt_and_is_the_same_for_the_same_seed(folder, capsys):
    trained("--out", "m.npz")
    shown = []
    for options in (["--seed", "3"], ["--seed", "3"], ["--seed", "4"], ["--top-k", "1"], ["--temperature", "0"]):
        assert main(["sample", "m.npz", "--prompt", "the ", "--length", "30", *options]) == 0
        shown.append(capsys.readouterr())
    texts = [each.out for each in shown]
    assert texts[0] == texts[1] != texts[2]
    assert texts[3] == texts[4]
    for text in texts:
        assert text.startswith("the ")
        assert len(text.removesuffix("\n")) in (33, 34)
        assert set(text) <= set(TEXT + "cow")
    assert not any(each.err for each in shown)
    assert main(["sample", "m.npz", "--prompt", "thé\x1b[2J\udcff", "--length", "1"]) == 0
    assert r"The model does not know '\x1b' '2' 'J' '[' '\xe9' '\udcff' of the prompt" in capsys.readouterr().err


def test_on_a_terminal_nothing_that_is_written_steers_it(folder, monkeypatch, capsys):
    (folder / "bell.txt").write_text("a\x07\x1b[2J\u202e" * 300)
    assert main(["train", "bell.txt", "--task", "language", *SMALL, "--out", "m.npz"]) == 0
    told = capsys.readouterr()
    for steering in ("\x07", "\x1b", "\u202e"):
        assert steering not in told.out + told.err
    assert main(["sample", "m.npz", "--length", "50", "--prompt", "\x1b"]) == 0
    assert "\x07" in capsys.readouterr().out  # to a file or a pipe goes what was drawn
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["sample", "m.npz", "--length", "50", "--prompt", "\x1b"]) == 0
    shown = capsys.readouterr().out
    assert not {"\x07", "\x1b", "\u202e"} & set(shown)
    assert "\N{REPLACEMENT CHARACTER}" in shown


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["m.npz", "--length", "0"], "length is 0; it needs to be at least 1"),
        (["m.npz", "--temperature", "nan"], "temperature is nan; it needs to be at least 0 and finite"),
        (["m.npz", "--top-k", "-1"], "top_k is -1; it needs to be at least 1"),
        (["m.npz", "--seed", "-1"], "--seed is -1; it needs to be at least 0"),
        (["tagger.npz"], "tagger.npz holds a SequenceTagger; this needs a LanguageModel"),
        (["mute.npz"], "mute.npz says nothing of its characters"),
        (["twice.npz"], "twice.npz is damaged: its characters are none for its model"),
        (["long.npz"], "long.npz is damaged: its characters are none for its model"),
        (["number.npz"], "number.npz is damaged: its characters are none for its model"),
        (["a.txt"], "a.txt is not a model file"),
    ],
)
def test_what_cannot_be_sampled_is_a_sentence(folder, capsys, arguments, sentence):
    symbols = {"m.npz": ["a", "b"], "twice.npz": ["a", "a"], "long.npz": ["a", "bc"], "number.npz": [1, 2]}
    path = arguments[0]
    if path == "tagger.npz":
        nb.save_model(path, nb.SequenceTagger(3, 2, rng=0))
    elif path != "a.txt":
        said = {"symbols": symbols[path]} if path in symbols else {}
        nb.save_model(path, nb.LanguageModel(3, hidden_size=2, embedding_size=2, rng=0), said)
    assert main(["sample", *arguments]) == 2
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert shown.out == ""


def test_a_model_of_a_language_is_refused_where_text_is_tagged(folder, capsys):
    nb.save_model("m.npz", nb.LanguageModel(3, hidden_size=2, embedding_size=2, rng=0))
    for command, needed in [
        (["tag", "m.npz", "a.txt"], "npbilstm tag needs a SequenceTagger or a WordTagger"),
        (["inspect", "m.npz", "a.txt"], "npbilstm inspect needs a tagger or a classifier"),
    ]:
        assert main(command) == 2
        assert f"m.npz holds a LanguageModel; {needed}" in capsys.readouterr().err


def test_what_is_sampled_is_written_while_it_is_drawn(folder, monkeypatch, capsys):
    nb.save_model("m.npz", nb.LanguageModel(3, hidden_size=2, embedding_size=2, rng=0), {"symbols": ["a", "b"]})
    written = []

    def until_full(text):
        written.append(text)
        if len(written) > 5:
            raise BrokenPipeError

    monkeypatch.setattr(sample, "write", until_full)
    assert main(["sample", "m.npz", "--length", str(10**15)]) == 0
    assert len(written) == 6
