"""The page for the class, for who teaches: points, exercises, what was misunderstood, who is alike; and everybody's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path
from statistics import mean, median
from typing import Any
from urllib.parse import quote

from npbilstm.classroom.exercises import EXERCISES
from npbilstm.classroom.graded import place_of, written
from npbilstm.classroom.html_document import bar, document, key, name, table, text
from npbilstm.classroom.likeness import Alike, alike
from npbilstm.classroom.student_page import COLOURS, points, student_page
from npbilstm.mistakes import BUGS

Record = dict[str, Any]
BINS = 10
"""How many bars the distribution of points has."""
FUNCTIONS = 6
"""How many functions are listed of an exercise."""
NO_KNOWN = "Wrong by no known mistake"
ABOUT_ALIKE = (
    "These are alike by the structure of their statements, whatever the names in them. It is a reason to look at them "
    "side by side, and no verdict. Statements that stand in the textbook or in its docstrings, and what many of this "
    "class have, do not count."
)


def write_pages(results: Path, records: Sequence[Record]) -> Path:
    """Write the page for the class, and one for each student -> the first."""
    places = {record["submission"]: page_of(results, record["submission"]) for record in records}
    (results / "students").mkdir(exist_ok=True)
    for record in records:
        written(places[record["submission"]], student_page(record))
    return written(results / "class.html", class_page(records, {name: p.name for name, p in places.items()}))


def page_of(results: Path, submission: str) -> Path:
    """The file of a student's page."""
    return results / "students" / place_of(results, submission).with_suffix(".html").name


def class_page(records: Sequence[Record], files: dict[str, str]) -> str:
    """The page. files: the names of the students' pages."""
    links = {
        who: f'<a href="students/{quote(file.encode("utf-8", "surrogateescape"))}">{name(who)}</a>'
        for who, file in files.items()
    }
    parts = [*head(records), *distribution(records), *exercises(records), *concepts(records)]
    return document("The class", [*parts, *alike_in(records, links), *everybody(records, links)])


def head(records: Sequence[Record]) -> Iterator[str]:
    """What it is about."""
    count, parts, most = len(records), len(records[0]["parts"]), records[0]["max_score"]
    scores = sorted(record["score"] for record in records)
    yield "<h1>The class</h1>"
    yield (
        f"<p>{count} submission{'s'[: count != 1]}, {parts} exercise{'s'[: parts != 1]}, {most:g} points at most. Half "
        f"of the class has {median(scores):g} points or more; the mean is {mean(scores):.3g}, the least {scores[0]:g}, "
        f"the most {scores[-1]:g}.</p>"
    )


def distribution(records: Sequence[Record]) -> Iterator[str]:
    """How many reached how many points."""
    most = records[0]["max_score"]
    width = ceil(most / BINS)
    lows = range(0, max(1, ceil(most)), width)
    bins = Counter(min(int(record["score"] // width), len(lows) - 1) for record in records)
    yield "<h2>Points</h2>"
    rows = [
        (
            f"{low} to {f'below {low + width}' if low != lows[-1] else f'{most:g}'}",
            str(bins[k]),
            bar([("bar", bins[k] / max(bins.values()))]),
        )
        for k, low in enumerate(lows)
    ]
    yield table(("Points", "Submissions", ""), rows, (1,), 2)


def exercises(records: Sequence[Record]) -> Iterator[str]:
    """How each exercise stands in the class."""
    yield "<h2>Exercises</h2>"
    yield key((colour, state) for state, colour in COLOURS.items())
    rows = []
    for k, part in enumerate(records[0]["parts"]):
        parts = [record["parts"][k] for record in records]
        states = Counter(each["state"] for each in parts)
        shares = [(colour, states[state] / len(records)) for state, colour in COLOURS.items()]
        told = ", ".join(f"{states[state]} {state}" for state in COLOURS if states[state])
        reached = f"{mean(each['score'] for each in parts):.3g} of {part['max_score']:g}"
        rows.append((f"<code>{text(part['exercise'])}</code>", bar(shares), told, reached))
    yield table(("Exercise", "", "Submissions", "Mean points"), rows, (3,), 1)


def concepts(records: Sequence[Record]) -> Iterator[str]:
    """Which concept failed how often, and by which mistakes."""
    failed: Counter[str] = Counter()
    mistakes: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        parts = record["parts"]
        found = {(BUGS[mistake].concept, mistake) for part in parts for mistake in part["mistakes"]}
        found |= {(NO_KNOWN, part["exercise"]) for part in parts if part["state"] == "wrong" and not part["mistakes"]}
        failed.update({concept for concept, _ in found})
        for concept, mistake in found:
            mistakes[concept][mistake] += 1
    yield "<h2>What was misunderstood</h2>"
    if not failed:
        yield "<p>Nothing: no submission is wrong.</p>"
        return
    yield '<p class="quiet">In how many submissions a concept failed, and by which mistakes.</p>'
    rows = [
        (
            text(concept),
            str(count),
            ", ".join(f"<code>{text(each)}</code> {times}" for each, times in in_order(mistakes[concept])),
        )
        for concept, count in in_order(failed)
    ]
    yield table(("Concept", "Failed in", "Mistakes"), rows, (1,))


def in_order(counts: Counter[str]) -> list[tuple[str, int]]:
    """What was counted: the most frequent first, and of equals in the order of their names."""
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def alike_in(records: Sequence[Record], links: dict[str, str]) -> Iterator[str]:
    """Who is alike, in which functions, and how much."""
    pairs = alike({record["submission"]: record.get("fingerprints", {}) for record in records})
    yield "<h2>Alike, worth a look</h2>"
    if not pairs:
        yield "<p>No two submissions are so much alike that they were named.</p>"
    yield f'<p class="quiet">{text(ABOUT_ALIKE)}</p>'
    if pairs:
        rows = [
            (" and ".join(links[who] for who in pair.names), str(pair.statements), "<br>".join(where_alike(pair)))
            for pair in pairs
        ]
        yield table(("Submissions", "Statements in both", "Where, and how much of it"), rows, (1,))


def where_alike(pair: Alike) -> Iterator[str]:
    """The exercises in which two are alike, with the functions: how much of the smaller one's statements is in both."""
    for exercise in EXERCISES:
        if exercise in pair.exercises:
            share, functions = pair.exercises[exercise]
            shown = ", ".join(f"<code>{text(function)}</code>" for function in functions[:FUNCTIONS])
            more = f" and {len(functions) - FUNCTIONS} more" if len(functions) > FUNCTIONS else ""
            yield f"{text(exercise)} {share:.0%}: {shown}{more}"


def everybody(records: Sequence[Record], links: dict[str, str]) -> Iterator[str]:
    """Each student, with a link to the page that is to be handed back."""
    yield "<h2>Submissions</h2>"
    rows = []
    for record in records:
        states = Counter(part["state"] for part in record["parts"])
        shares = [(colour, states[state] / len(record["parts"])) for state, colour in COLOURS.items()]
        unread = str(len(record["unread"]) or "")
        rows.append((links[record["submission"]], bar(shares), points(record), str(record["attempt"]), unread))
    yield table(("Submission", "Exercises", "Points", "Attempt", "Not read"), rows, (2, 3, 4), 1)
