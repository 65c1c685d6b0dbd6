"""Conventions: the layout of arrays, the order of arguments and their names, all of them other than the textbook's.

A variant of an exercise is the same mathematics in other conventions, drawn by a seed. All change together, since an
answer copied from the textbook fits whatever is left: gates in another order, weights (4H, D) in place of (D, 4H),
vectors as columns, sequences with their axes in another order, the last argument first, other names.
"""

from __future__ import annotations

import inspect
import re
from collections import namedtuple
from functools import cache
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from npbilstm import textbook
from npbilstm.submission.function_spec import Argument, FunctionSpec, Group
from npbilstm.submission.layouts import GRU_GATES, LSTM_GATES, Layout, usual_bias

ORDERS_OF_X = ("TDN", "DTN", "DNT")
"""The orders of a sequence's axes in which a vector is a column."""
NAMINGS = (
    {"x": "inp", "h": "hid", "c": "cell", "Wx": "W_in", "Wh": "W_rec", "b": "bias"},
    {"x": "feat", "h": "act", "c": "mem", "Wx": "Wi", "Wh": "Wr", "b": "beta"},
    {"x": "xin", "h": "hx", "c": "cx", "Wx": "Wxh", "Wh": "Whh", "b": "bh"},
    {"x": "inputs", "h": "hidden", "c": "memory", "Wx": "Ux", "Wh": "Uh", "b": "offset"},
)
"""Other names of the textbook's symbols."""
SYMBOL = re.compile(r"(?<!\w)(d?)(Wx|Wh|[xhcb])(?=0?(?![A-Za-z0-9]))")
"""A symbol, also in a longer name: h_prev, dWx, c0."""
STEP = "step_forward"
"""The argument that is a function, of those that take a cell through time."""


class Conventions(NamedTuple):
    """Conventions. names: the textbook's symbols and what they are called. last_first: whether the last argument of a
    forward pass without a default comes first."""

    layout: Layout = Layout()
    names: tuple[tuple[str, str], ...] = ()
    last_first: bool = False

    def renamed(self, text: str) -> str:
        """A name, or a text, with the textbook's symbols under their other names."""
        names = dict(self.names)
        return SYMBOL.sub(lambda found: found[1] + names.get(found[2], found[2]), text)

    def arguments(self, function: str) -> list[str]:
        """The arguments of one of the textbook's functions, by its names for them, in the order in which they are
        taken: of a forward pass a step first, what has a default last, and of the rest the last first."""
        parameters = inspect.signature(getattr(textbook, function)).parameters
        if not self.last_first or function.endswith("_backward"):
            return list(parameters)
        steps = [name for name in parameters if name == STEP]
        last = [name for name, parameter in parameters.items() if parameter.default is not parameter.empty]
        kept = [name for name in parameters if name not in (*steps, *last)]
        return [*steps, *kept[-1:], *kept[:-1], *last]

    def spec(self, spec: FunctionSpec) -> FunctionSpec:
        """A spec whose functions take their arguments in these conventions. Its arrays keep the textbook's names and
        axes, which the layout tells how to move."""
        if not self.last_first:
            return spec
        own = [name for name in inspect.signature(getattr(textbook, spec.forward)).parameters if name != STEP]
        arguments = dict(zip(own, map(self.argument, spec.arguments)))
        order = [name for name in self.arguments(spec.forward) if name in arguments]
        return spec._replace(arguments=tuple(arguments[name] for name in order))

    def argument(self, argument: Argument) -> Argument:
        """An argument, the fields of params under their other names."""
        if isinstance(argument, str):
            return argument
        make = self.own_type(argument.make) if hasattr(argument.make, "_fields") else argument.make
        return Group(argument.name, make, tuple(map(self.argument, argument.members)))

    def own_type(self, made: Any) -> Any:
        """A NamedTuple class with its fields under their other names."""
        return renamed_type(made.__name__, tuple(map(self.renamed, made._fields)))


TEXTBOOKS = Conventions()
"""The textbook's."""


@cache
def renamed_type(name: str, fields: tuple[str, ...]) -> Any:
    """A NamedTuple class of this name, the same for the same fields."""
    return namedtuple(name, fields)


@cache
def conventions_of(seed: int | None) -> Conventions:
    """The conventions of a variant, by its seed; the textbook's without one. Raises ValueError for a seed below 0."""
    if seed is None:
        return TEXTBOOKS
    if seed < 0:
        raise ValueError(f"variant is {seed}; it needs a number from 0 on")
    rng = np.random.default_rng([seed, 17])

    def drawn(choice: Any) -> Any:
        choice = list(choice)
        return choice[rng.integers(len(choice))]

    layout = Layout(
        gates=drawn(other_orders(LSTM_GATES)),
        gru_gates=drawn(other_orders(GRU_GATES)),
        weights="4H,D",
        x=drawn(ORDERS_OF_X),
    )
    return Conventions(layout._replace(b=usual_bias(layout)), tuple(drawn(NAMINGS).items()), True)


def other_orders(gates: str) -> list[str]:
    """All orders of gates but the textbook's."""
    return ["".join(order) for order in permutations(gates)][1:]
