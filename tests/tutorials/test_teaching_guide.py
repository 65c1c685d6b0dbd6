"""The teacher's guide: its commands are typed as they stand, in its order, with a small class between them."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from npbilstm.classroom.exercises import EXERCISES
from npbilstm.classroom.formats import file_name
from tests.classroom.hostile import HOSTILE, endings_told
from tests.classroom.written import body_of, written

GUIDE = (Path(__file__).parents[2] / "tutorials/guides/teaching.md").read_text()
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", GUIDE, re.MULTILINE | re.DOTALL))
TOOLS = Path(sys.executable).parent
WEEK = ("rnn_step", "bptt", "flip")
FLIP = EXERCISES["flip"]

needs_linux = pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="the sandbox is Linux's")

GRADESCOPE = {
    "": "score execution_time output output_format test_output_format test_name_format visibility stdout_visibility "
    "extra_data tests leaderboard",
    "tests": "score max_score status name name_format number output output_format tags visibility extra_data",
}
PRAIRIELEARN = {
    "": "gradable score message output images format_errors tests",
    "tests": "name description points max_points message output images",
}
"""The fields that the platforms document, of a result and of its tests."""


def scripts(section, kind="sh"):
    """The scripts of a section, in order."""
    return re.findall(rf"^```{kind}\n(.*?)^```", SECTIONS[section], re.MULTILINE | re.DOTALL)


def typed(script, folder, **places):
    """Run a script in a folder, as somebody types it. places: what stands for a folder of a platform."""
    for name, place in places.items():
        script = script.replace(f"/{name}/", f"{place}/")
    homes = {name: str(folder / "jupyter") for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    environment = {**os.environ, **homes, "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(folder)}
    done = subprocess.run(
        ["bash", "-eu", "-c", script], cwd=folder, capture_output=True, text=True, env=environment, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def hand_in(folder, bug=None, exercises=WEEK):
    """What somebody hands in."""
    folder.mkdir(parents=True)
    for exercise in map(EXERCISES.get, exercises):
        (folder / file_name(exercise, "py")).write_text(written(exercise, bug))


def solved(notebook, stub, bug=None):
    """A notebook that was handed out, its stub replaced by an answer."""
    made = json.loads(notebook.read_text())
    for cell in made["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "def flip(" in source:
            assert re.search(stub, source), source
            cell["source"] = body_of("flip", bug)
    return json.dumps(made)


def scores_in(folder):
    with open(folder / "results.csv", newline="") as file:
        return {row["submission"]: float(row["score"]) for row in csv.DictReader(file)}


def test_every_attack_stands_in_the_guide_and_nothing_else_does():
    listed = [name for names in endings_told().values() for name in names]
    assert set(listed) == set(HOSTILE)
    assert max(map(listed.count, listed)) <= 3  # where memory, the stack and time run out at once


@needs_linux
@pytest.mark.slow
def test_the_first_week_is_as_the_guide_says(tmp_path):
    for script in scripts("Monday: set and hand out"):
        typed(script, tmp_path)
    assert {path.name for path in (tmp_path / "ps1").iterdir()} == {file_name(EXERCISES[n], "py") for n in WEEK}
    assert "minutes" in (tmp_path / "teacher.md").read_text()
    assert "variant=7" in (tmp_path / "ps1-7" / file_name(FLIP, "py")).read_text()
    hand_in(tmp_path / "submitted" / "ann")
    hand_in(tmp_path / "submitted" / "bob" / "ps1", FLIP.mistakes[0])
    hand_in(tmp_path / "cyd")
    shutil.make_archive(str(tmp_path / "submitted" / "cyd"), "zip", tmp_path / "cyd")
    name = file_name(FLIP, "py")
    shutil.copy(tmp_path / "ps1" / name, tmp_path / "submitted" / f"dan_{name}")
    (script,) = scripts("Friday: grade")
    said = typed(script, tmp_path)
    assert "4 submissions graded" in said
    assert scores_in(tmp_path / "results") == {"ann": 25, "bob": 20, "cyd": 25, "dan": 0}
    assert {path.name for path in (tmp_path / "results").iterdir()} >= {"class.html", "grading.json", "submissions"}
    pages = {path.stem: path.read_text() for path in (tmp_path / "results" / "students").iterdir()}
    assert set(pages) == {"ann", "bob", "cyd", "dan"}
    assert FLIP.mistakes[0].hints[0].split(".")[0] in re.sub(r"\s+", " ", pages["bob"])
    again = typed(script, tmp_path)
    assert sorted(again.splitlines()) == sorted(said.splitlines())
    assert all(json.loads(p.read_text())["attempt"] == 1 for p in (tmp_path / "results" / "submissions").iterdir())


def needs_tool(name):
    if not (TOOLS / name).exists():
        pytest.skip(f"{name} is not installed")


@needs_linux
@pytest.mark.slow
def test_nbgraders_week_is_as_the_guide_says(tmp_path):
    needs_tool("nbgrader")
    set_, grade = scripts("With nbgrader")
    typed(set_, tmp_path)
    handed_out = tmp_path / "release" / "ps1" / "ex09_flip.ipynb"
    for who, text in {
        "ann": solved(handed_out, "NotImplementedError"),
        "bob": solved(handed_out, "NotImplementedError", FLIP.mistakes[0]),
        "cyd": handed_out.read_text(),
    }.items():
        (tmp_path / "submitted" / who / "ps1").mkdir(parents=True)
        (tmp_path / "submitted" / who / "ps1" / handed_out.name).write_text(text)
    typed(grade, tmp_path)
    expected = {"ann": 5, "bob": 0, "cyd": 0}
    assert scores_in(tmp_path / "results") == expected
    with open(tmp_path / "grades.csv", newline="") as file:
        assert {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)} == expected
    assert (tmp_path / "feedback" / "bob" / "ps1" / "ex09_flip.html").exists()


@needs_linux
@pytest.mark.slow
def test_otters_week_is_as_the_guide_says(tmp_path):
    needs_tool("otter")
    set_, grade = scripts("With otter")
    typed(set_, tmp_path)
    handed_out = tmp_path / "dist" / "student" / "ex09_flip.ipynb"
    for who, bug in {"ann": None, "bob": FLIP.mistakes[0]}.items():
        (tmp_path / "submitted" / who).mkdir(parents=True)
        (tmp_path / "submitted" / who / handed_out.name).write_text(solved(handed_out, "NotImplementedError", bug))
    typed(grade, tmp_path)
    assert scores_in(tmp_path / "results") == {"ann": 5, "bob": 0}


def on_platform(section, tmp_path, root, student):
    """A platform's run of the guide's last script, with two of the week's exercises right -> what it has written."""
    *_, script = scripts(section, "bash")
    hand_in(tmp_path / root / student, FLIP.mistakes[0])
    (tmp_path / root / student / "notes.txt").write_text("from the student")
    if root == "autograder":  # which is there
        (tmp_path / root / "results").mkdir()
    typed(script, tmp_path, **{root: tmp_path / root})
    text = (tmp_path / root / "results" / "results.json").read_text()
    assert len(text) < 10**6
    return json.loads(text)


def fields(result, documented):
    """Whether all of a result's fields are documented ones."""
    return set(result) <= set(documented[""].split()) and all(
        set(test) <= set(documented["tests"].split()) for test in result["tests"]
    )


@needs_linux
@pytest.mark.slow
def test_gradescopes_script_writes_what_gradescope_documents(tmp_path):
    result = on_platform("With Gradescope", tmp_path, "autograder", "submission")
    assert fields(result, GRADESCOPE)
    assert result["score"] == 20
    assert {test["status"] for test in result["tests"]} == {"passed", "failed"}
    assert result["visibility"] in ("hidden", "after_due_date", "after_published", "visible")
    assert result["output_format"] in ("text", "html", "simple_format", "md", "ansi")


@needs_linux
@pytest.mark.slow
def test_prairielearns_script_writes_what_prairielearn_documents(tmp_path):
    result = on_platform("With PrairieLearn", tmp_path, "grade", "student")
    assert fields(result, PRAIRIELEARN)
    assert (result["gradable"], result["score"]) == (True, 0)
    (options,) = scripts("With PrairieLearn", "json")
    asked = json.loads(options)["externalGradingOptions"]
    documented = "enabled image entrypoint serverFilesCourse timeout enableNetworking environment"
    assert set(asked) <= set(documented.split())
    assert asked["timeout"] <= 600
