"""Equations as text that is both shown and computed, so that what is shown is what is so.

    a_i = x @ Wx_i + h_prev @ Wh_i + b_i
    dh_next = next.da_i @ Wh_i.T + next.da_f @ Wh_f.T + ...

cell_equations.py has those of the cells. Grammar, a part of Python's but for ^2:

    equation = NAME "=" sum
    sum      = term {("+" | "-") term}
    term     = factor {"*" factor}  |  SYMBOL "@" SYMBOL [".T"]
    factor   = (NUMBER | SYMBOL | FUNCTION "(" sum ")" | "(" sum ")") ["^2"]

A symbol stands for one unit's number; beside @ for the whole vector. next.NAME is its value at the step that the
direction reads next. A weight's symbol is its parameter's name and, where that has blocks, the block's letter: Wx_i.
In x @ Wx_i the unit is a column of Wx's block i, in next.da_i @ Wh_i.T a row of Wh's.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from npbilstm.textbook.activations import ACTIVATIONS


class Symbol(NamedTuple):
    """A number that has a name; of the step read next where `next` is True."""

    name: str
    next: bool = False


class Dot(NamedTuple):
    """vector @ weight, or vector @ weight.T."""

    vector: Symbol
    weight: str
    transposed: bool


class Call(NamedTuple):
    """A function of a sum; "" is a bracket alone, "^2" the square."""

    function: str
    argument: Any


class Product(NamedTuple):
    """Factors multiplied: numbers, Symbols, Calls."""

    factors: tuple[Any, ...]


class Sum(NamedTuple):
    """Terms added, each with its sign: Products and Dots."""

    terms: tuple[tuple[int, Any], ...]


class Equation(NamedTuple):
    """name = sum, and as it was written."""

    name: str
    sum: Sum
    text: str


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "": lambda a: a,
    "^2": lambda a: a * a,
    **{name: function for name, (function, _) in ACTIVATIONS.items()},
    "exp": np.exp,
    "positive": ACTIVATIONS["relu"][1],
    "slope_fifth": ACTIVATIONS["hard_sigmoid"][1],
    "slope_sixth": ACTIVATIONS["hard_sigmoid_sixth"][1],
}
"""positive is 1 above 0, slope_fifth 1/5 and slope_sixth 1/6 between 0 and 1; elsewhere they are 0."""


@cache
def parse(text: str) -> Equation:
    """An equation's text taken apart, by Python's own parser. Raises ValueError where it is not in the grammar."""
    try:
        (statement,) = ast.parse(text.replace("^2", "**2")).body
    except (SyntaxError, ValueError):
        raise ValueError(f"equation {text!r} is not understood") from None
    match statement:
        case ast.Assign(targets=[ast.Name(name)], value=value):
            return Equation(name, sum_of(value), text)
    raise ValueError(f"equation {text!r} needs the form NAME = sum")


def sum_of(node: ast.expr) -> Sum:
    """Terms, each with its sign."""
    match node:
        case ast.BinOp(left, ast.Add(), right):
            return Sum((*sum_of(left).terms, (1, term_of(right))))
        case ast.BinOp(left, ast.Sub(), right):
            return Sum((*sum_of(left).terms, (-1, term_of(right))))
    return Sum(((1, term_of(node)),))


def term_of(node: ast.expr) -> Product | Dot:
    """A product, or a dot product."""
    match node:
        case ast.BinOp(vector, ast.MatMult(), ast.Name(weight)):
            return Dot(symbol_of(vector), weight, False)
        case ast.BinOp(vector, ast.MatMult(), ast.Attribute(ast.Name(weight), "T")):
            return Dot(symbol_of(vector), weight, True)
    return Product(factors_of(node))


def factors_of(node: ast.expr) -> tuple[Any, ...]:
    """Numbers, Symbols, Calls."""
    match node:
        case ast.BinOp(left, ast.Mult(), right):
            return (*factors_of(left), factor_of(right))
    return (factor_of(node),)


def factor_of(node: ast.expr) -> Any:
    """A number, a Symbol, a Call."""
    match node:
        case ast.Constant(int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.Name() | ast.Attribute():
            return symbol_of(node)
        case ast.Call(ast.Name(function), [argument], []) if function in FUNCTIONS:
            return Call(function, sum_of(argument))
        case ast.BinOp(base, ast.Pow(), ast.Constant(2)):
            return Call("^2", Sum(((1, Product((factor_of(base),))),)))
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult()):  # it stood in brackets
            return Call("", sum_of(node))
    raise ValueError(f"an equation has {ast.unparse(node)!r} where it needs a number, a name or a bracket")


def symbol_of(node: ast.expr) -> Symbol:
    """A name, of the step read next where it begins with next."""
    match node:
        case ast.Name(name):
            return Symbol(name)
        case ast.Attribute(ast.Name("next"), name):
            return Symbol(name, next=True)
    raise ValueError(f"an equation has {ast.unparse(node)!r} where it needs a name")


def evaluate(node: Any, value: Callable[[Symbol], Any], dot: Callable[[Dot], Any]) -> Any:
    """What a node of the grammar comes to, given what its symbols and dot products are: numbers or arrays."""
    if isinstance(node, Sum):
        total: Any = 0
        for sign, term in node.terms:
            total = total + sign * evaluate(term, value, dot)
        return total
    if isinstance(node, Product):
        result: Any = 1
        for factor in node.factors:
            result = result * evaluate(factor, value, dot)
        return result
    if isinstance(node, Dot):
        return dot(node)
    if isinstance(node, Call):
        return FUNCTIONS[node.function](np.asarray(evaluate(node.argument, value, dot)))
    return value(node) if isinstance(node, Symbol) else node
