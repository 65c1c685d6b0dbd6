"""A person's own tagged text: one word and its tag a line, an empty line between sentences.

Two forms are read, told apart by the first line of data:

    two columns      word <tab or spaces> tag
    CoNLL-U          ten columns with tabs; the word is the second, the tag the fourth (UPOS). Lines that begin with #
                     are comments; ranges (1-2) and empty nodes (1.1) are passed over.
                     (universaldependencies.org/format.html)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from npbilstm.datasets.tagged import UNKNOWN, TaggedData, TaggedSequence, Vocabulary

Sentence = list[tuple[str, str]]
"""(word, tag) pairs."""


def read_text(path: str | Path) -> str:
    """A text file, its line ends as \\n. Raises OSError, or ValueError naming file and line where it is not UTF-8."""
    return decode(Path(path).read_bytes(), str(path))


def decode(raw: bytes, name: str) -> str:
    """UTF-8 text, its line ends as \\n. Raises ValueError naming the file and the line where it is none."""
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ValueError(f"{name}, line {line}: this is not UTF-8 text ({error.reason})") from error


def columns(line: str) -> list[str]:
    """Split at tabs, or at white space where there is no tab."""
    return [cell.strip(" ") for cell in line.split("\t")] if "\t" in line else line.split()


def column_count(text: str) -> int:
    """How many columns the first line of data has, 0 where there is none. A line with # is data only if all have it."""
    lines = [line for line in text.split("\n") if line.strip()]
    data = [line for line in lines if not line.startswith("#")] or [line for line in lines if len(columns(line)) == 2]
    return len(columns(data[0])) if data else 0


def data_lines(text: str, name: str) -> Iterator[tuple[int, str, str] | None]:
    """(line number, word, tag) for each word of a text, and None between sentences. Raises as read_sentences does."""
    form = column_count(text)
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            yield None
            continue
        cells = columns(line)
        if line.startswith("#") and (form == 10 or len(cells) != 2):
            continue  # a comment; in two columns "# SYM" is a word and its tag
        if form not in (2, 10):
            plural = "" if form == 1 else "s"
            raise ValueError(f"{name}, line {number}: {form} column{plural}; it needs 2 (word, tag) or 10 (CoNLL-U)")
        if len(cells) != form:
            plural = "" if len(cells) == 1 else "s"
            raise ValueError(f"{name}, line {number}: {len(cells)} column{plural}; the first line of data has {form}")
        if form == 10 and not cells[0].isdigit():
            if all(part.isdigit() for part in cells[0].replace("-", ".").split(".", 1)):
                continue
            raise ValueError(f"{name}, line {number}: the first column is {cells[0]!r}; CoNLL-U needs a word's number")
        word, tag = (cells[0], cells[1]) if form == 2 else (cells[1], cells[3])
        if not word.strip() or not tag.strip():
            raise ValueError(f"{name}, line {number}: the {'tag' if word.strip() else 'word'} is empty")
        yield number, word, tag


def parse_sentences(text: str, name: str, classes: Sequence[str] | None = None) -> list[Sentence]:
    """All sentences of a tagged text; name is for errors. Raises ValueError as read_sentences does."""
    known = None if classes is None else set(classes)
    sentences: list[Sentence] = [[]]
    for item in data_lines(text, name):
        if item is not None:
            number, word, tag = item
            if known is not None and tag not in known:
                raise ValueError(f"{name}, line {number}: tag {tag!r} is none of the model's {len(known)} classes")
            sentences[-1].append((word, tag))
        elif sentences[-1]:
            sentences.append([])
    sentences = [sentence for sentence in sentences if sentence]
    if not sentences:
        raise ValueError(f"{name}: the file holds no words; a line needs a word and its tag")
    return sentences


def read_sentences(path: str | Path, classes: Sequence[str] | None = None) -> list[Sentence]:
    """All sentences of a tagged file, each a list of (word, tag).

    classes: the tags that are allowed; None: any.

    Raises OSError where it cannot be read; ValueError, naming file and line, where it is not UTF-8, has another
    number of columns, an empty word or tag, or a tag that is not allowed; ValueError where it holds no sentence.
    """
    return parse_sentences(read_text(path), str(path), classes)


def encode(sentences: Sequence[Sentence], vocabulary: Vocabulary, classes: Sequence[str]) -> list[TaggedSequence]:
    """Sentences as integers."""
    number = {tag: k for k, tag in enumerate(classes)}
    return [
        TaggedSequence(vocabulary.encode(word for word, _ in sentence), np.array([number[tag] for _, tag in sentence]))
        for sentence in sentences
    ]


def tagged_text(
    train: str | Path,
    valid: str | Path | None = None,
    test: str | Path | None = None,
    *,
    least_count: int = 2,
    seed: int = 0,
) -> TaggedData:
    """Tagged sentences from files, words as symbols.

    train, valid, test: paths. Where valid or test is None, a tenth of the training sentences, drawn with seed, stands
    in.
    least_count: words rarer than this in the training part become the unknown word, so that the model learns what to
        make of words that it has never seen.

    The classes are the training part's tags, sorted. Raises as read_sentences does; ValueError, naming file and line,
    where another part has a tag that the training part lacks; ValueError where there are too few sentences to split.
    """
    sentences = read_sentences(train)
    held_out: dict[str, list[Sentence]] = {}
    order = np.random.default_rng(seed).permutation(len(sentences))
    tenth = max(len(sentences) // 10, 1)
    for part, path in [("valid", valid), ("test", test)]:
        if path is None:
            held_out[part] = [sentences[n] for n in order[:tenth]]
            order = order[tenth:]
    if not len(order):
        raise ValueError(f"{train}: {len(sentences)} sentences are too few to hold some out; at least 3 are needed")
    kept = [sentences[n] for n in np.sort(order)]
    counts = Counter(word for sentence in kept for word, _ in sentence)
    vocabulary = Vocabulary(sorted(word for word, n in counts.items() if n >= least_count and word != UNKNOWN))
    classes = sorted({tag for sentence in kept for _, tag in sentence})
    for part, path in [("valid", valid), ("test", test)]:
        if path is not None:
            held_out[part] = read_sentences(path, classes)
        else:  # a rare tag may stand in a held-out sentence alone: then it is a class all the same
            classes = sorted({*classes, *(tag for sentence in held_out[part] for _, tag in sentence)})
    parts = [encode(part, vocabulary, classes) for part in (kept, held_out["valid"], held_out["test"])]
    return TaggedData(Path(train).name, vocabulary, classes, *parts)
