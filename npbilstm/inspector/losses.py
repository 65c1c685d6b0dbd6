"""The loss of a trace, a function of a model's scores, with its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm.models import Head, SequenceModel
from npbilstm.models.crf_head import CRFHead
from npbilstm.models.heads import ValuesHead
from npbilstm.textbook import counted_steps, softmax_cross_entropy_backward, softmax_cross_entropy_forward


def loss_of_classes(model: SequenceModel, scores: np.ndarray, target: Any, lengths: Any) -> tuple[Any, np.ndarray]:
    """The mean cross-entropy, of classes with weights or a CRF the head's own loss; and its gradient with respect to
    the scores. Raises ValueError for a model of values, and for a label that does not count, which has no name."""
    if isinstance(model.head, ValuesHead):
        raise ValueError("target is classes, and the model answers with values; upstream, their gradient, goes with it")
    if isinstance(model.head, CRFHead):
        return loss_of_head(model.head, scores, target, lengths)
    if getattr(model.head, "class_weights", None) is not None:
        valid = np.full(target.shape, True) if lengths is None or target.ndim < 2 else counted_steps(target, lengths)
        if (target[valid] < 0).any():
            raise ValueError(f"target holds {target[valid].min()} at a valid step; it needs classes")
        return loss_of_head(model.head, scores, target, lengths)
    loss, cache = softmax_cross_entropy_forward(scores, target, lengths if model.label_per_step else None)
    return loss, softmax_cross_entropy_backward(1.0, cache)


def loss_of_head(head: Head, scores: np.ndarray, target: Any, lengths: Any) -> tuple[Any, np.ndarray]:
    """The head's own loss, likewise."""
    loss, cache = head.loss_forward(scores, target, lengths)
    return loss, head.loss_backward(1.0, cache)[0]
