"""The race: every contestant in a process of its own, in turns, with nothing in its environment but its settings."""

from __future__ import annotations

import importlib.util
import itertools
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.benchmarks.engines import ENGINES, NEEDS, Shape
from tests.benchmarks.settings import AS_IT_COMES, SETTINGS, THREADS, Settings, environment

LSTM_SHAPES = [
    Shape(40, 32, 10, 20),
    Shape(100, 32, 64, 64),
    Shape(100, 32, 128, 128),
    Shape(100, 64, 256, 256),
    Shape(50, 1, 64, 64),
    Shape(35, 20, 200, 200),
    Shape(200, 16, 32, 512),
    Shape(400, 64, 32, 32),
    Shape(40, 32, 10, 20, layers=2, outputs=5),
]
SHAPES = LSTM_SHAPES + [shape._replace(cell="GRU") for shape in LSTM_SHAPES[:8]]
QUICK_SHAPES = [SHAPES[0], SHAPES[1], SHAPES[10]]
MODES = ["training", "inference"]


class Contestant(NamedTuple):
    """An engine with its settings, under a name."""

    name: str
    engine: str
    settings: Settings = AS_IT_COMES


OURS = Contestant("npbilstm", "npbilstm")


def run_worker(task: dict[str, Any], threads: str, settings: Settings = AS_IT_COMES) -> Any:
    """What a process of its own measured; a RuntimeError with its last words where it failed."""
    command = [sys.executable, "-m", "tests.benchmarks.worker", json.dumps(task)]
    done = subprocess.run(command, env=environment(threads, settings), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{task} failed: {(done.stderr.strip() or 'without a word').splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def installed(engine: str) -> bool:
    return all(importlib.util.find_spec(package) for package in NEEDS.get(engine, []))


Times = dict[tuple[str, str, str, str], list[tuple[float, float]]]
"""(threads, shape, contestant, mode) -> for each turn the home contestant's milliseconds and this one's."""


class Lap(NamedTuple):
    """One turn on one shape: home, other, other, home, other, other, home. Each other has home for a neighbour."""

    threads: str
    shape: Shape
    home: Contestant
    others: list[Contestant]

    def run(self, seconds: float, found: Times, failed: dict[str, str]) -> None:
        """Measure everybody; an other that fails is named in `failed` and left out from then on."""

        def measure(contestant: Contestant) -> Any:
            task = {"engine": contestant.engine, "options": contestant.settings.options, "shape": list(self.shape)}
            times = run_worker({**task, "seconds": seconds}, self.threads, contestant.settings)
            time.sleep(0.2)
            return times

        ours = measure(self.home)
        for j, other in enumerate(other for other in self.others if other.name not in failed):
            theirs = None
            try:
                theirs = measure(other)
            except RuntimeError as error:
                failed[other.name] = str(error)
            if j % 2:  # after every second one: it is this one's neighbour and the next one's
                ours = measure(self.home)
            if theirs is not None:
                for mode in MODES:
                    key = self.threads, self.shape.name, other.name, mode
                    found.setdefault(key, []).append((ours[mode], theirs[mode]))


def run_laps(
    laps: list[Lap], seconds: float, progress: Callable[[str], None], found: Times, failed: dict[str, str]
) -> None:
    """Run all laps into `found`, `seconds` or more a time, so that an interruption loses nothing."""
    for k, lap in enumerate(laps):
        others = ", ".join(other.name for other in lap.others)
        progress(f"{k + 1}/{len(laps)}  {lap.threads}  {lap.shape.name}  {lap.home.engine} and {others}")
        lap.run(seconds, found, failed)


def qualifying_laps(engine: str, quick: bool) -> list[Lap]:
    """An engine as it comes against itself with its other settings, on the first three LSTMs."""
    shapes = LSTM_SHAPES[: 1 if quick else 3]
    home, *others = [Contestant(settings.name, engine, settings) for settings in SETTINGS[engine]]
    return [Lap("default threads", shape, home, others) for shape in shapes]


def qualify(
    quick: bool, progress: Callable[[str], None], rows: list[dict[str, Any]], failed: dict[str, str]
) -> dict[str, Settings]:
    """The best settings of each peer; all that was measured goes into `rows`, ours included."""
    best = {}
    for engine in SETTINGS:
        if not installed(engine) or (quick and engine.startswith("keras")):
            continue
        found: Times = {}
        without: dict[str, str] = {}
        try:
            run_laps(qualifying_laps(engine, quick), 0.2, progress, found, without)
        except RuntimeError as error:  # as it comes: then it cannot race at all
            if engine == OURS.engine:
                raise
            failed[engine] = str(error)
            continue
        failed.update({f"{engine}, {name}": why for name, why in without.items()})
        its_rows = rows_of({key: times for key, times in found.items() if key[2] not in without}, AS_IT_COMES.name)
        rows += [{"engine": engine, **row} for row in its_rows]
        if engine != OURS.engine:
            best[engine] = best_settings(engine, its_rows)
    return best


def best_settings(engine: str, rows: list[dict[str, Any]]) -> Settings:
    """The fastest of an engine's settings, by the geometric mean over all shapes, of training and inference alike.

    The ratios in `rows` are of its time as it comes to its time with other settings.
    """
    gains = {AS_IT_COMES.name: 1.0}
    for name in dict.fromkeys(row["contestant"] for row in rows):
        gains[name] = geometric_mean([row["ratio"] for row in rows if row["contestant"] == name])
    fastest = max(gains, key=lambda name: gains[name])
    return next(settings for settings in SETTINGS[engine] if settings.name == fastest)


def contestants(best: dict[str, Settings]) -> list[Contestant]:
    """Who races against ours: what shows where the time goes, the peers at their best, and PyTorch as it comes."""
    everybody = [Contestant(engine, engine, best.get(engine, AS_IT_COMES)) for engine in ENGINES]
    everybody.append(Contestant("pytorch-as-it-comes", "pytorch"))
    return [other for other in everybody if other.engine != OURS.engine and installed(other.engine)]


def takes_part(contestant: Contestant, shape: Shape, threads: str) -> bool:
    """Who has no setting for one thread runs with the default only; the plain loop on the small shape only."""
    if shape.cell != "LSTM":
        return contestant.name == "pytorch"
    if contestant.name == "loop":
        return shape == SHAPES[0] and threads == "one thread"
    if contestant.name == "products":
        return not shape.outputs
    return threads == "default threads" or contestant.engine == "pytorch"


def race_laps(best: dict[str, Settings], quick: bool, turns: int) -> Iterator[Lap]:
    """Every shape and number of threads, each in `turns` laps one after the other."""
    for threads, shape in itertools.product(THREADS[1:] if quick else THREADS, QUICK_SHAPES if quick else SHAPES):
        others = [other for other in contestants(best) if takes_part(other, shape, threads)]
        if quick:
            others = [other for other in others if not other.engine.startswith("keras")]
        yield from [Lap(threads, shape, OURS, others)] * turns


def rows_of(found: Times, home: str = OURS.name) -> list[dict[str, Any]]:
    """A row for each contestant, shape, threads and mode: milliseconds, and the ratio of home's time to its own.

    Both are medians over the turns; each ratio is of two processes that ran one right after the other.
    """
    return [
        {
            "threads": threads,
            "shape": shape_name,
            "contestant": other,
            "mode": mode,
            f"{home} ms": statistics.median(ours for ours, _ in times),
            "ms": statistics.median(theirs for _, theirs in times),
            "ratio": statistics.median(ours / theirs for ours, theirs in times),
            "ratios": [ours / theirs for ours, theirs in times],
        }
        for (threads, shape_name, other, mode), times in found.items()
    ]


def geometric_mean(ratios: list[float]) -> float:
    return math.exp(statistics.fmean(map(math.log, ratios)))
