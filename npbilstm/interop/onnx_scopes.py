"""The graphs of an ONNX file: the main one, and those inside of it, in the branches of an If, the body of a Loop or
Scan, and in functions. A graph inside reads the values of the one around it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from npbilstm.interop.onnx_file import array_of
from npbilstm.interop.parts import Arrays

RECURRENT = ("LSTM", "GRU", "RNN")

ROLES = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
"""The inputs of an LSTM. GRU and RNN have the first six."""

MOST_NODES = 1000
"""So many recurrent nodes are read. A stack has a few."""


class Scope:
    """One graph: its nodes, its constants, who makes which value, what comes in; and the graph around it, if any."""

    def __init__(self, graph: Any, where: str, outer: Scope | None, folder: Path, given: Mapping[str, Any]) -> None:
        self.where, self.outer, self.folder, self.given = where, outer, folder, given
        self.nodes = list(graph.node)
        self.stored = {tensor.name: tensor for tensor in getattr(graph, "initializer", ())}
        self.stored |= {tensor.values.name: tensor for tensor in getattr(graph, "sparse_initializer", ())}
        for node in self.nodes:
            if is_standard(node, "Constant") and len(node.attribute) == 1 and node.output:
                self.stored[node.output[0]] = node.attribute[0]
        self.arrays: Arrays = {}
        self.makers = {output: n for n, node in enumerate(self.nodes) for output in node.output if output}
        inputs = {getattr(value, "name", value): value for value in graph.input}  # a function's are names alone
        self.inputs = {name: value for name, value in inputs.items() if name not in self.stored}
        self.names = {*self.stored, *self.makers, *self.inputs}
        ends = [node for node in self.nodes if is_standard(node, *RECURRENT) or any(inner_graphs(node))]
        self.ends = {output for node in ends for output in node.output}  # of nodes that nothing here looks through
        self.outputs = {getattr(value, "name", value) for value in graph.output}
        self.described = {value.name: value for name in ("output", "value_info") for value in values_of(graph, name)}
        self.described |= {name: value for name, value in inputs.items() if hasattr(value, "type")}

    def add(self, nodes: list[Any], constants: list[Any]) -> None:
        """Let nodes stand in the place of those that made their outputs; and the tensors that they read."""
        self.stored.update({tensor.name: tensor for tensor in constants})
        self.names.update(tensor.name for tensor in constants)
        for node in nodes:
            self.nodes.append(node)
            self.makers.update({output: len(self.nodes) - 1 for output in node.output})
            self.names.update(node.output)
            self.ends.update(node.output if is_standard(node, *RECURRENT) else ())

    def home(self, name: str) -> Scope | None:
        """The graph, this one or one around it, in which a value stands; None where it stands in none."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope
            scope = scope.outer
        return None

    def is_constant(self, name: str) -> bool:
        """Whether the file holds the value itself."""
        home = self.home(name)
        return home is not None and name in home.stored

    def constant(self, name: str) -> np.ndarray:
        """A constant's array. Raises ValueError where it is none that is read here."""
        home = self.home(name)
        assert home is not None
        if name not in home.arrays:
            try:
                home.arrays[name] = array_of(home.stored[name], home.folder)
            except ValueError as error:
                raise ValueError(f"{name!r}: {error}") from error
        return home.arrays[name]

    def count(self, name: str) -> int:
        """How many numbers a constant has."""
        home = self.home(name)
        stored = None if home is None else home.stored[name]
        return math.prod(getattr(getattr(stored, "t", stored), "dims", ()))

    def maker(self, name: str) -> Any:
        """The node that makes a value; None for what no node makes."""
        home = self.home(name)
        at = None if home is None else home.makers.get(name)
        return None if home is None or at is None else home.nodes[at]

    def is_input(self, name: str) -> bool:
        """Whether a value comes into a graph from outside."""
        home = self.home(name)
        return home is not None and name in home.inputs

    def size_of(self, name: str) -> list[int | str | None] | None:
        """What the file says of a value's axes: a number, the name of a free size, or nothing; None for no word."""
        home = self.home(name)
        value = None if home is None else home.described.get(name)
        if value is None or not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
            return None
        dims = value.type.tensor_type.shape.dim
        return [d.dim_value if d.HasField("dim_value") else d.dim_param or None for d in dims]


class Site(NamedTuple):
    """A recurrent node: its number among all of the file, the graph that it stands in, the node."""

    number: int
    scope: Scope
    node: Any

    @property
    def roles(self) -> dict[str, str]:
        """The names of its inputs, by what they are."""
        return {role: name for role, name in zip(ROLES, self.node.input) if name}

    def __str__(self) -> str:
        name = f" {self.node.name!r}" if self.node.name else ""
        return f"{self.node.op_type} {self.number}{name}{self.scope.where and f' in {self.scope.where}'}"


def is_standard(node: Any, *operators: str) -> bool:
    """Whether a node is one of ONNX's own operators of these names."""
    return node is not None and node.domain in ("", "ai.onnx") and node.op_type in operators


def values_of(graph: Any, name: str) -> list[Any]:
    """A graph's values of one kind that say their type; a function's are names alone."""
    return [value for value in getattr(graph, name, ()) if hasattr(value, "type")]


def inner_graphs(node: Any) -> Iterator[tuple[str, Any]]:
    """The graphs inside a node, by the names of its attributes."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.name, attribute.g
        for graph in attribute.graphs:
            yield attribute.name, graph


def scopes_of(content: Any, folder: Path, given: Mapping[str, Any]) -> Iterator[tuple[Scope, Any]]:
    """Every node of a file with its graph, in the order of the file. given: the values of weights that are inputs of
    the main graph."""

    def within(scope: Scope) -> Iterator[tuple[Scope, Any]]:
        for node in scope.nodes:
            yield scope, node
            for attribute, graph in inner_graphs(node):
                name = f" {node.name!r}" if node.name else ""
                around = f" in {scope.where}" if scope.where else ""
                where = f"the {attribute} of its {node.op_type}{name}{around}"
                yield from within(Scope(graph, where, scope, folder, {}))

    yield from within(Scope(content.graph, "", None, folder, given))
    for function in content.functions:
        yield from within(Scope(function, f"its function {function.name!r}", None, folder, {}))


def require_sites(nodes: list[tuple[Scope, Any]]) -> list[Site]:
    """The recurrent nodes among a file's nodes. Raises ValueError for none, saying what there is, and for too many."""
    found = [(scope, node) for scope, node in nodes if is_standard(node, *RECURRENT)]
    if not found:
        kinds = list(dict.fromkeys(node.op_type for _, node in nodes))
        kin = [kind for kind in kinds if any(name in kind.upper() for name in RECURRENT)]
        shown = kin or kinds
        of = f"; it holds {', '.join(shown[:8])}{' and others' if len(shown) > 8 else ''}" if shown else ""
        raise ValueError(f"it holds no LSTM, GRU or RNN node{of}")
    if len(found) > MOST_NODES:
        raise ValueError(f"it holds {len(found):,} recurrent nodes; no more than {MOST_NODES:,} are read")
    return [Site(n, scope, node) for n, (scope, node) in enumerate(found)]
