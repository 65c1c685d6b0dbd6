"""Where a model's data comes from, in a form that a model file can hold and a later run can follow back."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, NamedTuple

from npbilstm.datasets import TaggedData, Vocabulary, python_source, tagged_text
from npbilstm.datasets.columns import Shape, require_columns
from npbilstm.datasets.python_source import CHARACTERS
from npbilstm.layers.models import SequenceModel

PYTHON, TEXT = "python source", "tagged text"


def describe_data(
    data: str | None,
    valid: str | None,
    test: str | None,
    characters: int,
    window: int,
    seed: int,
    columns: str | None = None,
) -> dict[str, Any]:
    """The data's description: Python source for no path or a folder, tagged text for a file.

    columns: of tagged text, as --columns takes them.

    Raises FileNotFoundError where a path does not exist, ValueError where options do not go together.
    """
    for path in (data, valid, test):
        if path is not None and not (path and Path(path).exists()):
            raise FileNotFoundError(2, "there is no such file or folder", path)
    if data is None or Path(data).is_dir():
        if valid or test:
            raise ValueError("--valid and --test go with a tagged-text file; Python source is split by file")
        if columns is not None:
            raise ValueError("--columns goes with a tagged-text file; Python source has no columns")
        folder = None if data is None else str(Path(data).absolute())
        return {"kind": PYTHON, "folder": folder, "characters": characters, "window": window}
    paths = {"train": data, "valid": valid, "test": test}
    chosen = {} if columns is None else {"columns": parse_columns(columns)}
    where = {part: path and str(Path(path).absolute()) for part, path in paths.items()}
    return {"kind": TEXT, **where, "seed": seed, **chosen}


def parse_columns(text: str) -> list[int | str]:
    """What --columns says: the word's column and the tag's, e.g. "1,4" or "FORM,UPOS". Raises ValueError for others."""
    said = [part.strip() for part in text.split(",")]
    try:
        return list(require_columns([int(part) if re.fullmatch("-?[0-9]{1,9}", part) else part for part in said]))
    except ValueError as error:
        why = str(error).partition("; ")[2]
        raise ValueError(f"--columns is {text!r}; {why}") from error


def load_data(description: dict[str, Any]) -> TaggedData:
    """The data that was described. Raises OSError or ValueError, as the readers do."""
    options = {name: value for name, value in description.items() if name not in ("kind", "fingerprint", "width")}
    try:
        return (python_source if description["kind"] == PYTHON else tagged_text)(**options)
    except TypeError as error:
        raise ValueError(f"the description of the data makes no sense: {error}") from error


def fingerprint(data: TaggedData) -> str:
    """A hash of everything that training sees: another fingerprint, another run."""
    digest = hashlib.sha256("\0".join([*data.vocabulary.symbols, "", *data.classes]).encode())
    for part in (data.train, data.valid):
        for ids, labels in part:
            digest.update(ids.tobytes() + labels.tobytes())
    return digest.hexdigest()


def load_again(path: Path, about: About) -> TaggedData:
    """The data of the run in path, which goes on. Raises ValueError where it cannot be read, or is not what it was."""
    try:
        data = load_data(about.description)
    except (OSError, ValueError) as error:
        why = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else error
        raise ValueError(f"{path}: its run needs its data to go on: {why}") from error
    if fingerprint(data) != about.description.get("fingerprint"):
        source = about.description.get("train") or about.description.get("folder") or "the standard library"
        raise ValueError(f"{source} is not what it was when {path} was begun; the run cannot be resumed on other data")
    if (data.vocabulary.symbols, data.classes) != (about.vocabulary.symbols, about.classes):
        raise ValueError(f"{path} is damaged: the symbols and classes that it names are not those of its data")
    return data


class About(NamedTuple):
    """What a model file says of its data: enough to use the model without the data, and to find the data again.

    symbols: without the unknown one; None for Python's characters. description: as describe_data makes it, and the
    data's fingerprint; of tagged text whose columns were said, how many it has.
    """

    symbols: list[str] | None
    classes: list[str]
    description: dict[str, Any]

    @property
    def vocabulary(self) -> Vocabulary:
        """The numbers of the symbols."""
        return CHARACTERS if self.symbols is None else Vocabulary(self.symbols)

    @property
    def words(self) -> bool:
        """Whether symbols are words, not characters of Python."""
        return bool(self.description["kind"] == TEXT)

    def columns_for(self, shape: Shape) -> list[int | str] | None:
        """The columns that were said in training, where they name columns of this text, or number as many as it has."""
        columns = self.description.get("columns")
        try:
            chosen = require_columns(columns or ())
        except ValueError:
            return None
        names = {name.upper() for name in shape.names}
        fits = all(
            each.upper() in names if isinstance(each, str) else self.description.get("width") == shape.width
            for each in chosen
        )
        return list(chosen) if fits else None

    def to_json(self) -> dict[str, Any]:
        """For the model file."""
        return {"data": self.description, "symbols": self.symbols, "classes": self.classes}


def about_data(data: TaggedData, description: dict[str, Any]) -> About:
    """What to say of this data."""
    symbols = None if data.vocabulary is CHARACTERS else data.vocabulary.symbols[1:]
    width = {"width": data.width} if "columns" in description else {}
    return About(symbols, data.classes, {**description, **width, "fingerprint": fingerprint(data)})


def read_about(path: str | Path, said: dict[str, Any], model: SequenceModel) -> About:
    """What a model file says of its data, checked. Raises ValueError where it does not say it, or says nonsense."""

    def strings(value: Any) -> bool:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)

    symbols, classes, description = said.get("symbols"), said.get("classes", []), said.get("data", {})
    known = isinstance(description, dict) and description.get("kind") in (PYTHON, TEXT)
    if not known or not classes or not strings(classes) or not (symbols is None or strings(symbols)):
        raise ValueError(f"{path} does not name its symbols and classes; needed is a model of npbilstm train or demo")
    window = description.get("window")
    whole = isinstance(window, int) and not isinstance(window, bool) and window >= 2
    if (description["kind"] == PYTHON) != (symbols is None) or (symbols is None and not whole):
        raise ValueError(f"{path} is damaged: what it says of its data makes no sense")
    about = About(symbols, classes, description)
    named = (len(about.vocabulary), len(classes))
    sizes = (model.embedding.num_embeddings, model.linear.output_size)
    if named != sizes:
        raise ValueError(
            f"{path} names {named[0]} symbols and {named[1]} classes; its model has {sizes[0]} and {sizes[1]}"
        )
    return about
