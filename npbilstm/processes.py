"""Whether another process can be started here: in a browser, where Pyodide runs, none can."""

from __future__ import annotations

import errno
import os
from functools import cache

NEVER = {errno.ENOSYS, errno.EPERM, getattr(errno, "ENOTSUP", errno.ENOSYS)}
"""What a system says that starts no process, now or later. One that has too many says something else."""


@cache
def can_start_processes() -> bool:
    """Whether this process may start others: found out by trying, with a program that there is not."""
    try:
        import subprocess

        subprocess.Popen([os.path.join(os.devnull, "no program")])
    except ImportError:
        return False
    except OSError as error:
        return error.errno not in NEVER
    return True


def require_processes(what: str) -> None:
    """Raise ValueError where no process can be started. what: it is for, the beginning of the sentence."""
    if not can_start_processes():
        raise ValueError(f"{what} needs another process, and none can be started here (as in a browser)")
