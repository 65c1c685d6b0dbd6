"""Submitted functions as a pair of passes: by the textbook's names, in the textbook's layout.

They are called as their signatures and their layout ask for, with fresh copies each time, and what they return is
copied. What is wrong with how they behave, not with their numbers, is found on the way: arrays changed in place, a
backward pass that takes differences of the forward pass, one that answers otherwise when it is called again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from npbilstm import textbook
from npbilstm.gradcheck.pair_faults import differ_beyond_rounding, with_calls_counted
from npbilstm.submission.arguments import (
    arguments_of,
    assemble_with_keys,
    find_argument,
    known_arguments,
    parameters_of,
    textbook_arguments,
)
from npbilstm.submission.behaviour import Behaviour
from npbilstm.submission.call_graph import reached
from npbilstm.submission.conventions import Conventions
from npbilstm.submission.course_specs import as_submitted as spec_as_submitted
from npbilstm.submission.course_specs import textbook_names
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.function_spec import Arrays, FunctionSpec, names_in, shape_of, sizes_in
from npbilstm.submission.given import given_function
from npbilstm.submission.intermediates import intermediates
from npbilstm.submission.joined import joined_spec, told_in_parts
from npbilstm.submission.layouts import Layout, to_submitted
from npbilstm.submission.returns import Outputs, as_submitted, gradient_name, gradients_in, outputs_in, reference_array
from npbilstm.submission.submitted_pair import SubmittedPair


class ForwardCall(NamedTuple):
    """A call of the forward pass: its inputs in the reference's layout, what the submitted function was given, and what
    it returned."""

    inputs: Arrays
    given: dict[str, Any]
    outputs: Outputs


def submitted_pair(
    spec: FunctionSpec,
    functions: Mapping[str, Callable[..., Any]],
    layout: Layout,
    renamed: Mapping[str, str] | None = None,
) -> SubmittedPair | None:
    """The pair of a spec, made of submitted functions; None where neither pass is among them.

    functions: what is submitted, by the textbook's names. renamed: names of submitted arguments -> the textbook's, from
    the header. With a backward pass alone, the textbook's forward pass makes its cache.

    Raises SubmissionError, a sentence, where it cannot be told how the functions are called. Calling the pair raises it
    too, and whatever the functions raise.
    """
    own, spec = bool(spec.own), spec_as_submitted(spec, functions, layout)
    if not {spec.forward, spec.backward} & functions.keys():
        return None
    if own and spec.forward not in functions:
        raise SubmissionError(f"{spec.backward} has no {spec.forward} beside it; it needs your own")
    if layout.joined and any(name.endswith("Wh") for name in spec.inputs):
        pair = pair_of_passes(joined_spec(spec), functions, layout, renamed or {})
        return told_in_parts(pair, layout.joined)
    return pair_of_passes(spec, functions, layout, renamed or {})


def pair_of_passes(
    spec: FunctionSpec, functions: Mapping[str, Callable[..., Any]], layout: Layout, renamed: Mapping[str, str] | None
) -> SubmittedPair:
    """The pair of a spec that has the names of the submitted functions. renamed: None where they are called by place,
    whatever the names of their arguments."""
    passes = SubmittedPasses(spec, functions, layout, renamed)
    names = tuple(name for name in (spec.forward, spec.backward) if name in functions)
    backward = passes.run_backward if passes.backward else None
    uses = textbook_names(frozenset().union(*(reached(name, functions) for name in names)), layout)
    seen = partial(intermediates, passes.run_forward, functions, spec, layout)
    return SubmittedPair(
        passes.run_forward, backward, names, uses, passes.absent, passes.findings, passes.changed, seen
    )


def pair_in_conventions(
    spec: FunctionSpec, own: Mapping[str, Callable[..., Any]], conventions: Conventions
) -> SubmittedPair | None:
    """The pair of a spec, made of functions that are called by place, as conventions have it; None where neither pass
    is among them. What is not there and is needed, the forward pass or a step, is the textbook's in these
    conventions."""
    there = tuple(name for name in spec.names if name in own)
    if not there:
        return None
    needed = (spec.forward, *(spec.steps or ()))
    functions = {**{name: given_function(name, conventions) for name in needed if name not in own}, **own}
    pair = pair_of_passes(conventions.spec(spec), functions, conventions.layout, None)
    return pair._replace(functions=there)


class SubmittedPasses(Behaviour):
    """The submitted functions of one spec, and how they are called."""

    def __init__(
        self,
        spec: FunctionSpec,
        functions: Mapping[str, Callable[..., Any]],
        layout: Layout,
        renamed: Mapping[str, str] | None,
    ) -> None:
        super().__init__()
        self.spec, self.layout = spec, layout
        if spec.forward not in functions and layout != Layout():
            raise SubmissionError(
                f"{spec.backward} has no {spec.forward} beside it, and the textbook's makes no cache in your "
                f"layout; it needs your own {spec.forward}, or the textbook's layout"
            )
        self.forward = functions.get(spec.forward) or getattr(textbook, spec.forward)
        self.backward = functions.get(spec.backward)
        by_place = [("", argument) for argument in textbook_arguments(spec)]
        self.arguments = by_place if renamed is None else arguments_of(spec, spec.forward, self.forward, renamed)
        self.differentiated = spec.differentiated if renamed is None else [argument for _, argument in self.arguments]
        self.steps = step_passes(spec, functions, layout)
        taken = {name for _, argument in self.arguments for name in names_in(argument)}
        self.absent = frozenset(spec.inputs) - taken | (set() if layout.has_batch else {"rows"})

    def run_forward(self, inputs: Arrays) -> tuple[Arrays, ForwardCall]:
        """The submitted forward pass -> the outputs by name, what run_backward needs."""
        spec, layout = self.spec, self.layout
        given: dict[str, Any] = {
            name: to_submitted(name, inputs[name], axes, layout) if axes else inputs[name].item()
            for name, axes in spec.inputs.items()
            if name not in self.absent
        }
        if not layout.has_batch and "lengths" in given:
            given["lengths"] = None  # one sequence has no padding
        before = {name: snapshot(array) for name, array in given.items()}
        step = self.steps[0] if self.steps else None
        values = [(key, assemble_with_keys(argument, {**given, "step": step})) for key, argument in self.arguments]
        returned = self.forward(*(value for key, value in values if not key), **{key: v for key, v in values if key})
        for name, array in given.items():
            if snapshot(array) != before[name]:
                self.find_changed(spec.forward, name)
        outputs = outputs_in(spec, spec.forward, returned, self.backward is not None)
        sizes = sizes_in(spec, inputs)
        arrays = {}
        for name, value in outputs.values.items():
            axes, called = spec.outputs[name], f"{spec.forward}'s {name}"
            arrays[name] = reference_array(called, name, value, axes, layout, shape_of(axes, sizes))
        return arrays, ForwardCall(inputs, given, outputs)

    def run_backward(self, upstream: Arrays, call: ForwardCall) -> Arrays:
        """The submitted backward pass -> the gradients by name."""
        spec, layout = self.spec, self.layout
        given = {}
        for name, value in call.outputs.values.items():
            given[name] = as_submitted(value, name, upstream[name], spec.outputs[name], layout)
        again = copy.deepcopy(given)
        held = {gradient_name(name): value for name, value in given.items()} | call.given
        before = {name: snapshot(value) for name, value in held.items()}
        arguments = self.backward_arguments(call, given)
        returned, calls = with_calls_counted(self.forward, lambda: self.backward(*arguments))  # type: ignore[misc]
        for name, value in held.items():
            if snapshot(value) != before[name]:
                self.find_changed(spec.backward, name)
        self.find_recomputed(spec.backward, spec.forward, calls)
        grads = self.gradients_of(call, returned)
        self.call_again(call, again, grads)
        return grads

    def gradients_of(self, call: ForwardCall, returned: Any) -> Arrays:
        """The gradients by name in what the submitted backward function returned."""
        spec, grads = self.spec, {}
        for name, value in gradients_in(spec, spec.backward, returned, self.differentiated).items():
            called = f"{spec.backward}'s {gradient_name(name)}"
            shape = np.shape(call.inputs[name])
            grads[name] = reference_array(called, name, value, spec.inputs[name], self.layout, shape)
        return grads

    def call_again(self, call: ForwardCall, given: dict[str, Any], grads: Arrays) -> None:
        """Call the submitted backward function once more on the same cache, and find whether it answers otherwise."""
        called = self.spec.backward
        try:
            second = self.gradients_of(call, self.backward(*self.backward_arguments(call, given)))  # type: ignore[misc]
        except Exception as error:
            message = str(error) or type(error).__name__
            self.find(f"{called} stops when it is called again on the same cache ({message.splitlines()[-1]})")
            return
        differing = [gradient_name(name) for name in grads if differ_beyond_rounding(grads[name], second[name])]
        if differing:
            self.find(
                f"{called} gives another {', '.join(differing)} when it is called again on the same cache: something "
                "is kept, added up or used up from call to call"
            )

    def backward_arguments(self, call: ForwardCall, given: Mapping[str, Any]) -> list[Any]:
        """What the submitted backward function is called with: the upstream gradients, nested as the outputs are or one
        by one, as many as it takes, and the cache."""
        spec, cache = self.spec, call.outputs.cache
        known = known_arguments(spec)
        again = [assemble_with_keys(known[name], call.given) for name in spec.again]
        nested = nested_as(call.outputs.nesting, given)
        parameters = parameters_of(self.backward)  # type: ignore[arg-type]
        if parameters is None:
            return [*self.steps[1:], *nested, cache, *again]
        names = [parameter.name for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]
        steps = self.steps[1:] if names and find_argument(names[0], ["step"]) else ()
        least = sum(parameter.default is parameter.empty for parameter in parameters)
        for upstream in (nested, list(given.values())):
            for rest in (again, []):
                arguments = [*steps, *upstream, *rest]
                if least <= len(arguments) + 1 <= len(names):
                    place = (k for k, name in enumerate(names[: len(arguments) + 1]) if "cache" in name.lower())
                    arguments.insert(next(place, len(steps) + len(upstream)), cache)
                    return arguments
        needed = ", ".join(map(gradient_name, given))
        called = f"{spec.backward}({', '.join(names)})"
        raise SubmissionError(f"{called} does not take what it needs: {needed} and the cache")


def step_passes(spec: FunctionSpec, functions: Mapping[str, Any], layout: Layout) -> tuple[Any, ...]:
    """The two passes of the step that a spec takes through time: the submitted ones where both are there, else the
    textbook's. () for a spec that takes no step.

    Raises SubmissionError where the textbook's are in another layout.
    """
    if spec.steps is None:
        return ()
    if set(spec.steps) <= functions.keys():
        return functions[spec.steps[0]], functions[spec.steps[1]]
    if layout != Layout():
        raise SubmissionError(
            f"{spec.forward} takes a step through time; in your layout it needs your own {spec.steps[0]}"
        )
    return getattr(textbook, spec.steps[0]), getattr(textbook, spec.steps[1])


def nested_as(nesting: tuple[Any, ...], values: Mapping[str, Any]) -> list[Any]:
    """Values in tuples where their names are."""
    return [tuple(nested_as(name, values)) if isinstance(name, tuple) else values[name] for name in nesting]


def snapshot(value: Any) -> list[bytes]:
    """The bytes of all arrays in a value, through tuples, lists, dicts and objects."""
    found: list[bytes] = []
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, np.ndarray):
            found.append(value.tobytes())
        elif id(value) not in seen and not isinstance(value, ModuleType):
            seen.add(id(value))
            inner = value.values() if isinstance(value, Mapping) else getattr(value, "__dict__", {}).values()
            waiting.extend(value if isinstance(value, (tuple, list)) else inner)
    return found
