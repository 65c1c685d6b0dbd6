"""What a diagnosis rests on: the stages, the invariances, and the matching of one mistake or two."""

import itertools

import numpy as np
import pytest

import npbilstm as nb
from npbilstm import textbook
from npbilstm.diagnosis import matching
from npbilstm.diagnosis.cases import draw_cases
from npbilstm.diagnosis.comparison import block_errors
from npbilstm.diagnosis.diagnosis import diagnose_pair, diagnose_pairs
from npbilstm.diagnosis.expected import observe
from npbilstm.diagnosis.invariances import broken_invariances
from npbilstm.diagnosis.own_functions import called_as_the_textbooks
from npbilstm.diagnosis.report_text import headline, text_of
from npbilstm.diagnosis.stages import SIZES, draw_inputs, stages_of
from npbilstm.mistakes.catalogue import BUGS
from npbilstm.mistakes.planting import Bug, plant
from npbilstm.submission.function_spec import Pair
from npbilstm.submission.specs import SPECS
from tests.diagnosis.columns_bugs import OTHER_NUMBERS, source_with
from tests.submission.submitted_files import FILES, pair_from

LSTM, STEP = SPECS["lstm"], SPECS["lstm_step"]


def unknown(function, old, new):
    """A mistake that is not in the catalogue."""
    return Bug("unknown", function, old, new, "", "", ("", "", ""))


ORDER = unknown("lstm_step_forward", "a_i, a_f, a_g, a_o = ", "a_i, a_f, a_o, a_g = ")
ORDER_BACK = unknown("lstm_step_backward", "[da_i, da_f, da_g, da_o]", "[da_i, da_f, da_o, da_g]")
DX = unknown("lstm_step_backward", "dx = da @ params.Wx.T", "dx = 1.1 * da @ params.Wx.T")
DX_OF_LOOP = unknown("lstm_backward", "return dx, dh_next, dc_next, grads", "return 1.3 * dx, dh_next, dc_next, grads")
OUTPUT = unknown("lstm_step_forward", "h = o * tanh_c", "h = 1.1 * o * tanh_c")


def pair(name, *bugs):
    """The textbook's two passes with these mistakes, of the catalogue where they are ids."""
    return SPECS[name].in_textbook_form(plant(BUGS[bug] if isinstance(bug, str) else bug for bug in bugs))


def named(diagnosis):
    return [tuple(bug.id for bug in bugs) for bugs in diagnosis.named]


def cases_of(spec, **options):
    return draw_cases(spec, spec.in_textbook_form(textbook), **options)


# the stages


def test_an_empty_row_stands_beside_a_full_one():
    stage = next(stage for stage in stages_of(LSTM) if stage.name == "an empty row")
    for seed in range(30):
        lengths = draw_inputs(LSTM, stage, np.random.default_rng(seed))["lengths"]
        assert {0, SIZES["T"]} <= set(lengths.tolist())


@pytest.mark.parametrize(("name", "parts"), [("lstm", ("h0", "c0")), ("lstm_step", ("h_prev", "c_prev"))])
def test_a_zero_state_is_all_zero_and_no_other_is(name, parts):
    for stage in stages_of(SPECS[name]):
        inputs = draw_inputs(SPECS[name], stage, np.random.default_rng(0))
        assert [inputs[part].any() for part in parts] == [stage.name != "zero state"] * 2


def test_the_loss_on_the_last_step_sees_that_step_alone():
    case = next(case for case in cases_of(LSTM) if case.stage.name == "T=2, loss on the last step")
    assert case.upstream["h"][:, -1].all()
    assert not case.upstream["h"][:, :-1].any()
    assert not case.upstream["h_T"].any()


def test_what_a_form_lacks_is_zero_and_has_no_stage():
    cases = cases_of(LSTM, absent={"c0", "c_T", "lengths"})
    assert not any(case.inputs["c0"].any() for case in cases)
    assert not any("c_T" in case.upstream for case in cases)
    assert not {"T=1, loss on c", "ragged lengths", "an empty row"} & {case.stage.name for case in cases}


def test_one_sequence_alone_has_one_row_and_no_stage_for_it():
    cases = cases_of(LSTM, absent={"rows"})
    assert {len(case.inputs["x"]) for case in cases} == {1}
    assert not {"one row", "ragged lengths", "an empty row"} & {case.stage.name for case in cases}


def test_both_directions_have_stages_of_their_own():
    names = {stage.name for stage in stages_of(SPECS["bilstm"])}
    assert {"forward direction, T=3", "reverse direction, T=3"} <= names


def test_a_dropout_mask_keeps_the_mean_and_is_one_where_the_form_has_none():
    spec = SPECS["lstm_variant_step"]
    mask = draw_inputs(spec, stages_of(spec)[0], np.random.default_rng(0), {**SIZES, "N": 1000})["mask"]
    assert set(np.unique(mask)) == {0, 1 / 0.6}
    assert mask.mean() == pytest.approx(1, abs=0.05)
    assert all((case.inputs["mask"] == 1).all() for case in cases_of(spec, absent={"mask"}))


def test_what_a_pair_says_it_changed_is_changed():
    class Says(Pair):
        changed = ("x",)

    right, case = STEP.in_textbook_form(textbook), cases_of(STEP)[0]
    assert observe(Says(*right), case).changed == {"x"}
    assert observe(right, case).changed == frozenset()


def test_errors_of_another_shape_and_of_nan_are_infinite_and_round_off_in_a_small_block_is_none():
    right = np.array([1.0, 2.0, 1e-9, 0.0])
    assert block_errors(right[:3], right, ()) == {"": np.inf}
    assert block_errors(np.array([np.nan, 2, 1e-9, 0]), right, ())[""] == np.inf
    assert block_errors(right + np.array([0, 0, 1e-15, 0]), right, ("a", "b"))["b"] < 1e-11


# the invariances


def said(change, name="lstm", absent=()):
    """The sentences on a right forward pass whose outputs and inputs `change` makes new outputs of."""
    right = SPECS[name].in_textbook_form(textbook)

    def forward(inputs):
        outputs = right.forward(inputs)[0]
        return outputs | change(outputs, inputs), None

    return " ".join(broken_invariances(SPECS[name], Pair(forward, None), set(absent)))


CALLS = itertools.count()
BROKEN = [
    ("lstm", "Two calls with the same numbers", lambda out, inputs: {"h": out["h"] + next(CALLS)}),
    ("lstm", "outputs in the padding are not 0", lambda out, inputs: {"h": out["h"] + 1}),
    ("lstm", "A row gives something else alone", lambda out, inputs: {"h": out["h"] * len(inputs["x"])}),
    (
        "lstm",
        "change with a later step",
        lambda out, inputs: {"h": out["h"] + (out["h"] != 0) * inputs["x"][:, 2:3, :1]},
    ),
    ("bilstm", "do not do the same to what they read", lambda out, inputs: {"y": out["y"] * np.repeat([1, 2], 4)}),
]


@pytest.mark.parametrize(("name", "sentence", "change"), BROKEN)
def test_an_invariance_that_is_broken_is_said(name, sentence, change):
    assert sentence in said(change, name)


@pytest.mark.parametrize("name", ["lstm", "bilstm"])
@pytest.mark.parametrize("absent", [(), ("lengths",), ("h0", "c0"), ("rows",)])
def test_the_textbook_breaks_no_invariance(name, absent):
    assert said(lambda out, inputs: {}, name, absent) == ""


# the search


def test_a_consistent_mistake_of_the_step_is_known_in_the_loop():
    both = {name: pair(name, "gate-order-ifog", ORDER_BACK) for name in ("lstm_step", "lstm")}
    step, loop = diagnose_pairs(both)
    assert named(step) == [("gate-order-ifog",)]
    assert headline(loop).endswith("nothing but what was found above (gate-order-ifog)")
    assert loop.sentences == ()


def test_of_what_is_known_no_more_is_said():
    step, loop = diagnose_pairs({name: pair(name, "dx-sign") for name in ("lstm_step", "lstm")})
    assert step.sentences
    assert loop.sentences == ()


@pytest.mark.slow
def test_an_unknown_mistake_beside_a_known_one_is_said_to_be_maybe_the_known_one():
    _, loop = diagnose_pairs({"lstm_step": pair("lstm_step", "dx-sign"), "lstm": pair("lstm", "dx-sign", DX_OF_LOOP)})
    assert not loop.known
    assert "nothing but what was found above, in another form" in " ".join(loop.sentences)


def test_a_mistake_in_either_pass_is_named_with_the_other():
    assert named(diagnose_pair(STEP, pair("lstm_step", "gate-order-ifog", "dx-sign"))) == [
        ("gate-order-ifog", "dx-sign")
    ]


def test_a_known_mistake_forward_is_named_beside_an_unknown_one_backward():
    diagnosis = diagnose_pair(STEP, pair("lstm_step", "gate-order-ifog", DX))
    assert named(diagnosis) == [("gate-order-ifog",)]
    assert any("mend the forward pass first" in sentence for sentence in diagnosis.sentences)


@pytest.mark.few(1)
@pytest.mark.parametrize("backward", [(), (DX,)])
def test_two_mistakes_forward_are_named_whatever_the_backward_pass(backward):
    wrong = pair("lstm_step", "bias-missing", "output-without-tanh", *backward)
    diagnosis = diagnose_pair(STEP, wrong)
    assert ("bias-missing", "output-without-tanh") in named(diagnosis)
    assert diagnosis.by_outputs == bool(backward)


@pytest.mark.parametrize(("bug", "names"), [("gate-order-ifog", [("gate-order-ifog",)]), (OUTPUT, [])])
def test_of_a_forward_pass_alone_nothing_is_said_about_gradients(bug, names):
    diagnosis = diagnose_pair(STEP, pair("lstm_step", bug)._replace(backward=None))
    assert not diagnosis.ok
    assert named(diagnosis) == names
    assert not any(word in " ".join(diagnosis.sentences) for word in ("backward", "gradient"))


def test_what_strikes_one_about_the_numbers_is_said():
    diagnosis = diagnose_pair(STEP, pair("lstm_step", DX))
    assert "At the stage 'loss on h': x: constant ratio 1.1 (11/10)." in diagnosis.sentences


def stops(pair, where):
    """The pair, whose forward pass raises at some stages."""

    def forward(inputs):
        if where(inputs):
            raise IndexError
        return pair.forward(inputs)

    return Pair(forward, pair.backward)


def test_what_raised_at_one_stage_does_not_hide_the_mistake():
    wrong = stops(pair("lstm", "dx-sign"), lambda inputs: (inputs["lengths"] == 0).any())
    diagnosis = diagnose_pair(LSTM, wrong)
    assert named(diagnosis) == [("dx-sign",)]
    assert [stage.name for stage in diagnosis.stages if stage.raised] == ["an empty row"]


@pytest.mark.slow
def test_two_mistakes_are_named_though_a_stage_stops():
    wrong = stops(pair("lstm_step", "df-wrong-cell-state", "dx-sign"), lambda inputs: len(inputs["x"]) == 1)
    assert named(diagnose_pair(STEP, wrong)) == [("df-wrong-cell-state", "dx-sign")]


def test_right_numbers_with_a_finding_are_not_right():
    class Finds(Pair):
        findings = ("lstm_step_backward changes its cache in place",)

    diagnosis = diagnose_pair(STEP, Finds(*pair("lstm_step")))
    assert not diagnosis.ok
    assert "changes its cache in place" in text_of(diagnosis)


# the whole


def own(*bugs):
    """Submitted functions, which give what the textbook with these mistakes gives."""
    planted = plant(BUGS[bug] if isinstance(bug, str) else bug for bug in bugs)

    def made(function):
        return lambda *arguments: function(*arguments)

    return {name: made(getattr(planted, name)) for name in ("lstm_step_forward", "lstm_step_backward")}


def test_gates_in_another_order_are_right_unless_an_order_is_said():
    assert nb.diagnose(own(ORDER, ORDER_BACK)).ok
    assert not nb.diagnose(own(ORDER, ORDER_BACK), strict=True).ok
    assert nb.diagnose(own(ORDER, ORDER_BACK), gates="ifog").ok


@pytest.mark.slow
def test_where_nearly_all_is_wrong_no_more_pairs_are_tried_than_there_is_time_for(monkeypatch):
    tried = []
    matches = matching.Matcher.matches

    def counted(self, more=(), parts=None):
        tried.append(len(more))
        return matches(self, more, parts)

    monkeypatch.setattr(matching.Matcher, "matches", counted)
    source = source_with(OTHER_NUMBERS["cache-one-step-off"])
    step, over_time, _ = diagnose_pairs({name: pair_from(source, name) for name in FILES["columns"][1]})
    assert step.ok
    assert not over_time.ok
    assert not over_time.named
    assert tried.count(2) == matching.MOST_PAIRS


def test_a_files_own_loop_is_called_without_lengths_where_a_mistake_forgets_them():
    rng = np.random.default_rng(0)
    x, h, weights = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 5)), [(4, 20), (5, 20), (20,)]
    called = x, h, h, textbook.LSTMParams(*map(rng.standard_normal, weights))
    own = called_as_the_textbooks(SPECS["lstm"], SPECS["lstm"].in_textbook_form(textbook))
    for got, expected in zip(own["lstm_forward"](*called)[:3], textbook.lstm_forward(*called)[:3]):
        assert np.array_equal(got, expected)
