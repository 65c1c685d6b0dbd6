"""The cells' equations as text that is both shown and computed, so that what is shown is what is so.

    a_i = x @ Wx_i + h_prev @ Wh_i + b_i
    dh_next = next.da_i @ Wh_i.T + next.da_f @ Wh_f.T + ...

They are those of textbook/, in its letters and order. Grammar:

    equation = NAME "=" sum
    sum      = ["-"] term {("+" | "-") term}
    term     = factor {"*" factor}  |  SYMBOL "@" SYMBOL [".T"]
    factor   = (NUMBER | SYMBOL | FUNCTION "(" sum ")" | "(" sum ")") ["^2"]

A symbol stands for one unit's number; beside @ for the whole vector. next.NAME is its value at the step that the
direction reads next. A weight's symbol is its parameter's name and, where that has blocks, the block's letter: Wx_i.
In x @ Wx_i the unit is a column of Wx's block i, in next.da_i @ Wh_i.T a row of Wh's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from npbilstm.layers import GRU, LSTM, RNN, Recurrent
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


class Equations(NamedTuple):
    """A cell's equations, forward and backward, in the order in which they are computed."""

    forward: tuple[str, ...]
    backward: tuple[str, ...]


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "": lambda a: a,
    "^2": lambda a: a * a,
    **{name: function for name, (function, _) in ACTIVATIONS.items()},
    "positive": ACTIVATIONS["relu"][1],
    "slope_fifth": ACTIVATIONS["hard_sigmoid"][1],
    "slope_sixth": ACTIVATIONS["hard_sigmoid_sixth"][1],
}
"""positive is 1 above 0, slope_fifth 1/5 and slope_sixth 1/6 between 0 and 1; elsewhere they are 0."""

SLOPES = {
    "tanh": "(1 - {y}^2)",
    "sigmoid": "{y} * (1 - {y})",
    "relu": "positive({y})",
    "hard_sigmoid": "slope_fifth({y})",
    "hard_sigmoid_sixth": "slope_sixth({y})",
}
"""Each activation's derivative, as factors of an equation, in terms of its output y."""

NAME = re.compile("[A-Za-z_]+")
TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|(?:next\.)?[A-Za-z_]+(?:\.T)?|[-+*@()=]|\^2)")


@cache
def parse(text: str) -> Equation:
    """An equation's text taken apart. Raises ValueError where it is not in the grammar."""
    tokens, end = [], 0
    while end < len(text.rstrip()):
        match = TOKEN.match(text, end)
        if match is None:
            raise ValueError(f"equation {text!r} is not understood from {text[end:]!r} on")
        tokens.append(match.group(1))
        end = match.end()
    if len(tokens) < 3 or tokens[1] != "=" or not NAME.fullmatch(tokens[0]):
        raise ValueError(f"equation {text!r} needs the form NAME = sum")
    name, _, *rest = tokens
    found = parse_sum(rest)
    if rest:
        raise ValueError(f"equation {text!r} is not understood from {rest[0]!r} on")
    return Equation(name, found, text)


def parse_sum(tokens: list[str]) -> Sum:
    """Take a sum from the front of tokens."""
    sign = 1
    if tokens[:1] == ["-"]:
        tokens.pop(0)
        sign = -1
    terms = [(sign, parse_term(tokens))]
    while tokens and tokens[0] in "+-":
        sign = 1 if tokens.pop(0) == "+" else -1
        terms.append((sign, parse_term(tokens)))
    return Sum(tuple(terms))


def parse_term(tokens: list[str]) -> Product | Dot:
    """Take a term."""
    factors = [parse_factor(tokens)]
    if tokens[:1] == ["@"]:
        tokens.pop(0)
        weight = tokens.pop(0) if tokens else ""
        plain = weight.removesuffix(".T")
        if not isinstance(factors[0], Symbol) or not NAME.fullmatch(plain):
            raise ValueError("an equation has @ that does not stand between two names")
        return Dot(factors[0], plain, weight != plain)
    while tokens[:1] == ["*"]:
        tokens.pop(0)
        factors.append(parse_factor(tokens))
    return Product(tuple(factors))


def parse_factor(tokens: list[str]) -> Any:
    """Take a factor."""
    if not tokens:
        raise ValueError("an equation ends where it needs a number, a name or a bracket")
    token = tokens.pop(0)
    factor: Any
    if token == "(" or tokens[:1] == ["("]:
        if token == "(":
            token = ""
        else:
            tokens.pop(0)
        factor = Call(token, parse_sum(tokens))
        if token not in FUNCTIONS or tokens[:1] != [")"]:
            raise ValueError(f"an equation has {token!r} with brackets that it cannot have")
        tokens.pop(0)
    elif token[0].isdigit():
        factor = float(token)
    elif NAME.fullmatch(token.removeprefix("next.")):
        factor = Symbol(token.removeprefix("next."), token.startswith("next."))
    else:
        raise ValueError(f"an equation has {token!r} where it needs a number, a name or a bracket")
    if tokens[:1] == ["^2"]:
        tokens.pop(0)
        factor = Call("^2", Sum(((1, Product((factor,))),)))
    return factor


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


def equations_of(layer: Recurrent) -> Equations:
    """The equations of one unit of this layer, as textbook/ has them."""
    if isinstance(layer, LSTM):
        return lstm_equations(layer)
    if isinstance(layer, GRU):
        return gru_equations(layer)
    if isinstance(layer, RNN):
        return rnn_equations(layer)
    raise TypeError(f"layer is {layer!r}; it needs an LSTM, GRU or RNN")


def slope(activation: str, y: str) -> str:
    """The factors that the derivative of an activation is, in terms of its output."""
    return SLOPES[activation].format(y=y)


def lstm_equations(layer: LSTM) -> Equations:
    """textbook/lstm.py, and with options textbook/lstm_variants.py and other_activations.py."""
    act, sigma = layer.activation, layer.recurrent_activation
    peepholes, coupled, projection = layer.peepholes, layer.coupled, layer.projection_size is not None
    gates = layer.gates
    forward = [f"a_{k} = x @ Wx_{k} + h_prev @ Wh_{k}" + (f" + b_{k}" if layer.bias else "") for k in gates]

    def gate(k: str, cell: str) -> str:
        return f"{k} = {sigma}(a_{k} + p_{k} * {cell})" if peepholes else f"{k} = {sigma}(a_{k})"

    forward += [gate("i", "c_prev"), "f = 1 - i" if coupled else gate("f", "c_prev"), f"g = {act}(a_g)"]
    # the output gate's peephole sees the new cell
    forward += ["c = f * c_prev + i * g", gate("o", "c")] if peepholes else [gate("o", "c"), "c = f * c_prev + i * g"]
    forward += [f"s = o * {act}(c)", "h = s @ Wp"] if projection else [f"h = o * {act}(c)"]

    ds = "ds" if projection else "dh"
    seen = [k for k in ("i", "f") if peepholes and k in gates]
    backward = [
        "dh_next = " + " + ".join(f"next.da_{k} @ Wh_{k}.T" for k in gates),
        "dh = dy + dh_next",
        *(["ds = dh @ Wp.T"] if projection else []),
        f"do = {ds} * {act}(c)",
        f"da_o = do * {slope(sigma, 'o')}",
        "dc_next = next.dc * next.f" + "".join(f" + next.da_{k} * p_{k}" for k in seen),
        f"dc = dc_next + {ds} * o * {slope(act, f'{act}(c)')}" + (" + da_o * p_o" if peepholes else ""),
        "df = dc * c_prev",
        "di = dc * g - df" if coupled else "di = dc * g",
        "dg = dc * i",
        f"da_i = di * {slope(sigma, 'i')}",
        *([] if coupled else [f"da_f = df * {slope(sigma, 'f')}"]),
        f"da_g = dg * {slope(act, 'g')}",
    ]
    return Equations(tuple(forward), tuple(backward))


def gru_equations(layer: GRU) -> Equations:
    """textbook/gru.py, reset after the product or before it, with the activations of other_activations.py."""
    act, sigma = layer.activation, layer.recurrent_activation

    def bias(name: str) -> str:
        return f" + {name}" if layer.bias else ""

    after = layer.reset_after
    forward = [f"a_{k} = x @ Wx_{k}{bias(f'b_{k}')}" for k in "rzn"]
    forward += [f"u_{k} = h_prev @ Wh_{k}" for k in "rz"]
    forward += [f"r = {sigma}(a_r + u_r)", f"z = {sigma}(a_z + u_z)"]
    if after:
        forward += [f"q = h_prev @ Wh_n{bias('b_hn')}", f"n = {act}(a_n + r * q)"]
    else:
        forward += ["s = r * h_prev", "u_n = s @ Wh_n", f"n = {act}(a_n + u_n)"]
    forward.append("h = (1 - z) * n + z * h_prev")
    through_product = "next.dq @ Wh_n.T" if after else "next.ds * next.r"
    backward = [
        f"dh_next = next.dh * next.z + next.da_r @ Wh_r.T + next.da_z @ Wh_z.T + {through_product}",
        "dh = dy + dh_next",
        "dz = dh * (h_prev - n)",
        "dn = dh * (1 - z)",
        f"da_n = dn * {slope(act, 'n')}",
        *(["dr = da_n * q", "dq = da_n * r"] if after else ["ds = da_n @ Wh_n.T", "dr = ds * h_prev"]),
        f"da_r = dr * {slope(sigma, 'r')}",
        f"da_z = dz * {slope(sigma, 'z')}",
    ]
    return Equations(tuple(forward), tuple(backward))


def rnn_equations(layer: RNN) -> Equations:
    """textbook/rnn.py, with the activations of other_activations.py."""
    return Equations(
        ("a = x @ Wx + h_prev @ Wh" + (" + b" if layer.bias else ""), f"h = {layer.nonlinearity}(a)"),
        ("dh_next = next.da @ Wh.T", "dh = dy + dh_next", f"da = dh * {slope(layer.nonlinearity, 'h')}"),
    )


def weight_block(layer: Recurrent, k: int, direction: str, symbol: str) -> np.ndarray:
    """What a weight's symbol stands for in layer k of the stack: Wx_i (D, H), b_i (H,), Wp (H, R) ..."""
    prefix = f"{k}.{direction}."
    if prefix + symbol in layer.params:
        return layer.params[prefix + symbol]
    name, _, letter = symbol.rpartition("_")
    gates, p = layer.blocks[prefix + name], layer.params[prefix + name]
    return np.split(p, len(gates), axis=-1)[gates.index(letter)]
