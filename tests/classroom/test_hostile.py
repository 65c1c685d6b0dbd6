"""No submission gains a point, touches what is outside, learns what it was tried with, or harms another's."""

import contextlib
import os
from pathlib import Path

import pytest

import npbilstm
from npbilstm.classroom.exercises import EXERCISES
from npbilstm.classroom.graded import feedback
from npbilstm.classroom.grading import grade_sources
from npbilstm.submission import sandbox_trial
from npbilstm.submission.sandbox import Layers, find_bubblewrap
from npbilstm.submission.sandbox_trial import best_sandbox, openings
from tests.classroom.hostile import HOSTILE, attempt, ending, endings_told
from tests.classroom.written import written

SANDBOXES = {"self-containment": Layers(), "bubblewrap": Layers(find_bubblewrap())}
FEW = ("reads the reference from site-packages", "forks", "exits", "answers for the runner")
FLIP, AFTER = EXERCISES["flip"], EXERCISES["gru"]

needs_linux = pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="the sandbox is Linux's")


@pytest.fixture(scope="module")
def sandboxes():
    """The sandboxes that a trial run finds without an opening here."""
    return [
        name
        for name, layers in SANDBOXES.items()
        if (name != "bubblewrap" or layers.bubblewrap) and openings(layers) == ()
    ]


def grade(source, layers, **limits):
    """A hostile file, and a right one after it."""
    sources = {FLIP: ("flip.py", source), AFTER: ("gru.py", written(AFTER))}
    return grade_sources(sources, [FLIP, AFTER], layers, seed=7, **limits)


CASES = [
    pytest.param(attack, sandbox, marks=() if attack in FEW and sandbox == "self-containment" else pytest.mark.slow)
    for sandbox in SANDBOXES
    for attack in HOSTILE
]


def children():
    """The numbers of this process's children, those that have ended and were not waited for among them."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended since
            if int(stat.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.add(stat.parent.name)
    return found


@needs_linux
@pytest.mark.parametrize(("attack", "sandbox"), CASES)
def test_an_attack_gains_nothing_and_the_rest_is_graded(attack, sandbox, sandboxes, tmp_path, capfd):
    if sandbox not in sandboxes:
        pytest.skip(f"{sandbox} does not hold on this machine")
    canary, mark = tmp_path / "canary", tmp_path / "mark"
    canary.write_text("alive")
    places = {
        "PARENT": os.getpid(),
        "MARK": str(mark),
        "CANARY": str(canary),
        "HOME": str(Path(npbilstm.__file__).parents[1]),
        "ANSWERS": str(Path(npbilstm.__file__).parent / "textbook" / "bidirectional.py"),
    }
    source = "".join(f"{name} = {value!r}\n" for name, value in places.items()) + HOSTILE[attack]
    before = children()
    hostile, innocent = grade(source, SANDBOXES[sandbox], seconds=1.0)
    said = feedback(hostile, 3) + "".join(capfd.readouterr())
    assert hostile.points == 0, said
    assert hostile.state in ("wrong", "not yet written"), said
    if attack != "patches the runner":  # which spoils what comes after it, of its own submission
        assert innocent.points == AFTER.points, innocent.result
    assert canary.read_text() == "alive"
    assert canary.stat().st_mode & 0o600 == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["canary"]
    assert not Path("/tmp/npbilstm-was-here").exists()
    assert not Path("/dev/shm/npbilstm-was-here").exists()
    assert "INPUTS" not in said
    assert "\x1b" not in said
    assert len(said) < 5000
    assert children() <= before  # nothing was left behind
    assert attack in endings_told()[ending(said)], said


@needs_linux
def test_what_comes_through_would_have_all_points():
    assert grade(attempt("import math"), Layers(contained=False))[0].points == FLIP.points


@needs_linux
@pytest.mark.slow
def test_a_machine_without_bubblewrap_has_the_runner_contain_itself(monkeypatch):
    monkeypatch.setattr(sandbox_trial, "find_bubblewrap", lambda: "")
    assert best_sandbox() == (Layers(), ())


@needs_linux
def test_the_trial_finds_what_is_open():
    assert openings(Layers("/bin/false")) is None
