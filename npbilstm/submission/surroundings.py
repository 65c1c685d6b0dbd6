"""What a file sets of the process that it runs in, and what sets it back where that process is the one that judges.

`exchange` sets all of it to what was taken before, and takes what it was: the file's for its next call, or the judge's.
What lies deeper stays as it was set: a method of a class, the numbers in an array, a file.
"""

from __future__ import annotations

import builtins
import gc
import locale
import logging
import math
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

NAMESPACES = (builtins, math, random, np, np.linalg, np.random, np.fft)
"""Modules, beside the textbook's, in which names are given back what they had."""
OF_SYS = ("path", "argv", "meta_path", "path_hooks", "stdin", "stdout", "stderr", "excepthook", "displayhook")


class Thing(NamedTuple):
    """One thing that can be set: take -> what it is now; put sets it to what was taken."""

    take: Callable[[], Any]
    put: Callable[[Any], Any]


def of_sys(name: str) -> Thing:
    """A name of sys: what it stands for, and of a list what is in it."""

    def take() -> tuple[Any, list[Any] | None]:
        value = getattr(sys, name)
        return value, value[:] if isinstance(value, list) else None

    def put(taken: tuple[Any, list[Any] | None]) -> None:
        value, contents = taken
        setattr(sys, name, value)
        if contents is not None:
            value[:] = contents

    return Thing(take, put)


def modules_with_names() -> Iterator[ModuleType]:
    """The modules whose names are given back."""
    yield from NAMESPACES
    for name, module in list(sys.modules.items()):
        if name.startswith("npbilstm.textbook"):
            yield module


def put_names(taken: list[tuple[ModuleType, dict[str, Any]]]) -> None:
    """Let names stand for what they stood for; names that are new stay, since an import makes some, too."""
    for module, names in taken:
        vars(module).update(names)


def put_filters(taken: list[Any]) -> None:
    """Put filters of warnings, and have Python know that there are others."""
    warnings.resetwarnings()
    warnings.filters[:] = taken  # type: ignore[index]


def put_environment(taken: dict[str, str]) -> None:
    """Put the variables of the environment."""
    os.environ.clear()
    os.environ.update(taken)


def put_log(taken: tuple[list[logging.Handler], int, int]) -> None:
    """Put where the log goes, and from which level on."""
    logging.root.handlers[:], logging.root.level, logging.root.manager.disable = taken


THINGS = {
    "names": Thing(lambda: [(each, dict(vars(each))) for each in modules_with_names()], put_names),
    **{f"sys.{name}": of_sys(name) for name in OF_SYS},
    "recursion limit": Thing(sys.getrecursionlimit, sys.setrecursionlimit),
    "trace": Thing(sys.gettrace, sys.settrace),
    "profile": Thing(sys.getprofile, sys.setprofile),
    "Ctrl-C": Thing(lambda: signal.getsignal(signal.SIGINT), lambda taken: signal.signal(signal.SIGINT, taken)),
    "garbage": Thing(gc.isenabled, lambda taken: gc.enable() if taken else gc.disable()),
    "folder": Thing(os.getcwd, os.chdir),
    "environment": Thing(lambda: dict(os.environ), put_environment),
    "locale": Thing(lambda: locale.setlocale(locale.LC_ALL), lambda taken: locale.setlocale(locale.LC_ALL, taken)),
    "log": Thing(lambda: (logging.root.handlers[:], logging.root.level, logging.root.manager.disable), put_log),
    "warnings": Thing(lambda: warnings.filters[:], put_filters),
    "NumPy's errors": Thing(np.geterr, lambda taken: np.seterr(**taken)),
    "NumPy's handler of errors": Thing(np.geterrcall, np.seterrcall),
    "NumPy's printing": Thing(np.get_printoptions, lambda taken: np.set_printoptions(**taken)),
    "NumPy's random numbers": Thing(np.random.get_state, np.random.set_state),
    "random numbers": Thing(random.getstate, random.setstate),
}


def take() -> dict[str, Any]:
    """All of it as it is now."""
    taken = {}
    for name, thing in THINGS.items():
        with suppress(Exception):  # a folder that there is no more, a name that is deleted
            taken[name] = thing.take()
    return taken


def exchange(taken: dict[str, Any]) -> dict[str, Any]:
    """Set all of it to what was taken before -> what it was until now."""
    now = take()
    for name, value in taken.items():
        if name not in now or not same(now[name], value):
            with suppress(Exception):
                THINGS[name].put(value)
    return now


def same(a: Any, b: Any) -> bool:
    """Whether two things that were taken are one."""
    try:
        return bool(a == b)
    except Exception:  # arrays in a tuple, or a comparison that somebody wrote
        return False
