"""What the commands write to: a terminal, a pipe that may close, or nothing at all."""

from __future__ import annotations

import os
import textwrap
import traceback
from contextlib import suppress
from pathlib import Path

from npbilstm.files import require_name
from npbilstm.printable import printable

WIDTH = 100


def show(text: str = "") -> None:
    """Print a line. Where it cannot be printed, go on: what a command makes is worth more, and the command line tells
    of it at the end."""
    with suppress(OSError):
        print(text, flush=True)


def say(text: str = "") -> None:
    """As show, without what steers a terminal."""
    show(printable(text))


def say_wrapped(text: str) -> None:
    """Say a sentence in lines of WIDTH; nothing of an empty one."""
    for line in textwrap.wrap(text, WIDTH):
        say(line)


def fault_of(error: BaseException) -> str:
    """The sentence for an error that nobody expected, which is nobody's fault but this program's."""
    place = traceback.extract_tb(error.__traceback__)
    where = f", at line {place[-1].lineno} of {Path(place[-1].filename).name}" if place else ""
    message = f"{type(error).__name__}: {error}".rstrip(": ")
    return f"something went wrong in npbilstm itself, and not in what it was given ({message}{where})"


def require_place(option: str, path: str) -> None:
    """Raise unless a file may stand there: path is a name, its folder is there, and it is no folder or device."""
    if not path:
        raise ValueError(f"{option} is empty; it needs the name of a file")
    require_name(option, path)
    if not Path(path).absolute().parent.is_dir():
        raise FileNotFoundError(2, f"{option} needs a folder that exists", str(Path(path).parent))
    if Path(path).is_dir():
        raise ValueError(f"{option} is {path}, a folder; it needs the name of a file")
    if Path(path).exists() and not Path(path).is_file():
        raise ValueError(f"{option} is {path}, a pipe or a device; it needs the name of a file")


def require_free(option: str, path: str, overwrite: bool, inputs: list[str | None], instead: str = "") -> None:
    """Raise unless a command may write to path: a file may stand there, it is no input, is new or may be replaced."""
    require_place(option, path)
    if not Path(path).exists():
        return
    if any(given and os.path.exists(given) and Path(path).samefile(given) for given in inputs):
        raise ValueError(f"{option} is {path}, which this command reads; choose another name")
    if not overwrite:
        raise ValueError(f"{path} exists; {instead}choose another {option}, or allow it with --overwrite")
