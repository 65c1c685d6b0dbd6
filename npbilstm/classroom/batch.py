"""A class, graded: one submission after another or several at once, each result kept as it comes.

What was graded before is not graded again, so that an interrupted run goes on where it was. A submission that has
changed since is another attempt. Where the work is done is not told here: executors.py, cluster.py.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from npbilstm.classroom.collected import Collected, collect, read
from npbilstm.classroom.course_form import required_in_form
from npbilstm.classroom.exercises import EXERCISES
from npbilstm.classroom.graded import as_record, keep, kept, place_of, written
from npbilstm.classroom.grading import grade_sources
from npbilstm.classroom.likeness import fingerprints
from npbilstm.classroom.variant import in_words, told_otherwise
from npbilstm.files import read_json
from npbilstm.submission.fork_server import server_of
from npbilstm.submission.sandbox import Layers
from npbilstm.submission.sandbox_trial import best_sandbox

Record = dict[str, Any]


class Settings(NamedTuple):
    """How a class is graded. exercises: their names. layers: of the sandbox; None where each machine is to find its
    own. hints: the level of the feedback at each attempt, the last for all that follow. unsafe: whether to grade where
    the sandbox has an opening. variant: the one that was handed out, by its seed. form: of
    the course, in which it was handed out."""

    results: Path
    exercises: tuple[str, ...]
    layers: Layers | None
    seed: int
    hints: tuple[int, ...] = (1,)
    seconds: float = 5.0
    unsafe: bool = False
    variant: int | None = None
    form: str = "textbook"


class Task(NamedTuple):
    """A submission to be graded, as data: nothing else of this machine is needed for it. attempt: its number, from 1.
    hint: the level of its feedback."""

    collected: Collected
    attempt: int
    hint: int


Results = Iterator[tuple[Task, Record | None]]
"""Tasks and their results, as they come; None where what worked at it was ended, which costs nobody else anything."""
Run = Callable[[Iterator[Task], Settings], Results]
"""What has tasks done, somewhere."""

one_at_a_time = threading.Lock()
"""A process grades one submission at a time, whatever threads it has: what NumPy is set to belongs to all of them."""


def grade(task: Task, settings: Settings) -> Record:
    """Grade a submission -> its result, which is not kept yet. Raises ValueError where the sandbox does not hold."""
    with one_at_a_time:
        try:
            return result_of(task, settings)
        except SystemError:  # of ast.parse before Python 3.11.8, where another thread parses too (CPython's gh-106905)
            return result_of(task, settings)


def result_of(task: Task, settings: Settings) -> Record:
    """The result of a submission, with its fingerprints."""
    exercises = [required_in_form(EXERCISES[name], settings.form) for name in settings.exercises]
    handed_in = {each.name: source for each, source in task.collected.sources.items()}
    sources = {each: handed_in[each.name] for each in exercises if each.name in handed_in}
    layers = sandbox_here(settings.unsafe)[0] if settings.layers is None else settings.layers
    how = server_of(os.getpid(), layers), settings.seed, settings.variant
    parts = grade_sources(sources, exercises, *how, seconds=settings.seconds)
    other = told_otherwise(task.collected.sources.values(), settings.variant, settings.form)
    collected = task.collected._replace(unread=(*task.collected.unread, *other))
    record = as_record(collected, parts, settings.seed, task.attempt, task.hint)
    return {**record, "fingerprints": {each.name: fingerprints(source) for each, (_, source) in sources.items()}}


def grade_all(folder: str | Path, settings: Settings, run: Run) -> Iterator[tuple[str, Record | None]]:
    """Grade the submissions in a folder -> the name of each and its result, as they come; None where what worked at it
    was ended."""
    found, before = collect(folder, settings.results), {}
    for name, paths in found.items():
        record = kept(place_of(settings.results, name))
        if record is not None and record["digest"] == read(name, paths).digest and not unjudged(record):
            yield name, record
        else:
            before[name] = record

    def tasks() -> Iterator[Task]:
        for name, record in before.items():
            attempt = 1 if record is None else int(record["attempt"]) + (not unjudged(record))
            hint = settings.hints[min(attempt, len(settings.hints)) - 1]
            yield Task(read(name, found[name]), attempt, hint)

    for task, result in run(tasks(), settings):
        name = task.collected.name
        if result is not None:
            place = place_of(settings.results, name)
            if before[name] is None:
                with suppress(FileNotFoundError):
                    place.unlink()  # what could not be read
            keep(place, result, before[name])
        yield name, result


def unjudged(record: Record) -> list[str]:
    """What of a result npbilstm itself could not judge, exercise by exercise; to be graded once more."""
    parts = [part for part in record.get("parts", ()) if part["state"] == "not judged"]
    return [f"{part['exercise']}: {'; '.join(part['feedback'].splitlines())}" for part in parts]


@cache
def sandbox_here(unsafe: bool) -> tuple[Layers, tuple[str, ...]]:
    """The sandbox of this machine, and what is open in it. Raises ValueError where something is, and that is not asked
    for."""
    layers, found = best_sandbox()
    if found and not unsafe:
        raise ValueError(
            f"the sandbox does not hold on {platform.node() or 'this machine'}: {'; '.join(found)}. Install bubblewrap "
            "or use a Linux with Landlock (5.13 or newer); --unsafe-no-sandbox grades in spite of it, for submissions "
            "that you trust"
        )
    return layers, found


def require_settings(
    results: Path, seed: int | None, exercises: Sequence[str], variant: int | None = None, form: str = "textbook"
) -> int:
    """The seed of a folder of results: as it was, as it is asked for, or drawn. Raises ValueError where the folder has
    results of another seed, of other exercises, of another variant or in another form."""
    place = results / "grading.json"
    asked = {"seed": seed, "exercises": list(exercises), "variant": variant, "form": form}
    if place.exists():
        before = read_json(place.read_bytes())
        if not isinstance(before, dict) or type(before.get("seed")) is not int:
            raise ValueError(f"{place} is not as it was written; it needs another folder for the results")
        before = {"form": "textbook", **before}
        same = [before.get(name) == asked[name] for name in ("exercises", "variant", "form")]
        if seed not in (None, before["seed"]) or not all(same):
            of = in_words(before.get("variant"), str(before["form"]))
            raise ValueError(
                f"{results} has results of seed {before['seed']}, of {of} and of "
                f"{', '.join(before.get('exercises') or ())}; others need another folder"
            )
        return int(before["seed"])
    results.mkdir(parents=True, exist_ok=True)
    seed = secrets.randbelow(2**31) if seed is None else seed  # what can be foretold can be written down
    written(place, json.dumps({**asked, "seed": seed}))
    return seed
