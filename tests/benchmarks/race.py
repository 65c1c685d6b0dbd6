"""The race: every contestant in a process of its own, in turns, its threads set by environment variables."""

from __future__ import annotations

import importlib.util
import itertools
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.benchmarks.contestants import CONTESTANTS, NEEDS, Shape

SHAPES = [
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
SHAPES += [shape._replace(cell="GRU") for shape in SHAPES[:8]]
QUICK_SHAPES = [SHAPES[0], SHAPES[1], SHAPES[10]]
THREADS = ["one thread", "default threads"]
MODES = ["training", "inference"]

THREAD_VARIABLES = ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"]
KERNEL_VARIABLES = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"]
"""These hold NumPy, and none of its peers, to the kernels of another processor; so the racers do not see them."""


def environment(threads: str) -> dict[str, str]:
    """This process's own without what would hinder one of the racers, on one thread or on as many as there are."""
    dropped = {*THREAD_VARIABLES, *KERNEL_VARIABLES}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return kept | dict.fromkeys(THREAD_VARIABLES if threads == "one thread" else [], "1")


def run_worker(task: dict[str, Any], threads: str) -> Any:
    """What a process of its own measured; a RuntimeError with its last words where it failed."""
    command = [sys.executable, "-m", "tests.benchmarks.worker", json.dumps(task)]
    done = subprocess.run(command, env=environment(threads), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{task} failed: {(done.stderr.strip() or 'without a word').splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def installed(contestant: str) -> bool:
    return all(importlib.util.find_spec(package) for package in NEEDS.get(contestant, []))


def takes_part(contestant: str, shape: Shape, threads: str) -> bool:
    """Who has no setting for one thread runs with the default only; the plain loop on the small shape only."""
    if shape.cell != "LSTM":
        return contestant == "pytorch"
    if contestant == "loop":
        return shape == SHAPES[0] and threads == "one thread"
    if contestant == "products":
        return not shape.outputs
    return threads == "default threads" or contestant in ("npbilstm", "pytorch")


def heats(quick: bool, turns: int) -> Iterator[tuple[str, Shape, str]]:
    """(threads, shape, contestant), this engine before each other one, so that every ratio is of neighbours in time."""
    for threads, shape in itertools.product(THREADS[1:] if quick else THREADS, QUICK_SHAPES if quick else SHAPES):
        others = [
            name for name in CONTESTANTS if name != "npbilstm" and installed(name) and takes_part(name, shape, threads)
        ]
        if quick:
            others = [name for name in others if not name.startswith("keras")]
        for _ in range(turns):
            for other in others:
                yield threads, shape, other


Times = dict[tuple[str, str, str, str], list[tuple[float, float]]]
"""(threads, shape, contestant, mode) -> for each turn this engine's milliseconds and the contestant's."""


def race(quick: bool, turns: int, progress: Callable[[str], None], found: Times, failed: dict[str, str]) -> None:
    """Run all heats into `found`, so that an interruption loses nothing; a contestant that fails is left out."""
    everything = list(heats(quick, turns))
    for k, (threads, shape, other) in enumerate(everything):
        if other in failed:
            continue
        progress(f"{k + 1}/{len(everything)}  {threads}  {shape.name}  {other}")
        task = {"shape": list(shape), "seconds": 0.2 if quick else 0.4}
        ours = run_worker({**task, "contestant": "npbilstm"}, threads)
        try:
            theirs = run_worker({**task, "contestant": other}, threads)
        except RuntimeError as error:
            failed[other] = str(error)
            continue
        time.sleep(0.2)
        for mode in MODES:
            found.setdefault((threads, shape.name, other, mode), []).append((ours[mode], theirs[mode]))


def rows_of(found: Times) -> list[dict[str, Any]]:
    """A row for each contestant, shape, threads and mode: milliseconds, and the ratio of this engine's time to its.

    Both are medians over the turns; each ratio is of two processes that ran one right after the other.
    """
    return [
        {
            "threads": threads,
            "shape": shape_name,
            "contestant": other,
            "mode": mode,
            "npbilstm ms": statistics.median(ours for ours, _ in times),
            "ms": statistics.median(theirs for _, theirs in times),
            "ratio": statistics.median(ours / theirs for ours, theirs in times),
            "ratios": [ours / theirs for ours, theirs in times],
        }
        for (threads, shape_name, other, mode), times in found.items()
    ]


def geometric_mean(ratios: list[float]) -> float:
    return math.exp(statistics.fmean(map(math.log, ratios)))
