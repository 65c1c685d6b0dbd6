"""A submitted file has a time limit for each call and one for all of them, and neither is Python's own."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from npbilstm import textbook
from npbilstm.diagnosis.diagnosis import diagnose_pairs
from npbilstm.submission import process
from npbilstm.submission.errors import SubmissionError, TimedOut
from npbilstm.submission.process import SubmissionProcess
from npbilstm.submission.specs import SPECS
from tests.submission.misbehaving import RNN_STEP
from tests.submission.submitted_files import assert_agrees


@pytest.fixture
def file(tmp_path):
    """A function that writes a source into a file and gives its path."""

    def write(source):
        path = tmp_path / "own.py"
        path.write_text(source)
        return path

    return write


LOOPS = "".join(f"def {name}(*_):\n    while True: pass\n" for name in textbook.__all__ if name.islower())


@pytest.mark.slow
def test_all_of_a_file_has_a_time_limit_and_what_was_not_reached_is_named(file):
    with SubmissionProcess(file(LOOPS)) as submission:
        submission.seconds, submission.left = 0.2, 1.5
        found = list(diagnose_pairs({name: submission.pair(name) for name in submission.subjects()}))
    assert len(found) == len(SPECS)
    sentences = [diagnosis.stopped for diagnosis in found]
    assert sum("had not ended after 0.2 s" in sentence for sentence in sentences) <= 10
    last = [*SPECS.values()][-1].forward
    assert sentences[-1] == f"{last} was not reached: own.py had taken 60 s in all"


COMPUTES = "end = time.process_time() + 0.5\n    while time.process_time() < end: pass"


@pytest.mark.slow
@pytest.mark.parametrize("function", ["rnn_step_forward", "rnn_step_backward"])
def test_calls_that_take_just_less_than_their_limit_are_cut_short(function, file):
    source = "import time\n" + RNN_STEP
    place = re.search(rf"def {function}.*\n", source).end()
    source = f"{source[:place]}    {COMPUTES}\n{source[place:]}"
    with SubmissionProcess(file(source)) as submission:
        pairs = {"rnn_step": submission.pair("rnn_step")}
        submission.left = 1.2
        (found,) = diagnose_pairs(pairs)
    cut_short = f"{function} was cut short: own.py had taken 60 s in all"
    assert found.stopped.startswith(cut_short) or found.stopped.endswith("not reached: own.py had taken 60 s in all")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system does not tell the processor's time")
def test_what_takes_long_because_the_machine_is_busy_is_not_late(file):
    source = "import time\nimport numpy as np\ndef tanh(a):\n    time.sleep(0.6)\n    return np.tanh(a)\n"
    with SubmissionProcess(file(source)) as submission:
        pair, before, submission.seconds = submission.pair("tanh"), submission.left, 0.4
        pair.forward({"a": np.ones((2, 3))})
        assert before - submission.left < 0.4


def test_a_call_that_sleeps_for_ever_is_late_too(file):
    with SubmissionProcess(file("import time\ndef sigmoid(a): time.sleep(1000)\n")) as submission:
        pair, submission.seconds = submission.pair("sigmoid"), 0.1
        with pytest.raises(TimedOut, match="sigmoid had not ended after 0.1 s"):
            pair.forward({"a": np.ones((2, 3))})


def test_a_file_whose_every_call_ends_its_process_is_cut_short(file):
    with SubmissionProcess(file("import os\ndef sigmoid(a): os._exit(1)")) as submission:
        pair = submission.pair("sigmoid")
        with pytest.raises(SubmissionError, match="sigmoid ended the process"):
            pair.forward({"a": np.ones((2, 3))})
        submission.left = 1e-9
        with pytest.raises(TimedOut, match=r" was cut short: own.py had taken 60 s in all$"):
            pair.forward({"a": np.ones((2, 3))})


def test_the_time_in_all_is_a_minute_or_six_calls(tmp_path):
    assert [SubmissionProcess(tmp_path, seconds=seconds).whole for seconds in (0.1, 10, 20)] == [60, 60, 120]
    assert SubmissionProcess(tmp_path, seconds=1.0, whole=3.0).left == 3


def test_there_may_be_no_limit_on_time(file):
    with SubmissionProcess(
        file("import numpy as np\nsigmoid = lambda a: 1 / (1 + np.exp(-a))"), seconds=math.inf
    ) as submission:
        assert_agrees("sigmoid", submission.pair("sigmoid"))


def test_the_time_that_python_takes_to_start_is_not_the_files(file, monkeypatch):
    busy = "import time\nend = time.process_time() + 0.6\nwhile time.process_time() < end: pass\n"
    monkeypatch.setattr(process, "IMPORTED", busy + process.IMPORTED)
    with SubmissionProcess(file("def sigmoid(a): return a"), seconds=0.5) as submission:
        assert list(submission.subjects()) == ["sigmoid"]
