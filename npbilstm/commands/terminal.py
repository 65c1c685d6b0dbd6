"""What the commands write to: a terminal, a pipe that may close, or nothing at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from npbilstm.inspector.highlight import printable


def say(text: str = "") -> None:
    """Print a line. Where the reader has gone away, go on without one: what a command makes is worth more."""
    try:
        print(printable(text), flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115


def require_free(option: str, path: str, overwrite: bool, inputs: list[str | None], instead: str = "") -> None:
    """Raise unless a command may write to path: its folder is there, it is no input, it is new or may be replaced."""
    if not path:
        raise ValueError(f"{option} is empty; it needs the name of a file")
    if not Path(path).absolute().parent.is_dir():
        raise FileNotFoundError(2, f"{option} needs a folder that exists", str(Path(path).parent))
    if not Path(path).exists():
        return
    if Path(path).is_dir():
        raise ValueError(f"{option} is {path}, a folder; it needs the name of a file")
    if any(given and Path(given).exists() and Path(path).samefile(given) for given in inputs):
        raise ValueError(f"{option} is {path}, which this command reads; choose another name")
    if not overwrite:
        raise ValueError(f"{path} exists; {instead}choose another {option}, or allow it with --overwrite")
