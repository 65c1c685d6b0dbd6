"""Another process at the end of three pipes, none of which can make the process that judges wait for ever.

The runner is started so where there is no fork server (fork_server.py), which is Linux's. A pipe that nobody reads,
that nobody writes to, that never ends, or that a third process keeps open holds up a thread of its own here. Who judges
takes from a queue what has come, for so long and no longer.
"""

from __future__ import annotations

import codecs
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO

from npbilstm.printable import in_lines

CHUNK = 2**16
"""How many bytes of a pipe are read at once."""
CHUNKS = 16
"""How many chunks of a reply may lie unread before the other process has to wait."""
PRINTED = 10_000
"""How many characters submitted code may print; the rest is dropped."""
MERCY = 1.0
"""Seconds that a process has to be gone after its end."""
PATIENCE = 5.0
"""How many seconds of the clock go by for one second of the processor's time at most."""


class PipedProcess:
    """A process and its pipes: what is sent goes to its standard input, replies come by its standard output, and what
    comes by standard error is handed to `printed`.

    What it may take is told in seconds of the processor's time, so that a busy machine changes nothing: see spent.

    Raises OSError where it cannot be started.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], printed: Callable[[bytes], None]
    ) -> None:
        self.allowed = math.inf
        self.unsent: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.chunks: queue.Queue[bytes] = queue.Queue(CHUNKS)
        self.unread = bytearray()
        launched: queue.SimpleQueue[subprocess.Popen[bytes] | Exception] = queue.SimpleQueue()
        start_thread(self.launch, command, environment, launched)
        process = launched.get()
        if isinstance(process, Exception):
            raise process
        self.popen = process
        self.pid = self.inner = process.pid
        self.allow(math.inf)
        start_thread(pass_on, process.stdout, self.chunks.put)
        self.printing = start_thread(pass_on, process.stderr, printed)

    def launch(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        launched: queue.SimpleQueue[subprocess.Popen[bytes] | Exception],
    ) -> None:
        """Start the process, and write to it what is sent until it is ended."""
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,  # Ctrl-C is for this process, which then ends that one
            )
        except Exception as error:  # whoever waits for it must not wait for ever
            launched.put(error)
            return
        launched.put(process)
        for message in iter(self.unsent.get, b""):
            with suppress(OSError):  # it reads no more
                process.stdin.write(message)  # type: ignore[union-attr]
                process.stdin.flush()  # type: ignore[union-attr]
        with suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]

    def send(self, message: bytes) -> None:
        """Let a message be written."""
        self.unsent.put(message)

    def allow(self, seconds: float) -> None:
        """Let waiting for a reply end when it has spent so many seconds from now on."""
        self.allowed, self.begin = seconds, (time.monotonic(), self.processor_time())

    def spent(self) -> float:
        """The seconds of the processor's time since `allow`; a fifth of what the clock says, for a process that sleeps
        or waits. Where the system does not tell the processor's time, what the clock says."""
        clock, processor = self.begin
        passed, now = time.monotonic() - clock, self.processor_time()
        return passed if now is None or processor is None else max(now - processor, passed / PATIENCE)

    def processor_time(self) -> float | None:
        """Seconds that its threads have run, where the system tells."""
        try:
            with open(f"/proc/{self.popen.pid}/stat", "rb") as stat:
                return seconds_run(stat.read())
        except (OSError, ValueError, IndexError, AttributeError):
            return None

    def read(self, count: int) -> bytes:
        """The next so many bytes of the replies. Raises EOFError where they end before, TimeoutError when late."""
        while len(self.unread) < count:
            left = self.allowed - self.spent()
            if left <= 0 and self.chunks.empty():
                raise TimeoutError
            try:  # no process takes more of the processor's time than goes by, but for one with threads
                chunk = self.chunks.get(timeout=min(max(left, 0.01), threading.TIMEOUT_MAX))
            except queue.Empty:
                continue
            if not chunk:
                raise EOFError
            self.unread += chunk
        data = bytes(self.unread[:count])
        del self.unread[:count]
        return data

    def exit_code(self) -> int | None:
        """How the process has ended; None where it lives on."""
        with suppress(subprocess.TimeoutExpired):
            return self.popen.wait(MERCY)
        return None

    def end(self) -> None:
        """End the process and those that it has started, and show what it still had to say."""
        if hasattr(os, "killpg"):
            with suppress(OSError):  # it is gone
                os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.kill()
        self.unsent.put(b"")
        with suppress(queue.Empty):
            while True:  # so that whoever waits for room to put more goes on, and ends
                self.chunks.get_nowait()
        self.exit_code()
        self.printing.join(MERCY)


def seconds_run(stat: bytes) -> float:
    """Seconds of the processor's time, as /proc/PID/stat tells. Raises ValueError or IndexError where it does not."""
    fields = stat.rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # proc(5): utime, stime


def how_it_ended(code: int) -> str:
    """The words for an exit code, or for a signal, whose number it has with a minus."""
    names = {member.value: member.name for member in signal.Signals}
    return f"by signal {names.get(-code, -code)}" if code < 0 else f"with exit code {code}"


def start_thread(target: Callable[..., None], *arguments: object) -> threading.Thread:
    """A thread that keeps nobody from leaving."""
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.start()
    return thread


def pass_on(stream: IO[bytes], to: Callable[[bytes], None]) -> None:
    """Hand a pipe's bytes on as they come; b"" where it ends."""
    with stream:
        while chunk := stream.read1(CHUNK):  # type: ignore[attr-defined]
            to(chunk)
    to(b"")


class Printed:
    """What submitted code prints, shown on standard error: so many characters, none of which steers a terminal."""

    def __init__(self) -> None:
        self.left = PRINTED
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def show(self, chunk: bytes) -> None:
        """Show the next bytes, or drop them."""
        if self.left < 0:
            return
        text = self.decoder.decode(chunk).replace("\r\n", "\n").replace("\r", "\n")
        shown = in_lines(text[: self.left])
        self.left -= len(text)
        if self.left < 0:
            shown += f"\n... no more than {PRINTED} characters are shown\n"
        with suppress(OSError, ValueError, AttributeError):  # nobody listens
            sys.stderr.write(shown)
            sys.stderr.flush()
