"""Measurements in a process of its own: `python -m tests.benchmarks.worker JSON` prints the result as JSON; without an
argument it takes a task a line from standard input, and answers each with a line. What it has made, it keeps."""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from typing import Any

from tests.benchmarks.engines import ENGINES
from tests.benchmarks.measures import MEASURES, page_faults_of, seconds_of
from tests.benchmarks.shapes import Pair, Shape


@cache
def made(engine: str, shape: Shape, options: tuple[tuple[str, Any], ...]) -> Pair:
    return ENGINES[engine](shape, **dict(options))


def race(
    engine: str, shape: list[Any], seconds: float, options: dict[str, Any], count_page_faults: bool
) -> dict[str, float | None]:
    """Milliseconds of a training step and of an inference; page faults of a training step, where they are counted."""
    train, infer = made(engine, Shape(*shape), tuple(options.items()))
    return {
        **({"page faults": page_faults_of(train)} if count_page_faults else {}),
        "training": 1e3 * seconds_of(train, seconds),
        "inference": 1e3 * seconds_of(infer, seconds),
    }


def main(task: dict[str, Any]) -> Any:
    if "measure" in task:
        return MEASURES[task["measure"]](task["quick"])
    options, count = task.get("options", {}), task.get("count page faults", True)
    if "only make" in task:
        for run in made(task["engine"], Shape(*task["shape"]), tuple(options.items())):
            run()
        return None
    return race(task["engine"], task["shape"], task.get("seconds", 1), options, count)


def serve() -> None:
    """Answers alone go to standard output; what a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(main(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(main(json.loads(sys.argv[1]))))
    else:
        serve()
