"""`npbilstm exercise` as a person types it."""

import json

import pytest

from npbilstm.classroom.assignment import notebook
from npbilstm.classroom.exercises import ALL, EXERCISES
from npbilstm.classroom.handed_in import source_in
from npbilstm.cli import main
from npbilstm.mistakes import BUGS
from tests.classroom.written import namespace, written

FLIP = "ex09_flip.py"


def start(folder, *options):
    assert main(["exercise", "start", str(folder), *options]) == 0


def test_the_list_has_every_exercise(capsys):
    assert main(["exercise", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == list(EXERCISES)


def test_start_writes_every_exercise_and_nothing_is_written(tmp_path, capsys):
    start(tmp_path / "hw")
    assert len(list((tmp_path / "hw").iterdir())) == len(ALL)
    capsys.readouterr()
    assert main(["exercise", "check", str(tmp_path / "hw")]) == 3
    out = capsys.readouterr().out
    assert out.count("not yet written") == len(ALL)
    assert f"[{'.' * 20}]  0 of {len(ALL)} exercises right" in out


def test_work_is_never_overwritten(tmp_path, capsys):
    start(tmp_path, "--only", "flip")
    (tmp_path / FLIP).write_text("mine")
    start(tmp_path, "--only", "flip", "gru")
    out = capsys.readouterr().out
    assert f"{FLIP} is there already, and is left as it is\n1 exercise written" in out
    assert (tmp_path / FLIP).read_text() == "mine"


def test_what_is_right_wrong_and_why_is_told_of_files_and_notebooks(tmp_path, capsys):
    start(tmp_path, "--only", "flip", "gru")
    start(tmp_path, "--only", "rnn_step", "--format", "notebook")
    (tmp_path / FLIP).write_text(written(EXERCISES["flip"]))
    cells = json.loads((tmp_path / "ex03_rnn_step.ipynb").read_text())
    body = written(EXERCISES["rnn_step"], BUGS["rnn-dwh-new-state"]).partition("\n\n\nif __name__")[0]
    cells["cells"][-2]["source"] = f"%matplotlib inline\n!ls\n{body.partition('import annotations')[2]}"
    (tmp_path / "ex03_rnn_step.ipynb").write_text(json.dumps(cells))
    assert main(["exercise", "check", str(tmp_path), "--hint", "2"]) == 1
    out = capsys.readouterr().out
    assert "rnn_step: wrong.\nWRONG  rnn_step_backward: rnn-dwh-new-state" in out
    assert "hint 2: " in out
    rows = [line.split()[:2] for line in out.splitlines() if "points" in line]
    assert rows[:3] == [["rnn_step", "wrong"], ["flip", "right"], ["gru", "not"]]
    assert "[######..............]  1 of 3 exercises right, 5 of 29 points" in out


def test_json_holds_the_state_of_each(tmp_path, capsys):
    start(tmp_path, "--only", "flip")
    capsys.readouterr()
    assert main(["exercise", "check", str(tmp_path / FLIP), "--json"]) == 3
    assert json.loads(capsys.readouterr().out) == [
        {
            "exercise": "flip",
            "file": str(tmp_path / FLIP),
            "state": "not yet written",
            "points": 0,
            "of": 5,
            "reason": "",
        }
    ]


def test_a_file_that_cannot_be_read_is_wrong_with_a_sentence(tmp_path, capsys):
    (tmp_path / "ex09_flip.ipynb").write_text("[]")
    (tmp_path / FLIP).mkdir()
    assert main(["exercise", "check", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "ex09_flip.ipynb cannot be read: it is no notebook as Jupyter writes them" in out
    assert "Traceback" not in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["check", "nowhere"], "nowhere is not there; it needs a folder"),
        (["check", "."], ". has no exercise; it needs files as"),
        (["start", "hw", "--only", "flop"], "there is no exercise 'flop'"),
        (["check", ".", "--seconds", "0"], "--seconds is 0; it needs a positive number"),
        (["instructor", "nowhere/page.md"], "FILE.md needs a folder that exists"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["exercise", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_every_notebook_holds_what_the_file_holds(tmp_path):
    for exercise in ALL:
        path = tmp_path / "one.ipynb"
        path.write_text(notebook(exercise))
        source = source_in(path)
        assert "check_exercise(" not in source
        assert set(exercise.functions) <= set(namespace(source))


def test_the_instructors_page_has_solutions_and_mistakes(tmp_path, capsys):
    page = tmp_path / "page.md"
    assert main(["exercise", "instructor", str(page), "--only", "flip", "gru"]) == 0
    text = page.read_text()
    assert "source = np.where(t <= last, last - t, t)" in text
    assert "- `flip-ignores-lengths`, in flip" in text
    assert "2 exercises, about 110 minutes, 21 points" in text
    assert main(["exercise", "instructor", str(page)]) == 2
    assert "exists" in capsys.readouterr().err
