"""Hunts from the museum: the mistake is there, is told when it is mended, and the file does not give it away."""

import pytest

from npbilstm.classroom.museum_hunt import (
    edition,
    exhibit_of,
    hints_of,
    hunted,
    museum_seed,
    museum_source,
    state_by,
    state_of,
)
from npbilstm.cli import main
from npbilstm.diagnosis.diagnosis import diagnose_pairs
from npbilstm.diagnosis.results import Diagnosis
from npbilstm.mistakes import BUGS
from npbilstm.mistakes.exhibit import run
from npbilstm.submission.layouts import Layout
from npbilstm.submission.submitted_code import SubmittedCode
from npbilstm.submission.submitted_pair import submitted_pairs

SEEDS = range(len(hunted()))


def mended(source, exhibit):
    """A hunt's file, the mistake in it mended."""
    for wrong, right in run(exhibit.path.read_text(), exhibit.name)["MENDED"].items():
        assert source.count(wrong) == 1
        source = source.replace(wrong, right)
    return source


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_each_can_be_solved(seed, tmp_path):
    exhibit, source, path = exhibit_of(seed), museum_source(seed), tmp_path / "hunted.py"
    path.write_text(source)
    state = state_of(path, exhibit, 10)
    assert (state.left, state.shows[:8]) == ("it", "It shows")
    path.write_text(mended(source, exhibit))
    assert state_of(path, exhibit, 10) == ("none", "")


def test_as_many_seeds_as_there_are_give_each_once_and_then_in_another_order():
    turns = [[exhibit_of(turn * len(SEEDS) + seed).name for seed in SEEDS] for turn in range(2)]
    assert len(SEEDS) > 40
    assert turns[0] != turns[1]
    assert all(len(set(turn)) == len(SEEDS) for turn in turns)
    with pytest.raises(ValueError, match="seed is -1; it needs to be 0 or more"):
        exhibit_of(-1)


def test_the_file_does_not_give_the_mistake_away():
    for seed in SEEDS:
        exhibit, source = exhibit_of(seed), museum_source(seed)
        for said in (exhibit.name, exhibit.title, exhibit.source, exhibit.bug or exhibit.said, "MENDED", "SOURCE"):
            assert said not in source, exhibit.name
        comments = [line for line in source.split("\n") if "#" in line and "lines with #" not in line]
        assert all(line.startswith(("# hunt: museum=", "# npbilstm: ")) for line in comments)
        assert len(comments) == 1 + bool(exhibit.settings)


def test_hints_go_from_what_it_is_about_to_the_right_line():
    for exhibit in hunted():
        vague, closer, right = hints_of(exhibit)
        assert vague != closer
        assert right.startswith("Right is: ")
        assert all(line in exhibit.mended for line in right.removeprefix("Right is: ").split("; ")[:1])
        assert not any(line in exhibit.code.split("\n") for line in right.removeprefix("Right is: ").split("; "))


def test_a_file_tells_its_seed_and_one_of_another_edition_is_refused():
    assert museum_seed(museum_source(4)) == 4
    assert museum_seed("# hunt: seed=1 level=1 bugs=1 edition=00000000\n") is None
    with pytest.raises(ValueError, match="made with another edition of the museum"):
        museum_seed(museum_source(4).replace(edition(), "00000000"))


def diagnosed(code):
    """What is found out about the functions in some code."""
    functions = {
        name: value for name, value in run(code, "hunted").items() if getattr(value, "__module__", "") == "hunted"
    }
    submitted = SubmittedCode(functions)
    pairs = submitted_pairs(submitted.subjects(Layout()), lambda name: submitted.pair(name, Layout()))
    return list(diagnose_pairs(pairs))


def test_what_is_wrong_in_another_way_is_not_taken_for_it():
    exhibit = next(each for each in hunted() if each.name == "qixianbiao_no_carry")
    assert state_by(diagnosed(exhibit.code), exhibit).left == "it"
    assert state_by(diagnosed(exhibit.mended), exhibit).left == "none"
    for other in ("da @ Wx.T, 2 * da @ Wh.T", "-da @ Wx.T, da @ Wh.T"):
        changed = exhibit.mended.replace("da @ Wx.T, da @ Wh.T", other)
        assert changed != exhibit.mended
        assert state_by(diagnosed(changed), exhibit).left == "other"
    stopped = Diagnosis("rnn", ("rnn_forward",), (), stopped="ZeroDivisionError: division by zero")
    assert state_by([stopped], exhibit) == ("other", "rnn_forward stops: ZeroDivisionError: division by zero")
    assert exhibit.bug in BUGS


@pytest.mark.slow
def test_a_hunt_from_the_museum_as_a_person_types_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["hunt", "new", "--from", "museum", "--seed", "12"]) == 0
    path = tmp_path / "hunt-museum-12" / "hunted.py"
    exhibit, source = exhibit_of(12), path.read_text()
    capsys.readouterr()
    assert main(["hunt", "check", "hunt-museum-12", "--hint", "1"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("1 mistake of 1 left.\nIt shows at the stage ")
    assert "hint 1: " in out
    assert exhibit.source not in out
    path.write_text(mended(source, exhibit))
    assert main(["hunt", "check", "hunt-museum-12"]) == 0
    assert exhibit.source in capsys.readouterr().out
    path.write_text(f"{source}\n\n{exhibit.name} = 1 / 0\n")
    assert main(["hunt", "check", str(path)]) == 2
    assert "ZeroDivisionError" in capsys.readouterr().err
    path.write_text("\n".join(line for line in source.split("\n") if line.startswith("#")))
    assert main(["hunt", "check", str(path)]) == 2
    assert "its functions need to be left" in capsys.readouterr().err


def test_levels_do_not_go_with_the_museum(tmp_path, capsys):
    assert main(["hunt", "new", str(tmp_path), "--from", "museum", "--level", "2"]) == 2
    assert "--level does not go with --from museum" in capsys.readouterr().err
