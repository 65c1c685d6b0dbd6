"""`npbilstm train --task morse`, resumed, and the picture of what is read."""

import numpy as np
import pytest

from npbilstm.cli import main
from npbilstm.commands.tasks import morse
from npbilstm.datasets import morse as morse_data
from npbilstm.training import load_model, load_trainer


@pytest.fixture
def few(monkeypatch):
    """So few texts that an epoch is no time."""
    monkeypatch.setattr(morse, "morse", lambda seed: morse_data(48, seed))


def command(*arguments):
    return main([str(argument) for argument in arguments])


def test_a_run_ends_with_its_errors_and_a_picture_and_one_taken_up_is_the_same(few, tmp_path, capsys):
    whole, halves = tmp_path / "whole.npz", tmp_path / "halves.npz"
    small = ["train", "--task", "morse", "--hidden-size", 4, "--batch-size", 16]
    assert command(*small, "--epochs", 2, "--schedule", "constant", "--out", whole) == 0
    said = capsys.readouterr().out
    assert "48 texts" in said
    assert "character errors in test, words never seen" in said
    assert "\nreads" in said
    assert "beam of 4" in said
    assert command(*small, "--epochs", 1, "--schedule", "constant", "--out", halves, "--quiet") == 0
    assert command("train", "--resume", halves, "--epochs", 2, "--quiet") == 0
    one, other = (load_trainer(path)[0] for path in (whole, halves))
    assert all(np.array_equal(other.model.params[name], p) for name, p in one.model.params.items())


def test_what_means_nothing_to_it_is_refused(few, tmp_path, capsys):
    for option in (["--window", "9"], ["data.txt"]):
        assert command("train", *option, "--task", "morse", "--out", tmp_path / "m.npz") == 2
        name = "--window" if len(option) == 2 else "DATA"
        assert f"the task 'morse' has no use for {name}; leave it out" in capsys.readouterr().err


def test_other_words_than_those_it_was_begun_with_are_told_of(few, tmp_path, capsys, monkeypatch):
    out = tmp_path / "m.npz"
    assert command("train", "--task", "morse", "--hidden-size", 2, "--epochs", 1, "--out", out, "--quiet") == 0
    monkeypatch.setattr(morse, "morse", lambda seed: morse_data(48, seed + 1))
    assert command("train", "--resume", out, "--epochs", 2) == 2
    assert "the words of this Python are not those that" in capsys.readouterr().err


def test_inspect_shows_how_a_text_is_read_in_the_terminal_and_on_a_page(few, tmp_path, capsys):
    out, page = tmp_path / "m.npz", tmp_path / "page.html"
    assert command("train", "--task", "morse", "--hidden-size", 2, "--epochs", 1, "--out", out, "--quiet") == 0
    assert command("inspect", out, "--text", "All good") == 0
    assert capsys.readouterr().out.startswith("sent  all good\nkey")
    assert command("inspect", out, "--text", "all good", "--out", page) == 0
    assert "Morse, sent by hand: all good" in page.read_text()
    assert load_model(out)[1]["data"]["kind"] == "morse"
    capsys.readouterr()
    for wrong, sentence in [
        (["--text", "no. 5"], "text has the character '.'"),
        (["--text", "a", "--unit", 1], "--unit given; of a model that reads Morse the alignment"),
        (["--text", " "], "--text is empty"),
    ]:
        assert command("inspect", out, *wrong) == 2
        assert sentence in capsys.readouterr().err
