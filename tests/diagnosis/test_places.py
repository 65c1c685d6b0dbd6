"""Places that can be trusted, in forms that lack an input, an output or a function."""

import pytest

from npbilstm.diagnosis.localization import Context, Names, weights_alone
from npbilstm.diagnosis.observations import observe_all
from npbilstm.diagnosis.report_text import headline, text_of
from npbilstm.diagnosis.results import Diagnosis, StageResult
from npbilstm.diagnosis.stages import SIZES
from npbilstm.mistakes import BUGS
from npbilstm.mistakes.planting import plant
from npbilstm.submission.course_specs import ALL_SPECS
from tests.diagnosis.lacking_forms import judged
from tests.diagnosis.measure_places import LOCATED, MISNAMED, WRONG_PLACE, measure_places, verdict
from tests.diagnosis.unknown_bugs import UNKNOWN
from tests.diagnosis.unknown_shares import FORMS_OF, SHARES

INSIDE = "the step inside lstm_backward"


def unknown(new):
    return next(bug for bug in UNKNOWN if bug.new == new)


def test_the_most_copied_wrong_backward_pass_is_named_without_c0():
    of_step, of_loop = judged("no c0, no final state", BUGS["dh-carry-missing"], BUGS["dc-next-zeroed"])
    assert of_step.ok
    assert {bug.id for bug in of_loop.named[0]} in ({"both-carries-missing"}, {"dh-carry-missing", "dc-carry-missing"})


def test_of_several_names_for_the_same_numbers_the_headline_has_the_one_most_often_seen():
    of_loop = judged("no c0, no final state", BUGS["dc-next-zeroed"])[-1]
    assert len(of_loop.named) > 1
    assert headline(of_loop) == "WRONG  lstm_backward: dc-carry-missing"
    assert "The same numbers are given by: dc-next-zeroed" in " ".join(text_of(of_loop).split())


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("form", "new", "places"),
    [
        ("none of these", "df = dc * c_prev * f", (f"df in {INSIDE}",)),
        ("none of these", "dc_prev = dc * o", (f"dc_prev in {INSIDE}", f"dc in {INSIDE}")),
        ("no c0, no final state", "df = dc * c_prev * f", ("df in lstm_step_backward",)),
        ("both directions", "BiLSTMParams(grads_fwd, grads_fwd)", ("grads in bilstm_backward",)),
    ],
)
def test_an_equation_is_found_from_the_second_step_on_and_what_is_right_is_not_named(form, new, places):
    wrong = [diagnosis for diagnosis in judged(form, unknown(new)) if not diagnosis.ok]
    assert (wrong[0].located, wrong[0].perhaps) == (places, ())


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("form", "new", "places"),
    [
        ("two layers", "lstm_backward(dh if layer else 0.5 * dh, dh_T", ("dh in stacked_lstm_backward",)),
        ("both directions, nothing else", "lstm_backward(0.5 * dh_fwd, dh_T[0]", ("dh_fwd in bilstm_backward",)),
        (
            "both directions",
            "dx = 2 * flip(dx_rev, lengths) - dx_fwd",
            ("dx in bilstm_backward", "dx_rev in bilstm_backward"),
        ),
    ],
)
def test_half_a_gradient_into_one_direction_or_layer_is_found_where_it_is_lost(form, new, places):
    bug = next(bug for bug in SHARES if bug.new == new)
    wrong = [diagnosis for diagnosis in judged(form, bug) if not diagnosis.ok]
    assert (wrong[0].located, wrong[0].perhaps) == (places, ())


@pytest.mark.slow
@pytest.mark.parametrize("bug", SHARES, ids=lambda bug: bug.id)
def test_no_share_sign_or_exchange_gets_a_wrong_place_for_certain(bug):
    for form in FORMS_OF[bug.function]:
        assert verdict(form, bug, judged(form, bug)) == LOCATED


def test_without_a_gradient_of_data_the_weights_alone_tell_no_place():
    spec = ALL_SPECS["char_rnn"]
    pair = spec.in_textbook_form(plant([BUGS["recurrent-carry-missing"]]))
    weights = pair._replace(backward=lambda *given: {k: v for k, v in pair.backward(*given).items() if k != "h0"})
    observations = observe_all(spec, weights, 0, SIZES)
    assert weights_alone(observations, Context(weights), Names(observations, Context(weights))) == ([], [])


@pytest.mark.slow
def test_a_loop_is_judged_with_the_wrong_step_that_it_takes():
    step, loop = unknown("di = dc * g * i"), "dwh-overwritten-over-time"
    of_step, of_loop = judged("no c0, no final state", step)
    assert of_step.located == ("di in lstm_step_backward",)
    assert of_loop.nothing_new
    assert headline(of_loop).endswith("nothing but what was found above (lstm_step_forward, lstm_step_backward)")
    _, of_both = judged("no c0, no final state", step, BUGS[loop])
    assert [bug.id for bugs in of_both.named for bug in bugs] == [loop]


def test_a_headline_is_short_and_says_the_function_once():
    long = max(BUGS.values(), key=lambda bug: len(bug.id))
    wrong = (StageResult("T=3", ("x",)),)
    for found in [
        Diagnosis("lstm", ("lstm_forward", "lstm_backward"), wrong, named=((long, long),)),
        Diagnosis("lstm", ("lstm_forward", "lstm_backward"), wrong, located=("df in lstm_backward",) * 3),
        Diagnosis("lstm", ("lstm_forward", "lstm_backward"), wrong, perhaps=("dh_t in lstm_backward",)),
    ]:
        assert len(headline(found)) < 100
        assert headline(found).count("lstm_backward") == 1


@pytest.mark.slow
def test_no_place_that_is_called_certain_is_wrong_and_nothing_is_misnamed():
    table = measure_places(quick=True)["table"]
    assert sum(count[MISNAMED] + count[WRONG_PLACE] for count in table.values()) == 0
    assert sum(count[LOCATED] for count in table.values()) >= 3


def test_the_measure_sees_a_wrong_place_and_a_wrong_name():
    stages = (StageResult("T=3", ("x",)),)
    bug = unknown("di = dc * g * i")

    def said(**what):
        return verdict("no c0, no final state", bug, [Diagnosis("lstm_step", ("a", "b"), stages, **what)])

    assert said(located=("df in lstm_step_backward",)) == WRONG_PLACE
    assert said(located=("di in lstm_step_backward",)) == LOCATED
    assert said(named=((BUGS["di-uses-i"],),)) == MISNAMED
