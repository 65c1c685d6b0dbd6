"""What the tagger and the classifier share: from symbols or features to scores, and to what a head makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from npbilstm.layers.cells import CELLS
from npbilstm.layers.checks import (
    in_dtype,
    pass_rng,
    require_bool,
    require_choice,
    require_floats,
    require_rng,
    require_size,
)
from npbilstm.layers.dropout import Dropout, DropoutCache
from npbilstm.layers.embedding import Embedding, EmbeddingCache
from npbilstm.layers.layer import Layer, join, require_own, require_params
from npbilstm.layers.linear import Linear, LinearCache
from npbilstm.layers.options import CellName, Init
from npbilstm.layers.padding import pad
from npbilstm.layers.stack import RecurrentLayerCache
from npbilstm.models.head import Head
from npbilstm.models.heads import HEADS, USUAL_HEADS, chosen_head, weigh
from npbilstm.models.model import Model, Sequences, require_finite_outputs
from npbilstm.models.options import HeadName
from npbilstm.models.reading import read_forward, read_size, require_readable
from npbilstm.textbook.sequences import require_shape

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike


class ModelCache(NamedTuple):
    """One forward pass: the caches of the parts, and which steps are valid (N, T)."""

    layer: SequenceModel
    kept: bool
    embedding: EmbeddingCache | None
    below: DropoutCache
    recurrent: RecurrentLayerCache
    pooling: Any
    above: DropoutCache
    linear: LinearCache
    valid: np.ndarray

    def __repr__(self) -> str:
        N, T = self.valid.shape
        return f"<cache of {self.layer!r}, {N} rows of up to {T} steps, training={self.kept}>"


class LossCache(NamedTuple):
    """What loss_backward needs: the cache of the scores, and that of the head's loss."""

    scores: ModelCache
    loss: Any


class SequenceModel(Model):
    """Embedding, recurrent layers, Linear, with dropout between, and a head: what the tagger and the classifier share.

    What the model reads: num_symbols symbols, as ids (N, T), which an embedding turns into vectors; or, with input_size
    in its place, features x (N, T, input_size), floating numbers, as they are.
    What it answers: one of num_classes classes; or, with num_values in its place, so many real numbers. head: what the
    scores are for, see heads.py; None: "classes", or with num_values "values".
    class_weights: (num_classes,), how much each class counts in the loss; None: all alike. A label -100 counts not.
    cell: "lstm", "gru" or "rnn". embedding_size (of None 32), hidden_size, num_layers, bidirectional, init, dtype: as
    the layers take them. dropout: before, between and after the recurrent layers, in training.
    rng: a seed or generator, for the weights and then for dropout.

    params is a read-only view of the layers' dicts under the names "embedding.", that of the cell, e.g. "lstm.",
    "linear.", and "head.", where the head has params; the arrays are the layers' own, so that an optimizer changes them
    in place.
    """

    label_per_step: bool
    """True where logits have a step axis, False where there is one label a sequence."""

    def __init__(
        self,
        num_symbols: int | None = None,
        num_classes: int | None = None,
        *,
        input_size: int | None = None,
        num_values: int | None = None,
        cell: CellName = "lstm",
        embedding_size: int | None = None,
        hidden_size: int = 64,
        num_layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
        head: HeadName | None = None,
        class_weights: Sequence[float] | None = None,
        init: Init = "orthogonal",
        dtype: DTypeLike = np.float32,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        self.cell: CellName = require_choice("cell", cell, CELLS)
        self.rng = require_rng(rng)
        shared: dict[str, Any] = {"dtype": dtype, "rng": self.rng}
        D = read_size(num_symbols, input_size, embedding_size)
        self.embedding = (
            None if num_symbols is None else Embedding(require_size("num_symbols", num_symbols), D, **shared)
        )
        self.recurrent = CELLS[cell](
            D, hidden_size, num_layers, bidirectional=bidirectional, dropout=dropout, init=init, **shared
        )
        kind, size = chosen_head(head, num_classes, num_values)
        self.head: Head = kind(size, self.label_per_step, **shared)
        if class_weights is not None:
            weigh(self.head, class_weights)
        self.linear = Linear(self.recurrent.features(num_layers - 1), self.head.num_scores, **shared)
        self.dropout = Dropout(dropout, rng=self.rng)

    @property
    def parts(self) -> dict[str, Layer]:
        """The layers with parameters, under the names that those begin with."""
        parts: dict[str, Layer] = {} if self.embedding is None else {"embedding": self.embedding}
        parts |= {self.cell: self.recurrent, "linear": self.linear}
        return parts | ({"head": self.head} if self.head.param_shapes else {})

    @property
    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Those of the layers, under the names that params has."""
        self._check_options()
        return super().param_shapes

    def _require_params(self, prefix: str = "") -> np.dtype:
        """As Layer's, and that the options and parts are what they may be."""
        self._check_options()
        dtypes = {layer._require_params(f"{prefix}{name}.") for name, layer in self.parts.items()}
        return dtypes.pop() if len(dtypes) == 1 else require_params(self.params, self.param_shapes, prefix)

    def _check_options(self) -> None:
        """Raise TypeError or ValueError, naming it, for an option or part that is none."""
        require_choice("cell", self.cell, CELLS)
        parts: dict[str, Any] = {
            "embedding": Embedding | None,
            "recurrent": CELLS[self.cell],
            "linear": Linear,
            "dropout": Dropout,
            "head": Head,
        }
        for name, needed in parts.items():
            part = getattr(self, name)
            if not isinstance(part, needed):
                raise TypeError(
                    f"{name} is {part!r}; it needs to be of the class {getattr(needed, '__name__', needed)}"
                )

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that make a model of this shape again: type(model)(**model.config)."""
        head = next(name for name, kind in HEADS.items() if kind is type(self.head))
        embedding, read, embedded = self.embedding, {"input_size": self.recurrent.input_size}, {}
        if embedding is not None:
            read, embedded = {"num_symbols": embedding.num_embeddings}, {"embedding_size": embedding.embedding_size}
        return {
            **read,
            self.head.sizes: self.head.size,
            "cell": self.cell,
            **embedded,
            "hidden_size": self.recurrent.hidden_size,
            "num_layers": self.recurrent.num_layers,
            "bidirectional": len(self.recurrent.directions) == 2,
            "dropout": self.dropout.p,
            "dtype": str(self.linear.params["b"].dtype),
            **({} if head in USUAL_HEADS.values() else {"head": head}),
            **({} if (weights := getattr(self.head, "class_weights", None)) is None else {"class_weights": weights}),
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.config.items())})"

    @property
    def metric(self) -> str:  # type: ignore[override]
        """The head's."""
        return self.head.metric

    @property
    def predicts_per_step(self) -> bool:  # type: ignore[override]
        """As the head has its targets."""
        return self.head.targets_per_step

    def _pool_forward(self, y: np.ndarray, h_n: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, Any]:
        """What the linear layer reads, made of y (N, T, features) and h_n (num_layers * S, N, H); and a cache."""
        raise NotImplementedError

    def _pool_backward(self, dz: np.ndarray, cache: ModelCache) -> tuple[np.ndarray, np.ndarray | None]:
        """dy and dh_n (None: 0), given the gradient of what _pool_forward returned."""
        raise NotImplementedError

    def forward(
        self,
        inputs: ArrayLike,
        lengths: ArrayLike | None = None,
        training: bool = False,
        *,
        rng: int | np.random.Generator | None = None,
    ) -> tuple[np.ndarray, ModelCache]:
        """ids (N, T) integers, or features x (N, T, D), lengths (N,) or None for all T -> logits, cache.

        training: keep what backward needs, and apply dropout, whose masks rng draws (by default the model's own).
        Raises TypeError or ValueError, naming the argument.
        """
        dtype = self._require_params()
        training = require_bool("training", training)
        x, embedding, valid = read_forward(self.embedding, self.recurrent.input_size, dtype, inputs, lengths)
        rng = pass_rng(self.rng, rng)
        x, below = self.dropout.forward(x, training, rng=rng)
        y, state, recurrent = self.recurrent.forward(x, lengths, training=training, rng=rng)
        z, pooling = self._pool_forward(y, state[0] if isinstance(state, tuple) else state, valid)
        z, above = self.dropout.forward(z, training, rng=rng)
        logits, linear = self.linear.forward(z)
        if self.label_per_step:
            logits = np.where(valid[..., None], logits, 0)
        return logits, ModelCache(self, training, embedding, below, recurrent, pooling, above, linear, valid)

    def backward(self, dlogits: ArrayLike, cache: ModelCache) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        """dlogits, shaped as the logits -> dx, of ids None, as they have no gradient; grads with the names of params.

        With one label per step, what dlogits holds in the padding never matters.
        """
        dy, dstate, linear = backward_to_recurrent(self, dlogits, cache)
        dx, recurrent, _ = self.recurrent.backward(dy, cache.recurrent, dstate)
        dx, _ = self.dropout.backward(dx, cache.below)
        above = {self.cell: recurrent, "linear": linear}
        if self.embedding is None or cache.embedding is None:
            return dx, join(above)
        _, embedding = self.embedding.backward(dx, cache.embedding)
        return None, join({"embedding": embedding, **above})

    def loss_forward(  # type: ignore[override]
        self,
        inputs: ArrayLike,
        targets: Any,
        lengths: ArrayLike | None = None,
        *,
        training: bool = False,
        rng: int | np.random.Generator | None = None,
    ) -> tuple[np.floating, LossCache]:
        """forward, and the head's loss of what comes out: the mean over what counts -> loss, cache.

        targets: of a tagger classes (N, T), integers, or values (N, T, num_values), floating numbers; of a classifier
        (N,) or (N, num_values).
        """
        scores, cache = self.forward(inputs, lengths, training, rng=rng)
        loss, loss_cache = self.head.loss_forward(scores, targets, None if lengths is None else np.asarray(lengths))
        return loss, LossCache(cache, loss_cache)

    def loss_backward(self, dloss: float, cache: LossCache) -> dict[str, np.ndarray]:
        """The loss's gradient, given the scalar dloss (usually 1) -> grads with the names of params."""
        dscores, own = self.head.loss_backward(dloss, cache.loss)
        _, grads = self.backward(dscores, cache.scores)
        return grads | join({"head": own})

    def require_sequence(self, name: str, inputs: Any, targets: Any) -> None:
        """Raise TypeError or ValueError where these are not the ids (T,), or finite features (T, D), and the targets of
        a sequence."""
        require_readable(name, inputs, self.embedding, self.recurrent.input_size)
        self.head.require_targets(name, targets, len(inputs))

    def collate(self, sequences: Sequences) -> tuple[np.ndarray, Any, np.ndarray]:
        """Pairs of ids or features and of targets -> ids (N, T) or x (N, T, D), targets, lengths."""
        inputs, lengths = pad([inputs for inputs, _ in sequences])
        return inputs, self.head.collate([targets for _, targets in sequences]), lengths

    def loss_weight(self, inputs: Any, targets: Any) -> float:
        """As the head has it."""
        return self.head.loss_weight(targets)

    def predict(self, inputs: ArrayLike, lengths: ArrayLike | None = None) -> Any:
        """What the head makes of the scores: the likeliest class for each logit vector, integers, shaped as the logits
        without their last axis; or the values, floating numbers.

        Raises FloatingPointError where a score is not finite: of NaN no class is the likeliest.
        """
        with np.errstate(all="ignore"):  # what is not finite gets a sentence; which kernels warn, and of what, differs
            scores = self.forward(inputs, lengths)[0]
        require_finite_outputs(scores)
        return self.head.predict(scores, None if lengths is None else np.asarray(lengths))


def forward_from_recurrent(
    model: SequenceModel, y: np.ndarray, h_n: np.ndarray, valid: np.ndarray
) -> tuple[np.ndarray, dict[str, Any]]:
    """The second half of forward, without dropout, on what the recurrent layer returned -> the scores, of y in float64
    in float64 whatever the model's dtype; the fields of the cache that are of this half."""
    z, pooling = model._pool_forward(y, h_n, valid)
    _, linear = model.linear.forward(z)
    scores = z @ model.linear.params["W"] + model.linear.params["b"]
    if model.label_per_step:
        scores = np.where(valid[..., None], scores, 0)
    return scores, {"pooling": pooling, "linear": linear}


def backward_to_recurrent(
    model: SequenceModel, dlogits: ArrayLike, cache: ModelCache
) -> tuple[np.ndarray, Any, dict[str, np.ndarray]]:
    """The first half of backward -> what the recurrent layer's backward takes, dy and dstate; linear's grads."""
    require_own(model, cache)
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
    dy, dh_n = model._pool_backward(dz, cache)
    dstate: Any = dh_n
    if dh_n is not None and len(model.recurrent.state_parts) == 2:
        dstate = (dh_n, np.zeros(cache.recurrent.state_shapes[1], dh_n.dtype))
    return dy, dstate, linear
