"""What is handed in: the exercises' files in a folder, and the code in a file or in a notebook."""

from __future__ import annotations

import io
import re
import tempfile
import tokenize
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from npbilstm.classroom.exercise import Exercise
from npbilstm.classroom.exercises import ALL
from npbilstm.classroom.formats import ENDINGS
from npbilstm.files import open_file, read_json

MEGABYTES = 5
"""How large a file may be; a notebook may hold pictures."""
NOT_CODE = re.compile(r"\s*[%!?]|(print\()?check_exercise\(")
"""How a notebook's lines begin that are no code, or ask how it stands."""


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
    if len(data) > MEGABYTES * 10**6:
        raise ValueError(f"{path.name} has more than {MEGABYTES} MB")
    try:
        if path.suffix == ENDINGS[1]:
            return source_of_cells(read_json(data))
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} is no text in UTF-8, or in the encoding that it names: {error}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ValueError(f"{path.name} is no notebook that can be read") from None


def source_of_cells(notebook: dict[str, list[dict[str, str | list[str]]]]) -> str:
    """The code in a notebook's cells, one after another, without magics and without what asks how it stands."""
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    lines = "\n\n".join(cell for cell in cells if not cell.lstrip().startswith("%%")).split("\n")
    return "\n".join("" if NOT_CODE.match(line) else line for line in lines)


@contextmanager
def as_python(path: Path, source: str) -> Iterator[Path]:
    """A Python file with this source: the file itself, or for a notebook one that is there for as long as it runs."""
    if path.suffix != ENDINGS[1]:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{path.stem}.py"
        file.write_text(source, encoding="utf-8", newline="\n")
        yield file
