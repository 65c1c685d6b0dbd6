"""diagnose: what is wrong with your own functions, and why, from a notebook or a program."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from npbilstm.diagnosis.diagnosis import diagnose_pairs
from npbilstm.diagnosis.layout_search import read_layout
from npbilstm.diagnosis.report_text import (
    IN_PYTHON,
    as_dict,
    judged_text,
    not_judged_lines,
    not_judged_text,
    require_hint,
    why_stopped,
    wrapped,
)
from npbilstm.diagnosis.results import Diagnosis
from npbilstm.gradcheck.results import NotJudged
from npbilstm.submission.arguments import renamed_arguments
from npbilstm.submission.definitions import is_namespace, is_of_npbilstm, is_submitted
from npbilstm.submission.form import Form
from npbilstm.submission.layouts import SETTINGS, layout_of
from npbilstm.submission.submitted_code import FormSubject, SubmittedCode, choose_ways
from npbilstm.submission.submitted_pair import submitted_pairs
from npbilstm.submission.unread import ELSEWHERE, none_there, unread_in_names

SHOWN = 4
"""How many of a form's functions are told."""


@dataclass(frozen=True)
class DiagnosisReport:
    """What `diagnose` found: a Diagnosis for each concept. str() gives the text.

    unread: what looks like a pass and is no function of the textbook's, with the reason why it was not judged. read_as:
    in which form and layout it was read, and why, in sentences. more: how a further hint is asked for.

    >>> report = nb.diagnose({"sigmoid_derivative": lambda s: s * (1 - s)})
    >>> isinstance(report, nb.DiagnosisReport), report.ok, report.summary
    (True, True, 'It is right.')
    """

    diagnoses: tuple[Diagnosis, ...]
    hint: int = 1
    unread: tuple[NotJudged, ...] = ()
    read_as: tuple[str, ...] = ()
    more: str = IN_PYTHON

    @property
    def verdict(self) -> str:
        """ "right" where all that looks like a pass was judged and is right, "wrong" where something judged is wrong,
        else "not judged"."""
        if any(diagnosis.verdict == "wrong" for diagnosis in self.diagnoses):
            return "wrong"
        return "right" if self.diagnoses and not self.not_judged else "not judged"

    @property
    def ok(self) -> bool:
        """True where the verdict is "right", and for no other."""
        return self.verdict == "right"

    @property
    def not_judged(self) -> tuple[NotJudged, ...]:
        """All that looks like a pass and was not judged: its name, and the reason."""
        stopped = (
            NotJudged(name, why_stopped(diagnosis)) for diagnosis in self.diagnoses for name in diagnosis.not_judged
        )
        return (*self.unread, *stopped)

    @property
    def summary(self) -> str:
        """The verdict in a sentence or two, with what was not judged first."""
        judged = [diagnosis for diagnosis in self.diagnoses if diagnosis.judged]
        wrong = sum(diagnosis.verdict == "wrong" for diagnosis in judged)
        left = len(self.unread) + sum(bool(diagnosis.stopped) for diagnosis in self.diagnoses)
        mend = " Mend the first first." if wrong > 1 else ""
        if not left and len(judged) == 1:
            return "It is wrong." if wrong else "It is right."
        if not left:
            return (
                f"{wrong} of {len(judged)} {'is' if wrong == 1 else 'are'} wrong.{mend}"
                if wrong
                else (f"All {len(judged)} are right.")
            )
        said = f"Not judged: {left} of {left + len(judged)}."
        if wrong:
            said += f" Of what was judged, {wrong} {'is' if wrong == 1 else 'are'} wrong.{mend}"
        elif judged:
            said += " What was judged is right."
        return said + (f" {ELSEWHERE}" if self.unread else "")

    def __str__(self) -> str:
        unread = [line for each in self.unread for line in not_judged_lines(*each)]
        stopped = [not_judged_text(diagnosis) for diagnosis in self.diagnoses if diagnosis.stopped]
        judged = [line for diagnosis in self.diagnoses for line in judged_text(diagnosis, self.hint, self.more)]
        read_as = [line for sentence in self.read_as for line in wrapped(f"{sentence}.", 0)]
        blocks = ([*unread, *stopped], read_as, judged, [self.summary])
        return "\n\n".join("\n".join(block) for block in blocks if block)

    __repr__ = __str__

    def as_dict(self) -> dict[str, Any]:
        """The report for a program, as json writes it."""
        return {
            "verdict": self.verdict,
            "ok": self.ok,
            "read as": list(self.read_as),
            "not judged": [each._asdict() for each in self.not_judged],
            "subjects": [as_dict(diagnosis, self.hint) for diagnosis in self.diagnoses],
        }

    def to_json(self) -> str:
        """as_dict, as JSON."""
        return json.dumps(self.as_dict(), indent=2)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def diagnose(
    functions: Mapping[str, Any] | ModuleType, *, hint: int = 1, form: str = "", strict: bool = False, **settings: str
) -> DiagnosisReport:
    """Judge functions of your own against the textbook on stages, and name what is wrong with them.

    functions: a module, globals(), or a dict of name -> function; those are judged that have the name of one of the
        textbook's functions and are your own. Any subset will do. What else of your own looks like a pass, a class say,
        is named as not judged; `report.ok` is then False.
    hint: how much is told of a known mistake: 1 is vague, 3 exact.
    form: the form in which they are written, a course's name or the file of one of your own, where it is not to be
        recognised.
    strict: whether another layout than the textbook's, or than settings tell, is a mistake. Without it the layout is
        the one in which your outputs are the textbook's, where there is one.
    settings: your layout, where it is not to be found out: gates="ifog", weights="(4,H,D)", x="(T,N,D)", b="(4,H,1)",
        update="writes", reset="before", and yours="h_prev" for an argument "yours" whose name is not recognised.

    They run in this process, with copies. `npbilstm check FILE` does the same in a process of its own.

    Raises TypeError where functions or a setting is of another kind, ValueError where nothing there looks like a pass,
    or a setting is unknown.

    >>> def sigmoid_derivative(s):
    ...     return s * (1 + s)
    >>> report = nb.diagnose({"sigmoid_derivative": sigmoid_derivative})
    >>> report.verdict
    'wrong'
    """
    require_hint(hint)
    names = vars(functions) if isinstance(functions, ModuleType) else functions
    if not isinstance(names, Mapping):
        raise TypeError(
            f"functions is {what_was_given(functions)}; it needs a module, globals() or a dict of name -> function. "
            f"{ELSEWHERE}"
        )
    for name, value in settings.items():
        if not isinstance(value, str):
            raise TypeError(f"{name} is {value!r}; it needs a string")
    renamed = renamed_arguments(settings)
    layout_of(settings)
    code = SubmittedCode({name: value for name, value in names.items() if is_to_be_judged(value, names)}, form, renamed)
    layout = layout_of({**code.form.settings, **settings})
    choose_ways(code, layout)
    reading = read_layout(code.subjects, code.pair, layout, SETTINGS if strict else [*settings])
    pairs = submitted_pairs(code.subjects(reading.layout), lambda name: code.pair(name, reading.layout))
    unread = tuple(unread_in_names(names, code.judged))
    if not code.judged and not unread:
        raise ValueError(none_there(names))
    return DiagnosisReport(
        tuple(diagnose_pairs(pairs)), hint, unread, (*read_in(code.form, code.of_form), *reading.sentences)
    )


def read_in(form: Form, subjects: Mapping[str, FormSubject]) -> tuple[str, ...]:
    """In which form something was read, and why, in a sentence; none for the textbook's."""
    functions = list(dict.fromkeys(name for subject in subjects.values() for name in subject.functions))
    said = ", ".join(functions[:SHOWN]) + (f" and {len(functions) - SHOWN} more" if len(functions) > SHOWN else "")
    return (f"Read as {form.title} has it, by {said}",) if functions else ()


def is_to_be_judged(function: Any, names: Mapping[str, Any]) -> bool:
    """Whether a function is to be judged: not this package's own, nor what a namespace has from elsewhere."""
    if not callable(function):
        return False
    return not is_of_npbilstm(function) and (is_submitted(function) or not is_namespace(names))


def what_was_given(value: Any) -> str:
    """What was given, for a sentence."""
    if isinstance(value, type):
        return f"a class, {value.__name__}"
    name = getattr(value, "__name__", "")
    return f"a function, {name}" if callable(value) and name else f"a {type(value).__name__}"
