"""A second thread beside a pass: NumPy lets go of the interpreter's lock while it computes, so both get on.

It is made for one pass and gone after it, so a process that forks between two passes has no thread to miss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

Job = Callable[[], object]
Item = TypeVar("Item")
Result = TypeVar("Result")


class Helper:
    """Does what it is given beside the caller, in order. Without a thread, `give` itself does it."""

    def __init__(self) -> None:
        self._thread: Thread | None = None
        self._waiting: SimpleQueue[tuple[int, Job]] = SimpleQueue()
        self._done: SimpleQueue[None] = SimpleQueue()
        self._outstanding, self._over = 0, False
        self._errors: dict[int, BaseException] = {}

    def start(self) -> None:
        """With np.errstate and all other context variables as they are here; without a thread where none can start."""
        self._thread = Thread(target=copy_context().run, args=(self._work,))
        try:
            self._thread.start()
        except RuntimeError:
            self._thread = None

    @property
    def blocks_at_once(self) -> int:
        """How many blocks are under way: one whose loop runs, one that the thread has."""
        return 1 if self._thread is None else 2

    def give(self, *jobs: Job) -> None:
        """Jobs that may run beside one another and beside what the caller does next. Waits first for all given before:
        so two workspaces in turn suffice."""
        if self._thread is None:
            for job in jobs:
                job()
            return
        self.finish()
        self._outstanding = len(jobs)
        for numbered in enumerate(jobs):
            self._waiting.put(numbered)

    def finish(self) -> None:
        """Until all that was given is done: what the thread has not begun, the caller does itself."""
        while self._outstanding:
            try:
                self._do(*self._waiting.get_nowait())
            except Empty:
                self._done.get()
            self._outstanding -= 1
        self.raise_first()

    def raise_first(self) -> None:
        """The error, if there is one, that would have come first in one thread."""
        if self._errors:
            raise self._errors[min(self._errors)]

    def end(self, at_once: bool = False) -> None:
        """The thread ends with what it was given, or with the job that it has begun."""
        self._over = at_once
        self._waiting.put((0, partial(setattr, self, "_over", True)))
        if self._thread is not None:
            with suppress(RuntimeError):  # an interrupt came before it had started
                self._thread.join()

    def _work(self) -> None:
        while not self._over:
            self._do(*self._waiting.get())
            self._done.put(None)

    def _do(self, number: int, job: Job) -> None:
        try:
            job()
        except BaseException as error:
            self._errors[number] = error


@contextmanager
def second_thread(wanted: bool) -> Iterator[Helper]:
    """A helper for as long as the block lasts, with a thread where one is wanted.

    A generator, as that is closed even where an interrupt strikes on the way out.
    """
    helper = Helper()
    try:
        if wanted:
            helper.start()
        yield helper
    except Exception:
        helper.end()
        helper.raise_first()  # what was given came before what failed here
        raise
    finally:
        helper.end(at_once=True)


def run_each(job: Callable[[Item], Result], items: Sequence[Item], at_once: bool) -> list[Result]:
    """job(item) for each, in turn or two at once."""
    if not at_once:
        return [job(item) for item in items]
    results: dict[int, Result] = {}
    with second_thread(wanted=True) as helper:
        helper.give(*(partial(lambda k: results.update({k: job(items[k])}), k) for k in range(len(items))))
        helper.finish()
    return [results[k] for k in range(len(items))]
