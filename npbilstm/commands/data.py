"""Where a model's data comes from, in a form that a model file can hold and a later run can follow back."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from npbilstm.datasets import TaggedData, python_source, tagged_text
from npbilstm.datasets.python_source import CHARACTERS

PYTHON, TEXT = "python source", "tagged text"


def describe_data(
    data: str | None, valid: str | None, test: str | None, characters: int, window: int, seed: int
) -> dict[str, Any]:
    """The data's description: Python source for no path or a folder, tagged text for a file.

    Raises FileNotFoundError where a path does not exist, ValueError where options do not go together.
    """
    for path in (data, valid, test):
        if path is not None and not Path(path).exists():
            raise FileNotFoundError(2, "there is no such file or folder", path)
    if data is None or Path(data).is_dir():
        if valid or test:
            raise ValueError("--valid and --test go with a tagged-text file; Python source is split by file")
        folder = None if data is None else str(Path(data).resolve())
        return {"kind": PYTHON, "folder": folder, "characters": characters, "window": window}
    files = {
        name: str(Path(p).resolve()) if p else None for name, p in [("train", data), ("valid", valid), ("test", test)]
    }
    return {"kind": TEXT, **files, "seed": seed}


def load_data(description: dict[str, Any]) -> TaggedData:
    """The data that was described. Raises OSError or ValueError, as the readers do."""
    options = {name: value for name, value in description.items() if name not in ("kind", "fingerprint")}
    return (python_source if description["kind"] == PYTHON else tagged_text)(**options)


def fingerprint(data: TaggedData) -> str:
    """A hash of everything that training sees: another fingerprint, another run."""
    digest = hashlib.sha256("\0".join([*data.vocabulary.symbols, "", *data.classes]).encode())
    for part in (data.train, data.valid):
        for ids, labels in part:
            digest.update(ids.tobytes() + labels.tobytes())
    return digest.hexdigest()


def about(data: TaggedData, description: dict[str, Any]) -> dict[str, Any]:
    """What a model file says of its data: enough to use the model without it, and to find it again."""
    symbols = None if data.vocabulary is CHARACTERS else data.vocabulary.symbols[1:]
    return {"data": {**description, "fingerprint": fingerprint(data)}, "symbols": symbols, "classes": data.classes}
