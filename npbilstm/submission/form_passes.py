"""A form's lines, run: the pair of a subject, by the textbook's names and in its layout.

They run where the submitted code runs. Arrays go in as the form has them and come back as the textbook has them; what
is found on the way about how the functions behave is what pairs.py finds.
"""

from __future__ import annotations

import copy
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from npbilstm.gradcheck.pair_faults import differ_beyond_rounding, with_calls_counted
from npbilstm.gradcheck.values import holds_single
from npbilstm.submission.behaviour import Behaviour
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.form import CallsRead
from npbilstm.submission.form_weights import reference_gradients, submitted_weights
from npbilstm.submission.function_spec import Arrays, shape_of, sizes_in
from npbilstm.submission.layer_weights import LayerWeights
from npbilstm.submission.layouts import Layout, to_submitted
from npbilstm.submission.pairs import snapshot
from npbilstm.submission.returns import as_submitted, gradient_name, reference_array, require_written
from npbilstm.submission.unwritten import require_all_written
from npbilstm.submission.used_again import keeps_state, makers_of, other_batch

LACKING = object()
"""In place of a gradient that is not given."""


class FormCall(NamedTuple):
    """A call of the forward lines: the inputs in the reference's layout, the names as the lines left them, and the
    arrays that were given."""

    inputs: Arrays
    names: dict[str, Any]
    given: dict[str, Any]


class FileNames:
    """What the lines call `file`: to set its names is to set the globals of the submitted functions."""

    def __init__(self, names: Mapping[str, Any], changes: list[tuple[dict[str, Any], str, Any]]) -> None:
        spaces = [value.__globals__ for value in names.values() if isinstance(value, FunctionType)]
        vars(self).update(spaces=list({id(space): space for space in spaces}.values()), changes=changes)

    def __getattr__(self, name: str) -> Any:
        return next(space[name] for space in vars(self)["spaces"] if name in space)

    def __setattr__(self, name: str, value: Any) -> None:
        for space in vars(self)["spaces"]:
            vars(self)["changes"].append((space, name, space.get(name, ...)))
            space[name] = value


class FormPasses(Behaviour):
    """The lines of a form for one subject, with the names of the submitted code."""

    def __init__(self, calls: CallsRead, names: Mapping[str, Any], layout: Layout) -> None:
        super().__init__()
        self.calls, self.spec, self.names, self.layout = calls, calls.spec, names, layout
        self.place = f"<form {calls.form.name}>"
        self.written = [False, False]
        self.used_again = False
        self.code = [compile(lines, self.place, "exec") for lines in calls.lines]

    def run(self, k: int, names: dict[str, Any]) -> None:
        """Run the forward or the backward lines on some names."""
        changes: list[tuple[dict[str, Any], str, Any]] = []
        if not self.written[k]:
            for name, _ in self.calls.calls(k):
                require_all_written(name, self.names)
            self.written[k] = True
        names["file"] = FileNames(self.names, changes)
        try:
            with self.explaining(k):
                exec(self.code[k], names)
        finally:  # a notebook's own globals, maybe
            for space, name, value in reversed(changes):
                if value is ...:
                    space.pop(name, None)
                else:
                    space[name] = value

    @contextmanager
    def explaining(self, k: int) -> Iterator[None]:
        """Where a line of the form itself stops, a sentence has that line."""
        try:
            yield
        except SubmissionError:
            raise
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            if not frames or frames[-1].filename != self.place:
                raise
            line = self.calls.lines[k].splitlines()[(frames[-1].lineno or 1) - 1].strip()
            raise SubmissionError(
                f"{self.calls.form.title} calls it so, {line}, and that stops: {type(error).__name__}: {error}"
            ) from None

    def run_forward(self, inputs: Arrays) -> tuple[Arrays, FormCall]:
        """The submitted forward pass -> the outputs by name, what run_backward needs."""
        calls = self.calls
        given, names = self.names_for(inputs)
        before = {name: snapshot(value) for name, value in given.items()}
        self.run(0, names)
        self.note_changes(0, given, before)
        outputs = self.outputs_in(names, inputs)
        for name, lines in calls.also.items() if outputs else ():
            with self.explaining(0):
                expected = eval(compile(lines, self.place, "eval"), {**names, "softmax": softmax})
            parts = names[name] if isinstance(names[name], list) else [names[name]]
            if any(part is None for part in parts):
                raise SubmissionError(f"{calls.function(0)}'s {name} is None; it needs to be {lines}")
            if not is_close(names[name], expected):
                self.find(f"{calls.function(0)} gives wrong predictions, {name}: they need to be {lines}")
        return outputs, FormCall(inputs, names, given)

    def names_for(self, inputs: Arrays) -> tuple[dict[str, Any], dict[str, Any]]:
        """The arrays that the forward lines are given, and all names that they see."""
        spec, calls = self.spec, self.calls
        weights = submitted_weights(calls.weights, inputs, spec, self.layout)
        given: dict[str, Any] = {
            name: to_submitted(name, inputs[name], axes, self.layout) if axes else inputs[name].item()
            for name, axes in spec.inputs.items()
            if name in calls.inputs and name not in calls.sources
        }
        given |= weights
        names = {**self.names, "np": np, **sizes_in(spec, inputs), **given, "weights": dict(weights)}
        return given, {**names, "given_by": given_by, **self.helpers(inputs)}

    def outputs_in(self, names: Mapping[str, Any], inputs: Arrays) -> Arrays:
        """The outputs that the forward lines have left."""
        outputs, sizes = {}, sizes_in(self.spec, inputs)
        for name in self.calls.outputs:
            axes, called = self.spec.outputs[name], f"{self.calls.function(0)}'s {name}"
            outputs[name] = reference_array(called, name, names[name], axes, self.layout, shape_of(axes, sizes))
        return outputs

    def helpers(self, inputs: Arrays) -> dict[str, Any]:
        """set_weights and gradients_of, for these inputs."""
        found: dict[int, LayerWeights] = {}

        def set_weights(layer: Any) -> None:
            found[id(layer)] = LayerWeights(layer, self.calls.sources, inputs, self.spec, self.layout)
            found[id(layer)].fill()

        return {"set_weights": set_weights, "gradients_of": lambda layer: found[id(layer)].gradients()}

    def run_backward(self, upstream: Arrays, call: FormCall) -> Arrays:
        """The submitted backward pass -> the gradients by name."""
        calls, spec = self.calls, self.spec
        if not calls.lines[1]:
            grads = self.gradients_of(call, call.names)
            return {name: multiplied(grad, float(upstream["loss"])) for name, grad in grads.items()}
        given = {
            gradient_name(name): as_submitted(call.names[name], name, upstream[name], spec.outputs[name], self.layout)
            for name in calls.outputs
        }
        again = copy.deepcopy(given)
        names = {**call.names, **given}
        before = {name: snapshot(value) for name, value in {**given, **call.given}.items()}
        function = self.submitted_function(0)
        _, count = with_calls_counted(function, lambda: self.run(1, names))
        self.note_changes(1, {**given, **call.given}, before)
        self.find_recomputed(calls.function(1), calls.function(0), count)
        grads = self.gradients_of(call, names)
        if not calls.written.once:
            self.call_again(call, again, grads)
        if not self.used_again and not self.findings:
            self.used_again = True
            self.use_again(call, again, grads)
        return grads

    def gradients_of(self, call: FormCall, names: Mapping[str, Any]) -> Arrays:
        """The gradients by name that the lines have left."""
        calls, spec, by = self.calls, self.spec, self.calls.function(1) or self.calls.function(0)
        source = names.get("grads", {})
        source = source if isinstance(source, Mapping) else vars(source)
        own, asked = {}, {f"d{name}" for name in calls.gradients}
        for name, part in calls.weights.items():
            if part.name in calls.gradients or name in calls.own_gradients:
                own[name] = names.get(f"d{name}", source.get(f"d{name}", LACKING))
        given = {**{f"d{name}": value for name, value in own.items()}, **{n: v for n, v in names.items() if n in asked}}
        there = [value for value in given.values() if value is not LACKING]
        if there and all(value is None for value in there):
            require_written(by, None)
        for name, value in own.items():
            if value is LACKING:
                raise SubmissionError(f"{by} gives no d{name}; it needs to")
        grads, sentences = reference_gradients(calls.weights, own, call.inputs, spec, self.layout, by)
        for sentence in sentences:
            self.find(sentence)
        for name in calls.gradients:
            if name not in calls.sources:
                shape = np.shape(call.inputs[name])
                called = f"{by}'s d{name}"
                grads[name] = reference_array(called, name, names[f"d{name}"], spec.inputs[name], self.layout, shape)
        return {name: grads[name] for name in calls.gradients}

    def call_again(self, call: FormCall, given: dict[str, Any], grads: Arrays) -> None:
        """Run the backward lines once more, and find whether the functions answer as the form has it: as before, or
        with the gradients of weights added up."""
        by, adds = self.calls.function(1), self.calls.adds
        names = {**call.names, **given}
        try:
            self.run(1, names)
            second = self.gradients_of(call, names)
        except Exception as error:
            message = str(error) or type(error).__name__
            self.find(f"{by} stops when it is called again ({message.splitlines()[-1]})")
            return
        times = {name: 2 if name in adds else 1 for name in grads}
        differing = [
            gradient_name(name) for name in grads if differ_beyond_rounding(times[name] * grads[name], second[name])
        ]
        if differing and adds:
            self.find(f"{by} is to add up the gradients of weights from call to call; {', '.join(differing)} are not")
        elif differing:
            self.find(
                f"{by} gives another {', '.join(differing)} when it is called again on the same cache: something is "
                "kept, added up or used up from call to call"
            )

    def use_again(self, call: FormCall, upstream: dict[str, Any], grads: Arrays) -> None:
        """Run the lines on another batch, and on this one with the same objects, and find whether they give what new
        ones have given."""
        makers = makers_of(self.names, (name for name, _ in self.calls.calls(0)))
        if not makers:
            return
        owner = self.calls.function(0).partition(".")[0]
        try:
            for inputs in (other_batch(call.inputs), call.inputs):
                for maker in makers.values():
                    maker.rewind()
                _, names = self.names_for(inputs)
                names |= makers
                self.run(0, names)
                outputs = self.outputs_in(names, inputs)
                names |= copy.deepcopy(upstream)
                self.run(1, names)
            second = self.gradients_of(call, names)
        except Exception as error:
            message = str(error) or type(error).__name__
            self.find(f"{owner} stops when one object of it is given a second batch ({message.splitlines()[-1]})")
            return
        right = self.outputs_in(call.names, call.inputs)
        differing = [name for name in outputs if differ_beyond_rounding(right[name], outputs[name])]
        if differing and any(keeps_state(each) for maker in makers.values() for each in maker.made):
            return  # on purpose
        fresh = [name for name in grads if name not in self.calls.adds]
        differing += [gradient_name(name) for name in fresh if differ_beyond_rounding(grads[name], second[name])]
        if differing:
            self.find(
                f"{owner} gives another {', '.join(differing)} when one object of it is given a second batch: "
                "something is kept of the first"
            )

    def note_changes(self, k: int, given: Mapping[str, Any], before: Mapping[str, Any]) -> None:
        """Find the arrays that were changed in place."""
        for name, value in given.items():
            if snapshot(value) != before[name]:
                known = self.calls.sources_of(name)[-1] if name in self.calls.weights else name
                self.find_changed(self.calls.function(k), name, known)

    def submitted_function(self, k: int) -> Any:
        """The function or method that the forward or the backward lines are about."""
        value: Any = None
        for part in self.calls.function(k).split("."):
            value = getattr(value, part, None) if value is not None else self.names.get(part)
        return value


def given_by(returned: Any, layer: Any, name: str) -> Any:
    """What a method has returned, or where it has returned nothing the attribute that it has set."""
    return getattr(layer, name) if returned is None else returned


def multiplied(array: np.ndarray, factor: float) -> np.ndarray:
    """A multiple of an array, in float32 where that is what the array holds."""
    return (array.astype(np.float32) * factor).astype(float) if holds_single(array) else array * factor


def is_close(value: Any, expected: Any) -> bool:
    """Whether something is the array that is expected, or a list of such arrays, but for round-off."""
    try:
        return np.shape(value) == np.shape(expected) and np.allclose(value, expected, 1e-6, 1e-9)
    except (TypeError, ValueError):
        return False


def softmax(a: np.ndarray, axis: int = 0) -> np.ndarray:
    """The softmax along an axis, for what forms compare."""
    e = np.exp(a - np.max(a, axis=axis, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))
