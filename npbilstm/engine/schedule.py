"""Which way is fast for which shape, and why. The helper changes no bit, the other choices change rounding alone.

**The directions are independent.** Small ones go together, so that one call of NumPy works on both. Large ones go one
after the other, so that the weights of one stay in the cache; or each in a thread of its own: NumPy lets go of the
interpreter's lock while it computes. Small steps would spend their time handing that lock to and fro.

**The gradients of weights and inputs** wait for nothing once a block of the backward pass has its da, and nothing of
the pass waits for them. So a helper adds them (recurrence.py), where there is a processor for it and what a step adds
is worth the waits for the lock; tutorials/guides/engine.md has the numbers.

**No thread of ours** where BLAS starts its own: OpenBLAS on AVX-512 alone says when it does not (tiles.py).

**With few rows, reading the weights is the whole cost** of a product. Then the input's share of a block's steps
is computed at once: Wx is read once for each row, not at every step. With many rows that only adds a pass over memory.

**A block's arrays** should be large enough that what is done once a block is cheap, and small enough for the cache.
"""

from __future__ import annotations

import os
import sys

from npbilstm.engine.tiles import tile_rows, tile_width, unpacked_limit

FEW_ROWS = 4
"""Up to so many batch rows, the input's share is computed a block at a time."""

SMALL_STEP = 4_000_000
"""Floating point operations: with fewer in a direction's step, the directions go together."""

HELPERS_SHARE = 2_000_000
"""Floating point operations: with fewer in what a step adds to the gradients, backward has no second thread."""


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


def starts_no_threads(N: int, columns: int, width: int) -> bool:
    """Whether BLAS multiplies da (N, columns) in the calling thread alone, as it does what it does not pack."""
    w = tile_width(width)
    return tile_rows(N, columns, w) * columns * w <= unpacked_limit()


def groups_of_directions(N: int, D: int, H: int, S: int, gates: int = 4) -> tuple[list[slice], bool]:
    """Which directions go step by step together, and whether the groups run at once, a thread each.

    gates: of the product [h 1 x] W.
    """
    columns = gates * H
    small = 2 * N * (D + H + 1) * columns < SMALL_STEP
    free = not getattr(sys, "_is_gil_enabled", lambda: True)()  # a Python without the lock: no waits for it
    at_once = S > 1 and (free or not small) and threads() > 1 and starts_no_threads(N, columns, H)
    if S == 1 or (small and not at_once):
        return [slice(0, S)], False
    return [slice(s, s + 1) for s in range(S)], at_once


def helper_pays(N: int, T: int, D: int, H: int, columns: int, groups: list[slice], at_once: bool) -> bool:
    """Whether each group has a second thread for its gradients, da having so many columns."""
    P, busy = groups[0].stop - groups[0].start, len(groups) if at_once else 1
    enough = 2 * N * P * columns * (H + 1 + 2 * D) >= HELPERS_SHARE
    return enough and backward_block(N, H, T) < T and threads() >= 2 * busy and starts_no_threads(N, columns, H)
