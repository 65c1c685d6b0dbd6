"""Measure the places: mistakes planted into forms that lack an input, an output or a function, and what is said.

    python -m tests.diagnosis.measure_places

prints the table that stands in tutorials/guides/diagnosis.md; measure.py makes both. Half of the mistakes are the
catalogue's, the others it has not (unknown_bugs.py, and between directions, layers and steps unknown_shares.py).
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from typing import Any

from npbilstm.diagnosis.results import Diagnosis
from npbilstm.mistakes import BUGS, Bug
from tests.diagnosis.lacking_forms import FORMS, SHARED, judged
from tests.diagnosis.unknown_bugs import BOTH, LOOP, STEP, UNKNOWN
from tests.diagnosis.unknown_shares import FORMS_OF, GRU, SHARES

EVERY = 3
"""One of so many catalogued mistakes of these functions is planted."""
CATALOGUED = [bug for bug in BUGS.values() if bug.function in (STEP, LOOP, BOTH) and "in-place" not in bug.id][::EVERY]

HIDDEN, NAMED, LOCATED, PERHAPS = "does not show", "named", "located", "perhaps"
LIKE, NO_PLACE, MISNAMED, WRONG_PLACE = "perhaps elsewhere", "no place", "misnamed", "wrong place, called certain"
VERDICTS = (HIDDEN, NAMED, LOCATED, PERHAPS, LIKE, NO_PLACE, MISNAMED, WRONG_PLACE)

SAME_LINE = {"dc_t": "dc", "dc_next": "dc_prev", "dh_next": "dh_prev", "dx": "dx", "grads": "dW"}
SAME_LINE |= {f"d{weight}": "dW" for weight in ("Wx", "Wh", "b", "b_hn")}
"""Where a step is written inside its loop, what the loop has and the step gives are one line."""
OF_ALL = {"gradients", "step-gradients"}
IN_OTHERS_NUMBERS = {"dc-before-carry": "dc", "do-before-carry": "do"}
"""Mistakes of a loop that has its step inside, which are other equations' by their numbers."""


def trials() -> list[tuple[str, str, Bug]]:
    """Every form with every mistake: the form, whether the catalogue has it, the mistake."""
    found = []
    for form, source in FORMS.items():
        for kind, bugs in (("catalogued", CATALOGUED), ("not in the catalogue", UNKNOWN)):
            found += [
                (form, kind, bug) for bug in bugs if can_have(form, bug) and (bug.function != BOTH or "bi" in source)
            ]
    shares = [(form, "a share, sign or exchange", bug) for bug in SHARES for form in FORMS_OF[bug.function]]
    return found + sorted(shares, key=lambda trial: trial[0])


def can_have(form: str, bug: Bug) -> bool:
    """Whether a form can have a mistake: only a step inside its loop can be given half of a gradient."""
    return (
        "def bilstm_backward" in FORMS[form]
        if bug.function == BOTH
        else bug.id not in IN_OTHERS_NUMBERS or is_inside(form)
    )


def is_inside(form: str) -> bool:
    """Whether the step stands inside the loop."""
    return "def lstm_step_backward" not in {**FORMS, **SHARED}[form]


def verdict(form: str, bug: Bug, diagnoses: list[Diagnosis]) -> str:
    """Which of VERDICTS it is, by what was said of the first that is wrong."""
    wrong = [diagnosis for diagnosis in diagnoses if not diagnosis.ok]
    if not wrong:
        return HIDDEN
    first = wrong[0]
    if first.named:
        return NAMED if any(bugs == (bug,) for bugs in first.named) else MISNAMED
    places = {part for place in (*first.located, *first.perhaps) for part in parts_of(form, *place.split(" in ", 1))}
    right = bool(places & wanted(form, bug)) or is_of_all(bug, places)
    if first.located:
        return LOCATED if right else WRONG_PLACE
    if first.perhaps:
        return PERHAPS if right else LIKE
    return NO_PLACE


def wanted(form: str, bug: Bug) -> set[tuple[str, str]]:
    """The places of a mistake."""
    if bug.id in IN_OTHERS_NUMBERS:
        return {(IN_OTHERS_NUMBERS[bug.id], "lstm_step_backward")}
    return parts_of(form, bug.equation, bug.function)


def is_of_all(bug: Bug, places: set[tuple[str, str]]) -> bool:
    """Whether a mistake is one of all gradients, and that is said."""
    return "gradients" in bug.id and any(equation == "a factor of all gradients" for equation, _ in places)


def parts_of(form: str, equation: str, function: str) -> set[tuple[str, str]]:
    """A place as equations and functions, those that cannot be told apart being one."""
    named = {"the step": STEP, "the loop": LOOP, GRU: LOOP, "gru_backward": LOOP}
    function = named.get(function.partition(" inside ")[0], function)
    found = set()
    for part in equation.split(", "):
        part = re.sub("^da_", "d", part)
        if is_inside(form) and function in (STEP, LOOP) and part in (*SAME_LINE, *SAME_LINE.values()):
            found.add((SAME_LINE.get(part, part), STEP))
        elif function == STEP and part == "grads":
            found |= {(f"d{weight}", STEP) for weight in ("Wx", "Wh", "b")}
        else:
            found.add((part, function))
    return found


def measure_places(quick: bool = False, progress: Any = lambda line: None) -> dict[str, Any]:
    """All of it: the counts of each form and kind, and what was said where it was neither named nor located."""
    counts: dict[str, Counter[str]] = {}
    said = {}
    chosen = trials()
    for k, (form, kind, bug) in enumerate(chosen[::40] if quick else chosen):
        progress(f"places: {k + 1} of {len(chosen)}")
        diagnoses = judged(form, bug)
        found = verdict(form, bug, diagnoses)
        counts.setdefault(f"{form}: {kind}", Counter())[found] += 1
        if found not in (NAMED, LOCATED, HIDDEN):
            first = next(diagnosis for diagnosis in diagnoses if not diagnosis.ok)
            names = [" and ".join(one.id for one in bugs) for bugs in first.named]
            said[f"{form}: {bug.id}, {bug.function}: {bug.new}"] = (
                f"{found}. {[*names, *first.located, *first.perhaps]}"
            )
    table = {name: {each: count[each] for each in VERDICTS} for name, count in counts.items()}
    return {"table": table, "neither": said}


if __name__ == "__main__":
    print(json.dumps(measure_places("--quick" in sys.argv), indent=1))
