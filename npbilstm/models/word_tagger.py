"""A tagger of words that knows how they are spelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from npbilstm.layers.checks import pass_rng, require_bool, require_choice, require_rng, require_size
from npbilstm.layers.embedding import Embedding
from npbilstm.layers.layer import Layer, join, require_own
from npbilstm.layers.linear import Linear
from npbilstm.layers.lstm import BiLSTM
from npbilstm.layers.options import CellName
from npbilstm.layers.row_gradient import RowGradient
from npbilstm.models.head import Head
from npbilstm.models.model import Model, Sequences
from npbilstm.models.options import HeadName
from npbilstm.models.sequence_model import LossCache
from npbilstm.models.tagger import SequenceTagger
from npbilstm.models.word_reader import ReaderCache, read_words, read_words_backward, require_words, spelled_words
from npbilstm.textbook.sequences import as_array, check_lengths, require_shape, valid_steps

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike

UNKNOWN = 0
"""The id of the word that stands for all that are not known."""
WORD_DROPOUT = 0.25
"""A word that occurs n times is read as the unknown one with probability 0.25 / (0.25 + n), while training (Kiperwasser
& Goldberg 2016)."""

WORD_SCALE = 0.1
"""How large a word's numbers are at first, by those of the layer Embedding: most words are rare, and what a rare word's
numbers say by chance should not be louder than its spelling."""


class WordTaggerCache(NamedTuple):
    """One forward pass: the caches of the parts, and which steps are valid (N, T)."""

    layer: WordTagger
    kept: bool
    reader: ReaderCache
    tagged: Any
    valid: np.ndarray

    def __repr__(self) -> str:
        N, T = self.valid.shape
        return f"<cache of {self.layer!r}, {N} rows of up to {T} words, training={self.kept}>"


class WordTagger(Model):
    """One label per word, of words that are read by their characters beside an embedding (Plank et al. 2016):

        Embedding of words, and Embedding of characters -> BiLSTM over each word's: x, see word_reader.py
        a SequenceTagger with input_size: dropout -> recurrent layers -> dropout -> Linear -> head

    words (N, T, 1+C): for each word its id and its characters' ids, then -1; lengths (N,) -> logits (N, T,
    num_classes), 0 in the padding. npbilstm.datasets.spelled makes them of strings.

    num_words, num_characters: how many ids there are; word 0 is that of all unknown ones. word_counts: (num_words,),
    how often each occurs in the training part: while training a word of count n is read as word 0 with probability
    0.25 / (0.25 + n), so that the model learns what to make of unknown ones; None: never.
    embedding_size: numbers per word. character_embedding_size, character_hidden_size: numbers per character, and units
    per direction over them. The others: as SequenceTagger has them.

    params is a read-only view, as that of the other models. The gradient of the table of words, "words.W", is 0 but in
    the rows that a batch read; Trainer and optimizer touch those alone.

    >>> model = nb.WordTagger(num_words=5, num_characters=9, num_classes=3, hidden_size=8, rng=0)
    >>> words = np.array([[[1, 3, 5, 2], [4, 8, -1, -1]]])  # two words, of three characters and of one
    >>> model.predict(words).shape
    (1, 2)
    """

    predicts_per_step = True
    tables = ("words.W",)

    def __init__(
        self,
        num_words: int,
        num_characters: int,
        num_classes: int,
        *,
        word_counts: Sequence[int] | None = None,
        embedding_size: int = 64,
        character_embedding_size: int = 32,
        character_hidden_size: int = 50,
        cell: CellName = "lstm",
        hidden_size: int = 100,
        num_layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
        head: HeadName | None = None,
        class_weights: Sequence[float] | None = None,
        dtype: DTypeLike = np.float32,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        require_choice("head", head, (None, "classes", "crf"))
        self.rng = require_rng(rng)
        shared: dict[str, Any] = {"dtype": dtype, "rng": self.rng}
        self.words = Embedding(require_size("num_words", num_words), embedding_size, **shared)
        self.words.params["W"] *= WORD_SCALE
        size = require_size("character_embedding_size", character_embedding_size)
        self.characters = Embedding(require_size("num_characters", num_characters), size, **shared)
        H = require_size("character_hidden_size", character_hidden_size)
        self.speller: BiLSTM[np.ndarray] = BiLSTM(size, H, **shared)
        self.tagger = SequenceTagger(
            num_classes=num_classes,
            input_size=self.words.embedding_size + 2 * H,
            cell=cell,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bidirectional=bidirectional,
            dropout=dropout,
            head=head,
            class_weights=class_weights,
            **shared,
        )
        self.word_counts = None if word_counts is None else require_counts(word_counts, num_words)

    @property
    def parts(self) -> dict[str, Layer]:
        """The layers, under the names that their parameters begin with."""
        return {name: getattr(self, name) for name in ("words", "characters", "speller", "tagger")}

    @property
    def linear(self) -> Linear:
        """The tagger's."""
        return self.tagger.linear

    @property
    def head(self) -> Head:
        """The tagger's."""
        return self.tagger.head

    @property
    def metric(self) -> str:  # type: ignore[override]
        """The head's."""
        return self.head.metric

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that make a model of this shape again: WordTagger(**model.config)."""
        of_tagger = self.tagger.config
        del of_tagger["input_size"]
        return {
            "num_words": self.words.num_embeddings,
            "num_characters": self.characters.num_embeddings,
            **({} if self.word_counts is None else {"word_counts": self.word_counts.tolist()}),
            "embedding_size": self.words.embedding_size,
            "character_embedding_size": self.characters.embedding_size,
            "character_hidden_size": self.speller.hidden_size,
            **of_tagger,
        }

    def __repr__(self) -> str:
        told = {**self.config, **({} if self.word_counts is None else {"word_counts": "..."})}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in told.items())})"

    def forward(
        self,
        words: ArrayLike,
        lengths: ArrayLike | None = None,
        training: bool = False,
        *,
        rng: int | np.random.Generator | None = None,
    ) -> tuple[np.ndarray, WordTaggerCache]:
        """words (N, T, 1+C) integers, lengths (N,) or None for all T -> logits (N, T, num_classes), cache.

        training: keep what backward needs, and apply word dropout and dropout, which rng draws (by default the model's
        own). Raises TypeError or ValueError, naming the argument.
        """
        training = require_bool("training", training)
        rng = pass_rng(self.rng, rng)
        x, reader, valid = self.read(words, lengths, training, rng)
        logits, tagged = self.tagger.forward(x, lengths, training, rng=rng)
        return logits, WordTaggerCache(self, training, reader, tagged, valid)

    def read(
        self,
        words: ArrayLike,
        lengths: ArrayLike | None = None,
        training: bool = False,
        rng: np.random.Generator | None = None,
    ) -> tuple[np.ndarray, ReaderCache, np.ndarray]:
        """What the tagger reads, x (N, T, features), 0 in the padding; what the way back needs; the valid steps."""
        dtype = self._require_params()
        given = as_array("words", words)
        if given.ndim != 3:
            raise ValueError(f"words has shape {given.shape}; it needs axes (N, T, 1 + characters)")
        valid = valid_steps(check_lengths(lengths, *given.shape[:2]), given.shape[1])
        spelled = spelled_words(
            require_words("words", given[valid], self.words.num_embeddings, self.characters.num_embeddings)
        )
        if training and self.word_counts is not None and rng is not None:
            spelled = spelled._replace(ids=self._some_unknown(spelled.ids, rng))
        read, cache = read_words(self.words, self.characters, self.speller, spelled, training)
        x = np.zeros((*valid.shape, read.shape[1]), np.result_type(dtype, read))
        x[valid] = read
        return x, cache, valid

    def _some_unknown(self, ids: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """ids (M,), some of them the unknown word's: the rarer a word, the likelier."""
        assert self.word_counts is not None
        dropped = rng.random(len(ids)) < WORD_DROPOUT / (WORD_DROPOUT + self.word_counts[ids])
        return np.where(dropped, UNKNOWN, ids)

    def backward(self, dlogits: ArrayLike, cache: WordTaggerCache) -> tuple[None, dict[str, np.ndarray]]:
        """dlogits, shaped as the logits -> None, as ids have no gradient; grads with the names of params.

        What dlogits holds in the padding never matters.
        """
        return None, dense(self._backward(dlogits, cache))

    def _backward(self, dlogits: ArrayLike, cache: WordTaggerCache) -> dict[str, Any]:
        """The gradients, that of the table of words as a RowGradient."""
        require_own(self, cache)
        dx, tagger = self.tagger.backward(dlogits, cache.tagged)
        assert dx is not None
        words, characters, speller = read_words_backward(
            self.words, self.characters, self.speller, dx[cache.valid], cache.reader
        )
        return join({"words": {"W": words}, "characters": characters, "speller": speller, "tagger": tagger})

    def loss_forward(  # type: ignore[override]
        self,
        words: ArrayLike,
        targets: Any,
        lengths: ArrayLike | None = None,
        *,
        training: bool = False,
        rng: int | np.random.Generator | None = None,
    ) -> tuple[np.floating, LossCache]:
        """forward, and the head's loss of what comes out -> loss, cache. targets: classes (N, T), integers."""
        scores, cache = self.forward(words, lengths, training, rng=rng)
        loss, of_head = self.head.loss_forward(scores, targets, None if lengths is None else np.asarray(lengths))
        return loss, LossCache(cache, of_head)  # type: ignore[arg-type]

    def loss_backward(self, dloss: float, cache: LossCache) -> dict[str, np.ndarray]:
        """The loss's gradient, given the scalar dloss (usually 1) -> grads with the names of params."""
        return dense(self.loss_backward_by_row(dloss, cache))

    def loss_backward_by_row(self, dloss: float, cache: LossCache) -> dict[str, Any]:
        """Likewise, with a RowGradient of the table of words."""
        dscores, own = self.head.loss_backward(dloss, cache.loss)
        return self._backward(dscores, cache.scores) | join({"tagger.head": own})  # type: ignore[arg-type]

    def loss_weight(self, inputs: Any, targets: Any) -> float:
        """As the head has it."""
        return self.head.loss_weight(targets)

    def rows_read(self, sequences: Sequences) -> dict[str, np.ndarray]:
        """The rows of the table of words that a batch may read: the unknown word's among them."""
        return {"words.W": np.unique(np.concatenate([[UNKNOWN], *(np.asarray(words)[:, 0] for words, _ in sequences)]))}

    def require_sequence(self, name: str, inputs: Any, targets: Any) -> None:
        """Raise TypeError or ValueError where these are not the words (T, 1+C) and the labels (T,) of a sequence."""
        words = require_words(f"{name}'s words", inputs, self.words.num_embeddings, self.characters.num_embeddings)
        if words.ndim != 2:
            raise ValueError(f"{name}'s words has shape {words.shape}; it needs axes (T, 1 + characters)")
        self.head.require_targets(name, targets, len(words))

    def pad(self, rows: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
        """Rows of words (T_n, 1+C_n) -> words (N, T, 1+C), lengths (N,)."""
        arrays = [np.asarray(row) for row in rows]
        lengths = np.array([len(row) for row in arrays], np.int64)
        C = max((row.shape[1] for row in arrays), default=1)
        words = np.full((len(arrays), lengths.max(initial=0), C), -1, np.int32)
        for n, row in enumerate(arrays):
            words[n, : len(row), : row.shape[1]] = row
        return words, lengths

    def collate(self, sequences: Sequences) -> tuple[np.ndarray, Any, np.ndarray]:
        """Pairs of words and labels -> words (N, T, 1+C), targets, lengths."""
        words, lengths = self.pad([words for words, _ in sequences])
        return words, self.head.collate([targets for _, targets in sequences]), lengths

    def predict(self, inputs: ArrayLike, lengths: ArrayLike | None = None) -> Any:
        """As SequenceTagger has it, of words (N, T, 1+C)."""
        with np.errstate(all="ignore"):
            x, _, _ = self.read(inputs, lengths)
            return self.tagger.predict(x, lengths)


def dense(grads: dict[str, Any]) -> dict[str, np.ndarray]:
    """The gradients, each as an array."""
    return {name: g.dense() if isinstance(g, RowGradient) else g for name, g in grads.items()}


def require_counts(word_counts: Any, num_words: int) -> np.ndarray:
    """word_counts as integers (num_words,), or a TypeError or ValueError."""
    counts = as_array("word_counts", word_counts)
    if counts.dtype.kind not in "iu":
        raise TypeError(f"word_counts has dtype {counts.dtype}; it needs integers")
    require_shape("word_counts", counts, (num_words,))
    if counts.min() < 0:
        raise ValueError(f"word_counts holds {counts.min()}; it needs counts of at least 0")
    return counts.astype(np.int64)
