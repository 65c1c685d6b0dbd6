"""`npbilstm check FILE.py` as a person types it."""

import json
import subprocess
import sys
import time

import pytest

from npbilstm.cli import main

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
    assert subject["subject"] == "lstm_step"
    assert subject["named"][0][0]["id"] == "dc-tanh-slope-missing"
    assert [stage["name"] for stage in subject["stages"] if not stage["wrong"]] == ["loss on c"]


def test_json_says_why_a_file_cannot_be_run(file, capsys):
    assert main(["check", file("def flip(:\n"), "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert not found["ok"]
    assert "SyntaxError" in found["error"]


def test_functions_that_were_not_judged_are_named(file, capsys):
    assert main(["check", file(RIGHT + "\ndef rnn_forward(x): return x\n")]) == 0
    assert "Not judged, since the textbook has none of that name: rnn_forward." in capsys.readouterr().out


def test_the_layout_may_stand_in_the_header_or_in_flags(file, capsys):
    other = RIGHT.replace("i, f, g, o = np.split", "i, f, o, g = np.split").replace(
        "dg * tanh_derivative(g), da_o]", "da_o, dg * tanh_derivative(g)]"
    )
    assert main(["check", file(other)]) == 1
    assert "no gradient check can see the mistake" in " ".join(capsys.readouterr().out.split())
    assert main(["check", file(other), "--gates", "ifog"]) == 0
    assert main(["check", file("# npbilstm: gates=i,f,o,g\n" + other)]) == 0
    assert main(["check", file("# npbilstm: gates=ifgo\n" + other), "--gates", "ifog"]) == 0


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("x = 1\n", "none of the textbook's functions is there; it needs at least one of sigmoid, tanh"),
        ("def lstm_forward(:\n", "SyntaxError"),
        ("import numpy as np\nx = 1 / 0\ndef flip(x): return x\n", "ZeroDivisionError: division by zero"),
        ("while True: pass\n", "had not ended after 0.5 s (an endless loop?)"),
        ("import sys\nsys.exit(0)\n", "ends the program; it must not"),
        ("# npbilstm: gates=abcd\ndef flip(x): return x\n", "gates is abcd; it needs the order of"),
        ("def lstm_step_forward(foo, *, bar): pass\n", "argument 'foo' is not known; say what it is in the header"),
    ],
)
def test_a_file_that_cannot_be_run_is_a_sentence_and_exit_code_2(file, source, sentence, capsys):
    assert main(["check", file(source), "--seconds", "0.5"]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error
    assert "classroom" not in error


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
    assert main(["check", file(source)]) == 1
    out = capsys.readouterr().out
    assert "STOPS  flip: NameError: name 'undefined' is not defined" in out
    assert "    return undefined\n" in out
    assert "ok     lstm_step_forward, lstm_step_backward" in out
    assert "npbilstm/classroom" not in out


def test_an_endless_loop_in_a_pass_is_a_sentence(file, capsys):
    source = RIGHT.replace("    do = dh * tanh(c)\n", "    while True:\n        do = dh\n")
    assert main(["check", file(source), "--seconds", "0.5"]) == 1
    assert "lstm_step_backward had not ended after 0.5 s (an endless loop?)" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_forward_pass_is_judged_though_its_backward_pass_is_not_written_yet(file, capsys):
    source = (
        RIGHT.split("def lstm_step_backward")[0]
        + "def lstm_step_backward(dh, dc, cache):\n    raise NotImplementedError\n"
    )
    assert main(["check", file(source), "--json"]) == 1
    (subject,) = json.loads(capsys.readouterr().out)["subjects"]
    assert subject["stopped"].endswith("NotImplementedError")
    assert subject["stages"]
    assert not any(stage["wrong_outputs"] for stage in subject["stages"])


def test_watch_runs_again_when_the_file_is_saved(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(RIGHT.replace(SLOPE, ""))
    with subprocess.Popen(
        [sys.executable, "-m", "npbilstm", "check", str(path), "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            lines = iter(process.stdout.readline, "")
            assert next(lines).startswith("WRONG")
            assert any("Watching" in line for line in lines)
            time.sleep(0.1)
            path.write_text(RIGHT)
            assert any(line.startswith("ok ") for line in lines)
        finally:
            process.kill()
