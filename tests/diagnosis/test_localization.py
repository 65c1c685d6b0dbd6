"""Without the catalogue: which equations could be wrong, in any way at all, so that these numbers come out."""

import pytest

from npbilstm.diagnosis.localization import Context, localize
from npbilstm.diagnosis.matching import candidates
from npbilstm.diagnosis.observations import observe_all
from npbilstm.diagnosis.stages import SIZES
from npbilstm.mistakes.planting import plant
from npbilstm.submission.course_specs import ALL_SPECS

MANY_EQUATIONS = {
    *("cache-of-last-step", "cache-one-step-off"),
    *("recurrent-cache-of-last-step", "recurrent-cache-one-step-off"),
}
"""Mistakes that spoil all equations of a step: no few of them explain it."""
IN_OTHERS_NUMBERS = {
    "dc-before-carry": "dc_t",
    "recurrent-loop-runs-forward": "order",
    "recurrent-carry-accumulated": "dh_prev",
    "recurrent-truncated-after-one-step": "dh_next",
    "recurrent-truncated-after-two-steps": "dh_next",
    "recurrent-initial-state-gradient-lost": "dh0",
    "gru-before-gate-gradients-swapped": "dr, dz",
    "gru-before-gate-gradients-swapped-where-z-writes": "dr, dz",
    "recurrent-gradients-negated": "a factor of all gradients",
}
"""Mistakes that have the numbers of another equation's."""


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("name", "function", "every"),
    [
        ("lstm_step", "lstm_step_backward", 5),
        ("lstm", "lstm_backward", 5),
        ("gru_step", "gru_step_backward", 5),
        ("lstm", "lstm_step_backward", 7),
        ("bilstm", "lstm_step_backward", 20),
        ("bilstm", "bilstm_backward", 2),
        ("gru_reset_before_step", "gru_reset_before_step_backward", 2),
        ("lstm_variant_step", "lstm_variant_step_backward", 2),
        ("rnn", "recurrent_backward", 1),
        ("gru", "gru_step_backward", 7),
    ],
)
def test_the_equation_is_told_for_certain_and_few_others(name, function, every):
    spec = ALL_SPECS[name]
    bugs = [bug for bug in candidates(spec) if bug.function == function and bug.id not in MANY_EQUATIONS]
    told = tried = 0
    for bug in bugs[::every]:
        pair = spec.in_textbook_form(plant([bug]))
        observations = observe_all(spec, pair, 0, SIZES)
        if observations.pattern and not {stage for stage, _ in observations.pattern} <= {
            "ragged lengths",
            "an empty row",
        }:
            found = localize(observations, Context(pair))
            tried += 1
            if not found.certain:
                continue
            equation = IN_OTHERS_NUMBERS.get(bug.id, bug.equation)
            own = {part.replace("da_", "d") for part in equation.split(", ")}
            own |= {"dWx", "dWh", "db", "a factor of all gradients"} if "grads" in own else set()
            said = {part for place in found.places for part in place.split(" in ")[0].split(", ")}
            assert own & said, (bug.id, own, said)
            told += 1
    assert told >= 0.6 * tried >= 1, (told, tried)
