"""Of a student's CTC every catalogued mistake is named, and it alone."""

import inspect

import pytest

from npbilstm.cli import main
from npbilstm.diagnosis.diagnosis import diagnose_pair
from npbilstm.mistakes.catalogue import ctc, ctc_decoding, ctc_gradient
from npbilstm.mistakes.planting import Bug, plant
from npbilstm.submission.ctc_specs import CTC
from npbilstm.submission.specs import SPECS
from tests.submission import ctc_by_hand

LOSS = [*ctc.BUGS, *ctc_gradient.BUGS]
BUGS = [*LOSS, *ctc_decoding.BUGS]


def spec_of(bug):
    if bug in LOSS:
        return SPECS["ctc"]
    return SPECS["ctc_greedy" if bug.function == "ctc_greedy" else "ctc_beam"]


def named(spec, *bugs):
    diagnosis = diagnose_pair(spec, spec.in_textbook_form(plant(bugs)))
    return [tuple(bug.id for bug in found) for found in diagnosis.named]


@pytest.mark.few(3)
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)
def test_a_catalogued_mistake_is_named_and_nothing_else(bug):
    assert named(spec_of(bug), bug) == [(bug.id,)]


def test_there_are_a_dozen_of_each():
    count = [sum(spec_of(bug) is spec for bug in BUGS) for spec in CTC]
    assert count[0] >= 12
    assert count[1] + count[2] >= 12


def test_a_mistake_that_no_one_knows_is_wrong_and_not_named():
    unknown = Bug("x", "ctc_backward", "share[:, k] += gamma[:, s]", "share[:, k] += gamma[:, s] ** 2", "share", "", ())
    diagnosis = diagnose_pair(SPECS["ctc"], SPECS["ctc"].in_textbook_form(plant([unknown])))
    assert not diagnosis.ok
    assert not diagnosis.named


def test_numbers_that_are_infinite_in_both_agree():
    """Without a step over blanks the rows that need one have probability 0, and an infinite loss."""
    bug = next(bug for bug in ctc.BUGS if bug.id == "ctc-skip-missing")
    diagnosis = diagnose_pair(SPECS["ctc"], SPECS["ctc"].in_textbook_form(plant([bug])))
    assert any("loss" in stage.wrong_outputs for stage in diagnosis.stages)
    assert [bugs[0].id for bugs in diagnosis.named] == ["ctc-skip-missing"]


@pytest.mark.slow
def test_a_students_file_is_right_and_a_mistake_in_it_is_named(tmp_path, capsys):
    file, source = tmp_path / "mine.py", inspect.getsource(ctc_by_hand)
    for changes, code, found in [
        ((), 0, "All 2 are right"),
        ((("share[:, path[s]] += np", "share[:, path[s]] = np"),), 1, "ctc_backward: ctc-share-overwritten"),
        ((("before = k", "before = k or before"),), 1, "ctc_greedy: ctc-blanks-dropped-before-merging"),
        (
            (("not in (0, path[s - 2])", "!= 0"), ("not in (0, path[s + 2])", "!= 0")),
            1,
            "ctc-skip-between-equal-labels",
        ),
    ]:
        changed = source
        for old, new in changes:
            assert changed.count(old) == 1
            changed = changed.replace(old, new)
        file.write_text(changed)
        assert main(["check", str(file)]) == code
        assert found in capsys.readouterr().out
