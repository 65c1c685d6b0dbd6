"""Ctrl-C before a command has begun: exit code 130, and no traceback."""

import argparse
import atexit
import os
import signal
import subprocess
import sys

import pytest

from npbilstm import cli

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
