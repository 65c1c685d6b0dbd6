"""A person's text as a model reads it: stretches of symbols, with their true classes where somebody knows them."""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np

from npbilstm.commands.data import About
from npbilstm.datasets import label_characters
from npbilstm.datasets.python_source import CLASSES
from npbilstm.datasets.tagged_text import column_count, decode, encode, parse_sentences, read_text


class Stretch(NamedTuple):
    """Symbols that are read together: a whole text of characters, or a sentence. ids (T,), true (T,) or None."""

    symbols: list[str]
    ids: np.ndarray
    true: np.ndarray | None


def read_input(name: str) -> str:
    """A file's text, or standard input for "-". Raises OSError, or ValueError where it is empty or not UTF-8."""
    if name == "-":
        return require_text(decode(sys.stdin.buffer.read(), "standard input"), "standard input")
    return require_text(read_text(name), name)


def require_text(text: str, name: str) -> str:
    """The text. Raises ValueError where it is empty."""
    if not text.strip():
        raise ValueError(f"{name} is empty; there is nothing to read")
    return text


def characters(about: About, text: str) -> Stretch:
    """A whole text, a symbol for each character; where it is Python, tokenize says what is true."""
    true: np.ndarray | None = None
    if about.classes == CLASSES:
        try:
            true = label_characters(text)
        except Exception:  # tokenize raises many things for what is not Python; then nothing is known to be true
            true = None
    return Stretch(list(text), about.vocabulary.encode(text), true)


def sentences(about: About, text: str, name: str) -> list[Stretch]:
    """Sentences of words: a tagged text with tabs, whose tags are true, or plain text, a sentence a line."""
    if "\t" in text and column_count(text) in (2, 10):
        tagged = parse_sentences(text, name, about.classes)
        rows = encode(tagged, about.vocabulary, about.classes)
        return [Stretch([word for word, _ in s], row.ids, row.labels) for s, row in zip(tagged, rows)]
    return [
        Stretch(line.split(), about.vocabulary.encode(line.split()), None) for line in text.split("\n") if line.strip()
    ]
