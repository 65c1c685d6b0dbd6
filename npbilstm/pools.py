"""Processes that work is handed to, and work that is lost with one of them: who handed it out has it done again."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar

import numpy as np

try:
    from concurrent.futures import ProcessPoolExecutor
except ImportError:  # there are no processes, as in a browser; nobody makes a pool of them
    ProcessPoolExecutor = Executor  # type: ignore[misc, assignment]

Result = TypeVar("Result")

LOST = (BrokenExecutor, CancelledError)
"""What a future raises whose work was lost: nothing is wrong with the work itself, so far as anybody knows."""


def submitted(executor: Executor, function: Callable[..., Result], *arguments: Any) -> Future[Result]:
    """The future of function(*arguments); of an executor that takes no work any more, one whose work was lost."""
    try:
        return executor.submit(function, *arguments)
    except BrokenExecutor as error:
        future: Future[Result] = Future()
        future.set_exception(error)
        return future


class Processes(ProcessPoolExecutor):
    """So many processes of this machine, each begun anew. Ctrl-C is left to the process that made them, and where that
    is gone, killed even, they end.

    memory: so many bytes that all of them see, and memory_here() in each: a pipe takes half a gigabyte a second, and
    what is for several workers goes through it for each of them. It is gone with the last process that sees it.
    """

    def __init__(self, count: int, memory: int = 0) -> None:
        context = multiprocessing.get_context("spawn")
        shared = context.RawArray("B", memory) if memory else None
        self.memory = bytes_of(shared)
        super().__init__(count, context, begin, (shared,))

    def submit(self, function: Callable[..., Result], /, *arguments: Any, **named: Any) -> Future[Result]:
        """As Executor's; it may begin a process."""
        with without_interrupts():
            return super().submit(function, *arguments, **named)


def bytes_of(shared: Any) -> memoryview | None:
    """An array's own bytes; None of None."""
    return None if shared is None else np.frombuffer(shared, np.uint8).data


_here: memoryview | None = None


def memory_here() -> memoryview | None:
    """In one of Processes, the memory that it shares; None elsewhere."""
    return _here


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Within it Ctrl-C waits; the processes that begin within it never hear of it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def begin(shared: Any) -> None:
    """What a process does first: it finds the memory that it shares, and from here on it ends with its parent. One that
    waits for work would wait for ever."""
    global _here
    _here = bytes_of(shared)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()
