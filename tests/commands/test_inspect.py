"""`npbilstm inspect`, on fresh models that were saved with what a trained one says of its data."""

import html
import io
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.cli import main, parser
from npbilstm.commands import demo
from npbilstm.commands.inspect_unit import OF_THE_PREDICTED
from npbilstm.datasets.python_source import CALLED, CHARACTERS, CLASSES, KEYWORD, SourceFile, label_characters
from npbilstm.inspector.indices import most_varying

CODE = "def f(x):\n    return g(x)\n"
WORDS = "the\tDET\ncat\tNOUN\nruns\tVERB\n\na\tDET\nfish\tNOUN\n"
CONLLU = "# text = the cat\n1\tthe\tthe\tDET\t_\t_\t0\t_\t_\t_\n2\tcat\tcat\tNOUN\t_\t_\t0\t_\t_\t_\n"
PYTHON = {"data": {"kind": "python source", "window": 16}, "symbols": None, "classes": CLASSES}
TEXT = {"data": {"kind": "tagged text"}, "symbols": ["the", "cat", "runs"], "classes": ["DET", "NOUN", "VERB"]}
HOSTILE = "</script><script>alert(1)</script>"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder with taggers of characters and of words, and classifiers of both."""
    folder = tmp_path_factory.mktemp("models")
    small = {"embedding_size": 4, "hidden_size": 5, "rng": 1}
    for name, make, about, options in [
        ("code", nb.SequenceTagger, PYTHON, {"num_layers": 2}),
        ("words", nb.SequenceTagger, TEXT, {"cell": "gru"}),
        ("one", nb.SequenceTagger, TEXT, {"bidirectional": False, "cell": "rnn"}),
        ("crf", nb.SequenceTagger, TEXT, {"head": "crf"}),
        ("kinds", nb.SequenceClassifier, {**TEXT, "classes": ["good", "bad"]}, {}),
        ("letters", nb.SequenceClassifier, {**PYTHON, "classes": ["good", "bad"]}, {"pooling": "mean"}),
        ("hostile", nb.SequenceTagger, {**TEXT, "classes": [HOSTILE, "\x1b[31mred", ""]}, {}),
        ("whole", nb.SequenceClassifier, PYTHON, {}),
        ("other", nb.SequenceTagger, {**PYTHON, "classes": ["good", "bad"]}, {}),
        ("loud", nb.SequenceTagger, PYTHON, {"num_layers": 2}),
    ]:
        symbols = len(CHARACTERS) if about["symbols"] is None else len(about["symbols"]) + 1
        model = make(symbols, len(about["classes"]), **small, **options)
        if name == "loud":  # all output gates shut but those of two units
            for layer, direction in [(0, "forward"), (0, "reverse"), (1, "forward"), (1, "reverse")]:
                model.params[f"lstm.{layer}.{direction}.b"][15:] = -30
            model.params["lstm.0.reverse.b"][15 + 3] = model.params["lstm.1.forward.b"][15 + 1] = 0
        nb.save_model(folder / f"{name}.npz", model, about)
    return folder


@pytest.fixture
def run(models, tmp_path, monkeypatch, capsys):
    """inspect(model, *arguments) -> (exit code, standard output, standard error), in a folder with some texts."""
    (tmp_path / "a.py").write_text(CODE)
    (tmp_path / "words.txt").write_text(WORDS)
    (tmp_path / "words.conllu").write_text(CONLLU)
    for path in models.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def inspect(model, *arguments):
        code = main(["inspect", f"{model}.npz", *map(str, arguments)])
        return code, *capsys.readouterr()

    return inspect


def tokens(out):
    """The tokens' line of a sparkline."""
    return "".join(re.findall(r"^ {7}(\S.*)\n  says", out, re.MULTILINE))


def test_a_file_of_code_is_shown_with_what_tokenize_says(run):
    code, out, err = run("code", "a.py")
    assert (code, err) == (0, "")
    assert tokens(out) == "def␣f(x):⏎␣␣␣␣return␣g(x)⏎"
    assert f"of {len(CODE)} wrong." in out


@pytest.mark.parametrize(("layer", "unit", "direction"), [(0, 3, "reverse"), (1, 1, "forward")])
def test_without_a_unit_the_one_that_varies_most_is_shown_in_the_direction_in_which_it_does(
    run, layer, unit, direction
):
    _, out, _ = run("loud", "a.py", "--layer", layer, "--step", "4")
    assert out.startswith(f"Unit {unit} varies most over these steps; --unit chooses another.\n")
    assert f"LSTM, layer {layer}, unit {unit}\n" in out
    assert f"layer {layer}, {direction} direction, step 4 'f', unit {unit}: " in out


def test_a_unit_that_is_chosen_is_shown(run):
    assert run("code", "a.py", "--unit", "3", "--layer", "1")[1].startswith("LSTM, layer 1, unit 3\n")


def test_layers_are_counted_from_the_end_too(run):
    assert run("code", "a.py", "--unit", "3", "--layer", "-1")[1].startswith("LSTM, layer 1, unit 3\n")


def test_the_file_may_stand_after_an_option(run):
    assert run("code", "--unit", "3", "a.py") == run("code", "a.py", "--unit", "3")


def test_the_bars_of_the_gradients_are_shown_where_asked_for(run):
    assert "  dc + " in run("code", "a.py", "--gradients")[1]


def test_a_step_prints_the_units_equations_there(run, models):
    _, out, _ = run("code", "a.py", "--unit", "2", "--step", "4", "--direction", "reverse", "--layer", "1")
    model, _ = nb.load_model(models / "code.npz")
    target = label_characters(CODE)
    trace = nb.trace(model, CHARACTERS.encode(CODE), target=target, tokens=CODE, classes=CLASSES)
    explained = str(nb.inspector.explain.explain(trace, 1, "reverse", 4, 2)).rstrip()
    assert out.rstrip().endswith(f"{explained}\n\n{trace.matters_most(4)}")


def test_a_line_and_a_number_of_steps_choose_what_is_read(run):
    code, out, err = run("code", "a.py", "--line", "2", "--steps", "10")
    assert (code, tokens(out)) == (0, "␣␣␣␣return")
    assert err == "Left out: 10 characters before and 6 characters after; --line and --steps choose others.\n"
    assert "of 10 wrong." in out  # the true classes are those of the whole text


def test_words_are_read_a_sentence_at_a_time(run):
    code, out, err = run("words", "words.txt", "--line", "2")
    assert (code, tokens(out).split()) == (0, ["a", "fish"])
    assert err == "Left out: 1 other sentence; --line and --steps choose others.\n"
    assert "of 2 wrong." in out
    _, out, err = run("words", "words.txt", "--steps", "2")
    assert tokens(out).split() == ["the", "cat"]
    assert "1 other sentence and 1 word of this one" in err


def test_text_that_nobody_has_labelled_says_whose_gradients_are_shown(run):
    said = "Nobody says what is true here, so the gradients are those of the predicted classes.\n"
    assert run("code", "--text", "what ' is (this", "--step", "1")[2] == said
    assert run("words", "--text", "the cat", "--gradients")[2] == said
    assert run("words", "--text", "the cat", "--out", "page.html")[2] == said
    code, out, err = run("words", "--text", "the cat")
    assert (code, err) == (0, "")
    assert "wrong" not in out


def test_the_gradients_of_unlabelled_text_are_those_of_the_predicted_classes(run, models):
    model, _ = nb.load_model(models / "words.npz")
    ids = np.array([1, 0])
    trace = nb.trace(model, ids, target=model.predict(ids[None])[0], tokens=["the", "ox"], classes=TEXT["classes"])
    _, out, _ = run("words", "--text", "the ox", "--unit", "1", "--step", "0")
    backward = str(nb.inspector.explain.explain(trace, 0, "forward", 0, 1)).split("\nbackward")[1]
    assert out.split("\nbackward")[1].startswith(f"{backward.rstrip()}\n\n")


def test_words_in_ten_columns_have_true_classes_too(run):
    code, out, _ = run("words", "words.conllu")
    assert (code, tokens(out).split()) == (0, ["the", "cat"])
    assert "of 2 wrong." in out


def test_text_of_words_is_parted_by_tabs_and_by_the_line_ends_of_any_system(run):
    text = "the\tcat runs\r\n \r\na\tfish"
    assert tokens(run("words", "--text", text)[1]).split() == ["the", "cat", "runs"]
    _, out, err = run("words", "--text", text, "--line", "2")
    assert tokens(out).split() == ["a", "fish"]
    assert err == "Left out: 1 other sentence; --line and --steps choose others.\n"
    assert tokens(run("code", "--text", "x\r\ny\rz")[1]) == "x⏎y⏎z"


@pytest.mark.parametrize("model", ["whole", "other"])
def test_tokenize_knows_the_truth_for_taggers_of_its_own_classes_alone(run, model):
    code, out, _ = run(model, "a.py", "--step", "1")
    assert code == 0
    assert not re.search("wrong|true", out)


def test_of_a_crf_the_scores_of_neighbours_are_printed(run):
    _, out, _ = run("crf", "--text", "the cat")
    assert "by the CRF's scores:\nafter start: DET 0.00, NOUN 0.00, VERB 0.00\nafter DET:   DET 0.00, NOUN" in out
    assert "by the CRF's scores" not in run("words", "--text", "the cat")[1]


@pytest.mark.parametrize("model", ["kinds", "letters"])
def test_a_classifier_is_shown_too(run, model):
    code, out, _ = run(model, "--text", "the\tcat runs", "--step", "1")
    assert code == 0
    assert re.search(r"the sequence: predicted (good|bad)\n", out)
    assert re.search(r"nit .* for (good|bad): without", out)
    assert "for good: " not in run("words", "--text", "the cat")[1]


def test_standard_input_is_read(run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"the cat\n")))
    assert tokens(run("one", "-")[1]).split() == ["the", "cat"]


@pytest.mark.skipif(os.name != "posix", reason="closes streams as a POSIX shell does")
def test_a_page_is_written_though_standard_output_is_closed(models, tmp_path):
    command = f"{sys.executable} -m npbilstm inspect {models / 'one.npz'} --text 'the cat' --out page.html >&-"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


def test_a_page_is_written_and_how_to_open_it_is_said(run, tmp_path):
    code, out, err = run("code", "a.py", "--out", "my page.html")
    assert (code, err) == (0, "")
    assert out == f"Open in a browser: {(tmp_path / 'my page.html').as_uri()}\n"
    assert (tmp_path / "my page.html").read_text().startswith("<!doctype html>")
    data = data_of(tmp_path / "my page.html")
    assert data["beside"].keys() == data["flow"].keys()
    assert data["beside"]["dh"] != data["flow"]["dh"]  # those of a fresh model


def data_of(page):
    """What a page holds."""
    return json.loads(re.search(r'id="trace">(.*?)</script>', page.read_text(), re.DOTALL)[1])


def test_a_page_says_what_was_read_and_what_of_it_is_left_out(run, tmp_path):
    run("code", "a.py", "--line", "2", "--steps", "10", "--out", "page.html")
    assert data_of(tmp_path / "page.html")["notes"][:2] == [
        "from a.py, from line 2 on",
        "left out: 10 characters before and 6 characters after",
    ]
    run("words", "--text", "the cat", "--out", "words.html")
    assert data_of(tmp_path / "words.html")["notes"][0] == OF_THE_PREDICTED


def test_a_page_and_a_unit_can_be_asked_for_together(run):
    _, out, _ = run("words", "--text", "the cat", "--out", "page.html", "--unit", "1")
    assert out.startswith("GRU, layer 0, unit 1\n")
    assert "\nOpen in a browser: file://" in out


def test_hostile_words_and_classes_stay_text(run, tmp_path):
    text = f"{HOSTILE} \x1b]0;owned\x07 \u202ecat"
    code, out, _ = run(
        "hostile", "--text", text, "--out", "page.html", "--unit", "0", "--step", "1", "--color", "always"
    )
    assert code == 0
    assert not set(re.sub(r"\x1b\[[0-9;]*m", "", out)) & {"\x1b", "\x07", "\u202e"}
    page = (tmp_path / "page.html").read_text()
    assert HOSTILE not in page
    assert html.escape(HOSTILE) in page or HOSTILE.replace("<", "\\u003c").replace(">", "\\u003e") in page


def test_no_colour_is_used_unless_asked_for(run):
    assert "\x1b" not in run("code", "a.py")[1]
    assert "\x1b[" in run("code", "a.py", "--color", "always")[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("code.npz", "what to read is a FILE or --text TEXT; it needs one of them, not both"),
        ("code.npz a.py --text x", "what to read is a FILE or --text TEXT; it needs one of them, not both"),
        ("code.npz absent.py", "absent.py: No such file or directory"),
        ("absent.npz a.py", "absent.npz: No such file or directory"),
        ("a.py a.py", "a.py is not a model file"),
        ("a.py", "a.py is not a model file"),
        ("bare.npz a.py", "bare.npz does not name its symbols and classes"),
        ("code.npz --text=", "--text is empty; there is nothing to read"),
        ("code.npz blank.py", "blank.py is empty; there is nothing to read"),
        ("code.npz a.py --unit 5", "--unit is 5; the model has 5 units, 0 to 4"),
        ("code.npz a.py --layer 2", "--layer is 2; the model has 2 layers, 0 to 1"),
        ("code.npz a.py --layer -3", "--layer is -3; the model has 2 layers, 0 to 1"),
        ("code.npz a.py --step 26", "--step is 26; what is read has 26 steps, 0 to 25"),
        ("code.npz a.py --direction reverse", "--direction goes with --step; the bars show both directions"),
        ("one.npz words.txt --step 0 --direction reverse", "direction is 'reverse'; it needs 'forward'"),
        ("code.npz a.py --line 3", "--line is 3; the text has 2 lines, 1 to 2"),
        ("code.npz a.py --line 0", "--line is 0; the text has 2 lines, 1 to 2"),
        ("words.npz words.txt --line 3", "--line is 3; the text has 2 sentences, 1 to 2"),
        ("code.npz a.py --steps 0", "--steps is 0; it needs to be at least 1"),
        ("words.npz more.txt", "more.txt, line 1: 3 columns; it needs 2 (word, tag) or 10 (CoNLL-U)"),
        ("code.npz a.py --out a.py --overwrite", "--out is a.py, which this command reads"),
        ("code.npz a.py --out code.npz --overwrite", "--out is code.npz, which this command reads"),
        ("code.npz a.py --out blank.py", "blank.py exists; choose another --out, or allow it with --overwrite"),
        ("code.npz a.py --out no/such/page.html", "no/such: --out needs a folder that exists"),
        ("code.npz a.py --out new.html --unit 9", "--unit is 9; the model has 5 units, 0 to 4"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_and_nothing_is_written(run, tmp_path, capsys, arguments, sentence):
    (tmp_path / "blank.py").write_text(" \n\n")
    (tmp_path / "more.txt").write_text("the\tNEW\tDET\n")
    nb.save_model(tmp_path / "bare.npz", nb.SequenceTagger(3, 2, hidden_size=2, rng=0))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert main(["inspect", *arguments.split()]) == 2
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert re.fullmatch(r"npbilstm: .*\n", shown.err)
    assert shown.out == ""
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_overwrite_lets_a_page_be_replaced(run, tmp_path):
    (tmp_path / "page.html").write_text("old")
    assert run("words", "--text", "the cat", "--out", "page.html", "--overwrite")[0] == 0
    assert (tmp_path / "page.html").read_text() != "old"


class Still(dict):
    """A trace of one row, as far as it is needed."""

    def __init__(self, h):
        super().__init__(h=h)
        self.lengths = [h.shape[3]]


def test_the_unit_that_varies_most_is_the_one_to_begin_with():
    h = np.zeros((1, 2, 1, 4, 3))
    h[0, 0, 0, :, 0] = 5  # large and still
    h[0, 1, 0, ::2, 2] = 1
    assert most_varying(Still(h)) == (1, 2)


def test_the_demonstration_looks_into_a_line_that_calls_and_has_a_keyword():
    lines = [
        "x = 1",
        "    if ready(x): return finish(x, 'now')  # done",
        "value = 1",
        "y = call_of_something(other, names)",
    ]
    text = "\n".join(lines)
    file = SourceFile("f.py", text, label_characters(text.replace("    if", "if     ")))
    line = demo.choose_line(demo.Passage(file, 0, len(text)))
    assert text[line] == lines[1].strip()
    assert {CALLED, KEYWORD} <= set(file.labels[line].tolist())


@pytest.mark.parametrize(
    ("other", "better"),
    [
        # too long, though it calls and has keywords
        (f"if ready(x): return finish(x, {'argument, ' * 5}12)", "value_of_something = another_name_of_it"),
        # as good but for a number and a comment
        ("if ready(x): return finish(x, other)", "if ready(x): return finish(x, 12)  # done"),
        # more kinds, but no call
        ("if value: other = {'a': 12}  # numbers", "def finish(x=ready(other_names)): pass"),
    ],
)
def test_the_demonstration_prefers_the_line_that_tells_more(other, better):
    for text in (f"{other}\n{better}\n", f"{better}\n{other}\n"):
        file = SourceFile("f.py", text, label_characters(text))
        assert text[demo.choose_line(demo.Passage(file, 0, len(text)))] == better


def test_the_demonstration_prefers_a_line_of_its_passage():
    text = "if ready(x): return finish(x, 'now')  # done\n" * 3
    file = SourceFile("f.py", text, label_characters(text))
    begin = text.index("\n") + 1
    assert demo.choose_line(demo.Passage(file, begin, len(text))).start == begin


@pytest.mark.parametrize("name", ["page.html", "inside.html", "model.npz"])
def test_the_demonstration_replaces_no_file_of_somebody_else(tmp_path, name):
    (tmp_path / name).write_text("of somebody else")
    with pytest.raises(ValueError, match=rf"{re.escape(name)} exists and is not the demonstration's"):
        demo.run(parser(["demo"]).parse_args(["demo", "--quick", "--quiet", "--out", str(tmp_path)]))
