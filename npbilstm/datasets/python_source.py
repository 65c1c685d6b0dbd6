"""Python source code as a tagging task: every character gets a class. The data is on every machine that runs Python.

What a character is often stands after it: `name(` is a call and `name =` is not; so a tagger that reads forward alone
must guess, and one that reads both ways need not.

Labels come from the standard library's tokenize:

    other            white space, line ends, what tokenize does not name
    keyword          def, return, None ...
    definition name  the name after def or class
    called name      a name followed by an opening bracket (
    other name       every other name
    string           string literals, f-strings whole
    comment, number, operator
"""

from __future__ import annotations

import hashlib
import io
import keyword
import os
import sysconfig
import token
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from npbilstm.datasets.tagged import TaggedData, TaggedSequence, Vocabulary
from npbilstm.datasets.text import decode

CLASSES = [
    "other",
    "keyword",
    "definition name",
    "called name",
    "other name",
    "string",
    "comment",
    "number",
    "operator",
]
OTHER, KEYWORD, DEFINITION, CALLED, NAME, STRING, COMMENT, NUMBER, OPERATOR = range(len(CLASSES))

CHARACTERS = Vocabulary(["\t", "\n", *map(chr, range(32, 127))])
"""Tab, line end and printable ASCII: the same on every machine, so that a model made on one works on another."""

LONGEST = 20_000
"""No more than this many characters of any one file, so that no file makes the data set."""

READ = 10 * LONGEST
"""No more than this many characters are read of any one file."""

SHOWN = 3
"""How many files a sentence names."""

_LAYOUT = {token.NEWLINE, token.INDENT, token.DEDENT, token.ENDMARKER, tokenize.NL, tokenize.ENCODING}
_STRING_STARTS = {getattr(token, name) for name in ("FSTRING_START", "TSTRING_START") if hasattr(token, name)}
_STRING_ENDS = {getattr(token, name) for name in ("FSTRING_END", "TSTRING_END") if hasattr(token, name)}


def label_characters(source: str) -> np.ndarray:
    """The class of every character of a Python source text, as integers (len(source),) into CLASSES.

    Raises SyntaxError (or tokenize.TokenError) where the text is not Python.
    """
    labels = np.full(len(source), OTHER)
    for start, end, k in labelled_tokens(source, io.StringIO(source)):
        labels[start:end] = k
    return labels


def label_beginning(source: str) -> np.ndarray:
    """The classes of the first LONGEST characters of a text that goes on elsewhere. They are fewer where a string goes
    on beyond its end: then those of the whole lines before it. Raises as label_characters does."""
    labels, known, reader = np.full(min(len(source), LONGEST), OTHER), 0, io.StringIO(source)
    try:
        for start, end, k in labelled_tokens(source, reader):
            if start >= LONGEST:
                break
            labels[start:end] = k
            known = end
    except (SyntaxError, tokenize.TokenError):
        if reader.read(1):
            raise  # it is not the end of what was read that is wrong
        return labels[: source.rfind("\n", 0, known) + 1]
    return labels


def labelled_tokens(source: str, reader: io.StringIO) -> Iterator[tuple[int, int, int]]:
    """(start, end, class) of each token of a text, which reader reads as far as they are asked for."""
    line_starts = np.cumsum([0] + [len(line) + 1 for line in source.split("\n")])

    def offset(position: tuple[int, int]) -> int:
        return int(line_starts[position[0] - 1]) + position[1]

    tokens = (t for t in whole_strings(tokenize.generate_tokens(reader.readline)) if t.type not in _LAYOUT)
    before: tokenize.TokenInfo | None = None
    here: tokenize.TokenInfo | None = None
    for after in chain(tokens, [None]):
        if here is not None:
            if here.type == token.ERRORTOKEN:  # until 3.11 tokenize goes on after what cannot be a token
                raise SyntaxError(f"line {here.start[0]}: {here.string!r} cannot stand here")
            yield offset(here.start), offset(here.end), label_of(before, here, after)
        before, here = here, after


def label_of(before: tokenize.TokenInfo | None, here: tokenize.TokenInfo, after: tokenize.TokenInfo | None) -> int:
    """The class of one token, from itself and its neighbours."""
    if here.type == token.NAME:
        if keyword.iskeyword(here.string):
            return KEYWORD
        if before is not None and before.string in ("def", "class"):
            return DEFINITION
        return CALLED if after is not None and after.string == "(" else NAME
    simple = {token.STRING: STRING, tokenize.COMMENT: COMMENT, token.NUMBER: NUMBER, token.OP: OPERATOR}
    return simple.get(here.type, OTHER)


def whole_strings(tokens: Iterable[tokenize.TokenInfo]) -> Iterator[tokenize.TokenInfo]:
    """The tokens with each f-string as one STRING, as Python gave it until 3.11; later it gives the pieces."""
    depth, start = 0, (0, 0)
    for t in tokens:
        if t.type in _STRING_STARTS:
            start = t.start if depth == 0 else start
            depth += 1
        elif t.type in _STRING_ENDS:
            depth -= 1
            if depth == 0:
                yield tokenize.TokenInfo(token.STRING, "", start, t.end, t.line)
        elif depth == 0:
            yield t


def library() -> tuple[Path, str, tuple[str, ...]]:
    """The folder of the standard library, what its source is called, and sentences on it. Where Python has it in no
    folder, as in a browser, this package stands in."""
    folder = Path(sysconfig.get_path("stdlib"))
    if (folder / "os.py").is_file():
        return folder, "the standard library's source", ()
    own = "The standard library is in no folder here; this is npbilstm's own source instead."
    return Path(__file__).parents[1], "npbilstm's own source", (own,)


def library_files() -> list[Path]:
    """The standard library's .py files but tests and tables, in an order that is shuffled and always the same. Where
    there are none, this package's."""
    root, *_ = library()
    skip = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__", "encodings", "pydoc_data"}
    files = [path.relative_to(root) for path in root.rglob("*.py")]
    return [root / path for path in shuffled(path for path in files if not skip.intersection(path.parts))]


def folder_files(folder: str | Path, unread: list[str] | None = None) -> list[Path]:
    """All .py files below a folder, in the same kind of order; links to folders are not followed.

    unread: takes a text for each folder below it that cannot be opened. Raises ValueError where there is no .py file,
    OSError where the folder itself cannot be opened.
    """
    root = Path(folder)
    lost: list[OSError] = []
    try:
        files = [
            Path(place, name)
            for place, _, names in os.walk(root, onerror=lost.append)
            if "__pycache__" not in Path(place).relative_to(root).parts
            for name in names
            if name.endswith(".py") and is_file(Path(place, name), lost)
        ]
    except RecursionError:
        raise ValueError(f"{root}: its folders are nested too deeply") from None
    if not files:
        raise lost[0] if lost else ValueError(f"{root}: there is no .py file in this folder or below it")
    if unread is not None:
        unread += [f"{error.filename}: {error.strerror}" for error in lost]
    return [root / path for path in shuffled(path.relative_to(root) for path in files)]


def is_file(path: Path, lost: list[OSError]) -> bool:
    """Whether a path is that of a file; where nobody may look, lost takes the error."""
    try:
        return path.is_file()
    except OSError as error:
        lost.append(error)
        return False


def shuffled(paths: Iterable[Path]) -> list[Path]:
    """Paths in the order of their names' hashes: like a shuffle, and the same everywhere."""
    return sorted(paths, key=lambda path: hashlib.sha256(os.fsencode(path.as_posix())).digest())


class SourceFile(NamedTuple):
    """A file's text, at most LONGEST characters of it, and the class of every character (len(text),)."""

    path: Path
    text: str
    labels: np.ndarray


def read_source(path: Path, unread: list[str] | None = None) -> SourceFile | None:
    """One file; None where it is empty or is not Python, or cannot be opened: then unread takes a text on it."""
    try:
        text, whole = read_beginning(path)
        labels = label_characters(text)[:LONGEST] if whole else label_beginning(text)
    except OSError as error:
        if unread is not None:
            unread.append(f"{path}: {error.strerror}")
        return None
    except Exception:  # tokenize raises many things for what is not Python
        return None
    return SourceFile(path, text[: len(labels)], labels) if len(labels) else None


def read_beginning(path: Path) -> tuple[str, bool]:
    """The first READ characters of a source file, in the encoding that it names, and whether they are all."""
    with open(path, "rb") as file:
        first_lines = io.BytesIO(file.read(4 * READ))
    encoding, _ = tokenize.detect_encoding(first_lines.readline)
    with open(path, encoding=encoding) as source:
        text = source.read(READ + 1)
    return text[:READ], len(text) <= READ


def decode_source(raw: bytes | bytearray, name: str) -> str:
    """A source file's text, in the encoding that it names, or UTF-8. Raises ValueError, naming file and line, where it
    is not in that encoding."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        if encoding not in ("utf-8", "utf-8-sig"):
            return io.TextIOWrapper(io.BytesIO(raw), encoding).read()
    except (SyntaxError, LookupError, UnicodeError):  # it names none, or one that is not its own
        pass
    return decode(raw, name)


def source_files(
    characters: int = 500_000, folder: str | Path | None = None, unread: list[str] | None = None
) -> dict[str, list[SourceFile]]:
    """Whole files for the parts "train" (80 % of the characters), "valid" and "test" (10 % each).

    unread: takes a text for each file and folder that cannot be opened. Other arguments and errors as python_source.
    """
    if characters < 1000:
        raise ValueError(f"characters is {characters}; it needs to be at least 1000")
    unread = [] if unread is None else unread
    tenth = characters // 10
    quota = {"test": tenth, "valid": tenth, "train": characters - 2 * tenth}
    taken = dict.fromkeys(quota, 0)
    parts: dict[str, list[SourceFile]] = {part: [] for part in quota}
    for path in library_files() if folder is None else folder_files(folder, unread):
        part = min(quota, key=lambda part: taken[part] / quota[part])  # so that a few files too make three parts
        if taken[part] >= quota[part]:
            break
        file = read_source(path, unread)
        if file is not None:
            parts[part].append(file)
            taken[part] += len(file.text)
    if not all(parts.values()):
        where = library()[1] if folder is None else str(folder)
        lost = f". {not_opened(unread)}" if unread else ""
        raise ValueError(f"{where}: fewer than three files could be read as Python; each part needs one{lost}")
    return parts


def not_opened(unread: list[str]) -> str:
    """A sentence on what could not be opened, the first few by name."""
    more = f" and {len(unread) - SHOWN:,} more" if len(unread) > SHOWN else ""
    return f"Left out, since it could not be opened: {'; '.join(unread[:SHOWN])}{more}"


def windows(files: Iterable[SourceFile], window: int = 128) -> list[TaggedSequence]:
    """Each file cut into sequences of `window` characters; its last may be shorter. A window is at least 2."""
    if window < 2:
        raise ValueError(f"window is {window}; it needs to be at least 2")
    sequences = []
    for file in files:
        ids = CHARACTERS.encode(file.text)
        for start in range(0, len(ids), window):
            sequences.append(TaggedSequence(ids[start : start + window], file.labels[start : start + window]))
    return sequences


def cut_to_windows(files: dict[str, list[SourceFile]], window: int) -> TaggedData:
    """The data set of these files, parted as source_files parts them."""
    parts = {part: windows(members, window) for part, members in files.items()}
    return TaggedData("Python source", CHARACTERS, CLASSES, parts["train"], parts["valid"], parts["test"])


def python_source(characters: int = 500_000, *, window: int = 128, folder: str | Path | None = None) -> TaggedData:
    """Python source code with a class for every character, cut into windows.

    characters: how many to take, whole files until there are as many (or no more files): 80 % to train, 10 % each to
        valid and test. No file is in two parts. window: how many characters a sequence has.
    folder: take the .py files below it instead of the running interpreter's standard library. Where that is in no
        folder, as in a browser, this package's own source is taken, and the data's notes say so.

    Deterministic: the same interpreter or folder gives the same data. Files that do not tokenise are skipped, and so
    are those that cannot be opened, which the data's notes name. Of a long file only the beginning is read.

    Raises ValueError where characters or window is too small, or where there are fewer than three usable files.

    >>> from pathlib import Path
    >>> for n in range(10):
    ...     _ = Path(f"m{n}.py").write_text("def f(x):\\n    return x  # as it is\\n" * 10)
    >>> data = nb.python_source(2_000, window=64, folder=".")
    >>> data.classes[:3]
    ['other', 'keyword', 'definition name']
    """
    unread: list[str] = []
    data = cut_to_windows(source_files(characters, folder, unread), window)
    notes = () if folder is not None else library()[2]
    return replace(data, notes=(*notes, *([f"{not_opened(unread)}."] if unread else [])))
