"""Which recurrent nodes of an ONNX file are stacked on one another as the layers of a stack here are.

Between two of them stand nodes that put one's output Y (T, S, N, H) into the shape of the next one's input X
(T, N, features). Which these are differs from writer to writer; so they are run (onnx_values.py), and what comes out is
compared with how the layer merges its directions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from npbilstm.interop.onnx_node import Node, read_node
from npbilstm.interop.onnx_reading import Reading
from npbilstm.interop.onnx_scopes import Site, is_standard
from npbilstm.interop.onnx_values import OPERATORS, CannotRunError
from npbilstm.layers.merge import merge_forward


@dataclass
class Stack:
    """Nodes on top of one another; why the first does not stand on another stack's last; or why they cannot be read."""

    sites: list[Site]
    nodes: list[Node] = field(default_factory=list)
    apart: str = ""
    error: ValueError | None = None


def stacks_of(sites: list[Site], reading: Reading) -> list[Stack]:
    """All recurrent nodes of a file as stacks, in the order of the file."""
    stacks: list[Stack] = []
    below: dict[tuple[int, str], Stack] = {}  # the stack of a node, by its output Y
    for site in sites:
        stack = Stack([site])
        try:
            node = reading.feed(read_node(site, reading.values(site.scope)))
        except (TypeError, ValueError) as error:
            stack.error = error if isinstance(error, ValueError) else ValueError(str(error))
            stacks.append(stack)
            below.update({(id(site.scope), Y): stack for Y in site.node.output[:1] if Y})
            continue
        under, stack.apart = under_node(node, reading, below)
        if under is None:
            stack.nodes.append(node)
            stacks.append(stack)
        else:
            stack = under
            stack.sites.append(site)
            stack.nodes.append(node)
        reading.put_out(node)
        below.update({(id(site.scope), Y): stack for Y in site.node.output[:1] if Y})
    return stacks


def under_node(node: Node, reading: Reading, below: dict[tuple[int, str], Stack]) -> tuple[Stack | None, str]:
    """The stack that a node stands on top of; or None and, where it reads another recurrent node, why it does not."""
    scope, X = node.site.scope, node.site.roles["X"]
    between, begins = reading.behind(scope, X)
    read = [name for name in begins if reading.is_end(scope, name)]
    if not read:
        inner = [scope.maker(name) for name in begins if scope.maker(name) is not None]
        return None, "".join(f"{node.site} reads what its {maker.op_type} makes" for maker in inner[:1])
    under = below.get((id(scope.home(read[0])), read[0]))
    if len(begins) > 1 or under is None:
        passed = f"; between stands {names_of(between)}" if between else ""
        return None, f"{node.site} does not read the output Y of another, and that alone{passed}"
    if under.error is not None:
        return None, ""
    last = under.nodes[-1]
    if read[0] != last.site.node.output[0]:
        return None, f"the output that {node.site} reads is read by {last.site} too"
    why = [difference_between(last, node), computed(last, node, between)]
    found = "; ".join(filter(None, why)) or moved(last, node, between, reading)
    return (None, found) if found else (under, "")


def difference_between(one: Node, other: Node) -> str:
    """In what a node differs from the one below it, as layers of a stack do not; "" where in nothing."""
    if one.site.node.op_type != other.site.node.op_type:
        return f"{other.site} stands on {one.site}"
    if one.sizes[1] != other.sizes[1]:
        return f"{one.site} has {one.sizes[1]} units and {other.site} has {other.sizes[1]}"
    for name, value in one.options.items():
        if other.options.get(name) != value:
            return f"{one.site} has {name}={value!r} and {other.site} has {name}={other.options.get(name)!r}"
    if one.weights["W"].dtype != other.weights["W"].dtype:
        return f"{one.site} has weights of {one.weights['W'].dtype} and {other.site} of {other.weights['W'].dtype}"
    if one.lengths != other.lengths:
        return f"{one.site} and {other.site} have other lengths, sequence_lens"
    return ""


def names_of(between: list[Any]) -> str:
    """The operators on the way, each once, from below."""
    return ", ".join(dict.fromkeys(node.op_type for node in reversed(between))) or "nothing"


def computed(one: Node, other: Node, between: list[Any]) -> str:
    """What stands between two nodes, where it is more than what moves numbers or adds them; else ""."""
    unknown = [node.op_type for node in between if not is_standard(node, *OPERATORS)]
    if not unknown:
        return ""
    return f"between {one.site} and {other.site} stands {names_of(between)}; no stack here has {unknown[-1]}"


def moved(one: Node, other: Node, between: list[Any], reading: Reading) -> str:
    """Why what stands between two nodes does not merge directions as a layer here does; "" where it does."""
    names = names_of(between)
    T, N = reading.sizes[one.site.number]
    try:
        Y = reading.outputs.get((id(one.site.scope), one.site.node.output[0]))
        if Y is None:
            raise CannotRunError("its output has too many numbers")
        reading.budget.make(Y.size)
        got = reading.values(other.site.scope)[other.site.roles["X"]]
    except CannotRunError as error:
        return (
            f"what stands between {one.site} and {other.site}, {names}, cannot be run on {T} steps of {N} rows: {error}"
        )
    by_row = Y if one.batch_first else Y.transpose(2, 0, 1, 3)
    expected = merge_forward(by_row, reading.merge)  # (N, T, features)
    expected = expected if other.batch_first else expected.swapaxes(0, 1)
    if got.shape == expected.shape and np.allclose(got, expected, 1e-6, 1e-7):
        return ""
    return (
        f"between {one.site} and {other.site} stands {names}, which makes other numbers of the output than "
        f"merge={reading.merge!r} does; no stack here has that"
    )
