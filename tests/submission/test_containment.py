"""What holds submitted code: the filter of system calls, read as Linux reads it, and what is left without it."""

import errno
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from npbilstm.submission import containment, process
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.process import SubmissionProcess
from npbilstm.submission.runner import refuse
from npbilstm.submission.system_calls import (
    ALLOW,
    ANY_BIT,
    AT_LEAST,
    EQUAL,
    KILL,
    LOAD,
    NUMBERS,
    PROCESSORS,
    REFUSE,
    RETURN,
    UNKNOWN,
    program,
)

OWN, OTHER = 4242, 4243


def answer_of(lines, call):
    """What a program of BPF returns for a call: its words by their offsets."""
    register = at = 0
    while True:
        code, if_so, if_not, number = lines[at]
        if code == RETURN:
            return number
        if code == LOAD:
            register = call.get(number, 0)
        else:
            holds = {EQUAL: register == number, AT_LEAST: register >= number, ANY_BIT: register & number}[code]
            at += if_so if holds else if_not
        at += 1


def answer(machine, name, *arguments):
    """What the filter says to a call by its name or number."""
    column, processor = PROCESSORS[machine]
    number = name if isinstance(name, int) else NUMBERS[name][column]
    call = {0: number, 4: processor}
    for k, value in enumerate(arguments):
        call |= {16 + 8 * k: value & 0xFFFF_FFFF, 20 + 8 * k: value >> 32 & 0xFFFF_FFFF}
    return answer_of(program(machine, OWN), call)


THREAD, PROCESS, VFORK = 0x3D0F00, 0x1200011, 0x4111
"""The flags with which the C library starts a thread, a process by fork, and one by posix_spawn."""
NEVER = set(NUMBERS) - {
    *("clone", "clone3", "kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"),
    *("fcntl", "ioctl", "prctl", "prlimit64"),
}
OWN_ONLY = ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")


@pytest.mark.parametrize("machine", PROCESSORS)
def test_a_thread_may_be_started_and_a_process_may_not(machine):
    assert answer(machine, "clone", THREAD) == ALLOW
    assert answer(machine, "clone", PROCESS) == answer(machine, "clone", VFORK) == REFUSE
    assert answer(machine, "clone3", 2**40) == UNKNOWN == 0x50000 | errno.ENOSYS
    for name in NEVER:
        if NUMBERS[name][PROCESSORS[machine][0]] is not None:
            assert answer(machine, name, 0) == answer(machine, name, OWN) == REFUSE == 0x50000 | errno.EPERM


@pytest.mark.parametrize("machine", PROCESSORS)
def test_signals_go_to_the_process_itself_alone(machine):
    for name in OWN_ONLY:
        assert answer(machine, name, OWN, 9) == ALLOW
        for pid in (OTHER, 0, 1, -1, -OWN, 2**32 - 1):
            assert answer(machine, name, pid, 9) == REFUSE
    assert {answer(machine, "fcntl", 0, command) for command in (8, 10, 15)} == {REFUSE}
    assert {answer(machine, "fcntl", 0, command) for command in (0, 1, 2, 3, 4, 9, 11, 14, 1030)} == {ALLOW}
    assert {answer(machine, "ioctl", 0, command) for command in (0x8901, 0x8902)} == {REFUSE}
    assert {answer(machine, "ioctl", 0, command) for command in (0x5401, 0x541B)} == {ALLOW}


@pytest.mark.parametrize("machine", PROCESSORS)
def test_limits_may_be_read_and_not_set(machine):
    assert answer(machine, "prlimit64", 0, 9, 0, 0x7FFF_0000_1000) == ALLOW
    assert answer(machine, "prlimit64", 0, 9, 0x7FFF_0000_1000) == REFUSE
    assert answer(machine, "prlimit64", 0, 9, 0x7_0000_0000) == REFUSE
    assert answer(machine, "prlimit64", 0, 9, 0x1000) == REFUSE
    assert answer(machine, "prctl", 1) == REFUSE  # PR_SET_PDEATHSIG
    assert {answer(machine, "prctl", option) for option in (2, 4, 15, 16, 22, 38)} == {ALLOW}


@pytest.mark.parametrize("machine", PROCESSORS)
def test_all_other_calls_pass_and_those_of_other_processors_end_the_process(machine):
    column, _ = PROCESSORS[machine]
    named = {numbers[column] for numbers in NUMBERS.values()}
    assert {answer(machine, number, 0, 0, 0) for number in set(range(500)) - named} == {ALLOW}
    assert answer_of(program(machine, OWN), {0: 1, 4: 0x4000_0003}) == KILL
    assert answer(machine, 0x4000_0000 + 57) == KILL
    assert all(max(if_so, if_not) < 256 for _, if_so, if_not, _ in program(machine, OWN))


HEADERS = {"x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "/usr/include/asm-generic/unistd.h"}


@pytest.mark.parametrize("machine", PROCESSORS)
def test_the_numbers_are_those_of_linuxs_headers(machine):
    header = Path(HEADERS[machine])
    if not header.exists():
        pytest.skip("this system has no headers of Linux")
    numbers = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text()))
    column, _ = PROCESSORS[machine]
    expected = {name: int(numbers[name]) if name in numbers else None for name in NUMBERS}
    assert {name: columns[column] for name, columns in NUMBERS.items()} == expected


@pytest.fixture
def file(tmp_path):
    def write(source):
        path = tmp_path / "own.py"
        path.write_text("import ctypes, os, sys, time\nimport numpy as np\nlibc = ctypes.CDLL(None)\n" + source)
        return path

    return write


def sigmoid_of(submission):
    """What a file's sigmoid gives for some numbers."""
    return submission.pair("sigmoid").forward({"a": np.zeros((1, 2))})[0]["value"]


RIGHT = "def sigmoid(a):\n    {body}\n    return 1 / (1 + np.exp(-a))\n"
LIMITS = {"AS": 4 * 2**30, "FSIZE": 10**8, "NOFILE": 256, "CORE": 0, "CPU": 240}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="these are Linux's")
def test_all_limits_are_set_and_hard(file):
    source = "import resource\nfor name in sys.argv[:0] or " + repr(list(LIMITS)) + ":\n"
    source += "    print(name, *resource.getrlimit(getattr(resource, 'RLIMIT_' + name)))\n"
    source += "print(open('/proc/self/status').read())\n" + RIGHT.format(body="")
    printed = []
    submission = SubmissionProcess(file(source), seconds=20)  # so 120 in all
    submission.printed.show = printed.append
    with submission:
        pass
    text = b"".join(printed).decode()
    for name, wanted in LIMITS.items():
        _, hard = resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        assert f"{name} {most} {most}\n" in text
    assert "NoNewPrivs:\t1\n" in text
    assert "Seccomp:\t2\n" in text


@pytest.fixture
def no_filter(monkeypatch):
    """A system that has neither the filter, nor the signal, nor a fork server."""
    monkeypatch.setattr(containment, "process_filter", lambda pid: b"")
    monkeypatch.setattr(process, "FORKS", False)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "call", ["os.fork()", "os.system('true')", "os.kill(os.getppid(), 0)", "os.execv('/bin/true', ['a'])"]
)
def test_without_the_filter_python_still_refuses(call, file, no_filter):
    with SubmissionProcess(file(RIGHT.format(body=call))) as submission:
        with pytest.raises(SubmissionError, match=r"PermissionError: \[Errno 1\] the code may s"):
            sigmoid_of(submission)
        assert submission.process is not None


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="for others RLIMIT_NPROC leaves no fork")
def test_without_the_filter_a_process_that_keeps_the_pipes_open_holds_up_nobody(file, no_filter):
    path = file("pid = libc.fork()\nif pid == 0:\n    libc.setsid()\n    time.sleep(1000)\n    os._exit(0)\n")
    with path.open("a") as source:
        source.write("open(__file__ + '.pid', 'w').write(str(pid))\n" + RIGHT.format(body=""))
    with SubmissionProcess(path) as submission:
        assert (sigmoid_of(submission) == 0.5).all()
    os.kill(int(Path(f"{path}.pid").read_text()), signal.SIGKILL)  # which still had them open


def test_without_the_signal_a_thread_sees_that_nobody_waits(file):
    source = "print('here')\nwhile True: pass\n"
    parent = (
        f"from npbilstm.submission import process\nprocess.FORKS = False\n"
        f"own = process.SubmissionProcess({str(file(source))!r})\nown.printed.show = lambda chunk: print("
        "own.process.pid, flush=True)\nown.start()"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as run:
        pid = int(run.stdout.readline())
        run.kill()
    assert has_ended(pid)


def has_ended(pid):
    """Whether a process is gone, or is but waited for, before long."""
    for _ in range(6000):
        if is_over(pid):
            return True
        time.sleep(0.01)
    return False


def is_over(pid):
    """Whether a process is gone, or is but waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_process_outlives_the_thread_in_which_it_was_started(file):
    with SubmissionProcess(file(RIGHT.format(body=""))) as submission:
        starter = threading.Thread(target=submission.close)
        starter.start()
        starter.join()
        pairs = []
        starter = threading.Thread(target=lambda: pairs.append(submission.pair("sigmoid")))
        starter.start()
        starter.join()
        time.sleep(0.1)
        assert (pairs[0].forward({"a": np.zeros((1, 2))})[0]["value"] == 0.5).all()
        assert not is_over(submission.process.pid)


def test_a_limit_that_is_lower_already_stays_and_one_that_is_not_known_is_told():
    code = (
        "import resource; from npbilstm.submission.runner import limit; "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (50, 60)); print(limit({'NOFILE': 256}), "
        "limit({'UNHEARD_OF': 3}), *resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True False 60 60\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the signal is Linux's")
def test_a_copy_whose_first_process_has_ended_before_it_began_ends():
    code = (
        "from npbilstm.submission.runner import contain; import numpy as np; empty = np.zeros(0, np.uint8); "
        "facts = dict(limits={{}}, unfiltered={{}}, refused=[], reading_alone=True); "
        "contain(facts, dict(readable=empty, filter=empty), {}); print('lives')"
    )
    for parent, said in ((os.getpid(), "lives\n"), (os.getpid() + 1, "")):
        run = subprocess.run([sys.executable, "-c", code.format(parent)], capture_output=True, text=True)
        assert (run.returncode, run.stdout) == (0, said)


@pytest.mark.parametrize("event", sorted(containment.STARTS))
def test_every_way_to_start_a_process_is_refused(event):
    with pytest.raises(PermissionError, match=re.escape(f"the code may start no other process ({event})")):
        refuse(containment.STARTS, event, ())
    assert refuse(containment.STARTS, "os.kill", (os.getpid(), 9)) is None
    assert refuse(containment.STARTS, "open", ("file", "r", 0)) is None
