"""The specs of connectionist temporal classification: its loss, over U labels a row, and what decodes."""

from __future__ import annotations

from npbilstm.submission.function_spec import FunctionSpec

SCORES = {"logits": "N T V", "lengths": "N"}
LABELS = {"labels": "N T", "label_lengths": "N"}

CTC = [
    FunctionSpec(
        name="ctc",
        title="the CTC loss",
        forward="ctc_forward",
        backward="ctc_backward",
        arguments=("logits", "targets", "lengths", "target_lengths"),
        inputs={"logits": "N T V", "targets": "N U", "lengths": "N", "target_lengths": "N"},
        outputs={"loss": ""},
        floats=("logits",),
    ),
    FunctionSpec("ctc_greedy", "CTC's best path", "ctc_greedy", "", tuple(SCORES), SCORES, LABELS, ()),
    FunctionSpec(
        name="ctc_beam",
        title="CTC's prefix beam search",
        forward="ctc_beam",
        backward="",
        arguments=(*SCORES, "width"),
        inputs={**SCORES, "width": ""},
        outputs={**LABELS, "log_p": "N"},
        floats=(),
    ),
]
