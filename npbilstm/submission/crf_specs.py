"""The specs of the linear-chain CRF: its algorithms one by one, and its loss."""

from __future__ import annotations

from npbilstm import textbook
from npbilstm.submission.function_spec import Argument, FunctionSpec, Group

WEIGHTS = {"transitions": "V V", "start": "V", "end": "V"}
PARAMS = Group("params", textbook.CRFParams, tuple(WEIGHTS))


def algorithm_spec(name: str, title: str, outputs: dict[str, str], targets: bool = False) -> FunctionSpec:
    """A function of scores, params and lengths, maybe of targets, without a backward pass of its own."""
    inputs = {"scores": "N T V", **({"targets": "N T"} if targets else {}), **WEIGHTS, "lengths": "N"}
    arguments: tuple[Argument, ...] = ("scores", *(["targets"] if targets else []), PARAMS, "lengths")
    return FunctionSpec(name, title, name, "", arguments, inputs, outputs, ())


CRF = [
    algorithm_spec("crf_log_alpha", "the forward algorithm of a CRF", {"log_alpha": "N T V", "log_Z": "N"}),
    algorithm_spec("crf_log_beta", "the backward algorithm of a CRF", {"log_beta": "N T V"}),
    algorithm_spec("crf_marginals", "a CRF's marginals", {"marginals": "N T V", "pairs": "N T V V"}),
    algorithm_spec("crf_score", "the score of a sequence in a CRF", {"score": "N"}, targets=True),
    algorithm_spec("crf_viterbi", "the Viterbi algorithm of a CRF", {"path": "N T", "best": "N"}),
    FunctionSpec(
        name="crf",
        title="the loss of a CRF",
        forward="crf_forward",
        backward="crf_backward",
        arguments=("scores", "targets", PARAMS, "lengths"),
        inputs={"scores": "N T V", "targets": "N T", **WEIGHTS, "lengths": "N"},
        outputs={"loss": ""},
        floats=("scores", *WEIGHTS),
    ),
]
