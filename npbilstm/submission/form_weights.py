"""A form's weights: a matrix for each gate, one on h and x together, two biases that are added; there and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from npbilstm.gradcheck.pair_faults import differ_beyond_rounding
from npbilstm.submission.form import Part, sources_of
from npbilstm.submission.function_spec import Arrays, FunctionSpec
from npbilstm.submission.joined import ROWS
from npbilstm.submission.layouts import GRU_GATES, Layout, signs, to_submitted
from npbilstm.submission.returns import reference_array

SHARE = 0.375
"""How much of a bias is in the first of two that are added."""


def submitted_weights(weights: Mapping[str, Part], inputs: Arrays, spec: FunctionSpec, layout: Layout) -> Arrays:
    """Their weights, made of the textbook's. weights: what each is."""
    found = {}
    for own, part in weights.items():
        same = [other for other, its in weights.items() if its == part]
        array = part_of(part, inputs, spec, layout)
        if len(same) > 1:
            array = array * (SHARE if own == same[0] else (1 - SHARE) / (len(same) - 1))
        found[own] = to_submitted(short(part), array, axes_of(part, spec), layout)
    return found


def reference_gradients(
    weights: Mapping[str, Part],
    given: Mapping[str, object],
    inputs: Arrays,
    spec: FunctionSpec,
    layout: Layout,
    by: str,
) -> tuple[Arrays, list[str]]:
    """The gradients of the textbook's weights, made of those of theirs -> gradients, and sentences on two biases whose
    gradients are not one. given: their gradients, by the weights' names. by: the function that gave them."""
    grads: Arrays = {}
    sentences = []
    first: dict[Part, tuple[str, np.ndarray]] = {}
    for own, value in given.items():
        part = weights[own]
        axes, shape = axes_of(part, spec), np.shape(part_of(part, inputs, spec, layout))
        array = reference_array(f"{by}'s d{own}", short(part), value, axes, layout, shape)
        if part in first:
            other, known = first[part]
            if differ_beyond_rounding(array, known):
                sentences.append(
                    f"{by}'s d{own} is not its d{other}, but the two biases are added: they have one gradient"
                )
            continue
        first[part] = own, array
        put_back(part, array, grads, inputs, spec, layout)
    return grads, sentences


def part_of(part: Part, inputs: Arrays, spec: FunctionSpec, layout: Layout) -> np.ndarray:
    """The textbook's numbers that a part holds, in the textbook's layout; an update gate that writes has the negative
    of them, which for all gates together is a matter of the layout."""
    names = sources_of(part, spec)
    array = np.concatenate([inputs[name] for name in in_order(names, layout)]) if len(names) > 1 else inputs[names[0]]
    if not part.gate:
        return array
    array = array * signs(names[-1], spec.inputs[names[-1]], np.shape(array), layout)
    return np.split(array, len(spec.gates), axis=-1)[spec.gates.index(part.gate)]


def put_back(part: Part, array: np.ndarray, grads: Arrays, inputs: Arrays, spec: FunctionSpec, layout: Layout) -> None:
    """Put the gradient of a part where it stands in the textbook's."""
    names = in_order(sources_of(part, spec), layout)
    cuts = np.cumsum([inputs[name].shape[0] for name in names])[:-1]
    for name, rows in zip(names, np.split(array, cuts) if len(names) > 1 else [array]):
        whole = grads.setdefault(name, np.full(np.shape(inputs[name]), np.nan))
        if part.gate:
            writes = part.gate == "z" and len(spec.gates) == len(GRU_GATES) and layout.update == "writes"
            block = np.split(whole, len(spec.gates), axis=-1)[spec.gates.index(part.gate)]
            block[...] = -rows if writes else rows
        else:
            whole[...] = rows


def in_order(names: tuple[str, ...], layout: Layout) -> tuple[str, ...]:
    """The arrays that one is made of, h's and x's, in the order in which the layout has them."""
    return names[::-1] if layout.joined == "D+H" else names


def axes_of(part: Part, spec: FunctionSpec) -> str:
    """The axes of a part."""
    names = sources_of(part, spec)
    axes = spec.inputs[names[-1]].split()
    if part.gate:
        axes[-1] = axes[-1][-1]
    return " ".join([ROWS, *axes[1:]] if len(names) > 1 else axes)


def short(part: Part) -> str:
    """A part's name without its direction, and Wx for one gate's."""
    return part.name.rpartition(".")[2]
