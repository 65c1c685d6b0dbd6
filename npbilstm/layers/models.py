"""Whole models, from symbols to classes: one label per step, or one label per sequence."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from npbilstm.layers.checks import (
    in_dtype,
    pass_rng,
    require_bool,
    require_choice,
    require_floats,
    require_integers,
    require_rng,
)
from npbilstm.layers.dropout import Dropout, DropoutCache
from npbilstm.layers.embedding import Embedding, EmbeddingCache
from npbilstm.layers.gru import GRU
from npbilstm.layers.layer import Layer, join, part_of, require_params
from npbilstm.layers.linear import Linear, LinearCache
from npbilstm.layers.lstm import LSTM
from npbilstm.layers.options import CellName, Init, ModelOptions, Pooling
from npbilstm.layers.recurrent import Recurrent
from npbilstm.layers.rnn import RNN
from npbilstm.layers.stack import RecurrentLayerCache
from npbilstm.textbook.pooling import (
    max_over_steps_backward,
    max_over_steps_forward,
    mean_over_steps_backward,
    mean_over_steps_forward,
)
from npbilstm.textbook.sequences import check_lengths, require_shape, valid_steps

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike
    from typing_extensions import Unpack

CELLS: dict[str, type[Recurrent]] = {"lstm": LSTM, "gru": GRU, "rnn": RNN}
"""The recurrent layers that a model may have."""


class ModelCache(NamedTuple):
    """One forward pass: the caches of the parts, and which steps are valid (N, T)."""

    layer: SequenceModel
    kept: bool
    embedding: EmbeddingCache
    below: DropoutCache
    recurrent: RecurrentLayerCache
    pooling: Any
    above: DropoutCache
    linear: LinearCache
    valid: np.ndarray

    def __repr__(self) -> str:
        N, T = self.valid.shape
        return f"<cache of {self.layer!r}, {N} rows of up to {T} steps, training={self.kept}>"


class SequenceModel(Layer):
    """Embedding, recurrent layers, Linear, with dropout between: what the tagger and the classifier share.

    num_symbols: how many symbols there are. num_classes: how many classes. cell: "lstm", "gru" or "rnn".
    embedding_size, hidden_size, num_layers, bidirectional, init, dtype: as the layers take them. dropout: before,
    between and after the recurrent layers, in training.
    rng: a seed or generator, for the weights and then for dropout.

    params is a read-only view of the layers' dicts under the names "embedding.", that of the cell, e.g. "lstm.", and
    "linear."; the arrays are the layers' own, so that an optimizer changes them in place.
    """

    label_per_step: bool
    """True where logits have a step axis, False where there is one label a sequence."""

    def __init__(
        self,
        num_symbols: int,
        num_classes: int,
        *,
        cell: CellName = "lstm",
        embedding_size: int = 32,
        hidden_size: int = 64,
        num_layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
        init: Init = "orthogonal",
        dtype: DTypeLike = np.float32,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        self.cell: CellName = require_choice("cell", cell, CELLS)
        self.rng = require_rng(rng)
        shared: dict[str, Any] = {"dtype": dtype, "rng": self.rng}
        self.embedding = Embedding(num_symbols, embedding_size, **shared)
        self.recurrent = CELLS[cell](
            embedding_size, hidden_size, num_layers, bidirectional=bidirectional, dropout=dropout, init=init, **shared
        )
        self.linear = Linear(self.recurrent.features(num_layers - 1), num_classes, **shared)
        self.dropout = Dropout(dropout, rng=self.rng)

    @property
    def parts(self) -> dict[str, Layer]:
        """The layers with parameters, under the names that those begin with."""
        return {"embedding": self.embedding, self.cell: self.recurrent, "linear": self.linear}

    @property
    def params(self) -> Mapping[str, np.ndarray]:
        """All parameters under one flat name each."""
        return MappingProxyType(join({name: layer.params for name, layer in self.parts.items()}))

    @params.setter
    def params(self, params: Mapping[str, np.ndarray]) -> None:
        require_params(params, self.param_shapes)
        self.embedding = self.embedding.with_params(part_of(params, "embedding"))
        self.recurrent = self.recurrent.with_params(part_of(params, self.cell))
        self.linear = self.linear.with_params(part_of(params, "linear"))

    @property
    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Those of the layers, under the names that params has."""
        self._check_options()
        return join({name: layer.param_shapes for name, layer in self.parts.items()})

    def _require_params(self, prefix: str = "") -> np.dtype:
        """As Layer's, and that the options and parts are what they may be."""
        self._check_options()
        dtypes = {layer._require_params(f"{prefix}{name}.") for name, layer in self.parts.items()}
        return dtypes.pop() if len(dtypes) == 1 else require_params(self.params, self.param_shapes, prefix)

    def _check_options(self) -> None:
        """Raise TypeError or ValueError, naming it, for an option or part that is none."""
        require_choice("cell", self.cell, CELLS)
        parts: dict[str, type] = {
            "embedding": Embedding,
            "recurrent": CELLS[self.cell],
            "linear": Linear,
            "dropout": Dropout,
        }
        for name, needed in parts.items():
            part = getattr(self, name)
            if not isinstance(part, needed):
                raise TypeError(f"{name} is {part!r}; it needs to be of the class {needed.__name__}")

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that make a model of this shape again: type(model)(**model.config)."""
        return {
            "num_symbols": self.embedding.num_embeddings,
            "num_classes": self.linear.output_size,
            "cell": self.cell,
            "embedding_size": self.embedding.embedding_size,
            "hidden_size": self.recurrent.hidden_size,
            "num_layers": self.recurrent.num_layers,
            "bidirectional": len(self.recurrent.directions) == 2,
            "dropout": self.dropout.p,
            "dtype": str(self.linear.params["b"].dtype),
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.config.items())})"

    def _head_forward(self, y: np.ndarray, h_n: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, Any]:
        """What the linear layer reads, made of y (N, T, features) and h_n (num_layers * S, N, H); and a cache."""
        raise NotImplementedError

    def _head_backward(self, dz: np.ndarray, cache: ModelCache) -> tuple[np.ndarray, np.ndarray | None]:
        """dy and dh_n (None: 0), given the gradient of what _head_forward returned."""
        raise NotImplementedError

    def forward(
        self,
        ids: ArrayLike,
        lengths: ArrayLike | None = None,
        training: bool = False,
        *,
        rng: int | np.random.Generator | None = None,
    ) -> tuple[np.ndarray, ModelCache]:
        """ids (N, T) integers, lengths (N,) or None for all T -> logits, cache.

        training: keep what backward needs, and apply dropout, whose masks rng draws (by default the model's own).
        Raises TypeError or ValueError, naming the argument.
        """
        self._require_params()
        training = require_bool("training", training)
        ids = require_integers("ids", ids)
        if ids.ndim != 2:
            raise ValueError(f"ids has shape {ids.shape}; it needs axes (N, T)")
        N, T = ids.shape
        valid = valid_steps(check_lengths(lengths, N, T), T)
        rng = pass_rng(self.rng, rng)
        x, embedding = self.embedding.forward(np.where(valid, ids, ids.dtype.type(0)))
        x, below = self.dropout.forward(x, training, rng=rng)
        y, state, recurrent = self.recurrent.forward(x, lengths, training=training, rng=rng)
        z, pooling = self._head_forward(y, state[0] if isinstance(state, tuple) else state, valid)
        z, above = self.dropout.forward(z, training, rng=rng)
        logits, linear = self.linear.forward(z)
        if self.label_per_step:
            logits = np.where(valid[..., None], logits, 0)
        return logits, ModelCache(self, training, embedding, below, recurrent, pooling, above, linear, valid)

    def backward(self, dlogits: ArrayLike, cache: ModelCache) -> tuple[None, dict[str, np.ndarray]]:
        """dlogits, shaped as the logits -> None (ids have no gradient), grads with the names of params.

        With one label per step, what dlogits holds in the padding never matters.
        """
        dy, dstate, linear = backward_to_recurrent(self, dlogits, cache)
        dx, recurrent, _ = self.recurrent.backward(dy, cache.recurrent, dstate)
        dx, _ = self.dropout.backward(dx, cache.below)
        _, embedding = self.embedding.backward(dx, cache.embedding)
        return None, join({"embedding": embedding, self.cell: recurrent, "linear": linear})

    def predict(self, ids: ArrayLike, lengths: ArrayLike | None = None) -> np.ndarray:
        """The likeliest class for each logit vector: integers, shaped as the logits without their last axis.

        Raises FloatingPointError where a logit is not finite: of NaN no class is the likeliest.
        """
        with np.errstate(all="ignore"):  # what is not finite gets a sentence; which kernels warn, and of what, differs
            logits = self.forward(ids, lengths)[0]
        if not np.isfinite(logits).all():
            raise FloatingPointError(
                "the model's outputs are not finite: its weights are not, or are too large, as after a training that "
                "diverged"
            )
        classes: np.ndarray = logits.argmax(axis=-1)
        return classes


def backward_to_recurrent(
    model: SequenceModel, dlogits: ArrayLike, cache: ModelCache
) -> tuple[np.ndarray, Any, dict[str, np.ndarray]]:
    """The first half of backward -> what the recurrent layer's backward takes, dy and dstate; linear's grads."""
    model._require_own(cache)
    model._require_params()
    V = model.linear.output_size
    dlogits = require_floats("dlogits", dlogits)
    if model.label_per_step:
        require_shape("dlogits", dlogits, (*cache.valid.shape, V))
        dlogits = np.where(cache.valid[..., None], dlogits, 0)
    else:
        require_shape("dlogits", dlogits, (len(cache.valid), V))
    dlogits = in_dtype("dlogits", dlogits, cache.linear.x.dtype)
    dz, linear = model.linear.backward(dlogits, cache.linear)
    dz, _ = model.dropout.backward(dz, cache.above)
    dy, dh_n = model._head_backward(dz, cache)
    dstate: Any = dh_n
    if dh_n is not None and len(model.recurrent.state_parts) == 2:
        dstate = (dh_n, np.zeros(cache.recurrent.state_shapes[1], dh_n.dtype))
    return dy, dstate, linear


class SequenceTagger(SequenceModel):
    """One label per step: Embedding -> recurrent layers -> Linear at every step.

    ids (N, T) -> logits (N, T, num_classes), 0 in the padding.

    >>> model = nb.SequenceTagger(num_symbols=10, num_classes=3, hidden_size=8, rng=0)
    >>> ids, lengths = nb.pad([[1, 2, 3], [4, 5]])
    >>> logits, cache = model.forward(ids, lengths, training=True)
    >>> logits.shape, model.predict(ids, lengths).shape
    ((2, 3, 3), (2, 3))
    >>> _, grads = model.backward(logits, cache)
    >>> set(grads) == set(model.params)
    True
    """

    label_per_step = True

    def _head_forward(self, y: np.ndarray, h_n: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, None]:
        """Every step's output."""
        return y, None

    def _head_backward(self, dz: np.ndarray, cache: ModelCache) -> tuple[np.ndarray, None]:
        """All of it flows to y."""
        return dz, None


POOLINGS: dict[str, tuple[Any, Any]] = {
    "mean": (mean_over_steps_forward, mean_over_steps_backward),
    "max": (max_over_steps_forward, max_over_steps_backward),
}


class SequenceClassifier(SequenceModel):
    """One label a sequence: Embedding -> recurrent layers -> Linear on one vector a sequence.

    pooling: which vector. "final": the last layer's final states, the forward direction's after the last *valid*
    step, the reverse direction's after t = 0: each direction's state when it has read everything. Not y[:, -1]:
    there the reverse direction has read one step only, or in a padded row nothing at all. "mean" and "max": over the
    outputs at valid steps, see textbook/pooling.py.

    ids (N, T) -> logits (N, num_classes).

    >>> model = nb.SequenceClassifier(10, 3, cell="gru", pooling="max", rng=0)
    >>> ids, lengths = nb.pad([[1, 2, 3], [4, 5]])
    >>> model.forward(ids, lengths)[0].shape
    (2, 3)
    """

    label_per_step = False

    def __init__(
        self, num_symbols: int, num_classes: int, *, pooling: Pooling = "final", **options: Unpack[ModelOptions]
    ) -> None:
        self.pooling: Pooling = require_choice("pooling", pooling, ("final", *POOLINGS))
        super().__init__(num_symbols, num_classes, **options)

    def _check_options(self) -> None:
        """As SequenceModel's."""
        super()._check_options()
        require_choice("pooling", self.pooling, ("final", *POOLINGS))

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that make a model of this shape again."""
        return {**super().config, "pooling": self.pooling}

    def _head_forward(self, y: np.ndarray, h_n: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, Any]:
        """(N, features): the last layer's final states, joined; or its outputs, pooled."""
        if self.pooling == "final":
            return np.concatenate(list(h_n[-len(self.recurrent.directions) :]), axis=1), None
        forward, backward = POOLINGS[self.pooling]
        pooled, cache = forward(y, valid.sum(axis=1))
        return pooled, (backward, cache)

    def _head_backward(self, dz: np.ndarray, cache: ModelCache) -> tuple[np.ndarray, np.ndarray | None]:
        """All of it flows to the last layer's final states, or to its outputs."""
        if cache.pooling is not None:
            backward, pooled = cache.pooling
            return backward(dz, pooled), None
        S = len(self.recurrent.directions)
        dh_n = np.zeros(cache.recurrent.state_shapes[0], dz.dtype)
        dh_n[-S:] = np.split(dz, S, axis=1)
        return np.zeros((*cache.valid.shape, self.recurrent.features(self.recurrent.num_layers - 1)), dz.dtype), dh_n
