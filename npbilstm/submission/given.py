"""What is given: functions of the textbook's in other conventions, to stand in where an exercise asks for others.

All that moving needs to know of a function stands in its spec, and is made into data here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from npbilstm import textbook
from npbilstm.submission.conventions import Conventions
from npbilstm.submission.function_spec import Argument, FunctionSpec, name_of
from npbilstm.submission.moved import Kind, Moving
from npbilstm.submission.specs import GRU_STEPS, SPECS, pair_of, state_of

STATE, STEP = "N H", "step"
CACHES: dict[str, dict[str, Kind]] = {
    "LSTMStepCache": {
        "x": "N D",
        **dict.fromkeys(("h_prev", "c_prev", "i", "f", "g", "o", "tanh_c"), STATE),
        "params": "LSTMParams",
    },
    "LSTMCache": {"steps": ["LSTMStepCache"], "valid": "N T", "params": "LSTMParams"},
    "BiLSTMCache": {"forward": "LSTMCache", "reverse": "LSTMCache", "lengths": None},
}
"""The kinds of what is in caches, those that an exercise looks into; of others nobody knows what is in them."""


def kind_of(argument: Argument, axes: dict[str, str]) -> Kind:
    """The kind of an argument, or of its gradient."""
    if isinstance(argument, str):
        return axes[argument] or None
    if hasattr(argument.make, "_fields"):
        return str(argument.make.__name__)
    kinds = tuple(kind_of(member, axes) for member in argument.members)
    return [kinds[0]] if argument.make is pair_of else kinds if argument.make is state_of else None


@cache
def specs_by_function() -> dict[str, FunctionSpec]:
    """The spec of each of the textbook's functions."""
    return {name: spec for spec in SPECS.values() for name in (spec.forward, spec.backward) if name}


def cache_kind(function: str) -> Kind:
    """The kind of a forward pass's cache, which its annotation names."""
    made = str(inspect.signature(getattr(textbook, function)).return_annotation).rstrip("]").rpartition(", ")[2]
    return made if made in CACHES else None


def data_of(function: str, conventions: Conventions) -> dict[str, Any]:
    """What moving needs to know of one of the textbook's functions: takes, order, gives."""
    spec = specs_by_function()[function]
    names = list(inspect.signature(getattr(textbook, function)).parameters)
    outputs: list[tuple[str, Kind]] = [(name, axes or None) for name, axes in spec.outputs.items()]
    if spec.steps:
        outputs[1] = outputs[1][0], (outputs[1][1],)
    steps = [STEP] if spec.steps else []
    if function == spec.forward:
        kinds = [*steps, *(kind_of(argument, spec.inputs) for argument in spec.arguments)]
        known = [*steps, *map(name_of, spec.arguments)]
        kinds += [STATE if name == "mask" else None for name in names[len(kinds) :]]
        gives = [*outputs, ("cache", cache_kind(function))] if spec.backward else outputs
    else:
        kinds = [*steps, *(kind for _, kind in outputs), cache_kind(spec.forward)]
        known = [*steps, *spec.outputs]
        gives = [(name_of(each), kind_of(each, spec.inputs)) for each in spec.differentiated]
    if spec.steps:
        kinds[0] = data_of(GRU_STEPS[function == spec.backward], conventions)
    known += names[len(known) :]
    own = map(conventions.renamed, names)
    takes = {name: each for name, *each in zip(names, own, known, kinds, strict=True)}
    return {"takes": takes, "order": conventions.arguments(function), "gives": gives}


@cache
def class_kinds() -> dict[str, dict[str, Kind]]:
    """The kinds of the fields of params and caches, by the names of their classes."""
    found = dict(CACHES)

    def add(argument: Argument, spec: FunctionSpec) -> None:
        if isinstance(argument, str):
            return
        for member in argument.members:
            add(member, spec)
        fields = getattr(argument.make, "_fields", None)
        if fields:
            found[argument.make.__name__] = dict(zip(fields, (kind_of(each, spec.inputs) for each in argument.members)))

    for spec in SPECS.values():
        if not spec.again:  # one sequence: a matrix for each gate
            for argument in spec.arguments:
                add(argument, spec)
    return found


@cache
def moving_to(conventions: Conventions) -> Moving:
    """Moving to these conventions, with the textbook's own classes."""
    classes = {name: (getattr(textbook, name), kinds) for name, kinds in class_kinds().items()}
    own = {name: conventions.own_type(made) for name, (made, _) in classes.items()}
    return Moving(conventions.layout, classes, own)


@cache
def given_function(name: str, conventions: Conventions) -> Callable[..., Any]:
    """One of the textbook's functions in these conventions."""
    made = moving_to(conventions).function(getattr(textbook, name), **data_of(name, conventions))
    made.__name__, made.__module__ = name, __name__
    return made
