"""A submitted file, read as text before it is run. What is no Python source, and no notebook, is a sentence."""

from __future__ import annotations

import difflib
import io
import tokenize
from pathlib import Path

from npbilstm.submission.notebook import SUFFIX

KILOBYTES = 500
"""How much source there may be."""
SHOWN = 5
"""How many names of a folder's files a sentence has."""
MEGABYTES = 50
"""How large a notebook may be, which holds pictures too."""


def read_submission(path: str) -> str:
    """The text of a Python file or of a notebook. Raises ValueError, a sentence, where it is none, OSError where it
    cannot be read."""
    require_file(path)
    size = Path(path).stat().st_size // 1024
    if size > (MEGABYTES * 1024 if path.endswith(SUFFIX) else KILOBYTES):
        raise ValueError(f"{path} has {size:,} KB; it needs to be Python source of {KILOBYTES} KB at most")
    data = Path(path).read_bytes()
    if b"\0" in data:
        model = "; npbilstm inspect shows a model's file" if path.endswith(".npz") else ""
        raise ValueError(f"{path} holds binary data; it needs to be Python source{model}")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no text in UTF-8, or in the encoding that it names: {error}") from None
    if not text.strip():
        raise ValueError(f"{path} is empty; it needs to define functions of yours")
    return text


def require_file(path: str) -> None:
    """Raise ValueError unless there is a file."""
    file = Path(path)
    if file.is_dir():
        raise ValueError(f"{path} is a folder; it needs a file{sources_in(file)}")
    if not file.exists():
        raise ValueError(f"{path} is not there{instead_of(file)}")
    if not file.is_file():
        raise ValueError(f"{path} is no ordinary file; it needs one of Python source")


def sources_in(folder: Path) -> str:
    """The Python files of a folder, for the end of a sentence; "" where it has none."""
    names = sorted(each.name for each in folder.iterdir() if each.suffix == ".py")
    return f", {', '.join(names[:SHOWN])}{' ...' if len(names) > SHOWN else ''} in it" if names else ""


def instead_of(file: Path) -> str:
    """What may be meant by a file that is not there, for the end of a sentence."""
    folder = file.parent
    if not folder.is_dir():
        return f", and neither is the folder {folder}"
    near = difflib.get_close_matches(file.name, [each.name for each in folder.iterdir()], 3, 0.6)
    if near:
        return f"; the closest in its folder: {', '.join(near)}"
    return f"; it needs a file of Python source{sources_in(folder)}"
