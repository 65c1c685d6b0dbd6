"""Gradient check of the CTC loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npbilstm import textbook
from npbilstm.commands.checks.case import LENGTHS, N, T, V, drawn
from npbilstm.gradcheck import GradientReport, check_gradients

TARGETS = np.array([[2, 2, 1], [4, 1, 0], [3, 0, 0]])
TARGET_LENGTHS = np.array([3, 2, 0])


def check_ctc(**options: Any) -> GradientReport:
    """The CTC loss of a ragged batch: two equal labels side by side, and a row without any."""
    logits = 2 * drawn(5, logits=(N, T, V))["logits"]
    _, cache = textbook.ctc_forward(logits, TARGETS, LENGTHS, TARGET_LENGTHS)
    grads = {"logits": textbook.ctc_backward(1.0, cache)}
    return check_gradients(
        lambda p: textbook.ctc_forward(p["logits"], TARGETS, LENGTHS, TARGET_LENGTHS)[0],
        {"logits": logits},
        grads,
        **options,
    )


CHECKS: dict[str, Callable[..., GradientReport]] = {"textbook: CTC": check_ctc}
