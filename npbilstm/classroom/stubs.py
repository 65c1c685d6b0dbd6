"""Stubs: functions of the textbook without their bodies, and what stands around them for a file to run at once.

All of it is cut from the textbook's own source, by the positions of its syntax tree. So a signature, an equation or a
shape in an exercise is the textbook's, and stays so.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from npbilstm import textbook
from npbilstm.mistakes.planting import textbook_functions

TEXTBOOK = "npbilstm.textbook"


class Surroundings(NamedTuple):
    """What functions need around them. imports: module -> the names that they import of it. definitions: the sources of
    types, params and caches, and of constants. tools: the textbook's functions that the right bodies call."""

    imports: dict[str, set[str]]
    definitions: dict[str, str]
    tools: list[str]


@cache
def source_of_module(module: str) -> str:
    """A module's source."""
    return inspect.getsource(sys.modules[module])


@cache
def bindings_of(module: str) -> dict[str, ast.stmt]:
    """The statement at a module's top that makes each of its names."""
    found: dict[str, ast.stmt] = {}
    for statement in ast.parse(source_of_module(module)).body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            found |= {alias.asname or alias.name: statement for alias in statement.names}
        elif isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            found[statement.name] = statement
        elif isinstance(statement, ast.Assign):
            found |= {target.id: statement for target in statement.targets if isinstance(target, ast.Name)}
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            found[statement.target.id] = statement
    return found


def home_of(function: str) -> str:
    """The module of one of the textbook's functions."""
    return textbook_functions()[function].__module__


def tree_of(function: str) -> ast.FunctionDef:
    """The syntax tree of one of the textbook's functions, positions as in its module."""
    tree = bindings_of(home_of(function))[function]
    assert isinstance(tree, ast.FunctionDef)
    return tree


def text_of(module: str, first: int, last: int) -> str:
    """The lines of a module from `first` to `last`."""
    return "\n".join(source_of_module(module).split("\n")[first - 1 : last])


def solution(function: str) -> str:
    """One of the textbook's functions, whole."""
    tree = tree_of(function)
    return text_of(home_of(function), tree.lineno, tree.end_lineno or 0)


def signature(function: str) -> str:
    """One of the textbook's functions up to the end of its docstring."""
    tree = tree_of(function)
    return text_of(home_of(function), tree.lineno, tree.body[0].end_lineno or 0)


def body(function: str) -> str:
    """What comes after the docstring of one of the textbook's functions."""
    tree = tree_of(function)
    return text_of(home_of(function), (tree.body[0].end_lineno or 0) + 1, tree.end_lineno or 0)


def stub(function: str) -> str:
    """One of the textbook's functions, its signature and docstring as they are, its body not written yet."""
    return f'{signature(function)}\n    raise NotImplementedError("{function} is not written yet")'


def docstring(name: str) -> str:
    """The docstring of one of the textbook's functions, or of a module of it."""
    thing = sys.modules[name] if name in sys.modules else textbook_functions()[name]
    return inspect.cleandoc(thing.__doc__ or "")


def names_in(trees: Iterable[ast.AST]) -> Iterator[str]:
    """The names that are looked up in some syntax trees, each once."""
    nodes = (node for tree in trees for node in ast.walk(tree))
    looked_up = (node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    yield from dict.fromkeys(looked_up)


def looked_up_in(function: str) -> list[str]:
    """The names that a function's body looks up outside of it, arguments left out."""
    tree = tree_of(function)
    arguments = {each.arg for each in ast.walk(tree.args) if isinstance(each, ast.arg)}
    return [name for name in names_in(tree.body) if name not in arguments]


def private_in(function: str) -> list[str]:
    """The private functions of the textbook that a function's right body calls."""
    return [name for name in looked_up_in(function) if name in textbook_functions() and name not in textbook.__all__]


def helpers_of(functions: Iterable[str]) -> list[str]:
    """These functions and the private ones of the textbook that their right bodies call, directly or not."""
    found = list(functions)
    for function in found:
        found += [name for name in private_in(function) if name not in found]
    return found


def surroundings(functions: Iterable[str]) -> Surroundings:
    """What these functions need around their stubs, and around right bodies."""
    functions = list(functions)
    found = Surroundings({}, {}, [])
    for function in functions:
        tree = tree_of(function)
        for name in names_in([tree.args, *([tree.returns] if tree.returns else [])]):
            add_name(name, home_of(function), found)
    for function in helpers_of(functions):
        for name in looked_up_in(function):
            if name in functions or name in found.tools:
                continue
            if name in textbook_functions() and name in textbook.__all__:
                found.tools.append(name)
            elif isinstance(bindings_of(home_of(function)).get(name), (ast.ClassDef, ast.Assign)):
                add_name(name, home_of(function), found)
    return found


def add_name(name: str, module: str, into: Surroundings) -> None:
    """Add what makes a name that a module looks up: an import, or its source with all that this needs."""
    for part, home, source in makings_of(name, module, set(into.definitions)):
        if source:
            into.definitions[part] = source
        else:
            into.imports.setdefault(home, set()).add(part)


def makings_of(name: str, module: str, made: set[str]) -> Iterator[tuple[str, str, str]]:
    """What makes a name that a module looks up, behind all that it needs itself: names, their modules, and their
    sources, "" for what is imported from outside of the textbook. made: the names that there are, which grow."""
    if name in made or name == "np" or hasattr(builtins, name) or name not in bindings_of(module):
        return
    statement = bindings_of(module)[name]
    if isinstance(statement, ast.ImportFrom):
        home = str(statement.module)
        if home.startswith(TEXTBOOK):
            yield from makings_of(name, home, made)
        else:
            yield name, home, ""
        return
    made.add(name)
    for inner in names_in([statement]):
        yield from makings_of(inner, module, made)
    first = min([statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", ()))])
    yield name, module, text_of(module, first, statement.end_lineno or 0)
