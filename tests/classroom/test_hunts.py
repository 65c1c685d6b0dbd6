"""Bug hunts: the same seed gives the same, what is written is what was drawn, and every one can be solved."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from npbilstm.classroom.hunt import (
    KINDS,
    LEVELS,
    ONE_STEP,
    UNSEEN,
    alike,
    bugs_of_kind,
    cases_of_hunts,
    edition,
    interact,
    new_hunt,
    observed,
    planted_bugs,
    remaining,
    spec_of_hunts,
    subsets,
)
from npbilstm.classroom.hunt_files import hunt_in, hunted_source, tools_source
from npbilstm.diagnosis.consistency import inconsistent_gradients
from npbilstm.mistakes import BUGS, plant
from tests.classroom.written import namespace

SPEC = spec_of_hunts()


def pair_in(source):
    return SPEC.in_textbook_form(SimpleNamespace(**namespace(source)))


def mended(hunt, left, monkeypatch):
    """The source of a hunt in which these of its mistakes are left, the rest mended, and nothing else changed."""
    with monkeypatch.context() as patch:
        patch.setattr("npbilstm.classroom.hunt_files.planted_bugs", lambda _: left)
        return hunted_source(hunt)


def solved(hunt, monkeypatch):
    """Whether the file shows what was drawn, and each mistake that is mended is told, until none is left."""
    bugs = planted_bugs(hunt)
    for left in (bugs, *(bugs[k:] for k in range(1, len(bugs))), ()):
        if remaining(hunt, pair_in(mended(hunt, left, monkeypatch))) != left:
            return False
    return True


def is_seen(bug):
    """Whether a gradient check sees a mistake."""
    pair = SPEC.in_textbook_form(plant((bug,)))
    seen = zip(cases_of_hunts(), observed(pair))
    return any(inconsistent_gradients(pair, case, got.gradients) for case, got in seen)


@pytest.mark.few(2)
@pytest.mark.parametrize("level", LEVELS)
def test_a_hunt_is_of_its_level_and_can_be_solved(level, monkeypatch):
    hunt = new_hunt(seed=level, level=level)
    bugs = planted_bugs(hunt)
    assert len(bugs) == len(KINDS[level])
    assert sum(bug.id in UNSEEN for bug in bugs) == (level > 3)
    if level < 3:
        assert (bugs[0].function in ONE_STEP) == (level == 1)
    if level == 5:
        assert bugs[0].function == bugs[1].function
        assert interact(*bugs[:2])
    assert solved(hunt, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_every_one_of_two_hundred_can_be_solved(level, monkeypatch):
    for seed in range(level, 200, len(LEVELS)):
        assert solved(new_hunt(seed, level), monkeypatch), seed


@pytest.mark.slow
def test_a_gradient_check_sees_all_but_those_that_are_said_to_be_unseen():
    for bug in bugs_of_kind("seen"):
        assert is_seen(bug), bug.id
    assert {bug.id for bug in bugs_of_kind("unseen")} == set(UNSEEN)
    for name in UNSEEN:
        assert not is_seen(BUGS[name]), name


def test_the_same_seed_gives_the_same_file_and_another_seed_another():
    files = {hunted_source(new_hunt(seed, 2)) for seed in (1, 1, 2, 3)}
    assert len(files) == 3
    assert hunt_in(hunted_source(new_hunt(7, 1, 2))) == (7, 1, 2)


def test_the_file_does_not_give_the_mistakes_away():
    for seed in range(3):
        hunt = new_hunt(seed, 2)
        source = hunted_source(hunt)
        assert not any(bug.id in source for bug in planted_bugs(hunt))
        assert [line for line in source.split("\n") if "#" in line] == [source.split("\n")[7]]


def test_other_names_and_another_order_change_no_number(monkeypatch):
    right = observed(SPEC.in_textbook_form(plant(())))
    texts = {mended(new_hunt(seed, 2), (), monkeypatch) for seed in range(2)}
    assert len(texts) == 2
    for text in texts:
        assert alike(observed(pair_in(text)), right)


def test_a_change_that_makes_something_new_is_none_of_what_was_planted():
    hunt = new_hunt(1, 2)
    source = hunted_source(hunt).replace("return (y, h_T, c_T,", "return (y * 2, h_T, c_T,")
    assert remaining(hunt, pair_in(source)) is None


def test_there_are_as_many_subsets_as_there_are():
    assert [len(some) for some in subsets((1, 2, 3))] == [0, 1, 1, 1, 2, 2, 2, 3]


@pytest.mark.slow
def test_the_tools_find_what_they_can_and_no_fault_with_the_right_passes(capsys, monkeypatch):
    right = mended(new_hunt(0), (), monkeypatch)
    unseen = f"{right}\n\ndef flip(x, lengths=None):\n    return x.copy()\n"
    said = []
    for source in (right, unseen):
        module = ModuleType("bilstm")
        vars(module).update(namespace(source))
        monkeypatch.setitem(sys.modules, "bilstm", module)
        namespace(tools_source())
        said.append(capsys.readouterr().out)
    assert [text.count("none\n") for text in said] == [4, 4]
    assert "WRONG" not in said[0]
    assert "WRONG  y of two directions\n  expected [[[" in said[1]
    assert "ok     h of one step" in said[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"seed": -1}, "seed is -1; it needs to be 0 or more"),
        ({"seed": 0, "level": 6}, "level is 6; it needs to be 1 to 5"),
        ({"seed": 0, "level": 5, "count": 2}, "bugs is 2; at level 5 it needs to be 3 to 4"),
        ({"seed": 0, "count": 9}, "bugs is 9; at level 1 it needs to be 1 to 4"),
    ],
)
def test_numbers_out_of_range_are_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        new_hunt(**arguments)


def test_a_file_of_another_edition_or_of_none_is_refused():
    source = hunted_source(new_hunt(1))
    with pytest.raises(ValueError, match="made with another edition of the catalogue"):
        hunt_in(
            source.replace("edition=", "edition=00000000 ")[:0] + "# hunt: seed=1 level=1 bugs=1 edition=00000000\n"
        )
    with pytest.raises(ValueError, match="level is 9; it needs to be 1 to 5"):
        hunt_in(f"# hunt: seed=1 level=9 bugs=1 edition={edition()}\n")
    with pytest.raises(ValueError, match="it has no line `# hunt: "):
        hunt_in("import numpy as np\n")
