"""Own functions: a submitted pair in the place of the textbook's, to judge what is built on it.

Where a step is wrong, so is all that takes it through time. Whether the loop is wrong too, the textbook's loop tells
when it is given the submitted step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from npbilstm.mistakes import Bug, plant
from npbilstm.submission.function_spec import (
    Arrays,
    FunctionSpec,
    assemble,
    name_of,
    names_in,
    shape_of,
    sizes_in,
    steps_counted,
    take_apart,
)

Functions = Mapping[str, Callable[..., Any]]


def plant_with(bugs: Iterable[Bug], own: Functions) -> SimpleNamespace:
    """The textbook with these bugs, and with these functions in the place of its own."""
    planted = plant(bugs)
    if own:
        getattr(planted, next(iter(own))).__globals__.update(own)
        vars(planted).update(own)
    return planted


class OwnCache:
    """What a submitted forward pass left, with what the textbook looks for in a cache of a sequence: which steps are
    valid, and the params."""

    def __init__(self, cache: Any, inputs: Arrays, given: list[str], steps: int) -> None:
        self.cache, self.inputs, self.given = cache, inputs, given
        self.params: Any = None
        if "lengths" in inputs:
            self.valid = np.arange(steps) < np.asarray(inputs["lengths"])[:, None]


def called_as_the_textbooks(spec: FunctionSpec, pair: Any) -> dict[str, Callable[..., Any]]:
    """A submitted pair as functions that are called as the textbook's are, by the textbook's names. An output that it
    does not give and a gradient that it does not give are 0."""

    def forward(*arguments: Any) -> Any:
        inputs: Arrays = {}
        for argument, value in zip(spec.arguments, (*arguments, *[None] * len(spec.arguments))):
            if value is not None:
                take_apart(argument, value, inputs)
        sizes = sizes_in(spec, inputs)
        for name in {"lengths", "source_lengths"} & set(spec.inputs) - set(inputs):
            inputs[name] = np.full(sizes["N"], sizes[steps_counted(spec, name)])
        outputs, cache = pair.forward(inputs)
        every = {name: outputs.get(name, np.zeros(shape_of(axes, sizes))) for name, axes in spec.outputs.items()}
        if not spec.backward:  # no cache, and of one output no tuple
            return tuple(every.values()) if len(every) > 1 else next(iter(every.values()))
        own = OwnCache(cache, inputs, list(outputs), sizes.get(steps_counted(spec, "lengths"), 1))
        own.params = next(
            (value for argument, value in zip(spec.arguments, arguments) if name_of(argument) == "params"), None
        )
        return (*every.values(), own)

    def backward(*arguments: Any) -> tuple[Any, ...]:
        *upstream, own = arguments[: len(spec.outputs) + 1]  # a sequence's takes the params again
        cache, inputs, given = own.cache, own.inputs, own.given
        by_name = dict(zip(spec.outputs, upstream))
        got = pair.backward({name: np.array(by_name[name]) for name in given}, cache)
        grads = {name: got.get(name, np.zeros_like(inputs[name])) for name in spec.floats}
        wanted = [argument for argument in spec.arguments if set(names_in(argument)) & set(spec.floats)]
        return tuple(assemble(argument, grads) for argument in wanted)

    passes = {spec.forward: forward}
    return passes | ({spec.backward: backward} if pair.backward is not None else {})
