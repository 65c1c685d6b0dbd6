"""Whatever value an option is given: a command that works, or one sentence and exit code 2. Never a traceback, never a
fault of the program's own, nothing touched."""

import argparse
import os
import random
import re
from itertools import islice

import pytest

from npbilstm.cli import main, parser
from npbilstm.commands import check_file
from npbilstm.models import LanguageModel
from npbilstm.training import Trainer, save_model

WORDS = "".join(f"the\tDET\n{word}\tNOUN\nruns\tVERB\n\n" for word in ["cat", "dog", "cow"] * 4)
BASE = {
    "train": [
        "words.txt",
        "--out",
        "new.npz",
        "--epochs",
        "1",
        "--embedding-size",
        "2",
        "--hidden-size",
        "2",
        "--quiet",
    ],
    "tag": ["words.npz", "words.txt"],
    "inspect": ["words.npz", "words.txt"],
    "convert": ["words.npz", "new.npz"],
    "sample": ["letters.npz", "--length", "3"],
    "check": ["own.py"],
}
"""Arguments with which each command works. The demonstration, which takes long, has but one option with a value."""

STRINGS = ["", "-", "--", "---", "-1", "=", " ", "\n", "a\0b", "a\ud800", "\udcff", "é" * 200, "x" * 5000, ".", "~"]
STRINGS += ["/dev/null", "words.txt", "words.npz", "no/such", "words.txt/x", "%s", "{}", "\x1b[31m", "none"]
NUMBERS = ["0", "-0", "1", "-1", "+1", "1_0", "0x10", "1e3", "2.5", "nan", "-nan", "inf", "-inf", "1e400", "1e-400"]
NUMBERS += ["9" * 30, "-" + "9" * 30, "9" * 400, "9" * 5000, "٣", "True", str(2**31), str(2**63), str(2**64), "10" * 9]
CODES = {0, 2, 130}
"""All is well, input that cannot be used, and a training that was stopped; of check 1 and 3 as well."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with words, a model of them, one of a language, and a file of one's own."""
    folder = tmp_path_factory.mktemp("values")
    (folder / "words.txt").write_text(WORDS)
    (folder / "own.py").write_text("def sigmoid_derivative(value):\n    return value * (1 - value)\n")
    letters = LanguageModel(3, embedding_size=2, hidden_size=2, rng=0)
    save_model(folder / "letters.npz", letters, {"symbols": ["a", "b"]})
    before = os.getcwd()
    os.chdir(folder)
    try:
        assert main(["train", *BASE["train"][:1], "--out", "words.npz", *BASE["train"][3:]]) == 0
    finally:
        os.chdir(before)
    return folder


def options_of(command):
    """The options of a command that take a value."""
    commands = next(action for action in parser()._actions if action.dest == "command")
    return [action.option_strings[0] for action in commands.choices[command]._actions if takes_value(action)]


def takes_value(action):
    return bool(action.option_strings) and action.nargs != 0 and not isinstance(action, argparse._HelpAction)


OPTIONS = {command: options_of(command) for command in BASE}


def lines(seed, count):
    """So many command lines, each with one or two odd values."""
    draw = random.Random(seed)
    for n in range(count):
        command = list(BASE)[n % len(BASE)]
        line = list(BASE[command])
        for _ in range(draw.choice([1, 1, 2])):
            value, where = draw.choice(STRINGS + NUMBERS), draw.random()
            if where < 0.2:
                line[0] = value
            elif where < 0.7:
                line.append(f"{draw.choice(OPTIONS[command])}={value}")
            else:
                line += [draw.choice(OPTIONS[command]), value]
        yield [command, *line]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name in KEPT}


KEPT = ("words.txt", "words.npz", "letters.npz", "own.py")


@pytest.mark.parametrize(("seed", "count"), [(0, 150), pytest.param(1, 1200, marks=pytest.mark.slow)])
def test_no_value_of_an_option_gives_a_traceback(folder, seed, count, monkeypatch, capsys):
    train, sample = Trainer.train, LanguageModel.sample
    monkeypatch.chdir(folder)
    # a training of 10^30 epochs is what was asked for: here it ends after its first batch, and a long text early
    monkeypatch.setattr(
        Trainer, "train", lambda *given, **named: train(*given, **{**named, "should_stop": lambda: True})
    )
    monkeypatch.setattr(LanguageModel, "sample", lambda *given, **named: islice(sample(*given, **named), 3))
    monkeypatch.setattr(check_file, "judge_file", lambda options: 0)  # test_check_file.py runs files
    before = contents(folder)
    for line in lines(seed, count):
        code = main(line)
        said = capsys.readouterr().err
        shown = " ".join(ascii(each)[:80] for each in line)
        assert code in CODES, f"{shown}: {said[-500:]}"
        assert "Traceback" not in said, shown
        if code == 2:
            assert re.search(r"^npbilstm( \w+)?: .*\w", said, re.MULTILINE | re.DOTALL), shown
        assert contents(folder) == before, shown
        assert [name for name in os.listdir(folder) if name.endswith((".lock", ".tmp"))] == [], shown
        for name in set(os.listdir(folder)) - set(KEPT):
            os.unlink(name)  # so that the next line does not end at a file that exists


@pytest.mark.parametrize(
    "line",
    [
        ["inspect", "words.npz", "words.txt", "--steps=--"],
        ["inspect", "words.npz", "words.txt", "--unit=--"],
        ["train", "words.txt", "--epochs=--"],
        ["train", "words.txt", "--learning-rate=--"],
        ["check", "own.py", "--seconds=--"],
        ["demo", "--out=--"],
        ["tag", "words.npz", "words.txt", "--html=--"],
        ["sample", "letters.npz", "--top-k=--"],
        ["sample", "letters.npz", "--prompt=--"],
    ],
)
def test_two_dashes_are_no_value(folder, line, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    before = sorted(os.listdir())
    assert main(line) == 2
    assert line[-1].split("=")[0] in capsys.readouterr().err.split("error: ")[-1]
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--hidden-size", 10**9, "there is not enough memory for this: a model of "),
        ("--layers", 10**9, "there is not enough memory for this: a model of "),
        ("--embedding-size", 10**12, "there is not enough memory for this: a model of "),
        ("--hidden-size", 10**30, "hidden_size is 10+; it needs to be at most "),
        ("--epochs", 10**30, "epochs is 10+; it needs to be at most "),
        ("--batch-size", 10**30, "batch_size is 10+; it needs to be at most "),
        ("--out", "", "--out is empty; it needs the name of a file"),
        ("--out", "a\0b", "--out is 'a.x00b', which cannot be the name of a file: it holds a null character"),
        ("--out", "a\ud800", "--out is 'a.ud800', which cannot be the name of a file"),
        ("--out", "x" * 5000, "x+: File name too long"),
        ("--clip", "nan", "max_norm is nan; it needs to be above 0, or None"),
    ],
)
def test_what_cannot_be_is_said_before_it_is_tried(folder, option, value, sentence, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    before = sorted(os.listdir())
    assert main(["train", *BASE["train"], f"{option}={value}"]) == 2
    assert re.search(rf"^npbilstm: {sentence}", capsys.readouterr().err)
    assert sorted(os.listdir()) == before
