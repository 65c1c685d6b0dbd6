"""A person's file in a process of its own, with a limit on time and on memory.

An endless loop, a crash or a call of sys.exit there is a sentence here; and what a file does to NumPy or to this
package reaches nobody who judges. child.py is the other end.
"""

from __future__ import annotations

import itertools
import math
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import npbilstm
from npbilstm.classroom.own_code.errors import OwnError, TimedOut
from npbilstm.classroom.own_code.layouts import Layout
from npbilstm.classroom.own_code.messages import receive, send
from npbilstm.classroom.own_code.passes import OwnPair
from npbilstm.classroom.subjects import SUBJECTS, Arrays

START = "import sys; sys.path[:] = sys.argv[1:]; from npbilstm.classroom.own_code.child import serve; serve()"
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
"""Small arrays gain nothing from more, and every thread takes memory."""

TICK, MERCY = 0.05, 0.5
"""Seconds between two looks at the clock, and for an answer to where a loop is."""


class RunNumber:
    """A forward pass in the other process, by number. When it is forgotten here, it is there."""

    def __init__(self, number: int) -> None:
        self.number = number


class OwnProcess:
    """A person's file, run in a process of its own: with OwnProcess(path, flags) as own: ...

    functions: the textbook's functions that the file defines. others: those that look like passes and are none of them.
    subjects: those of which it has a pass. layout: its layout, from its header and from flags, which win.

    Raises OwnError, a sentence or a traceback of the file's own lines, where it cannot be run; TimedOut where its
    import takes longer than `seconds`. So do the passes of its pairs. After either the next call starts afresh.
    """

    def __init__(self, path: str | Path, flags: Mapping[str, str] | None = None, seconds: float = 10.0) -> None:
        self.path, self.flags, self.seconds = Path(path), dict(flags or {}), seconds
        self.process: subprocess.Popen[bytes] | None = None
        self.deadline = math.inf
        self.numbers = itertools.count()
        self.forgotten: list[int] = []

    def __enter__(self) -> OwnProcess:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the process and import the file there."""
        home = str(Path(npbilstm.__file__).parents[1])
        paths = [path or home for path in sys.path]  # "", the folder where we happen to be, is no place to import from
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-c", START, *paths, home],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ONE_THREAD},
            start_new_session=True,  # Ctrl-C is for this process, which then ends that one
        )
        threading.Thread(target=self.watch, args=(self.process,), daemon=True).start()
        facts, _ = self.ask(self.path.name, {"do": "open", "path": str(self.path), "flags": self.flags})
        self.functions, self.others = frozenset(facts["functions"]), tuple(facts["others"])
        self.subjects = [n for n, s in SUBJECTS.items() if {s.forward, s.backward} & self.functions]
        self.layout = Layout(*facts["layout"])

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            process, self.process = self.process, None
            end(process)
            process.stdout.close()  # type: ignore[union-attr]
            with suppress(OSError):
                process.stdin.close()  # type: ignore[union-attr]
            process.wait()

    def pair(self, name: str) -> OwnPair | None:
        """The pair of a subject, by its name; None where the file has neither of its passes."""
        subject = SUBJECTS[name]
        facts, _ = self.ask(subject.forward, {"do": "pair", "subject": name})
        if facts["pair"] is None:
            return None
        findings: list[str] = []
        changed: list[str] = []

        def ask(do: str, function: str, number: int, arrays: Arrays) -> Arrays:
            reply, answer = self.ask(function, {"do": do, "subject": name, "run": number}, arrays)
            findings.extend(finding for finding in reply["findings"] if finding not in findings)
            changed.extend(name for name in reply["changed"] if name not in changed)
            return answer

        def forward(inputs: Arrays) -> tuple[Arrays, RunNumber]:
            run = RunNumber(next(self.numbers))
            weakref.finalize(run, self.forgotten.append, run.number).atexit = False
            return ask("forward", subject.forward, run.number, inputs), run

        def backward(upstream: Arrays, run: RunNumber) -> Arrays:
            return ask("backward", subject.backward, run.number, upstream)

        found = facts["pair"]
        names, uses, absent = tuple(found["functions"]), frozenset(found["uses"]), frozenset(found["absent"])
        return OwnPair(forward, backward if found["backward"] else None, names, uses, absent, findings, changed)

    def ask(self, doing: str, request: dict[str, Any], arrays: Arrays | None = None) -> tuple[dict[str, Any], Arrays]:
        """Send a request and wait for the reply, not for ever. doing: what the sentences call it."""
        if self.process is None:
            self.start()
        process = self.process
        assert process is not None
        self.deadline = time.monotonic() + self.seconds
        facts: dict[str, Any] = {"printed": ""}
        try:
            free, self.forgotten[:] = self.forgotten[:], []
            send(process.stdin, {**request, "doing": doing, "free": free}, arrays)  # type: ignore[arg-type]
            while "printed" in facts:
                facts, answer = receive(process.stdout)  # type: ignore[arg-type]
                sys.stderr.write(facts.get("printed", ""))
        except (EOFError, OSError, ValueError):
            facts = {}
        except BaseException:
            self.close()
            raise
        late, self.deadline = time.monotonic() > self.deadline, math.inf
        if late:
            self.close()
            place = f"; it was at {facts['where']}" if facts.get("where") else ""
            raise TimedOut(f"{doing} had not ended after {self.seconds:g} s (an endless loop?){place}")
        if not facts:
            self.close()
            code = process.returncode
            how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
            raise OwnError(f"{doing} ended the process that it runs in, {how}")
        if "error" in facts:
            raise OwnError(facts["error"])
        return facts, answer

    def watch(self, process: subprocess.Popen[bytes]) -> None:
        """End a process whose time is over, after asking it where it is."""
        while process.poll() is None:
            time.sleep(TICK)
            if time.monotonic() > self.deadline:
                with suppress(OSError, ValueError):  # it is gone
                    send(process.stdin, {"do": "where"})  # type: ignore[arg-type]
                    time.sleep(MERCY)
                end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and those that it has started."""
    if hasattr(os, "killpg"):
        with suppress(OSError):  # it is gone
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
