"""A submitted file in the runner, with limits on time, on memory and on what it may say.

An endless loop, a crash or a call of sys.exit there is a sentence here; and what a file does to NumPy or to this
package does not reach the process that judges. checked_file.py is the other end, containment.py what holds it there,
runner_client.py what asks it, and replies.py what is believed of its answers. Where no process can be started, it runs
in this one, and nothing is contained (same_process.py).
"""

from __future__ import annotations

import itertools
import os
import sys
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from npbilstm.printable import one_line
from npbilstm.submission import replies
from npbilstm.submission.containment import policy_for_check
from npbilstm.submission.course_specs import ALL_SPECS, RESET_BEFORE, as_submitted
from npbilstm.submission.errors import Interfered, SubmissionError
from npbilstm.submission.fork_server import server_of
from npbilstm.submission.forms import TEXTBOOK
from npbilstm.submission.function_spec import Arrays, sizes_in
from npbilstm.submission.intermediates import MOST
from npbilstm.submission.layouts import Layout
from npbilstm.submission.messages import Shapes, encode_message, receive_reply
from npbilstm.submission.notebook import read_source
from npbilstm.submission.pipes import PipedProcess, Printed
from npbilstm.submission.runner_client import RUNNER, Process, RunnerClient
from npbilstm.submission.same_process import SameProcess, not_contained
from npbilstm.submission.submitted_code import FormSubject, subject_called, subjects_of
from npbilstm.submission.submitted_pair import SubmittedPair
from npbilstm.submission.withheld import offer_for

HOME = str(Path(__file__).parents[2])
"""The folder that npbilstm is in, for the process to import it from."""
IMPORTED = """
import sys

def begin(pipe, facts, arrays):
    sys.path[:] = facts["paths"]
    from npbilstm.submission.offered import take_offer
    return take_offer(arrays["offer"].tobytes())
"""
"""The program of the runner: it imports what answers, once it is contained."""
KEPT = {
    "PATH",
    "HOME",
    "USERPROFILE",
    "SYSTEMROOT",
    "TMPDIR",
    "TEMP",
    "TMP",
    "LANG",
    "TZ",
    "LD_LIBRARY_PATH",  # without which some interpreters do not start, as without the next
    "DYLD_LIBRARY_PATH",
    "OPENBLAS_CORETYPE",  # so that its numbers are rounded as they are here
}
"""The environment's variables that the process is given, besides LC_...: what Python needs, and no secrets. It works in
the folder that this one works in, and has the user's HOME, as when users run the file themselves."""
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")} | {"VECLIB_MAXIMUM_THREADS": "1"}
"""Small arrays gain nothing from more, and every thread takes memory."""

FORKS = sys.platform == "linux"
"""Whether there is a fork server."""

WHOLE, CALLS = 60.0, 6
"""Seconds that a file may take in all; or as long as so many calls may take, if that is more."""
PYTHON = 60.0
"""Seconds that Python and NumPy may take to start, which is no fault of the file's."""
MERCY = 0.5
"""Seconds for an answer to where a loop is."""


class RemoteCache:
    """The cache of a forward pass in the other process, by number, and the shapes of its inputs. When it is forgotten
    here, it is there."""

    def __init__(self, number: int, shapes: Shapes) -> None:
        self.number, self.shapes = number, shapes


class FileStart(NamedTuple):
    """How the runner is started for files: by which Python, in which folder, looking for modules where, with which
    variables."""

    python: str
    folder: str
    paths: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    contained: bool = False

    @property
    def command(self) -> list[str]:
        """The command that starts what makes copies."""
        return self.command_of("copies")

    def command_of(self, kind: str) -> list[str]:
        """The command that starts the runner: "copies", or "one" that serves itself."""
        return [self.python, "-I", "-u", "-c", RUNNER, kind, *self.paths]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that it is given."""
        return dict(self.variables)


class SubmissionProcess(RunnerClient):
    """A submitted file, run in a process of its own: with SubmissionProcess(path, flags) as submission: ...

    form: the form in which it is to be read, a name or a file; "" for the one that fits; then the one that it is read
    in. variant: the seed of the conventions in which the textbook's functions are written there, and no form. ways: the
    subjects that are called as the form has it, each with the ways to call it, the chosen one first.
    functions: those that are called as the textbook's are. others: the names of what looks like a pass and is neither.
    layout: its layout, from its header and from flags, which win. pinned: the settings that these tell.

    Raises SubmissionError, a sentence or a traceback of the file's own lines, where it cannot be run; TimedOut where
    its import takes longer than `seconds` of the processor's time (five times as long by the clock, where it sleeps).
    So do the passes of its pairs. After either the next call starts afresh, but for two: when all of it has taken
    `whole` seconds (60, or 6 times `seconds`), every call is TimedOut at once; and when an answer came that no right
    process gives, every call raises Interfered.
    """

    end = SubmissionError

    def __init__(
        self,
        path: str | Path,
        flags: Mapping[str, str] | None = None,
        seconds: float = 10.0,
        whole: float | None = None,
        form: str = "",
        variant: int | None = None,
    ) -> None:
        self.form_asked, self.variant = form if variant is None else TEXTBOOK.name, variant
        super().__init__(seconds, max(WHOLE, CALLS * seconds) if whole is None else whole)
        self.path, self.flags = Path(path), dict(flags or {})
        self.printed = Printed()
        self.numbers = itertools.count()

    def __enter__(self) -> SubmissionProcess:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def called(self) -> str:
        """The file's name, in sentences."""
        return one_line(self.path.name, 100)

    def start(self) -> None:
        """Start the process and import the file there."""
        if not_contained():
            self.begin(SameProcess(str(self.path), self.printed.show), {}, {})
            return
        folder = os.path.dirname(os.path.realpath(self.path))
        paths = [path or HOME for path in sys.path]  # "", the folder where we happen to be, is no place to import from
        paths.sort(key=lambda path: os.path.realpath(path) == folder)  # nor is the file's, before Python's own
        begin = start_with([*paths, HOME])
        server = server_of(os.getpid(), begin) if FORKS else None
        if server is not None:
            server.wake()
        offer = offer_for(self.source())
        process = (
            PipedProcess(begin.command_of("one"), begin.environment, self.printed.show)
            if server is None
            else server.copy(self.printed.show)
        )
        policy = policy_for_check(str(self.path), self.whole, process.inner, IMPORTED)
        self.begin(process, {"paths": [*paths, HOME], **policy.facts}, {"offer": offer, **policy.arrays})

    def begin(self, process: Process, facts: dict[str, Any], arrays: Arrays) -> None:
        """Let a process begin as it is told, and import the file there."""
        self.process = process
        self.ask(f"starting Python for {self.called}", {"do": "begin", **facts}, arrays, seconds=PYTHON)
        how = {"flags": self.flags, "form": self.form_asked, "variant": self.variant}
        facts, _ = self.ask(self.called, {"do": "open", "path": str(self.path), **how})
        with self.believing(self.called):
            self.functions, self.others = replies.functions_in(facts), replies.unread_passes(facts)
            self.layout, self.pinned = replies.layout_in(facts), replies.pinned_in(facts)
            if not hasattr(self, "ways"):  # else it has started anew, and what is chosen stands
                self.form, self.ways = replies.form_in(facts, self.form_asked)

    def source(self) -> str:
        """The source as it is now; "" where there is none, which the process says better."""
        try:
            return read_source(self.path)
        except (OSError, ValueError, SyntaxError):
            return ""

    @property
    def of_form(self) -> dict[str, FormSubject]:
        """The subjects that are called as the form has it, each in the way that is chosen."""
        return {name: ways[0] for name, ways in self.ways.items()}

    def subjects(self, layout: Layout | None = None) -> dict[str, tuple[str, ...]]:
        """The specs of which the file has a pass, by name, and the functions that are theirs."""
        return subjects_of(self.of_form, self.functions, layout or self.layout)

    def pair(self, name: str, layout: Layout | None = None) -> SubmittedPair | None:
        """The pair of a spec, by its name, in the file's layout or in another; None where the file has neither of its
        passes."""
        layout = layout or self.layout
        functions, of_form = self.subjects(layout).get(name), subject_called(name, self.of_form, layout)
        if functions is None:
            return None
        spec = as_submitted(ALL_SPECS[name], self.functions, layout)
        if of_form is not None:
            layout = of_form.calls.layout_in(layout)
            spec = spec._replace(forward=functions[0], backward=functions[-1])
        about: dict[str, Any] = {"subject": name, "layout": layout, "chosen": None}
        if of_form is not None:
            own = name if name in self.ways else name.replace(RESET_BEFORE, "")
            about["chosen"] = own, of_form.way, of_form.calls.layer
        facts, _ = self.ask(spec.forward, {"do": "pair", **about})
        with self.believing(spec.forward):
            found = replies.pair_in(facts)
            uses, absent = replies.uses_in(found), replies.absent_in(found, spec, layout, of_form)
        findings: list[str] = []
        changed: list[str] = []
        given: list[str] = []

        def ask(do: str, function: str, number: int, arrays: Arrays, shapes: Shapes) -> Arrays:
            reply, answer = self.ask(function, {"do": do, "run": number, **about}, arrays, shapes)
            with self.believing(function):
                more = replies.findings_in(reply), replies.changed_arrays(reply, spec)
                may_end_early = do == "forward" and of_form is None and replies.may_end_early(spec)
                answer = replies.complete_arrays(answer, shapes, may_end_early)
            for kept, new in zip((findings, changed), more):
                kept.extend(part for part in new if part not in kept)
            return answer

        def forward(inputs: Arrays) -> tuple[Arrays, RemoteCache]:
            cache = RemoteCache(next(self.numbers), {name: np.shape(array) for name, array in inputs.items()})
            weakref.finalize(cache, self.forgotten.append, cache.number).atexit = False
            shapes = replies.output_shapes(spec, inputs)
            if of_form is not None:
                shapes = {name: shapes[name] for name in of_form.calls.outputs}
            outputs = ask("forward", spec.forward, cache.number, inputs, shapes)
            if list(outputs) != (given or list(outputs)):
                both = f"{', '.join(given)} at one call, {', '.join(outputs)} at another"
                raise SubmissionError(f"{spec.forward} returned {both}; it needs to choose")
            given[:] = outputs
            return outputs, cache

        def backward(upstream: Arrays, cache: RemoteCache) -> Arrays:
            names = spec.floats if of_form is None else of_form.calls.gradients
            wanted = {name: cache.shapes[name] for name in names if name not in absent}
            return ask("backward", spec.backward, cache.number, upstream, wanted)

        def seen(inputs: Arrays) -> Arrays:
            sizes = sizes_in(spec, inputs)
            shapes = {str(k): (sizes["N"], sizes["H"]) for k in range(MOST)}
            reply, answer = self.ask(spec.forward, {"do": "intermediates", **about}, inputs, shapes)
            with self.believing(spec.forward):
                return replies.values_in(reply, answer)

        there = spec.backward in functions if of_form is None else of_form.backward and of_form.calls.gradients
        passes = forward, backward if there else None
        return SubmittedPair(*passes, functions, uses, absent, findings, changed, seen)

    def process_for(self, doing: str) -> Process:
        """The process that is to be asked, started anew where the last one has ended."""
        if self.process is None:
            self.start()
        return super().process_for(doing)

    def place(self, process: Process) -> str:
        """The line at which a process is that has not ended in time, if it tells."""
        place, number = "", os.urandom(16).hex()
        process.allow(MERCY)
        with suppress(EOFError, TimeoutError, ValueError):
            process.send(encode_message({"do": "where", "number": number}))
            place = replies.place_in(receive_reply(number, process.read, {})[0])
        return f"; it was at {place}" if place else ""

    def sentence_of(self, facts: Mapping[str, Any], doing: str) -> str:
        """What the file's code raised. Raises ValueError."""
        return replies.error_in(facts)

    def interfered(self, doing: str, what: object) -> Interfered:
        """The error for an answer that no right process gives, from now on for every call."""
        self.close()
        asked = "" if doing == self.called else f"asked for {doing}, "
        self.interference = f"{self.called} interfered with the process that runs it: {asked}{what}"
        return Interfered(self.interference)


def start_with(paths: list[str]) -> FileStart:
    """How the runner is started here. paths: where it looks for modules."""
    variables = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("LC_")}
    folder = ""
    with suppress(OSError):  # it is gone
        folder = os.getcwd()
    return FileStart(sys.executable, folder, tuple(paths), tuple(sorted((variables | ONE_THREAD).items())))
