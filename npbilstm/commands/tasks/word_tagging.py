"""Tagging of words that are read by their characters too, which knows words that it has never seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm.commands.data import about_data, describe_data, existing, load_data
from npbilstm.commands.tasks.run import Run, optimizer_of, recurrent_arguments, require_memory, settings_of
from npbilstm.commands.tasks.tagging import resume, run_of
from npbilstm.datasets import Vocabulary, WordVectors, read_vectors
from npbilstm.models import WordTagger
from npbilstm.models.hollow import count_of_numbers, hollow_word_tagger
from npbilstm.training import Trainer

KINDS = ()
"""tagging.py resumes its runs."""
DEFAULTS = {"epochs": 16, "batch_size": 16, "embedding_size": None, "hidden_size": 100, "dropout": 0.3}
UNUSED = frozenset({"attention", "pairs", "characters", "window"})
OF_CHARACTERS = {"character_embedding_size": 32, "character_hidden_size": 50}

__all__ = ["DEFAULTS", "KINDS", "UNUSED", "resume", "start"]


def start(options: Any) -> Run:
    """A new run from the command line's options. Raises ValueError or OSError for those that cannot be."""
    settings, optimizer = settings_of(options), optimizer_of(options, adam_rate=0.002)
    if options.data is None:
        raise ValueError("--characters-of-words needs a tagged-text file, words with a tag each")
    existing({"vectors": options.vectors})
    description = describe_data(
        options.data, options.valid, options.test, 0, 0, options.seed, options.columns, spelled=True
    )
    data = load_data(description)
    assert data.characters is not None
    vectors = None if options.vectors is None else read_vectors(options.vectors, data.vocabulary.symbols[1:])
    arguments = {
        "num_words": len(data.vocabulary),
        "num_characters": len(data.characters),
        "num_classes": len(data.classes),
        "embedding_size": size_of_words(options.embedding_size, vectors, options.vectors),
        **OF_CHARACTERS,
        "head": options.head,
        **recurrent_arguments(options),
    }
    require_memory(count_of_numbers(hollow_word_tagger(WordTagger, **arguments)))
    ids = np.concatenate([words[:, 0] for words, _ in data.train])
    counts = np.bincount(ids.astype(np.intp), minlength=len(data.vocabulary)).tolist()
    model = WordTagger(**arguments, word_counts=counts, rng=options.seed)
    notes = []
    if vectors is not None:
        begin_with(model, data.vocabulary, vectors)
        count = len(data.vocabulary) - 1
        notes = [f"{len(vectors.words):,} of {count:,} words begin with their vectors in {options.vectors}."]
    trainer = Trainer(model, optimizer, settings, spans_of=data.classes if options.spans else None)
    return run_of(trainer, data, about_data(data, description), notes)


def size_of_words(embedding_size: int | None, vectors: WordVectors | None, path: str) -> int:
    """How many numbers a word has: as many as its vector. Raises ValueError where other many are wanted."""
    if vectors is None:
        return 64 if embedding_size is None else embedding_size
    size: int = vectors.W.shape[1]
    if embedding_size not in (None, size):
        raise ValueError(f"--embedding-size is {embedding_size}; the vectors in {path} have {size} numbers")
    return size


def begin_with(model: WordTagger, vocabulary: Vocabulary, vectors: WordVectors) -> None:
    """Put vectors into the model's table of words, in place; the other words keep what they have."""
    model.words.params["W"][vocabulary.encode(vectors.words)] = vectors.W
