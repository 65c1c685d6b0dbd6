"""What a notebook's figure shows, in words, for whoever does not see it: what its code writes into the figure.

ax.set(title="The gates", xlabel="time step $t$")   ->   Figure in “What comes in”: The gates; time step t
"""

from __future__ import annotations

import ast
import re
from typing import Any

from docutils import nodes

WRITTEN = {"title", "xlabel", "ylabel", "label"}


def told(code: str, section: str) -> str:
    """The alternative text of a figure that a cell of code draws, below the section's title."""
    said = "; ".join(dict.fromkeys(words(ast.parse(re.sub(r"^[%!].*$", "", code, flags=re.MULTILINE)))))
    return f"Figure in “{section}”" + f": {said}" * bool(said)


def words(tree: ast.AST) -> list[str]:
    """The texts that a program writes into a figure: titles, labels, and others of more than one word."""
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str) and " " in tree.value.strip():
        if tree.value.count("\n") > 1:
            return []  # a program, or another text that the figure is about
        return [" ".join(re.sub(r"[$\\{}]", "", tree.value).split())]
    if isinstance(tree, (ast.JoinedStr, ast.Subscript, ast.Assert)) or is_print_or_text(tree):
        return []
    if isinstance(tree, ast.keyword) and isinstance(tree.value, ast.Constant):
        return [*words(tree.value)] or [str(tree.value.value)] if tree.arg in WRITTEN else []
    return [word for child in ast.iter_child_nodes(tree) for word in words(child)]


def is_print_or_text(tree: ast.AST) -> bool:
    """Whether it is a call of print, or a docstring."""
    if isinstance(tree, ast.Expr):
        return isinstance(tree.value, ast.Constant)
    return isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "print"


def tell(app: Any, page: nodes.document) -> None:
    """Give every figure of a notebook's cells its alternative text."""
    for cell in page.findall(lambda node: isinstance(node, nodes.container) and "cell" in node["classes"]):
        code = next(cell.findall(nodes.literal_block), None)
        at = cell.parent
        while not isinstance(at, nodes.section) and at.parent is not None:
            at = at.parent
        title = next(iter(at.findall(nodes.title)), None)
        for image in cell.findall(nodes.image):
            if not image.get("alt") and code is not None:
                image["alt"] = told(code.astext(), title.astext() if title is not None else "")


def setup(app: Any) -> None:
    """Let Sphinx call it for every page."""
    app.connect("doctree-read", tell)
