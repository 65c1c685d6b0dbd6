"""The head for labels of which nobody knows at which steps they are: connectionist temporal classification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from npbilstm.layers.padding import pad
from npbilstm.models.ctc_batch import ctc_batch_backward, ctc_batch_forward
from npbilstm.models.head import Head
from npbilstm.textbook.ctc import ctc_labels, ctc_steps_needed
from npbilstm.textbook.ctc_decoding import ctc_greedy
from npbilstm.textbook.sequences import as_array, check_lengths


class CTCHead(Head):
    """A row's labels, fewer than its steps: classes 1 to size-1; class 0 is the blank. See textbook/ctc.py.

    A row's targets are its labels (U,), a batch's a pair: labels (N, U), padded, and how many each row has (N,). A
    prediction is the labels on the best path, an array for each row; nb.ctc_beam finds likelier ones in the scores.
    """

    metric = "label_error_rate"

    def __init__(
        self, size: int, per_step: bool, dtype: Any = np.float32, rng: np.random.Generator | None = None
    ) -> None:
        if not per_step:
            raise ValueError("head is 'ctc', which needs scores at every step; SequenceTagger has them")
        super().__init__(size, per_step)
        self.targets_per_step = False

    def require_targets(self, name: str, targets: Any, T: int) -> None:
        """Integers (U,), each in 1..size-1, that fit into T steps."""
        labels = as_array(f"{name}'s labels", targets)
        if labels.dtype.kind not in "iu" and labels.size:
            raise TypeError(f"{name} has labels of dtype {labels.dtype}; it needs integers, each a class")
        if labels.ndim != 1:
            raise ValueError(f"{name} has labels of shape {labels.shape}; the model needs (U,)")
        outside = labels[(labels < 1) | (labels >= self.size)]
        if outside.size:
            raise ValueError(
                f"{name} has label {outside[0]}; the model has labels 1 to {self.size - 1}, and 0 is the blank"
            )
        needed = ctc_steps_needed(labels)
        if needed > T:
            raise ValueError(
                f"{name} has {T} steps; its {len(labels)} labels need {needed}, with a blank between equal neighbours"
            )

    def collate(self, rows: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
        """The labels of each sequence -> padded, and how many each has."""
        return pad(rows)

    def loss_forward(
        self, scores: np.ndarray, targets: Any, lengths: np.ndarray | None = None
    ) -> tuple[np.floating, Any]:
        """The mean over the rows of minus the log-probability of their labels. Raises as the textbook's ctc_forward."""
        labels, label_lengths = targets
        N, T, V = scores.shape
        lengths = check_lengths(lengths, N, T)
        labels, label_lengths = pad(ctc_labels(labels, label_lengths, lengths, V))
        loss, _, cache = ctc_batch_forward(scores, labels, lengths, label_lengths)
        return loss, cache

    def loss_backward(self, dloss: float, cache: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """dscores; there are no params."""
        return ctc_batch_backward(dloss, cache), {}

    def loss_weight(self, targets: Any) -> float:
        """A row is a row."""
        return 1.0

    def predict(self, scores: np.ndarray, lengths: np.ndarray | None = None) -> list[np.ndarray]:
        """The labels on each row's best path (U,)."""
        labels, label_lengths = ctc_greedy(scores, lengths)
        return [row[:U] for row, U in zip(labels, label_lengths)]
