"""A process at the end of pipes: whatever it does with them, nobody waits for it longer than they want to."""

import os
import sys
import threading
import time

import pytest

from npbilstm.submission import pipes
from npbilstm.submission.pipes import CHUNK, CHUNKS, PipedProcess
from tests.submission.test_containment import has_ended

PYTHON = [sys.executable, "-S", "-E", "-c"]


@pytest.fixture
def start(monkeypatch):
    """A function that starts Python with a source, and hands to a list what it prints; all are ended afterwards."""
    monkeypatch.setattr(pipes, "MERCY", 60.0)  # a busy machine may need more than a second
    started = []

    def starting(source, printed=lambda chunk: None, command=PYTHON):
        started.append(PipedProcess([*command, source], os.environ, printed))
        started[-1].allow(60)
        return started[-1]

    yield starting
    for process in started:
        process.end()


def test_what_is_sent_is_read_and_what_is_answered_comes_in_pieces(start):
    process = start("import sys; sys.stdout.write(sys.stdin.readline().upper())")
    process.send(b"one ")
    process.send(b"two\n")
    assert [process.read(3), process.read(0), process.read(5)] == [b"ONE", b"", b" TWO\n"]
    with pytest.raises(EOFError):
        process.read(1)
    assert process.exit_code() == 0


@pytest.mark.skipif(os.name != "posix", reason="there are no sessions")
def test_ctrl_c_is_for_the_one_who_judges(start):
    process = start("input()")
    assert os.getsid(process.popen.pid) == process.popen.pid  # a session of its own, which no terminal sends signals to


def test_nobody_waits_for_what_does_not_come(start):
    process = start("import time; time.sleep(1000)")
    process.send(b"x" * 10**6)  # more than a pipe holds, and nobody reads it
    for seconds in (0.05, -1):
        process.allow(seconds)
        with pytest.raises(TimeoutError):
            process.read(1)


def test_nobody_waits_for_what_comes_without_end(start):
    others = set(threading.enumerate())
    process = start("import os\nwhile True: os.write(1, b'x' * 4096); os.write(2, b'y' * 4096)")
    assert process.read(3) == b"xxx"
    while process.chunks.qsize() < CHUNKS:
        time.sleep(0.01)
    assert len(process.unread) <= CHUNK
    threads = set(threading.enumerate()) - others
    assert len(threads) == 3  # one per pipe
    process.end()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_all_that_was_printed_has_been_shown_at_the_end(start):
    printed = []

    def slowly(chunk):
        time.sleep(0.2)
        printed.append(chunk)

    process = start("import sys; sys.stderr.write('said'); sys.stderr.flush(); print('x'); input()", slowly)
    assert process.read(1) == b"x"
    process.end()
    assert b"".join(printed) == b"said"


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_the_group_ends_with_the_process(start):
    process = start("sleep 1000 & echo $!; wait", command=["/bin/sh", "-c"])
    number = b""
    while not number.endswith(b"\n"):
        number += process.read(1)
    process.end()
    assert has_ended(int(number))


def test_a_command_that_cannot_be_run_is_an_error():
    for command, error in ((["/nowhere/python"], FileNotFoundError), (["a\0b"], ValueError)):
        with pytest.raises(error):
            PipedProcess(command, {}, print)
