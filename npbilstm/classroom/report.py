"""diagnose: what is wrong with your own functions, and why, from a notebook or a program."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from npbilstm.classroom.diagnosis import Diagnosis, diagnose_pairs
from npbilstm.classroom.own_code.arguments import renamed_arguments
from npbilstm.classroom.own_code.layouts import layout_of
from npbilstm.classroom.own_code.passes import pair_of_theirs, unjudged
from npbilstm.classroom.subjects import SUBJECTS
from npbilstm.classroom.wording import as_dict, require_hint, words

OURS = [name for subject in SUBJECTS.values() for name in (subject.forward, subject.backward) if name]
NONE_THERE = f"none of the textbook's functions is there; it needs at least one of {', '.join(OURS)}"


@dataclass(frozen=True)
class DiagnosisReport:
    """What `diagnose` found: a Diagnosis for each concept. `ok` is the verdict; str() gives the text.

    others: functions that look like passes and were not judged, since the textbook has none of that name.
    """

    diagnoses: tuple[Diagnosis, ...]
    hint: int = 1
    others: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True where every function is right."""
        return all(diagnosis.ok for diagnosis in self.diagnoses)

    def __str__(self) -> str:
        return "\n".join([*(words(diagnosis, self.hint) for diagnosis in self.diagnoses), "", self.verdict])

    __repr__ = __str__

    @property
    def verdict(self) -> str:
        """One sentence, and another where functions were left out."""
        count = len(self.diagnoses)
        stopped = sum(bool(diagnosis.stopped) for diagnosis in self.diagnoses)
        wrong = sum(not diagnosis.ok for diagnosis in self.diagnoses) - stopped
        if count == 1:
            said = "It could not be judged." if stopped else "It is wrong." if wrong else "It is right."
        elif not wrong and not stopped:
            said = f"All {count} are right."
        else:
            said = f"{wrong} of {count} {'is' if wrong == 1 else 'are'} wrong."
            said += f" {stopped} could not be judged." if stopped else ""
            said += " Mend the first first." if wrong + stopped > 1 else ""
        left_out = f" Not judged, since the textbook has none of that name: {', '.join(self.others)}."
        return said + (left_out if self.others else "")

    def as_dict(self) -> dict[str, Any]:
        """The report for a program, as json writes it."""
        subjects = [as_dict(diagnosis, self.hint) for diagnosis in self.diagnoses]
        return {"ok": self.ok, "subjects": subjects, "not judged": list(self.others)}

    def to_json(self) -> str:
        """as_dict, as JSON."""
        return json.dumps(self.as_dict(), indent=2)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def diagnose(functions: Mapping[str, Any] | ModuleType, *, hint: int = 1, **settings: str) -> DiagnosisReport:
    """Judge functions of your own against the textbook on staged probes, and name what is wrong with them.

    functions: a module, globals(), or a dict of name -> function; those count that have the name of one of the
        textbook's functions and are not the textbook's own. Any subset will do.
    hint: how much is told of a known mistake: 1 is vague, 3 exact.
    settings: your layout, where it is not the textbook's: gates="ifog", weights="(4,H,D)", x="(T,N,D)", b="(4,H,1)",
        and theirs="ours" for an argument whose name is not recognised.

    They run in this process, with copies. `npbilstm check FILE` does the same in a process of its own.

    Raises TypeError where functions or a setting is of another kind, ValueError where there is no such function, it
    cannot be told how one is called, or a setting is unknown.
    """
    require_hint(hint)
    names = vars(functions) if isinstance(functions, ModuleType) else functions
    if not isinstance(names, Mapping):
        raise TypeError(
            f"functions is a {type(functions).__name__}; it needs a module, globals() or a dict of name -> function"
        )
    for name, value in settings.items():
        if not isinstance(value, str):
            raise TypeError(f"{name} is {value!r}; it needs a string")
    layout, renamed = layout_of(settings), renamed_arguments(settings)
    own = own_functions(names)
    pairs = {name: pair_of_theirs(subject, own, layout, renamed) for name, subject in SUBJECTS.items()}
    found = diagnose_pairs({name: pair for name, pair in pairs.items() if pair is not None})
    return DiagnosisReport(tuple(found), hint, tuple(unjudged(names)))


def own_functions(names: Mapping[str, Any]) -> dict[str, Callable[..., Any]]:
    """Of these names, the functions that stand in for the textbook's. Raises ValueError where there is none."""
    own = {
        name: names[name]
        for name in OURS
        if callable(names.get(name)) and not str(getattr(names[name], "__module__", "")).startswith("npbilstm.textbook")
    }
    if not own:
        raise ValueError(NONE_THERE)
    return own
