"""A person's own tagged text: a word and its tag a line, an empty line between sentences. columns.py says which forms
are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from npbilstm.datasets.columns import ColumnForm, Columns, Word, form_of, require_columns, shape_of_lines, words_of
from npbilstm.datasets.tagged import UNKNOWN, TaggedData, TaggedSequence, Vocabulary
from npbilstm.datasets.tagged import spelled as spelled_words
from npbilstm.datasets.text import read_text, require_lines
from npbilstm.files import naming

Sentence = list[tuple[str, str]]
"""(word, tag) pairs."""

MISSING = ("_", "-", "?", "*")
"""What stands for a tag that nobody has set."""
MANY_TAGS = 50
"""More kinds of tags than this, and more than there are kinds of words, are two columns taken for each other."""


def grouped(text: str, name: str, form: ColumnForm, need_tags: bool = True) -> list[list[Word]]:
    """The words of a text, sentence by sentence. Raises ValueError as read_sentences does."""
    sentences: list[list[Word]] = [[]]
    for word in words_of(text, name, form, need_tags):
        if word is not None:
            sentences[-1].append(word)
        elif sentences[-1]:
            sentences.append([])
    sentences = [sentence for sentence in sentences if sentence]
    if not sentences:
        raise ValueError(f"{name}: the file holds no words; a line needs a word and its tag")
    return sentences


def read_words(path: str | Path, columns: Columns | None) -> tuple[list[list[Word]], ColumnForm]:
    """The words of a tagged file, sentence by sentence, and its form. Raises as read_sentences does."""
    name = str(path)
    with naming(path):
        text = read_text(path)
        require_lines(text, name)
        form = form_of(shape_of_lines(text), name, columns)
        return grouped(text, name, form), form


def pairs(sentences: list[list[Word]], name: str, classes: Sequence[str] | None = None) -> list[Sentence]:
    """(word, tag) of each word. Raises ValueError, naming file and line, for a tag that is none of the classes."""
    if classes is not None:
        known = set(classes)
        for line, _, tag in (word for sentence in sentences for word in sentence):
            if tag not in known:
                raise ValueError(f"{name}, line {line}: tag {tag!r} is none of the model's {len(known)} classes")
    return [[(word, tag) for _, word, tag in sentence] for sentence in sentences]


def read_sentences(
    path: str | Path, classes: Sequence[str] | None = None, columns: Sequence[int | str] | None = None
) -> list[Sentence]:
    """All sentences of a tagged file, each a list of (word, tag).

    classes: the tags that are allowed; None: any.
    columns: the word's and the tag's, numbers from 1 or names, e.g. (1, 4) or ("FORM", "XPOS"); None: those of the
        file's own form, two columns or CoNLL-U.

    Raises OSError where it cannot be read; ValueError, naming file and line, where it is not UTF-8, has another
    number of columns, an empty word or tag, or a tag that is not allowed; ValueError where it holds no sentence.
    """
    sentences, _ = read_words(path, None if columns is None else require_columns(columns))
    return pairs(sentences, str(path), classes)


def require_tags(sentences: list[list[Word]], name: str, form: ColumnForm) -> None:
    """Raise ValueError where every tag is a sign for none."""
    tags = {word.tag for sentence in sentences for word in sentence}
    if len(tags) == 1 and tags.issubset(MISSING):
        raise ValueError(
            f"{name}: the tags are missing: column {(form.tag or 0) + 1} holds {tags.pop()!r} on every line. "
            "Another column may have them (on the command line: --columns WORD,TAG)"
        )


def many_tags(sentences: list[list[Word]], name: str, form: ColumnForm) -> str:
    """A sentence where there are so many kinds of tags that they are likely to be words; "" where there are not."""
    words = len({word.word for sentence in sentences for word in sentence})
    tags = len({word.tag for sentence in sentences for word in sentence})
    if tags <= MANY_TAGS or not (tags > words or (tags > 4 * MANY_TAGS and 2 * tags > words)):
        return ""
    word, tag = form.word + 1, (form.tag or 0) + 1
    return (
        f"{name}: column {tag} has {tags:,} different tags, and column {word} {words:,} different words, as if one "
        "were taken for the other"
    )


def as_integers(
    sentences: Sequence[Sentence],
    vocabulary: Vocabulary,
    classes: Sequence[str],
    characters: Vocabulary | None = None,
) -> list[TaggedSequence]:
    """Sentences as integers, with characters as spelled words."""
    number = {tag: k for k, tag in enumerate(classes)}
    found = []
    for sentence in sentences:
        words = [word for word, _ in sentence]
        ids = vocabulary.encode(words) if characters is None else spelled_words(words, vocabulary, characters)
        found.append(TaggedSequence(ids, np.array([number[tag] for _, tag in sentence])))
    return found


def tagged_text(
    train: str | Path,
    valid: str | Path | None = None,
    test: str | Path | None = None,
    *,
    least_count: int | None = None,
    spelled: bool = False,
    seed: int = 0,
    columns: Sequence[int | str] | None = None,
) -> TaggedData:
    """Tagged sentences from files, words as symbols.

    train, valid, test: paths. Where valid or test is None, a tenth of the training sentences, drawn with seed, stands
    in.
    least_count: words rarer than this in the training part become the unknown word, so that the model learns what to
        make of words that it has never seen. None: 2; with spelled 1, as WordTagger drops words while training.
    spelled: words as WordTagger reads them, by their characters too, see `spelled` in datasets/tagged.py.
    columns: of all three files, as in read_sentences.

    The classes are the training part's tags, sorted. Raises as read_sentences does; ValueError, naming file and line,
    where another part has a tag that the training part lacks; ValueError where there are too few sentences to split,
    where every tag is a sign for none, such as _, or where, without columns, there are so many kinds of tags that words
    and tags are likely to be swapped.

    >>> from pathlib import Path
    >>> _ = Path("words.txt").write_text("the DET\\ncat NOUN\\n\\n" * 20)
    >>> nb.tagged_text("words.txt")
    <TaggedData 'words.txt': 16 + 2 + 2 sequences, 3 symbols, 2 classes>
    """
    chosen = None if columns is None else require_columns(columns)
    read, form = read_words(train, chosen)
    require_tags(read, str(train), form)
    doubt = many_tags(read, str(train), form)
    if doubt and chosen is None:
        swapped, same = f"{(form.tag or 0) + 1},{form.word + 1}", f"{form.word + 1},{(form.tag or 0) + 1}"
        raise ValueError(f"{doubt}; --columns {swapped} takes them the other way, and --columns {same} as they are")
    sentences = pairs(read, str(train))
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
    least = least_count if least_count is not None else 1 if spelled else 2
    vocabulary = Vocabulary(sorted(word for word, n in counts.items() if n >= least and word != UNKNOWN))
    characters = Vocabulary(sorted({c for word in counts for c in word})) if spelled else None
    classes = sorted({tag for sentence in kept for _, tag in sentence})
    for part, path in [("valid", valid), ("test", test)]:
        if path is not None:
            read_part, form_part = read_words(path, chosen)
            require_tags(read_part, str(path), form_part)
            held_out[part] = pairs(read_part, str(path), classes)
        else:  # a rare tag may stand in a held-out sentence alone: then it is a class all the same
            classes = sorted({*classes, *(tag for sentence in held_out[part] for _, tag in sentence)})
    in_order = (kept, held_out["valid"], held_out["test"])
    one, two, three = [as_integers(part, vocabulary, classes, characters) for part in in_order]
    notes = (f"{doubt}.",) if doubt else ()
    return TaggedData(Path(train).name, vocabulary, classes, one, two, three, form.width, notes, characters)
