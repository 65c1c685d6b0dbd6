"""Of a student's weighted cross-entropy every catalogued mistake is named, and it alone."""

import pytest

from npbilstm.diagnosis.diagnosis import diagnose_pair
from npbilstm.mistakes.catalogue.weighted_cross_entropy import BUGS
from npbilstm.mistakes.planting import Bug, plant
from npbilstm.submission.specs import SPECS

SPEC = SPECS["weighted_cross_entropy"]


def diagnosed(*bugs):
    return diagnose_pair(SPEC, SPEC.in_textbook_form(plant(bugs)))


@pytest.mark.few(4)
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)
def test_a_catalogued_mistake_is_named_and_nothing_else(bug):
    assert [tuple(each.id for each in found) for found in diagnosed(bug).named] == [(bug.id,)]


def test_there_are_a_dozen_and_more():
    assert len(BUGS) >= 12


def test_what_is_right_is_called_right_and_what_no_one_knows_is_wrong():
    assert diagnosed().ok
    line = "return w[..., None] * (p - onehot) * (dloss / W)"
    unknown = Bug("x", "weighted_cross_entropy_backward", line, line.replace("(p - onehot)", "p"), "dlogits", "", ())
    assert not diagnosed(unknown).ok
    assert not diagnosed(unknown).named
