"""`npbilstm hunt` as a person types it."""

import pytest

from npbilstm.classroom.hunt import new_hunt, planted_bugs
from npbilstm.classroom.stubs import solution
from npbilstm.cli import main


def test_a_hunt_from_the_first_to_the_last_mistake(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["hunt", "new", "--seed", "3", "--level", "3"]) == 0
    assert sorted(path.name for path in (tmp_path / "hunt-3-3").iterdir()) == ["bilstm.py", "find.py"]
    (bug, other) = planted_bugs(new_hunt(3, 3))
    path = tmp_path / "hunt-3-3" / "bilstm.py"
    imports = "from __future__ import annotations\nfrom npbilstm.textbook.sequences import require_shape"
    first = path.read_text().replace("from typing", f"{imports}\nfrom typing", 1)
    path.write_text(f"{first}\n\n{solution(bug.function)}\n")
    monkeypatch.chdir(path.parent)
    capsys.readouterr()
    assert main(["hunt", "check", "--hint", "3"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("1 mistake of 2 left.\n")
    assert "".join(other.hints[2].split()) in "".join(out.split())
    path.write_text(f"{path.read_text()}\n\n{solution(other.function)}\n")
    assert main(["hunt", "check", "bilstm.py"]) == 0
    assert capsys.readouterr().out == "None is left: you have found all of them.\n"


def test_a_hunt_that_is_there_is_left_as_it_is(tmp_path, capsys):
    assert main(["hunt", "new", str(tmp_path), "--seed", "1"]) == 0
    (tmp_path / "bilstm.py").write_text("mine")
    assert main(["hunt", "new", str(tmp_path), "--seed", "2"]) == 2
    assert "bilstm.py is there already; choose another folder" in capsys.readouterr().err
    assert (tmp_path / "bilstm.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["check", "."], "bilstm.py: No such file"),
        (["check", "other.py"], "other.py: it has no line `# hunt: "),
        (["new", "--level", "5", "--bugs", "1"], "bugs is 1; at level 5 it needs to be 3 to 4"),
        (["check", ".", "--seconds", "0"], "--seconds is 0; it needs a positive number"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.py").write_text("x = 1\n")
    assert main(["hunt", *arguments]) == 2
    assert sentence in capsys.readouterr().err
