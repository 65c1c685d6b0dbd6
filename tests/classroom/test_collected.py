"""What a class handed in is found whatever it is called, and what of it is not graded is said."""

import zipfile
from pathlib import Path

import pytest

from npbilstm.classroom.collected import DEPTH, ENTRIES, collect, left_out, read
from npbilstm.classroom.exercises import EXERCISES
from npbilstm.classroom.graded import place_of
from npbilstm.cli import main
from npbilstm.commands import grade as command

FLIP = EXERCISES["flip"]
OF_MACOS = b"\0\5\x16\7\0\2\0\0Mac OS X        "
"""How a file begins in which macOS keeps what it knows of another; it is text in UTF-8, if no Python."""


def hand_in(folder, **files):
    """A submission of these files."""
    for name, data in files.items():
        path = folder / name.replace("|", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return read(folder.name, [folder])


def zipped(path, *files):
    """A zip of files, each its name and its content."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files:
            archive.writestr(name, data)
    return read(path.stem, [path])


def test_what_macos_keeps_beside_a_file_is_never_graded_in_its_place(tmp_path):
    folder = hand_in(tmp_path / "ann", **{"._ex09_flip.py": OF_MACOS, "ex09_flip.py": b"x = 1"})
    archive = zipped(tmp_path / "bob.zip", ("__MACOSX/hw/._ex09_flip.py", OF_MACOS), ("hw/ex09_flip.py", b"x = 1"))
    for found in (folder, archive):
        assert found.sources == {FLIP: ("ex09_flip.py", "x = 1")}
        assert found.unread == ()


@pytest.mark.parametrize("name", ["ex09_flip (1).py", "Ex09_flip.py", "flip.ipynb", "ex09_flop.py", "ps1.zip", "hw.PY"])
def test_a_file_that_may_be_work_and_has_no_exercises_name_is_said(name, tmp_path):
    for found in (hand_in(tmp_path / "ann", **{name: b"x"}), zipped(tmp_path / "bob.zip", (f"hw/{name}", b"x"))):
        assert found.sources == {}
        assert found.unread == (f"no exercise's name, and so not graded: {name}",)


def test_of_many_files_with_other_names_a_few_are_told_and_of_notes_none(tmp_path):
    found = hand_in(tmp_path / "ann", **{f"m{k}.py": b"" for k in range(9)}, **{"notes.txt": b""})
    assert found.unread == ("no exercise's name, and so not graded: m0.py, m1.py, m2.py, m3.py, m4.py and 4 more",)


def test_what_is_not_looked_at_is_said(tmp_path):
    deep = hand_in(tmp_path / "deep", **{"|".join([*"abcdefgh"[: DEPTH + 1], "ex09_flip.py"]): b""})
    assert deep.unread == ("the folder e lies too deep, and is not looked at",)
    many = hand_in(tmp_path / "many", **{f"{k}": b"" for k in range(ENTRIES)}, **{"ex09_flip.py": b""})
    assert many.unread == (f"of the {ENTRIES + 1} entries of the folder many, no more than {ENTRIES} are looked at",)
    many = zipped(tmp_path / "more.zip", *((f"{k}", b"") for k in range(ENTRIES)), ("ex09_flip.py", b""))
    assert many.unread == (f"of the {ENTRIES + 1} files of more.zip, no more than {ENTRIES} are looked at",)


def test_a_folder_that_cannot_be_read_costs_what_is_in_it_and_nobody_else(tmp_path, monkeypatch):
    for name in ("ann", "bob|locked", "bob"):
        hand_in(tmp_path / name.replace("|", "/"), **{"ex09_flip.py": b"x = 1"})
    listed = Path.iterdir

    def iterdir(self):
        if self.name == "locked":
            raise PermissionError(13, "Permission denied")
        return listed(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    ann, bob = (read(name, paths) for name, paths in collect(tmp_path).items())
    assert ann.sources == bob.sources == {FLIP: ("ex09_flip.py", "x = 1")}
    assert bob.unread == ("the folder locked cannot be read",)


def test_a_zip_that_shouts_its_ending_is_a_submission_and_what_is_none_is_told(tmp_path):
    zipped(tmp_path / "ann.ZIP", ("ex09_flip.py", b"x = 1"))
    (tmp_path / "bob.tar.gz").touch()
    (tmp_path / "cyd").symlink_to(tmp_path)
    assert {name: list(read(name, paths).sources) for name, paths in collect(tmp_path).items()} == {"ann": [FLIP]}
    assert left_out(tmp_path) == ["bob.tar.gz", "cyd"]


def test_results_that_lie_among_the_submissions_are_nobodys(tmp_path):
    hand_in(tmp_path / "ann", **{"ex09_flip.py": b"x = 1"})
    (tmp_path / "results" / "students").mkdir(parents=True)
    assert set(collect(tmp_path, tmp_path / "results")) == {"ann"}
    assert left_out(tmp_path, tmp_path / "ann" / ".." / "results") == []


def test_a_name_of_many_bytes_has_a_place_that_a_file_can_have(tmp_path):
    places = [place_of(tmp_path, name) for name in ("\u5b66" * 85, "\u5b66" * 84, "\N{GRINNING FACE}" * 63, "x" * 255)]
    assert all(len(place.name.encode()) < 150 for place in places)
    assert len(set(places)) == len(places)
    assert place_of(tmp_path, "M\u00fcller").name == "M\u00fcller.json"


def test_a_name_forges_no_line_of_what_is_told(tmp_path, capsys, monkeypatch):
    hand_in(tmp_path / "in" / "eve\nann: 99 of 99 points", **{"ex09_flip.py": b""})
    (tmp_path / "in" / "note\nann: 1 of 99 points.txt").touch()
    record = {"score": 0.0, "max_score": 5.0, "unread": ["a\nb"]}
    monkeypatch.setattr(command, "sandbox_or_refuse", lambda unsafe: None)
    monkeypatch.setattr(command, "write_results", lambda *_: "")
    monkeypatch.setattr(command, "write_pages", lambda *_: "")
    monkeypatch.setattr(command, "grade_all", lambda *_: [("eve\nann: 99 of 99 points", {**record, "submission": "e"})])
    assert main(["grade", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if line.startswith(("ann", "b"))]
