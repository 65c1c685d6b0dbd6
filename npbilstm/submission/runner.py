"""The process in which somebody's code runs: one file that imports NumPy alone, contains itself, and then answers.

It is started as `python -c SOURCE` and knows neither the reference nor the judge. What the code may take, read and do
reaches it as data (a Policy, containment.py), and so does what answers: planned_calls.py for marks, checked_file.py for
`check`. Requests and answers go by two pipes; the code that it runs gets neither. It can be made to say anything by
that code, and is believed nothing: who judges looks at what comes out of it before it is used.

It makes a copy of itself for each submission (fork_server.py), or serves itself where there is no fork server.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import io
import marshal
import os
import queue
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from functools import partial
from json import dumps, loads
from math import prod
from typing import Any

try:
    import resource
except ImportError:  # on Windows
    resource = None  # type: ignore[assignment]

FRAME = struct.Struct("<QQ")
"""How long a message's facts are, and its arrays."""
HEAD = 2**16
"""How many bytes of facts a message may have."""
NO_NEW_PRIVS, PDEATHSIG, SECCOMP, FILTER = 38, 1, 22, 2
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
READ_FILE, READ_DIR = 1 << 2, 1 << 3


def framed(facts: Mapping[str, Any], arrays: Mapping[str, Any]) -> bytes:
    """A message; see messages.py. Raises ValueError where the facts are too long."""
    listed = [[name, array.dtype.str, array.shape] for name, array in arrays.items()]
    head = dumps({**facts, "arrays": listed}).encode()
    if len(head) > HEAD:
        raise ValueError(f"there are {len(head):,} bytes of facts to tell; a message has at most {HEAD:,}")
    body = b"".join(array.tobytes() for array in arrays.values())
    return FRAME.pack(len(head), len(body)) + head + body


class Pipe:
    """Messages by standard input and output. The code has nothing to read in their place, and writes to what was
    standard error."""

    def __init__(self, np: Any) -> None:
        self.np, self.requests, self.replies, self.lock = np, os.dup(0), os.dup(1), threading.RLock()
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        os.close(nothing)
        for k, name in ((1, "stdout"), (2, "stderr")):
            stream = io.TextIOWrapper(io.FileIO(k, "w", closefd=False), "utf-8", "backslashreplace", write_through=True)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)

    def read(self, count: int) -> bytes:
        """So many bytes; the process ends where there are no more."""
        data = bytearray()
        while len(data) < count:
            part = os.read(self.requests, count - len(data))
            if not part:
                os._exit(0)
            data += part
        return bytes(data)

    def receive(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The next message: facts and arrays."""
        head, _ = FRAME.unpack(self.read(FRAME.size))
        facts, arrays = loads(self.read(head)), {}
        for name, dtype, shape in facts.pop("arrays"):
            dtype = self.np.dtype(dtype)
            data = self.read(dtype.itemsize * prod(shape))
            arrays[name] = self.np.frombuffer(data, dtype, prod(shape)).reshape(shape).copy()
        return facts, arrays

    def send(self, facts: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        """Send a message."""
        self.write(framed(facts, arrays))

    def write(self, message: bytes) -> None:
        """Send what was framed already."""
        with self.lock:
            left = memoryview(message)
            while left:
                left = left[os.write(self.replies, left) :]


class Program(ctypes.Structure):
    """How Linux is told of a filter: the number of its instructions, and where they are."""

    _fields_ = (("count", ctypes.c_ushort), ("lines", ctypes.c_char_p))


class Rule(ctypes.Structure):
    """How Landlock is told of a place: what may be done there, and an open file that it is."""

    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("place", ctypes.c_int32))


def limit(limits: Mapping[str, int]) -> bool:
    """Set limits that no code can lift, those that the system has -> whether it took them all."""
    held = True
    for name, most in limits.items():
        try:
            which = getattr(resource, f"RLIMIT_{name}")
            hard = resource.getrlimit(which)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(which, (most, most))
        except (AttributeError, OSError, ValueError):
            held = False
    return held


def restrict_files(libc: Any, readable: list[str], reading_alone: bool = False) -> bool:
    """Let nothing be opened but these files and folders, to be read -> whether this system can (Landlock).
    reading_alone: whether only what is read is looked at."""
    version = libc.syscall(ctypes.c_long(CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    rights = 13 + (version >= 2) + (version >= 3) + (version >= 5)  # bits for files; then TCP, then others' signals
    handled, others = (READ_FILE, 0) if reading_alone else ((1 << rights) - 1, 3)
    told = struct.pack("=QQQ", handled, others, others)[: 8 + 8 * (version >= 4) + 8 * (version >= 6)]
    rules = libc.syscall(ctypes.c_long(CREATE_RULESET), told, ctypes.c_size_t(len(told)), ctypes.c_uint32(0))
    if rules < 0:
        return False
    for path in readable:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        rule = Rule(handled & (READ_FILE | READ_DIR if os.path.isdir(path) else READ_FILE), place)
        libc.syscall(ctypes.c_long(ADD_RULE), rules, ctypes.c_int(1), ctypes.byref(rule), ctypes.c_uint32(0))
        os.close(place)
    held = bool(libc.syscall(ctypes.c_long(RESTRICT_SELF), rules, ctypes.c_uint32(0)) == 0)
    os.close(rules)
    return held


def refuse(starts: Collection[str], event: str, arguments: tuple[Any, ...]) -> None:
    """Say in a sentence, and on every system, what the code may not do. starts: the events by which Python announces
    that it is about to start a process. The filter is the wall behind this sign."""
    if event in starts:
        raise PermissionError(errno.EPERM, f"the code may start no other process ({event})")
    if event in ("os.kill", "os.killpg") and arguments[0] != os.getpid():
        raise PermissionError(errno.EPERM, f"the code may send signals to nobody but itself ({event})")


def contain(facts: Mapping[str, Any], arrays: Mapping[str, Any], parent: int | None) -> dict[str, bool]:
    """Contain this process, and all that is ever run in it -> what holds. facts, arrays: a Policy. parent: the process
    that this one is a copy of, and that it ends with. To be called before another thread is started."""
    held = {"limits": limit(facts["limits"]), "files": False, "calls": False}
    if sys.platform == "linux":
        libc, no = ctypes.CDLL(None), ctypes.c_ulong(0)
        if parent is not None:
            libc.prctl(PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), no, no, no)
            if os.getppid() != parent:  # it has ended already
                os._exit(0)
        libc.prctl(NO_NEW_PRIVS, ctypes.c_ulong(1), no, no, no)
        readable = [os.fsdecode(path) for path in arrays["readable"].tobytes().split(b"\0")]
        held["files"] = restrict_files(libc, readable, facts["reading_alone"])
        program = arrays["filter"].tobytes()
        given = Program(len(program) // 8, program)
        held["calls"] = bool(program) and libc.prctl(SECCOMP, ctypes.c_ulong(FILTER), ctypes.byref(given), no, no) == 0
    if not held["calls"]:
        limit(facts["unfiltered"])
    if facts["refused"]:
        sys.addaudithook(partial(refuse, facts["refused"]))
    return held


def listen(pipe: Pipe, where: Callable[[int], str]) -> Callable[[], tuple[dict[str, Any], dict[str, Any]]]:
    """Hand requests on, also while the code runs, to say where it is and to end when nobody waits -> gives the next
    one. where: tells of a thread where it is."""
    main, waiting = threading.get_ident(), queue.SimpleQueue[Any]()

    def listening() -> None:
        try:
            while True:
                facts, arrays = pipe.receive()
                if facts["do"] == "where":
                    pipe.send({"where": where(main), "number": facts["number"]}, {})
                else:
                    waiting.put((facts, arrays))
        finally:
            os._exit(0)

    threading.Thread(target=listening, daemon=True).start()
    return waiting.get


def serve(np: Any, parent: int | None = None) -> None:
    """Contain this process as the first request has it, then answer until the other end is gone."""
    pipe = Pipe(np)
    facts, arrays = pipe.receive()
    held = contain(facts, arrays, parent)
    exec(marshal.loads(arrays["program"].tobytes()), globals())
    answers = globals()["begin"](pipe, facts, arrays)
    pipe.send({"held": held, "number": facts["number"]}, {})
    receive = listen(pipe, answers.where) if facts["threads"] else pipe.receive
    try:
        while True:
            facts, arrays = receive()
            number = {"number": facts["number"]}
            try:
                reply, answer = answers.answer(facts, arrays)
                message = framed({**reply, **number}, answer)
            except BaseException as error:
                message = framed({**answers.told(error, facts), **number}, {})
            pipe.write(message)
    finally:  # an alarm that the code has set, say: there is nobody left to be told of it
        os._exit(1)


def make_copies(np: Any) -> None:
    """Make a copy of this process whenever it is asked for, and tell how one has ended, until the other end of standard
    input, a socket, is gone."""
    gc.freeze()  # what is there is left alone, and so shared with the copies
    control, me = socket.socket(fileno=os.dup(0)), os.getpid()
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    while True:
        said, pipes, *_ = socket.recv_fds(control, 64, 3)
        if not said:
            os._exit(0)
        if not pipes:
            found, status = os.waitpid(int(said), os.WNOHANG)
            control.send(str(os.waitstatus_to_exitcode(status)).encode() if found else b"alive")
            continue
        copy = os.fork()
        if copy == 0:
            control.send(b"here")
            control.detach()
            for stream, pipe in enumerate(pipes):
                os.dup2(pipe, stream)
            os.closerange(3, 100)
            serve(np, me)
        for pipe in pipes:
            os.close(pipe)
        control.send(str(copy).encode())


def numpy_in(folders: list[str]) -> Any:
    """NumPy, as it is found when these folders are looked through first."""
    kept = sys.path[:]
    sys.path[:0] = folders
    import numpy as np
    import numpy.random

    sys.path[:] = kept
    return np


if __name__ == "__main__":
    (make_copies if sys.argv[1] == "copies" else serve)(numpy_in(sys.argv[2:]))
