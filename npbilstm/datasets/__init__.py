"""Data to learn from: Python source, on every machine; a person's own tagged text and series; generated tasks."""

from npbilstm.datasets.classic import ClassicBatch, adding, embedded_reber, parity, temporal_order
from npbilstm.datasets.japanese_vowels import japanese_vowels
from npbilstm.datasets.morse import MorseData, morse, sent, text_of
from npbilstm.datasets.plain_text import PlainText, plain_text
from npbilstm.datasets.python_source import label_characters, python_source
from npbilstm.datasets.series import Series, SeriesData, Standardization, read_series, series
from npbilstm.datasets.tagged import TaggedData, TaggedSequence, Vocabulary, spelled
from npbilstm.datasets.tagged_text import read_sentences, tagged_text
from npbilstm.datasets.vectors import WordVectors, read_vectors
from npbilstm.datasets.words import unspaced_words

__all__ = [
    "ClassicBatch",
    "MorseData",
    "PlainText",
    "Series",
    "SeriesData",
    "Standardization",
    "TaggedData",
    "TaggedSequence",
    "Vocabulary",
    "WordVectors",
    "adding",
    "embedded_reber",
    "japanese_vowels",
    "label_characters",
    "morse",
    "parity",
    "plain_text",
    "python_source",
    "read_sentences",
    "read_series",
    "read_vectors",
    "sent",
    "series",
    "spelled",
    "tagged_text",
    "temporal_order",
    "text_of",
    "unspaced_words",
]
