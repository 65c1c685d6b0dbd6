"""Assignments for nbgrader and otter: with the solutions in them, which the tools take out; and graded by the tools."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from npbilstm.classroom import check_exercise
from npbilstm.classroom.exercises import ALL, EXERCISES
from npbilstm.classroom.formats import nbgrader_notebook, otter_notebook
from npbilstm.classroom.judging import check_file
from npbilstm.cli import main
from tests.classroom.written import namespace

TOOLS = Path(sys.executable).parent
FLIP = "ex09_flip.ipynb"


def code_in(text):
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def run_with_its_test(exercise, source):
    """Run an assignment's code and its test, which for nbgrader is the last of the lines."""
    names = namespace(source)
    names[f"test_{exercise.name}"](names)


@pytest.mark.few(2)
@pytest.mark.parametrize("exercise", ALL, ids=list(EXERCISES))
def test_what_is_between_the_marks_is_the_solution_and_what_is_left_is_not_written(exercise):
    for text, begin in [(nbgrader_notebook(exercise), "### BEGIN"), (otter_notebook(exercise), "# BEGIN")]:
        solved = code_in(text)
        names = namespace(re.sub(r'""" # BEGIN PROMPT.*?""" # END PROMPT', "", solved, flags=re.DOTALL))
        if begin == "# BEGIN":
            names[f"test_{exercise.name}"](names)
        assert check_exercise(exercise.name, names).state == "right"
        left = re.sub(
            rf"    {begin} SOLUTION.*?END SOLUTION\n?", "    raise NotImplementedError\n", solved, flags=re.DOTALL
        )
        with pytest.raises(AssertionError, match="not yet written"):
            run_with_its_test(exercise, left)


@pytest.mark.few(1)
@pytest.mark.parametrize("variant", [None, 7])
@pytest.mark.parametrize("exercise", ALL, ids=list(EXERCISES))
def test_a_solution_is_right_where_the_textbook_is_out_of_reach(exercise, variant, tmp_path):
    for k, make in enumerate((nbgrader_notebook, otter_notebook)[: 1 + (variant is None)]):
        path = tmp_path / f"{k}.ipynb"
        path.write_text(make(exercise, variant))
        result = check_file(exercise, path)
        assert (result.state, result.reason) == ("right", "")


def test_the_points_stand_where_the_tools_look_for_them():
    cells = json.loads(nbgrader_notebook(EXERCISES["flip"]))["cells"]
    about = [cell["metadata"]["nbgrader"] for cell in cells]
    assert [each["grade_id"] for each in about] == ["flip-task", "flip-given", "flip-flip", "flip-test"]
    assert [(each["solution"], each["grade"], each["locked"], each.get("points")) for each in about[2:]] == [
        (True, False, False, None),
        (False, True, True, 5),
    ]
    raw = [cell for cell in json.loads(otter_notebook(EXERCISES["flip"]))["cells"] if cell["cell_type"] == "raw"]
    assert "".join(raw[1]["source"]) == "# BEGIN QUESTION\nname: flip\npoints: 5"


def run(tool, *arguments, folder):
    """Run one of the tools, whose settings and kernels are those of this folder and this Python."""
    if not (TOOLS / tool).exists() and not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    homes = {name: str(folder / "jupyter") for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    environment = {**os.environ, **homes, "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [tool, *map(str, arguments)], cwd=folder, capture_output=True, text=True, env=environment, timeout=200
    )
    assert done.returncode == 0, done.stderr


def graded_as_they_lie(folder):
    """The points that `npbilstm grade` gives for what nbgrader or otter have handed out and got back."""
    asked = ["grade", str(folder / "submitted"), "--out", str(folder / "results"), "--only", "flip", "--jobs", "1"]
    assert main([*asked, "--seed", "2"]) == 0
    lines = (folder / "results/results.jsonl").read_text().splitlines()
    return {record["submission"]: record["score"] for record in map(json.loads, lines)}


@pytest.mark.slow
def test_nbgrader_hands_out_and_grades(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text('c = get_config()\nc.CourseDirectory.course_id = "course"\n')
    assert main(["exercise", "start", str(tmp_path / "source/ps1"), "--only", "flip", "--format", "nbgrader"]) == 0
    run("nbgrader", "generate_assignment", "ps1", "--create", folder=tmp_path)
    for name, source in [("empty", "release"), ("full", "source")]:
        shutil.copytree(tmp_path / source / "ps1", tmp_path / "submitted" / name / "ps1")
    assert "SOLUTION" not in (tmp_path / "release/ps1" / FLIP).read_text()
    run("nbgrader", "autograde", "ps1", folder=tmp_path)
    run("nbgrader", "export", folder=tmp_path)
    with open(tmp_path / "grades.csv", newline="") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores == graded_as_they_lie(tmp_path) == {"empty": 0, "full": 5}


@pytest.mark.slow
def test_otter_hands_out_and_grades(tmp_path):
    assert main(["exercise", "start", str(tmp_path), "--only", "flip", "--format", "otter"]) == 0
    run("otter", "assign", FLIP, "dist", folder=tmp_path)
    assert "source[" not in (tmp_path / "dist/student" / FLIP).read_text()
    (grader,) = (tmp_path / "dist/autograder").glob("*.zip")
    for place, score in [("student", 0), ("autograder", 5)]:
        (tmp_path / place).mkdir()
        (tmp_path / "submitted" / place / "ps1").mkdir(parents=True)
        shutil.copy(tmp_path / "dist" / place / FLIP, tmp_path / "submitted" / place / "ps1")
        run("otter", "run", "-a", grader, "-o", place, f"dist/{place}/{FLIP}", folder=tmp_path)
        tests = json.loads((tmp_path / place / "results.json").read_text())["tests"]
        assert sum(test.get("score") or 0 for test in tests) == score
    assert graded_as_they_lie(tmp_path) == {"student": 0, "autograder": 5}
