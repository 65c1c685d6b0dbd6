"""What a file says beside its weights: which layer or model they make, the options that no weight tells, and the
writer's `about`. One JSON text: in ONNX's metadata, in that of safetensors, in an array of bytes in a .npz.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from npbilstm.files import read_json
from npbilstm.layers import Layer
from npbilstm.models import SequenceModel

KEY = "npbilstm"
"""The name under which the text stands in a file."""

KINDS = ("LSTM", "BiLSTM", "GRU", "RNN", "SequenceTagger", "SequenceClassifier", "Seq2Seq")
UNTOLD = (
    "merge",
    "dropout",
    "input_dropout",
    "recurrent_dropout",
    "nonlinearity",
    "activation",
    "recurrent_activation",
    "reset_after",
    "pooling",
)


class Description(NamedTuple):
    """kind: the class's name, None where the file does not say. options: arguments that the weights do not tell."""

    kind: str | None
    options: dict[str, Any]
    about: dict[str, Any]


def describe(layer: Layer, about: Mapping[str, Any] | None = None) -> str:
    """The text for a recurrent layer or a model."""
    said = layer.config if isinstance(layer, SequenceModel) else vars(layer)
    options = {name: said[name] for name in UNTOLD if name in said}
    content = {"class": type(layer).__name__, "options": options, "about": dict(about or {})}
    return json.dumps(content, sort_keys=True)


def read_description(text: str | bytes | None) -> Description:
    """The text read back; None where a file has none. Raises ValueError for one that describe did not write."""
    if text is None:
        return Description(None, {}, {})
    try:
        content = read_json(text)
    except ValueError as error:
        raise ValueError(f"its description cannot be read ({error})") from error
    if not isinstance(content, dict) or set(content) != {"class", "options", "about"} or content["class"] not in KINDS:
        raise ValueError(f"its description makes no sense: it needs a class of {', '.join(KINDS)}, options, and about")
    options, about = content["options"], content["about"]
    if not isinstance(options, dict) or not isinstance(about, dict) or not set(options) <= set(UNTOLD):
        raise ValueError(f"its description makes no sense: options are of {', '.join(UNTOLD)}, about is a table")
    return Description(content["class"], options, about)


def combined(told: Mapping[str, Any], given: Mapping[str, Any], teller: str = "the file") -> dict[str, Any]:
    """The options that a file, or who else tells them, has, and those that are given. Raises ValueError where they
    contradict each other."""
    for name, value in given.items():
        if name in told and told[name] != value:
            raise ValueError(f"{name} is given as {value!r}; {teller} has {told[name]!r}")
    return {**told, **given}
