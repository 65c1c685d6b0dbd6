"""What a class handed in: submissions in a folder, each a folder, a zip or files of its own.

    ALICE/ex08_flip.py, BOB/ps1/ex08_flip.ipynb        a folder each, as nbgrader's submitted/NAME/ps1/ too
    carol.zip                                          a zip each
    dora_ex08_flip.py                                  files, whose names begin with whose they are

Nothing is unpacked and no link is followed: an entry of a zip that climbs out, is a link or is too large is left out.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from npbilstm.classroom.exercise import Exercise
from npbilstm.classroom.exercises import EXERCISES
from npbilstm.classroom.handed_in import MEGABYTES, source_of

NAMED = re.compile(r"(?:(.+?)[_-])?ex\d+_(\w+?)(\.py|\.ipynb)")
"""A file's name: maybe whose it is, then the exercise's."""
DEPTH, ENTRIES = 4, 500
"""How deep a folder is looked through, and at how many entries of a folder or of a zip."""
LARGEST = MEGABYTES * 10**6


class Collected(NamedTuple):
    """A submission as it was handed in. sources: the exercises that it has -> the file's name and its source. unread:
    sentences on what of it is not graded. digest: of all of it."""

    name: str
    sources: dict[Exercise, tuple[str, str]]
    unread: tuple[str, ...]
    digest: str


def collect(folder: str | Path) -> dict[str, list[Path]]:
    """The submissions in a folder: names -> their paths. Raises ValueError where there are none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder; it needs the folder that the submissions are in")
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or path.name.startswith((".", "__")):
            continue
        matched = NAMED.fullmatch(path.name)
        if path.is_dir():
            found.setdefault(path.name, []).append(path)
        elif path.suffix == ".zip":
            found.setdefault(path.stem, []).append(path)
        elif matched:
            found.setdefault(matched[1] or folder.resolve().name, []).append(path)
    if not found:
        raise ValueError(f"{folder} has no submissions; it needs a folder, a zip or files for each")
    return found


def read(name: str, paths: list[Path]) -> Collected:
    """Read a submission. What cannot be read is said, and costs no more than what is in it."""
    sources: dict[Exercise, tuple[str, str]] = {}
    unread: list[str] = []
    digest = hashlib.sha256()
    for path in paths:
        for file, data in files_in(path):
            digest.update(repr((file, data)).encode())
            where = PurePosixPath(file).name
            matched = NAMED.fullmatch(where)
            if isinstance(data, str):
                unread.append(data)
            elif matched and matched[2] in EXERCISES:
                exercise = EXERCISES[matched[2]]
                if exercise in sources:
                    unread.append(f"{where} is there twice; the first is graded")
                    continue
                try:
                    sources[exercise] = where, source_of(Path(where), data)
                except ValueError as error:
                    unread.append(str(error))
    return Collected(name, sources, tuple(unread), digest.hexdigest())


def files_in(path: Path) -> Iterator[tuple[str, bytes | str]]:
    """The exercises' files in a folder, a zip or a file: name and content, or a sentence on why it is not read."""
    if path.suffix == ".zip" and path.is_file():
        yield from files_in_zip(path)
        return
    for each in [path] if not path.is_dir() else sorted(walk(path, DEPTH), key=lambda p: (len(p.parts), str(p))):
        if not NAMED.fullmatch(each.name):
            continue
        name = str(each.name)
        try:
            handle = os.open(each, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            yield name, f"{name} is a link, or cannot be read"
            continue
        with open(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                yield name, f"{name} is no file"
            else:
                data = file.read(LARGEST + 1)
                yield name, data if len(data) <= LARGEST else f"{name} has more than {MEGABYTES} MB"


def walk(folder: Path, depth: int) -> Iterator[Path]:
    """What is in a folder and in those inside it; links are given, and not followed."""
    for each in sorted(folder.iterdir())[:ENTRIES]:
        if each.is_dir() and not each.is_symlink():
            if depth and not each.name.startswith((".", "__")):
                yield from walk(each, depth - 1)
        else:
            yield each


def files_in_zip(path: Path) -> Iterator[tuple[str, bytes | str]]:
    """The exercises' files in a zip, read where it lies."""
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist()[:ENTRIES]:
                place = PurePosixPath(entry.filename)
                if entry.is_dir() or not NAMED.fullmatch(place.name):
                    continue
                if place.is_absolute() or ".." in place.parts or "\\" in entry.filename:
                    yield place.name, f"{place.name} is to lie outside of its zip"
                elif stat.S_ISLNK(entry.external_attr >> 16):
                    yield place.name, f"{place.name} is a link"
                elif entry.flag_bits & 1:
                    yield place.name, f"{place.name} is encrypted"
                else:
                    with archive.open(entry) as file:
                        data = file.read(LARGEST + 1)  # what is read, not what the zip says of itself
                    yield place.name, data if len(data) <= LARGEST else f"{place.name} has more than {MEGABYTES} MB"
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        yield path.name, f"{path.name} cannot be read as a zip: {type(error).__name__}"
    except Exception as error:  # zlib, lzma and bz2 have errors of their own
        yield path.name, f"{path.name} cannot be unpacked: {type(error).__name__}"
