"""Files are written to a temporary name beside their own and renamed: whenever the machine stops, a file is the old one
or the new one, whole.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO


def write_atomically(path: str | Path, write: Callable[[BinaryIO], Any]) -> None:
    """write(file) to a temporary file beside path, then rename it to path. On failure path is untouched.

    A link is followed, and its target replaced. Raises OSError naming path, ValueError where path is there and no file.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is a folder or a device; it needs to be a file")
    temporary = path.with_name(f".{path.name[:200]}.{os.getpid()}-{threading.get_ident()}.tmp")
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
    for temporary in path.parent.iterdir():
        ours = re.fullmatch(re.escape(f".{path.name[:200]}.") + r"(\d+)-\d+\.tmp", temporary.name)
        if ours:
            try:
                os.kill(int(ours.group(1)), 0)  # signal 0 only asks whether the process is there
            except ProcessLookupError:
                temporary.unlink(missing_ok=True)
            except OSError:
                pass
