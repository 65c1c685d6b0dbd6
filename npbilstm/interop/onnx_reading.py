"""What is known of the values of an ONNX file while its recurrent nodes are read, one after the other; and whether a
node is fed as a layer here is: lengths and initial states come from outside, or are all there is and zeros.

Inputs of the graph are zeros, of the sizes that the file says, and where it leaves sizes free, of small ones. What a
recurrent node puts out is random numbers: it is not run.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm.interop.onnx_graph import require_onnx
from npbilstm.interop.onnx_node import Node
from npbilstm.interop.onnx_scopes import RECURRENT, Scope, Site, is_standard
from npbilstm.interop.onnx_values import MOVING, OF_SHAPES, Budget, CannotRunError, Values, behind

FREE = (23, 19, 29, 17, 31, 13)
"""The sizes that stand for free ones, one after the other: such as hardly stand in a file."""


class Reading:
    """What is known of a file's values while its recurrent nodes are read, one after the other."""

    def __init__(self, merge: str | None) -> None:
        self.merge = merge or "concat"
        self.budget = Budget()
        self.rng = np.random.default_rng(0)
        self.free: dict[Any, int] = {}
        self.outputs: dict[tuple[int, str], np.ndarray] = {}  # by the graph and the name of an output Y
        self.sizes: dict[int, tuple[int, int]] = {}  # T and N, by the number of a node
        self.tables: dict[int, Values] = {}
        self.found_behind: dict[tuple[int, str], tuple[list[Any], set[str]]] = {}
        self.roots: dict[tuple[int, str], set[str]] = {}  # where the x of a node comes from, by its outputs

    def values(self, scope: Scope) -> Values:
        """The values of a graph: inputs of the graph are zeros, the Y of a node random numbers."""
        if id(scope) not in self.tables:
            self.tables[id(scope)] = Values(scope, lambda name: self.given(scope, name), self.budget)
        return self.tables[id(scope)]

    def given(self, scope: Scope, name: str) -> np.ndarray | None:
        """The Y of a node that is read already; an input of a graph, as zeros, which take no memory."""
        home = scope.home(name)
        if home is None or name not in home.inputs:
            return None if home is None else self.outputs.get((id(home), name))
        shape, value = home.size_of(name), home.inputs[name]
        if shape is None or not all(size is None or isinstance(size, str) or size > 0 for size in shape):
            return None
        sizes = [self.size(size) for size in shape]
        try:
            kind = require_onnx().helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
            return np.broadcast_to(np.zeros((), kind), sizes)
        except (KeyError, ValueError):  # of no kind that NumPy has, or too large for an index
            return None

    def size(self, said: int | str | None) -> int:
        """A size that the file says; a small one for a size that it leaves free, the same for the same name."""
        if isinstance(said, int):
            return said
        key = said if said is not None else len(self.free)
        return self.free.setdefault(key, FREE[len(self.free) % len(FREE)])

    def steps_and_rows(self, site: Site, x_first: bool) -> tuple[int, int, bool]:
        """T and N where a node stands, and whether the file says them."""
        shape: Any = None
        try:
            shape = self.values(site.scope)[site.roles["X"]].shape
        except CannotRunError:
            said = site.scope.size_of(site.roles["X"])
            if said is not None and len(said) == 3:
                shape = [self.size(size) for size in said]
        if shape is None or len(shape) != 3:
            return (*FREE[:2], False)
        return (shape[1], shape[0], True) if x_first else (shape[0], shape[1], True)

    def put_out(self, node: Node) -> None:
        """Let a node that is read have an output Y of random numbers."""
        site = node.site
        T, N, _ = self.steps_and_rows(site, node.batch_first)
        self.sizes[site.number] = T, N
        if not site.node.output or not site.node.output[0]:
            return
        S, H = node.directions, node.sizes[1]
        try:
            self.budget.make(T * S * N * H)
        except CannotRunError:
            return
        shape = (N, T, S, H) if node.batch_first else (T, S, N, H)
        Y = self.rng.standard_normal(shape, np.float32).astype(node.weights["W"].dtype)
        self.outputs[id(site.scope), site.node.output[0]] = Y

    def is_end(self, scope: Scope, name: str) -> bool:
        """Whether a value is put out by a recurrent node."""
        return is_standard(scope.maker(name), *RECURRENT)

    def behind(self, scope: Scope, name: str) -> tuple[list[Any], set[str]]:
        """See onnx_values.behind."""
        if (id(scope), name) not in self.found_behind:
            self.found_behind[id(scope), name] = behind(scope, name, self.budget)
        return self.found_behind[id(scope), name]

    def feed(self, node: Node) -> Node:
        """The node with the lengths that it is fed. Raises ValueError unless they and its initial states come from
        outside, or are all T and zeros."""
        site, roles = node.site, node.site.roles
        _, begins = self.behind(site.scope, roles["X"])
        of_x = begins.union(*(self.roots.get((id(site.scope.home(name)), name), set()) for name in begins))
        self.roots.update({(id(site.scope), output): of_x for output in site.node.output if output})
        for role in ("initial_h", "initial_c"):
            if role in roles:
                self.require_state(node, role, of_x)
        return node._replace(lengths=self.lengths_of(node))

    def lengths_of(self, node: Node) -> str | None:
        """The name of the lengths of a node that come from outside; None where every row has all steps of x."""
        site, lengths = node.site, node.site.roles.get("sequence_lens")
        if lengths is None:
            return None
        passed, begins = self.behind(site.scope, lengths)
        if begins:
            return lengths
        T, _, said = self.steps_and_rows(site, node.batch_first)
        of_shape = any(is_standard(maker, *OF_SHAPES) for maker in passed)
        try:
            array = self.values(site.scope)[lengths]
            self.budget.make(array.size)
            full = bool((array == T).all()) and said
            full = full and (of_shape or T not in self.free.values())  # of a free T, no number is the length
        except CannotRunError:
            full = of_shape
        if not full:
            raise ValueError(
                f"the sequence_lens of {site} are in the file, and not known to be the length of the whole of x for "
                "every row; a layer here takes its lengths from whoever calls it"
            )
        return None

    def require_state(self, node: Node, role: str, of_x: set[str]) -> None:
        """Raise ValueError unless an initial state is 0 or comes from outside, and not from where x comes; and has the
        node's units and directions, where the file says how many it has."""
        site, name, H = node.site, node.site.roles[role], node.sizes[1]
        try:
            shape: list[Any] = list(self.values(site.scope)[name].shape)
        except CannotRunError:
            shape = site.scope.size_of(name) or []
        known = [size if isinstance(size, int) and size not in self.free.values() else None for size in shape]
        if known and known[-1] not in (None, H):
            raise ValueError(
                f"the {role} of {site} has {known[-1]} numbers per row; the node has {H} units, and needs as many"
            )
        directions = known[1 if node.batch_first else 0] if len(known) == 3 else None
        if directions not in (None, node.directions):
            raise ValueError(
                f"the {role} of {site} is of {directions} directions; the node has {node.directions}, and needs as many"
            )
        if not self.is_zero_or_given(site.scope, name, of_x):
            raise ValueError(
                f"the {role} of {site} is part of the graph and not known to be 0; a layer here takes its state from "
                "whoever calls it"
            )

    def is_zero_or_given(self, scope: Scope, value: str, of_x: set[str]) -> bool:
        """Whether a value is 0 for sure, or comes from outside, perhaps moved, and not from where x comes."""
        left, seen = [value], set()
        while left:
            self.budget.step()
            name = left.pop()
            if name in seen:
                continue
            seen.add(name)
            maker = scope.maker(name)
            if scope.is_constant(name):
                if np.any(scope.constant(name)):
                    return False
            elif maker is None:
                if not scope.is_input(name) or name in of_x:
                    return False
            elif is_standard(maker, "ConstantOfShape"):
                if any(np.any(require_onnx().numpy_helper.to_array(fill.t)) for fill in maker.attribute):
                    return False
            elif is_standard(maker, *MOVING):
                left += maker.input if maker.op_type == "Concat" else maker.input[:1]
            else:
                return False
        return True
