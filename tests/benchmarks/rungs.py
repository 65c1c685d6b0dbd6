"""What each rung from the textbook to the engine gains (ladder.py): the table of tutorials/guides/engine.md.

    python -m tests.benchmarks.rungs            prints it
    python -m tests.benchmarks.rungs --write    writes it into the guide

The rungs are timed in turns, in one process, on one thread; the last one in a process with the default threads.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from npbilstm.textbook import LSTMParams
from tests.benchmarks.ladder import RUNGS, Array
from tests.benchmarks.pages import filled
from tests.benchmarks.report import table
from tests.benchmarks.settings import environment
from tests.benchmarks.shapes import Shape

GUIDE = Path(__file__).parents[2] / "tutorials" / "guides" / "engine.md"
RUNG_NUMBERS = {name: k + 1 for k, name in enumerate(name for name in RUNGS if "engine" not in name)}
SHAPES = [Shape(40, 32, 10, 20), Shape(100, 32, 64, 64), Shape(100, 32, 128, 128)]


def case(shape: Shape, dtype: type = np.float32) -> tuple[Array, Array, Array, LSTMParams]:
    """x, dy, lengths and params."""
    rng = np.random.default_rng(0)
    T, N, D, H, *_ = shape
    x: Array = rng.standard_normal((N, T, D)).astype(dtype)
    dy: Array = rng.standard_normal((N, T, H)).astype(dtype)
    weights = (0.3 * rng.standard_normal(size).astype(dtype) for size in ((D, 4 * H), (H, 4 * H), 4 * H))
    return x, dy, np.full(N, T), LSTMParams(*weights)


def milliseconds(shape: Shape, names: list[str], turns: int = 5, at_least: float = 0.05) -> dict[str, float]:
    """Of each rung: the median over the turns, in each of which it runs for so many seconds or more."""
    arguments = case(shape)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(turns + 1):
        for name in names:
            now: list[float] = []
            while sum(now) < at_least:
                start = time.perf_counter()
                RUNGS[name](*arguments)
                now.append(time.perf_counter() - start)
            if turn:  # the first warms up
                taken[name].append(1e3 * statistics.median(now))
    return {name: statistics.median(times) for name, times in taken.items()}


def in_a_process(threads: str, names: list[str]) -> dict[str, dict[str, float]]:
    """The milliseconds of these rungs for each shape, with so many threads from the start."""
    command = [sys.executable, "-m", "tests.benchmarks.rungs", "here", *names]
    done = subprocess.run(command, env=environment(threads), stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    return found


def rungs_table(by_shape: dict[str, dict[str, float]]) -> str:
    """Milliseconds, and how many times faster than the rung before."""
    names = list(RUNGS)
    lines = [[f"{RUNG_NUMBERS[name]}. {name}" if name in RUNG_NUMBERS else name] for name in names]
    for times in by_shape.values():
        for before, name, line in zip([names[0], *names], names, lines):
            gain = f" ({times[before] / times[name]:.2f})" if before != name else ""
            line.append(f"{times[name]:.3g}{gain}")
    return table(
        "Milliseconds of a training step of one direction, float32, one thread but for the last line, and in brackets "
        "how many times faster that is than the line before",
        ["T, N, D, H", *by_shape],
        lines,
    )


def main() -> int:
    if sys.argv[1:2] == ["here"]:
        print(json.dumps({shape.name: milliseconds(shape, sys.argv[2:]) for shape in SHAPES}))
        return 0
    if sys.argv[1:] not in ([], ["--write"]):
        print(f"tests.benchmarks.rungs takes --write or nothing; it got {' '.join(sys.argv[1:])}", file=sys.stderr)
        return 2
    *others, last = RUNGS
    one, several = in_a_process("one thread", others), in_a_process("default threads", [last])
    text = rungs_table({name: times | several[name] for name, times in one.items()})
    print(text)
    if sys.argv[1:]:
        GUIDE.write_text(filled(GUIDE.read_text(encoding="utf-8"), text + "\n"), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
