"""`npbilstm train --characters-of-words`: words that nobody has seen are tagged by how they are spelled."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.cli import main
from npbilstm.training import read_checkpoint

SMALL = [
    "--epochs",
    "12",
    "--batch-size",
    "4",
    "--learning-rate",
    "0.02",
    "--embedding-size",
    "4",
    "--hidden-size",
    "6",
    "--dropout",
    "0",
]
STEMS = ["cat", "dog", "cow", "owl", "ant", "bee", "hen", "pig", "ram", "elk"]
TEXT = "".join(f"the O\n{one}s B-x\n{one} O\n{other}s I-x\n\n" for one in STEMS for other in STEMS[::5])


def write(folder, text=TEXT, name="words.txt"):
    (folder / name).write_text(text)
    return str(folder / name)


def train(folder, *options):
    return main(["train", write(folder), "--characters-of-words", "--out", str(folder / "m.npz"), *SMALL, *options])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a model."""
    folder = tmp_path_factory.mktemp("spelled")
    assert train(folder, "--quiet", "--spans") == 0
    return folder


def test_words_that_were_never_seen_are_tagged_by_their_spelling(folder, tmp_path, capsys):
    unseen = write(tmp_path, "the O\nyaks B-x\nyak O\nasses I-x\n\n")
    assert main(["tag", str(folder / "m.npz"), unseen, "--columns"]) == 0
    out, err = capsys.readouterr()
    assert out == "the O\nyaks B-x\nyak O\nasses I-x\n\n"
    assert err == "4 of 4 words (100.0%) as the file has them\n"


def test_a_model_of_spelled_words_is_looked_into(folder, tmp_path, capsys):
    model, page = str(folder / "m.npz"), str(tmp_path / "page.html")
    assert main(["inspect", model, "--text", "the yaks sleep", "--unit", "3", "--step", "1", "--out", page]) == 0
    out = capsys.readouterr().out
    assert "step 1 'yaks', unit 3" in out
    assert main(["inspect", model, write(tmp_path), "--line", "2"]) == 0


def test_validation_by_spans_is_in_the_file_and_what_is_known_of_the_words(folder):
    checkpoint = read_checkpoint(folder / "m.npz")
    assert checkpoint.meta["spans_of"] == ["B-x", "I-x", "O"]
    assert set(checkpoint.meta["position"]["history"][0]) == {"epoch", "loss", "valid_span_f1"}
    assert checkpoint.about["characters"] == sorted({*"".join(STEMS), *"thes"})
    model, _ = nb.load_model(folder / "m.npz", kind=nb.WordTagger)
    assert model.config["dropout"] == 0
    assert model.word_counts.sum() == sum(model.word_counts[1:])


def test_a_run_is_gone_on_with_and_told(tmp_path, capsys):
    assert train(tmp_path, "--spans", "--head", "crf", "--epochs", "1") == 0
    told = capsys.readouterr().out
    assert "F1 of the spans in test: " in told
    assert main(["train", "--resume", str(tmp_path / "m.npz"), "--epochs", "2"]) == 0
    assert "Going on from epoch 2 of 2" in capsys.readouterr().out
    write(tmp_path, TEXT + "the O\nnewts B-x\n")
    assert main(["train", "--resume", str(tmp_path / "m.npz"), "--epochs", "3"]) == 2
    assert "is not what it was when" in capsys.readouterr().err


def test_vectors_are_where_the_words_begin(tmp_path, capsys):
    vectors = write(tmp_path, "2 3\ncats 1 2 3\nthe 4 5 6\n", "v.txt")
    wanted = ["--vectors", vectors, "--learning-rate", "1e-12", "--epochs", "1"]
    small = [part for k, part in enumerate(SMALL) if "--embedding-size" not in SMALL[max(k - 1, 0) : k + 1]]
    out = str(tmp_path / "m.npz")
    assert main(["train", write(tmp_path), "--characters-of-words", "--out", out, *small, *wanted]) == 0
    assert f"2 of 21 words begin with their vectors in {vectors}." in capsys.readouterr().err
    model, about = nb.load_model(out, kind=nb.WordTagger)
    row = 1 + about["symbols"].index("cats")
    np.testing.assert_allclose(model.words.params["W"][row], [1, 2, 3], atol=1e-5)


def test_vectors_tell_what_two_looks_at_a_word_do_not(tmp_path):
    rng = np.random.default_rng(0)
    words = sorted({"".join(rng.choice(list("abcdefgh"), 5)) for _ in range(120)})
    W = rng.standard_normal((len(words), 4))

    def lines(order):
        tagged = [f"{words[k]} {'X' if W[k, 0] > 0 else 'Y'}\n" for k in order]
        return "\n".join("".join(tagged[n : n + 4]) for n in range(0, len(tagged), 4))

    train, valid = (write(tmp_path, lines(rng.permutation(len(words))), name) for name in ("t.txt", "v.txt"))
    vectors = write(tmp_path, "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in zip(words, W)), "w.txt")
    right = []
    for given in ([], ["--vectors", vectors]):
        out = str(tmp_path / f"{len(given)}.npz")
        options = ["--valid", valid, "--test", valid, "--characters-of-words", "--out", out, "--quiet", *given]
        assert main(["train", train, *SMALL, "--epochs", "2", *options]) == 0
        right.append(read_checkpoint(out).meta["position"]["best"])
    assert right[1] > right[0] + 0.05


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--vectors", "v.txt"], "--embedding-size is 4; the vectors in v.txt have 2 numbers"),
        (["--vectors", "broken.txt"], "broken.txt, line 2: a word and 1 numbers; it needs 2 as the lines before"),
        (["--vectors", "none.txt"], "none.txt: there is no such file or folder"),
        (["--task", "dates"], "--characters-of-words is for words with tags; leave it or --task dates out"),
        (["--window", "7"], "the task 'word-tagging' has no use for --window; leave it out"),
        (["--head", "x"], "argument --head: invalid choice: 'x'"),
    ],
)
def test_what_does_not_go_together_is_said(tmp_path, monkeypatch, capsys, options, message):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "the 1 2\ncats 1 2\n", "v.txt")
    write(tmp_path, "the 1 2\ncats 1\n", "broken.txt")
    try:
        code = train(tmp_path, *options)
    except SystemExit as stopped:  # argparse
        code = stopped.code
    assert code == 2
    assert message in capsys.readouterr().err


def test_without_a_file_or_without_spans_there_is_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--characters-of-words"]) == 2
    assert "--characters-of-words needs a tagged-text file" in capsys.readouterr().err
    assert main(["train", str(tmp_path), "--characters-of-words"]) == 2
    assert "goes with a tagged-text file; Python source is read by character" in capsys.readouterr().err
    tags = write(tmp_path, "the DET\ncat NOUN\n\n" * 9)
    assert main(["train", tags, "--characters-of-words", "--spans"]) == 2
    assert "class 'DET' is no tag of spans" in capsys.readouterr().err
    assert main(["train", tags, "--vectors", tags]) == 2
    assert "the task 'tagging' has no use for --vectors" in capsys.readouterr().err


def test_a_file_that_names_other_characters_is_damaged(folder, tmp_path, capsys):
    model, about = nb.load_model(folder / "m.npz", kind=nb.WordTagger)
    for change, message in [
        ({"characters": ["a"]}, "names 2 characters; its model has"),
        ({"characters": None}, "is damaged: the characters that it names are none for its model"),
        ({"characters": [1]}, "is damaged: the characters that it names are none for its model"),
    ]:
        nb.save_model(tmp_path / "m.npz", model, {**about, **change})
        assert main(["tag", str(tmp_path / "m.npz"), write(tmp_path)]) == 2
        assert message in capsys.readouterr().err
