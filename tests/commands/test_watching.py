"""`npbilstm check FILE.py --watch`: once at once, and again at each save, however an editor saves."""

import os
import subprocess
import sys
from queue import Empty, SimpleQueue
from threading import Thread

import pytest

from npbilstm.cli import main
from npbilstm.commands.watching import saves
from tests.commands.test_check_file import RIGHT, SLOPE


@pytest.fixture
def file(tmp_path):
    """A file, reached by a link from another folder."""
    for folder in ("own", "linked"):
        (tmp_path / folder).mkdir()
    path = tmp_path / "own" / "mine.py"
    path.write_text("old")
    (tmp_path / "linked" / "link.py").symlink_to(path)
    return path


@pytest.fixture
def answers():
    """What saves yields, as it comes: a file in a thread of its own, since it waits without end."""
    pytest.importorskip("watchfiles", reason="watchfiles is not installed (extra watch)")
    found = SimpleQueue()

    def begin(path):
        Thread(target=lambda: [found.put(again) for again in saves(str(path))], daemon=True).start()
        assert found.get(timeout=60) is False
        return found

    return begin


def in_place(path):
    path.write_text("new")


def replaced(path):
    (path.parent / "mine.py.tmp").write_text("new")
    os.replace(path.parent / "mine.py.tmp", path)


def moved_away_first(path):
    path.rename(path.parent / "mine.py~")
    path.write_text("new")


@pytest.mark.parametrize("link", [False, True], ids=["file", "link"])
@pytest.mark.parametrize("save", [in_place, replaced, moved_away_first])
def test_a_save_is_seen_however_it_is_done(file, answers, save, link):
    found = answers(file.parents[1] / "linked" / "link.py" if link else file)
    save(file)
    assert found.get(timeout=60) is True


def test_another_files_save_and_a_file_that_goes_away_are_none(file, answers):
    found = answers(file)
    (file.parent / "other.py").write_text("new")
    file.read_text()
    file.unlink()
    with pytest.raises(Empty):
        found.get(timeout=0.5)
    file.write_text("back")
    assert found.get(timeout=60) is True


def test_a_save_during_the_work_on_the_last_is_not_missed(file):
    pytest.importorskip("watchfiles", reason="watchfiles is not installed (extra watch)")
    each = saves(str(file))
    assert next(each) is False
    file.write_text("new")  # where check --watch judges
    assert next(each) is True


def test_without_watchfiles_a_sentence_names_the_extra(file, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    assert main(["check", str(file), "--watch"]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", "npbilstm: --watch needs the package watchfiles: pip install 'npbilstm[watch]'\n")


def test_check_judges_again_when_the_file_is_saved(tmp_path):
    pytest.importorskip("watchfiles", reason="watchfiles is not installed (extra watch)")
    path = tmp_path / "mine.py"
    path.write_text(RIGHT.replace(SLOPE, ""))
    with subprocess.Popen(
        [sys.executable, "-m", "npbilstm", "check", str(path), "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            lines = iter(process.stdout.readline, "")
            assert next(lines).startswith("WRONG")
            assert any("Watching" in line for line in lines)
            path.write_text(RIGHT)
            assert any(line.startswith("ok ") for line in lines)
        finally:
            process.kill()
