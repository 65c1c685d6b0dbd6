"""Vectors of words from a text file, as word2vec and GloVe write them: a word and its numbers a line.

    400000 100                 how many words and how many numbers: word2vec's first line; GloVe has none
    the 0.418 0.24968 ...

The file is read line by line, as it may be larger than the memory, and only the words asked for are kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from npbilstm.files import open_file

LONGEST_LINE = 2**20
"""Bytes that a line may have."""


class WordVectors(NamedTuple):
    """words: those that the file has of those asked for, in the file's order; W: (len(words), D), of float32."""

    words: list[str]
    W: np.ndarray


def read_vectors(path: str | Path, words: Iterable[str]) -> WordVectors:
    """The vectors of these words, letter for letter. Where a word comes twice, the first counts.

    Raises OSError where the file cannot be read; ValueError, naming file and line, where a line has another number of
    numbers than the first, is longer than a mebibyte or binary, or where a number of a word asked for is none or not
    finite; and ValueError where the file is cut short, or has none of the words.

    >>> from pathlib import Path
    >>> _ = Path("vectors.txt").write_text("the 0.5 1\\ncat -1 2\\nsat 0 0\\n")
    >>> found = nb.datasets.read_vectors("vectors.txt", ["cat", "dog", "the"])
    >>> found.words, found.W.tolist()
    (['the', 'cat'], [[0.5, 1.0], [-1.0, 2.0]])
    """
    needed = {word.encode("utf-8", "surrogatepass"): word for word in words}
    asked = len(needed)
    rows: dict[str, np.ndarray] = {}
    with open_file(path) as file:
        said, D, count = None, 0, 0
        for number in range(1, 2**62):
            line = line_of(file, f"{path}, line {number}")
            if not line:
                break
            fields = line.removeprefix(b"\xef\xbb\xbf").split() if number == 1 else line.split()
            if not fields:
                continue
            if number == 1 and len(fields) == 2 and all(field.isdigit() for field in fields):
                said, D = int(fields[0]), int(fields[1])
                continue
            D = D or len(fields) - 1
            word = word_of(fields, D, f"{path}, line {number}")
            count += 1
            if word in needed:
                rows[needed.pop(word)] = numbers_of(fields[len(fields) - D :], f"{path}, line {number}")
    if said is not None and count != said:
        raise ValueError(f"{path}: its first line says {said:,} words, and it has {count:,}; it may be cut short")
    if not rows:
        raise ValueError(f"{path} has none of the {asked:,} words needed; it needs to be text in UTF-8, a word a line")
    return WordVectors(list(rows), np.stack([*rows.values()]))


def line_of(file: BinaryIO, place: str) -> bytes:
    """The next line, empty at the end of the file."""
    line = file.readline(LONGEST_LINE)
    if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
        raise ValueError(f"{place}: the line is longer than {LONGEST_LINE:,} bytes; it needs a word and its numbers")
    if b"\0" in line:
        raise ValueError(f"{place} holds null bytes: it is compressed, or word2vec's binary form; it needs to be text")
    return line


def word_of(fields: list[bytes], D: int, place: str) -> bytes:
    """The word of a line of D numbers. It may have a blank in it, as few of GloVe's have."""
    extra = len(fields) - 1 - D
    if D < 1 or extra < 0 or any(map(is_number, fields[1 : 1 + extra])):
        more = f"{D} as the lines before" if D > 0 else "at least one"
        raise ValueError(f"{place}: a word and {len(fields) - 1} numbers; it needs {more}")
    return b" ".join(fields[: 1 + extra])


def is_number(field: bytes) -> bool:
    """Whether this is one, and so no part of a word that stands behind its beginning."""
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field  # which Python takes for a digits' comma


def numbers_of(fields: list[bytes], place: str) -> np.ndarray:
    """The numbers of a line (D,)."""
    wrong = next((field for field in fields if not is_number(field)), None)
    if wrong is not None:
        raise ValueError(f"{place}: {wrong.decode('utf-8', 'replace')!r} is no number")
    row = np.array([float(field) for field in fields], np.float64)
    with np.errstate(over="ignore"):
        single = row.astype(np.float32)
    if not np.isfinite(single).all():
        wrong = fields[int(np.argmin(np.isfinite(single)))]
        raise ValueError(f"{place}: {wrong.decode()} is not finite in float32; a vector needs finite numbers")
    return single
