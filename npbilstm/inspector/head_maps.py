"""What a head makes of a model's scores, as a map over the steps: the marginals of a CRF, the alignment of a CTC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from npbilstm.inspector.step_map import StepMap
from npbilstm.models import SequenceModel
from npbilstm.models.crf_head import CRFHead
from npbilstm.models.ctc_head import CTCHead
from npbilstm.textbook.crf import CRFParams, crf_log_alpha, crf_log_beta
from npbilstm.textbook.ctc import ctc_extended, ctc_log_alpha, ctc_log_beta
from npbilstm.textbook.log_space import log_sum_exp

CRF_WORDS = {
    "log_alpha": "all beginnings that are at this tag here: the logarithm of the sum of exp of their scores",
    "log_beta": "all that may follow, likewise",
    "log_Z": "all sequences of tags, likewise",
    "marginal": "how likely the tag is here, whatever its neighbours",
}
CTC_WORDS = {
    "log_alpha": "the log-probability of all beginnings of alignments that are at this place here",
    "log_beta": "that of all ends that may follow",
    "log_p": "that of the labels: of all their alignments",
    "gamma": "how likely this step is at this place, given that the whole reads as its labels",
}


def head_step_maps(
    model: SequenceModel, scores: np.ndarray, lengths: np.ndarray, labels: Sequence[Any] | None, names: Sequence[str]
) -> list[StepMap] | None:
    """Of each row the map, None for heads that look at each step by itself. labels: of a CTC, each row's. names: of the
    classes."""
    rows = [row[:length].astype(float) for row, length in zip(scores, lengths)]
    if isinstance(model.head, CRFHead):
        return [crf_step_map(row, model.head, names) for row in rows]
    if isinstance(model.head, CTCHead):
        assert labels is not None
        return [ctc_step_map(row, np.asarray(own, int), names) for row, own in zip(rows, labels)]
    return None


def crf_step_map(scores: np.ndarray, head: CRFHead, names: Sequence[str]) -> StepMap:
    """textbook/crf.py: a line per tag. scores (T, V) of one row."""
    params = CRFParams(**{name: p.astype(float) for name, p in head.params.items()})
    log_alpha = log_beta = scores[None]  # of no steps
    log_Z = np.zeros(1)
    if len(scores):
        (log_alpha, log_Z), log_beta = crf_log_alpha(scores[None], params), crf_log_beta(scores[None], params)
    return StepMap(
        name="marginal",
        title="How likely each tag is",
        about="A line is a tag, a column a step: the share of the sequences of tags that have this one here.",
        down="tag",
        lines=list(names),
        fact="",
        by="step",
        equations=("marginal = exp(log_alpha + log_beta - log_Z)",),
        words=CRF_WORDS,
        arrays={
            "marginal": (("line", "step"), np.exp(log_alpha + log_beta - log_Z)[0].T),
            "log_alpha": (("line", "step"), log_alpha[0].T),
            "log_beta": (("line", "step"), log_beta[0].T),
            "log_Z": ((), log_Z[0]),
        },
    )


def ctc_step_map(scores: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> StepMap:
    """textbook/ctc.py: a line per place among the labels, a blank before, between and behind them. scores (T, V) of one
    row."""
    log_y = scores - log_sum_exp(scores, axis=1)[:, None]
    log_alpha, log_beta = ctc_log_alpha(log_y, labels), ctc_log_beta(log_y, labels)
    log_p = log_sum_exp(log_alpha[-1] + log_beta[-1], axis=0) if len(log_y) else np.float64(0)
    return StepMap(
        name="gamma",
        title="Where each label is",
        about="A line is a label or a blank beside one, in their order, a column a step: how likely the step is there.",
        down="place",
        lines=[names[k] for k in ctc_extended(labels)],
        fact=f"labels {' '.join(names[k] for k in labels)}",
        by="step",
        equations=("gamma = exp(log_alpha + log_beta - log_p)",),
        words=CTC_WORDS,
        arrays={
            "gamma": (("line", "step"), np.exp(log_alpha + log_beta - log_p).T),
            "log_alpha": (("line", "step"), log_alpha.T),
            "log_beta": (("line", "step"), log_beta.T),
            "log_p": ((), np.asarray(log_p)),
        },
    )
