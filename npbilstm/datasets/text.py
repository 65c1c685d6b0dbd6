"""Text from a file or a stream, read within bounds: what is no text, or has no end, gets a sentence.

What parts words and lines in a file is ASCII's white space alone. Of the rest of Unicode's, U+3000 or a no-break space
may stand in a word or be one.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import BinaryIO

MOST_MEGABYTES = 256
"""How much text a file may hold."""
MOST_CHARACTERS = 10_000_000
"""How long a line of words may be."""
WHITE = " \t\n\r\f\v"
"""ASCII's white space."""

_WORD = re.compile(f"[^{WHITE}]+")


def blank_separated(line: str) -> list[str]:
    """The words of a line, parted by ASCII's white space."""
    return _WORD.findall(line)


def read_text(path: str | Path) -> str:
    """A text file, its line ends as \\n.

    Raises OSError where it cannot be read; ValueError, naming the file, where it is binary, too large, a pipe that
    nobody writes to, or, naming the line too, where it is not UTF-8.
    """
    return decode(read_file(path), str(path))


def read_file(path: str | Path) -> bytearray:
    """A text file's bytes. A pipe is waited for only where somebody writes to it. Raises as read_text does."""
    with open(Path(path), "rb", opener=open_at_once) as file:
        kind = os.fstat(file.fileno())
        if stat.S_ISREG(kind.st_mode):
            require_at_most(kind.st_size, str(path))
        raw = read_stream(file, str(path))
        if not raw and stat.S_ISFIFO(kind.st_mode):
            raise ValueError(f"{path} is a pipe that nobody writes to; there is nothing to read")
    return raw


def open_at_once(path: str, flags: int) -> int:
    """As os.open, which waits at a pipe until somebody writes to it; what is opened waits as usual."""
    if os.name != "posix":
        return os.open(path, flags)
    opened = os.open(path, flags | os.O_NONBLOCK)
    os.set_blocking(opened, True)
    return opened


def read_stream(file: BinaryIO, name: str) -> bytearray:
    """All bytes of a stream, which may be a device without an end; name is for errors. Raises as read_text does."""
    raw = bytearray()
    try:
        while piece := file.read(2**20):
            if b"\0" in piece:
                raise ValueError(
                    f"{name} holds null bytes: it is binary data, or text in UTF-16; it needs to be text in UTF-8"
                )
            raw += piece
            require_at_most(len(raw), name)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, name) from error
    return raw


def require_at_most(size: int, name: str) -> None:
    """Raise ValueError for more bytes than are read."""
    if size > MOST_MEGABYTES * 2**20:
        raise ValueError(f"{name} holds more than {MOST_MEGABYTES} MB, which is the most that is read; split it")


def require_lines(text: str, name: str) -> None:
    """Raise ValueError for a line that is longer than any sentence."""
    if len(text) <= MOST_CHARACTERS:
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > MOST_CHARACTERS:
            raise ValueError(
                f"{name}, line {number}: {len(line):,} characters; a line of words may have {MOST_CHARACTERS:,}"
            )


def decode(raw: bytes | bytearray, name: str) -> str:
    """UTF-8 text, its line ends as \\n. Raises ValueError naming the file and the line where it is none."""
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ValueError(f"{name}, line {line}: this is not UTF-8 text ({error.reason})") from error
