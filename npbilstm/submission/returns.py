"""Answers: what a person's functions return, by the textbook's names.

People return the same things in other forms: h, c, cache or (h, c), cache; a list of steps in place of an array; the
weights' gradients one by one, in a tuple, or in a dict, {"dWx": ...}. Number and nesting tell which, and then every
shape is checked. What cannot be told is an OwnError, a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from npbilstm.submission.arguments import argument_called
from npbilstm.submission.errors import OwnError
from npbilstm.submission.function_spec import Argument, FunctionSpec, name_of, names_in
from npbilstm.submission.layouts import Layout, their_axes, to_ours, to_theirs


class Outputs(NamedTuple):
    """What a forward function returned. values: the outputs, as they came. nesting: their names, in tuples where they
    came in tuples."""

    values: dict[str, Any]
    nesting: tuple[Any, ...]
    cache: Any


def outputs_in(spec: FunctionSpec, called: str, answer: Any, needs_cache: bool) -> Outputs:
    """The outputs in a forward function's answer. A function over time may leave out the final state, and one that no
    backward function follows its cache."""
    names = tuple(spec.outputs)
    if not spec.backward:
        values = (answer,) if len(names) == 1 else answer
        if not isinstance(values, (tuple, list)) or len(values) != len(names):
            raise OwnError(f"{called} returned {described(answer)}; it needs to return {', '.join(names)}")
        return Outputs(dict(zip(names, values)), names, None)
    parts = list(answer) if isinstance(answer, (tuple, list)) else [answer]
    ends_in_output = flat_count(parts) == len(names) and not isinstance(parts[-1], (tuple, list, Mapping))
    cache = parts.pop() if needs_cache or (len(parts) > 1 and not ends_in_output) else None
    if flat_count(parts) == len(names):
        nesting, values = nested(iter(names), parts)
    elif len(parts) == len(names):  # a pair of directions in place of an array
        nesting, values = names, dict(zip(names, parts))
    elif flat_count(parts) == 1 and "T" in spec.outputs[names[0]].split():
        nesting, values = nested(iter(names), parts)
    else:
        short = f", or {names[0]} and a cache" if "T" in spec.outputs[names[0]].split() and len(names) > 1 else ""
        raise OwnError(
            f"{called} returned {described(answer)}; it needs to return {', '.join(names)} and a cache{short}"
        )
    return Outputs(values, nesting, cache)


def nested(names: Any, parts: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Names for parts, in tuples where the parts are -> the names, the parts by name."""
    nesting: list[Any] = []
    values: dict[str, Any] = {}
    for part in parts:
        if isinstance(part, tuple):
            inner, more = nested(names, part)
            nesting.append(inner)
            values.update(more)
        else:
            name = next(names)
            nesting.append(name)
            values[name] = part
    return tuple(nesting), values


def flat_count(parts: Sequence[Any]) -> int:
    """How many parts there are, through tuples in tuples."""
    return sum(flat_count(part) if isinstance(part, tuple) else 1 for part in parts)


def described(answer: Any) -> str:
    """What an answer is, for a sentence."""
    if answer is None:
        return "nothing (None)"
    if isinstance(answer, (tuple, list, Mapping)):
        parts = answer.values() if isinstance(answer, Mapping) else answer
        thing = "array" if all(isinstance(part, np.ndarray) for part in parts) else "thing"
        return f"{len(answer)} {thing}{'' if len(answer) == 1 else 's'}"
    return f"one {type(answer).__name__}"


def gradient_called(name: str) -> str:
    """A gradient's name: dWx of Wx, forward.dWx of forward.Wx."""
    way, dot, part = name.rpartition(".")
    return f"{way}{dot}d{part}"


def gradients_in(spec: FunctionSpec, called: str, answer: Any, arguments: Sequence[Argument]) -> dict[str, Any]:
    """The gradients in a backward function's answer, by the names of the inputs, as they came.

    arguments: what the forward function takes. Their gradients are expected in that order, or in the textbook's, one
    by one, grouped, or by name.
    """
    floats = set(spec.floats)
    theirs = [argument for argument in arguments if floats & set(names_in(argument))]
    flat = [name for argument in theirs for name in names_in(argument)]
    ours = [argument for argument in spec.arguments if set(names_in(argument)) & set(flat)]
    into: dict[str, Any] = {}
    if isinstance(answer, Mapping):
        take_by_name(called, answer, [*theirs, *ours, *flat], into)
    elif len(theirs) == 1 and isinstance(theirs[0], str) and not isinstance(answer, tuple):
        into[flat[0]] = answer
    else:
        parts = answer if isinstance(answer, (tuple, list)) else [answer]
        for form in (theirs, flat, ours):
            if len(parts) == len(form):
                for argument, part in zip(form, parts):
                    take(called, argument, part, into)
                break
        else:
            needed = ", ".join(map(gradient_called, flat))
            raise OwnError(f"{called} returned {described(answer)}; it needs {len(flat)}: {needed}")
    lacking = [gradient_called(name) for name in flat if name not in into]
    if lacking:
        raise OwnError(f"{called} returned no {', '.join(lacking)}")
    return {name: into[name] for name in flat}


def take(called: str, argument: Argument, value: Any, into: dict[str, Any]) -> None:
    """Put an argument's gradient, maybe a group of them, into a dict by name."""
    if isinstance(argument, str):
        into[argument] = value
    elif argument.make is list:
        into[argument.members[0]] = value
    elif isinstance(value, Mapping):
        take_by_name(called, value, argument.members, into)
    elif hasattr(value, "_fields") and set(members := by_part(argument.members)) == set(value._fields):
        for field in value._fields:
            take(called, members[field], getattr(value, field), into)
    elif isinstance(value, (tuple, list)) and len(value) == len(argument.members):
        for member, part in zip(argument.members, value):
            take(called, member, part, into)
    elif len(argument.members) == 1:
        take(called, argument.members[0], value, into)
    else:
        needed = ", ".join(gradient_called(name_of(member)) for member in argument.members)
        raise OwnError(f"{called} returned {described(value)} for {gradient_called(argument.name)}; it needs {needed}")


def by_part(arguments: Sequence[Argument]) -> dict[str, Argument]:
    """Arguments by the last part of their names: Wx for forward.Wx."""
    return {name_of(argument).rpartition(".")[2]: argument for argument in arguments}


def take_by_name(called: str, values: Mapping[str, Any], arguments: Sequence[Argument], into: dict[str, Any]) -> None:
    """Put the gradients in a dict by their names, with a leading d or without, into a dict by ours."""
    members = {name_of(argument): argument for argument in arguments}
    if len({name.partition(".")[0] for name in members}) == 1:
        members = by_part(arguments)
    for key, value in values.items():
        name = argument_called(str(key).removeprefix("d").removeprefix("_"), members)
        if name is None:
            needed = ", ".join(map(gradient_called, members))
            raise OwnError(f"{called} returned {key!r}, which is not known; it needs {needed}")
        take(called, members[name], value, into)


def array_of_ours(called: str, name: str, value: Any, axes: str, layout: Layout, shape: tuple[int, ...]) -> np.ndarray:
    """What came for a name as a new float64 array in our layout, where it needs this shape; a list of steps too.

    called: what the sentences call it, "lstm_backward's dx".
    """
    if value is None:
        raise OwnError(f"{called} is None; it needs to be an array")
    letters = their_axes(axes.split(), layout)
    try:
        array = np.array(value, subok=False)
    except (TypeError, ValueError):
        raise OwnError(f"{called} is a {type(value).__name__} that is no array; it needs to be one") from None
    if array.dtype.kind not in "fiub":
        raise OwnError(f"{called} has dtype {array.dtype}; it needs real numbers")
    array = array.astype(float)  # which some numbers of more bits are too large for
    if is_steps(value) and "T" in letters and array.ndim == len(letters) - (not layout.has_batch and "N" in letters):
        array = np.moveaxis(array, 0, letters.index("T"))
    try:
        ours = to_ours(name, array, axes, layout, shape)
    except ValueError as error:
        raise OwnError(called + str(error).removeprefix(name)) from None
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        where = list(map(int, wrong[0]))
        raise OwnError(f"{called} has numbers that are not finite, {array[tuple(wrong[0])]} at {where} first")
    return ours


def like(value: Any, name: str, array: np.ndarray, axes: str, layout: Layout) -> Any:
    """An array of ours in their layout, and in the form that their own value has: a list of steps, a pair, an array."""
    theirs = to_theirs(name, array, axes, layout)
    if is_steps(value) and "T" in axes.split():
        return list(np.moveaxis(theirs, their_axes(axes.split(), layout).index("T"), 0))
    if isinstance(value, tuple):
        return tuple(theirs)
    return theirs if theirs.ndim else theirs[()]


def is_steps(value: Any) -> bool:
    """Whether a value is a list of arrays, one a step."""
    return isinstance(value, list) and bool(value) and all(isinstance(step, np.ndarray) for step in value)
