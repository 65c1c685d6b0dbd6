"""One matrix W in place of Wx and Wh: it multiplies [h, x], or [x, h], as many papers and courses have it.

A spec whose functions take Wx and Wh becomes one whose functions take W; its pair is then told in the textbook's
matrices again, which are W's rows.
"""

from __future__ import annotations

from collections import namedtuple
from functools import cache
from typing import Any

import numpy as np

from npbilstm.submission.function_spec import Argument, Arrays, FunctionSpec, Group, name_of
from npbilstm.submission.submitted_pair import SubmittedPair

ROWS = "K"
"""The letter of W's rows: units and features together."""


@cache
def params_type(names: tuple[str, ...]) -> Any:
    """A NamedTuple for weights of these names."""
    return namedtuple("Params", names)


def joined_argument(argument: Argument) -> Argument:
    """An argument, with W where it has Wx and Wh."""
    if isinstance(argument, str) or not any(name_of(member).endswith("Wh") for member in argument.members):
        if isinstance(argument, Group):
            return argument._replace(members=tuple(map(joined_argument, argument.members)))
        return argument
    members = tuple(
        member[:-2] + "W" if member.endswith("Wx") else member for member in argument.members if member[-2:] != "Wh"
    )
    return Group(argument.name, params_type(tuple(name.rpartition(".")[2] for name in members)), members)


def joined_spec(spec: FunctionSpec) -> FunctionSpec:
    """The spec of functions that take W."""
    inputs = {
        name[:-2] + "W" if name.endswith("Wx") else name: f"{ROWS} {axes.split()[-1]}" if name.endswith("Wx") else axes
        for name, axes in spec.inputs.items()
        if not name.endswith("Wh")
    }
    floats = tuple(name[:-2] + "W" if name.endswith("Wx") else name for name in spec.floats if name[-2:] != "Wh")
    arguments = tuple(map(joined_argument, spec.arguments))
    return spec._replace(arguments=arguments, inputs=inputs, floats=floats)


def joined_arrays(arrays: Arrays, joined: str) -> Arrays:
    """Arrays by the textbook's names, with W for Wx and Wh."""
    found: Arrays = {}
    for name, array in arrays.items():
        if name.endswith("Wx"):
            both = [arrays[name[:-1] + "h"], array]
            found[name[:-2] + "W"] = np.concatenate(both if joined == "H+D" else both[::-1])
        elif not name.endswith("Wh"):
            found[name] = array
    return found


def parted_arrays(arrays: Arrays, shapes: dict[str, tuple[int, ...]], joined: str) -> Arrays:
    """Arrays by the textbook's names, with Wx and Wh for W. shapes: of the textbook's inputs."""
    found: Arrays = {}
    for name, array in arrays.items():
        if name.endswith("W"):
            first, second = ("Wh", "Wx") if joined == "H+D" else ("Wx", "Wh")
            cut = shapes[name[:-1] + first][0]
            parts = {first: array[:cut], second: array[cut:]}
            found |= {name[:-1] + part: parts[part] for part in ("Wx", "Wh")}
        else:
            found[name] = array
    return found


def told_in_parts(pair: SubmittedPair, joined: str) -> SubmittedPair:
    """A pair of joined_spec's, as one of the textbook's spec."""

    def forward(inputs: Arrays) -> tuple[Arrays, Any]:
        outputs, call = pair.forward(joined_arrays(inputs, joined))
        return outputs, (call, {name: np.shape(array) for name, array in inputs.items()})

    def backward(upstream: Arrays, cache: Any) -> Arrays:
        call, shapes = cache
        assert pair.backward is not None
        return parted_arrays(pair.backward(upstream, call), shapes, joined)

    def seen(inputs: Arrays) -> Arrays:
        assert pair.intermediates is not None
        return pair.intermediates(joined_arrays(inputs, joined))

    return pair._replace(forward=forward, backward=backward if pair.backward else None, intermediates=seen)
