"""A class, graded: one submission after another or several at once, each result kept as it comes.

What was graded before is not graded again, so that an interrupted run goes on where it was. A submission that has
changed since is another attempt.
"""

from __future__ import annotations

import json
import multiprocessing
import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from npbilstm.classroom.collected import collect, read
from npbilstm.classroom.exercises import EXERCISES
from npbilstm.classroom.graded import as_record, keep, kept, place_of, written
from npbilstm.classroom.grading import grade_sources
from npbilstm.files import read_json
from npbilstm.submission.sandbox import Layers


class Settings(NamedTuple):
    """How a class is graded. exercises: their names. hints: the level of the feedback at each attempt, the last for all
    that follow."""

    results: Path
    exercises: tuple[str, ...]
    layers: Layers
    seed: int
    hints: tuple[int, ...] = (1,)
    seconds: float = 5.0


def grade_one(name: str, paths: list[Path], settings: Settings) -> dict[str, Any]:
    """Grade a submission and keep its result, unless it is there -> the result."""
    place = place_of(settings.results, name)
    collected, before = read(name, paths), kept(place)
    if before is not None and before["digest"] == collected.digest:
        return before
    attempt = 1 if before is None else int(before["attempt"]) + 1
    hint = settings.hints[min(attempt, len(settings.hints)) - 1]
    exercises = [EXERCISES[each] for each in settings.exercises]
    parts = grade_sources(collected.sources, exercises, settings.layers, settings.seed, seconds=settings.seconds)
    record = as_record(collected, parts, settings.seed, attempt, hint)
    if before is None:
        with suppress(FileNotFoundError):
            place.unlink()  # what could not be read
    keep(place, record, before)
    return record


def grade_all(folder: str | Path, settings: Settings, jobs: int = 1) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Grade the submissions in a folder -> the name of each and its result, as they come; None where the process that
    graded it was ended twice, which costs nobody else anything."""
    found = collect(folder)
    if jobs == 1:
        for name, paths in found.items():
            yield name, grade_one(name, paths, settings)
        return
    left = dict(found)
    for workers in (jobs, *[1] * len(found)):  # after a worker was killed, one at a time
        if not left:
            return
        asked = left if workers > 1 else dict([next(iter(left.items()))])
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            futures = {pool.submit(grade_one, name, paths, settings): name for name, paths in asked.items()}
            for future in as_completed(futures):
                name = futures[future]
                try:
                    record = future.result()
                except BrokenProcessPool:
                    if workers > 1:
                        continue
                    record = None
                del left[name]
                yield name, record


def require_settings(results: Path, seed: int | None, exercises: Sequence[str]) -> int:
    """The seed of a folder of results: as it was, as it is asked for, or drawn. Raises ValueError where the folder has
    results of another seed or of other exercises."""
    place = results / "grading.json"
    asked = {"seed": seed, "exercises": list(exercises)}
    if place.exists():
        before = read_json(place.read_bytes())
        if not isinstance(before, dict) or type(before.get("seed")) is not int:
            raise ValueError(f"{place} is not as it was written; it needs another folder for the results")
        if seed not in (None, before["seed"]) or before.get("exercises") != asked["exercises"]:
            raise ValueError(
                f"{results} has results of seed {before['seed']} and of {', '.join(before.get('exercises') or ())}; "
                "others need another folder"
            )
        return int(before["seed"])
    results.mkdir(parents=True, exist_ok=True)
    seed = secrets.randbelow(2**31) if seed is None else seed  # what can be foretold can be written down
    written(place, json.dumps({**asked, "seed": seed}))
    return seed
