"""How a word is read: as itself, by an embedding, and by its characters, by a BiLSTM over them, side by side.

    x[word] = [words.W[id], h_forward, h_reverse]

h_forward is the state of the characters' BiLSTM after the last character of the word, h_reverse that after the first.
Words stand in arrays of integers (..., 1+C): a word's id and its characters' ids, then -1 up to C; what stands behind
the first number below 0 never matters. All that are alike in a batch are spelled once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from npbilstm.layers.checks import require_ids, require_integers
from npbilstm.layers.embedding import Embedding, EmbeddingCache
from npbilstm.layers.lstm import BiLSTM
from npbilstm.layers.row_gradient import RowGradient, summed_by_row
from npbilstm.layers.stack import RecurrentLayerCache


class Spelled(NamedTuple):
    """The words of a batch, each spelling once: characters (U, C), 0 in the padding, lengths (U,); which (M,), the
    spelling of each of M words; ids (M,)."""

    characters: np.ndarray
    lengths: np.ndarray
    which: np.ndarray
    ids: np.ndarray


class ReaderCache(NamedTuple):
    """What the way back needs."""

    words: EmbeddingCache
    characters: EmbeddingCache
    speller: RecurrentLayerCache
    spelled: Spelled


def spelled_words(words: np.ndarray) -> Spelled:
    """words (M, 1+C) -> each spelling once, in the order in which they come."""
    ids, characters = words[:, 0], words[:, 1:]
    ends = np.concatenate([characters < 0, np.ones((len(words), 1), bool)], axis=1)
    lengths = ends.argmax(axis=1)
    C = int(lengths.max(initial=0))
    inside = np.arange(C) < lengths[:, None]
    characters = np.ascontiguousarray(np.where(inside, characters[:, :C], -1))
    number: dict[bytes, int] = {}
    which = np.array([number.setdefault(row.tobytes(), len(number)) for row in characters], np.int64)
    first = np.zeros(len(number), np.int64)
    first[which[::-1]] = np.arange(len(which))[::-1]
    distinct = characters[first]
    return Spelled(np.where(distinct < 0, 0, distinct), lengths[first], which, ids)


def require_words(name: str, given: Any, num_words: int, num_characters: int) -> np.ndarray:
    """Words (..., 1+C), or a TypeError or ValueError."""
    words = require_integers(name, given)
    if words.ndim < 2 or words.shape[-1] < 1:
        raise ValueError(f"{name} has shape {words.shape}; it needs a last axis of a word's id and its characters' ids")
    require_ids(f"{name}'s ids", words[..., 0], num_words)
    characters = np.minimum.accumulate(words[..., 1:], axis=-1)
    require_ids(f"{name}'s characters", words[..., 1:][characters >= 0], num_characters)
    return words


def read_words(
    words: Embedding, characters: Embedding, speller: BiLSTM[np.ndarray], spelled: Spelled, training: bool
) -> tuple[np.ndarray, ReaderCache]:
    """M words -> x (M, features), cache. training: keep what the way back needs."""
    as_word, of_words = words.forward(spelled.ids)
    letters, of_characters = characters.forward(spelled.characters)
    _, (h_n, _), of_speller = speller.forward(letters, spelled.lengths, training=training)
    spelling = np.concatenate([*h_n], axis=1)  # (U, 2 H)
    x = np.concatenate([as_word, spelling[spelled.which]], axis=1)
    return x, ReaderCache(of_words, of_characters, of_speller, spelled)


def read_words_backward(
    words: Embedding, characters: Embedding, speller: BiLSTM[np.ndarray], dx: np.ndarray, cache: ReaderCache
) -> tuple[RowGradient, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """dx (M, features) -> the gradients of the words' table, of the characters' and of the speller."""
    D, H = words.embedding_size, speller.hidden_size
    of_words = words.backward_by_row(dx[:, :D], cache.words)
    U, C = cache.spelled.characters.shape
    dspelling = summed_by_row(cache.spelled.which, dx[:, D:], (U, 2 * H)).values
    dh_n = np.stack([dspelling[:, :H], dspelling[:, H:]])
    dy = np.zeros((U, C, 2 * H), dx.dtype)
    dletters, of_speller, _ = speller.backward(dy, cache.speller, (dh_n, np.zeros_like(dh_n)))
    _, of_characters = characters.backward(dletters, cache.characters)
    return of_words, of_characters, of_speller
