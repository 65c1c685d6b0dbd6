"""nb.diagnose, as called from a notebook."""

import json
from types import ModuleType

import pytest

import npbilstm as nb
from npbilstm import textbook
from npbilstm.classroom.bugs import BUGS
from npbilstm.classroom.planting import plant


def own(*ids, names=("lstm_step_forward", "lstm_step_backward")):
    """Functions of somebody's own, that give what the textbook with these mistakes gives."""
    planted = plant(BUGS[one] for one in ids)

    def made(function):
        return lambda *arguments: function(*arguments)

    return {name: made(getattr(planted, name)) for name in names}


def test_right_functions_are_right_and_a_mistake_is_named():
    assert nb.diagnose(own()).ok
    report = nb.diagnose(own("dx-sign"), hint=2)
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
    vars(module).update(own())
    module.lstm_forward = textbook.lstm_forward
    report = nb.diagnose(module)
    assert [diagnosis.subject for diagnosis in report.diagnoses] == ["lstm_step"]


def test_what_looks_like_a_pass_and_is_not_judged_is_named():
    report = nb.diagnose({**own(), "rnn_forward": len, "attention_backward": len, "helper": len})
    assert report.ok
    assert report.verdict == (
        "It is right. Not judged, since the textbook has none of that name: rnn_forward, attention_backward."
    )
    assert report.as_dict()["not judged"] == ["rnn_forward", "attention_backward"]


def test_what_their_code_raises_is_told_with_its_kind_and_line():
    def lstm_step_forward(x, h_prev, c_prev, params):
        return 1 / 0

    text = str(nb.diagnose({"lstm_step_forward": lstm_step_forward}))
    assert text.startswith("STOPS  lstm_step_forward: ZeroDivisionError: division by zero (line ")
    assert "of test_report.py, in lstm_step_forward)" in text


@pytest.mark.parametrize(
    ("arguments", "options", "error", "sentence"),
    [
        (("mine.py",), {}, TypeError, "functions is a str; it needs a module, globals\\(\\) or a dict"),
        ((None,), {}, TypeError, "functions is a NoneType"),
        (({"x": 1},), {}, ValueError, "none of the textbook's functions is there"),
        ((own(),), {"hint": 0}, ValueError, "hint is 0; it needs 1 \\(vague\\), 2 or 3"),
        ((own(),), {"gates": 3}, TypeError, "gates is 3; it needs a string"),
        ((own(),), {"gates": "abcd"}, ValueError, "gates is abcd; it needs the order of"),
        ((own(),), {"gate": "ifog"}, ValueError, "gate=ifog; it needs gates, weights, x, b, or an argument of yours"),
    ],
)
def test_what_cannot_be_judged_is_a_sentence(arguments, options, error, sentence):
    with pytest.raises(error, match=sentence):
        nb.diagnose(*arguments, **options)
