"""A submitted file in a process of its own, with limits on time, on memory and on what it may say.

An endless loop, a crash or a call of sys.exit there is a sentence here; and what a file does to NumPy or to this
package does not reach the process that judges. child.py is the other end, containment.py what holds it there, pipes.py
what lies between, and replies.py what is believed of its answers.
"""

from __future__ import annotations

import itertools
import math
import os
import sys
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.printable import one_line
from npbilstm.submission import replies
from npbilstm.submission.course_specs import ALL_SPECS, RESET_BEFORE, as_submitted
from npbilstm.submission.errors import Interfered, SubmissionError, TimedOut
from npbilstm.submission.forms import TEXTBOOK
from npbilstm.submission.function_spec import Arrays, sizes_in
from npbilstm.submission.intermediates import MOST
from npbilstm.submission.layouts import Layout
from npbilstm.submission.messages import Shapes, encode_message, receive_reply
from npbilstm.submission.pipes import PipedProcess, Printed, how_it_ended
from npbilstm.submission.submitted_code import FormSubject, subject_called, subjects_of
from npbilstm.submission.submitted_pair import SubmittedPair

HOME = str(Path(__file__).parents[2])
"""The folder that npbilstm is in, for the process to import it from."""
START = (
    "import sys; sys.path[:] = sys.argv[3:]; from npbilstm.submission.child import serve; "
    "serve(int(sys.argv[1]), float(sys.argv[2]))"
)
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


class SubmissionProcess:
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
        self.path, self.flags, self.seconds = Path(path), dict(flags or {}), seconds
        self.whole = max(WHOLE, CALLS * seconds) if whole is None else whole
        self.left = self.whole
        self.interference = ""
        self.process: PipedProcess | None = None
        self.printed = Printed()
        self.numbers = itertools.count()
        self.forgotten: list[int] = []

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
        folder = os.path.dirname(os.path.realpath(self.path))
        paths = [path or HOME for path in sys.path]  # "", the folder where we happen to be, is no place to import from
        paths.sort(key=lambda path: os.path.realpath(path) == folder)  # nor is the file's, before Python's own
        self.process = PipedProcess(
            [sys.executable, "-I", "-u", "-c", START, str(os.getpid()), str(self.whole), *paths, HOME],
            {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("LC_")} | ONE_THREAD,
            self.printed.show,
        )
        self.ask(f"starting Python for {self.called}", {"do": "begin"}, seconds=PYTHON)
        how = {"flags": self.flags, "form": self.form_asked, "variant": self.variant}
        facts, _ = self.ask(self.called, {"do": "open", "path": str(self.path), **how})
        with self.believing(self.called):
            self.functions, self.others = replies.functions_in(facts), replies.unread_passes(facts)
            self.layout, self.pinned = replies.layout_in(facts), replies.pinned_in(facts)
            if not hasattr(self, "ways"):  # else it has started anew, and what is chosen stands
                self.form, self.ways = replies.form_in(facts, self.form_asked)

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            process, self.process = self.process, None
            process.end()

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

    def ask(
        self,
        doing: str,
        request: dict[str, Any],
        arrays: Arrays | None = None,
        shapes: Shapes | None = None,
        seconds: float | None = None,
    ) -> tuple[dict[str, Any], Arrays]:
        """Send a request and wait for the reply, not for ever. doing: what the sentences call it. shapes: of the arrays
        that the reply may have. seconds: where this one may take others than the rest."""
        if self.interference:
            raise Interfered(self.interference)
        if self.left <= 0:
            raise TimedOut(f"{doing} was not reached: {self.called} had taken {self.whole:g} s in all")
        if self.process is None:
            self.start()
        process = self.process
        assert process is not None
        free, self.forgotten[:] = self.forgotten[:], []
        number = next(self.numbers)
        message = encode_message({**request, "doing": doing, "free": free, "number": number}, arrays)
        allowed = self.seconds if seconds is None else seconds
        cut_short = self.left < allowed
        process.allow(min(allowed, self.left))
        try:
            process.send(message)
            try:
                facts, answer = receive_reply(number, process.read, shapes or {})
            finally:
                self.left -= process.spent()
        except TimeoutError:
            raise self.timed_out(process, doing, math.inf if cut_short else allowed) from None
        except EOFError:
            raise self.ended(process, doing) from None
        except ValueError as error:
            raise self.interfered(doing, error) from None
        except BaseException:
            self.close()
            raise
        if "error" in facts:
            with self.believing(doing):
                sentence = replies.error_in(facts)
            raise SubmissionError(sentence)
        return facts, answer

    def timed_out(self, process: PipedProcess, doing: str, allowed: float) -> TimedOut:
        """The sentence for a call that took longer than it was allowed, infinity for one that the time in all
        cut short, with the line at which it was, if it tells."""
        place, number = "", next(self.numbers)
        process.allow(MERCY)
        process.send(encode_message({"do": "where", "number": number}))
        with suppress(EOFError, TimeoutError, ValueError):
            place = replies.place_in(receive_reply(number, process.read, {})[0])
        self.close()
        at = f"; it was at {place}" if place else ""
        if math.isinf(allowed):
            return TimedOut(f"{doing} was cut short: {self.called} had taken {self.whole:g} s in all{at}")
        return TimedOut(f"{doing} had not ended after {allowed:g} s (an endless loop?){at}")

    def ended(self, process: PipedProcess, doing: str) -> SubmissionError:
        """The sentence for a process that answers no more."""
        code = process.exit_code()
        if code is None:
            return self.interfered(doing, "it closed the pipe that its answers come by")
        self.close()
        return SubmissionError(f"{doing} ended the process that it runs in, {how_it_ended(code)}")

    @contextmanager
    def believing(self, doing: str) -> Iterator[None]:
        """Where an answer is looked at: a ValueError says what it cannot be."""
        try:
            yield
        except ValueError as error:
            raise self.interfered(doing, error) from None

    def interfered(self, doing: str, what: object) -> Interfered:
        """The sentence for an answer that no right process gives, from now on for every call."""
        self.close()
        asked = "" if doing == self.called else f"asked for {doing}, "
        self.interference = f"{self.called} interfered with the process that runs it: {asked}{what}"
        return Interfered(self.interference)
