"""Where a model's data comes from, in a form that a model file can hold and a later run can follow back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from npbilstm.datasets import TaggedData, Vocabulary, python_source, spelled, tagged_text
from npbilstm.datasets.columns import Shape, require_columns
from npbilstm.datasets.python_source import CHARACTERS
from npbilstm.models import SequenceModel, WordTagger

PYTHON, TEXT = "python source", "tagged text"
Data = TypeVar("Data")


def describe_data(
    data: str | None,
    valid: str | None,
    test: str | None,
    characters: int,
    window: int,
    seed: int,
    columns: str | None = None,
    spelled: bool = False,
) -> dict[str, Any]:
    """The data's description: Python source for no path or a folder, tagged text for a file.

    columns: of tagged text, as --columns takes them. spelled: words of tagged text with their characters.

    Raises FileNotFoundError where a path does not exist, ValueError where options do not go together.
    """
    where = existing({"train": data, "valid": valid, "test": test})
    if data is None or Path(data).is_dir():
        if valid or test:
            raise ValueError("--valid and --test go with a tagged-text file; Python source is split by file")
        if columns is not None:
            raise ValueError("--columns goes with a tagged-text file; Python source has no columns")
        if spelled:
            raise ValueError("--characters-of-words goes with a tagged-text file; Python source is read by character")
        return {"kind": PYTHON, "folder": where["train"], "characters": characters, "window": window}
    chosen: dict[str, Any] = {} if columns is None else {"columns": parse_columns(columns)}
    chosen |= {"spelled": True} if spelled else {}
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


def existing(paths: dict[str, str | None]) -> dict[str, str | None]:
    """The paths of a run's files, as later runs find them. Raises FileNotFoundError for one that is not there."""
    for path in paths.values():
        if path is not None and not (path and Path(path).exists()):
            raise FileNotFoundError(2, "there is no such file or folder", path)
    return {part: path and str(Path(path).absolute()) for part, path in paths.items()}


def fingerprint_of(names: Iterable[str], arrays: Iterable[Any]) -> str:
    """A hash of everything that training sees: another fingerprint, another run."""
    digest = hashlib.sha256("\0".join(names).encode())
    for array in arrays:
        digest.update(np.asarray(array).tobytes())
    return digest.hexdigest()


def fingerprint(data: TaggedData) -> str:
    """Of tagged data."""
    characters = [] if data.characters is None else ["", *data.characters.symbols]
    names = [*data.vocabulary.symbols, "", *data.classes, *characters]
    return fingerprint_of(names, chain(*data.train, *data.valid))


def read_again(
    path: Path,
    described: Mapping[str, Any],
    read: Callable[[], Data],
    fingerprint: Callable[[Data], str],
    source: Callable[[Data], object],
) -> Data:
    """The data of the run in path, which goes on. described: what the file says of it; source: what sentences call it.

    Raises ValueError where it cannot be read, or is not what it was.
    """
    try:
        data = read()
    except (OSError, ValueError, TypeError, KeyError) as error:
        why = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else error
        raise ValueError(f"{path}: its run needs its data to go on: {why}") from error
    if fingerprint(data) != described.get("fingerprint"):
        raise ValueError(
            f"{source(data)} is not what it was when {path} was begun; the run cannot be resumed on other data"
        )
    return data


def load_again(path: Path, about: About) -> TaggedData:
    """Tagged data, as read_again has it. Raises ValueError, too, where the file names other symbols or classes."""
    described = about.description
    source = described.get("train") or described.get("folder") or "the standard library"
    data = read_again(path, described, lambda: load_data(described), fingerprint, lambda _: source)
    characters = None if data.characters is None else data.characters.symbols[1:]
    named = (about.vocabulary.symbols, about.classes, about.characters)
    if (data.vocabulary.symbols, data.classes, characters) != named:
        raise ValueError(f"{path} is damaged: the symbols and classes that it names are not those of its data")
    return data


class About(NamedTuple):
    """What a model file says of its data: enough to use the model without the data, and to find the data again.

    symbols: without the unknown one; None for Python's characters. characters: those of words that are spelled, without
    the unknown one; None where words are not. description: as describe_data makes it, and the
    data's fingerprint; of tagged text whose columns were said, how many it has.
    """

    symbols: list[str] | None
    classes: list[str]
    description: dict[str, Any]
    characters: list[str] | None = None

    @property
    def vocabulary(self) -> Vocabulary:
        """The numbers of the symbols."""
        return CHARACTERS if self.symbols is None else Vocabulary(self.symbols)

    def encode(self, words: Sequence[str]) -> np.ndarray:
        """Words as the model reads them: ids (T,), or spelled (T, 1+C)."""
        if self.characters is None:
            return self.vocabulary.encode(words)
        return spelled(words, self.vocabulary, Vocabulary(self.characters))

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
        said = {"data": self.description, "symbols": self.symbols, "classes": self.classes}
        return said if self.characters is None else {**said, "characters": self.characters}


def about_data(data: TaggedData, description: dict[str, Any]) -> About:
    """What to say of this data."""
    symbols = None if data.vocabulary is CHARACTERS else data.vocabulary.symbols[1:]
    width = {"width": data.width} if "columns" in description else {}
    characters = None if data.characters is None else data.characters.symbols[1:]
    return About(symbols, data.classes, {**description, **width, "fingerprint": fingerprint(data)}, characters)


def read_about(path: str | Path, said: dict[str, Any], model: SequenceModel | WordTagger) -> About:
    """What a model file says of its data, checked. Raises ValueError where it does not say it, or says nonsense."""

    def strings(value: Any) -> bool:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)

    spells = isinstance(model, WordTagger)
    embedding = model.words if isinstance(model, WordTagger) else model.embedding
    if embedding is None:
        raise ValueError(f"{path} holds a model that reads series of numbers; needed is one that reads symbols")
    symbols, classes, description = said.get("symbols"), said.get("classes", []), said.get("data", {})
    known = isinstance(description, dict) and description.get("kind") in (PYTHON, TEXT)
    if not known or not classes or not strings(classes) or not (symbols is None or strings(symbols)):
        needed = "a model of npbilstm train, of tagged text or of Python source, or of npbilstm demo"
        raise ValueError(f"{path} does not name its symbols and classes; needed is {needed}")
    window = description.get("window")
    whole = isinstance(window, int) and not isinstance(window, bool) and window >= 2
    if (description["kind"] == PYTHON) != (symbols is None) or (symbols is None and not whole):
        raise ValueError(f"{path} is damaged: what it says of its data makes no sense")
    characters = said.get("characters")
    if spells != (characters is not None) or not (characters is None or strings(characters)):
        raise ValueError(f"{path} is damaged: the characters that it names are none for its model")
    about = About(symbols, classes, description, characters)
    named = (len(about.vocabulary), len(classes))
    sizes = (embedding.num_embeddings, model.linear.output_size)
    if named != sizes:
        raise ValueError(
            f"{path} names {named[0]} symbols and {named[1]} classes; its model has {sizes[0]} and {sizes[1]}"
        )
    if isinstance(model, WordTagger) and len(Vocabulary(characters or ())) != model.characters.num_embeddings:
        raise ValueError(
            f"{path} names {len(characters or ()) + 1} characters; its model has {model.characters.num_embeddings}"
        )
    return about
