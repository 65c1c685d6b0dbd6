"""Whether what stands before a recurrent node of ONNX turns the steps around, and what stands after it turns them back.

So other programs write a layer that reads from the end (Keras's go_backwards through tf2onnx, a flip in PyTorch): with
a ReverseSequence, or a Slice with a step of -1. What it does is tried: x is random numbers there, once with it and once
without.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm.interop.onnx_node import Node
from npbilstm.interop.onnx_reading import Reading
from npbilstm.interop.onnx_scopes import Scope, is_standard
from npbilstm.interop.onnx_values import MOVING, OF_SHAPES, CannotRunError, Values, ints
from npbilstm.textbook.sequences import flip


def reads_from_the_end(stack: list[Node], reading: Reading) -> bool:
    """Whether a stack's first node is fed the steps from the last to the first, and the last one's output is turned
    back, or not asked for. Raises ValueError where something else is turned around, or not turned back."""
    first, last = stack[0], stack[-1]
    turning = turners_before(first, reading)
    if not turning:
        return False
    names = ", ".join(node.op_type for node in turning)
    how = "; reverse=True reads it as a layer that reads from the end, reverse=False as one that reads what it is fed"
    if len(turning) > 1 or first.options["bidirectional"] or first.options["reverse"]:
        raise ValueError(f"before {first.site} stands {names}, and it is no layer that reads one way{how}")
    try:
        with_it, without, lengths = with_and_without(first, turning[0], reading)
        if not np.array_equal(with_it, turned(without, lengths)):
            raise CannotRunError("it does not turn around whole rows")
    except CannotRunError as error:
        raise ValueError(f"before {first.site} stands {names}: {error}{how}") from error
    if not turned_back(last, reading):
        raise ValueError(
            f"before {first.site} stands {names}, which lets it read from the end, and its outputs are not all turned "
            f"back{how}. Here an output stands at the step of its input: npbilstm.flip(y) are those of the file"
        )
    return True


def is_turner(scope: Scope, node: Any) -> bool:
    """Whether a node is one that turns numbers around."""
    if is_standard(node, "Slice"):
        steps = node.input[4] if len(node.input) > 4 else ""
        return bool(steps) and scope.is_constant(steps) and any(n < 0 for n in ints(scope.constant(steps)))
    return is_standard(node, "ReverseSequence")


def turners_before(node: Node, reading: Reading) -> list[Any]:
    """The nodes that turn x around, with but moving nodes and the look-up in a table between them and the node."""
    scope, found, seen = node.site.scope, [], set()
    name = node.site.roles["X"]
    while name and name not in seen:
        seen.add(name)
        reading.budget.step()
        maker = scope.maker(name)
        if maker is None or not is_standard(maker, *MOVING):
            break
        if is_turner(scope, maker):
            found.append(maker)
        data = [one for one in maker.input if one and not scope.is_constant(one)]
        name = data[0] if data and maker.op_type in ("Gather", "Concat") else maker.input[0]
    return found


def with_and_without(node: Node, turner: Any, reading: Reading) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X of a node, its steps first, where random numbers pass a turning node and where they pass it by; and the
    lengths of its rows, which are unequal where they come from outside."""
    scope, site = node.site.scope, node.site
    known = known_values(node, reading)
    table = Values(scope, lambda name: known.get(name, reading.given(scope, name)), reading.budget)
    source = table[turner.input[0]]
    reading.budget.make(source.size)
    table.made[turner.input[0]] = numbers_like(source, reading)
    passed_by = Values(scope, lambda name: known.get(name, reading.given(scope, name)), reading.budget)
    passed_by.made[turner.output[0]] = table.made[turner.input[0]]
    T, N, _ = reading.steps_and_rows(site, node.batch_first)
    lengths = np.full(N, T) if node.lengths is None else table[node.lengths]
    both = [values[site.roles["X"]] for values in (table, passed_by)]
    with_it, without = (x.swapaxes(0, 1) if node.batch_first else x for x in both)
    return with_it, without, np.asarray(lengths, np.int64)


def numbers_like(source: np.ndarray, reading: Reading) -> np.ndarray:
    """Other numbers everywhere: of symbols 0 and 1."""
    if source.dtype.kind == "f":
        return reading.rng.standard_normal(source.shape).astype(source.dtype)
    return reading.rng.integers(0, 2, source.shape).astype(source.dtype)


def known_values(node: Node, reading: Reading) -> dict[str, np.ndarray]:
    """Unequal lengths for the graph's input that a node's lengths come from."""
    scope = node.site.scope
    if node.lengths is None:
        return {}
    _, begins = reading.behind(scope, node.lengths)
    zeros = {name: reading.given(scope, name) for name in begins}
    T, _, _ = reading.steps_and_rows(node.site, node.batch_first)
    return {
        name: (T - np.arange(x.size) % T).reshape(x.shape).astype(x.dtype) for name, x in zeros.items() if x is not None
    }


def turned(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The first steps of each row, from the last to the first. x (T, N, ...)."""
    return flip(x.swapaxes(0, 1), lengths).swapaxes(0, 1)


def turned_back(node: Node, reading: Reading) -> bool:
    """Whether nothing but what turns it back reads the output Y of a node."""
    scope, Y = node.site.scope, (*node.site.node.output, "")[0]
    readers: dict[str, list[Any]] = {}
    for one in scope.nodes:
        for name in set(one.input):
            readers.setdefault(name, []).append(one)
    if not Y or not readers.get(Y):
        return Y not in scope.outputs
    left, turners = [Y], []
    while left:
        name = left.pop()
        if name in scope.outputs:
            return False
        for one in readers.get(name, []):
            reading.budget.step()
            if is_turner(scope, one) and one.input[0] == name:
                turners.append(one)
            elif is_standard(one, *MOVING) and one.input[0] == name:
                left += one.output
            elif not is_standard(one, *OF_SHAPES):
                return False
    return all(turns_back(node, turner, reading) for turner in turners)


def turns_back(node: Node, turner: Any, reading: Reading) -> bool:
    """Whether a turning node, after a recurrent one, makes of its output what it would be fed if it were turned."""
    scope, Y = node.site.scope, node.site.node.output[0]
    random = reading.outputs.get((id(scope), Y))
    if random is None:
        return False
    known = known_values(node, reading)
    axes = (0, 1) if node.batch_first else (1, 2)  # which make Y (T, N, ...)
    try:
        forth = Values(scope, lambda name: known.get(name, reading.given(scope, name)), reading.budget)
        after = forth[turner.output[0]]
        rows = random.swapaxes(*axes)
        lengths = np.full(rows.shape[1], len(rows)) if node.lengths is None else forth[node.lengths]
        other = Values(scope, lambda name: known.get(name, reading.given(scope, name)), reading.budget)
        reading.budget.make(2 * random.size)
        other.made[Y] = turned(rows, np.asarray(lengths, np.int64)).swapaxes(*axes)
        return np.array_equal(after, other[turner.input[0]])
    except CannotRunError:
        return False
