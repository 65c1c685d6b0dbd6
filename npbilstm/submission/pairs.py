"""A person's own functions as a spec's pair of passes: by the textbook's names, in the textbook's layout.

They are called in their own way and their own layout, with fresh copies each time, and what they return is copied. What
is wrong with how they behave, not with their numbers, is found on the way: arrays changed in place, a backward pass
that takes differences of the forward pass, one that answers otherwise when it is called again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from npbilstm import textbook
from npbilstm.gradcheck.pair_faults import RECOMPUTED, counted, unlike
from npbilstm.submission.arguments import argument_called, arguments_of, known_arguments, made, parameters_of
from npbilstm.submission.call_graph import reached
from npbilstm.submission.errors import OwnError
from npbilstm.submission.function_spec import Arrays, FunctionSpec, names_in, shape_of, sizes_in
from npbilstm.submission.layouts import Layout, to_theirs
from npbilstm.submission.returns import Outputs, array_of_ours, gradient_called, gradients_in, like, outputs_in
from npbilstm.submission.specs import SPECS


class OwnPair(NamedTuple):
    """A person's two passes, as `Pair`. forward(inputs) leaves out the outputs that theirs has not, backward(upstream,
    cache) the gradients of the inputs that theirs does not take; backward is None where they have none.

    functions: the names of theirs. uses: the textbook's functions that these call, themselves among them.
    absent: the inputs that theirs lacks, and "rows" where it takes one sequence and no batch. Theirs starts at 0, reads
    all steps, has no bias there: judge it with nothing else.
    findings: sentences on how the functions behaved, growing with every call, each there once. changed: the arrays that
    they changed in place, x or dh say, in the same way.
    """

    forward: Callable[[Arrays], tuple[Arrays, Any]]
    backward: Callable[[Arrays, Any], Arrays] | None
    functions: tuple[str, ...]
    uses: frozenset[str]
    absent: frozenset[str]
    findings: list[str]
    changed: list[str]


class Refused(NamedTuple):
    """Functions of a person's, by their names, of which no pair can be made, and the reason."""

    functions: tuple[str, ...]
    reason: str


class Run(NamedTuple):
    """A forward pass that was: our inputs, what their function was given, and what it returned."""

    inputs: Arrays
    given: dict[str, Any]
    outputs: Outputs


def pair_of_theirs(
    spec: FunctionSpec,
    functions: Mapping[str, Callable[..., Any]],
    layout: Layout,
    renamed: Mapping[str, str] | None = None,
) -> OwnPair | None:
    """The pair of a spec, made of a person's functions; None where they have neither pass.

    functions: what they define, by the textbook's names. renamed: their arguments' names -> ours, from their header.
    With a backward pass alone, the textbook's forward makes its cache.

    Raises OwnError, a sentence, where it cannot be told how their functions are called. Calling the pair raises it too,
    and whatever their functions raise.
    """
    if not {spec.forward, spec.backward} & functions.keys():
        return None
    own = OwnPasses(spec, functions, layout, renamed or {})
    names = tuple(name for name in (spec.forward, spec.backward) if name in functions)
    backward = own.run_backward if own.backward else None
    uses = frozenset().union(*(reached(name, functions) for name in names))
    return OwnPair(own.run_forward, backward, names, uses, own.absent, own.findings, own.changed)


def pairs_of_theirs(functions: Collection[str], make: Callable[[str], OwnPair | None]) -> dict[str, OwnPair | Refused]:
    """The pair of every spec of which a person has a pass, by the spec's name; Refused where `make`, which is
    given that name, raises OwnError."""
    pairs: dict[str, OwnPair | Refused] = {}
    for name, spec in SPECS.items():
        theirs = tuple(each for each in (spec.forward, spec.backward) if each in functions)
        if theirs:
            try:
                pairs[name] = make(name) or Refused(theirs, "it could not be found again")
            except OwnError as error:
                pairs[name] = Refused(theirs, str(error))
    return pairs


class OwnPasses:
    """A person's functions for one spec, and how they are called."""

    def __init__(
        self,
        spec: FunctionSpec,
        functions: Mapping[str, Callable[..., Any]],
        layout: Layout,
        renamed: Mapping[str, str],
    ) -> None:
        self.spec, self.layout = spec, layout
        if spec.forward not in functions and layout != Layout():
            raise OwnError(
                f"{spec.backward} has no {spec.forward} beside it, and the textbook's makes no cache in your "
                f"layout; it needs your own {spec.forward}, or the textbook's layout"
            )
        self.forward = functions.get(spec.forward) or getattr(textbook, spec.forward)
        self.backward = functions.get(spec.backward)
        self.arguments = arguments_of(spec, spec.forward, self.forward, renamed)
        self.steps = steps_of(spec, functions, layout)
        taken = {name for _, argument in self.arguments for name in names_in(argument)}
        self.absent = frozenset(spec.inputs) - taken | (set() if layout.has_batch else {"rows"})
        self.findings: list[str] = []
        self.changed: list[str] = []

    def find(self, sentence: str) -> None:
        """Add a finding, once."""
        if sentence not in self.findings:
            self.findings.append(sentence)

    def find_changed(self, function: str, name: str) -> None:
        """Note that a function changes an array in place."""
        self.find(f"{function} changes its {name} in place; it must leave it as it was")
        if name not in self.changed:
            self.changed.append(name)

    def run_forward(self, inputs: Arrays) -> tuple[Arrays, Run]:
        """Their forward pass -> the outputs by name, what run_backward needs."""
        spec, layout = self.spec, self.layout
        given: dict[str, Any] = {
            name: to_theirs(name, inputs[name], axes, layout) if axes else inputs[name].item()
            for name, axes in spec.inputs.items()
            if name not in self.absent
        }
        if not layout.has_batch and "lengths" in given:
            given["lengths"] = None  # one sequence has no padding
        before = {name: snapshot(array) for name, array in given.items()}
        step = self.steps[0] if self.steps else None
        values = [(key, made(argument, {**given, "step": step})) for key, argument in self.arguments]
        answer = self.forward(*(value for key, value in values if not key), **{key: v for key, v in values if key})
        for name, array in given.items():
            if snapshot(array) != before[name]:
                self.find_changed(spec.forward, name)
        outputs = outputs_in(spec, spec.forward, answer, self.backward is not None)
        sizes = sizes_in(spec, inputs)
        arrays = {}
        for name, value in outputs.values.items():
            axes, called = spec.outputs[name], f"{spec.forward}'s {name}"
            arrays[name] = array_of_ours(called, name, value, axes, layout, shape_of(axes, sizes))
        return arrays, Run(inputs, given, outputs)

    def run_backward(self, upstream: Arrays, run: Run) -> Arrays:
        """Their backward pass -> the gradients by name."""
        spec, layout = self.spec, self.layout
        given = {}
        for name, value in run.outputs.values.items():
            given[name] = like(value, name, upstream[name], spec.outputs[name], layout)
        again = copy.deepcopy(given)
        held = {gradient_called(name): value for name, value in given.items()} | run.given
        before = {name: snapshot(value) for name, value in held.items()}
        answer, calls = counted(self.forward, lambda: self.backward(*self.backward_arguments(run, given)))  # type: ignore[misc]
        for name, value in held.items():
            if snapshot(value) != before[name]:
                self.find_changed(spec.backward, name)
        if calls > RECOMPUTED:
            self.find(
                f"{spec.backward} calls {spec.forward} {calls} times in one pass; differences of the "
                "forward pass are no backward pass"
            )
        grads = self.gradients_of(run, answer)
        self.call_again(run, again, grads)
        return grads

    def gradients_of(self, run: Run, answer: Any) -> Arrays:
        """The gradients by name in what their backward function returned."""
        spec, grads = self.spec, {}
        arguments = [argument for _, argument in self.arguments]
        for name, value in gradients_in(spec, spec.backward, answer, arguments).items():
            called = f"{spec.backward}'s {gradient_called(name)}"
            shape = np.shape(run.inputs[name])
            grads[name] = array_of_ours(called, name, value, spec.inputs[name], self.layout, shape)
        return grads

    def call_again(self, run: Run, given: dict[str, Any], grads: Arrays) -> None:
        """Call their backward function once more on the same cache, and find whether it answers otherwise."""
        called = self.spec.backward
        try:
            second = self.gradients_of(run, self.backward(*self.backward_arguments(run, given)))  # type: ignore[misc]
        except Exception as error:
            message = str(error) or type(error).__name__
            self.find(f"{called} stops when it is called again on the same cache ({message.splitlines()[-1]})")
            return
        differing = [gradient_called(name) for name in grads if unlike(grads[name], second[name])]
        if differing:
            self.find(
                f"{called} gives another {', '.join(differing)} when it is called again on the same cache: something "
                "is kept, added up or used up from call to call"
            )

    def backward_arguments(self, run: Run, given: Mapping[str, Any]) -> list[Any]:
        """What their backward function is called with: the upstream gradients, nested as the outputs are or one by
        one, as many as it takes, and the cache."""
        spec, cache = self.spec, run.outputs.cache
        known = known_arguments(spec)
        again = [made(known[name], run.given) for name in spec.again]
        nested = nested_as(run.outputs.nesting, given)
        parameters = parameters_of(self.backward)  # type: ignore[arg-type]
        if parameters is None:
            return [*self.steps[1:], *nested, cache, *again]
        names = [parameter.name for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]
        steps = self.steps[1:] if names and argument_called(names[0], ["step"]) else ()
        least = sum(parameter.default is parameter.empty for parameter in parameters)
        for upstream in (nested, list(given.values())):
            for rest in (again, []):
                arguments = [*steps, *upstream, *rest]
                if least <= len(arguments) + 1 <= len(names):
                    called = (k for k, name in enumerate(names[: len(arguments) + 1]) if "cache" in name.lower())
                    arguments.insert(next(called, len(steps) + len(upstream)), cache)
                    return arguments
        needed = ", ".join(map(gradient_called, given))
        raise OwnError(f"{spec.backward}({', '.join(names)}) does not take what it needs: {needed} and the cache")


def steps_of(spec: FunctionSpec, functions: Mapping[str, Any], layout: Layout) -> tuple[Any, ...]:
    """The two passes of the step that a spec takes through time: theirs where they have both, else the textbook's.
    None at all for a spec that takes no step.

    Raises OwnError where that one is in another layout.
    """
    if spec.steps is None:
        return ()
    if set(spec.steps) <= functions.keys():
        return functions[spec.steps[0]], functions[spec.steps[1]]
    if layout != Layout():
        raise OwnError(f"{spec.forward} takes a step through time; in your layout it needs your own {spec.steps[0]}")
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
