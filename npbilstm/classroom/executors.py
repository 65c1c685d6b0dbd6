"""Submissions graded in other processes, or wherever an executor of concurrent.futures has its work done."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait

from npbilstm.classroom.batch import Record, Results, Run, Settings, Task, grade
from npbilstm.pools import LOST, submitted


def over(executor: Executor, at_once: int) -> Run:
    """Grading over an executor of any kind, which is handed so many submissions at once."""

    def run(tasks: Iterator[Task], settings: Settings) -> Results:
        given: dict[Future[Record], Task] = {}
        while True:
            for task in itertools.islice(tasks, at_once - len(given)):
                given[submitted(executor, grade, task, settings)] = task
            if not given:
                return
            for future in wait(given, return_when=FIRST_COMPLETED).done:
                try:
                    result = future.result()
                except LOST:
                    result = None
                yield given.pop(future), result

    return run


def here(jobs: int = 1) -> Run:
    """Grading on this machine, so many at once. What a process that was killed had to do is done once more, alone."""

    def processes(tasks: Iterator[Task], settings: Settings, count: int) -> Results:
        from concurrent.futures import ProcessPoolExecutor as Processes  # which a browser's Python may not have

        with Processes(count, multiprocessing.get_context("spawn")) as executor:
            yield from over(executor, 2 * count)(tasks, settings)

    def run(tasks: Iterator[Task], settings: Settings) -> Results:
        if jobs == 1:
            yield from ((task, grade(task, settings)) for task in tasks)
            return
        lost = []
        for task, result in processes(tasks, settings, jobs):
            if result is None:
                lost.append(task)
            else:
                yield task, result
        for task in lost:
            yield from processes(iter([task]), settings, 1)

    return run
