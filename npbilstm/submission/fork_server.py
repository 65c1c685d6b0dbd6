"""The runner, started once, and a copy of it for each submission: a fork server, and how a copy is talked to.

Importing NumPy takes longer than most of what a submission is asked. So a first process imports it and does nothing
else but make copies of itself (fork) as it is told to, by a socket; it never sees a submission. A copy keeps nothing of
that socket, contains itself, and only then is given work.

The judge alone holds the other end, so that the first process ends with it, and its copies with the first process.
It is Linux's; elsewhere a process is started for each file (pipes.py).
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Protocol

from npbilstm.submission.pipes import CHUNK, MERCY, PATIENCE, pass_on, seconds_run, start_thread

START = 300.0
"""Seconds of the clock that Python and NumPy may take to start, however busy the machine."""
CREDENTIALS = struct.Struct("3i")
"""How Linux tells who has sent a message: process, user, group; the process by its number here, wherever it is."""
PIPE = 2**20
"""Bytes that a pipe should hold, so that large arrays go in one piece."""
PROMPT = 0.05
"""Seconds of the clock in which nobody has spent more of the processor's time."""
NO_STEP = 0.002


class Start(Protocol):
    """How a first process is started."""

    @property
    def contained(self) -> bool:
        """Whether its copies need to contain themselves; they always try."""

    @property
    def command(self) -> list[str]:
        """The command that starts it."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables that it is given."""


class ForkServer:
    """The first process: with ForkServer(start) as server: process = server.copy(). Threads may share it.

    Raises OSError where it does not start.
    """

    def __init__(self, how: Start) -> None:
        self.how = how
        self.lock = threading.Lock()
        self.popen: subprocess.Popen[bytes] | None = None
        self.control: socket.socket | None = None

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wake(self) -> None:
        """Start the first process where it is not there, and wait for nothing."""
        with self.lock:
            self.start()

    def start(self) -> socket.socket:
        """Start the first process where it is not there -> the socket by which it is told."""
        if self.popen is not None and self.popen.poll() is not None:
            self.close()
        if self.control is not None:
            return self.control
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        control.settimeout(START)
        try:
            with theirs:
                self.popen = subprocess.Popen(
                    self.how.command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=self.how.environment,
                    start_new_session=True,  # Ctrl-C is for this process, which then ends that one
                )
        except BaseException:
            control.close()
            raise
        self.control = control
        return control

    def close(self) -> None:
        """End the first process, and with it its copies and what these have started."""
        if self.control is not None:
            self.control.close()
            self.control = None
        if self.popen is not None:
            with suppress(subprocess.TimeoutExpired):  # it ends when it is told nothing more
                self.popen.wait(MERCY)
            with suppress(OSError):  # nobody is left
                os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.kill()
            self.popen.wait()
            self.popen = None

    def copy(self, printed: Callable[[bytes], None] | None = None) -> RunnerProcess:
        """A new copy. Where the first process is gone, another is started. printed: is handed what comes by standard
        error; else nobody is."""
        with self.lock:
            control = self.start()
            requests, request = os.pipe()
            reply, replies = os.pipe()
            theirs = [requests, replies]
            printing: threading.Thread | None = None
            try:
                for end in (request, reply):
                    make_large(end)
                if printed is not None:
                    shown, errors = os.pipe()
                    theirs.append(errors)
                    printing = start_thread(pass_on, os.fdopen(shown, "rb"), printed)
                socket.send_fds(control, [b"copy"], theirs)
                numbers: dict[bool, int] = {}
                while len(numbers) < 2:  # the copy says that it is there, the first process what it calls it
                    said, about, *_ = control.recvmsg(64, socket.CMSG_SPACE(CREDENTIALS.size))
                    if not said:
                        raise EOFError
                    (sender,) = [CREDENTIALS.unpack(data)[0] for *_, data in about]
                    numbers[said == b"here"] = sender if said == b"here" else int(said)
            except BaseException as error:
                os.close(request)
                os.close(reply)
                self.close()
                if isinstance(error, (OSError, EOFError)):
                    raise OSError("the process for submissions does not start") from None
                raise
            finally:
                for end in theirs:
                    os.close(end)
        return RunnerProcess(self, numbers[True], numbers[False], request, reply, printing)

    def exit_code(self, inner: int) -> int | None:
        """How a copy has ended, by the number that the first process has for it; None where it lives. It is to be asked
        for no more once it was told."""
        with self.lock:
            if self.control is None:
                return -signal.SIGKILL
            try:
                self.control.send(str(inner).encode())
                said = self.control.recv(64)
            except OSError:
                said = b""
            return None if said == b"alive" else int(said) if said else -signal.SIGKILL


def make_large(pipe: int) -> None:
    """Let a pipe hold more, where that can be: a user may have only so much in pipes."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)


@cache
def server_of(process: int, how: Start) -> ForkServer:
    """The fork server of a process, by its number, that is started so. It ends with that process."""
    server = ForkServer(how)
    atexit.register(server.close)
    return server


class RunnerProcess:
    """A copy of the runner, at the other end of two pipes, none of which makes the process that judges wait for ever.

    pid: its number here; inner: its number for the first process. What it may take is told in seconds of the
    processor's time, so that a busy machine changes nothing: see spent.
    """

    def __init__(
        self, server: ForkServer, pid: int, inner: int, request: int, reply: int, printing: threading.Thread | None
    ) -> None:
        self.server, self.pid, self.inner, self.request, self.reply = server, pid, inner, request, reply
        self.printing = printing
        os.set_blocking(request, False)
        self.unread = bytearray()
        self.code: int | None = None
        self.stat: int | None = None
        with suppress(OSError):  # where the system does not tell
            self.stat = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        self.now = 0.0
        self.allow(0.0)

    def processor_time(self) -> float:
        """Seconds that it has run; as many as were last seen, once it is gone."""
        if self.stat is not None:
            with suppress(OSError, ValueError, IndexError):
                self.now = seconds_run(os.pread(self.stat, 1024, 0))
        return self.now

    def allow(self, seconds: float) -> None:
        """Let what follows end when it has spent so many seconds from now on."""
        self.allowed, self.begin = seconds, (time.monotonic(), self.processor_time())

    def spent(self) -> float:
        """The seconds of the processor's time since `allow`; a fifth of what the clock says, for one that sleeps. Where
        the system does not tell the processor's time, what the clock says."""
        clock, processor = self.begin
        passed = time.monotonic() - clock
        return passed if self.stat is None else max(self.processor_time() - processor, passed / PATIENCE)

    def wait_for(self, descriptor: int, event: int) -> None:
        """Wait until a pipe can be read from or written to. Raises TimeoutError."""
        poll = select.poll()
        poll.register(descriptor, event)
        while True:
            passed = time.monotonic() - self.begin[0]
            if passed > min(PROMPT, self.allowed) and self.spent() >= self.allowed:
                raise TimeoutError
            if poll.poll(1000 * max(min(self.allowed, PROMPT), NO_STEP)):
                return

    def send(self, message: bytes) -> None:
        """Write a message. Raises TimeoutError where it is not read."""
        left = memoryview(message)
        with suppress(BrokenPipeError):  # it is gone, and who reads is told
            while left:
                try:
                    left = left[os.write(self.request, left[:PIPE]) :]
                except BlockingIOError:
                    self.wait_for(self.request, select.POLLOUT)

    def read(self, count: int) -> bytes:
        """The next so many bytes of the replies. Raises EOFError where they end before, TimeoutError when late."""
        while len(self.unread) < count:
            self.wait_for(self.reply, select.POLLIN)
            chunk = os.read(self.reply, max(count - len(self.unread), CHUNK))
            if not chunk:
                raise EOFError
            self.unread += chunk
        data = bytes(self.unread[:count])
        del self.unread[:count]
        return data

    def exit_code(self) -> int | None:
        """How it has ended, a signal with a minus; None where it lives on."""
        until = time.monotonic() + MERCY
        while self.code is None:
            self.code = self.server.exit_code(self.inner)
            if self.code is None and time.monotonic() > until:
                return None
            if self.code is None:
                time.sleep(NO_STEP)
        return self.code

    def end(self) -> None:
        """End it, and show what it still had to say."""
        if self.code is None:  # until it was told how it ended, its number is nobody else's
            with suppress(OSError):
                os.kill(self.pid, signal.SIGKILL)
            self.exit_code()
        for descriptor in (self.request, self.reply, self.stat):
            if descriptor is not None:
                os.close(descriptor)
        if self.printing is not None:
            self.printing.join(MERCY)
