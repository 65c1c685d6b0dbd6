"""A process of its own for each contestant, with nothing in its environment but its settings.

It stays for all turns on a shape: libraries are imported and functions compiled once. While others are measured it
waits for a line, and its threads sleep.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import Any

from tests.benchmarks.settings import AS_IT_COMES, Settings, environment


class Process:
    """A worker (worker.py), started with these settings; a context that ends it."""

    def __init__(self, threads: str, settings: Settings = AS_IT_COMES) -> None:
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.worker"],
            env=environment(threads, settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            text=True,
        )

    def ask(self, task: dict[str, Any]) -> Any:
        """What it measured; a RuntimeError with its last words where it failed."""
        self.send(task)
        return self.answer()

    def send(self, task: dict[str, Any]) -> None:
        """Have it begin; answer() waits for the end."""
        assert self._process.stdin
        self._task = task
        with suppress(BrokenPipeError):  # of one that has failed before: its answer says why
            print(json.dumps(task), file=self._process.stdin, flush=True)

    def answer(self) -> Any:
        assert self._process.stdout
        answer = self._process.stdout.readline()
        if not answer:
            self._process.wait()
            self._words.seek(0)
            said = self._words.read().decode(errors="replace").strip() or "without a word"
            raise RuntimeError(f"{self._task} failed: {said.splitlines()[-1]}")
        return json.loads(answer)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *raised: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._words.close()


def run_worker(task: dict[str, Any], threads: str, settings: Settings = AS_IT_COMES) -> Any:
    """What a process that lives for one task measured."""
    with Process(threads, settings) as process:
        return process.ask(task)
