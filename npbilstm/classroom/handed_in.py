"""What is handed in: the exercises' files in a folder, and the code in a file or in a notebook."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

from npbilstm.classroom.exercise import Exercise
from npbilstm.classroom.exercises import ALL
from npbilstm.classroom.formats import ENDINGS
from npbilstm.files import open_file
from npbilstm.submission.notebook import SUFFIX, submitted_source

MEGABYTES = 5
"""How large a file may be; a notebook may hold pictures."""


def exercises_in(path: str | Path) -> list[tuple[Exercise, Path]]:
    """The exercises that have a file in a folder, or the one that a file is, in their order.

    Raises ValueError where there is none, OSError where the folder cannot be read.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path} is not there; it needs a folder that `npbilstm exercise start` has made")
    endings = "|".join(map(re.escape, ENDINGS))
    found = []
    for file in [path] if path.is_file() else sorted(path.iterdir()):
        matched = re.fullmatch(rf"ex\d+_(\w+)({endings})", file.name)
        found += [(exercise, file) for exercise in ALL if matched and matched[1] == exercise.name]
    if not found:
        raise ValueError(
            f"{path} has no exercise; it needs files as `npbilstm exercise start {path}` writes them, whose names "
            "are left as they are"
        )
    return sorted(found, key=lambda each: ALL.index(each[0]))


def source_in(path: Path) -> str:
    """The Python source in a file or in a notebook's cells. Raises ValueError where it has none, OSError where it
    cannot be read."""
    with open_file(path) as file:
        data = file.read(MEGABYTES * 10**6 + 1)
    return source_of(path, data)


def source_of(path: Path, data: bytes) -> str:
    """The Python source in the bytes of a file or of a notebook. Raises ValueError where it has none."""
    if len(data) > MEGABYTES * 10**6:
        raise ValueError(f"{path.name} has more than {MEGABYTES} MB")
    try:
        encoding = "utf-8" if path.suffix == SUFFIX else tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        return submitted_source(path, data.decode(encoding))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} is no text in UTF-8, or in the encoding that it names: {error}") from None
    except ValueError as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from None
