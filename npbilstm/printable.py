"""Text from elsewhere, made fit to be shown: nothing in it steers a terminal, and it is no longer than it may be."""

from __future__ import annotations

import unicodedata

DIRECTION_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
STEERING = ("Cc", "Cs")
"""Unicode's classes of control characters and lone surrogates."""
SEPARATORS = str.maketrans("\u2028\u2029", "\N{REPLACEMENT CHARACTER}" * 2)
"""Unicode's own ends of lines and paragraphs, which a word may hold; in a sentence they break the line."""


def printable(text: str) -> str:
    """The text without what steers a terminal or turns the reading order round: line ends and tabs may stay.

    Out go the characters of the classes in STEERING and the marks of direction.
    """
    if text.isprintable():  # Python's word for what has neither of these, nor line ends
        return text
    return "".join("\N{REPLACEMENT CHARACTER}" if steers(c) else c for c in text)


def steers(c: str) -> bool:
    """Whether a character does something to the display instead of standing in it."""
    return c not in "\n\t" and (unicodedata.category(c) in STEERING or c in DIRECTION_MARKS)


def in_lines(text: str) -> str:
    """A printable text whose lines end as ours do and nowhere else."""
    return printable(text).translate(SEPARATORS)


def cut(text: str, most: int) -> str:
    """The first so many characters of a text, and how many are left out."""
    return text if len(text) <= most else f"{text[:most]} ... ({len(text) - most:,} more characters)"


def one_line(text: str, most: int) -> str:
    """A printable text on one line, cut."""
    return in_lines(cut(text, most)).replace("\n", " ").replace("\t", " ")
