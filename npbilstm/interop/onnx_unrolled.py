"""Plain RNNs that a writer of ONNX has written out step by step, put back into nodes.

PyTorch's exporter of today (dynamo) writes torch.nn.RNN so, for as many steps as x had:

    L = X W + b_ih                          for all steps at once, (T, N, H)
    h_1 = tanh(L[0] + h_0 R + b_hh)         h_0 R + b_hh is one constant where h_0 is 0; else it comes from outside
    h_2 = tanh(L[1] + h_1 R + b_hh)         and so on
    y = Concat(h_1, h_2, ...)               of the reverse direction the steps stand from the last to the first

and of two directions Concat(y_forward, y_reverse). Where the last h alone is asked for, no Concat is there. Such a
direction, or such two, becomes an RNN node in the graph, and is then read as any other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from npbilstm.interop.onnx_graph import require_onnx
from npbilstm.interop.onnx_scopes import Scope, is_standard
from npbilstm.interop.onnx_values import MOVING, Budget, Values

ACTIVATIONS = ("Tanh", "Relu", "Sigmoid")


class Direction(NamedTuple):
    """One direction written out: what it reads, X (T, N, D), and its weights as a node has them; its activation; the
    nodes that are its."""

    X: str
    W: np.ndarray
    R: np.ndarray
    b_ih: np.ndarray | None
    b_hh: np.ndarray | None
    activation: str
    reverse: bool
    nodes: list[Any]

    def like(self, other: Direction) -> bool:
        """Whether two can be the directions of one layer."""
        biases = [direction.b_ih is None for direction in (self, other)]
        return (self.X, self.activation, biases[0], self.reverse) == (
            other.X,
            other.activation,
            biases[1],
            not other.reverse,
        )


class NoDirectionError(Exception):
    """Nodes are not such a direction."""


def rolled_up(nodes: list[tuple[Scope, Any]], budget: Budget) -> list[tuple[Scope, Any]]:
    """The nodes of a file with RNN nodes in the place of directions that are written out."""
    found: dict[tuple[int, str], tuple[Any, Direction]] = {}  # the Concat and what it is, by the name of its output
    in_place: dict[int, list[Any]] = {}  # nodes in the place of another, by its id
    gone: set[int] = set()
    for scope, node in nodes:
        if not is_standard(node, "Concat") or len(node.input) < 2:
            continue
        axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
        pair = [found.get((id(scope), name)) for name in node.input]
        if axis == 0 and all(is_standard(scope.maker(h), *ACTIVATIONS) for h in node.input):
            try:
                direction = read_direction(scope, list(node.input), budget)
            except (NoDirectionError, ValueError):
                continue
            found[id(scope), node.output[0]] = node, direction
            in_place[id(node)] = insert_directions(scope, node.output[0], [direction])
            gone |= {id(one) for one in direction.nodes}
        elif axis in (2, -1) and len(pair) == 2 and all(pair):
            (_, forward), (_, reverse) = both = [one for one in pair if one is not None]
            if not forward.reverse and forward.like(reverse):
                in_place[id(node)] = insert_directions(scope, node.output[0], [forward, reverse])
                in_place.update({id(concat): [] for concat, _ in both})
    for scope, h, directions in of_last_h(nodes, gone, budget):
        in_place[id(scope.maker(h))] = insert_directions(scope, f"{h}.y", directions)
        gone |= {id(one) for direction in directions for one in direction.nodes}
    if not in_place:
        return nodes
    rolled: list[tuple[Scope, Any]] = []
    for scope, node in nodes:
        if id(node) in in_place or id(node) not in gone:
            rolled += [(scope, one) for one in in_place.get(id(node), [node])]
    return rolled


def of_last_h(
    nodes: list[tuple[Scope, Any]], gone: set[int], budget: Budget
) -> list[tuple[Scope, str, list[Direction]]]:
    """The directions whose steps no Concat puts side by side: the graph, the last h, the one or the two directions of a
    layer. gone: the nodes that are a direction's already."""
    chains: dict[tuple[int, str], tuple[Scope, list[str]]] = {}  # the steps so far, by the h of the last
    for scope, node in nodes:
        if is_standard(node, *ACTIVATIONS) and id(node) not in gone:
            before = products(scope, terms_of(scope, node.input[0], budget))
            _, h = chains.pop((id(scope), before[0]), (scope, [])) if before else (scope, [])
            h.append(node.output[0])
            chains[id(scope), node.output[0]] = scope, h
    found: list[tuple[Scope, str, list[Direction]]] = []
    for scope, h in chains.values():
        for steps in [h, h[::-1]] if len(h) > 1 else []:
            try:
                direction = read_direction(scope, steps, budget)
            except (NoDirectionError, ValueError):
                continue
            other = found[-1] if found else None
            if other and other[0] is scope and len(other[2]) == 1 and direction.reverse and other[2][0].like(direction):
                found[-1] = scope, h[-1], [*other[2], direction]
            else:
                found.append((scope, h[-1], [direction]))
            break
    return found


def read_direction(scope: Scope, h: list[str], budget: Budget) -> Direction:
    """The direction whose steps put out h, in the order of time. Raises NoDirectionError where they are none."""
    steps = [scope.maker(name) for name in h]
    if len({node.op_type for node in steps}) > 1:
        raise NoDirectionError
    terms = [terms_of(scope, node.input[0], budget) for node in steps]
    reverse = not any(name in before for name, before in zip(h[:1], [products(scope, terms[1])]))
    if reverse:
        steps, terms = steps[::-1], terms[::-1]
    x_of, R, b_hh = rest_of(scope, terms, [node.output[0] for node in steps])
    L = moved_from(scope, x_of[0], budget)
    inputs = terms_of(scope, L, budget)
    product = [name for name in inputs if is_standard(scope.maker(name), "MatMul")]
    biases = [name for name in inputs if scope.is_constant(name)]
    if len(product) != 1 or len(inputs) != 1 + len(biases) or len(biases) > 1:
        raise NoDirectionError
    X, W = scope.maker(product[0]).input
    weights = scope.constant(W)
    require_order(scope, L, x_of, reverse, weights.shape[-1], budget)
    b_ih = scope.constant(biases[0]) if biases else None
    if (b_ih is None) != (b_hh is None) or weights.ndim != 2:
        raise NoDirectionError
    nodes = [*steps, *(scope.maker(name) for name in all_sums(scope, [*(n.input[0] for n in steps), L]))]
    return Direction(X, weights, R, b_ih, b_hh, steps[0].op_type, reverse, nodes)


def terms_of(scope: Scope, name: str, budget: Budget) -> list[str]:
    """The terms of a sum of sums."""
    found, left = [], [name]
    while left:
        budget.step()
        one = left.pop()
        node = scope.maker(one)
        if is_standard(node, "Add"):
            left += node.input
        else:
            found.append(one)
    return found


def all_sums(scope: Scope, names: list[str]) -> list[str]:
    """Sums, the sums in them, and the products."""
    found, left = [], list(names)
    while left:
        name = left.pop()
        node = scope.maker(name)
        if is_standard(node, "Add", "MatMul"):
            found.append(name)
            left += node.input if node.op_type == "Add" else []
    return found


def products(scope: Scope, terms: list[str]) -> list[str]:
    """What is multiplied with a constant, in the terms that are products."""
    makers = [scope.maker(name) for name in terms]
    return [node.input[0] for node in makers if is_standard(node, "MatMul")]


def rest_of(scope: Scope, terms: list[list[str]], h: list[str]) -> tuple[list[str], np.ndarray, np.ndarray | None]:
    """Each step's own x, R and b_hh, in the terms of the steps as they are taken."""
    x_of, R, b_hh = [], "", ""
    for t, own in enumerate(terms):
        of_h = [name for name in own if is_standard(scope.maker(name), "MatMul")] if t else []
        constants = [name for name in own if scope.is_constant(name)]
        x = [name for name in own if name not in of_h + constants and not (t == 0 and products(scope, [name]))]
        if len(x) != 1 or len(constants) > 1 or len(of_h) > 1:
            raise NoDirectionError
        x_of += x
        if t == 0:
            continue
        before, matrix = scope.maker(of_h[0]).input if of_h else ("", "")
        bias = constants[0] if constants else ""
        if before != h[t - 1] or not scope.is_constant(matrix) or (t > 1 and (matrix, bias) != (R, b_hh)):
            raise NoDirectionError
        R, b_hh = matrix, bias
    bias_array = scope.constant(b_hh) if b_hh else None
    require_start(scope, terms[0], x_of[0], R, bias_array)
    return x_of, scope.constant(R), bias_array


def require_start(scope: Scope, terms: list[str], x: str, R: str, b_hh: np.ndarray | None) -> None:
    """Raise NoDirectionError unless the first step begins with a state of 0, which is h_0 R + b_hh = b_hh, or with one
    that comes from outside."""
    rest = [name for name in terms if name != x]
    constants = [scope.constant(name) for name in rest if scope.is_constant(name)]
    of_h = [scope.maker(name) for name in rest if not scope.is_constant(name)]
    if any(node.input[1] != R or not is_state(scope, node.input[0]) for node in of_h):
        raise NoDirectionError
    total = sum(constants, np.zeros(()))
    if not np.allclose(total, 0 if b_hh is None else b_hh, 1e-6, 1e-7):
        raise NoDirectionError


def is_state(scope: Scope, name: str) -> bool:
    """Whether a value is zeros or comes from outside, and is but moved."""
    for _ in range(20):
        if scope.is_constant(name):
            return not np.any(scope.constant(name))
        if scope.is_input(name):
            return True
        node = scope.maker(name)
        if not is_standard(node, *MOVING):
            return False
        name = node.input[0]
    return False


def moved_from(scope: Scope, name: str, budget: Budget) -> str:
    """What a value is moved from."""
    while True:
        budget.step()
        node = scope.maker(name)
        if not is_standard(node, *MOVING):
            return name
        name = node.input[0]


def require_order(scope: Scope, L: str, x_of: list[str], reverse: bool, H: int, budget: Budget) -> None:
    """Raise NoDirectionError unless step t reads L[t], or in the reverse direction L[T - 1 - t]."""
    T, N = len(x_of), 2
    budget.make(T * N * H)
    numbers = np.random.default_rng(0).standard_normal((T, N, H))
    values = Values(scope, lambda name: numbers if name == L else None, budget)
    for x, expected in zip(x_of, numbers[::-1] if reverse else numbers):
        if not np.array_equal(values[x].reshape(-1, H), expected):
            raise NoDirectionError


def insert_directions(scope: Scope, output: str, directions: list[Direction]) -> list[Any]:
    """The nodes that make an output of directions by an RNN node; the graph has them, and their weights."""
    onnx = require_onnx()
    names = {part: f"{output}.{part}" for part in ("W", "R", "B", "Y", "Y_by_row", "shape")}
    weights = {"W": [d.W.T for d in directions], "R": [d.R.T for d in directions]}
    if directions[0].b_ih is not None:
        weights["B"] = [np.concatenate([np.ravel(b) for b in (d.b_ih, d.b_hh) if b is not None]) for d in directions]
    stored = {part: np.stack(arrays) for part, arrays in weights.items()}
    H, S = len(directions[0].R), len(directions)
    stored["shape"] = np.array([0, 0, S * H])
    tensors = [onnx.numpy_helper.from_array(np.ascontiguousarray(w), names[part]) for part, w in stored.items()]
    way = "bidirectional" if S == 2 else "reverse" if directions[0].reverse else "forward"
    inputs = [directions[0].X, *(names[part] for part in weights)]
    node = onnx.helper.make_node
    made = [
        node("RNN", inputs, [names["Y"]], direction=way, activations=[d.activation for d in directions]),
        node("Transpose", [names["Y"]], [names["Y_by_row"]], perm=[0, 2, 1, 3]),
        node("Reshape", [names["Y_by_row"], names["shape"]], [output]),
    ]
    scope.add(made, tensors)
    return made
