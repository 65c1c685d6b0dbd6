"""What ends a command: Ctrl-C before it has begun, exit code 130 and no traceback; and signals that save a run."""

import argparse
import atexit
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from npbilstm import cli
from npbilstm.commands import train

AT_IMPORT = """
import os, runpy, signal, sys
module, *sys.argv[1:] = sys.argv[1:]
class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, CtrlC())
"""
"""Ctrl-C where this module is about to be imported."""

ENTRIES = {
    "python -m npbilstm": "runpy.run_module('npbilstm', run_name='__main__', alter_sys=True)",
    "npbilstm": "from npbilstm.cli import main; sys.exit(main())",
}


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("entry", "module"),
    [
        ("npbilstm", "argparse"),
        ("python -m npbilstm", "numpy"),
        pytest.param("npbilstm", "numpy", marks=pytest.mark.slow),
        pytest.param("python -m npbilstm", "argparse", marks=pytest.mark.slow),
        pytest.param("npbilstm", "npbilstm.commands.train", marks=pytest.mark.slow),
        pytest.param("python -m npbilstm", "npbilstm.layers", marks=pytest.mark.slow),
        pytest.param("npbilstm", "numpy._core._multiarray_umath", marks=pytest.mark.slow),
    ],
)
def test_ctrl_c_while_modules_are_imported(entry, module, tmp_path):
    command = [sys.executable, "-c", AT_IMPORT + ENTRIES[entry], module, "train", "--out", "m.npz"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "\nInterrupted.\n")
    assert os.listdir(tmp_path) == []


AT_THE_END = """
import atexit, os, signal, sys
atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))  # called after those that are registered later
from npbilstm.cli import main
sys.exit(main())
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(("line", "code"), [("--version", 0), pytest.param("--nonsense", 2, marks=pytest.mark.slow)])
def test_ctrl_c_when_all_is_done_changes_nothing(line, code):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", AT_THE_END, line]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == code
    assert "KeyboardInterrupt" not in done.stderr


def test_a_second_ctrl_c_while_the_first_is_told_ends_at_once(monkeypatch):
    def run(options):
        raise KeyboardInterrupt

    seen = []
    monkeypatch.setattr(cli, "parsed", lambda arguments: argparse.Namespace(run=run))
    monkeypatch.setattr(cli, "write_error", lambda text: seen.append((text, signal.getsignal(signal.SIGINT))))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert cli.main() == 130
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
        atexit.unregister(cli.ignore_ctrl_c)
    assert seen == [("\nInterrupted.", cli.end_at_once)]


def test_ctrl_c_while_arguments_are_read(monkeypatch, capsys):
    """In a call from Python, which it does not end."""

    def parsed(arguments):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(cli, "parsed", parsed)
    assert cli.main(["train"]) == 130
    assert capsys.readouterr().err == "\nInterrupted.\n"


def test_a_handler_of_somebody_elses_stays(monkeypatch):
    def theirs(number, frame):
        pass

    def run(arguments):
        seen.append(signal.getsignal(signal.SIGINT))
        raise SystemExit(0)

    seen = []
    monkeypatch.setattr(cli, "parsed", run)
    for handler, program in [(theirs, None), (signal.SIG_IGN, None), (signal.default_int_handler, None)]:
        before = signal.signal(signal.SIGINT, handler)
        try:
            assert cli.main(program) == 0
            assert signal.getsignal(signal.SIGINT) is handler
        finally:
            signal.signal(signal.SIGINT, before)
    assert seen == [theirs, signal.SIG_IGN, cli.end_at_once]


FEW = ["--hidden-size", "2", "--embedding-size", "2", "--batch-size", "4"]


@pytest.fixture
def words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("a\tA\nb\tB\n\n" * 20)
    return tmp_path


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_run_that_a_signal_ends_is_saved_and_goes_on_to_the_same_bytes(name, words, monkeypatch, capsys):
    """Twice, as that of `timeout` comes; what SIGINT does outside is told in test_cli.py."""
    number = getattr(signal, name)
    before = signal.signal(number, signal.SIG_DFL)

    class Stopped(train.StopFlag):
        def __call__(self):
            signal.raise_signal(number)
            signal.raise_signal(number)
            return super().__call__()

    try:
        with monkeypatch.context() as patched:
            patched.setattr(train, "StopFlag", Stopped)
            assert cli.main(["train", "words.txt", "--out", "m.npz", *FEW]) == 128 + number
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, before)
    shown = capsys.readouterr().err
    assert shown.count("Stopping after this batch ...") == 1
    assert "Stopped; all is saved in m.npz. Go on with: npbilstm train --resume m.npz\n" in shown
    assert cli.main(["train", "--resume", "m.npz", "--quiet"]) == 0
    assert cli.main(["train", "words.txt", "--out", "whole.npz", "--quiet", *FEW]) == 0
    assert (words / "m.npz").read_bytes() == (words / "whole.npz").read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_signal_that_is_ignored_does_not_end_a_run():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with train.stop_on_signal() as stopped:
            signal.raise_signal(signal.SIGHUP)
            assert not stopped()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_run_in_another_thread_than_the_main_one_trains(words):
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(cli.main, ["train", "words.txt", "--epochs", "1", "--quiet", *FEW]).result() == 0
