"""One measurement in a process of its own: `python -m tests.benchmarks.worker JSON` prints the result as JSON."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from typing import Any

from tests.benchmarks.contestants import CONTESTANTS, Shape
from tests.benchmarks.measures import MEASURES, seconds_of

LONGEST = 3.0
"""Seconds: what takes longer for one run is run once."""


def race(contestant: str, shape: list[int], seconds: float) -> dict[str, float]:
    """Milliseconds of a training step and of an inference."""
    import time

    times = {}
    for mode, run in zip(("training", "inference"), CONTESTANTS[contestant](Shape(*shape))):
        start = time.perf_counter()
        run()
        first = time.perf_counter() - start
        slow = contestant == "loop" and first > LONGEST
        times[mode] = 1e3 * (first if slow else seconds_of(run, seconds))
    return times


def versions(names: list[str]) -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in names}


def main(task: dict[str, Any]) -> Any:
    if "measure" in task:
        return MEASURES[task["measure"]](task["quick"])
    return race(task["contestant"], task["shape"], task["seconds"])


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
