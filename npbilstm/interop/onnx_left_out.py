"""What of an ONNX file is not read: the operators around its recurrent layers, by their names."""

from __future__ import annotations

from typing import Any

from npbilstm.interop.onnx_node import Node
from npbilstm.interop.onnx_reading import Reading
from npbilstm.interop.onnx_scopes import Scope, is_standard
from npbilstm.interop.onnx_turned import turners_before
from npbilstm.interop.onnx_values import MOVING, OF_SHAPES


def operators_left_out(nodes: list[tuple[Scope, Any]], stack: list[Node], reading: Reading) -> list[str]:
    """The operators that compute something, each once, in the order of the file; of those that only move numbers, or
    make shapes, the look-up in a table alone, and what turns steps around and is not read."""
    read = [node.site.node for node in stack]
    for node in stack[1:]:
        read += reading.behind(node.site.scope, node.site.roles["X"])[0]
    if stack[0].options["reverse"]:
        read += turners_before(stack[0], reading)
    passed_over = {id(node) for node in read} | of_shapes(nodes, reading)
    return list(
        dict.fromkeys(node.op_type for scope, node in nodes if id(node) not in passed_over and is_counted(scope, node))
    )


def is_counted(scope: Scope, node: Any) -> bool:
    """Whether a node computes something, or looks up rows of a table."""
    if is_standard(node, "Gather"):
        return scope.is_constant(node.input[0]) and scope.count(node.input[0]) > 1
    return not is_standard(node, *MOVING, *OF_SHAPES, "Constant", "ConstantOfShape")


def of_shapes(nodes: list[tuple[Scope, Any]], reading: Reading) -> set[int]:
    """The nodes that make the shapes which moving nodes read, by their ids."""
    found: set[int] = set()
    seen: set[tuple[int, str]] = set()
    left = []
    for scope, node in nodes:
        if is_standard(node, *MOVING) and node.op_type not in ("Concat", "Gather"):
            left += [(scope, name) for name in node.input[1:]]
        elif is_standard(node, "ConstantOfShape"):
            left += [(scope, name) for name in node.input]
    while left:
        reading.budget.step()
        scope, name = left.pop()
        maker = scope.maker(name)
        if maker is None or (id(scope), name) in seen:
            continue
        seen.add((id(scope), name))
        found.add(id(maker))
        if not is_standard(maker, *OF_SHAPES):
            left += [(scope, one) for one in maker.input]
    return found
