"""What code in the runner may take of the machine, read and do, as data: the runner sets it before the code runs.

A policy is sent with the first request. There is one for marks (sandbox.py) and one for `check`, whose users run their
own work: that writes files, starts threads and prints, and is called in any form.

                        for `check`                                   for marks
    memory              4 GB                                          1 GB
    files               written to 100 MB each, 256 open              none written, 64 open
    what is read        all but what knows the answers                Python's library and NumPy
    system calls        all but those that start or touch             those of permitted_calls.py
                        processes (system_calls.py)
    what answers        checked_file.py, imported there               planned_calls.py, sent there

For `check` it is no sandbox: the code may read and write files as its user may, and so through /proc the environment of
the process that judges, and its memory where the system allows; the size of each file is limited, and not their number.
What of it holds, and where:

                                    Linux                            macOS and others             Windows
    memory, files, processor time   limits (setrlimit)               limits, memory on some       none
    other processes                 none: a filter of system calls   RLIMIT_NPROC, and the        refused in Python
                                    (x86_64, aarch64), else as       group is ended
                                    at the right
    dies with the one who judges    a signal of Linux's              a thread that sees the       the same
                                                                     pipe end
    the textbook's answers          not in the process, no import    no import gives them; their  the same
                                    gives them, and their files      files can be read by their
                                    cannot be opened (Landlock,      path
                                    from 5.13 on; see offered.py)

A file that is made while the code runs, in a folder that this package's own folder lies in, cannot be read by the code
either: Landlock knows what is allowed, and not what is forbidden.

Where no process can be started, as in a browser, nothing of it holds, and reports say so (same_process.py).
"""

from __future__ import annotations

import marshal
import math
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from npbilstm.submission.function_spec import Arrays
from npbilstm.submission.system_calls import process_filter

PACKAGE = Path(__file__).resolve().parents[1]
ROOMS = {"submission", "gradcheck", "datasets"}
"""The rooms of this package that a checked file may have: what calls it, and what knows no model."""
GIGABYTES = 4
"""How much memory submitted code may take."""
FILE_MEGABYTES = 100
"""How large a file it may write."""
FILES = 256
"""How many files it may have open."""

STARTS = {
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.exec",
    "os.system",
    "os.startfile",
    "subprocess.Popen",
    "pty.spawn",
    "_winapi.CreateProcess",
}
"""The names by which Python announces that it is about to start another process (sys.addaudithook)."""


class Policy(NamedTuple):
    """What the runner is told of the code that it is given.

    limits: what setrlimit is told, by names. unfiltered: the same where no filter of system calls can be set.
    filter: the system calls that there are, a program as Linux takes it. readable: the files and folders that may be
    read; reading_alone: whether nothing but reading is looked at there, or all that is done to files. refused: the
    events at which Python itself refuses (STARTS). threads: whether there may be some. program: the source that makes
    what answers: begin(pipe, facts, arrays), with these facts and arrays.
    """

    limits: dict[str, int]
    filter: bytes
    readable: Iterable[str]
    program: str
    unfiltered: Mapping[str, int] = MappingProxyType({})
    reading_alone: bool = False
    refused: Iterable[str] = ()
    threads: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """What is sent of it as facts."""
        given = {"limits": self.limits, "unfiltered": dict(self.unfiltered), "refused": list(self.refused)}
        return {**given, "reading_alone": self.reading_alone, "threads": self.threads}

    @property
    def arrays(self) -> Arrays:
        """What is sent of it as bytes."""
        readable = os.fsencode("\0".join(self.readable))
        return {"filter": as_bytes(self.filter), "readable": as_bytes(readable), "program": compiled(self.program)}


def policy_for_check(file: str, seconds: float, pid: int, program: str) -> Policy:
    """What a checked file may do. file: its path; it may be one of those that are withheld. seconds: how long who
    judges waits in all. pid: the number of its process. program: what answers."""
    readable = [file, *around(Path("/"))] if sys.platform == "linux" else []
    limits = {"AS": GIGABYTES * 2**30, "FSIZE": FILE_MEGABYTES * 10**6, "NOFILE": FILES, "CORE": 0}
    limits["CPU"] = math.ceil(min(2 * seconds, 10**9))  # a backstop: who judges looks at the clock
    nobody = {"NPROC": 1}  # as if the user had as many processes already as allowed; root may have any number
    return Policy(limits, process_filter(pid), readable, program, nobody, True, sorted(STARTS), True)


def around(folder: Path) -> Iterator[str]:
    """All that is in a folder which the package is in, but for the rooms that are withheld. A link is left out: where
    it leads is seen by its own path, and a venv's lib64 leads to all of its lib."""
    for entry in os.scandir(folder):
        place = Path(entry.path)
        if entry.is_symlink():
            continue
        if place == PACKAGE:
            yield from (each.path for each in os.scandir(PACKAGE) if each.name in ROOMS or not each.is_dir())
        elif PACKAGE.is_relative_to(place):
            yield from around(place)
        else:
            yield entry.path


@lru_cache(maxsize=64)
def compiled(source: str) -> np.ndarray:
    """A source of this package's own, compiled, as bytes for the same Python."""
    return as_bytes(marshal.dumps(compile(source, "<npbilstm>", "exec", dont_inherit=True)))


def as_bytes(data: bytes) -> np.ndarray:
    """Bytes as an array."""
    return np.frombuffer(data, np.uint8)
