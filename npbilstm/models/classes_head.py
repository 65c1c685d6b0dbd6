"""The head for classes, each step or sequence by itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm.models.head import Head
from npbilstm.textbook.sequences import as_array
from npbilstm.textbook.weighted_losses import (
    checked_weights,
    counted_steps,
    weighted_cross_entropy_backward,
    weighted_cross_entropy_forward,
)

IGNORED = -100
"""The label of a step, or sequence, that does not count, as in PyTorch."""


class ClassesHead(Head):
    """One of `size` classes per step, or per sequence: softmax and cross-entropy, see textbook/weighted_losses.py.

    A label IGNORED counts neither in the loss nor in what validation measures. class_weights: (size,), how much each
    class counts in the loss; None: all alike.
    """

    class_weights: list[float] | None = None
    ignore_index: int | None = IGNORED

    def weigh(self, class_weights: Any) -> None:
        """Take these weights. Raises TypeError or ValueError where they are none."""
        self.class_weights = checked_weights(class_weights, self.size).astype(float).tolist()

    def require_targets(self, name: str, targets: Any, T: int) -> None:
        """Integers, (T,) or a single one, each in 0..size-1 or IGNORED."""
        labels = as_array(f"{name}'s labels", targets)
        if labels.dtype.kind not in "iu" and labels.shape != (0,):  # of [] NumPy makes floating numbers
            raise TypeError(f"{name} has labels of dtype {labels.dtype}; it needs integers, each a class")
        needed = (T,) if self.targets_per_step else ()
        if labels.shape != needed:
            raise ValueError(f"{name} has labels of shape {labels.shape}; for these ids the model needs {needed}")
        labels = labels[labels != self.ignore_index] if self.ignore_index is not None else labels
        if labels.size and not (labels.min() >= 0 and labels.max() < self.size):
            outside = labels.max() if labels.min() >= 0 else labels.min()
            raise ValueError(f"{name} has class {outside}; the model has classes 0 to {self.size - 1}")

    def loss_forward(
        self, scores: np.ndarray, targets: Any, lengths: np.ndarray | None = None
    ) -> tuple[np.floating, Any]:
        """The weighted mean of the cross-entropy over the steps, or rows, that count."""
        counts = counted_steps(targets, lengths if self.per_step else None, ignore_index=self.ignore_index)
        return weighted_cross_entropy_forward(scores, targets, self._relative_weights(), counts)

    def loss_backward(self, dloss: float, cache: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """dscores; there are no params."""
        return weighted_cross_entropy_backward(dloss, cache), {}

    def loss_weight(self, targets: Any) -> float:
        """The weights of the classes of all steps that count, or of the row, added up."""
        labels = np.asarray(targets)
        labels = labels[labels != self.ignore_index].astype(np.intp)
        weights = self._relative_weights()
        return float(len(labels) if weights is None else weights[labels].sum())

    def _relative_weights(self) -> np.ndarray | None:
        """The class weights by the largest: means are the same, and neither float32 nor a sum overflows."""
        if self.class_weights is None:
            return None
        weights = np.array(self.class_weights)
        return weights / weights.max() if weights.any() else weights

    def predict(self, scores: np.ndarray, lengths: np.ndarray | None = None) -> np.ndarray:
        """The likeliest class: integers, shaped as the scores without their last axis."""
        classes: np.ndarray = scores.argmax(axis=-1)
        return classes
