"""The sequence models at their tasks: what is reached, in how many seconds of one thread's processor time.

    python -m tests.benchmarks.tasks                    every task, three seeds (of words five)
    python -m tests.benchmarks.tasks morse --seeds 1    one of them, one seed

Each seed is a process of its own. The exit code is 1 where a target is missed. Nothing here is a test: what is reached
in which time depends on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

TASKS = sorted(path.stem for path in (Path(__file__).parent / "sequence_tasks").glob("[!_]*.py"))
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def task(name: str) -> Any:
    """The task's module."""
    return import_module(f"tests.benchmarks.sequence_tasks.{name}")


def run_once(name: str, seed: int) -> None:
    """In a process of its own: print the task's numbers and its processor seconds as one line of JSON."""
    start = time.process_time()
    numbers = task(name).run(seed)
    print(json.dumps({**numbers, "seconds": time.process_time() - start}))


def results_of(name: str, seeds: int) -> list[dict[str, float]]:
    """One process a seed, one thread each."""
    results = []
    for seed in range(seeds):
        command = [sys.executable, "-m", "tests.benchmarks.tasks", name, "--once", str(seed)]
        done = subprocess.run(command, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, text=True, check=True)
        results.append(json.loads(done.stdout.splitlines()[-1]))
        print(
            f"  seed {seed}: " + ", ".join(f"{what} {number:.4g}" for what, number in results[-1].items()), flush=True
        )
    return results


def means(results: list[dict[str, float]]) -> str:
    """Each number's mean over the seeds, in a line."""
    of = {what: sum(one[what] for one in results) / len(results) for what in results[0]}
    return f"  mean of {len(results)}: " + ", ".join(f"{what} {number:.4g}" for what, number in of.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """-> 0, or 1 where a target is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.tasks", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("names", nargs="*", metavar="TASK", choices=[*TASKS, []], help=f"of {', '.join(TASKS)} (all)")
    parser.add_argument("--seeds", type=int, metavar="N", help="from 0 on (as many as the task needs)")
    parser.add_argument("--once", type=int, metavar="SEED", help=argparse.SUPPRESS)
    said = parser.parse_args(arguments)
    if said.once is not None:
        run_once(said.names[0], said.once)
        return 0
    missed = 0
    for name in said.names or TASKS:
        print(f"{name}: {task(name).TARGET}", flush=True)
        seeds = getattr(task(name), "SEEDS", 3) if said.seeds is None else said.seeds
        results = results_of(name, seeds)
        print(means(results))
        holds = task(name).holds(results)
        print("  " + {True: "reached", False: "MISSED", None: "nothing promised"}[holds], flush=True)
        missed += holds is False
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
