"""What every head has: a head owns all that comes after a model's scores, a loss with its backward pass, a prediction,
and parameters of its own where it has any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from npbilstm.layers.checks import require_size
from npbilstm.layers.layer import Layer
from npbilstm.layers.padding import pad


class Head(Layer):
    """What every head has:

        targets = head.collate(rows)                                    the targets of some sequences as a batch's
        loss, cache = head.loss_forward(scores, targets, lengths)
        dscores, grads = head.loss_backward(dloss, cache)               grads has the names of head.params
        predicted = head.predict(scores, lengths)

    Scores are what the model's linear layer puts out: (N, T, num_scores) with lengths (N,), 0 in the padding, or
    (N, num_scores), where the lengths do not matter. The padding has no part in a loss, and dscores is 0 there.

    size: how many classes, or values, there are. per_step: whether the scores have a step axis. dtype, rng: for params.
    targets_per_step: whether targets and predictions have one, as the scores have, unless a subclass says otherwise.
    metric: what predictions are measured by, a name in training/metrics.py.
    """

    metric = "accuracy"
    sizes = "num_classes"
    """What a model calls the size."""

    def __init__(
        self, size: int, per_step: bool, dtype: Any = np.float32, rng: np.random.Generator | None = None
    ) -> None:
        self.size = require_size(self.sizes, size)
        self.per_step = self.targets_per_step = per_step
        self.params: Mapping[str, np.ndarray] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.size}, per_step={self.per_step})"

    @property
    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """None, unless a subclass has some."""
        return {}

    @property
    def num_scores(self) -> int:
        """How many scores a step, or a sequence, needs."""
        return self.size

    def require_targets(self, name: str, targets: Any, T: int) -> None:
        """Raise TypeError or ValueError where these are no targets of one sequence of T steps; name begins the
        sentence."""
        raise NotImplementedError

    def collate(self, rows: Sequence[Any]) -> Any:
        """The targets of each sequence -> of a batch: padded, or side by side."""
        return pad(rows)[0] if self.targets_per_step else np.array(rows)

    def loss_forward(
        self, scores: np.ndarray, targets: Any, lengths: np.ndarray | None = None
    ) -> tuple[np.floating, Any]:
        """The mean loss of a batch, and a cache. targets: as collate makes them."""
        raise NotImplementedError

    def loss_backward(self, dloss: float, cache: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """dscores, and the gradients of the head's own params, given the scalar dloss (usually 1)."""
        raise NotImplementedError

    def loss_weight(self, targets: Any) -> float:
        """What the targets of one sequence count in the mean loss of a batch, as Model.loss_weight has it."""
        raise NotImplementedError

    def predict(self, scores: np.ndarray, lengths: np.ndarray | None = None) -> Any:
        """For each row what the scores, which are finite, say."""
        raise NotImplementedError
