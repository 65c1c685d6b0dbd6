"""Measure the places of forward mistakes: planted by hand in the forms, and by rule in a step of each cell.

    python -m tests.diagnosis.measure_forward

prints how many were named, located, and located wrongly. The textbook's own step is somebody's here, with all that it
computes to be seen, and again with only its outputs to be seen.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any

from npbilstm import textbook
from npbilstm.diagnosis.diagnosis import diagnose_pair
from npbilstm.diagnosis.report import diagnose
from npbilstm.diagnosis.results import Diagnosis
from npbilstm.diagnosis.slips import Slip, slips_in
from npbilstm.mistakes.planting import changed, source_of, textbook_names
from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.layouts import Layout
from npbilstm.submission.pairs import submitted_pair
from tests.diagnosis.forward_plants import PLANTS
from tests.diagnosis.measure_places import (
    HIDDEN,
    LIKE,
    LOCATED,
    MISNAMED,
    NAMED,
    NO_PLACE,
    PERHAPS,
    WRONG_PLACE,
)

VERDICTS = (HIDDEN, NAMED, LOCATED, PERHAPS, LIKE, NO_PLACE, MISNAMED, WRONG_PLACE)
CELLS = ("lstm_step", "gru_step", "gru_reset_before_step")
SHARED = ("a", "u", "m", "h_in")
"""What goes into all gates."""
EVERY = 9
"""One of so many small changes of a step is planted."""


def verdict(found: Diagnosis | None, equations: set[str]) -> str:
    """Which of VERDICTS it is. What the catalogue names has the same numbers in every output."""
    if found is None or found.ok:
        return HIDDEN
    if found.named or found.known:
        return NAMED
    located, perhaps = ({place.split(" in ")[0] for place in some} for some in (found.located, found.perhaps))
    if located:
        return LOCATED if located & equations else WRONG_PLACE
    if perhaps:
        return PERHAPS if perhaps & equations else LIKE
    return NO_PLACE


def told_wrongly(found: Diagnosis | None, equations: set[str]) -> bool:
    """Whether a quantity is said to be right that is made by the equation in question."""
    return found is not None and any(own.right and own.meant in equations for own in found.quantities)


def judged(name: str, slip: Slip, seen: bool) -> Diagnosis:
    """The diagnosis of a step with a small change. seen: whether what it computes on its way can be seen."""
    spec = ALL_SPECS[name]
    head, body = source_of(slip.function)
    names = dict(textbook_names())
    exec(compile(head + changed(body, slip.bug), "step.py", "exec"), names)
    backward = getattr(textbook, spec.backward)
    pair = submitted_pair(spec, {spec.forward: names[spec.forward], spec.backward: backward}, Layout())
    assert pair is not None
    return diagnose_pair(spec, pair if seen else pair._replace(intermediates=None))


def places_of(slip: Slip, gates: str) -> set[str]:
    """The equations that a small change is in: what goes into the gates is in theirs."""
    if slip.equation in SHARED or "," in slip.equation:
        return {*SHARED, *gates, "q"}
    return {slip.equation}


def measure_forward(quick: bool = False) -> dict[str, Any]:
    """The counts, and what was said where a place was wrong."""
    counts: dict[str, Counter[str]] = {}
    said = {}
    for plant in PLANTS[:: 9 if quick else 1]:
        names: dict[str, Any] = {"__name__": "submitted"}
        exec(compile(plant.source, f"{plant.form}.py", "exec"), names)
        first = next((each for each in diagnose(names).diagnoses if not each.ok), None)
        counts.setdefault("by hand, in the forms", Counter())[verdict(first, set(plant.equations))] += 1
    for name in CELLS:
        spec = ALL_SPECS[name]
        slips = slips_in(spec.forward, spec.gates)
        for slip in slips[:: 90 if quick else EVERY]:
            for seen in (True, False):
                kind = f"by rule, {name}: {'all' if seen else 'outputs alone'} seen"
                try:
                    found = judged(name, slip, seen)
                except Exception as error:  # a change that does not run at all
                    counts.setdefault(kind, Counter())[f"stops, {type(error).__name__}"] += 1
                    continue
                place = verdict(found, places_of(slip, spec.gates))
                if told_wrongly(found, {slip.equation}):
                    place = MISNAMED
                counts.setdefault(kind, Counter())[place] += 1
                if place in (LIKE, MISNAMED, WRONG_PLACE):
                    said[f"{kind}: {slip.new}"] = f"{place}. {found.located} {found.perhaps}"
    table = {kind: {each: count[each] for each in sorted(count)} for kind, count in counts.items()}
    return {"table": table, "neither": said}


if __name__ == "__main__":
    print(json.dumps(measure_forward("--quick" in sys.argv), indent=1))
