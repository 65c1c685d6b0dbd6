"""Morse as a receiver has it: how long the key was down and up, of words sent by hand; generated, on every machine.

A text of one to three words is sent as runs, the key down and up in turn. In units a dot is 1 and a dash 3 long; the
key is up for 1 within a letter, 3 between letters, 7 between words. A hand is never exact: every run is longer or
shorter by a factor of its own, exp(JITTER z) with z normal, which is about 25 %. Dots then are taken for dashes, and
gaps for other gaps; what a neighbouring run, or English, says about it has to help.

A sequence is x (T, 2), one row a run: 1 for down and 0 for up, and the logarithm of its length; and the text's
characters as labels, CHARACTERS counted from 1, for 0 is the blank of CTC. Nobody says which runs make which letter.

The words are those of Python's own help, its reference's text in pydoc_data. Which words are kept for validation and
test depends on the word alone: no sequence of a part has a word of another.
"""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

import numpy as np

SIGNS = ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."
CODE = dict(zip("abcdefghijklmnopqrstuvwxyz", SIGNS.split()))
CHARACTERS = " " + "".join(CODE)
"""Their labels are 1, 2, ...: the space between words, and the letters."""
JITTER = 0.25
DOT, DASH, LETTER, WORD = 1, 3, 3, 7
MOST_WORDS = 3

Sent = tuple[np.ndarray, np.ndarray]
"""x (T, 2) and labels (U,)."""


class MorseData(NamedTuple):
    """Sequences for the three parts, and how many words each draws from."""

    train: list[Sent]
    valid: list[Sent]
    test: list[Sent]
    words: dict[str, int]


def morse(sequences: int = 8_000, seed: int = 0) -> MorseData:
    """So many sequences to train on, a fortieth as many to validate on and an eighth to test on.

    Raises ValueError where sequences is below 1, or this Python has no pydoc_data.

    >>> data = nb.datasets.morse(sequences=40)
    >>> [len(part) for part in data[:3]]
    [40, 1, 5]
    >>> x, labels = data.train[0]
    >>> x.shape[1], x.dtype == np.float32, len(labels) < len(x)
    (2, True, True)
    """
    if sequences < 1:
        raise ValueError(f"sequences is {sequences}; it needs to be at least 1")
    rng = np.random.default_rng([seed, 1837])
    parts: dict[str, list[str]] = {"train": [], "valid": [], "test": []}
    for word in english_words():
        share = zlib.crc32(word.encode()) % 10
        parts["test" if share == 0 else "valid" if share == 1 else "train"].append(word)
    sizes = {"train": sequences, "valid": sequences // 40, "test": sequences // 8}
    made = {part: [sent(some_words(parts[part], rng), rng) for _ in range(size)] for part, size in sizes.items()}
    return MorseData(**made, words={part: len(words) for part, words in parts.items()})


def english_words() -> list[str]:
    """The words of two to eight letters in the help of this Python, each once, in their alphabet's order."""
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise ValueError("morse takes its words from pydoc_data, Python's own help, which this Python lacks") from error

    text = " ".join(topics.values())
    return sorted(set(re.findall(r"(?<![\w.*`'_-])[a-z]{2,8}(?![\w*`'_(-])", text)))


def some_words(words: list[str], rng: np.random.Generator) -> str:
    """One to three of these words."""
    return " ".join(words[k] for k in rng.integers(0, len(words), rng.integers(1, MOST_WORDS + 1)))


def sent(text: str, rng: np.random.Generator | None = None) -> Sent:
    """A text of CHARACTERS as it is sent by hand, or exactly, without a generator.

    >>> x, labels = nb.datasets.sent("an")
    >>> x[:, 0].tolist(), np.exp(x[:, 1]).round().tolist(), labels.tolist()
    ([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 3.0, 3.0, 3.0, 1.0, 1.0], [2, 15])
    """
    unknown = sorted(set(text) - set(CHARACTERS))
    if unknown or text != " ".join(text.split()):
        what = f"the character {unknown[0]!r}" if unknown else "spaces that part no words"
        raise ValueError(f"text has {what}; it needs letters a to z, and single spaces between words")
    units: list[int] = []
    for character in text:
        if character == " ":
            units[-1] = WORD
        else:
            for sign in CODE[character]:
                units += [DOT if sign == "." else DASH, 1]
            units[-1] = LETTER
    lengths = np.log(np.array(units[:-1], float))
    if rng is not None:
        lengths += JITTER * rng.standard_normal(len(lengths))
    down = np.arange(len(lengths)) % 2 == 0
    labels = np.array([1 + CHARACTERS.index(character) for character in text], np.int64)
    return np.stack([down, lengths], axis=1).astype(np.float32), labels


def text_of(labels: np.ndarray) -> str:
    """What these labels read as.

    >>> nb.datasets.text_of(np.array([2, 15]))
    'an'
    """
    return "".join(CHARACTERS[label - 1] for label in labels)
