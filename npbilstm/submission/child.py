"""The process in which submitted code runs: the other end of process.py.

It imports the file, answers requests to run its functions, and shares nothing with the process that judges: whatever
the file does to NumPy, to this package or to itself, it does it here.
"""

from __future__ import annotations

import linecache
import os
import queue
import symtable
import sys
import threading
import tokenize
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import numpy.random  # noqa: F401  before a submitted file with the name of a module that it needs

from npbilstm.submission.arguments import renamed_arguments
from npbilstm.submission.containment import contain
from npbilstm.submission.conventions import conventions_of
from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.function_spec import Arrays
from npbilstm.submission.given import given_function
from npbilstm.submission.layouts import SETTINGS, Layout, layout_of, read_header
from npbilstm.submission.messages import encode_message, receive
from npbilstm.submission.notebook import SUFFIX, submitted_source
from npbilstm.submission.pairs import pair_in_conventions
from npbilstm.submission.raised import WIDTH, describe_error
from npbilstm.submission.submitted_code import SubmittedCode
from npbilstm.submission.submitted_pair import SubmittedPair
from npbilstm.submission.unread import unread_names


class SubmittedFile:
    """A submitted file: the module it makes, the textbook's functions that it defines, and their layout."""

    def __init__(self, path: str, flags: Mapping[str, str], form: str, variant: int | None = None) -> None:
        self.path, self.variant = path, variant
        with tokenize.open(path) if not path.endswith(SUFFIX) else open(path, encoding="utf-8") as stream:
            text = stream.read()
        try:
            source = submitted_source(path, text)
            linecache.cache[path] = len(source), None, source.splitlines(True), path
            self.settings = {**read_header(source), **flags}
            renamed = renamed_arguments(self.settings)
            layout_of(self.settings)
        except ValueError as error:
            raise SubmissionError(f"{Path(path).name}: {error}") from None
        module = import_file(path, source)
        self.code = SubmittedCode(functions_defined(module, source), form, renamed)
        self.layout = layout_of({**self.code.form.settings, **self.settings})
        self.others = unread_names(vars(module), self.code.judged)
        self.pairs: dict[Any, SubmittedPair | None] = {}
        self.runs: dict[int, Any] = {}

    def facts(self) -> dict[str, Any]:
        """What the other end should know of it."""
        pinned = [name for name in self.settings if name in SETTINGS]
        return {
            "functions": sorted(self.code.functions),
            "form": self.code.form.name,
            "subjects": [
                [name, way.way, way.backward, way.calls.layer] for name, ways in self.code.ways.items() for way in ways
            ],
            "others": self.others,
            "layout": self.layout,
            "pinned": pinned,
        }

    def pair(self, name: str, layout: Layout, chosen: tuple[str, int, str] | None = None) -> SubmittedPair | None:
        """The pair of a spec, by its name, in a layout. chosen: the form's subject and its way to call it, by its
        number and the name of a class."""
        key = name, layout, chosen
        if chosen is not None:
            own, number, layer = chosen
            self.code.ways[own].sort(key=lambda way: (way.way, way.calls.layer) != (number, layer))
        if key not in self.pairs and self.variant is not None:
            conventions = conventions_of(self.variant)
            self.pairs[key] = pair_in_conventions(ALL_SPECS[name], self.code.functions, conventions)
        elif key not in self.pairs:
            self.pairs[key] = self.code.pair(name, layout)
        return self.pairs[key]

    def answer(self, request: Mapping[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        """Do what is asked for: "pair", "forward", "intermediates" or "backward" of a spec."""
        for number in request["free"]:
            self.runs.pop(number, None)
        pair = self.pair(request["subject"], Layout(*request["layout"]), request["chosen"] and tuple(request["chosen"]))
        if pair is None:
            return {"pair": None}, {}
        if request["do"] == "forward":
            arrays, self.runs[request["run"]] = pair.forward(arrays)
        elif request["do"] == "backward":
            if request["run"] not in self.runs:
                raise SubmissionError("the process that ran this forward pass has ended, and its cache with it")
            arrays = pair.backward(arrays, self.runs[request["run"]])  # type: ignore[misc]
        elif request["do"] == "intermediates":
            seen = pair.intermediates(arrays) if pair.intermediates else {}
            return {"values": list(seen)}, {str(k): value for k, value in enumerate(seen.values())}
        facts = {
            "functions": pair.functions,
            "uses": sorted(pair.uses),
            "absent": sorted(pair.absent),
            "backward": pair.backward is not None,
        }
        return {"pair": facts, "findings": pair.findings, "changed": pair.changed}, arrays


def import_file(path: str, source: str) -> ModuleType:
    """The module that a file makes, run as if it was imported from its own folder."""
    name = Path(path).stem
    module = ModuleType(f"{name}_" if name in sys.modules or name in sys.stdlib_module_names else name)
    module.__file__ = path
    sys.modules[module.__name__] = module
    sys.path.insert(behind_the_library(), str(Path(path).resolve().parent))
    exec(compile(source, path, "exec", dont_inherit=True), vars(module))
    return module


def behind_the_library() -> int:
    """The place in sys.path before all but Python's own modules: a submitted random.py must not be NumPy's."""
    library = str(Path(os.__file__).parent)
    own = [path.startswith(library) and not path.endswith("-packages") for path in sys.path]
    return len(own) - own[::-1].index(True) if any(own) else 0


def functions_defined(module: ModuleType, source: str) -> dict[str, Callable[..., Any]]:
    """The functions that a module itself defines; one that it has imported, or was given, is not its own."""
    symbols = {
        symbol.get_name(): symbol for symbol in symtable.symtable(source, str(module.__file__), "exec").get_symbols()
    }
    return {
        name: value
        for name, value in vars(module).items()
        if callable(value)
        and name in symbols
        and getattr(value, "__module__", None) != given_function.__module__
        and symbols[name].is_assigned()
        and (not symbols[name].is_imported() or getattr(value, "__module__", None) == module.__name__)
    }


def line_of(path: str, thread: int) -> str:
    """The line of a submitted file at which a thread is; "" where it is in none."""
    frame = sys._current_frames().get(thread)
    while frame is not None and frame.f_code.co_filename != path:
        frame = frame.f_back
    return "" if frame is None else f"line {frame.f_lineno}, {linecache.getline(path, frame.f_lineno).strip()[:WIDTH]}"


def serve(parent: int, seconds: float) -> None:
    """Answer requests until the other end is gone. They come by standard input, and answers go by standard output; the
    submitted code gets others in their place. parent: the process that judges. seconds: how long it waits in all."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    lock = threading.RLock()
    main = threading.get_ident()
    file, path = None, ""
    waiting: queue.SimpleQueue[tuple[dict[str, Any], Arrays]] = queue.SimpleQueue()

    def tell(message: bytes) -> None:
        with lock:
            replies.write(message)
            replies.flush()

    def listen() -> None:
        """Hand requests on, also while the submitted code runs, to say where it is and to end when nobody waits."""
        try:
            while True:
                request, arrays = receive(partial(read, requests))
                if request["do"] == "where":
                    tell(encode_message({"where": line_of(path, main), "number": request["number"]}))
                else:
                    waiting.put((request, arrays))
        finally:
            os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    contain(parent, seconds)
    try:
        while True:
            request, arrays = waiting.get()
            number = {"number": request["number"]}
            try:
                if request["do"] == "begin":
                    facts, arrays = {}, {}
                elif request["do"] == "open":
                    path = request["path"]
                    sys.argv = [path]
                    file = SubmittedFile(path, request["flags"], request["form"], request["variant"])
                    facts, arrays = file.facts(), {}
                else:
                    facts, arrays = file.answer(request, arrays)  # type: ignore[union-attr]
                message = encode_message({**facts, **number}, arrays)
            except BaseException as error:
                message = encode_message({"error": describe_error(error, path, request["doing"]), **number})
            tell(message)
    finally:  # an alarm that the submitted code has set, say: there is nobody left to be told of it
        os._exit(1)


def read(stream: IO[bytes], count: int) -> bytes:
    """So many bytes of a stream, or EOFError."""
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data
