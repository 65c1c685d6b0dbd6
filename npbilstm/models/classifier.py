"""The classifier: one label per sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from npbilstm.layers.checks import require_choice
from npbilstm.models.options import ModelOptions, Pooling
from npbilstm.models.sequence_model import ModelCache, SequenceModel
from npbilstm.textbook.pooling import (
    max_over_steps_backward,
    max_over_steps_forward,
    mean_over_steps_backward,
    mean_over_steps_forward,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

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

    ids (N, T), or x (N, T, input_size) -> logits (N, num_classes), or values (N, num_values).

    >>> model = nb.SequenceClassifier(10, 3, cell="gru", pooling="max", rng=0)
    >>> ids, lengths = nb.pad([[1, 2, 3], [4, 5]])
    >>> model.forward(ids, lengths)[0].shape
    (2, 3)
    >>> model = nb.SequenceClassifier(input_size=4, num_classes=3, rng=0)
    >>> x, lengths = nb.pad([np.ones((5, 4)), np.ones((2, 4))])
    >>> model.predict(x, lengths).shape
    (2,)
    """

    label_per_step = False

    def __init__(
        self,
        num_symbols: int | None = None,
        num_classes: int | None = None,
        *,
        pooling: Pooling = "final",
        **options: Unpack[ModelOptions],
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

    def _pool_forward(self, y: np.ndarray, h_n: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, Any]:
        """(N, features): the last layer's final states, joined; or its outputs, pooled."""
        if self.pooling == "final":
            return np.concatenate(list(h_n[-len(self.recurrent.directions) :]), axis=1), None
        forward, backward = POOLINGS[self.pooling]
        pooled, cache = forward(y, valid.sum(axis=1))
        return pooled, (backward, cache)

    def _pool_backward(self, dz: np.ndarray, cache: ModelCache) -> tuple[np.ndarray, np.ndarray | None]:
        """All of it flows to the last layer's final states, or to its outputs."""
        if cache.pooling is not None:
            backward, pooled = cache.pooling
            return backward(dz, pooled), None
        S = len(self.recurrent.directions)
        dh_n = np.zeros(cache.recurrent.state_shapes[0], dz.dtype)
        dh_n[-S:] = np.split(dz, S, axis=1)
        return np.zeros((*cache.valid.shape, self.recurrent.features(self.recurrent.num_layers - 1)), dz.dtype), dh_n
