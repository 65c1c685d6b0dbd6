"""What a check of a pair of passes does not see: outs from which no gradient comes, inputs that have none."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from npbilstm.gradcheck.pair_faults import arrays_in
from npbilstm.gradcheck.passes import CheckedPair
from npbilstm.gradcheck.results import NotJudged
from npbilstm.gradcheck.tree import children, flatten, is_array, is_number
from npbilstm.gradcheck.values import Arrays


def left_out(pair: CheckedPair, outs: Mapping[str, Any], up: Arrays) -> list[NotJudged]:
    """What a person may think is judged, and is not: the check is then not called right."""
    found = []
    for name, dout in up.items():
        if not dout.size:
            found.append(NotJudged(name, "it holds no numbers, so no gradient comes from it"))
        elif not dout.any():
            found.append(NotJudged(name, "its upstream gradient is 0 everywhere, so no gradient comes from it"))
    for name, value in others_in(outs).items():
        if not is_number(value) and not is_plain(value):
            found.append(NotJudged(name, f"it is a {type(value).__name__}, and numbers inside of that are not found"))
    for name, value in others_in(pair.inputs).items():
        if not isinstance(value, (type, ModuleType)) and any(map(is_array, arrays_in(value, name).values())):
            found.append(NotJudged(name, f"it is a {type(value).__name__}, and arrays inside of that are not found"))
    return found


def notes_on_left_out(pair: CheckedPair, outs: Mapping[str, Any]) -> list[str]:
    """Sentences on what is left out for a reason: whole numbers, plain numbers, what nobody asked for."""
    kept = [name for name, value in others_in(pair.inputs).items() if isinstance(value, (float, np.ndarray))]
    unasked = [name for name, value in pair.inputs.items() if name not in pair.gradients and flatten(value, name)]
    silent = [name for name, value in others_in(outs).items() if value is not None and is_plain(value)]
    said = {
        "No gradient is checked of {}: that is no array of floating-point numbers.": kept,
        "No gradient is checked of {}: `gradients` does not name it.": unasked,
        "No gradient comes from {}: that holds no floating-point numbers.": silent,
    }
    return [sentence.format(", ".join(names)) for sentence, names in said.items() if names]


def others_in(parts: Mapping[str, Any]) -> dict[str, Any]:
    """What is no array of floating-point numbers and no container of something, in named arguments or outs."""
    found: dict[str, Any] = {}
    for name, value in parts.items():
        inner = {f"{name}.{key}": child for key, child in children(value)}
        found.update(others_in(inner) if inner else {} if is_array(value) else {name: value})
    return found


def is_plain(value: Any) -> bool:
    """Whether a value without parts surely holds no floating-point number: whole numbers, text, what is empty."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind in "iubSU"
    return value is None or isinstance(value, (int, str, bytes, tuple, list, Mapping))
