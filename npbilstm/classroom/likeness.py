"""Which submissions are alike: by the structure of their statements, whatever the names in them.

A statement's structure is its syntax tree with names numbered in the order in which they appear; comments, docstrings,
type hints and layout are gone, `a += b` is `a = a + b`, and np.dot is @. Its fingerprint is its structure together with
that of the statement before it, under one numbering, so that it tells what is computed from what.

What everybody has is no sign of anything: statements as in the textbook or in its docstrings' equations, in the
conventions of any variant, and fingerprints that many of a class have. What is left of two submissions is compared
exercise by exercise. It is a reason to look, and no verdict: who disguises enough is not found, two may think alike.
"""

from __future__ import annotations

import ast
import builtins
import copy
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple

from npbilstm.classroom.stubs import docstring, home_of, source_of_module
from npbilstm.mistakes.planting import textbook_functions

SHARE = 0.6
"""Which share of the smaller one's statements is in both, where two exercises are alike."""
FEWEST = 12
"""How many statements two submissions have in common that are named: more than an answer of three lines has."""
SMALLEST = 6
"""How many nodes a statement has that tells anything: `H = 4` has fewer."""
MANY, TENTH = 5, 10
"""More than five of a class have what is common, and of a large class more than a tenth."""
LARGEST = 2000
"""How many statements of a function are looked at."""
INNER = ("body", "orelse", "finalbody", "handlers", "cases")
"""Where a statement has other statements inside."""

Fingerprints = dict[str, list[str]]
"""Of one exercise: functions -> the fingerprints of their statements."""


class Alike(NamedTuple):
    """Two submissions that are alike. exercises: name -> which share of the smaller one's telling statements is in
    both, and the functions that these stand in. statements: how many these are in all."""

    names: tuple[str, str]
    exercises: dict[str, tuple[float, tuple[str, ...]]]
    statements: int


class Plain(ast.NodeTransformer):
    """Takes out what can be changed and changes nothing; names that are not known get marks."""

    def visit_Name(self, node: ast.Name) -> ast.AST:
        name = "np" if node.id == "numpy" else node.id
        return ast.Name(name if name in known_names() else f"@{name}@", ast.Load())

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(f"@{node.arg}@")

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("" if isinstance(node.value, str) else node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        target = self.visit(node.target)
        return ast.Assign([target], ast.BinOp(target, node.op, self.visit(node.value)))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        target = self.visit(node.target)
        return ast.Assign([target], self.visit(node.value)) if node.value else ast.Pass()

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("dot", "matmul") and not node.keywords:
            of_numpy = isinstance(node.func.value, ast.Name) and node.func.value.id == "np"
            factors = node.args if of_numpy else [node.func.value, *node.args]
            if len(factors) == 2:
                return ast.BinOp(factors[0], ast.MatMult(), factors[1])
        return node


class Coarse(Plain):
    """Takes out as well what a variant of the exercises has otherwise: which axis is which, what is transposed, and on
    which side of a product a factor stands."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return node.value if node.attr == "T" else node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant(0 if isinstance(node.value, int | float) else "")

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        names: list[ast.expr] = [self.visit(each) for each in ast.walk(node.slice) if isinstance(each, ast.Name)]
        return ast.Subscript(self.visit(node.value), ast.Tuple(names))

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.MatMult):
            node.left, node.right = sorted(
                (node.left, node.right), key=lambda each: re.sub("@.*?@", "", ast.dump(each))
            )
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        made = super().visit_Call(node)
        if isinstance(made, ast.Call):
            made.keywords = [each for each in made.keywords if each.arg not in ("axis", "keepdims")]
        return made


@cache
def known_names() -> frozenset[str]:
    """The names that are the same for everybody: Python's, NumPy's and the textbook's."""
    return frozenset(dir(builtins)) | {"np"} | frozenset(textbook_functions())


def heads(body: Iterable[Any]) -> Iterator[ast.stmt]:
    """The statements of a body in their order, each without those inside it, which follow."""
    for each in body:
        inner = [part for field in INNER for part in getattr(each, field, ())]
        if not isinstance(each, ast.stmt):  # a handler of an error, a case of a match
            yield from heads(inner)
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.Return(ast.Lambda(each.args, ast.Constant(None)))
            yield from heads(inner)
        elif not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)):  # a docstring
            yield type(each)(**{field: [] if field in INNER else value for field, value in ast.iter_fields(each)})
            yield from heads(inner)


def structures(body: Iterable[ast.stmt]) -> list[tuple[str, str]]:
    """The structure of each statement of a body, its names marked and not numbered yet, and the same coarsely."""
    chosen = [head for _, head in zip(range(LARGEST), heads(body)) if not isinstance(head, ast.Pass)]

    def dumped(made: type[Plain]) -> list[str]:
        return [ast.dump(made().visit(copy.deepcopy(head)), annotate_fields=False) for head in chosen]

    return list(zip(dumped(Plain), dumped(Coarse)))


def numbered(text: str) -> str:
    """A structure with its names numbered in the order in which they appear."""
    numbers: dict[str, int] = {}
    return re.sub("@(.*?)@", lambda found: f"@{numbers.setdefault(found[1], len(numbers))}", text)


def functions_in(tree: ast.Module) -> Iterator[tuple[str, list[ast.stmt]]]:
    """The functions and methods of a file: names and bodies."""
    for each in tree.body:
        if isinstance(each, ast.FunctionDef):
            yield each.name, each.body
        elif isinstance(each, ast.ClassDef):
            yield from ((f"{each.name}.{m.name}", m.body) for m in each.body if isinstance(m, ast.FunctionDef))


@cache
def given() -> frozenset[str]:
    """The coarse structures of the statements that stand in the textbook, and of its docstrings' equations."""
    found: set[str] = set()
    for module in {home_of(name) for name in textbook_functions()}:
        for _, body in functions_in(ast.parse(source_of_module(module))):
            found.update(numbered(coarse) for _, coarse in structures(body))
    for name in textbook_functions():
        for line in docstring(name).splitlines():
            with suppress(SyntaxError, ValueError):  # behind three blanks stand words
                equations = structures(ast.parse(re.split(" {3,}", line.strip())[0]).body)
                found.update(numbered(coarse) for _, coarse in equations)
    return frozenset(found)


def fingerprints(source: str) -> Fingerprints:
    """The fingerprints of the telling statements of a source; none of what is no Python."""
    try:
        functions = {name: structures(body) for name, body in functions_in(ast.parse(source))}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found = {}
    for name, texts in functions.items():
        telling = [
            hashlib.blake2b(numbered(before + text).encode("utf-8", "replace"), digest_size=6).hexdigest()
            for (before, _), (text, coarse) in zip([("", ""), *texts], texts)
            if text.count("(") - text.count("Load()") >= SMALLEST and numbered(coarse) not in given()
        ]
        if telling:
            found[name] = telling
    return found


def alike(submissions: Mapping[str, Mapping[str, Fingerprints]]) -> list[Alike]:
    """The pairs of a class that are alike, the most alike first. submissions: names -> exercises -> fingerprints."""
    where = {
        name: {
            exercise: {each: function for function, listed in functions.items() for each in listed}
            for exercise, functions in exercises.items()
        }
        for name, exercises in submissions.items()
    }
    having: dict[str, set[str]] = defaultdict(set)
    for name, exercises in where.items():
        for fingerprint in {each for functions in exercises.values() for each in functions}:
            having[fingerprint].add(name)
    most = max(MANY, len(submissions) // TENTH)
    rare = {fingerprint: sorted(names) for fingerprint, names in having.items() if len(names) <= most}
    shared = Counter(pair for names in rare.values() for pair in combinations(names, 2))
    found: list[Alike] = []
    for (one, other), count in shared.items():
        if count >= FEWEST:
            found += compared(one, other, where[one], where[other], rare)
    return sorted(found, key=lambda pair: (-pair.statements, pair.names))


def compared(
    one: str, other: str, first: Mapping[str, Any], second: Mapping[str, Any], rare: Mapping[str, Any]
) -> Iterator[Alike]:
    """Two submissions, where they are alike."""
    exercises, statements = {}, set()
    for exercise in first.keys() & second.keys():
        own, others = (set(functions[exercise]) & rare.keys() for functions in (first, second))
        both = own & others
        if both and len(both) >= SHARE * min(len(own), len(others)):
            functions = tuple(dict.fromkeys(f for each, f in first[exercise].items() if each in both))
            exercises[exercise] = len(both) / min(len(own), len(others)), functions
            statements |= both
    if len(statements) >= FEWEST:
        yield Alike((one, other), exercises, len(statements))
