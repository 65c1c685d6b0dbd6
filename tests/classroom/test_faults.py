"""Where npbilstm itself fails at an exercise, that exercise is not judged, and nobody else's work is touched."""

import json
import os

import pytest

from npbilstm.classroom import grading
from npbilstm.classroom.exercises import EXERCISES
from npbilstm.classroom.formats import file_name
from npbilstm.cli import main
from tests.classroom.written import written

pytestmark = pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="the sandbox is Linux's")
FLIP, PADDING = EXERCISES["flip"], EXERCISES["padding"]


@pytest.fixture
def failing(monkeypatch):
    """judge fails at flip, once with some error, until it is mended."""
    right = grading.judge

    def fails(exercise, *arguments, **options):
        if exercise.name == "flip":
            raise ValueError("Output operand requires a\nreduction")
        return right(exercise, *arguments, **options)

    monkeypatch.setattr(grading, "judge", fails)
    return lambda: monkeypatch.setattr(grading, "judge", right)


def graded(folder, capsys):
    options = [
        "--out",
        str(folder / "out"),
        "--jobs",
        "1",
        "--seed",
        "1",
        "--only",
        "flip",
        "padding",
        "--hint-by-attempt",
        "1,2",
    ]
    code = main(["grade", str(folder / "in"), *options])
    lines = (folder / "out" / "results.jsonl").read_text().splitlines()
    return code, [json.loads(line)["parts"] for line in lines], capsys.readouterr().out


def test_a_fault_of_npbilstm_costs_no_other_exercise_and_is_graded_when_it_is_mended(failing, tmp_path, capsys):
    for name in ("ann", "ben"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for exercise in (FLIP, PADDING):
            (tmp_path / "in" / name / file_name(exercise, "py")).write_text(written(exercise))
    code, found, said = graded(tmp_path, capsys)
    assert code == 3
    for flip, padding in found:
        assert (flip["state"], flip["score"]) == ("not judged", 0)
        assert "npbilstm itself stopped (ValueError: Output operand requires a reduction)" in flip["feedback"]
        assert (padding["state"], padding["score"]) == ("right", PADDING.points)
    assert said.count("flip: not judged; npbilstm itself stopped (ValueError: ") == 2
    assert "not judged" in (tmp_path / "out" / "class.html").read_text()
    failing()
    code, found, _ = graded(tmp_path, capsys)
    assert code == 0
    assert [[part["state"] for part in parts] for parts in found] == [["right", "right"]] * 2
    assert {json.loads(path.read_text())["attempt"] for path in (tmp_path / "out" / "submissions").iterdir()} == {1}
