"""What a checked file is compared with is out of its reach: by import, by path, in memory, through its judge."""

import ctypes
import inspect
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from npbilstm import textbook
from npbilstm.cli import main
from npbilstm.submission import containment
from npbilstm.submission.call_graph import reached
from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.process import SubmissionProcess
from npbilstm.submission.runner import CREATE_RULESET
from npbilstm.submission.specs import SPECS
from npbilstm.submission.withheld import assigned_in, offered_to, textbook_functions, textbook_with

LANDLOCK = sys.platform == "linux" and ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, 1) > 0
PAIRS = {spec.name: set(spec.names) - {""} for spec in ALL_SPECS.values()}


@pytest.mark.parametrize("name", PAIRS)
def test_what_a_file_has_itself_is_not_offered_nor_what_calls_it(name):
    functions = textbook_functions()
    for own in (PAIRS[name], PAIRS[name] | set(textbook.__all__)):
        offered = offered_to(frozenset(own))
        assert not any(reached(each, functions) & own for each in offered)


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.backward and not spec.own])
def test_a_backward_pass_alone_gets_a_forward_pass_that_makes_its_cache(name):
    spec, functions = SPECS[name], textbook_functions()
    offered = offered_to(frozenset({spec.backward}))
    assert spec.backward not in offered
    assert {*reached(spec.forward, functions), *(spec.steps or ())} <= offered


def test_earlier_exercises_are_offered_and_other_ways_to_the_same_are_not():
    step = offered_to(frozenset({"lstm_step_forward", "lstm_step_backward"}))
    assert {"sigmoid", "sigmoid_derivative", "tanh", "flip"} <= step
    answers = {"lstm_backward", "lstm_rtrl", "rtrl_gradient", "sequence_lstm_backward", "lstm_variant_step_backward"}
    assert not answers & step
    loop = offered_to(frozenset({"lstm_forward", "lstm_backward"}))
    assert {"lstm_step_forward", "lstm_step_backward", "valid_steps"} <= loop
    assert not {"bilstm_backward", "stacked_lstm_backward", "lstm_rtrl"} & loop
    cell = offered_to(frozenset({"rnn_step_forward", "rnn_step_backward"}))
    assert not {"step_forward", "step_backward"} & cell  # which are private, and do all of it


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(): pass\nclass G: pass\nh = k = 1\nif h:\n    from a import b\n    m = b\n", {"f", "G", "h", "k", "m"}),
        ("from npbilstm.textbook import sigmoid, tanh as f\nimport json as g\ndef h():\n    flip = 1\n", {"h"}),
        ("def f(:", set()),
        ("f = 1\0", set()),
    ],
)
def test_a_files_own_names_are_those_that_it_sets(source, names):
    assert assigned_in(source) == names


def test_what_is_withheld_has_its_signature_and_docstring_and_no_line_of_its_body():
    for code in textbook_with(frozenset()).values():
        names = {"__name__": "npbilstm.textbook.emptied"}
        exec(code, names)
        for name, function in names.items():
            if inspect.isfunction(function) and function.__module__ == names["__name__"]:
                right = textbook_functions()[name]
                one, other = (re.sub(" at 0x[0-9a-f]+", "", str(inspect.signature(each))) for each in (function, right))
                assert (one, function.__doc__) == (other, right.__doc__)
                assert function.__code__.co_names == ("ImportError",)
                assert len(function.__code__.co_consts) <= 3
                with pytest.raises(ImportError, match=f"^{name} is not to be had here"):
                    function(*inspect.signature(function).parameters)


ATTACKS = """
import ctypes, gc, glob, importlib, json, os, sys, threading, types
import numpy as np
import npbilstm as nb
PATH = next(p for p in sys.path if os.path.isdir(os.path.join(p, "npbilstm", "textbook")))
ROOT, PARENT = os.path.join(PATH, "npbilstm"), f"/proc/{os.getppid()}"
LSTM = ROOT + "/textbook/lstm.py"
HERE = os.path.dirname(os.path.abspath(__file__))

def is_right(function):
    return "sigmoid_derivative" in function.__code__.co_names

def modules():
    assert is_right(sys.modules["npbilstm.textbook.lstm"].lstm_step_backward)
def plain_import():
    from npbilstm.textbook import lstm_step_backward
    assert is_right(lstm_step_backward)
def another_function():
    assert "ImportError" not in nb.textbook.sequence_lstm_backward.__code__.co_names
def after_a_reload():
    importlib.reload(sys.modules["npbilstm.textbook.lstm"])
    modules()
def in_memory():
    found = [each for each in gc.get_objects() if isinstance(each, types.FunctionType)]
    assert any(each.__name__ == "lstm_step_backward" and is_right(each) for each in found)
def room(name):
    def attack():
        importlib.import_module(f"npbilstm.{name}")
    return attack
def layers():
    nb.LSTM
def without_the_finder():
    finders, kept = sys.meta_path[:], {n: m for n, m in sys.modules.items() if n.startswith("npbilstm")}
    sys.meta_path[:] = [each for each in finders if not type(each).__module__.startswith("npbilstm")]
    try:
        for name in kept:
            del sys.modules[name]
        from npbilstm.textbook import lstm_step_backward
        assert is_right(lstm_step_backward)
    finally:
        for name in [each for each in sys.modules if each.startswith("npbilstm")]:
            del sys.modules[name]
        sys.meta_path[:] = finders
        sys.modules.update(kept)
def by_path():
    open(LSTM).read()
def compiled():
    open(glob.glob(ROOT + "/textbook/__pycache__/lstm.*")[0], "rb").read()
def engine():
    open(ROOT + "/engine/lstm.py").read()
def through_proc():
    open("/proc/self/root" + LSTM).read()
def through_the_judge():
    open(PARENT + "/root" + LSTM).read()
def memory_of_the_judge():
    open(PARENT + "/mem", "rb")
def by_a_link():
    os.symlink(LSTM, HERE + "/soft")
    open(HERE + "/soft").read()
def by_a_second_name():
    os.link(LSTM, HERE + "/hard")
    open(HERE + "/hard").read()
def in_a_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(open(LSTM).read()))
    thread.excepthook = None
    thread.start()
    thread.join()
    assert found
def by_the_c_library():
    libc = ctypes.CDLL(None)
    assert libc.open(LSTM.encode(), 0) >= 0

ALWAYS = [plain_import, modules, another_function, after_a_reload, in_memory, layers]
ALWAYS += [room(name) for name in ("engine", "layers", "mistakes", "training", "commands", "diagnosis.stages")]
BY_PATH = [without_the_finder, by_path, compiled, engine, through_proc, through_the_judge, memory_of_the_judge]
BY_PATH += [by_a_link, by_a_second_name, in_a_thread, by_the_c_library]
threading.excepthook = lambda *_: None

def came_through(attacks):
    found = []
    for attack in attacks:
        try:
            attack()
            found.append(attack.__qualname__)
        except Exception:
            pass
    return found

print(json.dumps([came_through(ALWAYS), came_through(BY_PATH)]), file=sys.stderr)
assert open(__file__).read() and nb.check_pair and nb.diagnose(globals()) == nb.classroom.check_exercise() == ""
import helper
open("written", "w").write("and read")
assert open("written").read() == "and read"
def relu(a):
    return nb.textbook.relu(a) if helper else a
def sigmoid(a):
    return 1 / (1 + np.exp(-a))
def lstm_step_backward(dh, dc, cache):
    return nb.textbook.lstm_step_backward(dh, dc, cache)
"""


def test_no_attack_gets_at_the_reference(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "helper.py").write_text("from npbilstm.textbook import sigmoid as helper\n")
    (tmp_path / "own.py").write_text(ATTACKS)
    printed = []
    submission = SubmissionProcess(tmp_path / "own.py")
    submission.printed.show = printed.append
    with submission:
        assert (submission.pair("sigmoid").forward({"a": np.zeros((1, 2))})[0]["value"] == 0.5).all()
        with pytest.raises(SubmissionError, match="ImportError: relu is not to be had here: it may be what the file"):
            submission.pair("relu").forward({"a": np.ones((1, 2))})
        step = submission.pair("lstm_step")
        inputs = {name: np.ones((1, 1)) for name in ("x", "h_prev", "c_prev")}
        outputs, cache = step.forward(inputs | {"Wx": np.ones((1, 4)), "Wh": np.ones((1, 4)), "b": np.ones(4)})
        with pytest.raises(SubmissionError, match="ImportError: lstm_step_backward is not to be had here: it may be"):
            step.backward(outputs, cache)
    always, by_path = json.loads(b"".join(printed))
    assert always == []
    assert by_path == [] or not LANDLOCK


def test_no_link_leads_around_what_is_withheld(tmp_path, monkeypatch):
    package = tmp_path / "lib" / "npbilstm"
    for room in ("textbook", "engine", "submission", "gradcheck"):
        (package / room).mkdir(parents=True)
    (package / "files.py").touch()
    (tmp_path / "lib" / "numpy").mkdir()
    (tmp_path / "lib64").symlink_to("lib")  # as in a venv
    (package / "answers").symlink_to("textbook")
    monkeypatch.setattr(containment, "PACKAGE", package)
    kept = {str(package / name) for name in ("submission", "gradcheck", "files.py")}
    assert set(containment.around(tmp_path)) == kept | {str(tmp_path / "lib" / "numpy")}


@pytest.mark.skipif(not LANDLOCK, reason="this system has no Landlock")
def test_nothing_that_may_be_read_holds_what_is_withheld():
    rooms = [
        path.resolve() for path in containment.PACKAGE.iterdir() if path.is_dir() and path.name not in containment.ROOMS
    ]
    for path in map(os.path.realpath, containment.around(Path("/"))):
        assert not any(room.is_relative_to(path) for room in rooms), path


@pytest.mark.slow
def test_a_file_of_the_textbooks_own_is_judged_as_any_other(capsys):
    assert main(["check", str(textbook.lstm.__file__)]) == 0
    assert "All 2 are right." in capsys.readouterr().out
