"""How an exercise stands: not yet written, begun, right or wrong, and why."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from npbilstm.classroom.exercise import Exercise
from npbilstm.diagnosis.report_text import headline, text_of, why_stopped, wrapped
from npbilstm.diagnosis.results import Diagnosis
from npbilstm.submission.conventions import TEXTBOOKS, Conventions

NOT_WRITTEN = "it is not written yet"
BAR = 20
"""How many characters the bar of the progress has."""


@dataclass(frozen=True)
class ExerciseResult:
    """How one exercise stands. str() gives the text.

    diagnoses: what was found out about its functions. missing: those of its functions that are not written. stopped:
    why nothing could be run, a sentence; "" where it could. fault: what npbilstm itself failed at, a sentence; then
    nobody has judged it. conventions: those that it is written in.
    """

    exercise: Exercise
    diagnoses: tuple[Diagnosis, ...] = ()
    missing: tuple[str, ...] = ()
    stopped: str = ""
    fault: str = ""
    hint: int = 1
    conventions: Conventions = TEXTBOOKS

    @property
    def wrong(self) -> list[Diagnosis]:
        """What is wrong, and what is written but stops wherever it is called."""
        return [each for each in self.diagnoses if each.verdict == "wrong" or (each.stopped and not unwritten(each))]

    @property
    def state(self) -> str:
        """ "right", "wrong", "begun" where some of its functions are right and others not written, "not yet written",
        "not judged"."""
        if self.fault:
            return "not judged"
        if self.stopped or self.wrong:
            return "wrong"
        if not self.missing:
            return "right"
        return "begun" if len(self.missing) < len(self.exercise.functions) else "not yet written"

    @property
    def textbooks_names(self) -> str:
        """Where names and conventions are not the textbook's, that a report is in the textbook's; else ""."""
        names = dict(self.conventions.names)
        told = f"what is {', '.join(names.values())} in yours is {', '.join(names)} there, and rows are your columns"
        return f"All of this is in the textbook's names and layout: {told}." if names else ""

    @property
    def points(self) -> int:
        """What it is worth as it stands."""
        return self.exercise.points if self.state == "right" else 0

    @property
    def reason(self) -> str:
        """The reason of the state, in a line; "" where it says all."""
        if self.stopped or self.fault:
            return (self.stopped or self.fault).splitlines()[-1]
        if self.wrong:
            first = self.wrong[0]
            if first.verdict == "wrong":
                return headline(first).removeprefix("WRONG").strip()
            return f"{', '.join(first.not_judged)}: {why_stopped(first)}"
        return f"not yet written: {', '.join(self.missing)}" if self.state == "begun" else ""

    def __str__(self) -> str:
        said = [f"{self.exercise.name}: {self.state}."]
        if self.stopped:
            said += [f"  {line}" for line in self.stopped.splitlines()]
        said += wrapped(self.fault) if self.fault else []
        for diagnosis in self.wrong:
            said += text_of(diagnosis, self.hint).splitlines()
        said += wrapped(self.textbooks_names) if self.wrong else []
        if self.missing and not self.stopped:
            said += wrapped(f"Not yet written: {', '.join(self.missing)}.")
        return "\n".join(said)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def unwritten(diagnosis: Diagnosis) -> bool:
    """Whether functions stop since they are not written yet."""
    return bool(diagnosis.stopped) and why_stopped(diagnosis).startswith(NOT_WRITTEN)


def table(results: Sequence[ExerciseResult]) -> Iterable[str]:
    """A line for each exercise, and one with a bar."""
    width = max(len(result.exercise.name) for result in results)
    for result in results:
        points = f"{result.points:2} of {result.exercise.points:2} points"
        yield f"{result.exercise.name:{width}}  {result.state:15}  {points}  {result.reason}".rstrip()
    right = sum(result.state == "right" for result in results)
    filled = BAR * right // len(results)
    got, whole = sum(result.points for result in results), sum(result.exercise.points for result in results)
    yield ""
    yield (
        f"[{'#' * filled}{'.' * (BAR - filled)}]  {right} of {len(results)} exercise{'s'[: len(results) != 1]} right, "
        f"{got} of {whole} points"
    )
