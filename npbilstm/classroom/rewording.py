"""Rewording: the textbook's signatures, docstrings and equations, in other conventions: a variant's or a course's.

A docstring is a text of few forms: shapes in brackets, products of matrices, arrays with indices, gates in their order,
names. Each form has its rule. Where what is a row in the textbook is a column, and a weight is turned, a product of two
changes its factors' places, whichever of them is transposed: x Wx is Wx x, da Wx^T is Wx^T da, x^T da is da x^T.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from npbilstm.classroom.lines import laid_out
from npbilstm.classroom.stubs import signature, tree_of
from npbilstm.submission.conventions import TEXTBOOKS, Conventions
from npbilstm.submission.layouts import GRU_GATES, LSTM_GATES, Layout, submitted_axes

LINE = 120
AXIS = r"(?:\d?[NTDHRVLKSEAU]|\d|\.{1,3})"
SHAPE = re.compile(rf"\(({AXIS}(?:, {AXIS})*),?\)")
WEIGHT = r"(?:W[xhqk](?:_\w)?|W)(?:\^T)?(?![\w(\[])"
DATA = r"(?:(?:x|h_prev|h_in|s|da(?:_\w)?|du|dscores|query|keys)(?![\w(])(?:\[[^\[\]]*\])?|\([^()]*\))"
PRODUCT = re.compile(rf"(?<![\w]){DATA} {WEIGHT}|(?<![\w]){DATA}\^T {DATA}")
INDEXED = {"ids": "NT", "targets": "NT", "valid": "NT", "mask": "ND"}
INDEXED |= dict.fromkeys(("x", "h", "y", "h_fwd", "h_rev", "p", "logits", "scores", "dropped", ")"), "NTD")
INDEXED |= {"marginals": "NTV", "pairs": "NTUV"}
"""The axes of what has indices in docstrings; ")" ends flip(x)."""
OVER_SOURCE = {"query": "NH", "keys": "NSE", "source": "NSE", "context": "NE", "scores": "NS", "alpha": "NS"}
OVER_SOURCE |= {"z": "NSA", "a": "NSA"}
"""The axes of what a decoder and the steps s of its source have, where [n, s] is written."""
OF_A_ROW = {"scores": "TV", "log_alpha": "TV", "log_beta": "TV", "marginals": "TV", "best": "TV", "came_from": "TV"}
OF_A_ROW |= {"pairs": "TUV"}
"""The axes of what has indices of one row alone, the first of which is a step: log_alpha[t, v] of each row n."""
A_STEP = re.compile(r"(?:t|0|last)\b")
VECTORS = ("start", "end", "v", "labels")
"""What is a vector in every layout."""
ANY_AXES = (" x may have any number of axes before the last.", " ids may have any shape.")
"""What is said of an array whose features are its last axis."""
GATES = {
    LSTM_GATES: ("input gate", "forget gate", "candidate", "output gate"),
    GRU_GATES: ("reset gate", "update gate", "new state's candidate"),
}
WRITES = (
    ("h = (1 - z) * n + z * h_prev", "h = z * n + (1 - z) * h_prev"),
    ("h    = (1 - z) * n + z * h_prev", "h    = z * n + (1 - z) * h_prev"),
    ("how much of the old state to keep", "how much of the old state to replace"),
    ("dz      = dh * (h_prev - n)", "dz      = dh * (n - h_prev)"),
    ("dn      = dh * (1 - z)", "dn      = dh * z"),
    ("dh_prev = dh * z + ", "dh_prev = dh * (1 - z) + "),
    ("kept by z,", "kept by 1 - z,"),
)
"""A GRU's equations where its z keeps, and where it writes."""
LOOP = re.compile(r"(recurrent_forward\(\w+,)(\s+)x,(\s+)(\([^)]*\)), params\)")
LETTERS = re.compile(r"\[[a-z.](?: [a-z.])+\]|\b[ab0](?: [ab0]){2,}\b|\btheir \w+")
"""Letters that stand for anything, in a row, and what a paper's authors call something."""


def reworded(text: str, conventions: Conventions) -> str:
    """A text of the textbook's in these conventions."""
    if conventions == TEXTBOOKS:
        return text
    text = without_examples(text).replace("(..., V)", "(N, T, V)").replace("(...)", "(N, T)")
    for sentence in ANY_AXES:
        text = text.replace(sentence, "")
    text = PRODUCT.sub(lambda found: turned(found[0], conventions.layout), text)
    text = SHAPE.sub(lambda found: shape(found, conventions), text)
    text = gates_in_order(with_indices(text, conventions), conventions)
    for keeps, writes in WRITES if conventions.layout.update == "writes" else ():
        text = text.replace(keeps, writes)
    if conventions.last_first:
        text = text.replace("(x_t, *state, params", "(params, x_t, *state")
        text = LOOP.sub(r"\1\2params, x,\3\4)", text)
    kept = LETTERS.findall(text)
    parts = map(conventions.renamed, LETTERS.split(text))
    return laid_out("".join(part + letters for part, letters in zip(parts, [*kept, ""])))


def without_examples(text: str) -> str:
    """A docstring without its examples, whose arrays are in the textbook's layout."""
    return re.sub(r"\n\n *>>> .*?(?=\n\n|\Z|\n? *\"\"\")", "", text, flags=re.DOTALL)


def has_columns(layout: Layout) -> bool:
    """Whether vectors are columns: features stand before rows, or there are no rows and weights multiply from the
    left."""
    return layout.x.index("D") < layout.x.index("N") if layout.has_batch else has_turned_weights(layout)


def has_turned_weights(layout: Layout) -> bool:
    """Whether weights have outputs first."""
    return layout.weights.endswith("D")


def turned(product: str, layout: Layout) -> str:
    """A product of two as it is in a layout: each of the two is transposed where it lies otherwise, and
    the product where what it is for does: the gradient of a weight, or a vector."""
    depth, cut = 0, 0
    for place, letter in enumerate(product):
        depth += (letter in "([") - (letter in ")]")
        cut = place if letter == " " and depth == 0 else cut
    columns, weights = has_columns(layout), has_turned_weights(layout)
    factors = []
    for factor in (product[:cut], product[cut + 1 :]):
        base = factor.removesuffix("^T")
        lies_otherwise = weights if re.fullmatch(WEIGHT, base) else columns
        factors.append((base, (base != factor) != lies_otherwise))
    of_weights = product[:cut].endswith("^T")
    if weights if of_weights else columns:
        factors = [(base, not transposed) for base, transposed in reversed(factors)]
    return " ".join(base + "^T" * transposed for base, transposed in factors)


def shape(found: re.Match[str], conventions: Conventions) -> str:
    """A shape in brackets in the layout."""
    axes = found[1].split(", ")
    word = re.search(r"\w+(?=\s*$)", found.string[: found.start()])
    if "T" in axes and "N" not in axes:  # of one row, in what is nobody's but the textbook's
        return found[0]
    if "N" in axes:
        if len(axes) == 1:
            return found[0]
        first = [axis for axis in axes if axis in ("2", "L")]
        rest = submitted_axes([axis for axis in axes if axis not in first], conventions.layout)
        return f"({', '.join(first + rest)})"
    if found[0].endswith(",)") and word and word[0] in VECTORS:
        return found[0]
    if found[0].endswith(",)") and conventions.layout.b.endswith("1"):
        return f"({axes[0]}, 1)"
    if len(axes) == 2 and axes != ["V", "D"] and has_turned_weights(conventions.layout):
        return f"({axes[1]}, {axes[0]})"  # but a table has a row for each symbol everywhere
    return found[0]


def with_indices(text: str, conventions: Conventions) -> str:
    """Arrays with indices, x[n, t], the indices in the order of the layout; also within one another."""
    known = INDEXED | OVER_SOURCE if "[n, s]" in text else INDEXED
    return indices_in_layout(text, known, conventions)


def indices_in_layout(text: str, known: Mapping[str, str], conventions: Conventions) -> str:
    """The same. known: the axes of arrays."""
    out, place = "", 0
    for found in re.finditer(r"(\w+|\))\[", text):
        if found.start() < place:
            continue
        end, depth = found.end(), 1
        while depth and end < len(text):
            depth += (text[end] == "[") - (text[end] == "]")
            end += 1
        inside = indices_in_layout(text[found.end() : end - 1], known, conventions)
        name = found[1] if found[1] in known else found[1].removeprefix("d")
        of_a_row = A_STEP.match(inside) and not re.search(r"\bn\b", inside)
        axes = OF_A_ROW.get(found[1], "") if of_a_row else known.get(name, "")
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
    if conventions == TEXTBOOKS:
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
