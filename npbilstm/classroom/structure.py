"""The structure of statements: their syntax trees as texts, without what can be changed and changes nothing.

Comments, docstrings, type hints and layout are gone; `a += b` is `a = a + b`, np.dot is @; names that are not the same
for everybody have marks round them, and are numbered in the order in which they appear (`numbered`).

A coarse structure also lacks what a variant of the exercises has otherwise: which axis is which, what is transposed,
and on which side of a product a factor stands.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from npbilstm.mistakes.planting import textbook_functions

INNER = ("body", "orelse", "finalbody", "handlers", "cases")
"""Where a statement has other statements inside."""
LEFT_OUT = {"ctx", "annotation", "returns", "decorator_list", "type_comment", "kind", "simple"}
AXES = ("axis", "keepdims")


@cache
def known_names() -> frozenset[str]:
    """The names that are the same for everybody: Python's, NumPy's and the textbook's."""
    return frozenset(dir(builtins)) | {"np"} | frozenset(textbook_functions())


def statements_in(body: Iterable[Any]) -> Iterator[ast.stmt]:
    """The statements of a body, each followed by those inside it; no docstrings, and not what does nothing."""
    for each in body:
        idle = isinstance(each, ast.Pass) or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
        if isinstance(each, ast.stmt) and not idle:
            yield each
        yield from statements_in(part for field in INNER for part in getattr(each, field, ()))


def structure(node: Any, coarse: bool = False) -> str:
    """The structure of a statement without those inside it, or of a part of it; its names are not numbered yet."""

    def of(part: Any) -> str:
        return structure(part, coarse)

    if isinstance(node, ast.Name):
        name = "np" if node.id == "numpy" else node.id
        return name if name in known_names() else f"@{name}@"
    if isinstance(node, ast.arg):
        return f"@{node.arg}@"
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str | bytes):
            return "text"
        return "number" if coarse and isinstance(node.value, int | float) else repr(node.value)
    if isinstance(node, ast.AugAssign):
        return f"Assign([{of(node.target)}] BinOp({of(node.target)} {of(node.op)} {of(node.value)}))"
    if isinstance(node, ast.AnnAssign):
        return f"Assign([{of(node.target)}] {of(node.value)})"
    if isinstance(node, ast.Attribute) and node.attr == "T" and coarse:
        return of(node.value)
    if isinstance(node, ast.Subscript) and coarse:
        names = (of(part) for part in ast.walk(node.slice) if isinstance(part, ast.Name))
        return f"Subscript({of(node.value)} {' '.join(names)})"
    factors = factors_of(node)
    if factors:
        said = [of(factor) for factor in factors]
        return f"BinOp({' MatMult() '.join(sorted(said, key=without_names) if coarse else said)})"
    if isinstance(node, ast.AST):
        left_out = LEFT_OUT.union(INNER) if isinstance(node, ast.stmt) else LEFT_OUT
        parts = (part for field, part in ast.iter_fields(node) if field not in left_out)
        return f"{type(node).__name__}({' '.join(map(of, parts))})"
    if isinstance(node, list):
        kept = (part for part in node if not (coarse and isinstance(part, ast.keyword) and part.arg in AXES))
        return f"[{' '.join(map(of, kept))}]"
    return repr(node)


def factors_of(node: Any) -> list[ast.expr]:
    """The two factors of a matrix product, however it is written; none of what is no product."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return [node.left, node.right]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("dot", "matmul"):
        of_numpy = isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy")
        factors = node.args if of_numpy else [node.func.value, *node.args]
        return factors if len(factors) == 2 and not node.keywords else []
    return []


def without_names(text: str) -> str:
    """A structure without its names."""
    return re.sub("@.*?@", "", text)


def numbered(text: str) -> str:
    """A structure with its names numbered in the order in which they appear."""
    numbers: dict[str, str] = {}
    pieces = text.split("@")
    for k in range(1, len(pieces), 2):
        pieces[k] = numbers.setdefault(pieces[k], str(len(numbers)))
    return "@".join(pieces)
