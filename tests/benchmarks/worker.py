"""One measurement in a process of its own: `python -m tests.benchmarks.worker JSON` prints the result as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.benchmarks.engines import ENGINES, Shape
from tests.benchmarks.measures import MEASURES, page_faults_of, seconds_of


def race(engine: str, shape: list[Any], seconds: float, options: dict[str, Any]) -> dict[str, float | None]:
    """Milliseconds of a training step and of an inference; page faults of a training step, where they are counted."""
    train, infer = ENGINES[engine](Shape(*shape), **options)
    return {
        "page faults": page_faults_of(train),
        "training": 1e3 * seconds_of(train, seconds),
        "inference": 1e3 * seconds_of(infer, seconds),
    }


def main(task: dict[str, Any]) -> Any:
    if "measure" in task:
        return MEASURES[task["measure"]](task["quick"])
    return race(task["engine"], task["shape"], task.get("seconds", 1), task.get("options", {}))


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
