"""A submitted file in the process that judges it, for where no other can be started, as in a browser (Pyodide).

It stands at the place of the runner: it takes the same messages and gives the same replies, so that who asks
(runner_client.py) knows no difference, and arrays go by value. Nothing is contained, and NOT_CONTAINED says so. What a
file does by accident is undone all the same: what it prints is shown as from elsewhere, and what it sets of the process
is set back after every call (surroundings.py).
"""

from __future__ import annotations

import io
import linecache
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from types import ModuleType
from typing import Any

from npbilstm.processes import can_start_processes
from npbilstm.submission.checked_file import CheckedFile
from npbilstm.submission.definitions import is_submitted_module
from npbilstm.submission.messages import encode_message, receive
from npbilstm.submission.surroundings import exchange

NOT_CONTAINED = (
    "No process can be started here, so the file ran in the one that judges it: nothing limited its time or its "
    "memory, and the textbook, like all of npbilstm and NumPy, was within its reach."
)


def not_contained() -> str:
    """What is not contained of a file that is run here, in a sentence; "" where it gets a process of its own."""
    return "" if can_start_processes() else NOT_CONTAINED


class SameProcess:
    """What a process at the end of a pipe is for others. path: of the file; printed: is handed what it prints."""

    def __init__(self, path: str, printed: Callable[[bytes], None]) -> None:
        self.path, self.printed = path, printed
        self.answers = CheckedFile(contained=False)
        self.replies = io.BytesIO()
        self.modules: dict[str, ModuleType] = {}
        self.set: dict[str, Any] | None = None
        self.beside = modules_in(os.path.dirname(path))

    def allow(self, seconds: float) -> None:
        """Nobody is there to end it."""

    def spent(self) -> float:
        """No time: what is not limited is not measured."""
        return 0.0

    def send(self, message: bytes) -> None:
        """Have a request answered."""
        facts, arrays = receive(io.BytesIO(message).read)
        number = {"number": facts["number"]}
        if facts["do"] == "begin":
            answer = encode_message(number)
        else:
            with self.modules_of_its_own(), self.surroundings():
                try:
                    reply, found = self.answers.answer(facts, arrays)
                    answer = encode_message({**reply, **number}, found)
                except KeyboardInterrupt:  # it is for who judges, too
                    raise
                except BaseException as error:
                    answer = encode_message({**self.answers.told(error, facts), **number})
        self.replies = io.BytesIO(answer)

    def read(self, count: int) -> bytes:
        """The next so many bytes of the reply. Raises EOFError where there are fewer."""
        data = self.replies.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def exit_code(self) -> int | None:
        """It lives on."""
        return None

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """Within it the file's code runs: with what it has set before, and nothing to read. Then all is set back."""
        with warnings.catch_warnings():
            shown = Shown(self.printed)
            streams = {"sys.stdin": io.StringIO(), "sys.stdout": shown, "sys.stderr": shown}
            judges = exchange(self.set or {name: (stream, None) for name, stream in streams.items()})
            try:
                yield
            finally:
                self.set = exchange(judges)

    @contextmanager
    def modules_of_its_own(self) -> Iterator[None]:
        """Within it the modules beside the file are those that it has imported; then they are those of who judges. Of
        what is installed there is one for both."""
        judges = dict(sys.modules)
        for name in self.beside:
            sys.modules.pop(name, None)
        sys.modules.update(self.modules)
        try:
            yield
        finally:
            others = {name: module for name, module in sys.modules.items() if judges.get(name) is not module}
            self.modules = {name: others[name] for name in others if name in judges or is_submitted_module(name)}
            for name in self.modules:
                del sys.modules[name]
            sys.modules.update(judges)

    def end(self) -> None:
        """Forget the file's lines, which tracebacks have quoted."""
        linecache.cache.pop(self.path, None)


def modules_in(folder: str) -> list[str]:
    """Somebody's modules that have been imported from a folder, or from one in it."""
    inside = tuple(os.path.join(real(folder), "") for real in (os.path.abspath, os.path.realpath))
    files = {name: getattr(module, "__file__", None) or "" for name, module in list(sys.modules.items())}
    found = [name for name, file in files.items() if file and os.path.abspath(file).startswith(inside)]
    return [name for name in found if name != "__main__" and is_submitted_module(name)]


class Shown(io.TextIOBase):
    """A text stream whose bytes are handed to who shows them on standard error as it was."""

    def __init__(self, to: Callable[[bytes], None]) -> None:
        self.to, self.stderr = to, sys.stderr

    def write(self, text: str) -> int:
        """Hand a text on."""
        with redirect_stderr(self.stderr):
            self.to(text.encode("utf-8", "backslashreplace"))
        return len(text)
