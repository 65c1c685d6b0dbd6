"""Exercises: made of the textbook, each to be done by itself, and what is written in them is told right from wrong."""

import numpy as np
import pytest

from npbilstm import textbook
from npbilstm.classroom import check_exercise
from npbilstm.classroom.assignment import python_file
from npbilstm.classroom.exercise import shows
from npbilstm.classroom.exercises import ALL, EXERCISES, exercises_named
from npbilstm.classroom.stubs import docstring, helpers_of, solution, stub, surroundings
from npbilstm.mistakes import BUGS
from npbilstm.mistakes.planting import textbook_functions
from npbilstm.submission.specs import SPECS
from npbilstm.submission.withheld import offered_to
from tests.classroom.written import namespace, written

GIVEN = {"check_lengths", "valid_steps"}
"""What is called in the exercises and is in none of them."""

MISTAKES = {
    "activations": ("sigmoid-slope-factor-missing", "tanh-taken-twice"),
    "softmax_loss": ("cross-entropy-gradient-sign", "cross-entropy-mean-counts-padding"),
    "rnn_step": ("rnn-dwh-new-state",),
    "bptt": ("recurrent-carry-missing",),
    "lstm_step_forward": ("candidate-sigmoid", "gate-order-ifog"),
    "lstm_step_backward": ("dc-tanh-slope-missing", "da-f-slope-missing"),
    "lstm_over_time": ("dc-carry-missing",),
    "flip": ("flip-ignores-lengths",),
    "padding": ("dh-carry-dropped-over-padding",),
    "bidirectional_forward": ("reverse-uses-forward-weights",),
    "bidirectional_backward": ("dx-rev-not-flipped-back",),
    "embedding_and_scores": ("affine-bias-missing", "embedding-repeats-lost"),
    "gru": ("gru-dwh-new-state",),
    "truncated_bptt": ("truncated-not-cut", "truncated-state-not-carried"),
    "stacked": ("stacked-final-gradients-ignored",),
    "clipping": ("clipping-norms-added", "clipping-always-scales"),
    "dropout": ("mask-not-scaled", "dropout-backward-without-mask"),
    "gradient_checker": ("checker-upstream-of-ones", "checker-in-float32", "checker-signs-ignored"),
    "attention": ("dot-attention-padding-scores-zero", "additive-attention-dkeys-lacks-score"),
    "crf": ("crf-alpha-transitions-transposed", "crf-dend-of-the-last-column", "viterbi-end-forgotten"),
    "ctc": ("ctc-skip-between-equal-labels", "ctc-share-overwritten"),
}

every_exercise = pytest.mark.parametrize("exercise", ALL, ids=list(EXERCISES))


@pytest.mark.few(8)
@every_exercise
def test_the_textbooks_bodies_are_right(exercise):
    result = check_exercise(exercise.name, namespace(written(exercise)))
    assert (result.state, result.points, result.reason) == ("right", exercise.points, ""), result


@every_exercise
def test_what_is_handed_out_runs_and_is_not_yet_written(exercise):
    result = check_exercise(exercise.name, namespace(python_file(exercise)))
    assert (result.state, result.missing, result.points) == ("not yet written", exercise.functions, 0)


@pytest.mark.few(2)
@every_exercise
def test_a_mistake_of_the_catalogue_is_named(exercise):
    for name in MISTAKES[exercise.name]:
        result = check_exercise(exercise.name, namespace(written(exercise, BUGS[name])))
        assert result.state == "wrong"
        assert name in result.reason
        assert "hint 1: " in str(result)


@pytest.mark.slow
@every_exercise
def test_every_mistake_that_is_said_to_be_made_in_it_is_seen(exercise):
    for bug in exercise.mistakes:
        assert check_exercise(exercise.name, namespace(written(exercise, bug))).state == "wrong", bug.id


@every_exercise
def test_a_checked_file_has_what_is_given_also_with_the_private_helpers_of_a_solution_in_it(exercise):
    for own in (exercise.functions, helpers_of(exercise.functions)):
        assert set(surroundings(exercise.functions).tools) <= offered_to(frozenset(own))


@every_exercise
def test_an_exercise_needs_none_that_comes_after(exercise):
    before = {name for each in ALL[: ALL.index(exercise)] for name in each.functions}
    assert set(surroundings(exercise.functions).tools) <= before | GIVEN


def test_a_stub_is_the_textbooks_function_up_to_its_body():
    for name, function in textbook_functions().items():
        made = vars(textbook) | namespace("from __future__ import annotations\nimport numpy as np\n")
        exec("from __future__ import annotations\n" + stub(name), made)
        assert made[name].__doc__ == function.__doc__
        assert solution(name).startswith(stub(name).rpartition("\n")[0])
        with pytest.raises((NotImplementedError, TypeError)):
            made[name]()


def test_the_file_holds_the_equations_of_what_its_docstrings_speak_of():
    for exercise in ALL:
        assert set(exercise.quoted) <= set(helpers_of(exercise.functions))
        text = python_file(exercise)
        for name in exercise.functions:
            assert docstring(name).split("\n")[0] in text


def test_some_right_and_some_not_written_is_begun():
    result = check_exercise("rnn_step", namespace(written(EXERCISES["rnn_step"], functions=["rnn_step_forward"])))
    assert (result.state, result.missing, result.points) == ("begun", ("rnn_step_backward",), 0)
    assert result.reason == "not yet written: rnn_step_backward"


def test_padding_is_not_asked_for_before_its_exercise():
    blind = BUGS["padding-updates-state"]
    assert check_exercise("lstm_over_time", namespace(written(EXERCISES["lstm_over_time"], blind))).state == "right"
    assert not shows(blind, SPECS["lstm"], EXERCISES["lstm_over_time"].unasked)
    assert shows(blind, SPECS["lstm"], EXERCISES["padding"].unasked)
    assert blind in EXERCISES["padding"].mistakes


def test_what_stops_wherever_it_is_called_is_wrong_and_not_unwritten():
    result = check_exercise("flip", {"flip": lambda x, lengths=None: 1 / 0})
    assert (result.state, result.missing) == ("wrong", ())
    assert "ZeroDivisionError" in result.reason


def test_own_functions_of_earlier_exercises_may_stand_beside():
    source = written(EXERCISES["lstm_step_forward"]) + written(EXERCISES["lstm_step_backward"]).replace(
        "from __future__ import annotations", ""
    )
    assert check_exercise("lstm_step_backward", namespace(source)).state == "right"


def test_names_that_no_exercise_has_are_told():
    with pytest.raises(ValueError, match="there is no exercise 'lstm'; there are activations, "):
        check_exercise("lstm", {})
    with pytest.raises(ValueError, match="there is no exercise 'x'"):
        exercises_named(["x"])
    with pytest.raises(ValueError, match="hint is 4"):
        check_exercise("flip", {}, hint=4)


def checker(taken=lambda x: np.array(x, float, order="C"), kept=np.copy):
    """A gradient checker that steps in place, as many write it. taken: what it makes of x. kept: of an output."""

    def backward_is_right(forward, backward, x):
        x = taken(x)
        y, cache = forward(x.copy())
        dy = np.random.default_rng(1).standard_normal(y.shape)
        dx, expected, steps = backward(dy, cache), [], x.ravel()
        for k in range(steps.size):
            steps[k] += 1e-6
            plus = kept(forward(x)[0])
            steps[k] -= 2e-6
            minus = kept(forward(x)[0])
            steps[k] += 1e-6
            expected.append(((plus - minus) * dy).sum() / 2e-6)
        return bool(np.abs(dx.ravel() - expected).max() < 1e-5)

    return {"backward_is_right": backward_is_right}


def fooled_at(functions):
    (diagnosis,) = check_exercise("gradient_checker", functions).diagnoses
    return {stage.name for stage in diagnosis.stages if not stage.ok}


def test_a_checker_that_steps_in_place_is_right_unless_a_view_a_copy_or_float32_fools_it():
    views = {"a view of x, right", "a view of x, a gradient of zeros"}
    copies = {"x not in one piece, right", "x not in one piece, a gradient of zeros"}
    assert fooled_at(checker()) == set()
    assert fooled_at(checker(kept=lambda y: y)) == views
    assert fooled_at(checker(taken=lambda x: np.array(x, float))) == copies
    assert fooled_at(checker(taken=lambda x: np.array(x, order="C"))) == {"float32, a right square"}
