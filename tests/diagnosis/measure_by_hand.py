"""Measure how the twenty mistakes are found that were written by hand in each of eight forms.

python -m tests.diagnosis.measure_by_hand                 judge them all, and print the table
python -m tests.diagnosis.measure_by_hand cs231n saito    those of some forms, with what was said of each
python -m tests.diagnosis.measure_by_hand --write         the table into tutorials/guides/forms.md
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import npbilstm as nb
from npbilstm.diagnosis.report import DiagnosisReport
from npbilstm.diagnosis.report_text import headline
from npbilstm.mistakes import BUGS, Bug, clipped_to
from npbilstm.training.progress import tell
from tests.diagnosis.by_hand.mistakes import KINDS, ByHand, written_into

GUIDE = Path(__file__).parents[2] / "tutorials" / "guides" / "forms.md"
ANSWERS = Path(__file__).parents[1] / "submission" / "forms"
BEGIN, END = "<!-- by hand -->\n", "<!-- end -->\n"
FORMS = ("cs231n", "coursera", "cmu11785", "saito", "holberton", "min_char_rnn", "edinburgh", "layers")

NAMED, AMONG, LOCATED, PERHAPS = "named", "among others", "located", "perhaps"
SAID, ELSEWHERE, MISNAMED, MISSED = "said", "elsewhere", "misnamed", "missed"
RIGHTLY = (NAMED, AMONG, LOCATED, PERHAPS, SAID)
"""named: by its name, in the headline. among others: that give the same numbers, after one that is not its name.
located, perhaps: its equation is among the places, said for certain, or to be looked at. said: to be wrong, no more.
elsewhere: the places that are called certain have not its equation. misnamed: something else. missed: right."""


class Trial(NamedTuple):
    """A mistake in a form."""

    form: str
    kind: str
    mistake: ByHand


class Outcome(NamedTuple):
    """What came of a trial: one of the verdicts, and what was said."""

    verdict: str
    said: str


def mistakes_in(form: str) -> dict[str, ByHand | str]:
    """The mistakes of a form by their kinds, a reason for one that the form cannot show."""
    return import_module(f"tests.diagnosis.by_hand.{form}").MISTAKES


@cache
def answer(form: str, name: str = "") -> str:
    """The source of a form's right answer."""
    name = name or import_module(f"tests.diagnosis.by_hand.{form}").ANSWER
    return (ANSWERS / f"{name}.py").read_text()


def trials(forms: tuple[str, ...] = FORMS) -> list[Trial]:
    """Every mistake that a form can show."""
    return [
        Trial(form, kind, mistake)
        for form in forms
        for kind, mistake in mistakes_in(form).items()
        if isinstance(mistake, ByHand)
    ]


def source_of(trial: Trial) -> str:
    """The form's right answer with the mistake in it."""
    return written_into(answer(trial.form, trial.mistake.answer), trial.mistake.code, trial.mistake.owner)


def judged(source: str) -> DiagnosisReport:
    """The report on a file, as it stands."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, "<submitted>", "exec"), names)
    return nb.diagnose(names)


def outcome(trial: Trial) -> Outcome:
    """Judge a mistake."""
    report = judged(source_of(trial))
    said = "; ".join(headline(one) for one in report.diagnoses if not one.ok) or "right"
    unread = "".join(f"; not judged {each.name}" for each in report.not_judged)
    return Outcome(verdict(trial.mistake, report), said + unread)


def verdict(mistake: ByHand, report: DiagnosisReport) -> str:
    """What a report is worth. A name or a place for certain that is not right is so wherever it is said."""
    wrong = [one for one in report.diagnoses if not one.ok]
    right = set(mistake.named.split())
    names = [[{bug.id for bug in bugs} for bugs in one.named] for one in wrong]
    if any(fitting and not any(bugs <= right for bugs in fitting) for fitting in names):
        return MISNAMED
    places = {part for id in right for part in bug_called(id).equation.split(", ")} | set(mistake.place.split())
    places |= {place.replace("da_", "d") for place in places}
    if any(one.located and not at_one_of(one.located, places) for one in wrong):
        return ELSEWHERE
    if any(names):
        first = next(fitting for fitting in names if fitting)
        return NAMED if first[0] <= right else AMONG
    if any(one.located for one in wrong):
        return LOCATED
    if any(at_one_of(one.perhaps, places) for one in wrong):
        return PERHAPS
    return SAID if wrong or report.verdict == "wrong" else MISSED


def bug_called(id: str) -> Bug:
    """A mistake by its name; a clip with any bound has one."""
    _, clip, bound = id.rpartition("-to-")
    return {**BUGS, **{bug.id: bug for bug in (clipped_to(float(bound)) if "clipped" in id and clip else ())}}[id]


def at_one_of(said: tuple[str, ...], places: set[str]) -> bool:
    """Whether one of the places that are said is one of these equations."""
    return any(set(place.partition(" in ")[0].split(", ")) & places for place in said)


def table(found: dict[tuple[str, str], str]) -> str:
    """The table, in Markdown. found: the verdict for each form and kind."""
    lines = [f"| mistake | {' | '.join(FORMS)} |", f"|---|{'---|' * len(FORMS)}"]
    for kind, words in KINDS.items():
        cells = [found.get((form, kind), "-") for form in FORMS]
        lines.append(f"| **{kind}**: {words} | {' | '.join(cells)} |")
    for what, counted in (("named", (NAMED,)), ("found elsewhere or misnamed", (MISNAMED, ELSEWHERE, MISSED))):
        counts = [Counter(verdict in counted for (own, _), verdict in found.items() if own == form) for form in FORMS]
        lines.append(f"| {what} | {' | '.join(f'{count[True]} of {count.total()}' for count in counts)} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.diagnosis.measure_by_hand", description=__doc__)
    parser.add_argument("forms", nargs="*", metavar="FORM", help="these forms, in detail")
    parser.add_argument("--kind", default="", help="this mistake alone")
    parser.add_argument("--write", action="store_true", help="write the table into the guide")
    options = parser.parse_args(arguments)
    found = {}
    for trial in trials(tuple(options.forms) or FORMS):
        if options.kind in trial.kind:
            came = outcome(trial)
            found[trial.form, trial.kind] = came.verdict
            tell(f"{came.verdict:12}  {trial.form}, {trial.kind}: {came.said}\n")
    if not options.forms:
        print(table(found))
    if options.write:
        before, begin, rest = GUIDE.read_text().partition(BEGIN)
        GUIDE.write_text(f"{before}{begin}\n{table(found)}\n\n{END}{rest.partition(END)[2]}", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
