"""Measure the diagnosis: how many planted mistakes it names, how many it finds the place of, and whether it ever errs.

The files that are judged are columns.py with plants in it: a bidirectional LSTM that shares nothing with the textbook,
judged as `npbilstm check` judges a file. This command counts, and writes the page that tells what it counted:

    python -m tests.diagnosis.measure --out tutorials/guides
"""

from __future__ import annotations

import argparse
import datetime
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from npbilstm.diagnosis import matching
from npbilstm.diagnosis.diagnosis import diagnose_pairs
from npbilstm.diagnosis.report_text import cause
from npbilstm.diagnosis.results import Diagnosis
from npbilstm.files import write_atomically
from npbilstm.mistakes import Bug
from npbilstm.mistakes.catalogue import BUGS as CATALOGUE
from npbilstm.training.progress import on_terminal, tell
from tests.diagnosis.columns_bugs import BUGS, OTHER_NUMBERS, Plant, Plants, source_with
from tests.diagnosis.columns_step_bugs import STEP_BUGS
from tests.diagnosis.measure_page import KNOWN, OTHER_FORM, TWO, UNKNOWN_BACKWARD, UNKNOWN_FORWARD, page
from tests.diagnosis.measure_places import measure_places
from tests.submission.submitted_files import FILES, pair_from

NAMED, AMONG, ONE_NAMED = "named", "named among others", "one of two named"
LOCATED, ONE_LOCATED, ELSEWHERE = "located", "one of two located", "located elsewhere"
PERHAPS, LIKE = "perhaps there", "perhaps elsewhere"
NO_PLACE, MISNAMED, MISSED = "wrong, no equation", "misnamed", "missed"
VERDICTS = (NAMED, AMONG, ONE_NAMED, LOCATED, ONE_LOCATED, PERHAPS, LIKE, ELSEWHERE, NO_PLACE, MISNAMED, MISSED)

STEP, LOOP = "lstm_step_backward", "lstm_backward"
INSIDE = {"the step": "lstm_step", "the loop": "lstm"}
SAME_LINE = {"dc_t": "dc", "dc_next": "dc_prev", "dh_next": "dh_prev"}
"""What a loop has and its step gives: one line where the step is written in the loop, as columns.py has it."""
SAME_PLACE: dict[str, tuple[str, ...]] = {
    **{f"da_{gate} in {STEP}": (f"d{gate} in {STEP}",) for gate in "ifgo"},
    "sigmoid' in sigmoid_derivative": tuple(f"d{gate} in {STEP}" for gate in "ifo"),
    "tanh' in tanh_derivative": (f"dc in {STEP}", f"dg in {STEP}"),
}
"""Places that are others in the gradients: da_f is df times what is known, a slope stands wherever it is taken. All of
them must be offered to count as located."""

IN_THE_LINE_OF = {"do-before-carry": f"do in {STEP}", "dc-before-carry": f"dc in {STEP}"}
"""Mistakes of the textbook's loop over time which columns.py makes in one line of its step."""

ALSO_NAMED = {
    f"tanh-{slip}": {f"dc-{of_c}", f"da-g-{of_g}"}
    for slip, of_c, of_g in [
        ("taken-twice", "tanh-taken-twice", "tanh-taken-twice"),
        ("slope-of-preactivation", "tanh-slope-of-c", "slope-of-preactivation"),
        ("slope-square-missing", "square-missing", "square-missing"),
        ("slope-is-sigmoid-slope", "sigmoid-slope", "sigmoid-slope"),
    ]
} | {
    "padding-updates-state": {"padding-updates-hidden-state", "padding-updates-cell-state"},
    "flip-ignores-lengths": {"reverse-input-flip-ignores-lengths", "reverse-output-flip-ignores-lengths"},
}
"""By what other names a mistake is named rightly where the catalogue has not its own: a slip in the slope of tanh or
in a flip is that slip in both of its uses, and a state is its two parts."""

UNKNOWN: Plant = ("lstm_backward", "zi = dm * u * i * (1 - i)", "zi = 1.1 * dm * u * i * (1 - i)")
"""A mistake with a constant of its own."""

TIMED: dict[str, tuple[Plant, ...]] = {
    "all right": (),
    "one mistake": (BUGS["dc-tanh-slope-missing"],),
    "two mistakes": (BUGS["dc-tanh-slope-missing"], BUGS["dwh-overwritten-over-time"]),
    "a mistake that nobody knows": (UNKNOWN,),
    "one that spoils everything": (OTHER_NUMBERS["cache-one-step-off"],),
}
CORRECT = ("textbook", "cs231n", "columns")
PAIRS, DRAWS, TURNS, LARGEST = 200, 200, 5, 6
DRAWN = "NTDHRVSEA"
"""The axes whose sizes are drawn."""


class Trial(NamedTuple):
    """A file to be judged: what was planted, by the catalogue's names, and what the catalogue lacks meanwhile."""

    changes: tuple[Plant, ...]
    planted: tuple[str, ...]
    without: frozenset[str] = frozenset()


class Outcome(NamedTuple):
    """What came of a trial: one of VERDICTS, what was said in a few words, and how many places were offered."""

    verdict: str
    said: str
    offered: int


def judged(trial: Trial) -> list[Diagnosis]:
    """The diagnosis of each spec in columns.py with the plants of a trial."""
    source = source_with(*trial.changes)
    known = {id: bug for id, bug in CATALOGUE.items() if id not in trial.without}
    with mock.patch.object(matching, "BUGS", known):
        return list(diagnose_pairs({name: pair_from(source, name) for name in FILES["columns"][1]}))


def outcome(trial: Trial) -> Outcome:
    """Judge a file, and compare with what was planted."""
    wrong = [diagnosis for diagnosis in judged(trial) if not diagnosis.ok]
    said = "; ".join(f"{diagnosis.subject}: {cause(diagnosis)}" for diagnosis in wrong if not diagnosis.known)
    return Outcome(verdict(trial, wrong), said or "right", offers(trial, wrong))


def verdict(trial: Trial, wrong: list[Diagnosis]) -> str:
    """Which of VERDICTS the diagnoses of the wrong specs are.

    One mistake is to be found in the first spec that is wrong, of two each may show first in another. A name that
    was not planted is a misnomer wherever it is said, unless it stands beside the right one as what fits as well.
    """
    if not wrong:
        return MISSED
    right = {name for id in trial.planted for name in ({id} if id not in trial.without else ALSO_NAMED.get(id, {id}))}
    named: set[str] = set()
    for k, diagnosis in enumerate(wrong):
        fitting = [ids for ids in ({named_as(bug, trial) for bug in bugs} for bugs in diagnosis.named) if ids <= right]
        if diagnosis.named and not fitting:
            return MISNAMED
        if fitting and k < len(trial.planted):
            named |= max(fitting, key=len)
    if named:
        named |= {id for id in trial.planted if changed_in_place(id, wrong)}
    if named and named == right:
        return NAMED if all(len(diagnosis.named) <= 1 for diagnosis in wrong) else AMONG
    if named:
        return ONE_NAMED
    certain, perhaps = offered(trial, wrong)
    found = [is_among(id, certain) or changed_in_place(id, wrong) for id in trial.planted]
    if any(found):
        return LOCATED if all(found) else ONE_LOCATED
    if any(is_among(id, certain | perhaps) for id in trial.planted):
        return PERHAPS
    return ELSEWHERE if certain else LIKE if perhaps else NO_PLACE


def named_as(bug: Bug, trial: Trial) -> str:
    """The name of a mistake; of a clip that the catalogue lacks its own, whatever the bound that was told."""
    clip = bug.id.partition("-to-")[0]
    return clip if clip in trial.without else bug.id


def is_among(id: str, offered: set[str]) -> bool:
    """Whether the place of a mistake is among these: all of its places, one equation at least of each."""
    return all(parts_of(place) & offered for place in places_of(id))


def offered(trial: Trial, wrong: list[Diagnosis]) -> tuple[set[str], set[str]]:
    """The places that are offered, by the first spec that is wrong, and for two mistakes by the second: for certain,
    and perhaps."""
    first = wrong[: len(trial.planted)]
    certain = {part for diagnosis in first for place in diagnosis.located for part in parts_of(place)}
    return certain, {part for diagnosis in first for place in diagnosis.perhaps for part in parts_of(place)}


def offers(trial: Trial, wrong: list[Diagnosis]) -> int:
    """How many places are said."""
    return sum(len(diagnosis.located or diagnosis.perhaps) for diagnosis in wrong[: len(trial.planted)])


def parts_of(place: str) -> set[str]:
    """A place, equation by equation. A step that is written inside a loop is the step, and what the two have of it is
    one line."""
    equations, _, function = place.partition(" in ")
    within = function.partition(" inside ")[0]
    way = function.rpartition("_")[2]
    at = f"{INSIDE[within]}_{way}" if within in INSIDE else function
    found = {f"{equation} in {at}" for equation in equations.split(", ")}
    if at == "lstm_step_forward":  # where a gate is wrong, what it is of is
        found |= {f"a in {at}" for equation in equations.split(", ") if equation in list("ifgo")}
    if at == STEP and within == "the step":
        found |= {f"{of_loop} in {LOOP}" for of_loop, of_step in SAME_LINE.items() if of_step in equations.split(", ")}
    return found | {f"{SAME_LINE[e]} in {STEP}" for e in equations.split(", ") if within == LOOP and e in SAME_LINE}


def places_of(id: str) -> tuple[str, ...]:
    """Where a catalogued mistake stands, as the diagnosis calls the place."""
    place = f"{CATALOGUE[id].equation} in {CATALOGUE[id].function}"
    return (IN_THE_LINE_OF[id],) if id in IN_THE_LINE_OF else SAME_PLACE.get(place, (place,))


def changed_in_place(id: str, wrong: list[Diagnosis]) -> bool:
    """Whether a mistake is one that changes an array in place, and a sentence says which function does so."""
    said = f"{CATALOGUE[id].function} changes its "
    return "changed-in-place" in id and any(finding.startswith(said) for one in wrong for finding in one.findings)


def single_trials(plants: Plants, *, left_out: bool = False) -> list[Trial]:
    """A trial for each plant by itself; left_out: with a catalogue that has not this mistake."""
    return [Trial((change,), (id,), frozenset({id} if left_out else ())) for id, change in plants.items()]


def pair_trials(count: int, rng: random.Random) -> Iterator[Trial]:
    """Trials of two different plants. Two that want the same line are drawn anew."""
    drawn: set[tuple[str, str]] = set()
    while len(drawn) < count:
        one, other = sorted(rng.sample(sorted(BUGS), 2))
        try:
            source_with(BUGS[one], BUGS[other])
        except AssertionError:
            continue
        if (one, other) not in drawn:
            drawn.add((one, other))
            yield Trial((BUGS[one], BUGS[other]), (one, other))


def all_trials() -> dict[str, list[Trial]]:
    """Every trial, by what it tries."""
    left_out = single_trials(BUGS, left_out=True) + single_trials(STEP_BUGS, left_out=True)
    backward = [trial for trial in left_out if trial.changes[0][0].endswith("backward")]
    both = [Trial((STEP_BUGS[id], BUGS[id]), (id,)) for id in STEP_BUGS if id in BUGS]
    return {
        **dict(zip(KNOWN, (single_trials(BUGS), single_trials(STEP_BUGS), both))),
        OTHER_FORM: single_trials(OTHER_NUMBERS, left_out=True),
        UNKNOWN_BACKWARD: backward,
        UNKNOWN_FORWARD: [trial for trial in left_out if trial not in backward],
        TWO: list(pair_trials(PAIRS, random.Random(0))),
    }


def false_alarms(name: str, draws: int, rng: random.Random) -> int:
    """How often a right file of own_files.py is said to be wrong, over random sizes and seeds."""
    source, specs = FILES[name]
    pairs = {spec: pair_from(source, spec) for spec in specs}
    return sum(
        not all(diagnosis.ok for diagnosis in diagnose_pairs(pairs, rng.randrange(2**32), drawn_sizes(rng)))
        for _ in range(draws)
    )


def drawn_sizes(rng: random.Random) -> dict[str, int]:
    """Random sizes, each from 1 on."""
    return whole_sizes({letter: rng.randint(1, LARGEST) for letter in DRAWN})


def whole_sizes(sizes: dict[str, int]) -> dict[str, int]:
    """With the number of labels U that fit into the steps even if all repeat, and classes beside the first and last."""
    return {**sizes, "U": (sizes["T"] + 1) // 2, "V": sizes["V"] + 3}


def seconds_of(changes: Iterable[Plant], turns: int) -> float:
    """The median of the processor's time that `npbilstm check` takes on a file, from its start to its end."""
    took = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "own.py"
        file.write_text(source_with(*changes))
        for _ in range(turns):
            start = resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run([sys.executable, "-m", "npbilstm", "check", str(file)], capture_output=True)
            end = resource.getrusage(resource.RUSAGE_CHILDREN)
            took.append(end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime)
            assert done.returncode == (1 if changes else 0), done.stderr.decode()
    return statistics.median(took)


def measure(quick: bool) -> dict[str, Any]:
    """All numbers, with a process for each of the machine's processors. quick: of a few files of each kind."""
    with ProcessPoolExecutor(1 if quick else None) as pool:
        return measure_with(pool, quick)


def measure_with(pool: Executor, quick: bool) -> dict[str, Any]:
    """All numbers; see measure."""
    rng = random.Random(1)
    mistakes: dict[str, Any] = {}
    lists: dict[str, dict[str, str]] = {}
    for kind, trials in all_trials().items():
        if quick:
            trials = rng.sample(trials, 3) if kind in KNOWN else trials[-1:]
        outcomes = {}
        for k, (trial, found) in enumerate(zip(trials, pool.map(outcome, trials))):
            progress(f"{kind}: {k + 1} of {len(trials)}")
            places = ", ".join(function for function, _, _ in trial.changes)
            outcomes[f"{', '.join(trial.planted)} in {places}"] = found
        counts = Counter(found.verdict for found in outcomes.values())
        numbers = [found.offered for found in outcomes.values() if found.verdict == LOCATED]
        mistakes[kind] = {
            "files": len(trials),
            **{verdict: counts[verdict] for verdict in VERDICTS},
            "places": [statistics.median(numbers), max(numbers)] if numbers else [0, 0],
        }
        lists[kind] = {
            file: f"{found.verdict}. {found.said}" for file, found in outcomes.items() if found.verdict != NAMED
        }
    forms = measure_places(quick, progress)
    draws = 1 if quick else DRAWS
    correct = {}
    for name in CORRECT:
        progress(f"right: {name}")
        correct[name] = {
            "subjects": len(FILES[name][1]),
            "draws": draws,
            "false alarms": false_alarms(name, draws, rng),
        }
    seconds = {}
    for what, changes in list(TIMED.items())[: 1 if quick else None]:
        progress(f"time: {what}")
        seconds[what] = round(seconds_of(changes, 1 if quick else TURNS), 2)
    return {
        "date": datetime.date.today().isoformat(),
        "catalogue": len(CATALOGUE),
        "mistakes": mistakes,
        "places": forms["table"],
        "correct": correct,
        "seconds": seconds,
        "not named": lists,
        "neither named nor located": forms["neither"],
    }


def progress(line: str) -> None:
    """Where we are, on standard error: one line on a terminal, a line each elsewhere."""
    tell(f"\r\x1b[K{line}" if on_terminal() else f"{line}\n")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.diagnosis.measure", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few files of each kind: seconds, only a rough idea")
    parser.add_argument("--out", type=Path, required=True, help="the folder for diagnosis.md and diagnosis.json")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    results = measure(options.quick)
    written = json.dumps(results, indent=1) + "\n"
    write_atomically(options.out / "diagnosis.json", lambda file: file.write(written.encode()))
    write_atomically(options.out / "diagnosis.md", lambda file: file.write(page(results).encode()))
    print(f"Written to {options.out}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
