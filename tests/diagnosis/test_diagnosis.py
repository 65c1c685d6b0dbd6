"""The diagnosis names what is planted, and is silent where nothing is."""

import numpy as np
import pytest

from npbilstm import textbook
from npbilstm.diagnosis.diagnosis import diagnose_pair, diagnose_pairs, diagnose_what_runs
from npbilstm.diagnosis.matching import candidates
from npbilstm.diagnosis.observations import StoppedError
from npbilstm.diagnosis.report_text import HINTS, as_dict, headline, text_of
from npbilstm.diagnosis.results import Diagnosis
from npbilstm.mistakes.catalogue import BUGS
from npbilstm.mistakes.catalogue.in_place import BUGS as IN_PLACE
from npbilstm.mistakes.planting import Bug, plant, textbook_functions
from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.errors import Interfered, SubmissionError, TimedOut
from npbilstm.submission.function_spec import Pair
from npbilstm.submission.specs import SPECS
from npbilstm.textbook import min_rnn

OTHER_ORDER = (
    Bug("x", "lstm_step_forward", "a_i, a_f, a_g, a_o = ", "a_i, a_f, a_o, a_g = ", "a", "", ("", "", "")),
    Bug("y", "lstm_step_backward", "[da_i, da_f, da_g, da_o]", "[da_i, da_f, da_o, da_g]", "da", "", ("", "", "")),
)
"""Gates in the order i, f, o, g, forward and backward."""


def pair_with(name, *ids):
    return ALL_SPECS[name].in_textbook_form(plant(BUGS[one] for one in ids))


def diagnosed(name, *ids, **options):
    return diagnose_pair(ALL_SPECS[name], pair_with(name, *ids), **options)


def flat(diagnosis, *hint):
    """The words in one line."""
    return " ".join(text_of(diagnosis, *hint).split())


def lowest_spec(bug):
    return next(spec for spec in ALL_SPECS.values() if bug in candidates(spec))


def named(diagnosis):
    return [tuple(bug.id for bug in bugs) for bugs in diagnosis.named]


def test_every_function_of_the_textbook_belongs_to_a_subject():
    functions = {name for name in textbook.__all__ if name[0].islower()}
    functions -= {"with_activations"}  # it makes steps of steps, and computes nothing itself
    functions -= {"legal_transitions", "crf_constrained"}  # tables of what may follow what
    functions -= {"counted_steps"}  # a table of what counts
    functions -= {"lstm_rtrl", "rtrl_start", "rtrl_step", "rtrl_gradient"}  # gradients without a backward pass
    functions = {name for name in functions if textbook_functions()[name].__module__ != min_rnn.__name__}  # to read
    assert functions == {name for spec in SPECS.values() for name in (spec.forward, spec.backward) if name}


@pytest.mark.parametrize("name", SPECS)
def test_the_textbook_itself_is_right(name):
    diagnosis = diagnose_pair(SPECS[name], SPECS[name].in_textbook_form(textbook))
    assert diagnosis.ok, text_of(diagnosis)
    assert headline(diagnosis).startswith("ok ")


@pytest.mark.few(10)
@pytest.mark.parametrize("bug", [*IN_PLACE, *list(BUGS.values())[::13]], ids=lambda bug: bug.id)
def test_a_catalogued_mistake_is_named_and_nothing_else(bug):
    spec = lowest_spec(bug)
    diagnosis = diagnosed(spec.name, bug.id)
    assert named(diagnosis) == [(bug.id,)]
    assert headline(diagnosis).endswith(f": {bug.id}")


@pytest.mark.slow
def test_two_mistakes_at_once_are_both_named():
    diagnosis = diagnosed("lstm", "df-wrong-cell-state", "dwh-overwritten-over-time")
    assert named(diagnosis) == [("df-wrong-cell-state", "dwh-overwritten-over-time")]
    assert "Two known mistakes together fit exactly" in flat(diagnosis)


def test_a_mistake_of_the_step_is_not_looked_for_again_in_what_is_built_on_it():
    pairs = {name: pair_with(name, "dc-tanh-slope-missing") for name in ("lstm_step", "lstm", "bilstm")}
    step, sequence, both = diagnose_pairs(pairs)
    assert named(step) == [("dc-tanh-slope-missing",)]
    for above in (sequence, both):
        assert not above.ok
        assert not above.named
        assert headline(above).endswith("nothing but what was found above (dc-tanh-slope-missing)")


def test_a_loop_with_its_own_right_equations_is_right_whatever_the_step_beside_it():
    pairs = {"lstm_step": pair_with("lstm_step", "dx-sign"), "lstm": pair_with("lstm")}
    assert [diagnosis.ok for diagnosis in diagnose_pairs(pairs)] == [False, True]


@pytest.mark.slow
def test_a_loop_with_another_mistake_than_the_step_beside_it_has_its_own_named():
    pairs = {"lstm_step": pair_with("lstm_step", "dx-sign"), "lstm": pair_with("lstm", "dwh-overwritten-over-time")}
    assert [named(diagnosis) for diagnosis in diagnose_pairs(pairs)] == [
        [("dx-sign",)],
        [("dwh-overwritten-over-time",)],
    ]


@pytest.mark.parametrize("name", ["lstm_step", pytest.param("lstm", marks=pytest.mark.slow)])
def test_a_mistake_that_no_one_knows_is_located_and_not_named(name):
    unknown = Bug("x", "lstm_step_backward", "df = dc * c_prev", "df = 0.7 * dc * c_prev + 0.1", "df", "", ("", "", ""))
    spec = SPECS[name]
    diagnosis = diagnose_pair(spec, spec.in_textbook_form(plant([unknown])))
    assert not diagnosis.named
    assert diagnosis.located[0] == "df in lstm_step_backward"
    assert "No known mistake gives these numbers" in flat(diagnosis, 3)


def test_a_right_backward_pass_of_a_wrong_forward_pass_is_said_to_be_so():
    """Gates in another order, forward and backward: no gradient check can see it."""
    diagnosis = diagnose_pair(SPECS["lstm_step"], SPECS["lstm_step"].in_textbook_form(plant(OTHER_ORDER)))
    assert not diagnosis.ok
    assert "no gradient check can see the mistake" in " ".join(diagnosis.sentences)
    assert [bugs[0].function for bugs in diagnosis.named] == ["lstm_step_forward"]
    assert not any(stage.wrong for stage in diagnosis.stages)


def rounded(arrays, dtype=np.float32):
    return {name: array.astype(dtype).astype(float) for name, array in arrays.items()}


def in_seven_digits(arrays):
    """Numbers that are rounded otherwise than by a dtype."""
    return {name: array + 1e-8 * np.abs(array).max(initial=0.0) for name, array in arrays.items()}


def in_float32(pair, blur=rounded):
    """A pair whose forward pass rounds what goes in and what comes out."""

    def forward(inputs):
        outputs, cache = pair.forward({n: a if a.dtype.kind == "i" else rounded({n: a})[n] for n, a in inputs.items()})
        return blur(outputs), cache

    return Pair(forward, lambda upstream, cache: blur(pair.backward(upstream, cache)))


@pytest.mark.few(1)
@pytest.mark.parametrize("name", ["softmax_cross_entropy", "gru_step", "lstm_step"])
def test_numbers_of_float32_are_right_and_said_to_be_so(name):
    diagnosis = diagnose_pair(SPECS[name], in_float32(pair_with(name)))
    assert diagnosis.ok
    assert headline(diagnosis).endswith(" (float32: to four digits)")
    half = diagnose_pair(SPECS[name], in_float32(pair_with(name), lambda arrays: rounded(arrays, np.float16)))
    assert not half.ok


@pytest.mark.parametrize("name", ["lstm_step", "lstm", "gru_step", "softmax_cross_entropy"])
def test_rounding_inside_is_said_and_no_mistake_is_named(name):
    diagnosis = diagnose_pair(SPECS[name], in_float32(pair_with(name), in_seven_digits))
    assert not diagnosis.ok
    assert not diagnosis.named
    assert not any(stage.wrong or stage.wrong_outputs for stage in diagnosis.stages)
    assert "the numbers are rounded. Is something float32 inside" in flat(diagnosis)


def test_a_mistake_in_float32_is_named_all_the_same():
    diagnosis = diagnose_pair(SPECS["lstm"], in_float32(pair_with("lstm", "df-wrong-cell-state")))
    assert named(diagnosis) == [("df-wrong-cell-state",)]
    assert not any(stage.wrong_outputs for stage in diagnosis.stages)


def test_a_gradient_by_differences_is_said_to_be_rounded():
    right = SPECS["lstm_step"].in_textbook_form(textbook)
    differences = Pair(right.forward, lambda upstream, cache: in_seven_digits(right.backward(upstream, cache)))
    diagnosis = diagnose_pair(SPECS["lstm_step"], differences)
    assert not diagnosis.named
    assert "no equation is wrong, but the numbers are rounded" in flat(diagnosis)


def test_no_mistake_is_looked_for_in_a_function_that_is_right_and_that_is_called():
    """The same slip, made in the loop over time: dc set to 0 where the step takes it."""
    step, loop = pair_with("lstm_step"), pair_with("lstm", "dc-carry-lost")

    class Calls(Pair):
        functions = ("lstm_forward", "lstm_backward")
        uses = frozenset({"lstm_forward", "lstm_backward", "lstm_step_forward", "lstm_step_backward"})

    _, found = diagnose_pairs({"lstm_step": step, "lstm": Calls(*loop)})
    assert not any(bug.function == "lstm_step_backward" for bugs in found.named for bug in bugs)
    assert not any(place.endswith("lstm_step_backward") for place in found.located)
    _, inlined = diagnose_pairs({"lstm_step": step, "lstm": loop})
    assert named(inlined) == [("dc-carry-lost",)]


def test_gates_in_another_order_may_be_meant():
    spec = SPECS["lstm_step"]
    text = flat(diagnose_pair(spec, spec.in_textbook_form(plant(OTHER_ORDER))))
    assert "If i, f, o, g is the order that you mean, say so in the file's first line: # npbilstm: gates=ifog" in text


def test_code_that_stops_everywhere_raises_what_it_raises():
    def forward(inputs):
        raise RuntimeError("half way")

    with pytest.raises(StoppedError) as stopped:
        diagnose_pair(SPECS["lstm"], Pair(forward, None))
    assert str(stopped.value.__cause__) == "half way"


@pytest.mark.slow
def test_code_that_stops_at_an_empty_row_alone_is_told_so():
    right = SPECS["lstm"].in_textbook_form(textbook)

    def forward(inputs):
        if (inputs["lengths"] == 0).any():
            raise IndexError("index -1 is out of bounds")
        return right.forward(inputs)

    diagnosis = diagnose_pair(SPECS["lstm"], Pair(forward, right.backward))
    assert [stage.name for stage in diagnosis.stages if not stage.ok] == ["an empty row"]
    assert "stopped: index -1 is out of bounds" in flat(diagnosis)


@pytest.mark.few(4)
@pytest.mark.parametrize("bug", list(BUGS.values())[::40], ids=lambda bug: bug.id)
def test_the_solution_is_told_at_the_last_hint_alone(bug):
    diagnosis = diagnosed(lowest_spec(bug).name, bug.id)
    for hint in HINTS:
        text = flat(diagnosis, hint)
        assert [" ".join(f"hint {level}: {bug.hints[level - 1]}".split()) in text for level in HINTS] == [
            level <= hint for level in HINTS
        ]
        assert (f"--hint {hint + 1} says more" in text) == (hint < 3)
        assert len(as_dict(diagnosis, hint)["named"][0][0]["hints"]) == hint
    with pytest.raises(ValueError, match="hint is 4; it needs 1"):
        text_of(diagnosis, 4)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("name", "id", "sentence"),
    [
        ("lstm", "dh-carry-missing", "Correct for one step, wrong from two"),
        ("lstm", "dwh-overwritten-over-time", "only in Wh: look at how the gradients of the weights are added up"),
        ("lstm", "df-wrong-cell-state", "only at the gate f"),
        ("lstm", "dwx-mean-over-batch", "Right for a single row, wrong for several"),
        ("lstm", "dh-carry-dropped-over-padding", "Right for rows of equal length, wrong for ragged ones"),
        ("lstm", "dc-tanh-slope-missing", "look at the way from h to c"),
    ],
)
def test_the_stages_are_read_in_a_sentence(name, id, sentence):
    assert sentence in " ".join(diagnosed(name, id).sentences)


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("id", "sentence"),
    [
        ("flip-ignores-lengths", "What stands in the padding changes the outputs"),
        ("reverse-output-not-flipped", "The reverse direction's outputs change with an earlier step"),
    ],
)
def test_a_broken_invariance_is_said(id, sentence):
    assert sentence in " ".join(diagnosed("bilstm", id).sentences)


class Stubborn:
    """A right pair whose forward pass raises an error at its first call, and at no other."""

    def __init__(self, error):
        self.pair = SPECS["lstm_step"].in_textbook_form(textbook)
        self.backward, self.error = self.pair.backward, error

    def forward(self, inputs):
        error, self.error = self.error, None
        if error is not None:
            raise error
        return self.pair.forward(inputs)


def test_what_stops_at_its_first_call_and_at_no_other_is_not_right():
    diagnosis = diagnose_what_runs(SPECS["lstm_step"], Stubborn(ZeroDivisionError("once")))
    assert diagnosis.verdict == "wrong"
    assert [stage.raised for stage in diagnosis.stages if stage.raised] == ["once"]


@pytest.mark.parametrize("error", [TimedOut("too long"), Interfered("it answers"), SubmissionError("")])
def test_after_an_error_that_ends_it_all_nothing_is_right(error):
    class Ended:
        backward = None

        def forward(self, inputs):
            raise error

    diagnosis = diagnose_what_runs(SPECS["lstm_step"], Ended())
    assert (diagnosis.verdict, bool(diagnosis.stopped), diagnosis.stages) == ("not judged", True, ())


def test_nothing_without_a_stage_is_right():
    assert Diagnosis("lstm_step", ("lstm_step_forward",), ()).verdict == "not judged"
