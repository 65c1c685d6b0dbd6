"""Memory that is used again: a training step wants tens of megabytes, the next one the same.

A fresh array costs a page fault for every 4 kB that is first written: 15 % of a training step of 100 steps, 32 rows
and 128 units, and more of smaller ones. So arrays are lent here, and their memory is lent again when the last array
that views it is gone: two caches alive at once never share any, and nothing hangs on a layer. Nothing is hoarded:
before fresh memory is made, as much idle memory is given back, what has waited longest first, so all together is never
more than what was once in use at the same time; and the rest at each full round of Python's garbage collector.
"""

from __future__ import annotations

import gc
import math
import weakref
from itertools import accumulate
from typing import Any

import numpy as np

SMALL = 1 << 16  # bytes: less is not worth the keeping of books, as the allocator has it at hand

_idle: list[np.ndarray] = []  # blocks of bytes, what has waited longest first
_lent: dict[int, tuple[weakref.ref[np.ndarray], np.ndarray]] = {}  # blocks in use, each with who tells of its end


def borrow(dtype: np.dtype, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Arrays of these shapes in one block of memory, their content undefined, like np.empty's."""
    sizes = [math.prod(shape) * dtype.itemsize for shape in shapes]
    if sum(sizes) < SMALL:
        return [np.empty(shape, dtype) for shape in shapes]
    starts = list(accumulate((-(-size // 64) * 64 for size in sizes), initial=0))  # whole cache lines
    block = _take(rounded_up(starts[-1]))
    lent = np.frombuffer(block.data, np.uint8)  # to NumPy no view of `block`: its views hold on to `lent`
    watch = weakref.ref(lent, _give_back)
    _lent[id(watch)] = watch, block
    return [np.ndarray(shape, dtype, lent, start) for shape, start in zip(shapes, starts)]


def rounded_up(size: int) -> int:
    """At most a 64th more, so that nearly equal wants share one size."""
    step = 1 << max(size.bit_length() - 7, 12)
    return -(-size // step) * step


def _give_back(watch: weakref.ref[np.ndarray], lent: dict[int, Any] = _lent, idle: list[np.ndarray] = _idle) -> None:
    idle.append(lent.pop(id(watch))[1])  # both by default arguments, as a module loses its names when Python ends


def _take(size: int) -> np.ndarray:
    """A block of this size. No lock, which a fork or a signal handler could meet locked: list methods are atomic."""
    try:
        for k in reversed(range(len(_idle))):
            if _idle[k].nbytes == size:
                block = _idle.pop(k)
                if block.nbytes == size:
                    return block
                _idle.append(block)  # another thread was quicker
        given_back = 0
        while given_back < size:
            given_back += _idle.pop(0).nbytes
    except IndexError:
        pass  # nothing is idle any more
    return np.empty(size, np.uint8)


def _release(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == 2:
        _idle.clear()


gc.callbacks.append(_release)
