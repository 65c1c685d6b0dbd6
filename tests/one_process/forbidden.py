"""Makes the Python that imports it like one in a browser: it can start no process and no thread from then on.

What Pyodide 314 says was looked at there: os.fork is there and says ENOSYS, Popen says ENOTSUP, a thread is a
RuntimeError, `resource` and `_multiprocessing` are not to be had, sizes have 32 bits, and Python's own library
is a zip.
"""

import ctypes
import errno
import os
import sys
import zipfile
from pathlib import Path

MISSING = ("resource", "_multiprocessing", "pwd", "grp", "readline", "curses")
STARTS = ("fork", "forkpty", "posix_spawn", "posix_spawnp", "sched_getaffinity")
LEFT_OUT = {"test", "tests", "idlelib", "lib2to3", "site-packages", "tkinter", "ensurepip", "__pycache__"}


def by_patching():
    """Let Python itself refuse, and lack what is lacking there."""
    import _posixsubprocess
    import _thread
    import threading

    def no_process(*_, **__):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    def no_thread(*_, **__):
        raise RuntimeError("can't start new thread")

    _posixsubprocess.fork_exec = os.fork = no_process
    for name in STARTS[1:]:
        if hasattr(os, name):
            delattr(os, name)
    for module in (_thread, threading):
        for name in ("start_new_thread", "_start_new_thread", "start_joinable_thread", "_start_joinable_thread"):
            if hasattr(module, name):
                setattr(module, name, no_thread)
    sys.modules.update(dict.fromkeys(MISSING))
    sys.maxsize = 2**31 - 1


def index_by_32_bits():
    """Let an index have 32 bits for NumPy, and let it refuse, as it then does, to count what has 64."""
    import numpy as np

    count = np.bincount

    def count_narrow(numbers, *more, **named):
        return count(np.asarray(numbers).astype(np.int32, casting="safe"), *more, **named)

    np.intp, np.bincount = np.int32, count_narrow


def by_the_system():
    """Let Linux refuse: a filter of system calls, this package's own, under which no clone passes."""
    from npbilstm.submission import system_calls
    from npbilstm.submission.runner import FILTER, NO_NEW_PRIVS, SECCOMP, Program

    usual = system_calls.conditions
    system_calls.conditions = lambda pid: {name: each for name, each in usual(pid).items() if name != "clone"}
    lines = system_calls.process_filter(os.getpid())
    libc, no = ctypes.CDLL(None), ctypes.c_ulong(0)
    libc.prctl(NO_NEW_PRIVS, ctypes.c_ulong(1), no, no, no)
    program = Program(len(lines) // 8, lines)
    assert lines
    assert libc.prctl(SECCOMP, ctypes.c_ulong(FILTER), ctypes.byref(program), no, no) == 0


def zip_library(place):
    """Write Python's own library to a zip."""
    root = Path(os.__file__).parent
    with zipfile.ZipFile(place, "w") as archive:
        for path in root.rglob("*.py"):
            name = path.relative_to(root)
            if not LEFT_OUT & set(name.parts):
                archive.write(path, name)


def from_zip(place):
    """Let Python's own library be in a zip, and no folder: to be called before all other imports."""
    library = Path(os.__file__).parent
    nowhere = str(Path(place).parent / "nowhere")
    sys.path[:] = [place if path == str(library) else path for path in sys.path]
    sys.prefix = sys.exec_prefix = sys.base_prefix = sys.base_exec_prefix = nowhere
    os.__file__ = f"{place}/os.py"
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if Path(file).parent == library and name not in ("os", "__main__"):
            module.__file__ = f"{place}/{Path(file).name}"
