"""Which way is fast for which shape, and why. No choice here changes a result but by rounding.

**The directions are independent.** Small ones go together, so that one call of NumPy works on both. Large ones go one
after the other, so that the weights of one stay in the cache; or each in a thread of its own: NumPy lets go of the
interpreter's lock while it computes. Small steps would spend their time handing that lock to and fro.

**With few rows, reading the weights is the whole cost** of a product. Then the input's share of all steps of a block
is computed at once, so that Wx is read once a block and not at every step. With many rows that only adds a pass over
memory.

**A block's arrays** should be large enough that what is done once a block is cheap, and small enough for the cache.
"""

from __future__ import annotations

import contextvars
import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from npbilstm.engine.tiles import tile_rows, tile_width, unpacked_limit

Item = TypeVar("Item")
Result = TypeVar("Result")

FEW_ROWS = 4
"""Up to so many batch rows, the input's share is computed a block at a time."""

SMALL_STEP = 4_000_000
"""Floating point operations: with fewer in a direction's step, the directions go together."""


def forward_block(N: int, K: int) -> int:
    """How many steps to a block of the forward pass: 512 rows of K numbers, or up to 1024 of fewer numbers."""
    rows = min(1024, max(512, 2**16 // K))
    return max(1, rows // max(N, 1))


def backward_block(N: int, H: int, T: int) -> int:
    """How many steps to a block of the backward pass: 512 rows, or fewer of many units, for the cache's sake.

    A block takes some 13 floats a unit and step, so it is at most a tenth of the steps, but never under 128 rows,
    which the products over a block need to be quick.
    """
    rows = min(512, max(128, 2**15 // H))
    return max(1, 128 // max(N, 1), min(rows // max(N, 1), T // 10))


def threads() -> int:
    """How many threads this process may use: what BLAS was told, else the processors it may run on."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        if os.environ.get(name, "").isdigit():
            return max(1, int(os.environ[name]))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def groups_of_directions(N: int, D: int, H: int, S: int, gates: int = 4) -> tuple[list[slice], bool]:
    """Which directions go step by step together, and whether the groups run at once, a thread each."""
    columns = gates * H
    if S == 1 or 2 * N * (D + H + 1) * columns < SMALL_STEP:
        return [slice(0, S)], False
    unpacked = tile_rows(N, columns, tile_width(H)) * columns * tile_width(H) <= unpacked_limit()
    return [slice(s, s + 1) for s in range(S)], unpacked and threads() > 1


def run_each(job: Callable[[Item], Result], items: Sequence[Item], at_once: bool) -> list[Result]:
    """job(item) for each, in turn or all at once, a thread each; np.errstate holds in all of them."""
    if not at_once:
        return [job(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor  # only large steps need it

    with ThreadPoolExecutor(len(items) - 1) as pool:
        others = [pool.submit(contextvars.copy_context().run, job, item) for item in items[1:]]
        return [job(items[0]), *(other.result() for other in others)]
