"""How much sooner a step of training is done by several processes, for three sizes of a model.

    python -m tests.benchmarks.workers                  two processes
    python -m tests.benchmarks.workers --workers 4      four of them

Seconds of the clock for a step of the Trainer, one BLAS thread a process: medians over STEPS steps, in TURNS turns
taken by one process and by several. What several have to do besides: the model to each and its gradient back, the sum.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor, wait
from statistics import median

import numpy as np

import npbilstm as nb
from npbilstm.pools import Processes
from npbilstm.training.workers import memory_for

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
SIZES = {"small": (16, 32, 32), "middle": (32, 64, 128), "large": (64, 128, 256)}
"""Rows of a batch, steps of a row, units per direction."""
STEPS, TURNS = 10, 3
BEGINNING = 1.0
"""Seconds in which a process begins."""


def step_seconds(N: int, T: int, H: int, pool: Executor | None, workers: int) -> list[float]:
    """Of each step but the first."""
    rng = np.random.default_rng(0)
    rows = [(rng.integers(0, 100, T), rng.integers(0, 5, T)) for _ in range(N * (STEPS + 1))]
    settings = nb.Settings(epochs=1, batch_size=N, shards=1 if pool is None else workers)
    trainer = nb.Trainer(tagger(H), settings=settings, executor=pool)
    moments: list[float] = []
    trainer.train(rows, should_stop=lambda: moments.append(time.perf_counter()) or False, show=False)  # type: ignore[func-returns-value]
    return np.diff(moments[: STEPS + 1]).tolist()


def tagger(H: int) -> nb.SequenceTagger:
    """What is trained."""
    return nb.SequenceTagger(100, 5, embedding_size=H, hidden_size=H, rng=0)


def measured(N: int, T: int, H: int, workers: int) -> list[float]:
    """Seconds for a step by one process, and by several, which all have begun."""
    with Processes(workers, memory_for(tagger(H), workers)) as pool:
        wait([pool.submit(time.sleep, BEGINNING) for _ in range(2 * workers)])
        taken: dict[Executor | None, list[float]] = {None: [], pool: []}
        for _ in range(TURNS):
            for who, seconds in taken.items():
                seconds += step_seconds(N, T, H, who, workers)
    return [median(seconds) for seconds in taken.values()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.workers", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes, at least 2 (2)")
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES), help="some of them (all)")
    said = parser.parse_args(arguments)
    if said.workers < 2:
        parser.error(f"argument --workers: {said.workers} is too few; it needs at least 2")
    print(
        f"| model | N, T, H | parameters | 1 process | {said.workers} processes | as quick |\n|---|---|---|---|---|---|"
    )
    for name in said.sizes:
        size = SIZES[name]
        alone, together = (1000 * seconds for seconds in measured(*size, said.workers))
        count = tagger(size[2]).num_parameters
        sizes = ", ".join(map(str, size))
        print(
            f"| {name} | {sizes} | {count:,} | {alone:.3g} ms | {together:.3g} ms | {alone / together:.2f} x |",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    if os.environ.items() >= ONE_THREAD.items():
        raise SystemExit(main())
    os.execve(
        sys.executable, [sys.executable, "-m", "tests.benchmarks.workers", *sys.argv[1:]], os.environ | ONE_THREAD
    )
