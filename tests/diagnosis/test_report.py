"""nb.diagnose, as called from a notebook."""

import json
from types import ModuleType

import numpy as np
import pytest

import npbilstm as nb
from npbilstm import textbook
from npbilstm.diagnosis.report import DiagnosisReport
from npbilstm.diagnosis.results import Diagnosis
from npbilstm.mistakes.catalogue import BUGS
from npbilstm.mistakes.planting import plant


def submission(*ids, names=("lstm_step_forward", "lstm_step_backward")):
    """Submitted functions, that give what the textbook with these mistakes gives."""
    planted = plant(BUGS[one] for one in ids)

    def made(function):
        return lambda *arguments: function(*arguments)

    return {name: made(getattr(planted, name)) for name in names}


def test_right_functions_are_right_and_a_mistake_is_named():
    assert nb.diagnose(submission()).ok
    report = nb.diagnose(submission("dx-sign"), hint=2)
    assert not report.ok
    assert str(report).startswith("WRONG  lstm_step_backward: dx-sign\n")
    assert str(report).endswith("\nIt is wrong.")
    assert "hint 2: " in repr(report)
    assert "<pre>" in report._repr_html_()
    found = json.loads(report.to_json())
    assert not found["ok"]
    assert found["subjects"][0]["named"][0][0]["id"] == "dx-sign"


def test_a_module_will_do_and_the_textbooks_own_functions_do_not_count():
    module = ModuleType("mine")
    vars(module).update(submission())
    module.lstm_forward = textbook.lstm_forward
    report = nb.diagnose(module)
    assert [diagnosis.subject for diagnosis in report.diagnoses] == ["lstm_step"]


class LSTM:
    """A class of somebody's."""

    def forward(self, x):
        return np.tanh(x @ x)

    def backward(self, dy):
        return dy


REASON = "it is a class (forward, backward) of no form that is known"


def test_what_looks_like_a_pass_and_is_not_judged_is_named_first():
    report = nb.diagnose({**submission(), "rnn_run_forward": len, "LSTM": LSTM, "helper": len})
    assert (report.verdict, report.ok) == ("not judged", False)
    unknown = "no function of the textbook has this name; the closest is rnn_forward"
    assert report.not_judged == (("rnn_run_forward", unknown), ("LSTM", REASON))
    assert " ".join(str(report).split()) == (
        f"not judged rnn_run_forward: {unknown}. not judged LSTM: {REASON}. ok lstm_step_forward, lstm_step_backward "
        "Not judged: 2 of 3. What was judged is right. "
        "nb.check_pair(forward, backward, inputs) judges any two passes, whatever their names."
    )
    written = json.loads(report.to_json())
    assert (written["verdict"], written["ok"]) == ("not judged", False)
    assert written["not judged"][1] == {"name": "LSTM", "reason": REASON}
    assert "not judged  LSTM: it is a class" in report._repr_html_()


def test_what_is_wrong_is_wrong_whatever_was_not_judged():
    report = nb.diagnose({**submission("dx-sign"), "LSTM": LSTM})
    assert (report.verdict, report.ok) == ("wrong", False)
    assert str(report).startswith("not judged  LSTM: ")
    assert "Not judged: 1 of 2. Of what was judged, 1 is wrong." in str(report)


@pytest.mark.parametrize("names", [{"LSTM": LSTM}, {"layer": LSTM()}])
def test_a_class_or_an_object_alone_is_not_judged_and_not_passed_over(names):
    report = nb.diagnose(names)
    assert report.verdict == "not judged"
    assert report.not_judged == ((next(iter(names)), REASON),)
    assert report.summary.startswith("Not judged: 1 of 1. nb.check_pair")


def test_a_notebooks_own_passes_are_named_and_what_it_imports_is_not():
    cell = """
import numpy as np
from numpy import tanh, flip, matmul as forward
from npbilstm import BiLSTM, SequenceTagger
from npbilstm.textbook import lstm_forward, lstm_backward
layer = BiLSTM(2, 3)
def sigmoid(a): return 1 / (1 + np.exp(-a))
def gru_cell(x, W): return np.tanh(x @ W)
"""
    notebook = {"__name__": "__main__"}
    exec(cell, notebook)
    report = nb.diagnose(notebook)
    assert [diagnosis.functions for diagnosis in report.diagnoses] == [("sigmoid",)]
    assert [name for name, _ in report.not_judged] == ["gru_cell"]


def test_a_function_that_cannot_be_called_is_not_judged_and_the_others_are():
    report = nb.diagnose({**submission(), "lstm_forward": lambda foo, bar: foo})
    assert report.verdict == "not judged"
    ((name, reason),) = report.not_judged
    assert name == "lstm_forward"
    assert reason.startswith("lstm_forward's argument 'foo' is not known; say what it is in the header")
    assert "ok     lstm_step_forward, lstm_step_backward" in str(report)


def later(*_):
    raise NotImplementedError("the second exercise")


def test_a_backward_pass_that_is_not_written_yet_is_said_to_be_so_and_the_forward_pass_is_judged():
    report = nb.diagnose({**submission(), "lstm_step_backward": later})
    assert report.not_judged == (("lstm_step_backward", "it is not written yet"),)
    assert str(report).startswith(
        "not judged  lstm_step_backward: it is not written yet.\n\nok     lstm_step_forward\n\nNot judged: 1 of 2."
    )
    wrong = nb.diagnose({**submission("candidate-sigmoid"), "lstm_step_backward": later})
    assert (wrong.verdict, len(wrong.not_judged)) == ("wrong", 1)


def test_nothing_is_not_right():
    assert DiagnosisReport(()).verdict == "not judged"
    assert Diagnosis("lstm", ("lstm_forward",), ()).verdict == "not judged"


def test_what_their_code_raises_is_told_with_its_kind_and_line():
    def lstm_step_forward(x, h_prev, c_prev, params):
        return 1 / 0

    text = str(nb.diagnose({"lstm_step_forward": lstm_step_forward}))
    assert text.startswith("not judged  lstm_step_forward: ZeroDivisionError: division by zero (line ")
    assert "of test_report.py, in lstm_step_forward)" in " ".join(text.split())
    assert text.endswith("\n\nNot judged: 1 of 1.")


def test_a_forward_pass_that_stops_at_its_third_call_is_wrong_and_no_traceback():
    calls = []

    def lstm_step_forward(x, h_prev, c_prev, params):
        calls.append(1)
        if len(calls) > 9:
            raise RuntimeError("worn out")
        h, c, cache = textbook.lstm_step_forward(x, h_prev, c_prev, params)
        return 2 * h, c, cache

    functions = {**submission(), "lstm_step_forward": lstm_step_forward}
    assert nb.diagnose(functions, strict=True).verdict == "wrong"


@pytest.mark.parametrize(
    ("arguments", "options", "error", "sentence"),
    [
        (("mine.py",), {}, TypeError, "functions is a str; it needs a module, globals\\(\\) or a dict"),
        ((LSTM,), {}, TypeError, "functions is a class, LSTM; it needs a module, .* nb.check_pair"),
        ((LSTM(),), {}, TypeError, "functions is a LSTM; it needs a module"),
        ((later,), {}, TypeError, "functions is a function, later; it needs a module"),
        (({"lstm_step_foward": 3},), {}, ValueError, r"there is lstm_step_foward \(is it lstm_step_forward\?\)"),
        ((None,), {}, TypeError, "functions is a NoneType"),
        (({"x": 1},), {}, ValueError, "none of the textbook's functions is there"),
        ((submission(),), {"hint": 0}, ValueError, "hint is 0; it needs 1 \\(vague\\), 2 or 3"),
        ((submission(),), {"gates": 3}, TypeError, "gates is 3; it needs a string"),
        ((submission(),), {"gates": "abcd"}, ValueError, "gates is abcd; it needs the order of"),
        (
            (submission(),),
            {"gate": "ifog"},
            ValueError,
            "gate=ifog; it needs gates, weights, x, b, update, reset, or an argument of yours",
        ),
    ],
)
def test_what_cannot_be_judged_is_a_sentence(arguments, options, error, sentence):
    with pytest.raises(error, match=sentence):
        nb.diagnose(*arguments, **options)


@pytest.mark.parametrize("body", ["pass", "...", "return None", "raise NotImplementedError", "return None, None, None"])
def test_a_stub_is_not_yet_written(body):
    names = {}
    exec(f"def sigmoid(a):\n    {body}\ndef lstm_step_forward(x, h_prev, c_prev, Wx, Wh, b):\n    {body}", names)
    report = nb.diagnose({name: names[name] for name in ("sigmoid", "lstm_step_forward")})
    reasons = dict(report.not_judged)
    assert reasons["lstm_step_forward"].startswith("it is not written yet")
    assert report.verdict == "not judged"


def test_a_notebook_is_told_of_hints_as_python_has_them():
    assert "(nb.diagnose(..., hint=2) says more.)" in str(nb.diagnose(submission("dx-sign")))
