"""What the Trainer and the checkpoints need of a model, whatever it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from npbilstm.layers.layer import Layer, join, part_of, require_params
from npbilstm.layers.padding import pad
from npbilstm.layers.row_gradient import RowGradient

Sequences = Sequence[tuple[Any, Any]]
"""Pairs of what a model reads of one sequence and what it is to make of it: ids (T,) and labels (T,), say."""


class Model(Layer):
    """A model is a layer that knows its own loss:

        model.require_sequence("train[0]", *train[0])         before anything is computed
        batch = model.collate(train[:32])                     rows of unequal length as arrays
        loss, cache = model.loss_forward(*batch, training=True)
        grads = model.loss_backward(1.0, cache)               with the names of params, all of them
        model.loss_weight(*train[0])                          its part in a batch's mean loss
        model.predict(ids, lengths)                           one row of the answer for each row

    metric: the name, in training/metrics.py, of what its predictions are measured by.
    predicts_per_step: True where a row's prediction has one entry per step of the row, and then padding to be cut off.
    window: None; or, of a model that reads its sequences as streams, how many steps of them are a batch. loss_forward
        then takes the `state` in which the batch before ended, and its cache has the one in which this one ends.
    """

    metric: str
    predicts_per_step: bool
    window: int | None = None

    tables: tuple[str, ...] = ()
    """The names of params of which a batch reads few rows: loss_backward_by_row and rows_read are about these."""

    @property
    def parts(self) -> dict[str, Layer]:
        """The layers with parameters, under the names that those begin with: their attributes' names, but that the
        recurrent layers, the attribute `recurrent`, may go by their cell's."""
        raise NotImplementedError

    @property
    def params(self) -> Mapping[str, np.ndarray]:
        """All parameters under one flat name each."""
        return MappingProxyType(join({name: layer.params for name, layer in self.parts.items()}))

    @params.setter
    def params(self, params: Mapping[str, np.ndarray]) -> None:
        require_params(params, self.param_shapes)
        for name, layer in self.parts.items():
            setattr(self, name if name in vars(self) else "recurrent", layer.with_params(part_of(params, name)))

    @property
    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Those of the layers, under the names that params has."""
        return join({name: layer.param_shapes for name, layer in self.parts.items()})

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that make a model of this shape again: type(model)(**model.config); "dtype" is one of them."""
        raise NotImplementedError

    def require_sequence(self, name: str, inputs: Any, targets: Any) -> None:
        """Raise TypeError or ValueError, a sentence that begins with the name, where this is none to be trained on."""
        raise NotImplementedError

    def collate(self, sequences: Sequences) -> tuple[Any, ...]:
        """The sequences of one batch as the arguments of loss_forward."""
        raise NotImplementedError

    def loss_forward(
        self, *batch: Any, training: bool = False, rng: int | np.random.Generator | None = None
    ) -> tuple[np.floating, Any]:
        """The batch's mean loss, and a cache. training and rng: as forward has them."""
        raise NotImplementedError

    def loss_backward(self, dloss: float, cache: Any) -> dict[str, np.ndarray]:
        """The gradient of the loss with respect to every one of params, given the scalar dloss (usually 1)."""
        raise NotImplementedError

    def loss_weight(self, inputs: Any, targets: Any) -> float:
        """What one sequence counts in the mean loss of a batch, which is divided by the sum of all these: its steps,
        say, where the loss is a mean over steps."""
        raise NotImplementedError

    def loss_backward_by_row(self, dloss: float, cache: Any) -> Mapping[str, np.ndarray | RowGradient]:
        """As loss_backward, but a RowGradient of each of the tables."""
        return self.loss_backward(dloss, cache)

    def rows_read(self, sequences: Sequences) -> dict[str, np.ndarray]:
        """Of each of the tables the rows that loss_forward may read for a batch of these, each once."""
        return {}

    def pad(self, rows: Sequence[Any]) -> tuple[Any, np.ndarray]:
        """What the model reads of each sequence -> the arguments of predict."""
        return pad(rows)

    def predict(self, inputs: Any, lengths: Any = None) -> Any:
        """What the model makes of a padded batch: an array, or a list, with an entry for each row."""
        raise NotImplementedError


def require_finite_outputs(outputs: np.ndarray) -> None:
    """Raise FloatingPointError where a model puts out NaN or infinity: of these nothing is the likeliest."""
    if not np.isfinite(outputs).all():
        raise FloatingPointError(
            "the model's outputs are not finite: its weights are not, or are too large, as after a training that "
            "diverged"
        )
