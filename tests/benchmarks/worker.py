"""One measurement in a process of its own: `python -m tests.benchmarks.worker JSON` prints the result as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.benchmarks.contestants import CONTESTANTS, Shape
from tests.benchmarks.measures import MEASURES, seconds_of


def race(contestant: str, shape: list[Any], seconds: float) -> dict[str, float]:
    """Milliseconds of a training step and of an inference."""
    train, infer = CONTESTANTS[contestant](Shape(*shape))
    return {"training": 1e3 * seconds_of(train, seconds), "inference": 1e3 * seconds_of(infer, seconds)}


def main(task: dict[str, Any]) -> Any:
    if "measure" in task:
        return MEASURES[task["measure"]](task["quick"])
    return race(task["contestant"], task["shape"], task["seconds"])


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
