"""The textbook's docstrings as programs: the block of equations of a step, line by line, as Python that can be run.

dc     += dh * o * tanh'(c)          a note       ->  Line("dc", "+=", "dh * o * tanh_derivative(tanh(c))", "a note")
dh_prev = mask * (da Wh^T)                        ->  Line("dh_prev", "=", "mask * (da @ Wh.T)", "")
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from npbilstm import textbook
from npbilstm.textbook.activations import ACTIVATIONS
from tests.layers.recurrent_cases import STEPS, kind_of

SIDE_BY_SIDE = ("a", "u", "da")
"""Names that stand for the blocks of all gates."""


class Line(NamedTuple):
    """name = right, or += or -=, and what is said beside it."""

    name: str
    sign: str
    right: str
    note: str


class Absent:
    """A block that there is not: nothing in a sum, nothing beside others."""

    __array_ufunc__ = None

    def __mul__(self, other: Any) -> Absent:
        return self

    __rmul__ = __mul__

    def __radd__(self, other: Any) -> Any:
        return other


def lines_of(docstring: str) -> list[Line]:
    """The equations of a docstring; what it says that a letter stands for, first."""
    found = [
        Line(name, "=", python(right), "") for name, right in re.findall(r"(\w+) stands for ([^,.\n]+)", docstring)
    ]
    for name, sign, rest in re.findall(r"^ *(\w+) *([-+]?=) (.+)$", docstring, re.MULTILINE):
        right, note = (*re.split(r"\s{2,}", rest, maxsplit=1), "")[:2]
        found.append(Line(name, sign, python(right), note))
    return found


def python(right: str) -> str:
    """The right side of an equation in Python's notation."""
    right = re.sub(r"(\w) (\w+'|derivative)\(", r"\1 * \2(", right)
    right = re.sub(r"(\w+)'\(a_(\w)\)", r"\1_derivative(\2)", right)  # each derivative is written by the output
    right = re.sub(r"tanh'\(c\)", "tanh_derivative(tanh(c))", right)
    right = re.sub(r"(\w+)'\((\w)\)", r"\1_derivative(\2)", right)
    right = right.replace("^T", ".T")
    right = re.sub(r"sum_n (.+)$", r"rows(\1)", right)
    right = re.sub(r"\[(.+)\]", r"blocks(\1)", right)
    return re.sub(r"([\w)]) (?=[\w(])", r"\1 @ ", right)


def with_options(lines: list[Line], options: set[str]) -> list[Line]:
    """The lines of a cell with options, "coupled" and "projection_size", as the notes have them."""
    found = []
    for line in lines:
        other = re.match(r"(coupled|without projection): \w+ = (.+)", line.note)
        if other and (other[1] in options or (other[1] == "without projection" and "projection_size" not in options)):
            line = line._replace(right=python(other[2]))
        if line.note.startswith("coupled: there is no") and "coupled" in options:
            line = line._replace(right="absent")
        if not line.note.startswith("coupled only") or "coupled" in options:
            found.append(line)
    return found


def run(
    lines: list[Line], values: dict[str, Any], activation: str = "tanh", recurrent_activation: str = "sigmoid"
) -> None:
    """Compute the lines one after the other, and put what they come to into `values`; a and u in their blocks too."""
    meaning = {
        "rows": lambda array: array.sum(axis=0),
        "blocks": lambda *parts: np.concatenate([p for p in parts if not isinstance(p, Absent)], axis=-1),
        "absent": Absent(),
    }
    for stands_for, name in (("tanh", activation), ("sigmoid", recurrent_activation)):
        meaning[stands_for], meaning[f"{stands_for}_derivative"] = ACTIVATIONS[name]
    meaning["relu"], meaning["derivative"] = ACTIVATIONS["relu"][0], ACTIVATIONS[activation][1]
    for line in lines:
        right = eval(line.right, meaning, values)
        if line.sign != "=":
            right = values[line.name] + (right if line.sign == "+=" else -right)
        values[line.name] = right
        if line.name in SIDE_BY_SIDE and values["gates"]:
            parts = np.split(right, len(values["gates"]), axis=-1)
            for gate, part in zip(values["gates"], parts):
                values.setdefault(f"{line.name}_{gate}", part)


class Cell(NamedTuple):
    """A cell's steps and their equations as a layer's options have them; its values are random."""

    forward: list[Line]
    backward: list[Line]
    values: dict[str, Any]
    activations: tuple[str, str]

    def run(self) -> dict[str, Any]:
        """What every line comes to, forward and then backward."""
        values = dict(self.values)
        run(self.forward, values, *self.activations)
        run(self.backward, values, *self.activations)
        return values


def cell_of(layer: Any, step: str = "", change: Callable[[str], str] = str) -> Cell:
    """The cell of a layer of one direction: its step's docstrings, after a change, and random arrays.

    step: of which functions of the textbook; "" for those that `steps_of` takes.
    """
    step = step or STEPS[kind_of(layer)][0]
    options = {name for name in ("coupled", "projection_size") if getattr(layer, name, None)}
    gates, prefix, rng = layer.gates, "0.forward.", np.random.default_rng(0)
    params = {name.removeprefix(prefix): p for name, p in layer.params.items()}
    values: dict[str, Any] = {"gates": gates, "mask": 1.0, "b": np.zeros(1), "b_hn": 0.0, "p_i": 0.0, "p_o": 0.0}
    values["p_f"] = Absent() if "coupled" in options else 0.0
    for name, p in params.items():
        letters = layer.blocks.get(prefix + name, ())
        values |= {name: p} | {f"{name}_{k}": part for k, part in zip(letters, np.split(p, len(letters) or 1, axis=-1))}
    R, H = layer.output_size, layer.hidden_size
    for name, size in {"x": layer.input_size, "h_prev": R, "c_prev": H, "dh": R, "dc": H}.items():
        values[name] = rng.normal(size=(3, size))
    home = textbook.rnn.step_backward if step.startswith("rnn") else getattr(textbook, f"{step}_backward")
    docstrings = (change(inspect.getdoc(one) or "") for one in (getattr(textbook, f"{step}_forward"), home))
    forward, backward = (with_options(lines_of(docstring), options) for docstring in docstrings)
    activation = layer.nonlinearity if step.startswith("rnn") else layer.activation
    return Cell(forward, backward, values, (activation, getattr(layer, "recurrent_activation", "sigmoid")))
