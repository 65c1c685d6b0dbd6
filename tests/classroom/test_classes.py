"""A whole class: in every format and form its scores are as they should be, and the same on a machine that is busy."""

import os
import subprocess
import sys

import pytest

from npbilstm.classroom.exercises import EXERCISES
from npbilstm.classroom.formats import file_name
from npbilstm.cli import main
from tests.classroom.made_class import make_class
from tests.classroom.measure_grading import faults, records_in
from tests.classroom.written import written

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="the sandbox is Linux's"),
]
FEW = [EXERCISES[name] for name in ("flip", "gru", "gradient_checker")]
FLIP = EXERCISES["flip"]
SLOW = "import time\nbegin = time.process_time()\nwhile time.process_time() < begin + {}: pass\n"


def grade(folder, out, *options):
    """The results of a class, as they are written."""
    names = [exercise.name for exercise in FEW]
    assert main(["grade", str(folder), "--out", str(out), "--seed", "4", "--only", *names, *options]) == 0
    return (out / "results.jsonl").read_bytes()


def test_one_mistake_costs_points_where_it_is_in_every_format_and_form(tmp_path, capsys):
    made = make_class(tmp_path / "in", 25, FEW)
    grade(tmp_path / "in", tmp_path / "out", "--jobs", "2")
    assert list(faults(made, records_in(tmp_path / "out"), FEW)) == []


def test_three_busy_processes_beside_change_no_score(tmp_path, capsys):
    make_class(tmp_path / "in", 4, FEW)
    for name, seconds in [("nearly", 0.5), ("never", 10.0)]:
        (tmp_path / "in" / name).mkdir()
        text = written(FLIP).replace("import numpy as np\n", f"import numpy as np\n{SLOW.format(seconds)}", 1)
        (tmp_path / "in" / name / file_name(FLIP, "py")).write_text(text)
    quiet = grade(tmp_path / "in", tmp_path / "quiet", "--jobs", "1", "--seconds", "1")
    records = records_in(tmp_path / "quiet")
    assert [records[name]["parts"][0]["score"] for name in ("nearly", "never")] == [FLIP.points, 0]
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(3)]
    try:
        assert grade(tmp_path / "in", tmp_path / "busy", "--jobs", "1", "--seconds", "1") == quiet
    finally:
        for process in busy:
            process.kill()
            process.wait()
