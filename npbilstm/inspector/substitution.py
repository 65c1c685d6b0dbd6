"""An equation with its numbers put in, for one unit at one step.

    c = f * c_prev + i * g
      = 0.7311 * 0.4213 + 0.6966 * -0.2311      the numbers in place of the names, a dot product as one number
      = 0.3080 - 0.1610                         the parts of the sum
      = 0.1470                                  what they come to

Which equations there are, and what they mean, is read from their text; rounding.py makes the parts add up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from npbilstm.inspector.cell_equations import weight_block
from npbilstm.inspector.descriptions import description_of
from npbilstm.inspector.equations import Call, Dot, Equation, Product, Sum, Symbol, evaluate
from npbilstm.inspector.rounding import number, power_of, shared, whole_quanta, written
from npbilstm.inspector.trace_data import TraceData

LARGEST = 3
"""How many terms of a dot product are shown by name; one more where that makes it whole."""


class SubstitutedDot(NamedTuple):
    """A dot product, "x @ Wx_i", and its largest terms as they are shown, ("x[3]", "0.412"), then "29 others".

    Terms that are exactly 0 are left out; there may be none.
    """

    text: str
    terms: tuple[tuple[str, str], ...]


class SubstitutedEquation(NamedTuple):
    """An equation's name and text; its lines below the text, the last one its result; the trace's own number; its dot
    products; what its name is, in words."""

    name: str
    text: str
    lines: tuple[str, ...]
    value: float
    dots: tuple[SubstitutedDot, ...]
    words: str = ""


@dataclass(frozen=True)
class UnitAtStep:
    """One unit at one step of a trace: where names have numbers."""

    trace: TraceData
    layer: int
    direction: str
    row: int
    step: int
    unit: int

    @property
    def turn(self) -> int:
        """How many steps the direction read before this one."""
        return int(self.trace.order[self.axis, self.row, self.step])

    @property
    def before(self) -> int | None:
        """The step read just before, None at the first."""
        return None if self.turn == 0 else self.step - self.stride

    @property
    def after(self) -> int | None:
        """The step read next, None at the last."""
        return None if self.turn == self.trace.lengths[self.row] - 1 else self.step + self.stride

    @property
    def axis(self) -> int:
        """The direction's index."""
        return self.trace.directions.index(self.direction)

    @property
    def stride(self) -> int:
        """From a step to the one read next."""
        return -1 if self.direction == "reverse" else 1

    def has(self, name: str) -> bool:
        """Whether the unit has a number of that name: with a projection h has fewer numbers than there are units."""
        return self.unit < self.trace[name].shape[-1]

    def is_set(self, name: str) -> bool:
        """Whether the number of that name was set, see intervention.py."""
        setting = self.trace.settings.get(name)
        return setting is not None and bool(setting.where[self.layer, self.axis, self.row, self.step, self.unit])

    def vector(self, symbol: Symbol) -> np.ndarray:
        """The numbers of all units, in float64."""
        step = self.step + self.stride if symbol.next else self.step
        if symbol.name == "x":
            return self.trace.inputs[self.layer][self.row, step].astype(float)
        if symbol.name in self.trace.names:
            return self.trace[symbol.name][self.layer, self.axis, self.row, step].astype(float)
        return self.weight(symbol.name)

    def weight(self, symbol: str) -> np.ndarray:
        """A weight, or one block of it, in float64."""
        return weight_block(self.trace.layer, self.layer, self.direction, symbol).astype(float)

    def value(self, symbol: Symbol) -> float:
        """The unit's number."""
        return float(self.vector(symbol)[self.unit])

    def terms(self, dot: Dot) -> np.ndarray:
        """What a dot product sums for this unit: a column of the weight, or where that is transposed a row."""
        weight = self.weight(dot.weight)
        return self.vector(dot.vector) * (weight[self.unit] if dot.transposed else weight[:, self.unit])

    def compute(self, node: Any) -> float:
        """What a node of an equation comes to."""
        return float(evaluate(node, self.value, lambda dot: self.terms(dot).sum()))

    def term_names(self, symbol: Symbol) -> list[str]:
        """x[0], x[1] ...; of an x that is the outputs of two directions side by side, forward[0] ... reverse[0] ..."""
        layer, size = self.trace.layer, len(self.vector(symbol))
        if symbol.name == "x" and self.layer > 0 and size == 2 * layer.output_size:
            return [f"{direction}[{r}]" for direction in layer.directions for r in range(layer.output_size)]
        return [f"{symbol_text(symbol)}[{k}]" for k in range(size)]


def substitute(equation: Equation, at: UnitAtStep) -> SubstitutedEquation:
    """Put the numbers in, and the words beside."""
    return with_numbers(equation, at)._replace(words=description_of(at.trace.layer, equation.name))


def with_numbers(equation: Equation, at: UnitAtStep) -> SubstitutedEquation:
    """The equation with its numbers."""
    name, total, text = equation
    value = at.value(Symbol(name))
    if at.is_set(name):
        return SubstitutedEquation(name, text, ("set, whatever the equation says", number(value)), value, ())
    if at.is_set(name.removeprefix("d")):
        return SubstitutedEquation(name, text, ("nothing passes back through what is set", number(value)), value, ())
    if at.after is None and text.count("next."):
        return SubstitutedEquation(
            name, text, ("the gradient of the final state, since no step is read next", number(value)), value, ()
        )
    if len(total.terms) == 1 and not isinstance(total.terms[0][1], Dot):
        return SubstitutedEquation(name, text, (put_in(total, at), number(value)), value, ())
    lines, dots = sum_lines(total, value, at)
    return SubstitutedEquation(name, text, lines, value, dots)


def sum_lines(total: Sum, value: float, at: UnitAtStep) -> tuple[tuple[str, ...], tuple[SubstitutedDot, ...]]:
    """The lines of a sum or a dot product, and the dot products; all of one quantum."""
    parts = [sign * at.compute(term) for sign, term in total.terms]
    exact = sum(parts)
    if not math.isfinite(exact) or not math.isfinite(value):  # nothing adds up
        texts = [(1, number(part)) for part in parts]
        return without_repeats(put_in(total, at), joined(texts), number(value)), ()
    power = power_of(max(map(abs, [*parts, exact])))
    # the trace's own number, unless float32 lost it where large terms cancel
    result = whole_quanta(value if abs(value - exact) < 10.0**power else exact, power)
    counts = shared(parts, result, power)
    shown = joined([(1, written(count, power)) for count in counts])
    dots = [
        substituted_dot(term, sign * count, power, at)
        for (sign, term), count in zip(total.terms, counts)
        if isinstance(term, Dot)
    ]
    evaluated = all(is_one_number(term) for _, term in total.terms)
    lines = without_repeats(shown if evaluated else put_in(total, at), shown, written(result, power))
    return lines, tuple(dots)


def substituted_dot(dot: Dot, count: int, power: int, at: UnitAtStep) -> SubstitutedDot:
    """The largest terms of a dot product and the sum of the others, together `count` quanta."""
    terms = at.terms(dot)
    names = at.term_names(dot.vector)
    order = [int(k) for k in np.argsort(-np.abs(terms), kind="stable") if terms[k] != 0]
    first = order if len(order) <= LARGEST + 1 else order[:LARGEST]
    others = order[len(first) :]
    parts = {names[k]: float(terms[k]) for k in first}
    if others:
        parts[f"{len(others)} others"] = float(terms[others].sum())
    texts = [written(count, power) for count in shared(list(parts.values()), count, power)] if parts else []
    text = f"{symbol_text(dot.vector)} @ {dot.weight}{'.T' if dot.transposed else ''}"
    return SubstitutedDot(text, tuple(zip(parts, texts)))


def put_in(node: Any, at: UnitAtStep) -> str:
    """A node of an equation with numbers in place of the names."""
    if isinstance(node, Sum):
        return joined([(sign, put_in(term, at)) for sign, term in node.terms])
    if isinstance(node, Product):
        return " * ".join(put_in(factor, at) for factor in node.factors)
    if isinstance(node, Call):
        inside = put_in(node.argument, at)
        if node.function == "^2":
            return f"({inside})^2" if inside.startswith("-") else f"{inside}^2"
        return f"{node.function}({inside})"
    if isinstance(node, float):
        return f"{node:g}"
    return number(at.compute(node))


def joined(terms: list[tuple[int, str]]) -> str:
    """Terms and their signs as a sum: a minus in front of a term becomes the operator."""
    text = ""
    for sign, term in terms:
        if term.startswith("-"):
            sign, term = -sign, term[1:]
        if text:
            text += f" {'-' if sign < 0 else '+'} {term}"
        else:
            text = f"-{term}" if sign < 0 else term
    return text


def without_repeats(*lines: str) -> tuple[str, ...]:
    """The lines but those that say what the line before says."""
    return tuple(line for k, line in enumerate(lines) if k == 0 or line != lines[k - 1])


def is_one_number(term: Any) -> bool:
    """Whether a term is a dot product, a name or a number alone."""
    return isinstance(term, Dot) or (len(term.factors) == 1 and isinstance(term.factors[0], Symbol | float))


def symbol_text(symbol: Symbol) -> str:
    """As it stands in the equation."""
    return f"next.{symbol.name}" if symbol.next else symbol.name
