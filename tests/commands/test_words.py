"""`npbilstm train --task words`: with a CRF and without."""

import re

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.cli import main
from npbilstm.commands.tasks import words
from npbilstm.datasets import TaggedData, TaggedSequence
from npbilstm.datasets.words import LETTERS, TAGS, tags_of_words

SMALL = ["train", "--task", "words", "--hidden-size", "3", "--embedding-size", "3", "--epochs", "2"]


def made(count):
    """Sentences of letters in alphabetical order."""
    sentences = [["abcdefg"[: 1 + (n + k) % 5] for k in range(3 + n % 3)] for n in range(count)]
    rows = [TaggedSequence(LETTERS.encode("".join(words)), tags_of_words(words)) for words in sentences]
    return TaggedData("words without spaces", LETTERS, TAGS, rows, rows[:5], rows[5:10])


@pytest.fixture(autouse=True)
def few_sentences(monkeypatch, tmp_path):
    monkeypatch.setattr(words, "unspaced_words", lambda: made(30))
    monkeypatch.chdir(tmp_path)


def test_it_trains_with_a_crf_or_without_and_shows_both_ways_to_choose_tags(capsys):
    for head, ways in [
        ("crf", ["best path by the trained transitions", "best legal path by the trained transitions"]),
        ("classes", ["likeliest tag at each step", "best legal path, no transitions trained"]),
    ]:
        assert main([*SMALL, "--head", head, "--out", f"{head}.npz"]) == 0
        shown = capsys.readouterr().out
        assert all(re.search(rf"^{way} +[\d.]+% +[\d.]+%$", shown, re.MULTILINE) for way in ways)
        model, about = nb.load_model(f"{head}.npz")
        assert model.config.get("head", "classes") == head
        assert about["classes"] == ["B", "M", "E", "S"]


def test_a_run_for_longer_is_the_same_as_one_in_two_parts(capsys):
    assert main([*SMALL, "--schedule", "constant", "--out", "whole.npz"]) == 0
    assert main([*SMALL, "--schedule", "constant", "--epochs", "1", "--out", "parts.npz"]) == 0
    assert main(["train", "--resume", "parts.npz", "--epochs", "2"]) == 0
    whole, parts = (nb.load_trainer(f"{name}.npz")[0].model.params for name in ("whole", "parts"))
    assert all(np.array_equal(whole[name], p) for name, p in parts.items())


def test_other_data_and_options_that_mean_nothing_are_refused(capsys, monkeypatch):
    assert main([*SMALL, "--window", "5"]) == 2
    assert "the task 'words' has no use for --window; leave it out" in capsys.readouterr().err
    assert main([*SMALL, "--out", "m.npz", "--quiet"]) == 0
    monkeypatch.setattr(words, "unspaced_words", lambda: made(24))
    assert main(["train", "--resume", "m.npz", "--epochs", "3"]) == 2
    assert "m.npz was begun on another Python's docstrings" in " ".join(capsys.readouterr().err.split())
