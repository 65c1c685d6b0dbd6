"""What submitted code may take of the machine, set by the process that runs it before it does.

It is no sandbox: the code may read and write files as its user may, and so through /proc the environment of the
process that judges, and its memory where the system allows; each file's size is limited, and not how many there are.
What holds, and where:

                                    Linux                            macOS and others             Windows
    memory, files, processor time   limits (setrlimit)               limits, memory on some       none
    other processes                 none: a filter of system calls   RLIMIT_NPROC, and the        refused in Python
                                    (x86_64, aarch64), else as       group is ended
                                    at the right
    dies with the one who judges    a signal of Linux's              a thread that sees the       the same
                                                                     pipe end
"""

from __future__ import annotations

import ctypes
import errno
import math
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from npbilstm.submission.system_calls import PR_SET_PDEATHSIG, filter_system_calls

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


def contain(parent: int, seconds: float) -> None:
    """Limit this process, and all that is ever run in it. parent: the process that judges. seconds: how long it waits
    in all. To be called from the main thread."""
    limit("RLIMIT_AS", GIGABYTES * 2**30)
    limit("RLIMIT_FSIZE", FILE_MEGABYTES * 10**6)
    limit("RLIMIT_NOFILE", FILES)
    limit("RLIMIT_CORE", 0)
    limit("RLIMIT_CPU", math.ceil(min(2 * seconds, 10**9)))  # a backstop: who judges looks at the clock
    end_with(parent)
    if not filter_system_calls():
        limit("RLIMIT_NPROC", 1)  # as if the user had as many processes already as allowed; root may have any number
    sys.addaudithook(refuse)


def limit(name: str, most: int) -> None:
    """Set a limit that cannot be lifted again, where the system has it: an error, not a machine at a standstill."""
    with suppress(ImportError, AttributeError, OSError, ValueError):
        import resource

        which = getattr(resource, name)
        _, hard = resource.getrlimit(which)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (most, most))


def end_with(parent: int) -> None:
    """Let Linux kill this process when the thread that started it ends, whatever it is then doing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, *map(ctypes.c_ulong, (signal.SIGKILL, 0, 0, 0)))
        if os.getppid() != parent:  # it has ended already
            os._exit(0)


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Say in a sentence, and on every system, what the code may not do. The filter is the wall behind this sign."""
    if event in STARTS:
        raise PermissionError(errno.EPERM, f"the code may start no other process ({event})")
    if event in ("os.kill", "os.killpg") and arguments[0] != os.getpid():
        raise PermissionError(errno.EPERM, f"the code may send signals to nobody but itself ({event})")
