"""Forward mistakes have places: from what the code computes on its way, or else from each equation's small changes."""

import sys
from collections import namedtuple

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.diagnosis.diagnosis import diagnose_pair
from npbilstm.diagnosis.quantity_names import meaning_of
from npbilstm.diagnosis.report_text import as_dict, quantity_sentences, text_of
from npbilstm.diagnosis.slips import equations_of, slips_in
from npbilstm.mistakes.planting import changed, source_of
from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.function_spec import shape_of
from npbilstm.submission.intermediates import LONGEST, MOST, intermediates
from npbilstm.submission.layouts import Layout, layout_of
from npbilstm.submission.pairs import submitted_pair
from npbilstm.submission.process import SubmissionProcess
from npbilstm.submission.submitted_code import SubmittedCode, choose_ways
from tests.diagnosis.forward_plants import FORMS, PLANTS
from tests.diagnosis.measure_forward import LOCATED, MISNAMED, WRONG_PLACE, judged, measure_forward, verdict

STEP = """
from npbilstm.textbook import sigmoid, tanh
import numpy as np

def lstm_step_forward(x, h_prev, c_prev, Wx, Wh, b):
    a_i, a_f, a_g, a_o = np.split(x @ Wx + h_prev @ Wh + b, 4, axis=1)
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), tanh(a_g), sigmoid(a_o)
    c = f * c_prev + i * g
    h = o * tanh(c)
    return h, c, None
"""
SPEC = ALL_SPECS["lstm_step"]


def names_of(source, file="my_lstm.py"):
    names = {"__name__": "submitted"}
    exec(compile(source, file, "exec"), names)
    return names


def pair_of(*changes, extra=""):
    source = STEP
    for old, new in changes:
        assert source.count(old) == 1
        source = source.replace(old, new)
    names = names_of(source.replace("    return h", f"{extra}    return h"))
    return submitted_pair(SPEC, {"lstm_step_forward": names["lstm_step_forward"]}, Layout())


def diagnosed(*changes, extra=""):
    return diagnose_pair(SPEC, pair_of(*changes, extra=extra), deep=False)  # no two known mistakes at once


@pytest.mark.few(1)
@pytest.mark.parametrize("plant", [PLANTS[-1], PLANTS[13], PLANTS[16]], ids=lambda plant: plant.form)
def test_a_forward_mistake_of_a_form_is_located_for_certain_by_what_the_code_computes(plant):
    report = nb.diagnose(names_of(plant.source, f"{plant.form}.py"))
    first = next(diagnosis for diagnosis in report.diagnoses if not diagnosis.ok)
    assert {place.split(" in ")[0] for place in first.located} & set(plant.equations)
    assert not first.perhaps


@pytest.mark.slow
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.form}: {plant.new}")
def test_every_forward_mistake_of_every_form_is_located(plant):
    test_a_forward_mistake_of_a_form_is_located_for_certain_by_what_the_code_computes(plant)


def test_more_is_told_at_each_hint_and_no_line_at_the_first():
    found = diagnosed(("sigmoid(a_f)", "sigmoid(a_i) * 1.0"))
    assert found.located == ("f in lstm_step_forward",)
    said = ["Your own values: i, g and o are right, f is not.", "Your f is the textbook's i."]
    assert quantity_sentences(found, 1) == said[:1]
    assert quantity_sentences(found, 2) == said
    line = "Your f has exactly the numbers of f = sigmoid(a_i); the textbook has f = sigmoid(a_f)."
    assert quantity_sentences(found, 3) == [*said, line]
    assert "sigmoid" not in text_of(found, 1)
    wrong = [[each for each in as_dict(found, hint)["quantities"] if not each["right"]] for hint in (1, 2, 3)]
    first = {"yours": "f", "textbook": "f", "right": False, "step": None}
    assert wrong[0] == [first]
    assert wrong[1] == [{**first, "is": "i"}]
    assert wrong[2] == [{**first, "is": "i", "computed as": "f = sigmoid(a_i)", "equation": "f = sigmoid(a_f)"}]


def test_two_gates_that_are_exchanged_are_both_told():
    found = diagnosed(("i, f, g, o = sigmoid(a_i), sigmoid(a_f)", "i, f, g, o = sigmoid(a_f), sigmoid(a_i)"))
    said = (
        "Your own values: g and o are right, i and f are not. Your i is the textbook's f. Your f is the textbook's i."
    )
    assert " ".join(quantity_sentences(found, 2)) == said


def test_two_mistakes_are_both_told_where_the_values_show_them():
    found = diagnosed(("sigmoid(a_f)", "sigmoid(1.1 * a_f)"), ("h = o * tanh(c)", "h = o * tanh(c) * 0.9"))
    assert found.located == ("f in lstm_step_forward", "h in lstm_step_forward", "tanh_c in lstm_step_forward")


def test_what_goes_into_all_gates_is_not_called_one_of_theirs_for_certain():
    found = diagnosed(("h_prev @ Wh", "1.1 * h_prev @ Wh"))
    assert not found.located
    assert found.perhaps[0] == "a in lstm_step_forward"
    assert quantity_sentences(found, 1) == ["Your own values: i, f, g and o are not."]


@pytest.mark.slow
def test_what_nobody_can_see_is_not_spoken_of():
    hidden = "c = sigmoid(a_f) * c_prev + sigmoid(a_i) * np.tanh(1.1 * a_g)\n    o = sigmoid(a_o)"
    gates = "    i, f, g, o = sigmoid(a_i), sigmoid(a_f), tanh(a_g), sigmoid(a_o)\n"
    found = diagnosed((gates, ""), ("c = f * c_prev + i * g", hidden))
    assert quantity_sentences(found, 3) == ["Your own values: o is right, c is not."]
    assert not found.located  # it may be c's equation, or any of three gates'
    assert len(found.perhaps) <= 3


def test_a_name_that_means_something_else_is_no_quantity():
    found = diagnosed(("h = o * tanh(c)", "h = o * tanh(c) * 0.9"), extra="    i = f = g = np.ones_like(h)\n")
    assert "not" not in quantity_sentences(found, 3)[0].replace("h is not", "")
    assert {each.yours for each in found.quantities} & {"i", "f", "g"} == set()


def test_a_right_forward_pass_says_nothing():
    assert diagnosed().quantities == ()


class Odd:
    """What must not be touched."""

    __slots__ = ("kept",)

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __eq__(self, other):
        raise RuntimeError("compared")

    __hash__ = None  # type: ignore[assignment]


def test_odd_values_never_break_it():
    pair = namedtuple("Pair", "f g")
    odd = {
        "f": None,
        "text": "f",
        "sizes": np.zeros((1, 2, 3)),
        "things": np.array([None, "a"], object),
        "whole": np.arange(4),
        "missing": np.full((4, 6), np.nan),
        "object": Odd(),
        "nothing": [],
        "steps": {0: None, "x": {}},
        "pair": pair("f", Odd()),
        "kind": Odd,
        "module": sys,
        1: 2,
        "x" * (LONGEST + 1): np.ones((4, 6)),
        "self": None,
    }
    odd["odd"] = odd
    many = "".join(f"    v{k} = h + {k}\n" for k in range(MOST + 5))
    held = pair_of(("sigmoid(a_f)", "sigmoid(a_i) * 1.0"), extra=f"{many}    cache, one = ODD, ODD['object']\n")
    held.forward.__self__.forward.__globals__["ODD"] = odd
    assert diagnose_pair(SPEC, held, deep=False).located == ("f in lstm_step_forward",)


def test_what_watches_is_taken_away_again():
    def stops(inputs):
        raise RuntimeError

    before = sys.getprofile()
    with pytest.raises(RuntimeError):
        intermediates(stops, {}, SPEC, Layout(), {name: np.ones((2, 2)) for name in SPEC.inputs})
    assert sys.getprofile() is before


@pytest.mark.parametrize(
    ("name", "function", "quantity"),
    [
        ("ft", "lstm_step_forward", "f"),
        ("forget_gate", "lstm_step_forward", "f"),
        ("next_c", "lstm_step_forward", "c"),
        ("cct", "lstm_step_forward", "g"),
        ("a_next", "lstm_step_forward", "h"),
        ("h_hat", "gru_step_forward", "n"),
        ("update", "gru_reset_before_step_forward", "z"),
        ("prev_h", "lstm_step_forward", ""),
        ("x", "gru_step_forward", ""),
    ],
)
def test_names_mean_what_people_mean_by_them(name, function, quantity):
    assert meaning_of(name, function) == quantity


@pytest.mark.parametrize(("function", "gates"), [("lstm_step_forward", "ifgo"), ("gru_step_forward", "rzn")])
def test_every_slip_is_a_change_of_one_line_that_runs_as_code(function, gates):
    _, body = source_of(function)
    slips = slips_in(function, gates)
    assert {slip.equation for slip in slips} >= {*gates, "a", "h"}
    assert len({slip.new for slip in slips}) == len(slips) > 200
    for slip in slips:
        assert changed(body, slip.bug) != body
        compile(slip.new, "<slip>", "exec")
    assert [equation.name for equation in equations_of("step_forward")] == ["m", "h_in", "a", "h"]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["cs231n", "saito", "cmu11785", "coursera", "holberton_cells", "layers_of_gates"])
def test_a_right_file_of_a_form_says_nothing(form):
    report = nb.diagnose(names_of((FORMS / f"{form}.py").read_text(), f"{form}.py"), hint=3)
    assert report.ok
    assert not any(diagnosis.quantities for diagnosis in report.diagnoses)


@pytest.mark.slow
def test_no_forward_place_that_is_called_certain_is_wrong():
    table = measure_forward(quick=True)["table"]
    assert sum(count.get(each, 0) for count in table.values() for each in (MISNAMED, WRONG_PLACE)) == 0
    assert sum(count.get(LOCATED, 0) for count in table.values()) >= 5


def test_the_measure_sees_a_wrong_forward_place():
    slip = next(each for each in slips_in("gru_step_forward", "rzn") if each.new == "n = tanh(a_n + z * q)")
    found = judged("gru_step", slip, True)
    assert (verdict(found, {"n"}), verdict(found, {"z"})) == (LOCATED, WRONG_PLACE)


@pytest.mark.parametrize("form", ["coursera", pytest.param("layers_of_gates", marks=pytest.mark.slow)])
def test_the_process_of_a_file_sees_the_same_values(tmp_path, form):
    plant = next(each for each in PLANTS if each.form == form)
    path = tmp_path / "mine.py"
    path.write_text(plant.source)
    names = names_of(plant.source, str(path))
    code = SubmittedCode({name: value for name, value in names.items() if callable(value)})
    layout = layout_of(code.form.settings)
    choose_ways(code, layout)
    name = next(name for name in code.subjects(layout) if name.startswith("lstm"))
    spec, sizes = ALL_SPECS[name], {"N": 4, "T": 1, "D": 5, "H": 6}
    rng = np.random.default_rng(0)
    inputs = {each: rng.standard_normal(shape_of(axes, sizes)) for each, axes in spec.inputs.items()}
    inputs |= {"lengths": np.ones(4, int)} if "lengths" in inputs else {}
    own = code.pair(name, layout).intermediates(inputs)
    with SubmissionProcess(path) as submission:
        choose_ways(submission, submission.layout)
        theirs = submission.pair(name).intermediates(inputs)
    assert list(theirs) == list(own)
    assert len(own) >= 5
    for each, value in own.items():
        assert np.array_equal(theirs[each], value)
