"""Submissions graded by the workers of a Dask cluster (the extra `cluster`).

A worker may be killed at any time: what it was at, and what it had done and not yet handed over, is done once more by
another. So each result is taken as it comes and let go of there, and only who takes it keeps it: none is lost, and none
counted twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from npbilstm.classroom.batch import Results, Run, Settings, Task, grade

SECONDS = 10
"""How long a scheduler may take to answer, and to have a worker."""


def on_cluster(address: str) -> Run:
    """Grading by the workers of the scheduler at this address. Each finds out what its own sandbox is.

    Raises ValueError where the extra is not installed; when it is run, where no scheduler answers, where it has no
    workers, or workers with another npbilstm.
    """
    try:
        import distributed
    except ImportError as error:
        raise ValueError("--cluster needs the package distributed: pip install 'npbilstm[cluster]'") from error

    def run(tasks: Iterator[Task], settings: Settings) -> Results:
        try:
            client = distributed.Client(address, timeout=SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise ValueError(f"--cluster is {address}, where no scheduler answers: {error}") from error
        with client:
            require_workers(client, address)
            asked = settings._replace(layers=None)
            given: dict[Any, Task] = {}  # by the keys that Dask gives them
            done = distributed.as_completed(loop=client.loop, with_results=True, raise_errors=False)

            def hand_out() -> None:
                at_once = 2 * max(1, sum(client.nthreads().values()))
                for task in itertools.islice(tasks, max(0, at_once - len(given))):
                    # not pure: equal submissions are two; no retries: the sandbox has the limits
                    future = client.submit(grade, task, asked, pure=False, retries=0)
                    given[future.key] = task
                    done.add(future)

            hand_out()
            for future, result in done:
                task = given.pop(future.key)
                if future.status == "error":
                    why, result = result[1], None
                    if not isinstance(why, distributed.KilledWorker):  # again and again, when they were at it
                        raise why
                elif future.status != "finished":
                    raise ValueError(f"--cluster is {address}, whose scheduler is gone; run the same once more")
                future.release()
                yield task, result
                hand_out()

    return run


def require_workers(client: Any, address: str) -> None:
    """Raise ValueError unless there are workers, all of them with the npbilstm that is here."""
    try:
        client.wait_for_workers(1, timeout=SECONDS)
    except TimeoutError:
        raise ValueError(f"--cluster is {address}, which has no workers; `dask worker {address}` starts one") from None
    here = version("npbilstm")
    for worker, there in client.run(version, "npbilstm", on_error="return").items():
        if there != here:
            said = f"npbilstm {there}" if isinstance(there, str) else "no npbilstm"
            raise ValueError(f"--cluster is {address}, whose worker {worker} has {said}; it needs {here}")
