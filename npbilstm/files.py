"""Files, read and written so that nothing is lost and nothing hangs.

Written is a temporary file beside the file, which is then renamed: whenever the machine stops, a file is the old one or
the new one, whole. Read are files only: a pipe or a device may never come to its end.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

LONGEST_NAME = 200
"""How many bytes of a file's name its temporary twin has; file systems have 255 for all of it."""


def open_file(path: str | Path) -> BinaryIO:
    """An ordinary file, to be read. Raises OSError where there is none or it cannot be read; ValueError, naming it, for
    a pipe, a device, and what cannot be a name."""
    if not os.fspath(path):
        raise ValueError("path is empty; it needs the name of a file")
    require_name("path", path)
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise ValueError(f"{path} is a pipe or a device; it needs to be a file")
    return open(path, "rb")


def require_name(name: str, path: str | Path) -> None:
    """Raise ValueError unless path can be the name of a file; `name` is what the sentence calls it."""
    try:
        if b"\0" in os.fsencode(path):
            raise ValueError("it holds a null character")
    except ValueError as error:
        why = "it holds a character that no name has" if isinstance(error, UnicodeError) else error
        raise ValueError(f"{name} is {os.fspath(path)!r}, which cannot be the name of a file: {why}") from None


@contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Within it, a MemoryError says which file was too much."""
    try:
        yield
    except MemoryError as error:
        if str(error).startswith(str(path)):
            raise
        raise MemoryError(f"{path} ({error})" if str(error) else str(path)) from error


def read_json(text: str | bytes) -> Any:
    """What a JSON text says. Raises ValueError for what is none, or is nested so deeply that Python cannot read it."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def twin(path: Path, end: str) -> Path:
    """The name of a hidden file beside this one."""
    return path.with_name(f".{os.fsdecode(os.fsencode(path.name)[:LONGEST_NAME])}.{end}")


def write_atomically(path: str | Path, write: Callable[[BinaryIO], Any]) -> None:
    """write(file) to a temporary file beside path, then rename it to path. On failure path is untouched.

    A link is followed, and its target replaced. Raises OSError naming path, ValueError where path is there and no file.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is a folder or a device; it needs to be a file")
    temporary = twin(path, f"{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.errno is None:
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from error  # not the temporary's name
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(path: str | Path) -> None:
    """Delete the temporary files of path that killed processes left behind."""
    path = Path(os.path.realpath(path))
    if os.name != "posix" or not path.parent.is_dir():
        return
    before = re.escape(twin(path, "").name)
    for temporary in path.parent.iterdir():
        ours = re.fullmatch(before + r"(\d+)-\d+\.tmp", temporary.name)
        if ours:
            try:
                os.kill(int(ours.group(1)), 0)  # signal 0 only asks whether the process is there
            except ProcessLookupError:
                temporary.unlink(missing_ok=True)
            except OSError:
                pass


@contextmanager
def only_writer(path: str | Path) -> Iterator[None]:
    """Within it, no other run that asks for the same path goes on: it gets a ValueError.

    What is asked for is a lock on a file beside path, which is there as long as this lasts. The system takes the lock
    back from a process that is killed; where it has no locks, nobody is refused. Raises OSError, naming path, where
    nothing can be written beside it.
    """
    beside = twin(Path(os.path.realpath(path)), "lock")
    try:
        import fcntl
    except ImportError:  # not POSIX
        yield
        return
    while True:
        try:
            lock = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise type(error)(error.errno, error.strerror, str(path)) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise ValueError(f"{path} is being written by another run of npbilstm, which is not at its end") from None
        except OSError:  # a file system without locks
            break
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), os.stat(beside)):
                break
        os.close(lock)  # the run before took it away between the two calls
    try:
        yield
    finally:
        with suppress(OSError):
            os.unlink(beside)
        os.close(lock)
