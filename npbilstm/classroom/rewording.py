"""Rewording: the textbook's signatures, docstrings and equations, in the conventions of a variant.

A docstring is a text of few forms: shapes in brackets, products of matrices, arrays with indices, gates in their order,
names. Each form has its rule. What is a column here is a row in the textbook, and a weight is turned, so a product of
two changes its factors' places, whichever of them is transposed: x Wx is Wx x, da Wx^T is Wx^T da, x^T da is da x^T.
"""

from __future__ import annotations

import ast
import re

from npbilstm.classroom.lines import laid_out
from npbilstm.classroom.stubs import signature, tree_of
from npbilstm.submission.conventions import Conventions
from npbilstm.submission.layouts import GRU_GATES, LSTM_GATES, submitted_axes

LINE = 120
AXIS = r"(?:\d?[NTDHRVLK]|\d|\.{1,3})"
SHAPE = re.compile(rf"\(({AXIS}(?:, {AXIS})*),?\)")
WEIGHT = r"(?:W[xh](?:_\w)?|W)(?:\^T)?(?![\w(\[])"
DATA = r"(?:(?:x|h_prev|h_in|s|da(?:_\w)?|du|dscores)(?![\w(])(?:\[[^\[\]]*\])?|\([^()]*\))"
PRODUCT = re.compile(rf"(?<![\w]){DATA} {WEIGHT}|(?<![\w]){DATA}\^T {DATA}")
INDEXED = {"ids": "NT", "targets": "NT", "valid": "NT", "mask": "ND"}
INDEXED |= dict.fromkeys(("x", "h", "y", "h_fwd", "h_rev", "p", "logits", "scores", "dropped", ")"), "NTD")
"""The axes of what has indices in docstrings; ")" ends flip(x)."""
ANY_AXES = (" x may have any number of axes before the last.", " ids may have any shape.")
"""What is said of an array whose features are its last axis."""
GATES = {
    LSTM_GATES: ("input gate", "forget gate", "candidate", "output gate"),
    GRU_GATES: ("reset gate", "update gate", "new state's candidate"),
}
LOOP = re.compile(r"(recurrent_forward\(\w+,)(\s+)x,(\s+)(\([^)]*\)), params\)")
LETTERS = re.compile(r"\[[a-z.](?: [a-z.])+\]")
"""Letters that stand for anything, in a row."""


def reworded(text: str, conventions: Conventions) -> str:
    """A text of the textbook's in these conventions."""
    if not conventions.names:
        return text
    text = without_examples(text).replace("(..., V)", "(N, T, V)").replace("(...)", "(N, T)")
    for sentence in ANY_AXES:
        text = text.replace(sentence, "")
    text = PRODUCT.sub(lambda found: turned(found[0]), text)
    text = SHAPE.sub(lambda found: shape(found, conventions), text)
    text = gates_in_order(with_indices(text, conventions), conventions)
    text = text.replace("(x_t, *state, params", "(params, x_t, *state")
    text = LOOP.sub(r"\1\2params, x,\3\4)", text)
    kept = LETTERS.findall(text)
    parts = map(conventions.renamed, LETTERS.split(text))
    return laid_out("".join(part + letters for part, letters in zip(parts, [*kept, ""])))


def without_examples(text: str) -> str:
    """A docstring without its examples, whose arrays are in the textbook's layout."""
    return re.sub(r"\n\n *>>> .*?(?=\n\n|\Z|\n? *\"\"\")", "", text, flags=re.DOTALL)


def turned(product: str) -> str:
    """A product of two with its factors in each other's place."""
    depth = 0
    for place, letter in enumerate(product):
        depth += (letter in "([") - (letter in ")]")
        if letter == " " and depth == 0:
            return f"{product[place + 1 :]} {product[:place]}"
    return product


def shape(found: re.Match[str], conventions: Conventions) -> str:
    """A shape in brackets in the layout."""
    axes = found[1].split(", ")
    if "N" in axes:
        if len(axes) == 1:
            return found[0]
        first = [axis for axis in axes if axis in ("2", "L")]
        rest = submitted_axes([axis for axis in axes if axis not in first], conventions.layout)
        return f"({', '.join(first + rest)})"
    if found[0].endswith(",)"):
        return f"({axes[0]}, 1)"
    if len(axes) == 2 and axes != ["V", "D"]:  # a table has a row for each symbol everywhere
        return f"({axes[1]}, {axes[0]})"
    return found[0]


def with_indices(text: str, conventions: Conventions) -> str:
    """Arrays with indices, x[n, t], the indices in the order of the layout; also within one another."""
    out, place = "", 0
    for found in re.finditer(r"(\w+|\))\[", text):
        if found.start() < place:
            continue
        end, depth = found.end(), 1
        while depth and end < len(text):
            depth += (text[end] == "[") - (text[end] == "]")
            end += 1
        inside = with_indices(text[found.end() : end - 1], conventions)
        axes = INDEXED.get(found[1]) or INDEXED.get(found[1].removeprefix("d"), "")
        out += text[place : found.end()] + in_layout(inside, axes, conventions) + "]"
        place = end
    return out + text[place:]


def in_layout(inside: str, axes: str, conventions: Conventions) -> str:
    """Indices of an array that has these axes in the textbook, in the layout's order."""
    items = re.split(r", (?![^\[]*\])", inside)
    if len(items) > len(axes) or len(axes) < 2:
        return inside
    items += [":"] * (len(axes) - len(items))
    order = submitted_axes(list(axes), conventions.layout)
    return ", ".join(items[axes.index(axis)] for axis in order)


def gates_in_order(text: str, conventions: Conventions) -> str:
    """Gates, and blocks side by side, in the order of the layout."""
    for gates, own in ((LSTM_GATES, conventions.layout.gates), (GRU_GATES, conventions.layout.gru_gates)):
        places = [gates.index(gate) for gate in own]
        text = re.sub(rf"\b{', '.join(gates)}\b", ", ".join(own), text)
        text = text.replace(", ".join(GATES[gates]), ", ".join(GATES[gates][place] for place in places))

        def blocks(found: re.Match[str], gates: str = gates, places: list[int] = places) -> str:
            items = found[1].split(", ")
            if len(items) != len(gates) or f"_{gates[0]}" not in items[0]:
                return found[0]
            return f"[{', '.join(items[place] for place in places)}]"

        text = re.sub(r"\[([^\[\]]*)\]", blocks, text)
    return text


def signature_in(function: str, conventions: Conventions) -> str:
    """One of the textbook's functions up to the end of its docstring, in these conventions."""
    if not conventions.names:
        return signature(function)
    tree = tree_of(function)
    arguments = {argument.arg: argument for argument in tree.args.args}
    defaults = dict(zip(reversed(arguments), reversed(tree.args.defaults)))
    parts = []
    for name in conventions.arguments(function):
        annotation = arguments[name].annotation
        part = f"{conventions.renamed(name)}: {ast.unparse(annotation) if annotation else 'Any'}"
        parts.append(f"{part} = {ast.unparse(defaults[name])}" if name in defaults else part)
    returns = f" -> {ast.unparse(tree.returns)}" if tree.returns else ""
    head = f"def {function}({', '.join(parts)}){returns}:"
    if len(head) > LINE:
        head = f"def {function}(\n    {', '.join(parts)}\n){returns}:"
    if max(map(len, head.split("\n"))) > LINE:
        head = f"def {function}(\n" + "".join(f"    {part},\n" for part in parts) + f"){returns}:"
    first = tree.body[0]
    assert isinstance(first, ast.Expr)
    assert isinstance(first.value, ast.Constant)
    said = reworded(str(first.value.value), conventions).rstrip()
    end = "\n    " if "\n" in said else ""
    return f'{head}\n    """{said}{end}"""'


def stub_in(function: str, conventions: Conventions) -> str:
    """One of the textbook's functions in these conventions, its body not written yet."""
    return f'{signature_in(function, conventions)}\n    raise NotImplementedError("{function} is not written yet")'
