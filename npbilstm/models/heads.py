"""Heads: what becomes of a model's scores, each number by itself; and the table of all heads."""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm.layers.checks import require_choice, require_floats
from npbilstm.models.classes_head import ClassesHead
from npbilstm.models.crf_head import CRFHead
from npbilstm.models.ctc_head import CTCHead
from npbilstm.models.head import Head
from npbilstm.models.options import HeadName
from npbilstm.textbook.losses import mean_squared_error_backward, mean_squared_error_forward


class ValuesHead(Head):
    """`size` real numbers per step, or per sequence: the scores themselves, and their mean squared error."""

    metric = "mean_squared_error"
    sizes = "num_values"

    def require_targets(self, name: str, targets: Any, T: int) -> None:
        """Finite floating numbers, (T, size) or (size,)."""
        values = require_floats(f"{name}'s targets", targets)
        needed = (T, self.size) if self.targets_per_step else (self.size,)
        if values.shape != needed:
            raise ValueError(f"{name} has targets of shape {values.shape}; the model needs {needed}")
        if not np.isfinite(values).all():
            place = ", ".join(map(str, np.argwhere(~np.isfinite(values))[0]))
            raise ValueError(f"{name} has targets that are not finite, the first at [{place}]; it needs finite numbers")

    def loss_forward(
        self, scores: np.ndarray, targets: Any, lengths: np.ndarray | None = None
    ) -> tuple[np.floating, Any]:
        """The mean of the squared errors, over the numbers of valid steps, or of rows."""
        return mean_squared_error_forward(scores, targets, lengths if self.per_step else None)

    def loss_backward(self, dloss: float, cache: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """dscores; there are no params."""
        return mean_squared_error_backward(dloss, cache), {}

    def loss_weight(self, targets: Any) -> float:
        """How many numbers they are."""
        return float(np.size(targets))

    def predict(self, scores: np.ndarray, lengths: np.ndarray | None = None) -> np.ndarray:
        """The values: the scores."""
        return scores


HEADS: dict[str, type[Head]] = {"classes": ClassesHead, "values": ValuesHead, "crf": CRFHead, "ctc": CTCHead}
"""Those that a model may have, by the names that its option `head` takes."""

USUAL_HEADS: dict[str, HeadName] = {"num_classes": "classes", "num_values": "values"}
"""The head of a model that is not told of one."""


def chosen_head(head: HeadName | None, num_classes: int | None, num_values: int | None) -> tuple[type[Head], int]:
    """The kind of head and its size. Raises ValueError unless one size is given, that of this head."""
    sizes = {
        name: size for name, size in [("num_classes", num_classes), ("num_values", num_values)] if size is not None
    }
    if len(sizes) != 1:
        given = "both are given" if sizes else "neither is given"
        raise ValueError(f"num_classes or num_values: {given}; a model answers with classes, or with real numbers")
    name, size = ("num_values", num_values) if num_classes is None else ("num_classes", num_classes)
    assert size is not None
    kind = HEADS[require_choice("head", USUAL_HEADS[name] if head is None else head, HEADS)]
    if kind.sizes != name:
        raise ValueError(f"head is {head!r}, which goes with {kind.sizes}; {name} is given")
    return kind, size


def weigh(head: Head, class_weights: Any) -> None:
    """Give a head of classes its weights. Raises ValueError for a head of another kind, TypeError or ValueError for
    what are no weights."""
    if type(head) is not ClassesHead:
        raise ValueError(f"class_weights goes with the head 'classes'; the model has a {type(head).__name__}")
    head.weigh(class_weights)
