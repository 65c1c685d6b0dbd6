"""What this engine is meant to reach, and whether a run says that it does: printed at the end of the run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.benchmarks.race import geometric_mean
from tests.benchmarks.report import TITLES, ratios, rows_in, table
from tests.benchmarks.settings import THREADS
from tests.benchmarks.shapes import BY_NAME, MODES


class Target(NamedTuple):
    """This engine's time over another's: the geometric mean over the shapes at most this, none above that."""

    other: str
    cell: str
    threads: str
    mode: str
    mean: float
    most: float | None = None


TARGETS = [
    Target("pytorch", "LSTM", "one thread", "training", 1.05, 1.3),
    Target("pytorch", "LSTM", "default threads", "training", 1.10, 1.4),
    Target("pytorch", "LSTM", "one thread", "inference", 1.12, 1.6),
    Target("pytorch", "LSTM", "default threads", "inference", 1.20, 1.6),
    *(Target("pytorch", "GRU", threads, mode, 0.6, 1.0) for threads, mode in itertools.product(THREADS, MODES)),
    Target("jax", "LSTM", "default threads", "training", 0.7),
    Target("jax", "LSTM", "default threads", "inference", 1.0),
]

LARGE = 128
"""From so many units on, a call of NumPy is small beside its work."""

OVER_THE_FLOOR = {"large": 1.15, "small": 1.4}
"""None above this, of the LSTM: with LARGE units or more, with fewer."""

TIMES_THE_PLAIN_LOOP, OF_NUMPYS_IMPORT, FLOATS, INFERENCE_GROWTH = 50, 1.15, 8, 1.05


def verdicts(results: dict[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """(what, target, measured, whether it holds) of all that the run has measured."""
    for other, cell, threads, mode, mean, most in TARGETS:
        found = ratios(results, other, cell, threads, mode)
        if found:
            target = f"mean {mean:.2f}" + (f", none above {most:.1f}" if most else "")
            measured = f"{geometric_mean(found):.2f}" + (f", {max(found):.2f}" if most else "")
            holds = geometric_mean(found) <= mean and (most is None or max(found) <= most)
            yield f"{cell}, {mode}, {threads}: {TITLES[other]}", target, measured, holds
    for threads, mode, (size, most) in itertools.product(THREADS, MODES, OVER_THE_FLOOR.items()):
        over = {
            row["shape"]: row["ratio"]
            for row in rows_in(results, "LSTM", threads, mode)
            if row["contestant"] == "floor" and (BY_NAME[row["shape"]].H >= LARGE) == (size == "large")
        }
        if over:
            worst = max(over, key=lambda shape: over[shape])
            units = f"{LARGE} units or more" if size == "large" else f"fewer than {LARGE} units"
            measured = f"{over[worst]:.2f} at {worst}"
            yield f"LSTM, {mode}, {threads}: floor, {units}", f"none above {most:.2f}", measured, over[worst] <= most
    yield from verdicts_on_measures(results)


def verdicts_on_measures(results: dict[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """Likewise, of the plain loop, imports and memory."""
    for ratio in ratios(results, "loop", "LSTM", "one thread", "training"):
        measured, holds = f"{1 / ratio:.0f} times", 1 / ratio >= TIMES_THE_PLAIN_LOOP
        yield "faster than the plain loop, training", f"{TIMES_THE_PLAIN_LOOP} times", measured, holds
    measures = results["measures"]
    if "imports" in measures:
        share = measures["imports"]["npbilstm"] / measures["imports"]["numpy"]
        yield "`import npbilstm` over NumPy's", f"{OF_NUMPYS_IMPORT}", f"{share:.2f}", share <= OF_NUMPYS_IMPORT
    if "memory" in measures:
        floats, growth = (measures["memory"][name] for name in ("training, floats", "inference, growth"))
        yield "floats a unit, direction and step, training", f"{FLOATS}", f"{floats:.1f}", floats <= FLOATS
        measured, holds = f"{growth:.2f} times", growth <= INFERENCE_GROWTH
        yield "inference, twice the steps, beyond its output", "as much", measured, holds


def verdict_table(results: dict[str, Any]) -> str:
    """What holds and what does not."""
    lines = [
        [what, target, measured, "holds" if holds else "does not hold"]
        for what, target, measured, holds in verdicts(results)
    ]
    return table("**Targets**", ["", "target", "measured", ""], lines) if lines else ""
