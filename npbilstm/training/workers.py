"""Workers that have a batch's shards computed: any executor of concurrent.futures, and what is done where one dies."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from typing import Any, TypeVar

from npbilstm.models import Model
from npbilstm.pools import LOST, Processes, memory_here, submitted
from npbilstm.training.parcels import Parcel, packed, room, unpacked

Result = TypeVar("Result")

TRIES = 3
"""How often a task is given out: twice more where a worker was ended, by the system, say, for want of memory."""


class Workers:
    """An executor, or a function that makes one, for as long as a block lasts.

    A given executor is its owner's: it is neither shut down here nor, where it has broken, replaced. What a function
    makes is shut down at the end, and another is made where it has broken, as one of processes does with any of them.

    Raises TypeError where it is neither.
    """

    def __init__(self, given: Executor | Callable[[], Executor]) -> None:
        self._make = None if isinstance(given, Executor) else given
        executor = given if isinstance(given, Executor) else given() if callable(given) else None
        if not isinstance(executor, Executor):
            what = f"{given!r}, which makes {executor!r}" if callable(given) else repr(given)
            raise TypeError(
                f"executor is {what}; it needs an executor of concurrent.futures, or a function that makes one"
            )
        self._executor = executor

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *raised: object) -> None:
        if self._make is not None:
            self._executor.shutdown()

    def results(self, function: Callable[..., Result], shared: Any, tasks: Sequence[tuple[Any, ...]]) -> list[Result]:
        """function(shared, *task) of each task, in the order of the tasks; what is lost with a worker is done again.

        Where the executor has memory that its workers see, the arrays of shared go there, once; and those of the
        results: they hold until the next call.

        Raises what a function raises, and ChildProcessError where a task was lost TRIES times.
        """
        done: dict[int, Result] = {}
        count = len(tasks) + 1
        for attempt in range(TRIES):
            if attempt and self._make is not None:
                self._executor.shutdown(wait=False)
                self._executor = self._make()
            memory = self._executor.memory if isinstance(self._executor, Processes) else None
            sent = packed(shared, room(memory, len(tasks), count))
            futures: dict[int, Future[Any]] = {
                k: submitted(self._executor, work, function, sent, task, k, count)
                for k, task in enumerate(tasks)
                if k not in done
            }
            try:
                for k, future in futures.items():
                    with suppress(*LOST):
                        result = future.result()
                        done[k] = unpacked(result, room(memory, k, count)) if isinstance(result, Parcel) else result
            finally:  # where one fails, nobody waits for the others
                for future in futures.values():
                    future.cancel()
            if len(done) == len(tasks):
                return [done[k] for k in range(len(tasks))]
        advice = "" if self._make else "; what a function makes, executor=lambda: ..., is made again when it breaks"
        raise ChildProcessError(
            f"of {len(tasks)} shards {len(tasks) - len(done)} were lost {TRIES} times, each time with the worker that "
            f"had them: the system ends processes where memory is short{advice}"
        )


def work(function: Callable[..., Any], shared: Parcel, task: tuple[Any, ...], k: int, count: int) -> Any:
    """In a worker: the result of task k, packed where there is memory for it, of which each task has a room, and what
    they share the last of so many."""
    memory = memory_here()
    result = function(unpacked(shared, room(memory, count - 1, count)), *task)
    return result if memory is None else packed(result, room(memory, k, count))


def memory_for(model: Model, shards: int) -> int:
    """How many bytes of memory shards need for a model and their gradients, which are no more than it."""
    return (shards + 1) * (len(pickle.dumps(model, pickle.HIGHEST_PROTOCOL)) + 64 * len(model.params))
