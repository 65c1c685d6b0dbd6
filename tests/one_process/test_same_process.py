"""A checked file in the process that judges it: as elsewhere, and what it sets by accident is set back."""

import errno
import gc
import importlib
import json
import locale
import logging
import math
import os
import random
import re
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from npbilstm import processes, textbook
from npbilstm.cli import main
from npbilstm.commands.tasks.run import require_memory
from npbilstm.submission import same_process
from npbilstm.submission.definitions import is_submitted_module
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.process import SubmissionProcess
from npbilstm.submission.same_process import NOT_CONTAINED
from tests.diagnosis.measure_by_hand import FORMS, source_of, trials

RIGHT = "def sigmoid_derivative(s):\n    return s * (1 - s)\n"


@pytest.fixture
def alone(monkeypatch):
    """No process can be started."""
    monkeypatch.setattr(same_process, "can_start_processes", lambda: False)


def verdict(path, capsys):
    """What `check` says of a file, as JSON, and on standard error."""
    main(["check", str(path), "--json"])
    said = capsys.readouterr()
    return json.loads(said.out), said.err


@pytest.mark.parametrize(
    ("error", "can"),
    [(errno.ENOSYS, False), (errno.EPERM, False), (errno.ENOTSUP, False), (errno.EAGAIN, True), (errno.ENOMEM, True)],
)
def test_a_machine_that_is_busy_can_start_processes_and_a_browser_cannot(monkeypatch, error, can):
    def refused(*_, **__):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(subprocess, "Popen", refused)
    assert processes.can_start_processes.__wrapped__() is can


def test_here_processes_can_be_started_and_nothing_is_said():
    assert processes.can_start_processes.__wrapped__()
    assert same_process.not_contained() == ""


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "source",
    [
        RIGHT,
        RIGHT.replace("-", "+"),
        RIGHT.replace("s * (1 - s)", "missing"),
        "def sigmoid_derivative(s):\n    s *= 1 - s\n    return s\n",
        "def sigmoid_derivative(s):\n    import sys\n    sys.exit(3)\n",
        "import numpy as np\nnp.seterr(all='raise')\n" + RIGHT,
        "class Mine:\n    def forward(self, x):\n        return x\n" + RIGHT,
    ],
    ids=["right", "wrong", "NameError", "in place", "exit", "raises", "unread"],
)
def test_the_verdict_is_that_of_a_process_of_its_own(tmp_path, capsys, monkeypatch, source):
    path = tmp_path / "mine.py"
    path.write_text(source)
    there, _ = verdict(path, capsys)
    monkeypatch.setattr(same_process, "can_start_processes", lambda: False)
    here, _ = verdict(path, capsys)
    assert here.pop("not contained") == NOT_CONTAINED
    assert {**here, "seconds": 0} == {**there, "seconds": 0}


@pytest.mark.few(1)
@pytest.mark.parametrize("source", ["import nowhere\n", "def f(:\n", "1 / 0\n", "raise SystemExit\n"])
def test_what_cannot_be_run_is_the_same_sentence(tmp_path, monkeypatch, source):
    path, said = tmp_path / "mine.py", []
    path.write_text(source)
    for can in (True, False):
        monkeypatch.setattr(same_process, "can_start_processes", lambda can=can: can)
        with pytest.raises(SubmissionError) as raised, SubmissionProcess(path):
            pass
        said.append(str(raised.value))
    assert said[0] == said[1]


SETS = {
    "np.seterr(all='raise')": np.geterr,
    "np.seterrcall(print)": np.geterrcall,
    "np.set_printoptions(precision=1)": np.get_printoptions,
    "np.random.seed(7)": lambda: str(np.random.get_state()),  # noqa: NPY002
    "np.tanh = np.sin": lambda: np.tanh,
    "del np.dot": lambda: np.dot,
    "math.exp = math.sin": lambda: math.exp,
    "builtins.sum = max": lambda: sum,
    "textbook.flip = None": lambda: textbook.flip,
    "random.seed(7)": random.getstate,
    "sys.path.append('/nowhere')": lambda: sys.path[:],
    "sys.path = []": lambda: sys.path,
    "sys.argv.append('x')": lambda: sys.argv[:],
    "sys.meta_path.clear()": lambda: sys.meta_path[:],
    "sys.stdin = sys.stdout = sys.stderr = None": lambda: (sys.stdin, sys.stdout, sys.stderr),
    "sys.path_hooks.clear()": lambda: sys.path_hooks[:],
    "sys.excepthook = print": lambda: sys.excepthook,
    "sys.displayhook = print": lambda: sys.displayhook,
    "sys.setrecursionlimit(5000)": sys.getrecursionlimit,
    "sys.settrace(lambda *_: None)": sys.gettrace,
    "sys.setprofile(lambda *_: None)": sys.getprofile,
    "sys.modules['json'] = None": lambda: sys.modules["json"],
    "del sys.modules['numpy']": lambda: sys.modules["numpy"],
    "signal.signal(signal.SIGINT, signal.SIG_IGN)": lambda: signal.getsignal(signal.SIGINT),
    "gc.disable()": gc.isenabled,
    "os.chdir(os.sep)": os.getcwd,
    "os.environ.clear()": lambda: {name: os.environ[name] for name in os.environ if not name.endswith("_THREADS")},
    "warnings.simplefilter('always')": lambda: warnings.filters[:],
    "warnings.showwarning = print": lambda: warnings.showwarning,
    "logging.basicConfig(level=1, force=True)": lambda: (logging.root.handlers[:], logging.root.level),
    "locale.setlocale(locale.LC_ALL, 'C')": lambda: locale.setlocale(locale.LC_ALL),
}
MODULES = "builtins, gc, json, locale, logging, math, os, random, signal, sys, warnings"


def test_what_a_file_sets_is_set_back_and_set_again_for_its_next_call(tmp_path, alone, capsys):
    path = tmp_path / "mine_alone.py"
    path.write_text(
        f"import {MODULES}\nimport numpy as np\nimport sibling\nfrom npbilstm import textbook\n"
        "assert sys.argv == [__file__] and not sys.stdin.read()\nprint('loud')\n"
        + "".join(f"{each}\n" for each in SETS)
        + "def sigmoid_derivative(s):\n"
        "    assert (np.tanh, sum, os.getcwd(), gc.isenabled()) == (np.sin, max, os.sep, False)\n"
        "    assert warnings.filters[0][0] == 'always' and sys.getrecursionlimit() == 5000\n"
        "    assert sys.modules['sibling'] is sibling and sys.modules['json'] is None\n"
        "    return s * (1 - s)\n"
    )
    (tmp_path / "sibling.py").write_text("")
    before = {each: look() for each, look in SETS.items()}
    found, printed = verdict(path, capsys)
    assert found["verdict"] == "right", found
    assert "loud" in printed
    assert {each: look() for each, look in SETS.items() if look() != before[each]} == {}
    assert not {"mine_alone", "sibling"} & set(sys.modules)


def test_a_module_that_the_notebook_has_imported_is_read_anew_for_the_file_and_stays_the_notebooks(
    tmp_path, alone, capsys, monkeypatch
):
    beside = tmp_path / "one_process_helper.py"
    beside.write_text("slope = lambda s: s\n")
    monkeypatch.syspath_prepend(tmp_path)
    ours = importlib.import_module("one_process_helper")
    beside.write_text("slope = lambda s: s * (1 - s) * 1.0\n")
    os.utime(beside, (1, 1))
    path = tmp_path / "mine.py"
    elsewhere = tmp_path.with_name(f"{tmp_path.name}_more")
    elsewhere.mkdir()
    (elsewhere / "one_process_other.py").write_text("")
    monkeypatch.syspath_prepend(elsewhere)
    importlib.import_module("one_process_other").seen = True
    path.write_text(
        "from one_process_helper import slope\nfrom one_process_other import seen\n\n"
        "def sigmoid_derivative(s):\n    return slope(s)\n"
    )
    assert verdict(path, capsys)[0]["verdict"] == "right"
    assert sys.modules.pop("one_process_other").seen
    assert sys.modules.pop("one_process_helper") is ours


def test_a_module_beside_a_file_is_read_as_it_is_then(tmp_path, alone, capsys):
    path, beside = tmp_path / "mine.py", tmp_path / "one_process_slope.py"
    path.write_text("def sigmoid_derivative(s):\n    from one_process_slope import slope\n\n    return slope(s)\n")
    found = []
    for k, answer in enumerate(["s * (1 + s)", "s * (1 - s) * 1.0"]):
        beside.write_text(f"def slope(s):\n    return {answer}\n")
        os.utime(beside, (k, k))
        found.append(verdict(path, capsys)[0]["verdict"])
    assert found == ["wrong", "right"]


def test_the_guides_cell_starts_an_exercise_and_says_how_it_stands(tmp_path, alone, capsys, monkeypatch):
    guide = (Path(__file__).parents[2] / "tutorials/guides/browser.md").read_text("utf-8")
    (cell,) = re.findall("```python\n(.*?)```", guide, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(cell, {})
    assert "flip  not yet written" in capsys.readouterr().out


def test_ctrl_c_ends_the_check(tmp_path, alone, capsys):
    path = tmp_path / "mine.py"
    path.write_text("raise KeyboardInterrupt\n")
    assert main(["check", str(path)]) == 130


def test_what_needs_processes_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(processes, "can_start_processes", lambda: False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "work").mkdir()
    for command in (["grade", "work", "--out", "results"], ["train", "--workers", "2"]):
        assert main(command) == 2
        said = capsys.readouterr().err
        assert "none can be started here" in said
    assert not (tmp_path / "results").exists()


def test_a_system_that_has_no_number_for_its_memory_may_train(monkeypatch):
    monkeypatch.setattr(os, "sysconf", lambda name: -1 if name == "SC_PHYS_PAGES" else 4096, raising=False)
    require_memory(1000)


def test_pythons_own_modules_are_nobodys_submission_from_a_zip_either(monkeypatch):
    module = ModuleType("graphlib")
    module.__file__ = "/lib/python314.zip/graphlib.py"
    monkeypatch.setitem(sys.modules, "graphlib", module)
    assert is_submitted_module("graphlib")
    monkeypatch.setattr(os, "__file__", "/lib/python314.zip/os.py")
    assert not is_submitted_module("graphlib")


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_mistakes_written_by_hand_are_judged_as_in_a_process_of_its_own(tmp_path, capsys, monkeypatch, form):
    path = tmp_path / "mine.py"
    for trial in trials((form,))[::5]:
        path.write_text(source_of(trial))
        said = []
        for can in (True, False):
            monkeypatch.setattr(same_process, "can_start_processes", lambda can=can: can)
            said.append({**verdict(path, capsys)[0], "seconds": 0})
        assert said[1].pop("not contained") == NOT_CONTAINED
        assert said[0] == said[1], trial.kind
