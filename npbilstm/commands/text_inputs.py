"""A person's text as a model reads it: sequences of symbols, with their true classes where somebody knows them."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from npbilstm.commands.data import About
from npbilstm.datasets import label_characters
from npbilstm.datasets.columns import CONLLU, ColumnForm, Shape, Word, columns_of, form_of, is_id, shape_of_lines
from npbilstm.datasets.python_source import CLASSES, decode_source
from npbilstm.datasets.tagged_text import MISSING, grouped
from npbilstm.datasets.text import blank_separated, decode, read_file, read_stream, require_lines

TAG = re.compile("[A-Z][A-Z0-9$_+|=/.:-]*|[BIESLU]-.+")
"""What tags look like where nobody knows them: capitals, or B- and its like before a name."""

MOST_COMPARED = 1_000_000
"""Python source of more characters than this is not compared with what tokenize says, which takes long."""


class TextInput(NamedTuple):
    """Symbols that are read together: a whole text of characters, or a sentence.

    ids (T,), or of words that are spelled (T, 1+C).
    true (T,), -1 where the truth is none of the model's classes, or None where nobody knows it.
    """

    symbols: list[str]
    ids: np.ndarray
    true: np.ndarray | None


class TextReading(NamedTuple):
    """A text of words: its sentences, and of a text in columns its form and its words, with their lines.

    notes: sentences on how it was read.
    """

    inputs: list[TextInput]
    form: ColumnForm | None
    words: list[Word]
    notes: list[str]


def read_input(name: str, about: About) -> str:
    """A file's text, or standard input for "-". Raises OSError, or ValueError where it is empty or no text."""
    raw = read_stream(sys.stdin.buffer, "standard input") if name == "-" else read_file(name)
    name = "standard input" if name == "-" else name
    text = require_text(decode(raw, name) if about.words else decode_source(raw, name), name)
    if about.words:
        require_lines(text, name)
    return text


def require_text(text: str, name: str) -> str:
    """The text. Raises ValueError where it is empty."""
    if not text.strip():
        raise ValueError(f"{name} is empty; there is nothing to read")
    return text


def characters(about: About, text: str) -> TextInput:
    """A whole text, a symbol for each character; where it is Python, tokenize says what is true."""
    true: np.ndarray | None = None
    if about.classes == CLASSES and len(text) <= MOST_COMPARED:
        try:
            true = label_characters(text)
        except Exception:  # tokenize raises many things for what is not Python; then nothing is known to be true
            true = None
    return TextInput(list(text), about.vocabulary.encode(text), true)


def sentences(about: About, text: str, name: str, columns: Sequence[int | str] | None = None) -> TextReading:
    """The sentences of a text: columns, whose tags are true, one word per line, or plain text, one sentence per line.

    columns: of the word and the tag; None: those of training, or of the text's own form. Raises ValueError, naming file
    and line, for columns that cannot be read.
    """
    shape = shape_of_lines(text)
    form = form_of(shape, name, columns) if columns is not None else shape and form_to_tag(about, shape, name)
    if form is None:
        doubtful = shape is not None and (shape.tabs or is_table(shape))
        notes = [f"{name} is read as plain text, one sentence per line; --columns WORD,TAG would read columns."]
        return TextReading(plain_sentences(about, text), None, [], notes if doubtful else [])
    number = {tag: k for k, tag in enumerate(about.classes)}
    found = grouped(text, name, form, need_tags=False)
    inputs = []
    for sentence in found:
        symbols = [word.word for word in sentence]
        true = None if form.tag is None else np.array([number.get(word.tag, -1) for word in sentence])
        inputs.append(TextInput(symbols, about.encode(symbols), true))
    words = [word for sentence in found for word in sentence]
    return TextReading(inputs, form, words, notes_on_tags(words, form, about, name))


def plain_sentences(about: About, text: str) -> list[TextInput]:
    """The sentences of plain text, one per line."""
    lines = map(blank_separated, text.split("\n"))
    return [TextInput(words, about.encode(words), None) for words in lines if words]


def form_to_tag(about: About, shape: Shape, name: str) -> ColumnForm | None:
    """The form of a text in columns, of which nobody has said that it is one; None for plain text.

    Tabs tell columns, where most lines have equally many. Where there are none, one word on every line is a word a
    line; and it is columns where all lines have as many as in training, or where what stands in the column of the tag
    is, in half of the lines, a class of the model or looks like a tag. Where lines of three columns or more hold tags,
    ValueError says how to choose them.
    """
    remembered = about.columns_for(shape)
    rows = [columns_of(line, shape.tabs, shape.width) for _, line in shape.data]
    widths = Counter(map(len, rows))
    if shape.tabs:
        return form_of(shape, name, remembered) if 2 * max(widths.values()) > len(rows) else None
    if widths.keys() == {1}:
        return ColumnForm(False, 1, 0, None) if len(rows) > 1 else None
    if shape.names:
        # a list of numbered sentences, of ten words each, has no numbers of heads
        whole = widths.keys() == {len(shape.names)}
        conllu = shape.names != CONLLU or (
            whole and all(is_id(row[0]) and is_id(row[6].replace("_", "0")) for row in rows)
        )
        return form_of(shape, name, remembered) if whole and conllu else None
    if shape.width != 2 and remembered is None:
        return form_of(shape, name) if is_table(shape) and holds_tags(rows, about) else None
    form = form_of(shape, name, remembered)
    if remembered is not None and is_table(shape):
        return form
    pairs = [(row[form.word], row[form.tag or 0]) for row in rows if len(row) == shape.width]
    known = {"_", *about.classes}
    # "Yes ." is no word with its tag, though "." is a class
    telling = [tag in known and (tag == "_" or has_letter(tag) or not has_letter(word)) for word, tag in pairs]
    capitals = is_table(shape) and any(word.islower() for word, _ in pairs)
    looks = [capitals and bool(TAG.fullmatch(tag)) for _, tag in pairs]
    return form if 2 * max(sum(telling), sum(looks)) >= len(rows) else None


def has_letter(text: str) -> bool:
    """Whether a letter or a digit is in a text."""
    return any(c.isalnum() for c in text)


def is_table(shape: Shape) -> bool:
    """Whether several lines have equally many words each, more than one, as columns without tabs would."""
    widths = {len(columns_of(line, False)) for _, line in shape.data}
    return len(shape.data) > 1 and len(widths) == 1 and widths != {1}


def holds_tags(rows: Sequence[Sequence[str]], about: About) -> bool:
    """Whether a column of a table, after the first, holds on every line a class of the model, a sign, or what looks
    like a tag. Capitals tell nothing where the first column has them too, nor does one letter: "when I go"."""
    known = {name for name in about.classes if has_letter(name)}
    first, *others = zip(*rows)
    capitals = any(word != word.upper() for word in first)

    def tells(cell: str) -> bool:
        return cell in known or (capitals and len(cell) > 1 and bool(TAG.fullmatch(cell)))

    return any(
        any(map(tells, column)) and all(tells(cell) or TAG.fullmatch(cell) or not has_letter(cell) for cell in column)
        for column in others
    )


def notes_on_tags(words: Sequence[Word], form: ColumnForm, about: About, name: str) -> list[str]:
    """What is said of the tags that a text has: which of them are none of the model's classes."""
    if form.tag is None:
        return [f"{name} is read as one word per line, with an empty line after a sentence."]
    known = set(about.classes)
    foreign = [word.tag for word in words if word.tag not in known]
    kinds = list(dict.fromkeys(foreign))
    if not foreign:
        return []
    if len(foreign) == len(words) and set(kinds).issubset({*MISSING, ""}):
        return [f"{name} has no tags ({kinds[0] or 'nothing'} in their column), so nothing is compared."]
    shown = ", ".join(map(repr, kinds[:5])) + (" ..." if len(kinds) > 5 else "")
    have = "word has a tag that is" if len(foreign) == 1 else "words have tags that are"
    classes = f"none of the model's {len(about.classes)} classes ({shown})"
    return [f"{len(foreign):,} {have} {classes}; nothing is compared there."]
