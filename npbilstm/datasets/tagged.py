"""A tagging data set: sequences of symbols with a class each, as integers, and the names behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

UNKNOWN = "<unknown>"


class TaggedSequence(NamedTuple):
    """ids (T,) and labels (T,), both integers. Of words that are spelled ids is (T, 1+C), see `spelled`."""

    ids: np.ndarray
    labels: np.ndarray


class Vocabulary:
    """Symbols and their numbers. Number 0 is for every symbol that is not known.

    >>> vocabulary = nb.Vocabulary("abc")
    >>> vocabulary
    Vocabulary(4 symbols)
    >>> vocabulary.encode("cab?").tolist()
    [3, 1, 2, 0]
    """

    def __init__(self, symbols: Iterable[str]) -> None:
        self.symbols = [UNKNOWN, *symbols]
        self.number = {symbol: k for k, symbol in enumerate(self.symbols)}
        if len(self.number) != len(self.symbols):
            raise ValueError("symbols holds one of its symbols twice; a vocabulary needs each once")

    def __len__(self) -> int:
        return len(self.symbols)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} symbols)"

    def encode(self, symbols: Iterable[str]) -> np.ndarray:
        """Symbols, or the characters of a text -> their numbers (T,)."""
        return np.array([self.number.get(symbol, 0) for symbol in symbols], np.int64)


LONGEST_WORD = 1000
"""How many characters of a word are read: a longer one, a file in base64 say, would make all rows beside it as wide."""


def spelled(words: Sequence[str], vocabulary: Vocabulary, characters: Vocabulary) -> np.ndarray:
    """Words as WordTagger reads them (T, 1+C): each one's number, the numbers of its first 1,000 characters, then -1.

    >>> words = ["a", "cab"]
    >>> nb.datasets.spelled(words, nb.Vocabulary(["a"]), nb.Vocabulary("abc")).tolist()
    [[1, 1, -1, -1], [0, 3, 1, 2]]
    """
    C = min(max(map(len, words), default=0), LONGEST_WORD)
    found = np.full((len(words), 1 + C), -1, np.int32)
    for t, word in enumerate(words):
        found[t, 0] = vocabulary.number.get(word, 0)
        found[t, 1 : 1 + len(word)] = characters.encode(word[:C])
    return found


@dataclass(frozen=True, repr=False)
class TaggedData:
    """A data set with its three parts. No symbol of valid or test has been looked at to make the vocabulary.

    width: of a tagged text, how many columns it has. notes: sentences on what its reader should know.
    characters: of words that are spelled, the characters of the training part; else None.

    >>> vocabulary = nb.Vocabulary(["the", "cat"])
    >>> row = nb.datasets.TaggedSequence(vocabulary.encode(["the", "cat"]), np.array([0, 1]))
    >>> nb.TaggedData("cats", vocabulary, ["DET", "NOUN"], train=[row, row], valid=[row], test=[row])
    <TaggedData 'cats': 2 + 1 + 1 sequences, 3 symbols, 2 classes>
    """

    name: str
    vocabulary: Vocabulary
    classes: list[str]
    train: list[TaggedSequence]
    valid: list[TaggedSequence]
    test: list[TaggedSequence]
    width: int | None = None
    notes: tuple[str, ...] = ()
    characters: Vocabulary | None = None

    def __repr__(self) -> str:
        counts = " + ".join(f"{len(part):,}" for part in (self.train, self.valid, self.test))
        of = f"{len(self.vocabulary):,} symbols, {len(self.classes):,} classes"
        return f"<TaggedData {self.name!r}: {counts} sequences, {of}>"
