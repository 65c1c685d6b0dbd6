"""Tracing: the textbook's backward passes, which tell what they compute, and add to it what they are told."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from npbilstm.diagnosis.cases import Case
from npbilstm.mistakes import BUGS, Bug, plant
from npbilstm.mistakes.planting import changed, source_of
from npbilstm.submission.function_spec import Arrays, FunctionSpec


class Quantity(NamedTuple):
    """A quantity that a function of the textbook computes on the way back, df in lstm_step_backward say; "" for the
    function where it is a gradient that goes out."""

    function: str
    name: str


def part_of(name: str) -> str:
    """An array's name without its direction."""
    return name.rpartition(".")[2]


class TracedFunctions:
    """The textbook's backward functions of a spec, which tell what they compute, and add to it what they are told.

    known: mistakes that they have. own: functions that stand in the place of the textbook's, and are not looked into.
    """

    def __init__(self, spec: FunctionSpec, known: Iterable[Bug] = (), own: Mapping[str, Any] | None = None) -> None:
        self.spec = spec
        self.added: tuple[Quantity, int, int] | None = None
        self.values: dict[Quantity, list[np.ndarray]] = {}
        known, own = tuple(known), dict(own or {})
        self.functions = plant(known)
        names = getattr(self.functions, spec.forward).__globals__
        for function, equations in equations_in().items():
            if function not in own:
                exec(traced_code(function, equations, tuple(bug for bug in known if bug.function == function)), names)
        names["seen_on_the_way"] = self.seen
        names.update(own)
        vars(self.functions).update({name: names[name] for name in vars(self.functions)})
        self.pair = spec.in_textbook_form(self.functions)

    def is_whole(self, name: Quantity) -> bool:
        """Whether a quantity holds all the gates."""
        return bool(self.spec.gates) and name.name in ("da", "du")

    def seen(self, function: str, name: str, value: Any) -> Any:
        """A quantity as it is, or with 1 added to one of its numbers; a list of arrays as one."""
        value = np.array(value) if isinstance(value, list) else value
        if not isinstance(value, np.ndarray):
            return value
        quantity = Quantity(function, "dh_t" if function == "recurrent_backward" else name)  # but for the output's part
        times = self.values.setdefault(quantity, [])
        if self.added is not None and self.added[:2] == (quantity, len(times)):
            value = value.copy()
            value.flat[self.added[2]] += 1.0
        times.append(value)
        return value

    def run(self, case: Case) -> Callable[[Arrays], Arrays]:
        """The backward pass of a case, given upstream gradients."""
        outputs, cache = self.pair.forward(case.inputs)
        zeros = {name: np.zeros_like(out) for name, out in outputs.items()}

        def backward(upstream: Arrays) -> Arrays:
            self.values = {}
            assert self.pair.backward is not None
            return self.pair.backward({**zeros, **upstream}, cache)

        return backward

    def quantities(self, values: Mapping[Quantity, Any]) -> list[Quantity]:
        """Those of these quantities that do not go out as they are, the first of those that say the same."""
        leaves = {f"d{part_of(name)}" for name in self.spec.floats} | {"dx_fwd", "dx_rev"}
        names = set(values)
        return [
            name
            for name in values
            if name.name not in leaves and Quantity(name.function, f"d{name.name.removeprefix('da_')}") not in names
        ]


def equations_in() -> dict[str, set[str]]:
    """The quantities that the docstrings of the textbook's backward functions have equations for, by function."""
    found = {"sequence_lstm_backward": {"dh", "dc", "da"}}  # of which the catalogue has no mistakes
    for bug in BUGS.values():
        if bug.function.endswith("backward"):
            names = (part.partition("^")[0] for part in bug.equation.split(", "))  # dh^{l-1} is dh, layer by layer
            found.setdefault(bug.function, set()).update(names)
    return found


def traced_code(function: str, equations: set[str], known: tuple[Bug, ...]) -> Any:
    """One of the textbook's functions, compiled so that it tells these quantities."""
    head, body = source_of(function)
    for bug in known:
        body = changed(body, bug)
    tree = Tracer(function, equations).visit(ast.parse(head + body))
    return compile(ast.fix_missing_locations(tree), f"<{function}, traced>", "exec")


class Tracer(ast.NodeTransformer):
    """Behind each assignment to a quantity, it is passed through `seen_on_the_way`; what a loop sets, there alone."""

    def __init__(self, function: str, equations: set[str]) -> None:
        self.function, self.equations = function, equations
        self.in_loop: set[str] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        loops = [each for each in ast.walk(node) if isinstance(each, ast.For)]
        self.in_loop = {name for loop in loops for each in ast.walk(loop) for name in names_set(each)}
        return self.generic_visit(node)

    def visit_For(self, node: ast.For) -> ast.AST:
        outside, self.in_loop = self.in_loop, set()
        self.generic_visit(node)
        self.in_loop = outside
        return node

    def visit_Assign(self, node: ast.Assign) -> list[ast.stmt]:
        found: list[ast.stmt] = [node]
        for target in node.targets:
            for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(part, ast.Name) and part.id in self.equations - self.in_loop:
                    said = f"{part.id} = seen_on_the_way({self.function!r}, {part.id!r}, {part.id})"
                    found += ast.parse(said).body
        return found


def names_set(node: ast.AST) -> set[str]:
    """The variables that an assignment sets."""
    if not isinstance(node, ast.Assign):
        return set()
    return {part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)}
