"""Slips: the small changes that turn an equation of the textbook into one that somebody may have written.

Another quantity in the place of one, a term or a factor left out, a sign, another squashing or none, a bias that is not
the gate's. The catalogue has those that people were seen to make, with what to learn from each; these are made by rule
from each line of a forward pass, tell no more than the line, and are told apart by numbers alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from typing import NamedTuple

from npbilstm.mistakes import Bug
from npbilstm.mistakes.planting import source_of

SQUASHINGS = ("sigmoid", "tanh", "relu")
STATES = ("h_prev", "c_prev")


class Slip(NamedTuple):
    """One change. function, equation: where. old, new: the line. formula: what is computed instead, to be read."""

    function: str
    equation: str
    old: str
    new: str
    formula: str

    @property
    def right(self) -> str:
        """The line as it should be, to be read."""
        return plainly(self.old)

    @property
    def bug(self) -> Bug:
        """The change as one that can be planted."""
        return Bug(f"{self.function}: {self.new}", self.function, self.old, self.new, self.equation, "", ("", "", ""))


class Equation(NamedTuple):
    """A line of the textbook that computes one quantity: its name, the line, what stands on its right, and the
    quantities that it is made of."""

    name: str
    line: str
    value: ast.expr
    operands: tuple[str, ...]


@cache
def equations_of(function: str) -> tuple[Equation, ...]:
    """The equations of a function, in order; lines that set several quantities have one equation for them."""
    head, body = source_of(function)
    source = head + body
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign):
            names = [part.id for part in ast.walk(node.targets[0]) if isinstance(part, ast.Name)]
            line = ast.get_source_segment(source, node) or ""
            operands = tuple(dict.fromkeys(part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)))
            found.append((node.lineno, Equation(", ".join(names), line, node.value, operands)))
    return tuple(equation for _, equation in sorted(found, key=lambda each: each[0]))


@cache
def slips_in(function: str, gates: str) -> tuple[Slip, ...]:
    """The slips in each equation of a function. gates: the letters of the cell's."""
    equations = equations_of(function)
    known = [name for name in STATES if name in source_of(function)[0]]
    found: dict[str, Slip] = {}
    for equation in equations:
        left = equation.line.partition(" = ")[0]
        whole = equation.name.split(", ")
        for value in dict.fromkeys(changes(equation, known, gates)):
            new = f"{left} = {value}"
            if new != equation.line:
                formula = f"{equation.name} = {readable(value, gates)}"
                found[new] = Slip(function, equation.name, equation.line, new, formula)
        for one, other in combinations(range(len(whole)), 2):  # blocks that are cut in another order
            order = list(whole)
            order[one], order[other] = order[other], order[one]
            right = ast.unparse(equation.value)
            new = f"{', '.join(order)} = {right}"
            name = "a" if set(equation.operands) & {"a", "u"} else equation.name
            found[new] = Slip(function, name, equation.line, new, new)
        known = [*known, *whole]
    return tuple(found.values())


def changes(equation: Equation, quantities: list[str], gates: str) -> Iterator[str]:
    """What may stand on the right of an equation instead."""
    if "," in equation.name:
        return
    value = ast.unparse(equation.value)
    for node in ast.walk(equation.value):
        for other in changes_of(node, quantities, equation.name, gates):
            yield value_with(equation.value, node, other)
    yield from (f"-({value})", f"2 * ({value})", f"0.5 * ({value})")


def changes_of(node: ast.AST, quantities: list[str], own: str, gates: str) -> Iterator[str]:
    """What may stand in the place of a part of an equation."""
    if isinstance(node, ast.BinOp):
        left, right = ast.unparse(node.left), ast.unparse(node.right)
        if not isinstance(node.op, ast.MatMult):
            yield from (left, right)
        signs = {ast.Add: "-", ast.Sub: "+", ast.Mult: "+"}
        if type(node.op) in signs:
            yield f"{left} {signs[type(node.op)]} {right}"
        if isinstance(node.op, ast.Sub):
            yield f"{right} - {left}"
            yield from quantities if isinstance(node.left, ast.Constant) else ()
        if isinstance(node.op, ast.Add):
            yield from (f"{left} + 2 * ({right})", f"2 * ({left}) + {right}")
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
        given = ast.unparse(node.args[0])
        yield given
        yield from (f"{name}({given})" for name in SQUASHINGS if name != node.func.id)
    elif isinstance(node, ast.Name) and node.id in quantities:
        yield from (name for name in quantities if name not in (node.id, own))
        yield from (f"(1 - {node.id})", f"{node.id} ** 2", f"tanh({node.id})", f"sigmoid({node.id})")
        gate = node.id.removeprefix("a_")
        if node.id.startswith("a_") and gate in gates:
            yield from changes_of_sum(node.id, gate, gates)


def changes_of_sum(name: str, gate: str, gates: str) -> Iterator[str]:
    """What a gate may see instead: not all that it should, or another's."""
    biases = [f"np.split(params.b, {len(gates)})[{k}]" for k in range(len(gates))]
    own = gates.index(gate)
    yield f"({name} - {biases[own]})"
    yield f"({name} + {biases[own]})"
    yield from (f"({name} - {biases[own]} + {bias})" for k, bias in enumerate(biases) if k != own)
    for product in ("x @ params.Wx", "h_prev @ params.Wh"):
        yield f"({name} - np.split({product}, {len(gates)}, axis=1)[{own}])"


def value_with(value: ast.expr, node: ast.AST, other: str) -> str:
    """An equation's right side with one part of it replaced."""

    class Replacer(ast.NodeTransformer):
        def visit(self, each: ast.AST) -> ast.AST:
            return ast.parse(other, mode="eval").body if each is node else super().generic_visit(copy_of(each))

    return ast.unparse(Replacer().visit(value))


def copy_of(node: ast.AST) -> ast.AST:
    """A node with the same parts, which may be replaced in it."""
    return type(node)(**{name: list(part) if isinstance(part, list) else part for name, part in ast.iter_fields(node)})


def readable(value: str, gates: str) -> str:
    """A right side as a person writes it: b_f, Wh_f."""
    value = re.sub(r"np\.split\(params\.b, \d\)\[(\d)\]", lambda found: f"b_{gates[int(found[1])]}", value)
    product = r"np\.split\((\w+) @ params\.(\w+), \d, axis=1\)\[(\d)\]"
    value = re.sub(product, lambda found: f"{found[1]} @ {found[2]}_{gates[int(found[3])]}", value)
    return plainly(re.sub(r"\((\w+ @ [\w.]+)\)", r"\1", value))


def plainly(line: str) -> str:
    """A line of the textbook without what only dropout and code need."""
    line = line.replace("params.", "").replace("m * h_prev", "h_prev").replace("activation(", "tanh(")
    return re.sub(r"\bh_in\b", "h_prev", line)
