"""The measurement of the diagnosis runs, holds what the page promises, and would see a wrong answer."""

import json

import pytest

from npbilstm.diagnosis.results import Diagnosis
from npbilstm.mistakes.catalogue import BUGS
from tests.diagnosis import measure
from tests.diagnosis.measure import Trial, places_of, verdict


@pytest.mark.slow
def test_of_a_few_files_nearly_all_are_named_and_none_is_misnamed(tmp_path):
    assert measure.main(["--quick", "--out", str(tmp_path)]) == 0
    results = json.loads((tmp_path / "diagnosis.json").read_text())
    counts = results["mistakes"]
    known = [counts[kind] for kind in list(counts)[:3]]
    assert sum(row["named"] for row in known) >= 0.95 * sum(row["files"] for row in known)
    assert all(row["misnamed"] == row["missed"] == 0 for row in counts.values())
    assert all(row["files"] == sum(row[verdict] for verdict in measure.VERDICTS) > 0 for row in counts.values())
    assert all(row["false alarms"] == 0 for row in results["correct"].values())
    assert 0 < results["seconds"]["all right"] < 5
    page = (tmp_path / "diagnosis.md").read_text()
    assert f"one of the {len(BUGS)} in the catalogue, {sum(row['named'] for row in known)} had it named" in page


ONE, OTHER, THIRD = "dx-sign", "db-first-row-only", "do-uses-c"
NOWHERE = "wrong, no equation"
PLACE, ANOTHER = places_of(ONE)[0], places_of(OTHER)[0]


INSIDE = "df in the step inside lstm_backward"


def said(*named, located=(), perhaps=(), findings=()):
    bugs = tuple(tuple(BUGS[id] for id in ids.split()) for ids in named)
    return Diagnosis("lstm", (), (), named=bugs, located=located, perhaps=perhaps, findings=findings)


@pytest.mark.parametrize(
    ("planted", "diagnoses", "expected"),
    [
        (ONE, [said(ONE)], "named"),
        (ONE, [said(ONE, OTHER)], "named among others"),
        (ONE, [said(OTHER)], "misnamed"),
        (ONE, [said(f"{ONE} {OTHER}")], "misnamed"),
        (ONE, [said(ONE), said(OTHER)], "misnamed"),
        (ONE, [said(), said(ONE)], NOWHERE),
        (ONE, [said(located=("here", PLACE))], "located"),
        (ONE, [said(located=(ANOTHER,))], "located elsewhere"),
        (ONE, [said()], NOWHERE),
        (ONE, [], "missed"),
        (f"{ONE} {OTHER}", [said(f"{OTHER} {ONE}")], "named"),
        (f"{ONE} {OTHER}", [said(ONE), said(OTHER)], "named"),
        (f"{ONE} {OTHER}", [said(f"{ONE} {OTHER}", f"{ONE} {THIRD}")], "named among others"),
        (f"{ONE} {OTHER}", [said(ONE)], "one of two named"),
        (f"{ONE} {OTHER}", [said(f"{ONE} {THIRD}")], "misnamed"),
        (f"{ONE} {OTHER}", [said(located=(PLACE,)), said(located=(ANOTHER,))], "located"),
        (f"{ONE} {OTHER}", [said(located=(PLACE,))], "one of two located"),
        (ONE, [said(perhaps=("here", PLACE))], "perhaps there"),
        (ONE, [said(perhaps=(ANOTHER,))], "perhaps elsewhere"),
        (f"{ONE} {OTHER}", [said(perhaps=(PLACE,))], "perhaps there"),
        ("da-f-slope-missing", [said(located=("df in lstm_step_backward",))], "located"),
        ("da-f-slope-missing", [said(located=(INSIDE,))], "located"),
        ("bias-missing", [said(located=("f in the step inside lstm_forward",))], "located"),
        ("bias-missing", [said(located=("h in lstm_step_forward",))], "located elsewhere"),
        ("dc-next-zeroed", [said(located=("dc_prev in the step inside lstm_backward",))], "located"),
        ("dc-final-ignored", [said(located=("dh_next, dc_next in lstm_backward",))], "located"),
        ("sigmoid-taken-twice", [said(located=("df in lstm_step_backward",))], "located elsewhere"),
        ("dh-changed-in-place", [said(findings=("lstm_backward changes its dh in place; it must not",))], "located"),
        ("dh-changed-in-place", [said(findings=("lstm_forward changes its x in place; it must not",))], NOWHERE),
    ],
)
def test_what_is_said_is_counted_as_what_it_is(planted, diagnoses, expected):
    assert verdict(Trial((), tuple(planted.split())), diagnoses) == expected


def test_what_the_catalogue_lacks_is_misnamed_by_any_name_but_those_it_is_made_of():
    def without(id):
        return Trial((), (id,), frozenset({id}))

    assert verdict(without("tanh-taken-twice"), [said("dc-tanh-taken-twice da-g-tanh-taken-twice")]) == "named"
    assert verdict(without("tanh-taken-twice"), [said("dc-tanh-taken-twice dx-sign")]) == "misnamed"
    assert verdict(without(ONE), [said(OTHER)]) == "misnamed"
    clip = BUGS["dh-next-clipped"]._replace(id="dh-next-clipped-to-0.1")
    assert verdict(without("dh-next-clipped"), [Diagnosis("lstm", (), (), named=((clip,),))]) == "named"


def test_a_label_that_is_not_the_plants_is_counted_as_misnamed():
    assert measure.outcome(Trial((measure.STEP_BUGS[ONE],), (OTHER,))).verdict == "misnamed"


def test_a_file_without_its_plant_is_counted_as_missed():
    assert measure.outcome(Trial((), (ONE,))).verdict == "missed"
