"""The loss of a trace, a function of a model's scores, with its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm.models import SequenceModel
from npbilstm.models.crf_head import CRFHead
from npbilstm.models.ctc_head import CTCHead
from npbilstm.models.heads import ValuesHead
from npbilstm.textbook import counted_steps, softmax_cross_entropy_backward, softmax_cross_entropy_forward


def loss_of_classes(model: SequenceModel, scores: np.ndarray, target: Any, lengths: Any) -> tuple[Any, np.ndarray]:
    """The mean cross-entropy, or of classes with weights, a CRF or a CTC the head's own loss; and its gradient with
    respect to the scores. Raises ValueError for a model of values, and for a label that does not count, which has no
    name."""
    if isinstance(model.head, ValuesHead):
        raise ValueError("target is classes, and the model answers with values; upstream, their gradient, goes with it")
    weighted = getattr(model.head, "class_weights", None) is not None
    if weighted:
        valid = np.full(target.shape, True) if lengths is None or target.ndim < 2 else counted_steps(target, lengths)
        if (target[valid] < 0).any():
            raise ValueError(f"target holds {target[valid].min()} at a valid step; it needs classes")
    if weighted or isinstance(model.head, (CRFHead, CTCHead)):
        loss, cache = model.head.loss_forward(scores, target, lengths)
        return loss, model.head.loss_backward(1.0, cache)[0]
    loss, cache = softmax_cross_entropy_forward(scores, target, lengths if model.label_per_step else None)
    return loss, softmax_cross_entropy_backward(1.0, cache)
