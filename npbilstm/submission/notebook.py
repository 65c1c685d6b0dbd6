"""A notebook as a source: what its code cells define, without what they run, train, plot and print.

Functions and classes are taken, each the last time that it is defined, and of imports and assignments what these use:
np = numpy, and the weights that are globals. An assignment that calls what is no module's is not, since it may train
for an hour. Whatever fails of them is left out.
"""

from __future__ import annotations

import ast
import builtins
import json
import re
import tokenize
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

SUFFIX = ".ipynb"
MAGIC = re.compile(r"^\s*([%!?].*|[\w.]+\?{1,2})$")
"""Lines that are for the notebook itself."""
Definition = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Notebook(NamedTuple):
    """What a notebook defines. broken: the cells that are no Python, by their number among the code cells, and why."""

    source: str
    broken: dict[int, str]


class Statement(NamedTuple):
    """A statement at the top of a cell: its tree, and its lines."""

    tree: ast.stmt
    lines: list[str]


def submitted_source(path: str | Path, text: str) -> str:
    """The source in the text of a submitted file, a notebook or Python. Raises ValueError where it is no notebook."""
    return read_notebook(text).source if str(path).endswith(SUFFIX) else text


def read_source(path: str | Path) -> str:
    """The source in a submitted file. Raises OSError, SyntaxError or ValueError where there is none."""
    is_notebook = str(path).endswith(SUFFIX)
    with open(path, encoding="utf-8") if is_notebook else tokenize.open(path) as stream:
        return submitted_source(path, stream.read())


@lru_cache(maxsize=256)  # many of a class hand in what they were given
def read_notebook(text: str) -> Notebook:
    """What a notebook defines. Raises ValueError, a sentence, where it is none."""
    statements, broken, headers = [], {}, []
    for number, cell in enumerate(code_cells(text), 1):
        headers += re.findall(r"^#[ \t]*(?:npbilstm|exercise):.*$", cell, re.MULTILINE)
        plain = "\n".join("" if MAGIC.match(line) else line for line in cell.split("\n"))
        try:
            trees = ast.parse(plain).body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            broken[number] = f"{type(error).__name__}: {error}"
            continue
        lines = plain.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        statements += [Statement(tree, lines[tree.lineno - 1 : tree.end_lineno]) for tree in trees]
    futures = [
        each for each in statements if isinstance(each.tree, ast.ImportFrom) and each.tree.module == "__future__"
    ]
    headers += dict.fromkeys(ast.unparse(each.tree) for each in futures)  # in force in all cells after it
    kept = [text_of(statement) for statement in needed([each for each in statements if each not in futures])]
    return Notebook("\n\n".join([*headers, *kept]) + "\n", broken)


def code_cells(text: str) -> Iterator[str]:
    """The sources of the code cells, but for those in another language."""
    try:
        cells = json.loads(text)["cells"]
        for cell in cells:
            if cell["cell_type"] == "code":
                source = cell["source"]
                source = source if isinstance(source, str) else "".join(source)
                if not re.match(r"\s*%%(?!time|capture|prun)", source):
                    yield source
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"it is no notebook as Jupyter writes them ({type(error).__name__}: {error})") from None


def needed(statements: list[Statement]) -> list[Statement]:
    """The definitions, and of imports and assignments those that they use, in order."""
    defined = [statement for statement in statements if isinstance(statement.tree, Definition)]
    last = {name_of(statement): statement for statement in defined}
    kept = {id(each) for each in defined if each is last[name_of(each)] or is_built_on(last[name_of(each)])}
    modules = {name for each in statements if is_import(each.tree) for name in names_set(each.tree)}
    names = {name for each in defined if id(each) in kept for name in names_used(each.tree)}
    before = -1
    while len(names) > before:
        before = len(names)
        for each in statements:
            if is_import(each.tree) or is_plain(each.tree, modules):
                set_here = names_set(each.tree)
                if set_here & names or "*" in set_here:
                    kept.add(id(each))
                    names |= names_used(each.tree)
    return [each for each in statements if id(each) in kept]


def name_of(statement: Statement) -> str:
    """The name that a definition defines."""
    return str(statement.tree.name)  # type: ignore[attr-defined]


def is_built_on(statement: Statement) -> bool:
    """Whether a class is built on an earlier one of its name: class RNN(RNN)."""
    tree = statement.tree
    return isinstance(tree, ast.ClassDef) and any(tree.name in names_used(base) for base in tree.bases)


def is_import(tree: ast.stmt) -> bool:
    """Whether a statement is an import."""
    return isinstance(tree, (ast.Import, ast.ImportFrom))


def is_plain(tree: ast.stmt, modules: set[str]) -> bool:
    """Whether a statement is an assignment that calls nothing but Python's own and what a module holds."""
    if not isinstance(tree, (ast.Assign, ast.AnnAssign)):
        return False
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    own = modules | (set(dir(builtins)) - {"open", "input", "exec", "eval"})
    return isinstance(tree.value, ast.Lambda) or all(root_of(function) in own for function in calls)


def root_of(node: ast.expr) -> str:
    """The name at the root of np.random.randn, "" where there is none."""
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def names_set(tree: ast.stmt) -> set[str]:
    """The names that an import or an assignment sets."""
    if isinstance(tree, (ast.Import, ast.ImportFrom)):
        return {(alias.asname or alias.name).partition(".")[0] for alias in tree.names}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def names_used(tree: ast.AST) -> set[str]:
    """The names that a statement looks up."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def text_of(statement: Statement) -> str:
    """The text of a statement; what may fail in it does not end the rest."""
    tree, lines = statement
    if isinstance(tree, Definition):
        decorators = "".join(f"@{ast.unparse(each)}\n" for each in tree.decorator_list)
        return decorators + "\n".join(lines)
    return f"try:\n    {ast.unparse(tree)}\nexcept Exception:\n    pass"
