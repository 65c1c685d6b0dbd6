"""Whole models, from symbols to classes: one label a step, or one label a sequence."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from npbilstm.layers.dropout import Dropout, DropoutCache
from npbilstm.layers.embedding import Embedding, EmbeddingCache
from npbilstm.layers.layer import Layer, join, part_of
from npbilstm.layers.linear import Linear, LinearCache
from npbilstm.layers.lstm import LSTM, LSTMLayerCache
from npbilstm.textbook.sequences import check_lengths, require_shape, valid_steps


class ModelCache(NamedTuple):
    """One forward pass: the caches of the parts, and which steps are valid (N, T)."""

    layer: SequenceModel
    kept: bool
    embedding: EmbeddingCache
    below: DropoutCache
    lstm: LSTMLayerCache
    above: DropoutCache
    linear: LinearCache
    valid: np.ndarray


class SequenceModel(Layer):
    """Embedding, LSTM, Linear, with dropout between: what the tagger and the classifier share.

    num_symbols: how many symbols there are. num_classes: how many classes. embedding_size, hidden_size, num_layers,
    bidirectional, init, dtype: as the layers take them. dropout: before, between and after the LSTM's layers, in
    training.
    rng: a seed or generator, for the weights and then for dropout.

    params is a read-only view of the layers' dicts under the names "embedding.", "lstm." and "linear."; the arrays
    are the layers' own, so that an optimiser changes them in place.
    """

    one_label_a_step: bool
    """True where logits have a step axis, False where there is one label a sequence."""

    def __init__(
        self,
        num_symbols: int,
        num_classes: int,
        *,
        embedding_size: int = 32,
        hidden_size: int = 64,
        num_layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
        init: str = "orthogonal",
        dtype: Any = np.float32,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        self.rng = np.random.default_rng(rng)
        shared: dict[str, Any] = {"dtype": dtype, "rng": self.rng}
        self.embedding = Embedding(num_symbols, embedding_size, **shared)
        self.lstm = LSTM(
            embedding_size, hidden_size, num_layers, bidirectional=bidirectional, dropout=dropout, init=init, **shared
        )
        self.linear = Linear(self.lstm.features(num_layers - 1), num_classes, **shared)
        self.dropout = Dropout(dropout, rng=self.rng)

    @property
    def params(self) -> Mapping[str, np.ndarray]:
        """All parameters under one flat name each."""
        parts = {"embedding": self.embedding, "lstm": self.lstm, "linear": self.linear}
        return MappingProxyType(join({name: layer.params for name, layer in parts.items()}))

    @params.setter
    def params(self, params: Mapping[str, np.ndarray]) -> None:
        self.embedding = self.embedding.with_params(part_of(params, "embedding"))
        self.lstm = self.lstm.with_params(part_of(params, "lstm"))
        self.linear = self.linear.with_params(part_of(params, "linear"))

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that make a model of this shape again: type(model)(**model.config)."""
        return {
            "num_symbols": self.embedding.num_embeddings,
            "num_classes": self.linear.output_size,
            "embedding_size": self.embedding.embedding_size,
            "hidden_size": self.lstm.hidden_size,
            "num_layers": self.lstm.num_layers,
            "bidirectional": len(self.lstm.directions) == 2,
            "dropout": self.dropout.p,
            "dtype": str(self.linear.params["b"].dtype),
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.config.items())})"

    def head_forward(self, y: np.ndarray, h_n: np.ndarray) -> np.ndarray:
        """What the linear layer reads, made of y (N, T, features) and h_n (num_layers * S, N, H)."""
        raise NotImplementedError

    def head_backward(self, dz: np.ndarray, cache: ModelCache) -> tuple[np.ndarray, np.ndarray]:
        """dy and dh_n, given the gradient of what head_forward returned."""
        raise NotImplementedError

    def forward(
        self,
        ids: np.ndarray,
        lengths: np.ndarray | None = None,
        training: bool = False,
        *,
        rng: np.random.Generator | None = None,
    ) -> tuple[np.ndarray, ModelCache]:
        """ids (N, T) integers, lengths (N,) or None for all T -> logits, cache.

        training: keep what backward needs, and apply dropout, whose masks rng draws (by default the model's own).
        Raises TypeError or ValueError, naming the argument.
        """
        ids = np.asarray(ids)
        if ids.ndim != 2:
            raise ValueError(f"ids has shape {ids.shape}; it needs axes (N, T)")
        N, T = ids.shape
        valid = valid_steps(check_lengths(lengths, N, T), T)
        rng = self.rng if rng is None else rng
        x, embedding = self.embedding.forward(np.where(valid, ids, 0))
        x, below = self.dropout.forward(x, training, rng=rng)
        y, (h_n, _), lstm = self.lstm.forward(x, lengths, training=training, rng=rng)
        z, above = self.dropout.forward(self.head_forward(y, h_n), training, rng=rng)
        logits, linear = self.linear.forward(z)
        if self.one_label_a_step:
            logits = np.where(valid[..., None], logits, 0)
        return logits, ModelCache(self, training, embedding, below, lstm, above, linear, valid)

    def backward(self, dlogits: np.ndarray, cache: ModelCache) -> tuple[None, dict[str, np.ndarray]]:
        """dlogits, shaped as the logits -> None (ids have no gradient), grads with the names of params.

        With one label a step, what dlogits holds in the padding never matters.
        """
        self.require_own(cache)
        V = self.linear.output_size
        if self.one_label_a_step:
            require_shape("dlogits", dlogits, (*cache.valid.shape, V))
            dlogits = np.where(cache.valid[..., None], dlogits, 0)
        else:
            require_shape("dlogits", dlogits, (len(cache.valid), V))
        dz, linear = self.linear.backward(dlogits, cache.linear)
        dz, _ = self.dropout.backward(dz, cache.above)
        dy, dh_n = self.head_backward(dz, cache)
        dx, lstm, _ = self.lstm.backward(dy, cache.lstm, (dh_n, np.zeros_like(dh_n)))
        dx, _ = self.dropout.backward(dx, cache.below)
        _, embedding = self.embedding.backward(dx, cache.embedding)
        return None, join({"embedding": embedding, "lstm": lstm, "linear": linear})

    def predict(self, ids: np.ndarray, lengths: np.ndarray | None = None) -> np.ndarray:
        """The likeliest class for each logit vector: integers, shaped as the logits without their last axis."""
        return self.forward(ids, lengths)[0].argmax(axis=-1)


class SequenceTagger(SequenceModel):
    """One label a step: Embedding -> BiLSTM -> Linear at every step.

    ids (N, T) -> logits (N, T, num_classes), 0 in the padding.
    """

    one_label_a_step = True

    def head_forward(self, y: np.ndarray, h_n: np.ndarray) -> np.ndarray:
        """Every step's output."""
        return y

    def head_backward(self, dz: np.ndarray, cache: ModelCache) -> tuple[np.ndarray, np.ndarray]:
        """All of it flows to y."""
        return dz, np.zeros(cache.lstm.state_shape, dz.dtype)


class SequenceClassifier(SequenceModel):
    """One label a sequence: Embedding -> BiLSTM -> Linear on the last layer's final states.

    The linear layer reads [forward direction's state after the last *valid* step, reverse direction's state after
    t = 0]: each direction's state when it has read everything. Not y[:, -1]: there the reverse direction has read one
    step only, or in a padded row nothing at all.

    ids (N, T) -> logits (N, num_classes).
    """

    one_label_a_step = False

    def head_forward(self, y: np.ndarray, h_n: np.ndarray) -> np.ndarray:
        """(N, SH): the last layer's final states, joined."""
        return np.concatenate(list(h_n[-len(self.lstm.directions) :]), axis=1)

    def head_backward(self, dz: np.ndarray, cache: ModelCache) -> tuple[np.ndarray, np.ndarray]:
        """All of it flows to the last layer's final states."""
        S = len(self.lstm.directions)
        dh_n = np.zeros(cache.lstm.state_shape, dz.dtype)
        dh_n[-S:] = np.split(dz, S, axis=1)
        return np.zeros((*cache.valid.shape, self.lstm.features(self.lstm.num_layers - 1)), dz.dtype), dh_n
