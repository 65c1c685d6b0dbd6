"""The process in which a person's code runs: the other end of process.py.

It imports the file, answers requests to run its functions, and shares nothing with the process that judges: whatever
the file does to NumPy, to this package or to itself, it does it here.
"""

from __future__ import annotations

import io
import os
import queue
import symtable
import sys
import threading
import tokenize
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy.random  # noqa: F401  before a file of theirs with the name of a module that it needs

from npbilstm import textbook
from npbilstm.classroom.own_code.arguments import renamed_arguments
from npbilstm.classroom.own_code.errors import OwnError
from npbilstm.classroom.own_code.layouts import layout_of, read_header
from npbilstm.classroom.own_code.messages import receive, send
from npbilstm.classroom.own_code.passes import OwnPair, pair_of_theirs, unjudged
from npbilstm.classroom.subjects import SUBJECTS, Arrays

GIGABYTES = 4
"""How much memory a person's code may take, where the system can tell it so."""
PRINTED = 10_000
"""How many characters it may print; the rest is dropped."""
FRAMES = 20
"""How many of its own lines a traceback shows, the last ones."""


class File:
    """A person's file: the module it makes, the textbook's functions that it defines, and their layout."""

    def __init__(self, path: str, flags: Mapping[str, str]) -> None:
        self.path = path
        with tokenize.open(path) as stream:
            source = stream.read()
        try:
            settings = {**read_header(source), **flags}
            self.layout, self.renamed = layout_of(settings), renamed_arguments(settings)
        except ValueError as error:
            raise OwnError(f"{Path(path).name}: {error}") from None
        own = own_names(run(path, source), source)
        self.functions = {name: value for name, value in own.items() if name in textbook.__all__}
        self.others = unjudged(own)
        self.pairs: dict[str, OwnPair | None] = {}
        self.runs: dict[int, Any] = {}

    def facts(self) -> dict[str, Any]:
        """What the other end should know of it."""
        return {"functions": sorted(self.functions), "others": self.others, "layout": self.layout}

    def pair(self, subject: str) -> OwnPair | None:
        """The pair of a subject."""
        if subject not in self.pairs:
            self.pairs[subject] = pair_of_theirs(SUBJECTS[subject], self.functions, self.layout, self.renamed)
        return self.pairs[subject]

    def answer(self, request: Mapping[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        """Do what is asked for: "pair", "forward" or "backward" of a subject."""
        for number in request["free"]:
            self.runs.pop(number, None)
        pair = self.pair(request["subject"])
        if pair is None:
            return {"pair": None}, {}
        if request["do"] == "forward":
            arrays, self.runs[request["run"]] = pair.forward(arrays)
        elif request["do"] == "backward":
            if request["run"] not in self.runs:
                raise OwnError("the process that ran this forward pass has ended, and its cache with it")
            arrays = pair.backward(arrays, self.runs[request["run"]])  # type: ignore[misc]
        facts = {
            "functions": pair.functions,
            "uses": sorted(pair.uses),
            "absent": sorted(pair.absent),
            "backward": pair.backward is not None,
        }
        return {"pair": facts, "findings": pair.findings, "changed": pair.changed}, arrays


def run(path: str, source: str) -> ModuleType:
    """The module that a file makes, run as if it was imported from its own folder."""
    name = Path(path).stem
    module = ModuleType(f"{name}_" if name in sys.modules or name in sys.stdlib_module_names else name)
    module.__file__ = path
    sys.modules[module.__name__] = module
    sys.path.insert(0, str(Path(path).resolve().parent))
    exec(compile(source, path, "exec", dont_inherit=True), vars(module))
    return module


def own_names(module: ModuleType, source: str) -> dict[str, Callable[..., Any]]:
    """The functions that a module itself defines; one that it has imported is not its own."""
    symbols = {
        symbol.get_name(): symbol for symbol in symtable.symtable(source, str(module.__file__), "exec").get_symbols()
    }
    return {
        name: value
        for name, value in vars(module).items()
        if callable(value)
        and name in symbols
        and symbols[name].is_assigned()
        and (not symbols[name].is_imported() or getattr(value, "__module__", None) == module.__name__)
    }


def described(error: BaseException, path: str, doing: str) -> str:
    """What a person should read of an error: a sentence, or the traceback of their own lines with the message last."""
    if isinstance(error, OwnError):
        return str(error)
    traceback.clear_frames(error.__traceback__)  # what filled the memory, maybe
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path][-FRAMES:]
    message = "".join(traceback.format_exception_only(error)).rstrip()
    if isinstance(error, SystemExit):
        message = f"SystemExit: {doing} ends the program; it must not"
    elif isinstance(error, MemoryError):
        message += f" (the code may use {GIGABYTES} GB)"
    if isinstance(error, SyntaxError) and error.filename == path:
        return message.lstrip()
    return "".join(traceback.format_list(frames)) + message if frames else f"{doing}: {message}"


def limit_memory() -> None:
    """Let memory end at GIGABYTES where the system knows such a limit: a MemoryError, not a machine at a standstill."""
    try:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = GIGABYTES * 2**30
        resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    except (ImportError, OSError, ValueError):
        pass


class Told(io.TextIOBase):
    """Standard output that is sent to the other end, up to a number of characters."""

    def __init__(self, send_on: Callable[[dict[str, Any]], None]) -> None:
        self.send_on, self.left = send_on, PRINTED

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.left > 0:
            more = "" if len(text) <= self.left else f"\n... no more than {PRINTED} characters are shown\n"
            self.send_on({"printed": text[: self.left] + more})
        self.left -= len(text)
        return len(text)


def serve() -> None:
    """Answer requests until the other end is gone. Requests come by standard input, and answers go by standard output;
    the person's code gets others in their place."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    lock = threading.RLock()
    main = threading.get_ident()
    path, owner = "", os.getpid()

    def tell(facts: dict[str, Any], arrays: Arrays | None = None) -> None:
        if os.getpid() != owner:  # a fork that the person's code has made, and that came back to here
            os._exit(0)
        with lock:
            send(replies, facts, arrays)

    def listen() -> None:
        """Hand requests on, also while the person's code runs, to say where it is and to end when nobody waits."""
        try:
            while True:
                request, arrays = receive(requests)
                if request["do"] == "where":
                    stack = traceback.extract_stack(sys._current_frames()[main])
                    lines = [f"line {frame.lineno}, {frame.line}" for frame in stack if frame.filename == path]
                    tell({"where": lines[-1] if lines else ""})
                else:
                    waiting.put((request, arrays))
        finally:
            os._exit(0)

    waiting: queue.SimpleQueue[tuple[dict[str, Any], Arrays]] = queue.SimpleQueue()
    sys.stdout = sys.stderr = Told(tell)
    limit_memory()
    threading.Thread(target=listen, daemon=True).start()
    file = None
    while True:
        request, arrays = waiting.get()
        try:
            if request["do"] == "open":
                path = request["path"]
                sys.argv = [path]
                file = File(path, request["flags"])
                facts, arrays = file.facts(), {}
            else:
                facts, arrays = file.answer(request, arrays)  # type: ignore[union-attr]
        except BaseException as error:
            facts, arrays = {"error": described(error, path, request["doing"])}, {}
        tell(facts, arrays)
