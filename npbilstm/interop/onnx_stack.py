"""Whether the recurrent nodes of an ONNX graph are one stack of layers, fed as a layer here is fed.

Between two nodes stand others that put one's output Y (T, S, N, H) into the shape of the next one's input X
(T, N, features). Which these are differs from writer to writer; so they are run, by onnx's own reference, and what
comes out is compared with how the layer merges its directions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm.interop.onnx_export import require_onnx
from npbilstm.interop.parts import Arrays
from npbilstm.layers.merge import merge_forward
from npbilstm.layers.recurrent import Recurrent

RECURRENT = ("LSTM", "GRU", "RNN")

OF_SHAPE = ("Cast", "Concat", "Expand", "Identity", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze")
"""Operators after which zeros are zeros."""


class Graph:
    """A graph's nodes, who makes which value, and which values come from outside."""

    def __init__(self, content: Any, constants: Arrays) -> None:
        self.opsets, self.constants = content.opset_import, constants
        self.nodes = list(content.graph.node)
        self.recurrent = [node for node in self.nodes if node.op_type in RECURRENT]
        self.makers = {output: node for node in self.nodes for output in node.output}
        self.inputs = {value.name for value in content.graph.input} - set(constants)

    def behind(self, value: str) -> tuple[list[Any], set[str]]:
        """What a value is made of, back to recurrent nodes: the other nodes, in order, and the values they begin with,
        constants left out."""
        passed, begins, left, seen = [], set(), [value], set()
        while left:
            name = left.pop()
            maker = self.makers.get(name)
            if name in seen or name in self.constants or not name:
                continue
            seen.add(name)
            if maker is None or maker.op_type in RECURRENT:
                begins.add(name)
            else:
                passed.append(maker)
                left += maker.input
        return [node for node in self.nodes if any(node is one for one in passed)], begins


def require_one_stack(graph: Graph, layer: Recurrent) -> None:
    """Raise ValueError unless the layer's levels read what the ones below them put out, as a stack here does."""
    for k, (below, node) in enumerate(zip(graph.recurrent, graph.recurrent[1:])):
        between, begins = graph.behind(node.input[0])
        if begins != {below.output[0]}:
            raise ValueError(
                f"its recurrent node {k + 1} does not read the output Y of node {k}, and that alone; "
                "it needs one stack of layers"
            )
        Y = np.random.default_rng(0).standard_normal((5, len(layer.directions), 3, layer.hidden_size))
        Y = Y.astype(next(iter(layer.params.values())).dtype)
        expected = merge_forward(Y.transpose(2, 0, 1, 3), layer.level_merge(k)).swapaxes(0, 1)  # (T, N, features)
        got = run(graph, between, below.output[0], Y, node.input[0])
        if got.shape != expected.shape or not np.allclose(got, expected, 1e-6, 1e-7):
            operators = ", ".join(dict.fromkeys(one.op_type for one in between)) or "nothing"
            raise ValueError(
                f"between its recurrent nodes {k} and {k + 1} stands {operators}, which makes other numbers of the "
                f"output than merge={layer.level_merge(k)!r} does; no stack here has that"
            )


def run(graph: Graph, nodes: list[Any], source: str, array: np.ndarray, target: str) -> np.ndarray:
    """The value `target` that the nodes make of the array named `source`. Raises ValueError where they fail."""
    from onnx.reference import ReferenceEvaluator

    if not nodes:
        return array
    onnx = require_onnx()
    helper = onnx.helper
    read = {name for node in nodes for name in node.input}
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    piece = helper.make_graph(
        nodes,
        "between",
        [helper.make_tensor_value_info(source, kind, array.shape)],
        [helper.make_tensor_value_info(target, kind, None)],
        [onnx.numpy_helper.from_array(held, name) for name, held in graph.constants.items() if name in read],
    )
    try:
        (made,) = ReferenceEvaluator(helper.make_model(piece, opset_imports=graph.opsets)).run(None, {source: array})
    except Exception as error:  # an operator may raise anything, e.g. a Reshape to sizes that are not free
        operators = ", ".join(dict.fromkeys(node.op_type for node in nodes))
        raise ValueError(
            f"what stands between its recurrent nodes, {operators}, cannot be run on 5 steps of 3 rows: {error}"
        ) from error
    return np.asarray(made)


def require_fed_as_here(graph: Graph, roles: list[dict[str, str]]) -> None:
    """Raise ValueError unless all nodes have the same lengths, from outside, and initial states that are 0 or from
    outside. roles: for each recurrent node the name of each of its inputs."""
    lengths = [role.get("sequence_lens") for role in roles]
    if len(set(lengths)) > 1 or lengths[0] in graph.constants:
        raise ValueError(
            "sequence_lens is a constant, or not the same for all its recurrent nodes; a layer here takes its lengths "
            "from whoever calls it, for all its layers"
        )
    of_x = graph.behind(roles[0]["X"])[1]
    for node, role in zip(graph.recurrent, roles):
        for state in ("initial_h", "initial_c"):
            if state in role and not is_zero_or_given(graph, role[state], of_x):
                raise ValueError(
                    f"the {state} of its {node.op_type} is part of the graph and not known to be 0; a layer here takes "
                    "its state from whoever calls it"
                )


def is_zero_or_given(graph: Graph, value: str, of_x: set[str]) -> bool:
    """Whether a value is 0 for sure, or comes from outside, perhaps in another shape, and not from where x comes."""
    if value in graph.constants:
        return not np.any(graph.constants[value])
    maker = graph.makers.get(value)
    if maker is None:
        return value in graph.inputs - of_x
    if maker.op_type == "ConstantOfShape":
        return not any(np.any(require_onnx().numpy_helper.to_array(fill.t)) for fill in maker.attribute)
    data = maker.input if maker.op_type == "Concat" else maker.input[:1]
    return maker.op_type in OF_SHAPE and all(is_zero_or_given(graph, one, of_x) for one in data)


def require_no_nested(content: Any) -> None:
    """Raise ValueError where a recurrent node stands inside another node, as in the branch of an If."""
    for node in content.graph.node:
        nested = [attribute.g for attribute in node.attribute] + [g for a in node.attribute for g in a.graphs]
        if any(inner.op_type in RECURRENT for graph in nested for inner in graph.node):
            raise ValueError(f"a recurrent node stands inside its {node.op_type}; it needs one stack of layers")
