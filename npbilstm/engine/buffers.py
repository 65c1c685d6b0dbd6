"""Memory that is used again: a training step wants tens of megabytes, the next one the same.

A fresh array costs a page fault for every 4 kB that is first written: up to a fifth of a training step. So arrays are
lent here, and their memory is lent again when the last array that views it is gone: two caches alive at once never
share any, and nothing hangs on a layer. What is idle is given back to the system whenever Python's garbage collector
makes a full round, as `gc.collect()` does.
"""

from __future__ import annotations

import gc
import math
import weakref
from itertools import accumulate

import numpy as np

_idle: dict[int, list[np.ndarray]] = {}  # by size in bytes


def borrow(dtype: np.dtype, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Arrays of these shapes in one block of memory, their content undefined, like np.empty's."""
    sizes = [math.prod(shape) * dtype.itemsize for shape in shapes]
    starts = list(accumulate((-(-size // 64) * 64 for size in sizes), initial=0))  # whole cache lines
    size = rounded_up(max(starts[-1], 1))
    try:
        block = _idle[size].pop()
    except (KeyError, IndexError):
        block = np.empty(size, np.uint8)
    lent = np.frombuffer(
        block.data, np.uint8
    )  # not a view of `block` to NumPy: all views of it hold on to `lent` itself
    weakref.finalize(lent, _give_back, size, block).atexit = False
    return [np.ndarray(shape, dtype, lent, start) for shape, start in zip(shapes, starts)]


def rounded_up(size: int) -> int:
    """At most a 64th more, so that nearly equal wants share one size."""
    step = 1 << max(size.bit_length() - 7, 12)
    return -(-size // step) * step


def idle_bytes() -> int:
    """How much memory waits to be lent."""
    return sum(size * len(blocks) for size, blocks in list(_idle.items()))


def _give_back(size: int, block: np.ndarray) -> None:
    _idle.setdefault(size, []).append(block)


def _release(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == 2:
        _idle.clear()


gc.callbacks.append(_release)
