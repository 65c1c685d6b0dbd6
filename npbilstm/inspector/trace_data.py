"""The numbers of a run: every gate, state and gradient of every step, by its textbook name.

Axes of the arrays: layer of the stack L, direction S (forward, reverse), row N, step T in input time order, unit H.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from npbilstm.inspector.cell_equations import Equations
from npbilstm.inspector.step_map import StepMap
from npbilstm.layers import Recurrent
from npbilstm.models import Seq2Seq, SequenceModel
from npbilstm.models.crf_head import CRFHead
from npbilstm.models.heads import ValuesHead


class Setting(NamedTuple):
    """Numbers of one name that are set: where (L, S, N, T, .), True or False, and to what."""

    where: np.ndarray
    to: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class TraceData:
    """What a model or a layer did to a batch of sequences, made by `trace`.

    trace[name]: (L, S, N, T, H), e.g. trace["i"][layer, direction, row, step, unit]; trace.names are all of them. h,
        h_prev and their gradients have R units in place of H where the layer has a projection. 0 in the padding.
    inputs[k]: (N, T, D_k), what layer k of the stack reads. order (S, N, T): at which turn a direction read a step, -1
        in the padding. lengths (N,). tokens[n]: the names of row n's steps.
    equations: those of the layer's cell. The arrays satisfy them at every valid step, but for dh_next and dc_next at
        the step that a direction reads last: there they are the gradient of the final state.
    model: None for a layer alone. layer: its recurrent layer, dropout off.
    output: the model's logits, or the layer's y, N first. target, predicted: classes as integers, or None.
    classes: their names.
    loss: the mean cross-entropy, where there is a target. dx: the gradient of inputs[0], where there are gradients.
    ids: the symbols that a model read, (N, T), or features (N, T, D); None for a layer alone. upstream: the gradient of
        the layer's y, (N, T, features) or a pair; None where the loss does not see y.
    notes: what a reader should know of it, sentences without their full stops: that the input is drawn, say.
    seq2seq: the model whose encoder is traced, as a layer that reads ids; then model is None, and classes are
        the names of the answers' symbols. answers: its answer to each row (T_n,), or a row's labels of the head "ctc",
        those given or its own; None for other models.
    step_maps: of each row what the model makes of its steps, a map, see step_map.py; None for nothing.
    settings: of a changed run by name the numbers that are set, where the equations do not hold; see intervention.py.
    """

    layer: Recurrent
    model: SequenceModel | None
    arrays: Mapping[str, np.ndarray]
    equations: Equations
    inputs: Sequence[np.ndarray]
    order: np.ndarray
    lengths: np.ndarray
    tokens: list[list[str]]
    output: Any
    target: np.ndarray | None
    classes: list[str] | None
    loss: float | None
    dx: np.ndarray | None
    ids: np.ndarray | None
    upstream: Any
    seq2seq: Seq2Seq | None = None
    answers: Sequence[np.ndarray] | None = None
    step_maps: Sequence[StepMap] | None = None
    settings: Mapping[str, Setting] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.arrays:
            has = ", ".join(self.names)
            hint = "" if self.has_gradients else "; gradients need an upstream gradient or a target"
            raise KeyError(f"the trace has no {name!r}; it has {has}{hint}")
        return self.arrays[name]

    @property
    def names(self) -> list[str]:
        """The arrays' names, in the order in which they are computed."""
        return list(self.arrays)

    @property
    def has_gradients(self) -> bool:
        """Whether there was an upstream gradient or a target."""
        return "dh" in self.arrays

    @property
    def directions(self) -> tuple[str, ...]:
        """("forward", "reverse"), or the one that the layer has."""
        return self.layer.directions

    @property
    def logits(self) -> np.ndarray | None:
        """The model's, (N, T, V) or (N, V); None for a layer alone."""
        return None if self.model is None else self.output

    @cached_property
    def predicted(self) -> np.ndarray | None:
        """The likeliest classes, (N, T) or (N,); None for a layer alone, and for a model that answers with values."""
        if self.model is None or isinstance(self.model.head, ValuesHead):
            return None
        return likeliest(self.model, self.output, self.lengths)

    @property
    def reads_symbols(self) -> bool:
        """Whether inputs[0] is an embedding's."""
        return self.seq2seq is not None or (self.model is not None and self.model.embedding is not None)

    @property
    def is_of_model(self) -> bool:
        """Whether upstream comes from the rest of a model."""
        return self.model is not None or self.seq2seq is not None

    @property
    def output_is_by_step(self) -> bool:
        """Whether there is an output at every step: always but for a classifier."""
        return self.model is None or self.model.label_per_step

    @property
    def class_names(self) -> list[str]:
        """A name for each class, its number where it has none."""
        if self.classes is not None:
            return self.classes
        return [str(k) for k in range(0 if self.logits is None else self.logits.shape[-1])]


def likeliest(model: SequenceModel, scores: np.ndarray, lengths: np.ndarray | None = None) -> np.ndarray:
    """The class of the highest score at each step, or of each sequence; of a CRF those of the best path."""
    if isinstance(model.head, CRFHead) and np.isfinite(scores).all():
        return model.head.predict(scores, lengths)
    classes: np.ndarray = scores.argmax(axis=-1)
    return classes
