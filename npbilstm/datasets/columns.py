"""The columns of tagged text: what parts them, which hold the word and its tag, and how tags are written back.

    two columns      word <tab or white space> tag
    CoNLL-U          ten, ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC; the word is FORM, the tag UPOS. Ranges
                     (1-2) and empty nodes (1.1) are no words. (universaldependencies.org/format.html)
    CoNLL-U Plus     the first line names the columns: # global.columns = ID FORM UPOS ...
    any other        columns says which: numbers from 1, or names where columns have names

Columns are parted by tabs where most lines have one, and then a word may hold blanks; else by white space. What begins
with # is a comment where no word and tag can be meant: in CoNLL-U always, in other files where it has not as many
columns as the data. Lines that begin with -DOCSTART- part documents and are no words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from npbilstm.datasets.text import WHITE, blank_separated

CONLLU = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
DOCSTART = "-DOCSTART-"
SHOWN = 12
"""How many columns a sentence shows."""

_ID = re.compile(r"[0-9]+")
_NO_WORD = re.compile(r"[0-9]+[-.][0-9]+")
_PLUS = re.compile(r"#\s*global\.columns\s*=\s*(.+)")
_COMMENT = re.compile(r"#[^=\t]* = |#\s*(begin|end) document\b")

Columns = tuple[int | str, int | str]
"""Of the word and of its tag: numbers from 1, or names."""


class Shape(NamedTuple):
    """What a text's lines look like, before it is known which columns count.

    data: its lines of data with their numbers from 1. tabs: whether tabs part the columns. width: how many the first
    line of data has. names: of the columns, () where they have none.
    """

    data: list[tuple[int, str]]
    tabs: bool
    width: int
    names: tuple[str, ...]


class ColumnForm(NamedTuple):
    """How words and tags are read.

    tabs, width: as in Shape. word, tag: their columns, from 0; tag is None where a line is a word without a tag.
    ids: whether the first column numbers the words. chosen: whether the columns were said: then another sentence may
    have another width.
    """

    tabs: bool
    width: int
    word: int
    tag: int | None
    ids: bool = False
    chosen: bool = False


class Word(NamedTuple):
    """A word and its tag, "" where there is none, and the number of its line, from 1."""

    line: int
    word: str
    tag: str


def is_blank(line: str) -> bool:
    """Whether a line parts sentences."""
    return not line.strip(WHITE)


def columns_of(line: str, tabs: bool, width: int = 2) -> list[str]:
    """The columns of a line. Blanks around one are not part of it, nor are tabs at the line's end a column."""
    if not tabs:
        return blank_separated(line)
    found = [cell.strip(WHITE) for cell in line.split("\t")]
    while len(found) > width and not found[-1]:
        found.pop()
    return found


def shape_of_lines(text: str) -> Shape | None:
    """What the lines of a text look like; None where it has no data. Lines with # are data if there are no others."""
    lines = [
        (number, line)
        for number, line in enumerate(text.split("\n"), start=1)
        if not is_blank(line) and not line.startswith(DOCSTART)
    ]
    data = [(number, line) for number, line in lines if not line.startswith("#")]
    data = data or [(number, line) for number, line in lines if len(columns_of(line, "\t" in line)) == 2]
    if not data:
        return None
    tabs = part_columns([line for _, line in data])
    first = columns_of(data[0][1], tabs, 10 if data[0][1].count("\t") == 9 else 2)
    names = names_said(lines) or (CONLLU if len(first) == 10 and is_id(first[0]) else ())
    return Shape(data, tabs, len(first), names)


def part_columns(lines: Sequence[str]) -> bool:
    """Whether tabs part the columns: most lines have one between two words, or have but one word and a tab."""
    between = sum("\t" in line.strip(WHITE) for line in lines)
    beside = sum("\t" in line and len(blank_separated(line)) == 1 for line in lines)
    return 2 * (between + beside) > len(lines)


def names_said(lines: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    """The names of the columns as CoNLL-U Plus has them, in the comments before the data."""
    for _, line in lines:
        if said := _PLUS.match(line):
            return tuple(blank_separated(said[1]))
        if not line.startswith("#"):
            break
    return ()


def is_id(cell: str) -> bool:
    """Whether a cell is CoNLL-U's number of a word, or of a range or an empty node."""
    return bool(_ID.fullmatch(cell) or _NO_WORD.fullmatch(cell))


def require_columns(columns: Sequence[int | str]) -> Columns:
    """The word's column and the tag's. Raises ValueError for what names no two columns."""
    fine = isinstance(columns, Sequence) and not isinstance(columns, str) and len(columns) == 2
    if not fine or not all(
        isinstance(each, int | str) and not isinstance(each, bool) and each != "" for each in columns
    ):
        raise ValueError(f"columns is {columns!r}; it needs the word's column and the tag's, e.g. 1,4 or FORM,UPOS")
    if any(isinstance(each, int) and each < 1 for each in columns):
        raise ValueError(f"columns is {columns!r}; columns are counted from 1")
    word, tag = columns
    if word == tag:
        raise ValueError(f"columns is {columns!r}; the word and its tag need a column each")
    return word, tag


def numbered_columns(line: str, tabs: bool) -> str:
    """The columns of a line by their numbers, for a sentence."""
    found = columns_of(line, tabs)
    texts = [f"{k} {cell if len(cell) <= 20 else cell[:20] + '...'!r}" for k, cell in enumerate(found[:SHOWN], start=1)]
    return ", ".join(texts) + (" ..." if len(found) > SHOWN else "")


def columns_in_words(n: int) -> str:
    """So many columns, in words."""
    return f"{n} column{'s' * (n != 1)}"


def form_of(shape: Shape | None, name: str, columns: Sequence[int | str] | None = None) -> ColumnForm:
    """How the words and tags of a text are read: as columns says, or as its own form is. name is for errors.

    Raises ValueError, naming file and line, where it cannot be told which columns to read, or where they are not there.
    """
    if shape is None:
        raise ValueError(f"{name}: the file holds no words; a line needs a word and its tag")
    number, first = shape.data[0]
    here = f"{name}, line {number}"
    if columns is not None:
        word, tag = (column_of(each, shape, here, first) for each in require_columns(columns))
        if word == tag:
            raise ValueError(f"{here}: columns is {tuple(columns)}, which is one column; a word and its tag need two")
        ids = word > 0 and tag > 0 and numbers_words(shape)
        return ColumnForm(shape.tabs, shape.width, word, tag, ids, chosen=True)
    if shape.names:
        upper = [each.upper() for each in shape.names]
        if "FORM" not in upper or "UPOS" not in upper:
            raise ValueError(
                f"{name}: its columns are {', '.join(shape.names)}, of which FORM and UPOS are not both there; "
                "columns needs to say which hold the word and its tag (on the command line: --columns WORD,TAG)"
            )
        return ColumnForm(shape.tabs, len(upper), upper.index("FORM"), upper.index("UPOS"), ids=upper[0] == "ID")
    if shape.width == 10:
        raise ValueError(
            f"{here}: the first column is {columns_of(first, shape.tabs)[0]!r}; CoNLL-U needs a word's number. If it "
            f"is no CoNLL-U, --columns WORD,TAG says which columns to read: {numbered_columns(first, shape.tabs)}"
        )
    if shape.width == 1:
        raise ValueError(
            f"{here}: 1 column; it needs 2 (word, tag) or 10 (CoNLL-U), parted by tabs or blanks: "
            f"{first if len(first) <= 40 else first[:40] + '...'!r}"
        )
    if shape.width != 2:
        raise ValueError(
            f"{here}: {columns_in_words(shape.width)}; it needs 2 (word, tag) or 10 (CoNLL-U), or --columns WORD,TAG "
            f"to say which: {numbered_columns(first, shape.tabs)}"
        )
    return ColumnForm(shape.tabs, 2, 0, 1)


def numbers_words(shape: Shape) -> bool:
    """Whether the first column numbers the words of each sentence."""
    if shape.names:
        return shape.names[0].upper() == "ID"
    return any(columns_of(line, shape.tabs)[0] == "1" for _, line in shape.data)


def column_of(column: int | str, shape: Shape, here: str, first: str) -> int:
    """A column's place from 0. Raises ValueError where there is no such column."""
    if isinstance(column, int):
        if column > shape.width:
            raise ValueError(f"{here}: there is no column {column} in {numbered_columns(first, shape.tabs)}")
        return column - 1
    upper = [name.upper() for name in shape.names]
    if column.upper() not in upper:
        have = f"the columns are {', '.join(shape.names)}" if shape.names else "its columns have no names, but numbers"
        raise ValueError(f"{here}: there is no column {column!r}; {have}: {numbered_columns(first, shape.tabs)}")
    return upper.index(column.upper())


def comment_lines(lines: Sequence[str], form: ColumnForm) -> set[int]:
    """The numbers, from 1, of the lines with # that are comments; the others are words, as "#happy" is.

    "# doc" before a sentence may be either, in a file without tabs, and so may "# doc <tab> 7" in one with them: it is
    a word if its tag is that of another line.
    """
    found: set[int] = set()
    doubtful: list[int] = []
    fresh = True  # whether no word of this sentence has come yet
    for number, line in enumerate(lines, start=1):
        if is_blank(line) or line.startswith(DOCSTART):
            fresh = True
        elif not line.startswith("#"):
            fresh = False
        elif form.ids or _COMMENT.match(line) or (form.tabs and one_cell(line)) or not whole(line, form):
            found.add(number)
        elif fresh and form.tag is not None and line.startswith("# " if form.tabs else ("# ", "#\t")):
            doubtful.append(number)
        else:
            fresh = False
    if doubtful:
        left_out = found.union(doubtful)
        tags = {
            columns_of(line, form.tabs)[form.tag]  # type: ignore[index]
            for number, line in enumerate(lines, start=1)
            if number not in left_out and not is_blank(line) and whole(line, form)
        }
        found.update(
            number
            for number in doubtful
            if tags and columns_of(lines[number - 1], form.tabs, form.width)[form.tag] not in tags  # type: ignore[index]
        )
    return found


def one_cell(line: str) -> bool:
    """Whether a line with # has no tab between two cells. "#" before a tab is a word whose tag is empty."""
    return "\t" not in (line.rstrip(WHITE) if line.startswith("# ") else line)


def whole(line: str, form: ColumnForm) -> bool:
    """Whether a line has the columns of a line of data."""
    width = len(columns_of(line, form.tabs, form.width))
    return width > max(form.word, form.tag or 0) if form.chosen else width == form.width


def words_of(text: str, name: str, form: ColumnForm, need_tags: bool = True) -> Iterator[Word | None]:
    """Each word of a text, and None between sentences.

    Raises ValueError, naming file and line, where a line has another number of columns, an empty word, or, where tags
    are needed, an empty tag.
    """
    lines = text.split("\n")
    comments = comment_lines(lines, form)
    width: int | None = form.width
    for number, line in enumerate(lines, start=1):
        if is_blank(line) or line.startswith(DOCSTART):
            width = None if form.chosen else form.width
            yield None
            continue
        if number in comments:
            continue
        found = columns_of(line, form.tabs, form.width)
        here = f"{name}, line {number}"
        if form.chosen and not whole(line, form):
            raise ValueError(
                f"{here}: {columns_in_words(len(found))}; there is no column {max(form.word, form.tag or 0) + 1}"
            )
        if width is None:
            width = len(found)
        if len(found) != width:
            before = "its sentence" if form.chosen else "the first line of data"
            raise ValueError(f"{here}: {columns_in_words(len(found))}; {before} has {width}")
        if form.ids and not _ID.fullmatch(found[0]):
            if _NO_WORD.fullmatch(found[0]):
                continue
            if not form.chosen:
                raise ValueError(f"{here}: the first column is {found[0]!r}; CoNLL-U needs a word's number")
        word, tag = found[form.word], "" if form.tag is None else found[form.tag]
        if not word or (need_tags and not tag and form.tag is not None):
            raise ValueError(f"{here}: the {'tag' if word else 'word'} is empty")
        if word != DOCSTART:
            yield Word(number, word, tag)


def write_back(text: str, form: ColumnForm, tags: Mapping[int, str]) -> str:
    """The text with these tags in these lines, all else as it is. A word without a tag gets one, after a tab.

    Raises ValueError for a tag that would not stay one column.
    """
    lines = text.split("\n")
    for tag in sorted(set(tags.values())):
        if "\n" in tag or columns_of(tag, form.tabs or form.tag is None) != [tag]:
            raise ValueError(f"the class {tag!r} cannot stand in a column of this file")
    for number, tag in tags.items():
        lines[number - 1] = with_tag(lines[number - 1], form, tag)
    return "\n".join(lines)


def with_tag(line: str, form: ColumnForm, tag: str) -> str:
    """A line of data with another tag."""
    if form.tag is None:
        return f"{line.rstrip(WHITE)}\t{tag}"
    if form.tabs:
        found = line.split("\t")
        found[form.tag] = tag
        return "\t".join(found)
    begin, end = [match.span() for match in re.finditer(f"[^{WHITE}]+", line)][form.tag]
    return line[:begin] + tag + line[end:]
