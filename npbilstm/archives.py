"""NumPy's .npz archives, read without believing what they say of themselves: a few kilobytes can claim to hold, or
unpack to, gigabytes. What the directory and the arrays' headers say is compared with the bytes that are there before
memory is taken for an array.

An .npz is a zip archive with a member NAME.npy for each array. np.savez stores them as they are, so that together they
are no larger than the file; np.savez_compressed packs them, and what they unpack to has a limit.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from npbilstm.files import naming, open_file

LEAST, TIMES = 2**20, 10
"""Packed members may unpack to so many bytes, or so many times the file's size, whichever is more."""

CHUNK = 2**20
"""So many bytes are read at a time."""

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
"""How the header of a member is read, by its version; the third is for names of fields, which no weight has."""


class Archive:
    """An archive that is open, and whose directory makes sense. names: of its arrays."""

    def __init__(self, path: Path, content: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> None:
        self.path, self.names = path, list(members)
        self.content, self.members = content, members

    def read(self, name: str) -> np.ndarray:
        """One array. Raises ValueError, naming the file, where it is damaged or its header is not true."""
        with damage_named(self.path):
            member = self.members[name]
            with self.content.open(member) as file:
                shape, by_columns, dtype = header_of(name, file)
                left = member.file_size - file.tell()
                if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != left or not dtype.itemsize:
                    raise ValueError(f"{name!r} is said to be {dtype} of shape {shape}; it has {left:,} bytes")
                content = bytearray(left)
                for begin in range(0, left, CHUNK):  # at the end of the last one zipfile compares the checksum
                    content[begin : begin + CHUNK] = file.read(CHUNK)
            return np.ndarray(shape, dtype, content, order="F" if by_columns else "C")


@contextmanager
def open_archive(
    path: str | Path, max_bytes: int | None = None, otherwise: str = "is no .npz archive"
) -> Iterator[Archive]:
    """An archive to be read. max_bytes: what its packed members may unpack to; None: ten times its size, or 1 MiB.

    Raises OSError where there is no file; ValueError, naming it, where it is damaged or cut short, or unpacks to more.
    otherwise: what the sentence says of a file of another kind.
    """
    with open_file(path) as file, naming(path):
        if file.read(4) != b"PK\x03\x04":
            raise ValueError(f"{path} {otherwise}")
        size = os.fstat(file.fileno()).st_size
        with damage_named(path):
            content = zipfile.ZipFile(file)
            members = members_of(content, size)
        require_room(path, size, members, max_bytes)
        yield Archive(Path(path), content, members)


@contextmanager
def damage_named(path: str | Path) -> Iterator[None]:
    """Within it, whatever goes wrong is a ValueError that names the file."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # zipfile, its decompressors and NumPy raise many things for bytes not theirs
        raise ValueError(f"{path} is damaged or cut short: {' '.join(str(error).split())}") from error


def members_of(content: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The members by the names of their arrays. Raises ValueError for what no archive of NumPy's has."""
    members: dict[str, zipfile.ZipInfo] = {}
    stored = 0
    for member in content.infolist():
        name = member.filename.removesuffix(".npy")
        if name in members:
            raise ValueError(f"it holds {name!r} twice")
        if member.flag_bits & 1:
            raise ValueError(f"{name!r} is encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{name!r} is packed in a way that np.savez_compressed does not use")
        if member.compress_type == zipfile.ZIP_STORED:
            stored += max(member.file_size, member.compress_size)
        members[name] = member
    if stored > size:
        raise ValueError(f"its arrays are said to have {stored:,} bytes; it has {size:,}")
    return members


def require_room(path: str | Path, size: int, members: dict[str, zipfile.ZipInfo], max_bytes: int | None) -> None:
    """Raise ValueError where the packed members unpack to more than they may."""
    packed = sum(member.file_size for member in members.values() if member.compress_type == zipfile.ZIP_DEFLATED)
    usual = max(LEAST, TIMES * size)
    if packed > (usual if max_bytes is None else require_bytes(max_bytes)):
        raise ValueError(
            f"{path} has {size:,} bytes and unpacks to {packed:,}; it may unpack to {usual:,} (ten times its size, or "
            f"1 MiB), or to max_bytes={packed} (on the command line: --max-bytes {packed})"
        )


def require_bytes(value: int) -> int:
    """A number of bytes, or a TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"max_bytes is {value!r}; it needs a whole number")
    if value < 0:
        raise ValueError(f"max_bytes is {value}; it needs to be at least 0")
    return int(value)


def header_of(name: str, file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """A member's shape, whether it is stored column by column, and its dtype, as its header says; the file then stands
    at its numbers. Raises ValueError."""
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise ValueError(f"{name!r} is of version {version} of NumPy's format; it needs 1.0 or 2.0")
    shape, by_columns, dtype = HEADERS[version](file)
    if dtype.hasobject:
        raise ValueError(f"Object arrays cannot be loaded, which {name!r} is")
    return shape, by_columns, dtype
