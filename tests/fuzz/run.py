"""Cases, tried one after the other in worker processes that have little memory and time; and what may come of them."""

from __future__ import annotations

import json
import os
import random
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, NamedTuple

from tests.fuzz.bases import good_files, installed, write_companions
from tests.fuzz.cases import SUFFIXES, Case
from tests.fuzz.mutations import mutated

ROOT = Path(__file__).parents[2]
MEGABYTES = 1024
SECONDS = 10.0
"""Of the processor's time, for one command."""
PATIENCE = 180.0
"""Seconds on the clock after which a command is taken to wait for something. A busy machine needs many."""
CODES = {"check": (0, 1, 2, 3)}
"""The exit codes of a command, where they are not 0 and 2."""
REFUSED = 2


class Failure(NamedTuple):
    """A command that did what none may."""

    case: Case
    command: str
    why: str
    told: str

    def __str__(self) -> str:
        return f"{self.case.name}\n  npbilstm {self.command}\n  {self.why}\n  " + self.told.strip().replace(
            "\n", "\n  "
        )


def mutated_cases(seed: int, count: int) -> list[Case]:
    """So many changed files, all kinds in turn. Each depends on seed and its number alone."""
    with tempfile.TemporaryDirectory() as folder:
        good = good_files(Path(folder))
    kinds = [kind for kind in SHARES for _ in range(SHARES[kind])]
    random.Random(0).shuffle(kinds)
    cases = []
    for n in range(count):
        kind = kinds[n % len(kinds)]
        if kind not in good:
            continue
        rng = random.Random(f"{seed} {n}")
        content = mutated(rng.choice(good[kind]), kind, rng)
        case = Case(f"mutated {seed} {n}", kind, content)
        cases.append(case._replace(commands=(case.tried[n // len(kinds) % len(case.tried)],)))
    return cases


SHARES = {
    "model": 12,
    "language": 4,
    "spelled": 4,
    "vectors": 4,
    "weights": 10,
    "safetensors": 8,
    "onnx": 12,
    "torch": 8,
    "numbers": 2,
    "table": 2,
    "columns": 10,
    "conllu": 8,
    "source": 8,
    "text": 6,
    "check": 2,
}
"""How many of a hundred files are of each kind."""


class Worker:
    """A process that runs commands, in a folder of its own; another one where it ended."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fuzz"))
        write_companions(self.folder)
        self.process: subprocess.Popen[str] | None = None

    def close(self) -> None:
        """End the process and delete the folder."""
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def end(self) -> int | None:
        """End the process -> its exit code."""
        if self.process is None:
            return None
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):  # what it did not read
                stream.close()
        self.process.kill()
        code = self.process.wait()
        self.process = None
        return code

    def start(self) -> tuple[IO[str], IO[str]]:
        """The two streams of a process that runs."""
        if self.process is None:
            environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
            environment |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.worker", str(MEGABYTES)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
                cwd=self.folder,
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        return self.process.stdin, self.process.stdout

    def answer(self, arguments: list[str]) -> dict[str, Any] | str:
        """What a command did, or why there is no answer."""
        into, out = self.start()
        order = {"argv": arguments, "folder": str(self.folder), "seconds": SECONDS}
        with suppress(BrokenPipeError):
            into.write(json.dumps(order) + "\n")
            into.flush()
        ready, _, _ = select.select([out], [], [], PATIENCE)
        line = out.readline() if ready else ""
        if line:
            return json.loads(line)
        if not ready:
            self.end()
            return "it waits for something"
        assert self.process is not None
        code = self.process.wait()
        self.end()
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            return f"it takes more than {SECONDS:g} s"
        return f"it ends the process ({code})"

    def failures(self, case: Case) -> Iterable[Failure]:
        """What is wrong with what the case's commands do."""
        for command in case.tried:
            place = self.folder / "folder" if "{folder}" in command else self.folder
            name = "case" + SUFFIXES[case.kind]
            path = place / name
            case.write(path)
            arguments = [part.format(file=name, folder="folder") for part in shlex.split(command)]
            answer = self.answer(arguments)
            if isinstance(answer, str):
                yield Failure(case, shlex.join(arguments), answer, "")
            else:
                resumed = "--resume" in command  # which writes its own file
                made = name if resumed else "new.npz"
                why = fault(answer, arguments[0], "folder" if "{folder}" in command else name, made)
                if why:
                    yield Failure(case, shlex.join(arguments), why, answer["told"])
                if "memory" in answer["told"]:
                    self.end()  # what it holds is in pieces now
            for left in (path, self.folder / "new.npz"):
                remove(left)


def remove(path: Path) -> None:
    """Delete whatever is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def fault(answer: dict[str, Any], command: str, name: str, made: str) -> str:
    """What a command did that none may; "" where there is nothing."""
    code, told, changed = answer["code"], answer["told"], answer["changed"]
    if "Traceback" in told:
        return "a traceback"
    if "Warning" in told:
        return "a warning of Python's"
    if code not in CODES.get(command, (0, REFUSED)):
        return f"exit code {code}"
    sentences = re.findall(r"^npbilstm: .*$", told, re.MULTILINE)
    if code == REFUSED:
        if len(sentences) != 1:
            return f"{len(sentences)} sentences for a refusal"
        if name not in sentences[0]:
            return f"a refusal that does not name {name}"
        if changed:
            return f"it refused, and touched {', '.join(changed)}"
    elif sentences:
        return f"a sentence, and exit code {code}"
    elif set(changed) - {made, "folder"}:
        return f"it touched {', '.join(changed)}"
    return ""


def try_all(cases: list[Case], workers: int) -> list[Failure]:
    """What is wrong with what the commands do with these files, in the order of the cases."""
    queue: SimpleQueue[int] = SimpleQueue()
    for n, case in enumerate(cases):
        if installed(case.kind):
            queue.put(n)
    found: list[tuple[int, Failure]] = []

    def work() -> None:
        worker = Worker()
        try:
            while True:
                n = queue.get_nowait()
                found.extend((n, failure) for failure in worker.failures(cases[n]))
        except Empty:
            pass
        finally:
            worker.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [failure for _, failure in sorted(found, key=lambda each: each[0])]
