"""What one of the textbook's functions, with its backward pass where it has one, takes and gives.

A spec says how the functions are called in the textbook's form,

    *outputs, cache = forward(*arguments)           grads = backward(*upstream, cache)

and gives names and axes to every array that goes in or out. So all of them are run alike, by dicts of arrays: `Pair`.
Axes are letters, as in the textbook: N rows, T steps, D features, H units, V classes; "4H" is four blocks of H.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

Arrays = dict[str, np.ndarray]


class Pair(NamedTuple):
    """Two passes by names: forward(inputs) -> outputs, cache; backward(upstream, cache) -> gradients.

    upstream has the names of the outputs, the gradients those of the inputs. backward is None where there is none.
    """

    forward: Callable[[Arrays], tuple[Arrays, Any]]
    backward: Callable[[Arrays, Any], Arrays] | None


class Group(NamedTuple):
    """An argument made of several arrays: `make` is called with them, in this order, and what it gives can be iterated
    to get them back. The members may be groups themselves."""

    name: str
    make: Callable[..., Any]
    members: tuple[Any, ...]


Argument = str | Group


class FunctionSpec(NamedTuple):
    """What a forward function of the textbook, and its backward function, take and give.

    forward, backward: the names of the functions; backward is "" for a function that has none. arguments: of the
    forward pass. inputs, outputs: the axes of each array. floats: the inputs that the loss is differentiated by. gates:
    the names of the blocks in the last axis of Wx, Wh, b. steps: functions that both passes take before all else.
    again: arguments that the backward pass takes once more, after the cache. own: what submitted functions are called
    where the textbook has no such pair: rnn_forward, which is recurrent_forward with rnn_step_forward. They take no
    steps. compose: gives the pair, of the textbook's functions, where it takes several of them, made_of. may_lack: the
    inputs that this function may do without, besides those that any may.
    """

    name: str
    title: str
    forward: str
    backward: str
    arguments: tuple[Argument, ...]
    inputs: dict[str, str]
    outputs: dict[str, str]
    floats: tuple[str, ...]
    gates: str = ""
    steps: tuple[str, str] | None = None
    again: tuple[str, ...] = ()
    own: tuple[str, str] | None = None
    compose: Callable[[Any], Pair] | None = None
    made_of: tuple[str, ...] = ()
    may_lack: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, str]:
        """What submitted functions are called, forward and backward."""
        return self.own or (self.forward, self.backward)

    def in_textbook_form(self, functions: Any) -> Pair:
        """The pair by names, of functions that are called as the textbook's are; `functions` has them as attributes."""
        if self.compose is not None:
            return self.compose(functions)

        def forward(inputs: Arrays) -> tuple[Arrays, Any]:
            step = () if self.steps is None else (getattr(functions, self.steps[0]),)
            arguments = {name_of(argument): assemble(argument, inputs) for argument in self.arguments}
            answer = getattr(functions, self.forward)(*step, *arguments.values())
            if not self.backward:
                return dict(zip(self.outputs, [answer] if len(self.outputs) == 1 else answer)), None
            *outs, cache = answer
            return arrays_by_name(tuple(self.outputs), outs), (cache, [arguments[name] for name in self.again])

        def backward(upstream: Arrays, cache: Any) -> Arrays:
            step = () if self.steps is None else (getattr(functions, self.steps[1]),)
            douts: list[Any] = [upstream[name] for name in self.outputs]
            if self.again:  # the loop over one sequence, which takes and gives lists of steps
                douts[0] = list(douts[0])
            if self.steps is not None:
                douts[1] = (douts[1],)
            answer = getattr(functions, self.backward)(*step, *douts, cache[0], *cache[1])
            wanted = self.differentiated
            grads: Arrays = {}
            for argument, grad in zip(wanted, (answer,) if len(wanted) == 1 else answer, strict=True):
                take_apart(argument, grad, grads)
            return grads

        return Pair(forward, backward if self.backward else None)

    @property
    def differentiated(self) -> list[Argument]:
        """The arguments that have gradients, in the order in which the backward pass gives these."""
        found = [argument for argument in self.arguments if set(names_in(argument)) & set(self.floats)]
        return sorted(found, key=lambda argument: self.floats.index(names_in(argument)[0]))

    def blocks(self, name: str) -> tuple[str, ...]:
        """The names of the blocks in the last axis of one of the inputs; () where it has none."""
        last = self.inputs[name].split()[-1:]
        return tuple(self.gates) if self.gates and last == [f"{len(self.gates)}H"] else ()


def name_of(argument: Argument) -> str:
    """An argument's name."""
    return argument if isinstance(argument, str) else argument.name


def names_in(argument: Argument) -> list[str]:
    """The names of the arrays that an argument is made of."""
    return [argument] if isinstance(argument, str) else [n for member in argument.members for n in names_in(member)]


def assemble(argument: Argument, arrays: Mapping[str, Any]) -> Any:
    """An argument made of its arrays."""
    if isinstance(argument, str):
        return arrays[argument]
    return argument.make(*(assemble(member, arrays) for member in argument.members))


def take_apart(argument: Argument, value: Any, into: Arrays) -> None:
    """Put the arrays that an argument is made of into a dict, by name."""
    if isinstance(argument, str):
        into[argument] = value
    elif argument.make is list:
        into[argument.members[0]] = np.stack(value)
    else:
        for member, part in zip(argument.members, value, strict=True):
            take_apart(member, part, into)


def arrays_by_name(names: tuple[str, ...], values: list[Any]) -> Arrays:
    """Outputs by name; one that is a list of steps or a tuple of one array becomes an array."""
    arrays = {}
    for name, value in zip(names, values, strict=True):
        if isinstance(value, tuple) and len(value) == 1:
            value = value[0]
        arrays[name] = np.stack(value) if isinstance(value, list) else np.asarray(value)
    return arrays


def shape_of(axes: str, sizes: dict[str, int]) -> tuple[int, ...]:
    """The shape that axes like "N T 4H" and "D+E 4H" have with these sizes."""

    def size_of(axis: str) -> int:
        return int(axis) if axis.isdigit() else int(axis[:-1] or 1) * sizes[axis[-1]]

    return tuple(sum(map(size_of, axis.split("+"))) for axis in axes.split())


def steps_counted(spec: FunctionSpec, lengths: str) -> str:
    """The axis that lengths of this name count along: "T", or "S" of those of a source."""
    letters = {axis for axes in spec.inputs.values() for axis in axes.split()}
    return "S" if lengths == "source_lengths" or ("S" in letters and "T" not in letters) else "T"


def sizes_in(spec: FunctionSpec, inputs: Arrays) -> dict[str, int]:
    """How large N, T, D ... are in these inputs."""
    sizes = {}
    for name, axes in spec.inputs.items():
        if name not in inputs:  # lengths, say, where all steps count
            continue
        if name in ("N", "T"):
            sizes[name] = int(inputs[name])
        for axis, size in zip(axes.split(), np.shape(inputs[name])):
            if not axis.isdigit() and "+" not in axis:
                sizes[axis[-1]] = size // int(axis[:-1] or 1)
    return sizes
