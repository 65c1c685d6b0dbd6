"""`npbilstm inspect` of a model of pairs: its answer, where it looks, the page, and sentences for what cannot be."""

import json
import re
from pathlib import Path

import pytest

import npbilstm as nb
from npbilstm.cli import main
from npbilstm.inspector import attention_text

ABOUT = {"data": {"kind": "string pairs", "task": "reverse"}, "sources": "abc", "targets": "abc"}


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = nb.Seq2Seq(3, 3, hidden_size=2, embedding_size=2, rng=4)
    nb.save_model("m.npz", model, ABOUT)
    return model


def test_the_answer_and_where_it_looks_are_printed(model, capsys):
    assert main(["inspect", "m.npz", "--text", "abca"]) == 0
    (answer,) = model.predict([[0, 1, 2, 0]])
    written = "".join("abc"[k] for k in answer)
    picture = attention_text(model.alignment([0, 1, 2, 0], answer), "abca", written)
    assert capsys.readouterr().out == f"abca -> {written}\n\n{picture}\n"
    assert main(["inspect", "m.npz", "--text", "abca", "--unit", "1", "--step", "2"]) == 0
    out = capsys.readouterr().out
    assert "Nobody says what is true here, so the gradients are those of the model's own answer." in out
    assert "layer 0, forward direction, step 2 'c', unit 1: read 3rd of 4" in out


def test_the_page_has_the_map_and_the_encoder(model, capsys):
    assert main(["inspect", "m.npz", "--text", "abca", "--out", "page.html"]) == 0
    assert "Open in a browser: file://" in capsys.readouterr().out
    data = json.loads(re.search(r'id="trace">(.*?)</script>', Path("page.html").read_text()).group(1))
    (answer,) = model.predict([[0, 1, 2, 0]])
    assert data["tokens"] == list("abca")
    assert data["map"]["lines"] == [*("abc"[k] for k in answer), "end"]
    assert data["map_arrays"]["alpha"]["shape"] == [len(answer) + 1, 4]
    assert (data["units"], data["encoder"], data["loss"]) == (2, True, None)
    assert main(["inspect", "m.npz", "--text", "abca", "--out", "page.html"]) == 2
    assert "page.html exists; choose another --out" in capsys.readouterr().err


def test_without_attention_there_is_the_encoder_alone(model, capsys):
    nb.save_model("none.npz", nb.Seq2Seq(3, 3, attention=None, hidden_size=2, embedding_size=2, rng=4), ABOUT)
    assert main(["inspect", "none.npz", "--text", "ab", "--out", "page.html"]) == 0
    assert len(capsys.readouterr().out.split("\n\n")) == 2
    assert '"map":null' in Path("page.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["m.npz", "--text", "abx\x1b"], "--text holds '\\x1b', 'x', which the model has not seen"),
        (["m.npz", "--text", "ab" * 200], "--text has 400 characters, and --steps lets 200 be read"),
        (["m.npz", "--text", ""], "--text is empty; it needs characters of 'abc'"),
        (["m.npz", "m.txt"], "FILE given; of a model of pairs what it makes of --text TEXT can be looked at"),
        (["m.npz", "--text", "ab", "--unit", "2"], "--unit is 2; the encoder has"),
        (["m.npz", "--text", "ab", "--step", "2"], "--step is 2; what is read has"),
        (["m.npz", "--text", "ab", "--layer", "1"], "--layer is 1; the encoder has 1 layer, 0 alone"),
        (["few.npz", "--text", "ab"], "few.npz is damaged: its characters are not those of its model"),
        (["odd.npz", "--text", "ab"], "odd.npz is damaged: its targets need to be a text"),
        (["tagger.npz", "--text", "ab"], "tagger.npz"),
        (
            ["plain.npz", "--text", "ab"],
            "plain.npz holds a Seq2Seq; npbilstm inspect needs a tagger or a classifier, or",
        ),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(model, capsys, arguments, sentence):
    nb.save_model("few.npz", model, {**ABOUT, "sources": "ab"})
    nb.save_model("odd.npz", model, {**ABOUT, "targets": 3})
    nb.save_model("plain.npz", model)
    nb.save_model("tagger.npz", nb.SequenceTagger(3, 3, hidden_size=2, rng=0), ABOUT)
    assert main(["inspect", *arguments]) == 2
    assert sentence in capsys.readouterr().err
