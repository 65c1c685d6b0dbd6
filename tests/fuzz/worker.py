"""Runs commands one after the other in this process, which has little memory, and says what each did.

A line of JSON in, {"argv", "folder", "seconds"}; a line of JSON out, {"code", "shown", "told", "changed"}. A command
that uses more processor time than that ends the process.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any


def main() -> None:
    megabytes = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))
    orders, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    from npbilstm.cli import main as command

    for line in orders:
        order = json.loads(line)
        os.chdir(order["folder"])
        before = listed(Path.cwd())
        limit_time(order["seconds"])
        answer = run(command, order["argv"])
        limit_time(None)
        after = listed(Path.cwd())
        answer["changed"] = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def limit_time(seconds: float | None) -> None:
    """Let the process end after so much more processor time."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = hard if seconds is None else int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def listed(folder: Path) -> dict[str, tuple[int, ...]]:
    """What tells whether a file was touched, for each below a folder."""
    found: dict[str, tuple[int, ...]] = {}
    for path in folder.rglob("*"):
        said = path.lstat()
        found[str(path.relative_to(folder))] = (said.st_mode, said.st_ino, said.st_size, said.st_mtime_ns)
    return found


def run(command: Any, arguments: list[str]) -> dict[str, Any]:
    """The command's exit code, or the traceback of what came out of it, and what it wrote on both streams."""
    code: int | None = None
    fault = ""
    with tempfile.TemporaryFile() as shown, tempfile.TemporaryFile() as told:
        os.dup2(shown.fileno(), 1)
        os.dup2(told.fileno(), 2)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        try:
            code = command(arguments)
        except BaseException:
            fault = traceback.format_exc()
        for stream, file in ((sys.stdout, shown), (sys.stderr, told)):
            stream.flush()
            file.seek(0)
        return {
            "code": code,
            "shown": shown.read(2000).decode(errors="replace"),
            "told": told.read(20_000).decode(errors="replace") + fault,
        }


if __name__ == "__main__":
    main()
