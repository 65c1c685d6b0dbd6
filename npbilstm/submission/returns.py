"""Returns: what submitted functions give back, by the textbook's names.

People return the same things in other forms: h, c, cache or (h, c), cache; a list of steps in place of an array; the
weights' gradients one by one, in a tuple, or in a dict, {"dWx": ...}. Number and nesting tell which, and then every
shape is checked. What cannot be told is a SubmissionError, a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from npbilstm.submission.arguments import find_argument
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.function_spec import Argument, FunctionSpec, name_of, names_in
from npbilstm.submission.layouts import Layout, submitted_axes, to_reference, to_submitted

NOT_WRITTEN = "is not written yet"


class Outputs(NamedTuple):
    """What a forward function returned. values: the outputs, as they came. nesting: their names, in tuples where they
    came in tuples."""

    values: dict[str, Any]
    nesting: tuple[Any, ...]
    cache: Any


def require_written(called: str, returned: Any) -> None:
    """Raise SubmissionError where a function gives nothing: its body is still to be filled in."""
    if returned is None or (
        isinstance(returned, (tuple, list)) and returned and all(part is None for part in returned)
    ):
        raise SubmissionError(f"{called} {NOT_WRITTEN}, or lacks its return: it gives None")


def outputs_in(spec: FunctionSpec, called: str, returned: Any, needs_cache: bool) -> Outputs:
    """The outputs in what a forward function returned. A function over time may leave out the final state, one that no
    backward function follows its cache."""
    require_written(called, returned)
    names = tuple(spec.outputs)
    if not spec.backward:
        values = (returned,) if len(names) == 1 else returned
        if not isinstance(values, (tuple, list)) or len(values) != len(names):
            raise SubmissionError(
                f"{called} returned {returned_in_words(returned)}; it needs to return {', '.join(names)}"
            )
        return Outputs(dict(zip(names, values)), names, None)
    parts = list(returned) if isinstance(returned, (tuple, list)) else [returned]
    ends_in_output = flat_count(parts) == len(names) and not isinstance(parts[-1], (tuple, list, Mapping))
    cache = parts.pop() if needs_cache or (len(parts) > 1 and not ends_in_output) else None
    if flat_count(parts) == len(names):
        nesting, values = nested_names(iter(names), parts)
    elif len(parts) == len(names):  # a pair of directions in place of an array
        nesting, values = names, dict(zip(names, parts))
    elif flat_count(parts) == 1 and "T" in spec.outputs[names[0]].split():
        nesting, values = nested_names(iter(names), parts)
    else:
        short = f", or {names[0]} and a cache" if "T" in spec.outputs[names[0]].split() and len(names) > 1 else ""
        raise SubmissionError(
            f"{called} returned {returned_in_words(returned)}; it needs to return {', '.join(names)} and a cache{short}"
        )
    return Outputs(values, nesting, cache)


def nested_names(names: Any, parts: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Names for parts, in tuples where the parts are -> the names, the parts by name."""
    nesting: list[Any] = []
    values: dict[str, Any] = {}
    for part in parts:
        if isinstance(part, tuple):
            inner, more = nested_names(names, part)
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


def returned_in_words(returned: Any) -> str:
    """What was returned, for a sentence."""
    if returned is None:
        return "nothing (None)"
    if isinstance(returned, (tuple, list, Mapping)):
        parts = returned.values() if isinstance(returned, Mapping) else returned
        thing = "array" if all(isinstance(part, np.ndarray) for part in parts) else "thing"
        return f"{len(returned)} {thing}{'' if len(returned) == 1 else 's'}"
    return f"one {type(returned).__name__}"


def gradient_name(name: str) -> str:
    """A gradient's name: dWx of Wx, forward.dWx of forward.Wx."""
    direction, dot, part = name.rpartition(".")
    return f"{direction}{dot}d{part}"


def gradients_in(spec: FunctionSpec, called: str, returned: Any, arguments: Sequence[Argument]) -> dict[str, Any]:
    """The gradients in what a backward function returned, by the names of the inputs, as they came.

    arguments: what the forward function takes. Their gradients are expected in that order, or in the textbook's, one
    by one, grouped, or by name.
    """
    require_written(called, returned)
    floats = set(spec.floats)
    in_order = [argument for argument in arguments if floats & set(names_in(argument))]
    flat = [name for argument in in_order for name in names_in(argument)]
    in_textbook_order = [argument for argument in spec.arguments if set(names_in(argument)) & set(flat)]
    into: dict[str, Any] = {}
    if isinstance(returned, Mapping):
        take_by_name(called, returned, [*in_order, *in_textbook_order, *flat], into)
    elif len(in_order) == 1 and isinstance(in_order[0], str) and not isinstance(returned, tuple):
        into[flat[0]] = returned
    else:
        parts = returned if isinstance(returned, (tuple, list)) else [returned]
        for form in (in_order, flat, in_textbook_order):
            if len(parts) == len(form):
                for argument, part in zip(form, parts):
                    take(called, argument, part, into)
                break
        else:
            needed = ", ".join(map(gradient_name, flat))
            raise SubmissionError(f"{called} returned {returned_in_words(returned)}; it needs {len(flat)}: {needed}")
    lacking = [gradient_name(name) for name in flat if name not in into]
    if lacking:
        raise SubmissionError(f"{called} returned no {', '.join(lacking)}")
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
        needed = ", ".join(gradient_name(name_of(member)) for member in argument.members)
        said = f"{called} returned {returned_in_words(value)} for {gradient_name(argument.name)}"
        raise SubmissionError(f"{said}; it needs {needed}")


def by_part(arguments: Sequence[Argument]) -> dict[str, Argument]:
    """Arguments by the last part of their names: Wx for forward.Wx."""
    return {name_of(argument).rpartition(".")[2]: argument for argument in arguments}


def take_by_name(called: str, values: Mapping[str, Any], arguments: Sequence[Argument], into: dict[str, Any]) -> None:
    """Put the gradients in a dict by their names, with a leading d or without, into a dict by the textbook's."""
    members = {name_of(argument): argument for argument in arguments}
    if len({name.partition(".")[0] for name in members}) == 1:
        members = by_part(arguments)
    for key, value in values.items():
        name = find_argument(str(key).removeprefix("d").removeprefix("_"), members)
        if name is None:
            needed = ", ".join(map(gradient_name, members))
            raise SubmissionError(f"{called} returned {key!r}, which is not known; it needs {needed}")
        take(called, members[name], value, into)


def reference_array(
    called: str, name: str, value: Any, axes: str, layout: Layout, shape: tuple[int, ...]
) -> np.ndarray:
    """What came for a name as a new float64 array in the reference's layout, where it needs this shape; a list of steps
    too.

    called: what the sentences call it, "lstm_backward's dx".
    """
    if value is None:
        raise SubmissionError(f"{called} is None; it needs to be an array")
    letters = submitted_axes(axes.split(), layout)
    try:
        array = np.array(value, subok=False)
    except (TypeError, ValueError):
        raise SubmissionError(f"{called} is a {type(value).__name__} that is no array; it needs to be one") from None
    if array.dtype.kind not in "fiub":
        raise SubmissionError(f"{called} has dtype {array.dtype}; it needs real numbers")
    array = array.astype(float)  # which some numbers of more bits are too large for
    if is_steps(value) and "T" in letters and array.ndim == len(letters) - (not layout.has_batch and "N" in letters):
        array = np.moveaxis(array, 0, letters.index("T"))
    try:
        reference = to_reference(name, array, axes, layout, shape)
    except ValueError as error:
        raise SubmissionError(called + str(error).removeprefix(name)) from None
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        where = list(map(int, wrong[0]))
        raise SubmissionError(f"{called} has numbers that are not finite, {array[tuple(wrong[0])]} at {where} first")
    return reference


def as_submitted(value: Any, name: str, array: np.ndarray, axes: str, layout: Layout) -> Any:
    """An array of the reference in the submitted layout, and in the form of the submitted value: a list of steps, a
    pair, an array."""
    submitted = to_submitted(name, array, axes, layout)
    if is_steps(value) and "T" in axes.split():
        return list(np.moveaxis(submitted, submitted_axes(axes.split(), layout).index("T"), 0))
    if isinstance(value, tuple):
        return tuple(submitted)
    return submitted if submitted.ndim else submitted.item()


def is_steps(value: Any) -> bool:
    """Whether a value is a list of arrays, one per step."""
    return isinstance(value, list) and bool(value) and all(isinstance(step, np.ndarray) for step in value)
