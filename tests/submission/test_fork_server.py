"""Every submission gets a copy of the runner: a process of its own, that knows of no other and ends with who judges."""

import os
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from npbilstm.submission import contained, fork_server
from npbilstm.submission.contained import ContainedSubmission
from npbilstm.submission.fork_server import ForkServer
from npbilstm.submission.sandbox import Layers
from tests.submission.test_containment import has_ended

pytestmark = pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="the sandbox is Linux's")
ASKED = {"do": "call", "function": "f", "arguments": [], "returns": "y", "free": [], "asks": [], "shapes": {"y": []}}
SHAPES = {"y": ()}


@pytest.fixture(scope="module")
def server():
    with ForkServer(Layers()) as server:
        yield server


def opened(submission, source):
    """What f() of a source gives."""
    submission.open("f.py", source, "", set(), {"f"})
    return again(submission)


def again(submission):
    """What f() gives."""
    request = {**ASKED, "keeps_cache": None, "takes_cache": None}
    return float(submission.ask("f", request, {}, SHAPES)[1]["y"])


def test_a_submission_sees_nothing_of_another(server):
    patches = "import numpy as np\nimport sys\nsys.mine = np.mine = 1\nf = lambda: np.mine\n"
    with ContainedSubmission(server) as first:
        assert opened(first, patches) == 1
        with ContainedSubmission(server) as second:
            looks = "import numpy as np, sys\nf = lambda: hasattr(np, 'mine') or hasattr(sys, 'mine')\n"
            assert opened(second, looks) == 0
            assert opened(first, looks) == 1


def test_a_copy_holds_its_two_pipes_and_nothing_else(server):
    with ContainedSubmission(server) as submission:
        opened(submission, "f = lambda: 0\n")
        folder = Path(f"/proc/{submission.process.pid}/fd")
        held = [os.readlink(each).partition(":")[0] for each in folder.iterdir()]
    assert sorted(held) == ["/dev/null"] * 3 + ["pipe"] * 2


def test_several_threads_share_one(server):
    found = {}

    def run(k):
        with ContainedSubmission(server) as submission:
            found[k] = opened(submission, f"f = lambda: {k}\n")

    threads = [threading.Thread(target=run, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {k: k for k in range(4)}


def test_a_submission_outlives_the_thread_that_began_it(server):
    with ForkServer(Layers()) as own, ContainedSubmission(own) as submission:
        thread = threading.Thread(target=opened, args=(submission, "f = lambda: 2\n"))
        thread.start()
        thread.join()
        assert again(submission) == 2


def test_copies_end_with_the_first_process_and_another_is_started():
    with ForkServer(Layers()) as server:
        with ContainedSubmission(server) as submission:
            opened(submission, "f = lambda: 0\n")
            copy = submission.process.pid
            os.kill(server.popen.pid, signal.SIGKILL)
            server.popen.wait()
            assert has_ended(copy)
        with ContainedSubmission(server) as submission:
            assert opened(submission, "f = lambda: 3\n") == 3


def test_the_first_process_ends_with_who_judges():
    server = ForkServer(Layers())
    server.copy()
    first = server.popen
    server.control.close()  # as Linux does when a process ends
    assert first.wait(60) == 0
    server.close()


def test_one_that_ended_is_told_how(monkeypatch):
    monkeypatch.setattr(fork_server, "MERCY", 60.0)  # a busy machine may need more than a second
    with ForkServer(Layers()) as server:
        process = server.copy()
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(EOFError):
            process.allow(60.0) or process.read(1)
        assert process.exit_code() == process.exit_code() == -signal.SIGKILL
        process.end()


@pytest.mark.parametrize(
    "weaker",
    [{"limits": {"UNHEARD_OF": 1}}, {"filter": b""}, {"filter": b"no filter"}],
    ids=["limits", "none", "wrong"],
)
def test_work_for_marks_is_not_run_where_its_containment_does_not_hold(weaker, server, monkeypatch):
    whole = contained.policy_for_marks
    monkeypatch.setattr(contained, "policy_for_marks", lambda seconds: whole(seconds)._replace(**weaker))
    with ContainedSubmission(server) as submission, pytest.raises(OSError, match="does not hold now"):
        opened(submission, "f = lambda: 0\n")


def test_what_the_first_process_leaves_behind_ends_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr(fork_server, "MERCY", 0.0)  # it does not end of itself
    leaving = ["/bin/sh", "-c", f"sleep 1000 & echo $! > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; wait"]
    with ForkServer(SimpleNamespace(command=leaving, environment={}, contained=False)) as server:
        server.wake()
        while not (tmp_path / "pid").exists():
            time.sleep(0.01)
    assert has_ended(int((tmp_path / "pid").read_text()))


def test_what_does_not_start_is_told():
    with pytest.raises(OSError, match="does not start"), ForkServer(Layers("/bin/false")) as server:
        server.copy()
