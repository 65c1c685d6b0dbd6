"""What is expected is made once and is the same for all: nobody can change it, and no mistake is planted twice."""

import numpy as np
import pytest

from npbilstm import textbook
from npbilstm.diagnosis import expected
from npbilstm.diagnosis.comparison import RIGHT, block_errors, is_near
from npbilstm.diagnosis.diagnosis import diagnose_pair
from npbilstm.diagnosis.expected import expected_of
from npbilstm.diagnosis.stages import SIZES
from npbilstm.mistakes import BUGS, plant
from npbilstm.submission.function_spec import Pair
from npbilstm.submission.specs import SPECS

STEP = SPECS["rnn_step"]
WRONG_PAIR = STEP.in_textbook_form(plant([BUGS["rnn-dwh-new-state"]]))


def test_who_overwrites_the_inputs_changes_nothing_for_the_next():
    right = SPECS["flip"].in_textbook_form(textbook)

    def forward(inputs):
        outputs = right.forward({name: array.copy() for name, array in inputs.items()})
        for array in inputs.values():
            array[...] = 0
        return outputs

    found = diagnose_pair(SPECS["flip"], Pair(forward, None), seed=11)
    assert {"x", "lengths"} == {name for stage in found.stages for name in stage.changed}
    assert diagnose_pair(SPECS["flip"], right, seed=11).ok


def test_what_is_expected_cannot_be_written_to():
    for case in expected_of(STEP, 11, SIZES, ()).cases:
        for array in (*case.inputs.values(), *case.upstream.values()):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0.0


def test_a_mistake_is_planted_once_however_many_have_it(monkeypatch):
    planted = []
    monkeypatch.setattr(expected, "plant", lambda bugs: planted.append(bugs) or plant(bugs))
    first = diagnose_pair(STEP, WRONG_PAIR, seed=12)
    count = len(planted)
    assert count > 5
    assert diagnose_pair(STEP, WRONG_PAIR, seed=12) == first
    assert len(planted) == count
    diagnose_pair(STEP, WRONG_PAIR, seed=13)
    assert len(planted) == 2 * count


def test_another_spec_of_a_name_has_cases_of_its_own():
    other = STEP._replace(title="another")
    assert expected_of(other, 0, SIZES, ()) is not expected_of(STEP, 0, SIZES, ())
    assert expected_of(STEP, 0, SIZES, ()) is expected_of(STEP, 0, SIZES, ())


@pytest.mark.parametrize("seed", range(20))
def test_what_is_near_has_no_block_that_is_wrong(seed):
    rng = np.random.default_rng(seed)
    right = rng.standard_normal((3, 8)) * np.repeat(10.0 ** rng.integers(-9, 3, 4), 2)
    got = right + 10.0 ** rng.integers(-16, -5) * rng.standard_normal(right.shape)
    errors = block_errors(got, right, tuple("ifgo"))
    if is_near(got, right, RIGHT):
        assert max(errors.values()) <= RIGHT
    assert is_near(right, right.copy(), RIGHT)
    assert not is_near(np.where(right == right.max(), np.nan, right), right, RIGHT)
    assert not is_near(right[:2], right, RIGHT)
