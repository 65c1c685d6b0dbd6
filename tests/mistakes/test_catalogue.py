"""The catalogue of bugs: every mistake is what it says, can be planted, shows, and looks like no other."""

import re
from contextlib import suppress
from importlib import import_module
from itertools import combinations
from pkgutil import iter_modules
from typing import NamedTuple

import numpy as np
import pytest

import npbilstm as nb
from npbilstm import textbook
from npbilstm.diagnosis.cases import draw_cases
from npbilstm.diagnosis.matching import candidates
from npbilstm.mistakes import catalogue
from npbilstm.mistakes.catalogue import BUGS, in_place
from npbilstm.mistakes.planting import plant, source_of, textbook_functions, textbook_names
from npbilstm.submission.call_graph import reached
from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.specs import SPECS

ROWS = {
    "the carry of h is missing": "dh-carry-missing dh-carry-and-final-missing dh-next-zeroed recurrent-carry-missing "
    "recurrent-carry-and-final-missing",
    "dc is set instead of added, the carry is lost": "dc-carry-lost dc-carry-missing dc-next-zeroed",
    "the gradient of h_T is ignored": "dh-final-ignored recurrent-final-state-ignored",
    "the gradient of c_T is ignored": "dc-final-ignored",
    "the new cell stands in df": "df-wrong-cell-state",
    "sigma' missing on f": "da-f-slope-missing",
    "the old cell stands in di": "di-wrong-factor",
    "sigma' missing on i": "da-i-slope-missing",
    "sigma' where tanh' belongs on g": "da-g-sigmoid-slope",
    "1 - g on g": "da-g-square-missing",
    "do uses c": "do-uses-c",
    "tanh' as 1 - c^2": "dc-tanh-slope-of-c",
    "tanh' of tanh c": "dc-tanh-taken-twice",
    "tanh' absent": "dc-tanh-slope-missing",
    "o missing": "dc-output-gate-missing",
    "dc_prev lacks f": "dc-prev-factor-missing",
    "dc_prev uses i": "dc-prev-wrong-gate",
    "Wh is not transposed": "dh-prev-wh-not-transposed gru-dh-prev-wh-not-transposed rnn-dh-prev-wh-not-transposed",
    "one gate is missing in dh_prev": "dh-prev-lacks-i dh-prev-lacks-f dh-prev-lacks-g dh-prev-lacks-o",
    "two gate slices are swapped": "da-g-o-blocks-swapped da-i-f-blocks-swapped gru-gate-gradients-swapped",
    "a bias gets another gate's gradient": "db-f-gets-gradient-of-i db-o-gets-gradient-of-f db-g-gets-gradient-of-i",
    "sigma' of the pre-activation": "sigmoid-slope-of-preactivation",
    "dWx is overwritten over time": "dwx-overwritten-over-time",
    "dWh is overwritten over time": "dwh-overwritten-over-time",
    "db is overwritten over time": "db-overwritten-over-time",
    "a mean over the batch": "dwx-mean-over-batch dwh-mean-over-batch db-mean-over-batch gru-dwx-mean-over-rows",
    "db from the first row": "db-first-row-only gru-db-first-row rnn-db-first-row",
    "db over the wrong axis": "db-summed-over-everything db-summed-over-units",
    "dWh uses the new h": "dwh-wrong-hidden-state gru-dwh-new-state rnn-dwh-new-state",
    "dh0 is not returned": "dh0-not-returned recurrent-initial-state-gradient-lost",
    "dc0 is not returned": "dc0-not-returned",
    "do before the carry is added": "do-before-carry",
    "the loss's factor 2": "squared-error-gradient-two-missing",
    "the loss's factor 1/N": "cross-entropy-gradient-mean-missing cross-entropy-gradient-mean-over-rows",
    "the loss's factor doubled": "cross-entropy-gradient-mean-twice",
    "a factor 1/T": "grads-mean-over-time",
    "the sign": "da-sign dx-sign dc-sign cross-entropy-gradient-sign squared-error-gradient-sign",
    "the loop runs forward": "loop-runs-forward recurrent-loop-runs-forward",
    "truncated early": "loop-truncated-early carry-cut-after-two-steps recurrent-truncated-after-two-steps",
    "clipping inside": "dh-next-clipped dc-next-clipped grads-clipped-at-each-step",
    "the reverse upstream is not flipped": "dh-rev-not-flipped both-directions-upstream-not-flipped",
    "the reverse dx is not flipped back": "dx-rev-not-flipped-back both-directions-dx-not-flipped-back",
    "dx from one direction": "dx-from-forward-only dx-from-reverse-only both-directions-dx-from-one",
    "the halves of dy are swapped": "dy-halves-swapped both-directions-upstream-halves-swapped",
    "the directions' gradients are swapped": "direction-grads-swapped both-directions-grads-swapped",
    "the directions' gradients are summed": "direction-grads-summed",
    "a flip that ignores lengths": "flip-ignores-lengths dh-rev-flip-ignores-lengths dx-rev-flip-ignores-lengths",
    "padding is not masked in backward": "padding-not-masked dh-not-masked dc-not-masked",
    "the carry is dropped over padding": "dh-carry-dropped-over-padding dc-carry-dropped-over-padding",
    "dy is changed in place": "dh-changed-in-place dh-final-changed-in-place dc-final-changed-in-place",
    "dropout's mask is missing in backward": "dropout-mask-missing-in-backward dropout-mask-missing-in-dwh",
    "the index wraps round at step 0": "old-hidden-state-wraps-round old-cell-state-wraps-round old-states-wrap-round "
    "hidden-state-read-from-outputs recurrent-old-state-wraps-round recurrent-state-read-from-outputs",
    "one bias for several gates": "bias-of-o-copied-to-i-and-f bias-of-i-copied-to-all db-i-and-o-get-gradient-of-f",
    "one set of weights for all gates": "one-block-for-all-gates",
    "the slope on one of two shares": "slopes-on-h-share-only da-i-slope-on-h-share-only da-f-slope-on-h-share-only "
    "da-g-slope-on-h-share-only da-g-slope-on-carry-share-only",
    "the gate or its squashing for its slope": "da-f-squashed-again da-f-itself-for-slope da-g-squashed-again",
    "neither carry": "both-carries-missing",
    "gradients divided by N": "step-gradients-divided-by-rows gradients-divided-by-rows rnn-gradients-divided-by-rows "
    "gru-gradients-divided-by-rows recurrent-gradients-divided-by-rows gradients-divided-by-rows-and-steps",
    "a constant clip": "gradients-clipped-to-1 gradients-clipped-to-5 gradients-clipped-to-10 "
    "da-clipped-to-1 da-clipped-to-5 dh-next-clipped grads-clipped-at-each-step",
    "truncation after k steps": "loop-truncated-after-one-step loop-truncated-early loop-truncated-after-three-steps "
    "carry-cut-after-two-steps carry-cut-after-three-steps recurrent-truncated-after-one-step",
    "the last step indexed by the batch size": "h-final-indexed-by-batch-size",
    "the sign of all gradients": "step-gradients-negated gradients-negated gradients-of-weights-negated "
    "rnn-gradients-negated gru-gradients-negated recurrent-gradients-negated",
    "db += db": "db-added-to-itself dwx-added-to-itself dwh-added-to-itself affine-db-added-to-itself",
    "an embedding's += without add.at": "embedding-repeats-lost embedding-repeats-in-a-row-lost",
    "masks that fit but for ragged rows": "valid-one-step-too-many mean-pooling-lengths-of-other-rows "
    "mean-pooling-divides-by-the-whole-batch",
    "forward: gate order": "gate-order-ifog gate-order-figo gate-order-igfo gate-order-iofg gru-gates-in-another-order",
    "forward: a copied bias": "bias-of-i-copied-to-f bias-of-f-copied-to-o",
    "forward: the reverse output is not put back": "reverse-output-not-flipped reverse-output-flip-ignores-lengths",
    "forward: padding updates the state": "padding-updates-state recurrent-padding-updates-the-state",
    "forward: padding in the loss's mean": "cross-entropy-mean-counts-padding squared-error-mean-counts-padding",
    "forward: the state leaks": "h0-changed-in-place c0-changed-in-place reverse-starts-in-forward-final-state",
    "forward: a shared initial array": "initial-c-is-h0",
    "forward: unscaled dropout": "dropout-not-scaled",
    "forward: the wrong final state of the reverse direction": "h-final-reverse-from-last-column",
}
"""What people get wrong, in words, and the bugs that are it."""

SUBJECTS = {**SPECS, "truncated_rnn": ALL_SPECS["truncated_rnn"]}
"""What mistakes are to show in: the textbook's subjects, and one that only a course has a function for."""

every_bug = pytest.mark.parametrize("bug", BUGS.values(), ids=list(BUGS))


@pytest.mark.parametrize("row", ROWS)
def test_every_mistake_that_was_collected_is_there(row):
    assert set(ROWS[row].split()) <= set(BUGS)


def test_ids_are_unique_over_all_files_and_every_file_is_joined():
    modules = [import_module(f"{catalogue.__name__}.{found.name}") for found in iter_modules(catalogue.__path__)]
    written = [bug.id for module in modules for bug in getattr(module, "BUGS", ())]
    assert sorted(written) == sorted(BUGS)


def called_by(function):
    return reached(function, textbook_functions())


def test_at_least_sixty_are_of_the_lstm():
    assert sum(bug.function in called_by("lstm_forward") | called_by("lstm_backward") for bug in BUGS.values()) >= 60


@pytest.mark.few(60)
@every_bug
def test_a_bug_says_all_that_it_needs_to_say(bug):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", bug.id)
    assert bug.equation
    assert len({bug.concept, *bug.hints}) == 4
    for text in (bug.concept, *bug.hints):
        assert text
        assert text == text.strip()


@pytest.mark.few(60)
@every_bug
def test_no_hint_but_the_last_gives_the_line_away(bug):
    for text in (bug.concept, *bug.hints[:2]):
        assert "".join(bug.old.split()).lower() not in "".join(text.split()).lower()


@pytest.mark.few(60)
@every_bug
def test_a_change_is_of_one_line_that_stands_once_and_changes_the_function(bug):
    _, body = source_of(bug.function)
    assert body.count(bug.old) == 1
    assert "\n" not in bug.old + bug.new
    changed, right = (getattr(functions, bug.function).__code__ for functions in (plant([bug]), plant([])))
    assert (changed.co_code, changed.co_consts, changed.co_names) != (right.co_code, right.co_consts, right.co_names)


def test_no_two_modules_of_the_textbook_give_one_name_to_different_things():
    for one, other in combinations(textbook_names().maps, 2):
        for name in set(one) & set(other):
            assert name.startswith("__") or one[name] is other[name], (name, one["__name__"], other["__name__"])


class Shown(NamedTuple):
    """What a pair's calls on cases show: outputs, gradients, and the arrays handed in, as they are afterwards."""

    outputs: list
    gradients: list
    arrays: list


@np.errstate(all="ignore")  # mistakes take logarithms of 0
def show(pair, cases):
    shown = Shown([], [], [])
    for case in cases:
        inputs = {name: np.array(value) for name, value in case.inputs.items()}
        outputs, cache = pair.forward(inputs)
        upstream = {name: np.zeros_like(value) for name, value in outputs.items()}
        upstream |= {name: d.copy() for name, d in case.upstream.items()}
        shown.outputs.extend(np.array(value) for value in outputs.values())
        shown.gradients.extend(pair.backward(upstream, cache).values() if pair.backward else ())
        shown.arrays.extend([*inputs.values(), *upstream.values()])
    return shown


def in_one(arrays, truth):
    """One vector of all numbers, each array by its scale in the truth; of what is not finite, each kind a number."""
    scales = [max(np.abs(array).max(initial=0.0), 1e-3) for array in truth]
    finite = [np.nan_to_num(np.ravel(array), nan=1e9, posinf=2e9, neginf=3e9) for array in arrays]
    return np.concatenate([array / scale for array, scale in zip(finite, scales, strict=True)] or [[]])


def differ(one, other):
    return one.shape != other.shape or np.abs(one - other).max(initial=0.0) > 1e-4


@pytest.fixture(scope="module")
def shown():
    """subject -> a bug's id, or "" for the truth -> what it shows over all stages, a vector each."""
    result = {}
    for name, spec in SUBJECTS.items():
        cases = draw_cases(spec, spec.in_textbook_form(textbook))
        truth = show(spec.in_textbook_form(textbook), cases)
        bugs = [bug for bug in candidates(spec) if name in SPECS or bug.function == "backward_from_each_step"]
        every = {bug.id: show(spec.in_textbook_form(plant([bug])), cases) for bug in bugs}
        result[name] = {bug: Shown(*map(in_one, got, truth)) for bug, got in {"": truth, **every}.items()}
    return result


def wrong_in(shown, spec, part):
    """The bugs that are unlike the truth in a part of what they show in a spec, and that part of each."""
    right = getattr(shown[spec][""], part)
    return {name: got for name, one in shown[spec].items() if differ(got := getattr(one, part), right)}


@pytest.mark.slow
def test_every_bug_runs_on_every_stage_and_shows_in_some_subject(shown):
    seen = {name for spec in shown for part in Shown._fields for name in wrong_in(shown, spec, part)}
    assert seen == set(BUGS)


@pytest.mark.slow
def test_no_two_bugs_give_the_same_outputs_but_a_slip_in_a_function_and_the_same_where_it_is_called(shown):
    for spec in shown:
        wrong = wrong_in(shown, spec, "outputs")
        for one, other in combinations(wrong, 2):
            called = one_calls_the_other(spec, BUGS[one], BUGS[other]) or {one, other} == WITHOUT_LENGTHS
            assert differ(wrong[one], wrong[other]) or called, (spec, one, other)


WITHOUT_LENGTHS = {"recurrent-initial-state-ignored", "recurrent-state-read-from-outputs"}
"""Two that differ over padding alone, which one subject has not."""


def one_calls_the_other(spec, one, other):
    """Whether one of two bugs stands in a function that the other's calls, or takes through time."""
    steps = set().union(*map(called_by, SUBJECTS[spec].steps or ()))
    calls = [
        above != below and (below in called_by(above) or (below in steps - {above} and above not in steps))
        for above, below in [(one.function, other.function), (other.function, one.function)]
    ]
    return any(calls)


@pytest.mark.slow
def test_no_two_bugs_give_the_same_gradients_but_a_slip_in_a_function_and_the_same_where_it_is_called(shown):
    for spec in shown:
        forward = wrong_in(shown, spec, "outputs")
        wrong = {name: got for name, got in wrong_in(shown, spec, "gradients").items() if name not in forward}
        for one, other in combinations(wrong, 2):
            called = one_calls_the_other(spec, BUGS[one], BUGS[other])
            assert differ(wrong[one], wrong[other]) or called, (spec, one, other)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lstm_step", "lstm", "bilstm"])
def test_in_the_lstm_no_two_bugs_look_alike_at_all_but_what_is_done_to_a_sum_or_to_each_of_its_parts(shown, name):
    wrong = {bug: np.concatenate(got) for bug, got in shown[name].items()}
    alike = {frozenset(two) for two in combinations(wrong, 2) if not differ(wrong[two[0]], wrong[two[1]])}
    right = {bug for bug in wrong if not differ(wrong[bug], wrong[""])}
    whats = ("divided-by-rows", "times-rows", "of-weights-negated")
    of_sum = {f"gradients-{what}": f"step-gradients-{what}" for what in whats}
    assert {two for two in alike if not two <= right} <= set(map(frozenset, of_sum.items()))


def checked(pair, case):
    """The checker's report on a pair's gradients: all of each, along one random direction."""
    outputs, cache = pair.forward(case.inputs)
    grads = pair.backward({name: case.upstream.get(name, np.zeros_like(outputs[name])) for name in outputs}, cache)

    def loss(params):
        outputs, _ = pair.forward({**case.inputs, **params})
        return sum((outputs[name] * d).sum() for name, d in case.upstream.items())

    return nb.check_gradients(loss, {name: case.inputs[name] for name in grads}, grads, "complex", entries=0)


NO_DERIVATIVE = ("truncated", "clipping", "gradient_check", "ctc_decoding")
"""Files of the textbook whose passes have no derivative to be checked: a truncated gradient is none, nor a verdict."""


def has_no_derivative(function):
    module = textbook_functions()[function].__module__.rpartition(".")[2]
    return module in NO_DERIVATIVE or function in ("crf_viterbi", "mask_from_uniform")


@pytest.mark.slow
def test_the_checker_rejects_every_bug_that_leaves_the_outputs_right(shown):
    waiting = set(BUGS) - {bug.id for bug in in_place.BUGS}
    waiting -= {bug.id for bug in BUGS.values() if has_no_derivative(bug.function)}
    for name, spec in SPECS.items():
        if not spec.backward or name in NO_DERIVATIVE:
            continue
        forward = wrong_in(shown, name, "outputs").keys()
        wrong = waiting & (wrong_in(shown, name, "gradients").keys() - forward)
        waiting -= wrong | forward
        right = spec.in_textbook_form(textbook)
        cases = draw_cases(spec, right)
        assert all(checked(right, case).direction.ok for case in cases)
        for bug in wrong:
            pair = spec.in_textbook_form(plant([BUGS[bug]]))
            assert not all(checked(pair, case).direction.ok for case in reversed(cases)), bug
    assert not waiting


@pytest.mark.slow
def test_a_change_in_place_shows_in_the_arrays_that_were_handed_in(shown):
    changed = {bug for spec in shown for bug in wrong_in(shown, spec, "arrays")}
    assert changed == {bug.id for bug in in_place.BUGS}


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_two_bugs_of_a_function_compile_without_a_warning_where_both_can_be_planted():
    for one, other in combinations(BUGS.values(), 2):
        if one.function == other.function:
            with suppress(ValueError):
                plant([one, other])
