"""Two runs that would write the same file: one of them is refused, and nothing of the lock is left behind."""

import os
import subprocess
import sys

import pytest

from npbilstm.cli import main
from npbilstm.files import only_writer, write_atomically

pytest.importorskip("fcntl", reason="locks of POSIX")

SMALL = ["--epochs", "1", "--embedding-size", "2", "--hidden-size", "2", "--quiet"]
WORDS = "".join(f"the\tDET\n{word}\tNOUN\nruns\tVERB\n\n" for word in ["cat", "dog", "cow"] * 4)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with words in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text(WORDS)
    return tmp_path


def test_a_second_run_on_one_file_is_refused_whether_it_begins_or_goes_on(folder, capsys):
    with only_writer("m.npz"):
        assert main(["train", "words.txt", "--out", "m.npz", *SMALL]) == 2
        assert (
            capsys.readouterr().err
            == "npbilstm: m.npz is being written by another run of npbilstm, which is not at its end\n"
        )
        assert sorted(os.listdir()) == [".m.npz.lock", "words.txt"]
    assert main(["train", "words.txt", "--out", "m.npz", *SMALL]) == 0
    (folder / "link.npz").symlink_to("m.npz")
    for name in ("m.npz", "link.npz"):
        with only_writer("m.npz"):
            assert main(["train", "--resume", name, "--epochs", "2", "--quiet"]) == 2
    assert main(["train", "--resume", "m.npz", "--epochs", "2", "--quiet"]) == 0
    assert sorted(os.listdir()) == ["link.npz", "m.npz", "words.txt"]


def test_a_demonstration_is_a_run_too(folder, capsys):
    (folder / "out").mkdir()
    with only_writer("out/model.npz"):
        assert main(["demo", "--out", "out"]) == 2
    assert "out/model.npz is being written by another run" in capsys.readouterr().err
    assert os.listdir("out") == []


def test_a_process_that_was_killed_holds_nothing(folder):
    code = "import os; from npbilstm.files import only_writer\nwith only_writer('m.npz'): os.kill(os.getpid(), 9)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == -9
    assert ".m.npz.lock" in os.listdir()
    with only_writer("m.npz"):
        pass
    assert os.listdir() == ["words.txt"]


def test_a_lock_that_the_run_before_has_just_taken_away_is_asked_for_again(folder, monkeypatch):
    import fcntl

    flock, calls = fcntl.flock, []

    def taken_away(lock, how):
        flock(lock, how)
        calls.append(lock)
        if len(calls) == 1:
            os.unlink(".m.npz.lock")

    monkeypatch.setattr(fcntl, "flock", taken_away)
    with only_writer("m.npz"):
        assert len(calls) == 2
        with pytest.raises(ValueError, match="is being written by another run"), only_writer("m.npz"):
            pass


def test_a_folder_that_cannot_be_written_to_is_found_before_the_work(folder, capsys):
    if not os.path.isdir("/proc/self"):
        pytest.skip("this system has no /proc")
    for line in (["demo", "--out", "/proc"], ["train", "words.txt", "--out", "/proc/m.npz"]):
        assert main(line) == 2
        assert capsys.readouterr() == (
            "",
            f"npbilstm: /proc/m{'odel' if line[0] == 'demo' else ''}.npz: No such file or directory\n",
        )


def test_a_name_as_long_as_a_file_system_allows_is_written(folder):
    name = "ø" * 125 + ".npz"  # of 254 bytes
    write_atomically(name, lambda file: file.write(b"all"))
    with only_writer(name):
        pass
    assert sorted(os.listdir()) == ["words.txt", name]
