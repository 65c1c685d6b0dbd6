"""A student's page: points and feedback on each exercise, as much as the hint's level allows, to be handed back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from npbilstm.classroom.exercises import EXERCISES
from npbilstm.classroom.html_document import bar, document, name, table, text

COLOURS = {
    "right": "right",
    "counted before": "before",
    "begun": "begun",
    "wrong": "wrong",
    "not yet written": "none",
    "not judged": "unjudged",
}
"""How an exercise may stand, and the colour of that."""


def student_page(record: dict[str, Any]) -> str:
    """The page of a submission's result."""
    return document(f"{record['submission']}: exercises", parts_of(record))


def points(record: dict[str, Any]) -> str:
    """Points reached of those there are."""
    return f"{record['score']:g} of {record['max_score']:g}"


def parts_of(record: dict[str, Any]) -> Iterator[str]:
    """What stands on the page."""
    yield f"<h1>{name(record['submission'])}</h1>"
    attempt = f", attempt {record['attempt']}" if record["attempt"] > 1 else ""
    yield f"<p>{points(record)} points{attempt}.</p>"
    if record["unread"]:
        yield "<h2>Not graded</h2>"
        yield "<ul>" + "".join(f"<li>{text(sentence)}</li>" for sentence in record["unread"]) + "</ul>"
    yield "<h2>Exercises</h2>"
    yield table(
        ("Exercise", "", "Points", "It is"),
        [
            (
                text(EXERCISES[part["exercise"]].title),
                bar([(COLOURS[part["state"]], part["score"] / part["max_score"])]),
                points(part),
                text(part["state"]),
            )
            for part in record["parts"]
        ],
        (2,),
        1,
    )
    said = [part for part in record["parts"] if part["feedback"] != part["state"]]
    if said:
        yield "<h2>What to look at</h2>"
    for part in said:
        yield f"<h3>{text(EXERCISES[part['exercise']].title)} <small>{points(part)} points</small></h3>"
        yield f"<pre>{text(part['feedback'])}</pre>"
