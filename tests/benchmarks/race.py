"""The race: every contestant in a process of its own, in turns."""

from __future__ import annotations

import importlib.util
import itertools
import math
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any, NamedTuple

from tests.benchmarks.engines import ENGINES, NEEDS
from tests.benchmarks.process import Process
from tests.benchmarks.settings import AS_IT_COMES, SETTINGS, THREADS, Settings
from tests.benchmarks.shapes import BY_NAME, MODES, QUICK_SHAPES, SHAPES, Shape


class Contestant(NamedTuple):
    """An engine with its settings, under a name."""

    name: str
    engine: str
    settings: Settings = AS_IT_COMES


OURS = Contestant("npbilstm", "npbilstm")


def installed(engine: str) -> bool:
    return all(importlib.util.find_spec(package) for package in NEEDS.get(engine, []))


Times = dict[tuple[str, str, str, str], list[tuple[float, float]]]
"""(threads, shape, contestant, mode) -> for each turn the home contestant's milliseconds and this one's."""


class Lap(NamedTuple):
    """Turns on one shape: home, other, other, home, other, other, home. Each other has home for a neighbour."""

    threads: str
    shape: Shape
    home: Contestant
    others: list[Contestant]
    turns: int = 1

    def run(self, seconds: float, found: Times, failed: dict[str, str]) -> None:
        """Measure everybody; an other that fails is named in `failed` and left out from then on."""
        with ExitStack() as stack:
            everybody = [self.home, *(other for other in self.others if other.name not in failed)]
            processes = {one.name: stack.enter_context(Process(self.threads, one.settings)) for one in everybody}

            def task(contestant: Contestant) -> dict[str, Any]:
                options = contestant.settings.options
                return {"engine": contestant.engine, "options": options, "shape": list(self.shape)}

            def measure(contestant: Contestant) -> Any:
                process = processes[contestant.name]
                times = process.ask({**task(contestant), "seconds": seconds, "count page faults": False})
                time.sleep(0.1)  # until its threads sleep
                return times

            peers = [one for one in everybody if one.engine in NEEDS]
            for peer in peers:  # all at once: to import and to compile takes them longer than to race
                processes[peer.name].send({**task(peer), "only make": True})
            for peer in peers:
                with suppress(RuntimeError):  # it fails again when it is measured
                    processes[peer.name].answer()
            for _ in range(self.turns):
                self.turn(measure, found, failed)

    def turn(self, measure: Callable[[Contestant], Any], found: Times, failed: dict[str, str]) -> None:
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
    laps: list[Lap],
    seconds: float,
    progress: Callable[[str], None],
    found: Times,
    failed: dict[str, str],
    save: Callable[[], None] = lambda: None,
) -> None:
    """Run all laps into `found`, `seconds` or more a time, and `save` after each; those that it has are left out."""
    done = {key[:2] for key in found}
    for k, lap in enumerate(laps):
        if (lap.threads, lap.shape.name) in done:
            continue
        others = ", ".join(other.name for other in lap.others)
        progress(f"{k + 1}/{len(laps)}  {lap.threads}  {lap.shape.name}  {lap.home.engine} and {others}")
        lap.run(seconds, found, failed)
        save()


def qualifying_laps(engine: str, cell: str, quick: bool) -> list[Lap]:
    """An engine as it comes against itself with its other settings, on two of the cell's middle shapes."""
    shapes = [shape for shape in SHAPES if shape.cell == cell][1 : 2 if quick else 3]
    home, *others = [Contestant(settings.name, engine, settings) for settings in SETTINGS[engine]]
    return [Lap("default threads", shape, home, others) for shape in shapes]


def key_of(engine: str, cell: str) -> str:
    """Under which an engine's best settings for a cell stand."""
    return engine if cell == "LSTM" else f"{engine}, {cell}"


def qualify(
    cells: list[str],
    quick: bool,
    progress: Callable[[str], None],
    best: dict[str, Settings],
    rows: list[dict[str, Any]],
    failed: dict[str, str],
    save: Callable[[], None] = lambda: None,
) -> None:
    """Put the best settings of each peer for each cell into `best`, and all that was measured, ours included, into
    `rows`; and `save` after each. Who is in `rows` is left out."""
    for engine, cell in itertools.product(SETTINGS, cells):
        if not installed(engine) or (quick and engine.startswith("keras")):
            continue
        if (cell != "LSTM" and engine != "pytorch") or any(
            (row["engine"], BY_NAME[row["shape"]].cell) == (engine, cell) for row in rows
        ):
            continue
        found: Times = {}
        without: dict[str, str] = {}
        try:
            run_laps(qualifying_laps(engine, cell, quick), 0.2, progress, found, without)
        except RuntimeError as error:  # as it comes: then it cannot race at all
            if engine == OURS.engine:
                raise
            failed[engine] = str(error)
            continue
        failed.update({f"{engine}, {name}": why for name, why in without.items()})
        its_rows = rows_of({key: times for key, times in found.items() if key[2] not in without}, AS_IT_COMES.name)
        rows += [{"engine": engine, **row} for row in its_rows]
        if engine != OURS.engine:
            best[key_of(engine, cell)] = best_settings(engine, its_rows)
        save()


def best_settings(engine: str, rows: list[dict[str, Any]]) -> Settings:
    """The fastest of an engine's settings, by the geometric mean over all shapes, of training and inference alike.

    The ratios in `rows` are of its time as it comes to its time with other settings.
    """
    gains = {AS_IT_COMES.name: 1.0}
    for name in dict.fromkeys(row["contestant"] for row in rows):
        gains[name] = geometric_mean([row["ratio"] for row in rows if row["contestant"] == name])
    fastest = max(gains, key=lambda name: gains[name])
    return next(settings for settings in SETTINGS[engine] if settings.name == fastest)


def contestants(best: dict[str, Settings], cell: str) -> list[Contestant]:
    """Who races against ours: what shows where the time goes, the peers at their best, and PyTorch as it comes."""
    everybody = [Contestant(engine, engine, best.get(key_of(engine, cell), AS_IT_COMES)) for engine in ENGINES]
    everybody.append(Contestant("pytorch-as-it-comes", "pytorch"))
    return [other for other in everybody if other.engine != OURS.engine and installed(other.engine)]


def takes_part(contestant: Contestant, shape: Shape, threads: str) -> bool:
    """Who has no setting for one thread runs with the default only; the plain loop on the small shape only."""
    if contestant.name in FLOOR:
        return True
    if shape.cell != "LSTM":
        return contestant.name == "pytorch"
    if contestant.name == "loop":
        return shape == SHAPES[0] and threads == "one thread"
    return threads == "default threads" or contestant.engine == "pytorch"


def race_laps(best: dict[str, Settings], cells: list[str], quick: bool, turns: int) -> Iterator[Lap]:
    """Every shape and number of threads."""
    for threads, shape in itertools.product(THREADS[1:] if quick else THREADS, QUICK_SHAPES if quick else SHAPES):
        if shape.cell not in cells:
            continue
        others = [other for other in contestants(best, shape.cell) if takes_part(other, shape, threads)]
        if quick:
            others = [other for other in others if not other.engine.startswith("keras")]
        yield Lap(threads, shape, OURS, others, turns)


FLOOR = ("products", "tanh")
"""The two contestants whose times make the floor."""


def with_floor(found: Times) -> Times:
    """With the floor as one more contestant: its time is the sum of the two; and ours is what, over this sum, gives the
    ratio of this engine's time to it, 1 / (1 / ratio to the one + 1 / ratio to the other), as ours was measured twice.
    """
    both = dict(found)
    for threads, shape_name, other, mode in found:
        parts = [found.get((threads, shape_name, part, mode), []) for part in FLOOR]
        if other == FLOOR[0] and len(parts[0]) == len(parts[1]):
            both[threads, shape_name, "floor", mode] = [
                ((p + t) / (p / ours_p + t / ours_t), p + t) for (ours_p, p), (ours_t, t) in zip(*parts)
            ]
    return both


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
