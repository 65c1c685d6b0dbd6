"""Without the catalogue: what holds and what fails tells the equation of a mistake in the LSTM's backward passes."""

import pytest

from npbilstm.diagnosis.localization import localize
from npbilstm.diagnosis.matching import candidates
from npbilstm.diagnosis.observations import observe_all
from npbilstm.diagnosis.stages import SIZES
from npbilstm.mistakes.catalogue import scale_and_sign
from npbilstm.mistakes.planting import plant
from npbilstm.submission.specs import SPECS

CATALOGUE_NEEDED = {
    "dh-carry-missing",
    "dc-carry-missing",
    "do-before-carry",
    "dc-before-carry",
    "cache-of-last-step",
    "cache-one-step-off",
    "dh-next-averaged-over-batch",
    "both-carries-missing",
    "carry-cut-after-two-steps",
    "loop-truncated-after-one-step",
    "dwx-added-to-itself",
    "dwh-added-to-itself",
    "db-added-to-itself",
    "loop-runs-forward",
    "grads-clipped-at-each-step",
    "da-clipped-to-1",
    "da-clipped-to-5",
    *(bug.id for bug in scale_and_sign.BUGS),
}
"""Mistakes over time that look like others: the catalogue's patterns tell them, or nothing does."""


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("name", "function", "every"),
    [
        ("lstm_step", "lstm_step_backward", 1),
        ("lstm", "lstm_step_backward", 4),
        ("lstm", "lstm_backward", 1),
        ("bilstm", "lstm_step_backward", 10),
        ("bilstm", "bilstm_backward", 1),
    ],
)
def test_the_equation_is_told_and_few_others(name, function, every):
    spec = SPECS[name]
    bugs = [bug for bug in candidates(spec) if bug.function == function and bug.id not in CATALOGUE_NEEDED]
    told = 0
    for bug in bugs[::every]:
        observations = observe_all(spec, spec.in_textbook_form(plant([bug])), 0, SIZES)
        if observations.pattern:  # else its numbers are right, and it changes an array in place
            places = localize(observations, {})
            gate = bug.equation.replace("da_", "d")  # a gate and its pre-activation cannot be told apart
            assert {f"{bug.equation} in {bug.function}", f"{gate} in {bug.function}"} & set(places), bug.id
            assert len(places) <= 5, bug.id
            told += 1
    assert told >= 3
