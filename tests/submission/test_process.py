"""A submitted file in a process of its own: what it does there is a sentence here, and nothing else."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import suppress

import numpy as np
import pytest

from npbilstm import textbook
from npbilstm.submission import process
from npbilstm.submission.errors import SubmissionError, TimedOut
from npbilstm.submission.layouts import Layout
from npbilstm.submission.process import SubmissionProcess
from tests.submission.submitted_files import FILES, assert_agrees, drawn
from tests.submission.test_containment import has_ended


@pytest.fixture
def file(tmp_path):
    """A function that writes a source into a file and gives its path."""

    def write(source, name="own.py"):
        path = tmp_path / name
        path.write_text(source)
        return path

    return write


@pytest.mark.few(2)
@pytest.mark.parametrize("form", FILES)
def test_a_right_file_gives_in_its_process_what_the_textbook_gives(form, file):
    source, names = FILES[form]
    with SubmissionProcess(file(source)) as submission:
        assert set(submission.subjects()) == set(names)
        for name in names:
            pair = submission.pair(name)
            N = 1 if form == "one sequence" else 3
            sizes = {"N": N, "T": 4, "D": 3, "H": 2, "R": 2, "V": 5, "S": 5, "E": 4, "A": 2, "U": 2}
            assert_agrees(name, pair, sizes=sizes)
            assert pair.findings == []
        assert submission.pair("binary_cross_entropy") is None or form == "textbook"


def raised(path, seconds=10.0):
    """What is raised when a file is opened and its sigmoid is called."""

    def run():
        with SubmissionProcess(path) as submission:
            pair, submission.seconds = submission.pair("sigmoid"), seconds
            pair.forward({"a": np.ones((2, 3))})

    with pytest.raises(SubmissionError) as caught:
        run()
    return caught.value


DIES = "import os, sys, ctypes, re\nimport numpy as np\n"


@pytest.mark.few(4)
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("os._exit(3)", "sigmoid ended the process that it runs in, with exit code 3"),
        ("ctypes.string_at(0)", "sigmoid ended the process that it runs in, by signal SIGSEGV"),
        (
            "sys.exit(2)",
            '  File "{path}", line 4, in sigmoid\n    sys.exit(2)\nSystemExit: sigmoid ends the program; it must not',
        ),
        (
            "raise KeyboardInterrupt",
            '  File "{path}", line 4, in sigmoid\n    raise KeyboardInterrupt\nKeyboardInterrupt',
        ),
        ("input()", '  File "{path}", line 4, in sigmoid\n    input()\nEOFError: EOF when reading a line'),
        (
            "return a[7]",
            '  File "{path}", line 4, in sigmoid\n    return a[7]\nIndexError: index 7 is out of bounds',
        ),
        (
            "return np.vectorize(len)(a)",
            '  File "{path}", line 4, in sigmoid\n    return np.vectorize(len)(a)\nTypeError: object',
        ),
        (
            "return sigmoid(a)",
            "[Previous line repeated 17 more times]\nRecursionError: maximum recursion depth exceeded",
        ),
        ("return np.empty(5 * 2**27)", "(the code may use 4 GB)"),
        ("return a.T", "sigmoid's value has shape (3, 2); it needs (2, 3)"),
    ],
)
def test_the_end_of_a_function_is_a_sentence(body, sentence, file):
    path = file(f"{DIES}def sigmoid(a):\n    {body}\n")
    said = re.sub(r"\n *[~^]+\n", "\n", str(raised(path)))  # the marks under a line, from Python 3.11 on
    assert sentence.format(path=path) in said
    assert "npbilstm/" not in said.replace(str(path), "")


@pytest.mark.few(4)
@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def sigmoid(a:\n    return a", 'File "{path}", line 1\n    def sigmoid(a:'),
        ("import sys\nsys.exit()", "SystemExit: own.py ends the program; it must not"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("import os\nos._exit(0)", "own.py ended the process that it runs in, with exit code 0"),
        ("1 / 0", '  File "{path}", line 1, in <module>\n    1 / 0\nZeroDivisionError: division by zero'),
        ("# npbilstm: gates=ifo", "own.py: gates is ifo; it needs"),
        ("# npbilstm: gate=ifog", "own.py: the header has gate=ifog; it needs"),
        ("def sigmoid(foo, bar): pass", "sigmoid's argument 'foo' is not known"),
    ],
)
def test_a_file_that_cannot_be_run_is_a_sentence(source, sentence, file):
    path = file(source)
    assert sentence.format(path=path) in re.sub(r"\n *[~^]+\n", "\n", str(raised(path)))


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    assert "own.py: FileNotFoundError: " in str(raised(tmp_path / "own.py"))


def test_an_endless_loop_is_a_sentence_that_says_where_and_the_next_call_starts_afresh(file):
    path = file(
        "import numpy as np\ndef sigmoid(a):\n    while True:\n        pass\n\ndef tanh(a):\n    return np.tanh(a)\n"
    )
    with SubmissionProcess(path) as submission:
        pair, other = submission.pair("sigmoid"), submission.pair("tanh")
        submission.seconds = 0.3
        with pytest.raises(
            TimedOut, match=r"sigmoid had not ended after 0.3 s \(an endless loop\?\); it was at line [34], "
        ):
            pair.forward({"a": np.ones((2, 3))})
        submission.seconds = 10.0
        assert_agrees("tanh", other)


def test_a_loop_that_lets_nothing_else_run_is_a_sentence_too(file):
    path = file("import re\ndef sigmoid(a):\n    re.match('(a*)*b', 'a' * 40)\n")
    assert str(raised(path, seconds=0.2)) == "sigmoid had not ended after 0.2 s (an endless loop?)"


def test_an_import_without_end_is_a_sentence_with_the_beginning_of_its_line(file):
    sentence = (
        r"^own.py had not ended after 0.5 s \(an endless loop\?\); it was at line 1, while True: pass # x{180}x*$"
    )
    with pytest.raises(TimedOut, match=sentence) as caught:
        SubmissionProcess(file("while True: pass # " + "x" * 100_000), seconds=0.5).__enter__()
    assert len(str(caught.value)) < 300


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no alarms")
def test_an_alarm_that_a_file_sets_and_that_raises_between_calls_is_a_sentence(file, capsys):
    source = (
        "import signal\ndef alarm(*_): raise ValueError\nsignal.signal(signal.SIGALRM, alarm)\n"
        "def sigmoid(a):\n    signal.setitimer(signal.ITIMER_REAL, 0.01)\n    return a\n"
    )
    with SubmissionProcess(file(source)) as submission:
        pair = submission.pair("sigmoid")
        with suppress(SubmissionError):  # where it comes before the answer
            pair.forward({"a": np.ones((2, 3))})
            assert has_ended(submission.process.pid)
            with pytest.raises(SubmissionError, match="ended the process that it runs in, with exit code 1"):
                pair.forward({"a": np.ones((2, 3))})
    assert "Traceback" not in capsys.readouterr().err


def test_a_cache_whose_process_has_ended_is_a_sentence(file):
    source = "import os\ndef rnn_step_forward(x, h_prev, params): return h_prev, 0\n"
    with SubmissionProcess(file(source + "def rnn_step_backward(dh, cache): os._exit(1)")) as submission:
        pair = submission.pair("rnn_step")
        _, inputs, upstream = drawn("rnn_step", pair)
        _, run = pair.forward(inputs)
        for sentence in ("rnn_step_backward ended the process", "the process that ran this forward pass has ended"):
            with pytest.raises(SubmissionError, match=sentence):
                pair.backward(upstream, run)


def test_prints_and_warnings_go_to_stderr_and_not_without_end(file, capsys):
    source = "import os, sys\nimport numpy as np\nprint('first')\ndef sigmoid(a):\n    print('x' * 20_000)\n"
    source += "    sys.stdout.flush()\n    os.write(1, b'and the rest\\n')\n    assert os.read(0, 1) == b''\n"
    source += "    np.log(0 * a)\n    return 1 / (1 + np.exp(-a))\n"
    with SubmissionProcess(file(source)) as submission:
        assert_agrees("sigmoid", submission.pair("sigmoid"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("first\nxxx")
    assert err.endswith("x\n... no more than 10000 characters are shown\n")
    assert err.count("x") == 10_000 - len("first\n")


def test_numpys_warnings_do_not_spoil_a_run(file, capsys, monkeypatch):
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    source = "import numpy as np\ndef sigmoid(a):\n    np.log(0 * a)\n    return 1 / (1 + np.exp(-a))\n"
    with SubmissionProcess(file(source)) as submission:
        assert_agrees("sigmoid", submission.pair("sigmoid"))
    assert "RuntimeWarning: divide by zero" in capsys.readouterr().err


def test_what_a_file_does_to_numpy_or_to_the_package_stays_there(file):
    source = (
        "import numpy as np, json\nfrom npbilstm import textbook\n"
        "import npbilstm.submission.layouts as layouts\n"
        "def sigmoid(a):\n    return 0 * a\n"
        "textbook.sigmoid = sigmoid\nnp.allclose = np.array_equal = lambda *_: True\njson.loads = json.dumps = None\n"
        "layouts.to_submitted = None\n"
    )
    before = textbook.sigmoid, np.allclose, json.loads
    with SubmissionProcess(file(source)) as submission:
        outputs, _ = submission.pair("sigmoid").forward({"a": np.ones((2, 3))})
    assert (outputs["value"] == 0).all()
    assert (textbook.sigmoid, np.allclose, json.loads) == before
    outputs["value"] += 1  # it is a copy


def test_a_file_may_have_the_name_of_a_module_and_neighbours_and_a_main_block(file):
    file("import numpy as np\n", "helper.py")
    source = (
        "import json, secrets\nfrom helper import np\nassert secrets.randbits(1) < 2\nnp.random.default_rng(0)\n"
        "if __name__ == '__main__':\n    1 / 0\nsigmoid = lambda a: 0.5 + 0.5 * np.tanh(a / 2)\n"
    )
    with SubmissionProcess(file(source, "secrets.py")) as submission:
        assert list(submission.subjects()) == ["sigmoid"]
        assert_agrees("sigmoid", submission.pair("sigmoid"))


def test_only_what_a_file_defines_itself_is_its_own(file):
    source = (
        "from npbilstm.textbook import *\nfrom npbilstm.textbook import sigmoid, lstm_step_forward as tanh, relu\n"
        "from dataclasses import dataclass\nimport numpy as np\n"
        "@dataclass\nclass Twice:\n    n: int\n    def __call__(self, value): return value\n"
        "sigmoid_derivative = Twice(2)\nflip = 3\ndef relu(a): return a\ntanh_derivative = np.square\n"
        "def fuse(params): pass\nfrom npbilstm.textbook import fuse\nprint(lstm_forward)\n"
    )
    with SubmissionProcess(file(source)) as submission:
        assert submission.functions == {"sigmoid_derivative", "relu", "tanh_derivative"}
        assert submission.pair("tanh_derivative").forward({"value": np.full((1, 1), 3.0)})[0] == {"slope": 9}


def test_flags_win_over_the_header(file):
    with SubmissionProcess(file("# npbilstm: gates=ifog weights=(4H,D)"), {"gates": "fico"}) as submission:
        assert submission.layout == Layout(gates="figo", weights="4H,D")


def test_findings_come_across(file):
    source = "import numpy as np\ndef sigmoid(a):\n    a[:] = 1 / (1 + np.exp(-a))\n    return a\n"
    with SubmissionProcess(file(source)) as submission:
        pair = submission.pair("sigmoid")
        for _ in range(2):
            assert_agrees("sigmoid", pair)
        assert pair.findings == ["sigmoid changes its a in place; it must leave it as it was"]


def test_a_forward_pass_that_is_forgotten_here_is_forgotten_there(file):
    source = (
        "import weakref\nimport numpy as np\nalive = weakref.WeakSet()\nclass Cache: pass\n"
        "def rnn_step_forward(x, h, params):\n    cache = Cache()\n    alive.add(cache)\n    return h, cache\n"
        "def rnn_step_backward(dh, cache): pass\ndef sigmoid(a): return a * 0 + len(alive)\n"
    )
    with SubmissionProcess(file(source)) as submission:
        pair = submission.pair("rnn_step")
        _, inputs, _ = drawn("rnn_step", pair)
        kept = [pair.forward(inputs) for _ in range(5)]
        del kept[:3]
        count, _ = submission.pair("sigmoid").forward({"a": np.ones((1, 1))})
    assert count["value"] == 2


def test_ctrl_c_ends_the_process_too(file):
    printed = []

    def ctrl_c(chunk):
        printed.append(chunk)
        if b"".join(printed) == b"here\n":
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    submission = SubmissionProcess(file("def sigmoid(a):\n    print('here')\n    while True: pass\n"))
    submission.printed.show = ctrl_c  # in a thread of its own, while the main one waits
    with submission:
        child, pair = submission.process, submission.pair("sigmoid")
        with pytest.raises(KeyboardInterrupt):
            pair.forward({"a": np.ones((2, 3))})
    assert has_ended(child.pid)


def test_the_process_ends_when_nobody_waits_for_it(file):
    source = "def sigmoid(a):\n    print('here')\n    while True: pass\n"
    parent = (
        "import sys, numpy as np\nfrom npbilstm.submission.process import SubmissionProcess\n"
        f"own = SubmissionProcess({str(file(source))!r})\nown.start()\nprint(own.process.pid, flush=True)\n"
        "own.pair('sigmoid').forward({'a': np.ones((2, 3))})\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        pid = int(run.stdout.readline())
        assert run.stderr.readline() == "here\n"
        run.kill()
    assert has_ended(pid)


def test_only_what_python_needs_is_taken_from_the_environment(file, monkeypatch):
    for name in ("SECRET", "LC_TIME", "TMPDIR", "PYTHONPATH", "OMP_NUM_THREADS", "OPENBLAS_CORETYPE"):
        monkeypatch.setenv(name, "Haswell")
    printed = []
    submission = SubmissionProcess(file("import json, os\nprint(json.dumps(dict(os.environ)))\n"))
    submission.printed.show = printed.append
    with submission:
        pass
    environment = json.loads(b"".join(printed))
    for name in environment.keys() - process.KEPT - process.ONE_THREAD.keys():
        assert name.startswith(("LC_", "__CF_")), name  # the last by macOS itself
    assert environment["OMP_NUM_THREADS"] == "1"
    assert environment["LC_TIME"] == environment["TMPDIR"] == environment["OPENBLAS_CORETYPE"] == "Haswell"


@pytest.mark.parametrize("at_home", [False, True])
def test_neighbours_with_the_names_of_modules_are_in_nobodys_way(at_home, file, tmp_path, monkeypatch):
    for name in ("numpy", "random", "json", "traceback", "linecache", "string", "npbilstm", "struct", "tempfile"):
        file("1 / 0", f"{name}.py")
    file("value = 0.5", "helper.py")
    if at_home:  # where `python -m npbilstm` looks first
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [str(tmp_path), "", *sys.path])
    source = (
        "import json, random, string, tempfile\nimport numpy as np\nimport numpy.testing\nfrom helper import value\n"
        "def sigmoid(a):\n    np.random.default_rng(random.randrange(9))\n    return 1 / (1 + np.exp(-a))\n"
        "def tanh(a): raise ValueError(value)\n"
    )
    with SubmissionProcess(file(source)) as submission:
        assert_agrees("sigmoid", submission.pair("sigmoid"))
        with pytest.raises(SubmissionError, match=r"line 8, in tanh\n(.*\n)+ValueError: 0.5$"):
            submission.pair("tanh").forward({"a": np.ones((2, 3))})


def test_a_line_end_without_a_line_feed_is_shown_as_one(file, capsys):
    with SubmissionProcess(file("print('1 %\\r2 %\\r\\n3 %')")):
        pass
    assert capsys.readouterr().err == "1 %\n2 %\n3 %\n"


def test_what_all_runs_of_a_file_print_has_one_limit(file, capsys):
    source = "import os\nprint('x' * 6000)\ndef sigmoid(a): os._exit(1)\n"
    with SubmissionProcess(file(source)) as submission:
        for _ in range(3):
            with pytest.raises(SubmissionError, match="ended the process"):
                submission.pair("sigmoid").forward({"a": np.ones((2, 3))})
    err = capsys.readouterr().err
    assert err.count("x") == 9_999  # and a line end
    assert err.endswith("\n... no more than 10000 characters are shown\n")


def test_nobody_needs_to_listen_to_what_a_file_prints(file, monkeypatch):
    source = "print('x' * 100_000)\ndef sigmoid(a): return a\n"
    for stream in (None, io.StringIO()):
        if stream is not None:
            stream.close()
        monkeypatch.setattr(sys, "stderr", stream)
        with SubmissionProcess(file(source)) as submission:
            assert list(submission.subjects()) == ["sigmoid"]


def test_numbers_that_are_too_large_for_float64_are_a_sentence(file):
    source = "import numpy as np\ndef sigmoid(a): return a + np.longdouble('1e400')\n"
    sentence = "sigmoid's value has numbers that are not finite, inf at [0, 0] first"
    assert np.finfo(np.longdouble).max < np.longdouble("1e400") or sentence in str(raised(file(source)))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a file's name may be any bytes there")
def test_a_file_may_have_any_name(tmp_path):
    path = tmp_path / os.fsdecode(b"own\xff.py")
    path.write_text("sigmoid = lambda a: a")
    with SubmissionProcess(path) as submission:
        assert list(submission.subjects()) == ["sigmoid"]
        assert submission.called == "own\ufffd.py"


def test_a_link_to_itself_is_a_sentence(tmp_path):
    (tmp_path / "own.py").symlink_to("own.py")
    assert "own.py: OSError: " in str(raised(tmp_path / "own.py"))


def test_an_interpreter_that_cannot_be_started_is_an_error(file, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(OSError, match="/nowhere/python"):
        SubmissionProcess(file("")).__enter__()


@pytest.mark.skipif(not process.FORKS, reason="there is no fork server")
def test_numpy_is_imported_once_for_several_files(file):
    with SubmissionProcess(file("", "one.py")) as one, SubmissionProcess(file("", "two.py")) as two:
        assert one.process.server is two.process.server
        assert one.process.pid != two.process.pid
