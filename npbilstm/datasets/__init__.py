"""Data to learn from: Python source code, on every machine, and a person's own tagged text."""

from npbilstm.datasets.python_source import label_characters, python_source
from npbilstm.datasets.tagged import TaggedData, TaggedSequence, Vocabulary
from npbilstm.datasets.tagged_text import read_sentences, tagged_text

__all__ = [
    "TaggedData",
    "TaggedSequence",
    "Vocabulary",
    "label_characters",
    "python_source",
    "read_sentences",
    "tagged_text",
]
