"""Words in a text without spaces, on every machine that runs Python: sentences of the standard library's docstrings,
their letters written together. Every letter gets a tag, BMES: a word's begin, middle, end, or a single one.

    thecaseisopen  ->  BMEBMMEBEBMME     the case is open

What a tag may follow is known beforehand, so this is a task where a CRF shows (textbook/crf.py, tag_schemes.py), beside
a model that sees few characters at once; and what makes a word stands on both sides of a character.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from npbilstm.datasets.python_source import library, library_files, read_beginning
from npbilstm.datasets.tagged import TaggedData, TaggedSequence, Vocabulary

TAGS = list("BMES")
BEGIN, MIDDLE, END, SINGLE = range(4)
LETTERS = Vocabulary("abcdefghijklmnopqrstuvwxyz")
FEWEST, MOST = 3, 30
"""How many words a sentence has."""


def tags_of_words(words: list[str]) -> np.ndarray:
    """The tag of each character of these words written together, integers into TAGS.

    >>> from npbilstm.datasets.words import TAGS, tags_of_words
    >>> "".join(TAGS[tag] for tag in tags_of_words(["the", "case", "is", "a", "trap"]))
    'BMEBMMEBESBMME'
    """
    tags: list[int] = []
    for word in words:
        tags += [SINGLE] if len(word) == 1 else [BEGIN, *[MIDDLE] * (len(word) - 2), END]
    return np.array(tags, np.int64)


def sentences_in(docstring: str) -> Iterator[list[str]]:
    """The sentences of a docstring, each as its words: every run of the letters a to z, in small letters. What stands
    between the runs, digits too, would give their ends away, and is left out."""
    for sentence in re.split(r"(?<=[.!?:;])\s+|\n\s*\n", docstring):
        words = re.findall("[a-z]+", sentence.lower())
        if FEWEST <= len(words) <= MOST:
            yield words


def sentences_of(path: Path) -> Iterator[list[str]]:
    """The sentences of a file's docstrings; none where it is not Python."""
    try:
        with warnings.catch_warnings():  # of escapes in other people's strings
            warnings.simplefilter("ignore")
            tree = ast.parse(read_beginning(path)[0])
    except (OSError, SyntaxError, ValueError, LookupError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from sentences_in(ast.get_docstring(node) or "")


def unspaced_words(sentences: int = 6000) -> TaggedData:
    """Sentences without spaces, and a tag for each character.

    sentences: how many to train on, at most; a sixth as many each to validate and test on. They are spread over the
    parts by file, none is in two of them or twice in one. The same interpreter gives the same data.

    Raises ValueError where sentences is below 6, or the standard library has too few.

    >>> data = nb.datasets.unspaced_words(60)
    >>> len(data.train), len(data.valid), len(data.test), data.classes
    (60, 10, 10, ['B', 'M', 'E', 'S'])
    """
    if sentences < 6:
        raise ValueError(f"sentences is {sentences}; it needs to be at least 6")
    wanted = {"train": sentences, "valid": sentences // 6, "test": sentences // 6}
    parts: dict[str, list[TaggedSequence]] = {part: [] for part in wanted}
    seen: set[str] = set()
    for path in library_files():
        part = min(wanted, key=lambda part: len(parts[part]) / wanted[part])
        for words in sentences_of(path):
            text = "".join(words)
            if text not in seen and len(parts[part]) < wanted[part]:
                seen.add(text)
                parts[part].append(TaggedSequence(LETTERS.encode(text), tags_of_words(words)))
        if all(len(parts[part]) == wanted[part] for part in wanted):
            break
    if not all(parts.values()):
        raise ValueError(f"the docstrings of {library()[1]} have too few sentences")
    *_, notes = library()
    return TaggedData("words without spaces", LETTERS, TAGS, parts["train"], parts["valid"], parts["test"], notes=notes)
