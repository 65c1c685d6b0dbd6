"""Results of grading, as they are kept and handed on: a JSON file for each submission, and what others read.

A file is written whole beside its place and then put there; of two who write one, the first wins.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from npbilstm.classroom.collected import Collected
from npbilstm.classroom.grading import Part
from npbilstm.diagnosis.report_text import text_of
from npbilstm.files import read_json, write_atomically
from npbilstm.printable import cut, in_lines

FORMATS = ("jsonl", "csv", "gradescope", "prairielearn")
FEEDBACK = 4000
"""How many characters are said of one exercise."""


def as_record(collected: Collected, parts: Sequence[Part], seed: int, attempt: int, hint: int) -> dict[str, Any]:
    """A submission's result as data. hint: the level of the feedback, 1 vague."""
    return {
        "submission": collected.name,
        "score": round(sum(part.points for part in parts), 2),
        "max_score": float(sum(part.exercise.points for part in parts)),
        "parts": [
            {
                "exercise": part.exercise.name,
                "state": part.state,
                "score": part.points,
                "max_score": float(part.exercise.points),
                "mistakes": [bug.id for bug in part.mistakes],
                "concepts": list(dict.fromkeys(bug.concept for bug in part.mistakes)),
                "feedback": feedback(part, hint),
            }
            for part in parts
        ],
        "unread": list(collected.unread),
        "attempt": attempt,
        "hint": hint,
        "seed": seed,
        "digest": collected.digest,
    }


def feedback(part: Part, hint: int) -> str:
    """What is said of an exercise: where it fails and what about, as much as the hint's level allows; never the right
    line, nor a number that it was tried with."""
    result = part.result
    if part.state in ("right", "not yet written"):
        return part.state
    said = [part.state if part.state != "counted before" else "wrong by nothing but what was counted before"]
    said += [*result.stopped.splitlines()[:5], *filter(None, [result.fault])]
    for diagnosis in result.wrong:
        text = text_of(diagnosis, min(hint, 2))  # the third is the right line: the solution
        said += [line for line in text.splitlines() if not re.search(r"\(--hint \d says more", line)]
    said += [result.textbooks_names] if result.wrong and result.textbooks_names else []
    if result.missing and not result.stopped:
        said.append(f"Not yet written: {', '.join(result.missing)}.")
    return in_lines(cut("\n".join(said), FEEDBACK))


def place_of(results: Path, name: str) -> Path:
    """The file of a submission's result. Names that no file should have, or that are so long in bytes that
    no file could with what is put around them, get others, each its own."""
    safe = re.sub(r"[^\w.-]", "_", name).encode()[:100].decode(errors="ignore").strip(".") or "_"
    if safe != name:
        safe += "-" + hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return results / "submissions" / f"{safe}.json"


def keep(place: Path, record: dict[str, Any], instead_of: dict[str, Any] | None) -> None:
    """Put a result in its place, whole. instead_of: the result of an earlier attempt, which it replaces; where there is
    none, the first of two who write it wins."""
    place.parent.mkdir(parents=True, exist_ok=True)
    data = json.dumps(record, indent=1).encode()
    if instead_of is not None:
        write_atomically(place, lambda file: file.write(data))
        return
    temporary = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    temporary.write_bytes(data)
    try:
        os.link(temporary, place)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def kept(place: Path) -> dict[str, Any] | None:
    """The result in its place; None where there is none that can be read."""
    try:
        record = read_json(place.read_bytes())
        return record if isinstance(record, dict) and isinstance(record.get("digest"), str) else None
    except (OSError, ValueError):
        return None


def write_results(results: Path, records: Sequence[dict[str, Any]], form: str) -> Path:
    """Write all results in a format -> the file, or the folder with one for each submission."""
    if form == "jsonl":
        lines = [json.dumps({key: r[key] for key in ("submission", "score", "max_score", "parts")}) for r in records]
        return written(results / "results.jsonl", "".join(f"{line}\n" for line in lines))
    if form == "csv":
        return written(results / "results.csv", as_table(records))
    make = as_gradescope if form == "gradescope" else as_prairielearn
    for record in records:
        place = results / form / place_of(results, record["submission"]).name
        place.parent.mkdir(exist_ok=True)
        written(place, json.dumps(make(record), indent=1))
    return results / form


def written(place: Path, text: str) -> Path:
    """Write a text, whole."""
    write_atomically(place, lambda file: file.write(text.encode()))
    return place


def as_table(records: Iterable[dict[str, Any]]) -> str:
    """A row for each submission, a column for each exercise. No cell begins as a spreadsheet's formula does."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    records = list(records)
    rows.writerow(["submission", "score", "max_score", *(part["exercise"] for part in records[0]["parts"])])
    for record in records:
        name = record["submission"]
        name = f"'{name}" if name[:1] in tuple("=+-@\t\r") else name
        rows.writerow([in_lines(name), record["score"], record["max_score"], *(p["score"] for p in record["parts"])])
    return text.getvalue()


def as_gradescope(record: dict[str, Any]) -> dict[str, Any]:
    """A result as Gradescope's results.json."""
    return {
        "score": record["score"],
        "output": "\n".join(record["unread"]),
        "output_format": "text",
        "test_output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {
                "name": part["exercise"],
                "number": str(number),
                "score": part["score"],
                "max_score": part["max_score"],
                "status": "passed" if part["score"] == part["max_score"] else "failed",
                "output": part["feedback"],
                "visibility": "visible",
            }
            for number, part in enumerate(record["parts"], 1)
        ],
    }


def as_prairielearn(record: dict[str, Any]) -> dict[str, Any]:
    """A result as PrairieLearn's results.json."""
    return {
        "gradable": True,
        "score": record["score"] / record["max_score"],
        "message": "\n".join(record["unread"]),
        "tests": [
            {
                "name": part["exercise"],
                "points": part["score"],
                "max_points": part["max_score"],
                "message": part["feedback"],
            }
            for part in record["parts"]
        ],
    }
