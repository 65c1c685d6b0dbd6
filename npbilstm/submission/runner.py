"""The process in which work for marks runs: one file that imports NumPy alone, contains itself, and then serves calls.

It is started as `python -c SOURCE`, makes a copy of itself for each submission (fork_server.py), and knows neither the
reference nor the judge: what it is to call, and how, reaches it as data (contained.py). Requests and answers go by two
pipes, framed as in messages.py; the code that it runs gets neither. It can be made to say anything by that code, and is
believed nothing: what comes out of it is numbers, of shapes that were asked for.

What it lacks once it is contained: memory beyond MEMORY, files to write, files to read but for Python's library and
NumPy (Landlock), every system call that is not in permitted_calls.py. So it starts no process and no thread.
"""

from __future__ import annotations

import ctypes
import gc
import json
import marshal
import os
import resource
import signal
import socket
import struct
import sys
import types
from collections import namedtuple
from functools import cache
from math import prod
from typing import Any

FRAME = struct.Struct("<QQ")
"""How long a message's facts are, and its arrays."""
MEMORY = 2**30
"""Bytes of memory that the code may take."""
TEXT = 2000
"""How many characters of an error's message are sent; who judges shows fewer."""
CLASSROOM = compile(
    """
import npbilstm.textbook
def check_exercise(*_, **__):
    return ""
def given(_, *names):
    return [getattr(npbilstm.textbook, name) for name in names]
""",
    "<classroom>",
    "exec",
)
"""What there is of npbilstm.classroom. Given are the functions in the textbook's place, whatever is asked for."""
NO_NEW_PRIVS, PDEATHSIG, SECCOMP, FILTER = 38, 1, 22, 2
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
READ_FILE, READ_DIR = 1 << 2, 1 << 3


class Misfit(Exception):  # noqa: N818
    """Something returned that is not what was asked for: its name, and what it is."""


class Program(ctypes.Structure):
    """How Linux is told of a filter: the number of its instructions, and where they are."""

    _fields_ = (("count", ctypes.c_ushort), ("lines", ctypes.c_char_p))


class Rule(ctypes.Structure):
    """How Landlock is told of a place: what may be done there, and an open file that it is."""

    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("place", ctypes.c_int32))


def limit(seconds: int) -> None:
    """Set the limits that no code can lift. seconds: of the processor's time, a backstop."""
    limits = {"AS": MEMORY, "FSIZE": 0, "CORE": 0, "NOFILE": 64, "CPU": seconds, "MEMLOCK": 0, "MSGQUEUE": 0}
    for name, most in limits.items():
        which = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(which)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (most, most))


def restrict_files(libc: Any, readable: list[str]) -> bool:
    """Let nothing be opened but these files and folders, to be read -> whether this system can (Landlock)."""
    version = libc.syscall(ctypes.c_long(CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return False
    rights = 13 + (version >= 2) + (version >= 3) + (version >= 5)  # bits for files; then TCP, then others' signals
    handled = struct.pack("=QQQ", (1 << rights) - 1, 3, 3)[: 8 + 8 * (version >= 4) + 8 * (version >= 6)]
    rules = libc.syscall(ctypes.c_long(CREATE_RULESET), handled, ctypes.c_size_t(len(handled)), ctypes.c_uint32(0))
    if rules < 0:
        return False
    for path in readable:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        rule = Rule(READ_FILE | READ_DIR if os.path.isdir(path) else READ_FILE, place)
        libc.syscall(ctypes.c_long(ADD_RULE), rules, ctypes.c_int(1), ctypes.byref(rule), ctypes.c_uint32(0))
        os.close(place)
    held = bool(libc.syscall(ctypes.c_long(RESTRICT_SELF), rules, ctypes.c_uint32(0)) == 0)
    os.close(rules)
    return held


def contain(facts: dict[str, Any], program: bytes, parent: int) -> dict[str, bool]:
    """Contain this process -> what holds. facts: "seconds"; "readable". program: the filter of system calls. parent:
    the process that this one is a copy of, and that it ends with."""
    limit(facts["seconds"])
    libc = ctypes.CDLL(None)
    no = ctypes.c_ulong(0)
    libc.prctl(PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), no, no, no)
    if os.getppid() != parent:  # it has ended already
        os._exit(0)
    libc.prctl(NO_NEW_PRIVS, ctypes.c_ulong(1), no, no, no)
    files = restrict_files(libc, facts["readable"])
    given = Program(len(program) // 8, program)
    calls = bool(program) and libc.prctl(SECCOMP, ctypes.c_ulong(FILTER), ctypes.byref(given), no, no) == 0
    return {"files": files, "calls": calls}


class Pipe:
    """Messages by standard input and output, which the code then gets others in the place of."""

    def __init__(self, np: Any) -> None:
        self.np, self.requests, self.replies = np, os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        os.close(nothing)

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
        facts, arrays = json.loads(self.read(head)), {}
        for name, dtype, shape in facts.pop("arrays"):
            dtype = self.np.dtype(dtype)
            data = self.read(dtype.itemsize * prod(shape))
            arrays[name] = self.np.frombuffer(data, dtype, prod(shape)).reshape(shape).copy()
        return facts, arrays

    def send(self, facts: dict[str, Any], arrays: dict[str, Any]) -> None:
        """Send a message."""
        listed = [[name, array.dtype.str, array.shape] for name, array in arrays.items()]
        head = json.dumps({**facts, "arrays": listed}).encode()
        body = b"".join(array.tobytes() for array in arrays.values())
        data = memoryview(FRAME.pack(len(head), len(body)) + head + body)
        while data:
            data = data[os.write(self.replies, data) :]


def module_of(name: str, code: types.CodeType) -> types.ModuleType:
    """A module made of code, which others may import."""
    module = types.ModuleType(name)
    module.__file__ = code.co_filename
    sys.modules[name] = module
    exec(code, vars(module))
    return module


def offer(textbook: types.CodeType) -> None:
    """Put what a submission may import of npbilstm in its place: the functions that stand in for earlier exercises."""
    for name in [each for each in sys.modules if each.partition(".")[0] == "npbilstm"]:
        del sys.modules[name]
    package = types.ModuleType("npbilstm")
    package.__path__ = []
    sys.modules["npbilstm"] = package
    package.textbook = module_of("npbilstm.textbook", textbook)  # type: ignore[attr-defined]
    package.classroom = module_of("npbilstm.classroom", CLASSROOM)  # type: ignore[attr-defined]


@cache
def kind_of(name: str, fields: tuple[str, ...]) -> Any:
    """A kind of params, by its name and fields; it is made once, as whose it is makes it once."""
    return namedtuple(name, fields)


def build(tree: Any, arrays: dict[str, Any], names: dict[str, Any]) -> Any:
    """An argument: a name of an array, a function by its name, what that gives for arguments, or a tuple of arguments,
    whose fields may have names."""
    if isinstance(tree, str):
        return arrays[tree].item() if not arrays[tree].ndim else arrays[tree]
    if "function" in tree:
        function = names[tree["function"]]
        return function(*(build(each, arrays, names) for each in tree["members"])) if "members" in tree else function
    parts = [build(member, arrays, names) for member in tree["members"]]
    return kind_of(tree["kind"], tuple(tree["fields"]))(*parts) if tree["fields"] else tuple(parts)


def take(value: Any, tree: Any, into: dict[str, Any]) -> None:
    """Put what was returned into a dict by names."""
    if isinstance(tree, str):
        into[tree] = value
        return
    members, fields = tree["members"], tree["fields"]
    if isinstance(value, dict) and fields:
        value = {str(key).removeprefix("d").removeprefix("_"): part for key, part in value.items()}
    elif hasattr(value, "_fields") and set(value._fields) == set(fields):
        value = value._asdict()
    elif isinstance(value, (tuple, list)) and len(value) == len(members):
        value = dict(zip(fields or range(len(value)), value))
    elif len(members) == 1 and not fields:
        value = {0: value}
    else:
        value = {}
    if set(value) != set(fields or range(len(members))):
        raise Misfit(tree["name"], None)
    for field, member in zip(fields or range(len(members)), members):
        take(value[field], member, into)


def as_arrays(np: Any, values: dict[str, Any], shapes: dict[str, list[int]]) -> dict[str, Any]:
    """Arrays of float64 in the shapes that were asked for."""
    arrays = {}
    for name, shape in shapes.items():
        try:
            array = np.array(values[name], subok=False)
        except (TypeError, ValueError):
            raise Misfit(name, None) from None
        if array.dtype.kind not in "fiub":
            raise Misfit(name, None)
        if list(array.shape) != shape:
            raise Misfit(name, list(array.shape)[:8])
        arrays[name] = np.ascontiguousarray(array, dtype="<f8").reshape(shape)
    return arrays


def explained(error: BaseException, file: str) -> dict[str, Any]:
    """What is told of an error: the name of its type, the line of the submission, and its message."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == file else line
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename == file:
        line = error.lineno or 0
    try:
        message = str(error)[:TEXT]
    except BaseException:
        message = ""
    return {"type": type(error).__name__[:100], "line": line, "message": message}


class Submission:
    """The module of a submission, and the caches of its forward passes."""

    def __init__(self, np: Any, pipe: Pipe) -> None:
        self.np, self.pipe, self.file, self.names, self.caches = np, pipe, "", {}, {}  # type: ignore[var-annotated]
        self.number, self.asks = "", []  # type: ignore[var-annotated]

    def asked(self, *values: Any) -> Any:
        """What the judge gives for arrays, of the shapes that it takes: a function that is not here."""
        kinds: list[str] = []
        arrays: dict[str, Any] = {}
        for (name, shape), value in zip(self.asks, values, strict=True):
            array = self.np.broadcast_to(value, shape)
            kinds.append("f4" if array.dtype == self.np.float32 else "f8")
            arrays |= as_arrays(self.np, {name: array}, {name: shape})
        self.pipe.send({"asks": kinds, "number": self.number}, arrays)
        return self.pipe.receive()[1]["dx"]

    def answer(self, facts: dict[str, Any], arrays: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Do what is asked: open a source, or call one of its functions."""
        for number in facts["free"]:
            self.caches.pop(number, None)
        if facts["do"] == "open":
            self.file, self.names, self.caches = facts["file"], {}, {}
            offer(marshal.loads(arrays["textbook"].tobytes()))
            code = compile(arrays["source"].tobytes().decode(), self.file, "exec", dont_inherit=True)
            module = module_of("submission", code)
            self.names = {**vars(sys.modules["npbilstm.textbook"]), **vars(module), "<asked>": self.asked}
            given: dict[str, Any] = {}
            exec(marshal.loads(arrays["given"].tobytes()), given)
            self.names |= {f"<{name}>": value for name, value in given.items()}
            return {"functions": [name for name in facts["functions"] if callable(vars(module).get(name))]}, {}
        self.number, self.asks = facts["number"], facts["asks"]
        before = {name: array.tobytes() for name, array in arrays.items()}
        arguments = [build(tree, arrays, self.names) for tree in facts["arguments"]]
        if facts["takes_cache"] is not None:
            arguments.append(self.caches[facts["takes_cache"]])
        returned = self.names[facts["function"]](*arguments)
        changed = [name for name, array in arrays.items() if array.tobytes() != before[name]]
        if facts["keeps_cache"] is not None:
            if not isinstance(returned, (tuple, list)) or len(returned) != len(facts["returns"]["members"]) + 1:
                raise Misfit("", None)
            *returned, self.caches[facts["keeps_cache"]] = returned
        values: dict[str, Any] = {}
        take(returned, facts["returns"], values)
        return {"changed": changed}, as_arrays(self.np, values, facts["shapes"])


def serve(np: Any, parent: int) -> None:
    """Contain this process, then answer requests until the other end is gone."""
    pipe = Pipe(np)
    submission = Submission(np, pipe)
    facts, arrays = pipe.receive()
    pipe.send({"held": contain(facts, arrays["filter"].tobytes(), parent), "number": facts["number"]}, {})
    while True:
        facts, arrays = pipe.receive()
        try:
            reply, answer = submission.answer(facts, arrays)
        except Misfit as error:
            reply, answer = {"misfit": list(error.args)}, {}
        except BaseException as error:
            reply, answer = {"error": explained(error, submission.file)}, {}
        del arrays
        pipe.send({**reply, "number": facts["number"]}, answer)


def make_copies(site: str) -> None:
    """Make a copy of this process whenever it is asked for, and tell how one has ended, until the other end of standard
    input, a socket, is gone. site: the folder that NumPy is in."""
    sys.path.insert(0, site)
    import numpy as np
    import numpy.random

    sys.path.remove(site)
    gc.freeze()  # what is there is left alone, and so shared with the copies
    control, me = socket.socket(fileno=os.dup(0)), os.getpid()
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    while True:
        said, pipes, *_ = socket.recv_fds(control, 64, 2)
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


if __name__ == "__main__":
    make_copies(sys.argv[1])
