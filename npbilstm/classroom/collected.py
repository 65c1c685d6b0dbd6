"""What a class handed in: submissions in a folder, each a folder, a zip or files of its own.

    ALICE/ex08_flip.py, BOB/ps1/ex08_flip.ipynb        a folder each, as nbgrader's submitted/NAME/ps1/ too
    carol.zip                                          a zip each
    dora_ex08_flip.py                                  files, whose names begin with whose they are

Nothing is unpacked and no link is followed: an entry of a zip that climbs out, is a link or is too large is left out.
Nothing that may be somebody's work is left out without a sentence: who has no points for it is to learn why.
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
WORK = (".py", ".ipynb", ".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
"""How names end that may be of somebody's work, in small letters."""
HIDDEN = (".", "__")
"""How names begin that systems and tools give: .git, .ipynb_checkpoints, __pycache__, __MACOSX, and ._ex09_flip.py, in
which macOS keeps what it knows of ex09_flip.py."""
DEPTH, ENTRIES = 4, 500
"""How deep a folder is looked through, and at how many entries of a folder or of a zip."""
SHOWN = 5
"""How many names of files that are no exercise's are told."""
LARGEST = MEGABYTES * 10**6


class Collected(NamedTuple):
    """A submission as it was handed in. sources: the exercises that it has -> the file's name and its source. unread:
    sentences on what of it is not graded. digest: of all of it."""

    name: str
    sources: dict[Exercise, tuple[str, str]]
    unread: tuple[str, ...]
    digest: str


def collect(folder: str | Path, besides: Path | None = None) -> dict[str, list[Path]]:
    """The submissions in a folder: names -> their paths. besides: the folder of the results, which may be in it.

    Raises ValueError where there are none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder; it needs the folder that the submissions are in")
    found: dict[str, list[Path]] = {}
    for path in entries_of(folder, besides):
        name = name_in(path, folder)
        if name is not None:
            found.setdefault(name, []).append(path)
    if not found:
        raise ValueError(f"{folder} has no submissions; it needs a folder, a zip or files for each")
    return found


def left_out(folder: str | Path, besides: Path | None = None) -> list[str]:
    """The names in a folder of what is no submission."""
    return [path.name for path in entries_of(Path(folder), besides) if name_in(path, Path(folder)) is None]


def entries_of(folder: Path, besides: Path | None) -> list[Path]:
    """What is in a folder of submissions, but for what is hidden and the results."""
    there = [path for path in sorted(folder.iterdir()) if not path.name.startswith(HIDDEN)]
    return [path for path in there if besides is None or path.resolve() != besides.resolve()]


def name_in(path: Path, folder: Path) -> str | None:
    """Whose something in a folder of submissions is; None where it is no submission. Links are not followed."""
    if path.is_symlink():
        return None
    if path.is_dir():
        return path.name
    if path.suffix.lower() == ".zip":
        return path.stem
    matched = NAMED.fullmatch(path.name)
    return (matched[1] or folder.resolve().name) if matched else None


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
            elif matched:
                exercise = EXERCISES[matched[2]]
                if exercise in sources:
                    unread.append(f"{where} is there twice; the first is graded")
                    continue
                try:
                    sources[exercise] = where, source_of(Path(where), data)
                except ValueError as error:
                    unread.append(str(error))
    return Collected(name, sources, tuple(unread), digest.hexdigest())


def is_exercise(name: str) -> bool:
    """Whether a file's name is that of an exercise."""
    matched = NAMED.fullmatch(name)
    return matched is not None and matched[2] in EXERCISES


def files_in(path: Path) -> Iterator[tuple[str, bytes | str]]:
    """The exercises' files in a folder, a zip or a file: name and content, or a sentence on why it is not read."""
    other: list[str] = []
    if path.is_dir():
        said: list[str] = []
        for each in sorted(walk(path, DEPTH, said), key=lambda p: (len(p.parts), str(p))):
            if is_exercise(each.name):
                yield each.name, content_of(each)
            else:
                other.append(each.name)
        yield from ((path.name, sentence) for sentence in said)
    elif path.suffix.lower() == ".zip":
        yield from files_in_zip(path, other)
    elif is_exercise(path.name):
        yield path.name, content_of(path)
    else:
        other.append(path.name)
    other = [name for name in other if name.lower().endswith(WORK)]
    if other:
        more = f" and {len(other) - SHOWN} more" if len(other) > SHOWN else ""
        yield path.name, f"no exercise's name, and so not graded: {', '.join(other[:SHOWN])}{more}"


def content_of(path: Path) -> bytes | str:
    """The content of a file, or a sentence on why it is not read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return f"{path.name} is a link, or cannot be read"
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return f"{path.name} is no file"
        return of_a_size(path.name, file.read(LARGEST + 1))


def of_a_size(name: str, data: bytes) -> bytes | str:
    """What was read, or a sentence where that is too much."""
    return data if len(data) <= LARGEST else f"{name} has more than {MEGABYTES} MB"


def walk(folder: Path, depth: int, said: list[str]) -> Iterator[Path]:
    """What is in a folder and in those inside it, but for what is hidden; links are given, and not followed. said:
    takes sentences on what is not looked at."""
    try:
        there = sorted(each for each in folder.iterdir() if not each.name.startswith(HIDDEN))
        folders = {each for each in there[:ENTRIES] if each.is_dir() and not each.is_symlink()}
    except OSError:
        said.append(f"the folder {folder.name} cannot be read")
        return
    if len(there) > ENTRIES:
        said.append(f"of the {len(there):,} entries of the folder {folder.name}, no more than {ENTRIES} are looked at")
    for each in there[:ENTRIES]:
        if each not in folders:
            yield each
        elif depth:
            yield from walk(each, depth - 1, said)
        else:
            said.append(f"the folder {each.name} lies too deep, and is not looked at")


def files_in_zip(path: Path, other: list[str]) -> Iterator[tuple[str, bytes | str]]:
    """The exercises' files in a zip, read where it lies. other: takes the names of its other files."""
    try:
        with zipfile.ZipFile(path) as archive:
            there = [each for each in archive.infolist() if not each.is_dir() and not is_hidden(each.filename)]
            for entry in there[:ENTRIES]:
                place = PurePosixPath(entry.filename)
                if not is_exercise(place.name):
                    other.append(place.name)
                elif place.is_absolute() or ".." in place.parts or "\\" in entry.filename:
                    yield place.name, f"{place.name} is to lie outside of its zip"
                elif stat.S_ISLNK(entry.external_attr >> 16):
                    yield place.name, f"{place.name} is a link"
                elif entry.flag_bits & 1:
                    yield place.name, f"{place.name} is encrypted"
                else:
                    with archive.open(entry) as file:
                        data = file.read(LARGEST + 1)  # what is read, not what the zip says of itself
                    yield place.name, of_a_size(place.name, data)
            if len(there) > ENTRIES:
                yield path.name, f"of the {len(there):,} files of {path.name}, no more than {ENTRIES} are looked at"
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        yield path.name, f"{path.name} cannot be read as a zip: {type(error).__name__}"
    except Exception as error:  # zlib, lzma and bz2 have errors of their own
        yield path.name, f"{path.name} cannot be unpacked: {type(error).__name__}"


def is_hidden(name: str) -> bool:
    """Whether an entry of a zip, or a folder that it is in, is hidden; to climb out hides nothing."""
    return any(part.startswith(HIDDEN) and part != ".." for part in PurePosixPath(name).parts)
