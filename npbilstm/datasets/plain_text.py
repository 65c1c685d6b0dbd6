"""Plain text to learn a language from, character by character: any files, or the standard library's source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from npbilstm.datasets.python_source import library, library_files, read_beginning
from npbilstm.datasets.tagged import Vocabulary
from npbilstm.datasets.text import read_text

BY_FILE = 10
"""From so many files on no file is in two parts; of fewer, each is cut."""
FEWEST = 1000
"""How many characters there need to be."""
RARE = 100_000
"""A character that is rarer than one in so many of the training part's is not in the vocabulary."""


@dataclass(frozen=True, repr=False)
class PlainText:
    """Texts in three parts, and the characters that are common in the training part.

    >>> from pathlib import Path
    >>> _ = Path("ab.txt").write_text("ab" * 600 + "c")
    >>> nb.plain_text(["ab.txt"])
    <PlainText 'ab.txt': 960 + 120 + 121 characters, 3 symbols>
    """

    name: str
    vocabulary: Vocabulary
    train: list[str]
    valid: list[str]
    test: list[str]

    def __repr__(self) -> str:
        counts = " + ".join(f"{sum(map(len, part)):,}" for part in (self.train, self.valid, self.test))
        return f"<PlainText {self.name!r}: {counts} characters, {len(self.vocabulary):,} symbols>"

    def unknown_in(self, texts: Iterable[str]) -> int:
        """How many characters of some texts are not in the vocabulary."""
        return sum(n for text in texts for c, n in Counter(text).items() if c not in self.vocabulary.number)


def plain_text(files: str | Path | Sequence[str | Path] | None = None, characters: int = 4_000_000) -> PlainText:
    """Texts for the parts "train" (80 % of the characters), "valid" and "test" (10 % each).

    files: UTF-8; of one its path will do. Of ten or more, whole files go to each part; of fewer, each file's last tenth
        is for the test, and the tenth before it to validate. None: the standard library's source, by file, and of long
        files the beginning; where it is in no folder, as in a browser, this package's own source.
    characters: of the standard library, how many to take at most.

    The vocabulary has the characters that are not rarer than one in 100,000 of the training part, and occur twice. The
    same files, or interpreter, give the same data.

    Raises OSError where a file cannot be read; ValueError, naming it, where it is not text in UTF-8, and where there
    are fewer than 1,000 characters.

    >>> from pathlib import Path
    >>> _ = Path("song.txt").write_text("row, row, row your boat " * 50)
    >>> data = nb.plain_text(["song.txt"])
    >>> len(data.train[0]), len(data.test[0]), "".join(sorted(data.vocabulary.symbols[1:]))
    (960, 120, ' ,abortuwy')
    """
    if isinstance(files, str | Path):
        files = [files]
    if files is None:
        if characters < FEWEST:
            raise ValueError(f"characters is {characters}; it needs to be at least {FEWEST}")
        name, texts, by_file = library()[1], library_texts(characters), True
    else:
        name = str(files[0]) if len(files) == 1 else f"{len(files)} files"
        texts, by_file = [read_text(path) for path in files], len(files) >= BY_FILE
        count = sum(map(len, texts))
        if count < FEWEST:
            raise ValueError(f"{name}: {count:,} characters; there need to be at least {FEWEST:,}")
    parts = whole_files(texts) if by_file else cut_files(texts)
    if not all(parts.values()):
        raise ValueError(f"{name}: too few files hold text for three parts; each needs one")
    return PlainText(name, common_characters(parts["train"], name), **parts)


def library_texts(characters: int) -> list[str]:
    """The beginnings of files of the standard library, until there are so many characters: of ten files or more."""
    texts, count = [], 0
    for path in library_files():
        if count >= characters:
            break
        try:
            text, _ = read_beginning(path)
        except (OSError, SyntaxError, LookupError, UnicodeError):  # nothing that Python could read
            continue
        texts.append(text[: min(characters - count, characters // BY_FILE)])
        count += len(texts[-1])
    return texts


def whole_files(texts: list[str]) -> dict[str, list[str]]:
    """The parts, no text in two of them: each goes to the part that has least of what it is to have."""
    shares = {"test": 1, "valid": 1, "train": 8}
    parts: dict[str, list[str]] = {part: [] for part in shares}
    taken = dict.fromkeys(shares, 0)
    for text in filter(None, texts):
        part = min(shares, key=lambda part: taken[part] / shares[part])
        parts[part].append(text)
        taken[part] += len(text)
    return parts


def cut_files(texts: list[str]) -> dict[str, list[str]]:
    """The parts, some of every text in each."""
    cuts = {"train": (0, 8), "valid": (8, 9), "test": (9, 10)}
    return {
        part: [text[len(text) * start // 10 : len(text) * end // 10] for text in texts if len(text) >= 10]
        for part, (start, end) in cuts.items()
    }


def common_characters(texts: list[str], name: str) -> Vocabulary:
    """The vocabulary of these texts, the commonest character first. Raises ValueError where every one is rare."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    least = max(2, counts.total() / RARE)
    common = sorted((c for c, n in counts.items() if n >= least), key=lambda c: (-counts[c], c))
    if not common:
        raise ValueError(f"{name}: no character of the training part occurs twice; there is nothing to learn")
    return Vocabulary(common)
