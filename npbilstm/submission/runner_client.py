"""What asks the runner: a request, and its reply in time, or a sentence on why there is none.

Who judges waits for nothing longer than for what it has allowed, believes no reply that was not asked for, and goes on
when the process at the other end has ended. process.py asks for `check`, contained.py for marks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Protocol

from npbilstm.printable import one_line
from npbilstm.submission.errors import Ended, Interfered, SubmissionError, TimedOut
from npbilstm.submission.function_spec import Arrays
from npbilstm.submission.messages import Shapes, encode_message, receive_reply
from npbilstm.submission.pipes import how_it_ended

RUNNER = Path(__file__).with_name("runner.py").read_text(encoding="utf-8")
"""The source that it is started with."""
Answer = Callable[[Mapping[str, Any], Arrays], Arrays]
"""What the judge gives where the runner asks for it."""
QUOTED = 500
"""How many characters of somebody's own words are quoted."""


class Process(Protocol):
    """A process that the runner serves in, whichever way it was started."""

    def allow(self, seconds: float) -> None:
        """Let what follows end when it has spent so many seconds from now on."""

    def spent(self) -> float:
        """The seconds of the processor's time since `allow`."""

    def send(self, message: bytes) -> None:
        """Send a message. Raises TimeoutError."""

    def read(self, count: int) -> bytes:
        """The next so many bytes of the replies. Raises EOFError where they end before, TimeoutError when late."""

    def exit_code(self) -> int | None:
        """How it has ended; None where it lives on."""

    def end(self) -> None:
        """End it."""


class RunnerClient:
    """Somebody's code in the runner, as it is asked.

    seconds: of the processor's time that one call may take, five times as long by the clock where it sleeps; whole:
    what all calls may take, of which there are `left`. end: the error for a process that has ended.
    """

    end: ClassVar[type[SubmissionError]] = Ended

    def __init__(self, seconds: float, whole: float) -> None:
        self.seconds, self.whole, self.left = seconds, whole, whole
        self.process: Process | None = None
        self.interference = ""
        self.forgotten: list[int] = []

    @property
    def called(self) -> str:
        """What all of it is called, in sentences."""
        return "the submission"

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            process, self.process = self.process, None
            process.end()

    def process_for(self, doing: str) -> Process:
        """The process that is to be asked. Raises SubmissionError where there is none any more."""
        if self.process is None:
            raise Ended(f"{doing} was not reached: the process that it runs in has ended")
        return self.process

    def ask(
        self,
        doing: str,
        request: dict[str, Any],
        arrays: Arrays | None = None,
        shapes: Shapes | None = None,
        seconds: float | None = None,
        answer: Answer | None = None,
        asked: Shapes | None = None,
    ) -> tuple[dict[str, Any], Arrays]:
        """Send a request and wait for the reply, not for ever. doing: what the sentences call it. shapes: of the arrays
        that the reply may have. seconds: where this one may take others than the rest. answer: what is told where the
        runner asks for something itself before it replies, with arrays of the shapes `asked`."""
        if self.interference:
            raise Interfered(self.interference)
        if self.left <= 0:
            raise TimedOut(f"{doing} was not reached: {self.called} had taken {self.whole:g} s in all")
        process = self.process_for(doing)
        free, self.forgotten[:] = self.forgotten[:], []
        number = os.urandom(16).hex()  # so that nobody answers before being asked
        message = encode_message({**request, "doing": doing, "free": free, "number": number}, arrays)
        allowed = self.seconds if seconds is None else seconds
        cut_short = self.left < allowed
        process.allow(min(allowed, self.left))
        try:
            try:
                process.send(message)
                while True:
                    facts, found = receive_reply(number, process.read, {**(shapes or {}), **(asked or {})})
                    if answer is None or "asks" not in facts:
                        break
                    process.send(encode_message({}, answer(facts, found)))
            finally:
                self.left -= process.spent()
        except TimeoutError:
            at = self.place(process)
            self.close()
            if cut_short:
                raise TimedOut(f"{doing} was cut short: {self.called} had taken {self.whole:g} s in all{at}") from None
            raise TimedOut(f"{doing} had not ended after {allowed:g} s (an endless loop?){at}") from None
        except EOFError:
            raise self.ended(process, doing) from None
        except ValueError as error:
            raise self.interfered(doing, error) from None
        except BaseException:
            self.close()
            raise
        if "error" in facts or "misfit" in facts:
            with self.believing(doing):
                sentence = self.sentence_of(facts, doing)
            raise SubmissionError(sentence)
        return facts, found

    def place(self, _: Process) -> str:
        """Where a process is that has not ended in time, as the end of a sentence."""
        return ""

    def sentence_of(self, facts: Mapping[str, Any], doing: str) -> str:
        """What is told where the code raised something, or returned what was not asked for. Raises ValueError."""
        raise NotImplementedError

    def ended(self, process: Process, doing: str) -> SubmissionError:
        """The error for a process that answers no more."""
        code = process.exit_code()
        if code is None:
            return self.interfered(doing, "it closed the pipe that its answers come by")
        self.close()
        return self.end(f"{doing} ended the process that it runs in, {how_it_ended(code)}")

    @contextmanager
    def believing(self, doing: str) -> Iterator[None]:
        """Where an answer is looked at: a ValueError says what it cannot be."""
        try:
            yield
        except ValueError as error:
            raise self.interfered(doing, error) from None

    def interfered(self, doing: str, what: object) -> Interfered:
        """The error for an answer that no right process gives."""
        self.close()
        return Interfered(f"{doing} interfered with the process that runs it: {one_line(str(what), QUOTED)}")
