"""`npbilstm check FILE.py` as a person types it."""

import json
import re

import pytest

from npbilstm.cli import main
from npbilstm.commands import check_file
from tests.submission.innocent_files import INNOCENT
from tests.submission.unread_files import COURSES, UNREAD
from tests.submission.unread_forms import FORMS, MADE, START, STEP

RIGHT = """
import numpy as np
from npbilstm.textbook import LSTMParams, sigmoid, sigmoid_derivative, tanh, tanh_derivative

def lstm_step_forward(x, h_prev, c_prev, params):
    a = x @ params.Wx + h_prev @ params.Wh + params.b
    i, f, g, o = np.split(a, 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    c = f * c_prev + i * g
    return o * tanh(c), c, (x, h_prev, c_prev, i, f, g, o, c, params)

def lstm_step_backward(dh, dc, cache):
    x, h_prev, c_prev, i, f, g, o, c, params = cache
    do = dh * tanh(c)
    dc = dc + dh * o * tanh_derivative(tanh(c))
    di, df, dg, dc_prev = dc * g, dc * c_prev, dc * i, dc * f
    da_i, da_f, da_o = di * sigmoid_derivative(i), df * sigmoid_derivative(f), do * sigmoid_derivative(o)
    da = np.concatenate([da_i, da_f, dg * tanh_derivative(g), da_o], axis=1)
    return da @ params.Wx.T, da @ params.Wh.T, dc_prev, LSTMParams(x.T @ da, h_prev.T @ da, da.sum(axis=0))
"""
SLOPE = " * tanh_derivative(tanh(c))"


@pytest.fixture
def file(tmp_path):
    def written(source):
        path = tmp_path / "mine.py"
        path.write_text(source)
        return str(path)

    return written


def test_right_functions_are_right(file, capsys):
    assert main(["check", file(RIGHT)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("ok     lstm_step_forward, lstm_step_backward\n")
    assert "It is right. Judged in " in out


def test_a_known_mistake_is_named_with_the_hint_that_was_asked_for(file, capsys):
    path = file(RIGHT.replace(SLOPE, ""))
    texts = []
    for hint in ("1", "2", "3"):
        assert main(["check", path, "--hint", hint]) == 1
        texts.append(" ".join(capsys.readouterr().out.split()))
    assert all(text.startswith("WRONG lstm_step_backward: dc-tanh-slope-missing") for text in texts)
    assert [("hint 2: " in text, "hint 3: " in text) for text in texts] == [(False, False), (True, False), (True, True)]
    assert ["tanh_derivative(tanh_c)" in text for text in texts] == [False, False, True]


def test_json_holds_what_was_found(file, capsys):
    assert main(["check", file(RIGHT.replace(SLOPE, "")), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["ok"]
    (subject,) = found["subjects"]
    assert (found["verdict"], subject["verdict"]) == ("wrong", "wrong")
    assert subject["subject"] == "lstm_step"
    assert subject["named"][0][0]["id"] == "dc-tanh-slope-missing"
    assert [stage["name"] for stage in subject["stages"] if not stage["wrong"]] == ["loss on c"]


def test_json_says_why_a_file_cannot_be_run(file, capsys):
    assert main(["check", file("def flip(:\n"), "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert not found["ok"]
    assert "SyntaxError" in found["error"]
    for arguments in (["nowhere.py"], [file(RIGHT), "--seconds", "0"], [file("x = 1\n")], ["nowhere.py", "--watch"]):
        assert main(["check", *arguments, "--json"]) == 2
        out, error = capsys.readouterr()
        found = json.loads(out)
        assert (found["file"], found["verdict"], found["ok"]) == (arguments[0], "not judged", False)
        assert found["error"] in error


UNREAD_FORMS = [
    *list(COURSES)[::2],
    *list(FORMS)[::3],
    *sorted(MADE),
    "Coursera: a sequence by one of the textbook's names",
]


@pytest.mark.few(3)
@pytest.mark.parametrize("form", UNREAD_FORMS)
def test_a_file_in_which_a_pass_stands_unread_is_not_right_and_says_so_first(form, file, capsys):
    source, names = UNREAD[form]
    assert main(["check", file(START + source)]) == 3
    out = capsys.readouterr().out
    for name in names:
        assert re.search(rf"not judged  {re.escape(name)}[.:]", out.partition("\n\n")[0])
    assert "ok     sigmoid" in out
    assert "right." not in out.replace("What was judged is right.", "")


def test_twenty_files_and_more_are_tried():
    assert len(set(UNREAD_FORMS)) >= 25
    assert len({form.split(":")[0] for form in UNREAD_FORMS if ":" in form}) >= 6


@pytest.mark.parametrize("form", list(INNOCENT)[::3])
def test_a_file_with_nothing_but_innocent_functions_beside_what_is_right_is_right(form, file, capsys):
    assert main(["check", file(START + (STEP if STEP not in INNOCENT[form] else "") + INNOCENT[form])]) == 0
    assert "\nAll 2 are right. Judged in " in capsys.readouterr().out


def test_what_is_wrong_is_wrong_and_what_was_not_judged_is_told_too(file, capsys):
    path = file(RIGHT.replace(SLOPE, "") + "\nclass GRU:\n    def forward(self, x): return x\n")
    assert main(["check", path]) == 1
    out = capsys.readouterr().out
    assert out.startswith("not judged  GRU: it is a class (forward) of no form that is known.\n\nWRONG  ")
    assert "\nNot judged: 1 of 2. Of what was judged, 1 is wrong." in out
    assert main(["check", path, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["ok"]) == ("wrong", False)
    assert [each["name"] for each in found["not judged"]] == ["GRU"]


def test_json_says_what_was_not_judged_and_why(file, capsys):
    assert main(["check", file(RIGHT + "\ndef lstm_cell_forward(x): return x\n"), "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["ok"]) == ("not judged", False)
    reason = "no function of the textbook has this name; the closest is lstm_forward"
    assert found["not judged"] == [{"name": "lstm_cell_forward", "reason": reason}]
    assert [subject["verdict"] for subject in found["subjects"]] == ["right"]


def test_passes_of_a_file_beside_it_are_named(file, tmp_path, capsys):
    (tmp_path / "my_cells.py").write_text("def lstm_cell_forward(x): return x\nclass RNN:\n    def forward(s, x): 1\n")
    path = file(RIGHT + "from my_cells import *\nimport my_cells\nfrom numpy import matmul as forward\n")
    assert main(["check", path]) == 3
    out = capsys.readouterr().out
    told = {line.partition(":")[0] for line in out.splitlines() if line.startswith("not judged")}
    assert told == {f"not judged  {name}" for name in ("lstm_cell_forward", "RNN")}


@pytest.mark.slow
def test_the_layout_may_stand_in_the_header_or_in_flags(file, capsys):
    other = RIGHT.replace("i, f, g, o = np.split", "i, f, o, g = np.split").replace(
        "dg * tanh_derivative(g), da_o]", "da_o, dg * tanh_derivative(g)]"
    )
    assert main(["check", file(other)]) == 0
    assert "Layout, by the outputs of lstm_step_forward: gates i, f, o, g." in capsys.readouterr().out
    assert main(["check", file(other), "--strict"]) == 1
    assert "no gradient check can see the mistake" in " ".join(capsys.readouterr().out.split())
    assert main(["check", file(other), "--gates", "ifog"]) == 0
    assert main(["check", file("# npbilstm: gates=i,f,o,g\n" + other)]) == 0
    assert main(["check", file("# npbilstm: gates=ifgo\n" + other), "--gates", "ifog"]) == 0


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("x = 1\n", "none of the textbook's functions is there, and nothing else that looks like a pass. It needs"),
        (
            "def sigmoyd(a): return a\n",
            "looks like a pass; there is sigmoyd (is it sigmoid?). It needs at least",
        ),
        ("class Plot:\n    def show(self): 1\n", "nb.check_pair(forward, backward, inputs) judges any two passes"),
        ("x = 1\n", "In a notebook, nb.diagnose(globals()) judges what it has defined."),
        ("", "mine.py is empty; it needs to define functions of yours"),
        ("  \n\n", "mine.py is empty"),
        ("def lstm_forward(:\n", "SyntaxError"),
        ("import numpy as np\nx = 1 / 0\ndef flip(x): return x\n", "ZeroDivisionError: division by zero"),
        ("while True: pass\n", "had not ended after 0.5 s (an endless loop?)"),
        ("import sys\nsys.exit(0)\n", "ends the program; it must not"),
        ("# npbilstm: gates=abcd\ndef flip(x): return x\n", "gates is abcd; it needs the order of"),
    ],
)
def test_a_file_that_cannot_be_run_is_a_sentence_and_exit_code_2(file, source, sentence, capsys):
    assert main(["check", file(source), "--seconds", "0.5"]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error
    assert "submission" not in error


def test_a_function_that_cannot_be_called_is_not_judged_and_the_others_are(file, capsys):
    source = RIGHT.replace("def lstm_step_forward", "def lstm_forward(foo, bar): pass\ndef lstm_step_forward")
    assert main(["check", file(source)]) == 3
    out = " ".join(capsys.readouterr().out.split())
    assert out.startswith(
        "not judged lstm_forward: lstm_forward's argument 'foo' is not known; say what it is in the header"
    )
    assert "ok lstm_step_forward, lstm_step_backward" in out


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("nothere.py", None, "is not there; the closest in its folder: nothing_here.py"),
        ("zz.py", None, "is not there; it needs a file of Python source, nothing_here.py in it"),
        ("no/where.py", None, "is not there, and neither is the folder"),
        (".", None, "is a folder; it needs a file, nothing_here.py in it"),
        ("mine.ipynb", b"{}", "it is no notebook as Jupyter writes them (KeyError: 'cells')"),
        ("model.npz", b"PK\x03\x04\0\0", "holds binary data; it needs to be Python source; npbilstm inspect shows"),
        ("mine.pyc", b"\xa7\r\r\n\0\0", "holds binary data; it needs to be Python source"),
        ("mine.py", b"# caf\xe9\n", "is no text in UTF-8, or in the encoding that it names"),
        ("mine.py", b"# coding: nonsense\n", "is no text in UTF-8, or in the encoding that it names: unknown encoding"),
        ("mine.py", b"# " + b"x" * 2**20, "has 1,024 KB; it needs to be Python source of 500 KB at most"),
        ("/dev/null", None, "/dev/null is no ordinary file"),
    ],
)
def test_what_is_no_python_file_is_a_sentence_that_says_where_to_turn(name, content, sentence, tmp_path, capsys):
    (tmp_path / "nothing_here.py").write_text("x = 1\n")
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert main(["check", str(path)]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error


def test_a_file_in_another_encoding_that_it_names_is_read(tmp_path):
    path = tmp_path / "mine.py"
    path.write_bytes(b"# -*- coding: latin-1 -*-\n# caf\xe9\n" + RIGHT.encode())
    assert main(["check", str(path)]) == 0


@pytest.mark.few(2)
@pytest.mark.parametrize("place", ["diagnose_pairs", "unread_in_source"])
@pytest.mark.parametrize("error", [KeyError("x"), ValueError("no such shape"), RecursionError("deep")])
def test_a_fault_of_the_checkers_own_is_exit_code_4_and_not_said_to_be_the_files(
    place, error, file, capsys, monkeypatch
):
    def faulty(*arguments, **options):
        raise error

    monkeypatch.setattr(check_file, place, faulty)
    assert main(["check", file(RIGHT)]) == 4
    out, said = capsys.readouterr()
    assert out == ""
    assert said.startswith("npbilstm: something went wrong in npbilstm itself, and not in what it was given (")
    assert type(error).__name__ in said
    assert "at line" in said
    assert "Traceback" not in said
    assert main(["check", file(RIGHT), "--json"]) == 4
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "not judged"
    assert "something went wrong in npbilstm itself" in found["error"]


def test_ctrl_c_is_exit_code_130(file, monkeypatch):
    def stopped(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(check_file, "diagnose_pairs", stopped)
    assert main(["check", file(RIGHT)]) == 130


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"]])
def test_the_exit_codes_are_told(arguments, capsys):
    assert main(arguments) == 0
    said = " ".join(capsys.readouterr().out.split())
    for code in ("0 ", "1 ", "2 ", "3 ", "4 ", "130 "):
        assert f" {code}" in said[said.lower().index("exit codes") :]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["nowhere.py"], "nowhere.py"),
        (["nowhere.py", "--watch"], "nowhere.py"),
        (["nowhere.py", "--method", "central"], "--method is for the package's own gradients"),
        (["--json"], "--json is for a FILE of yours; without one the package's own gradients are checked"),
        (["nowhere.py", "--seconds", "0"], "--seconds is 0; it needs a positive number"),
    ],
)
def test_options_that_cannot_be_used_are_a_sentence_and_exit_code_2(options, sentence, capsys):
    assert main(["check", *options]) == 2
    assert sentence in capsys.readouterr().err


def test_a_function_that_stops_is_told_with_its_own_lines_and_the_others_are_judged(file, capsys):
    source = RIGHT + "\ndef flip(x, lengths=None):\n    return undefined\n"
    assert main(["check", file(source)]) == 3
    out = capsys.readouterr().out
    assert out.startswith("not judged  flip: NameError: name 'undefined' is not defined.\n")
    assert "\n      return undefined" in out.partition("\n\n")[0]
    assert "ok     lstm_step_forward, lstm_step_backward" in out
    assert "npbilstm/submission" not in out


def test_an_endless_loop_in_a_pass_is_a_sentence(file, capsys):
    source = RIGHT.replace("    do = dh * tanh(c)\n", "    while True:\n        do = dh\n")
    assert main(["check", file(source), "--seconds", "0.5"]) == 3
    assert "lstm_step_backward had not ended after 0.5 s (an endless loop?)" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_forward_pass_is_judged_though_its_backward_pass_is_not_written_yet(file, capsys):
    source = (
        RIGHT.split("def lstm_step_backward")[0]
        + "def lstm_step_backward(dh, dc, cache):\n    raise NotImplementedError\n"
    )
    assert main(["check", file(source), "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert found["not judged"] == [{"name": "lstm_step_backward", "reason": "it is not written yet"}]
    (subject,) = found["subjects"]
    assert (subject["verdict"], subject["cause"]) == ("not judged", "")
    assert subject["stopped"].endswith("NotImplementedError")
    assert subject["stages"]
    assert not any(stage["wrong_outputs"] for stage in subject["stages"])
