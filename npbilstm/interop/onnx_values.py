"""What the values of a graph are, where operators that move numbers make them of known ones.

Only the few operators below are run, in NumPy. What each makes is counted before it is made, and each value is made
once: a small file cannot ask for much memory or time. Whatever else stands in a graph is not run at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from npbilstm.interop.onnx_graph import require_onnx
from npbilstm.interop.onnx_scopes import Scope, is_standard
from npbilstm.interop.parts import Arrays
from npbilstm.textbook.sequences import flip

MOST_NUMBERS, MOST_STEPS = 2**25, 1_000_000
"""How many numbers may be made of one file, and how many values looked at."""

OF_SHAPES = ("Shape", "Size")
"""Operators that look at the shape of a value alone."""


class CannotRunError(ValueError):
    """Why a value is not known."""


class Budget:
    """What is left of the numbers that may be made of a file, and of the values that may be looked at."""

    def __init__(self) -> None:
        self.numbers, self.steps = MOST_NUMBERS, MOST_STEPS

    def make(self, count: int) -> None:
        """Raise CannotRunError unless so many numbers more may be made."""
        self.numbers -= count
        if self.numbers < 0:
            raise CannotRunError(f"it makes more than {MOST_NUMBERS:,} numbers, which is as many as are made here")

    def step(self) -> None:
        """Raise CannotRunError unless one value more may be looked at."""
        self.steps -= 1
        if self.steps < 0:
            raise CannotRunError(f"it takes more than {MOST_STEPS:,} steps, which is as many as are taken here")


class Values:
    """The values of one graph by name, constants and others; given: a function that says which others are known, and
    None for what is not."""

    def __init__(self, scope: Scope, given: Callable[[str], np.ndarray | None], budget: Budget) -> None:
        self.scope, self.given, self.budget = scope, given, budget
        self.made: Arrays = {}

    def __getitem__(self, name: str) -> np.ndarray:
        """A value. Raises CannotRunError where it cannot be known."""
        left, opened = [name], set()
        while left:
            self.budget.step()
            now = left[-1]
            if now in self.made or self.known(now):
                left.pop()
                continue
            node = self.scope.maker(now)
            if node is None:
                raise CannotRunError(f"{now!r} comes from outside")
            require_operator(node)
            missing = [one for one in node.input if one and one not in self.made]
            if missing and id(node) in opened:
                raise CannotRunError(f"{now!r} is made of itself")
            opened.add(id(node))
            left += missing
            if not missing:
                self.made |= self.run(node)
                if now not in self.made:
                    raise CannotRunError(f"{node.op_type} does not make {now!r}")
        return self.made[name]

    def known(self, name: str) -> bool:
        """Whether a value is given or a constant; then it is among those made."""
        found = self.given(name)
        if found is None and self.scope.is_constant(name):
            self.budget.make(self.scope.count(name))
            try:
                found = self.scope.constant(name)
            except ValueError as error:
                raise CannotRunError(str(error)) from error
        if found is not None:
            self.made[name] = found
        return found is not None

    def run(self, node: Any) -> Arrays:
        """What a node makes of values that are there."""
        onnx = require_onnx()
        inputs = [self.made[name] if name else None for name in node.input]
        try:
            attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
            attributes["outputs"] = len(node.output)
            with np.errstate(all="ignore"):
                made = OPERATORS[node.op_type](self.budget.make, inputs, attributes)
        except CannotRunError as error:
            raise CannotRunError(f"{node.op_type}: {error}") from error
        except Exception as error:  # NumPy raises many things for sizes that do not fit, attributes that lack
            raise CannotRunError(f"{node.op_type} cannot be run: {error}") from error
        return dict(zip(node.output, made if isinstance(made, (list, tuple)) else [made]))


def require_operator(node: Any) -> None:
    """Raise CannotRunError for a node that is not run here."""
    if not is_standard(node, *OPERATORS):
        raise CannotRunError(f"it is made by {node.op_type}, which is not run here")


def behind(scope: Scope, value: str, budget: Budget) -> tuple[list[Any], set[str]]:
    """What a value is made of, back to what recurrent nodes put out, and nodes with graphs inside, and to what comes
    from outside: the nodes on the way, from the last to the first, and the values where they begin. Of what is a shape
    alone, nothing."""
    passed: dict[int, Any] = {}
    begins, left, seen = set(), [value], set()
    while left:
        budget.step()
        name = left.pop()
        if not name or name in seen:
            continue
        seen.add(name)
        home = scope.home(name)
        if home is None or name in home.stored:
            continue
        if name not in home.makers or name in home.ends:
            begins.add(name)
            continue
        node = home.nodes[home.makers[name]]
        passed[id(node)] = node
        if not is_standard(node, *OF_SHAPES):
            left += node.input
    return list(passed.values()), begins


Make = Callable[[int], None]
Inputs = list[Any]
Attributes = Mapping[str, Any]


def ints(array: Any) -> list[int]:
    """Axes, sizes, places."""
    return [int(n) for n in np.asarray(array).ravel()]


def axes_of(inputs: Inputs, attributes: Attributes, place: int = 1) -> list[int] | None:
    """The axes that a node names, as an input or, in older files, as an attribute; None where it names none."""
    given = inputs[place] if len(inputs) > place and inputs[place] is not None else attributes.get("axes")
    return None if given is None else ints(given)


def transpose(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """The axes in another order."""
    return inputs[0].transpose(attributes.get("perm"))


def reshape(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """The numbers in another shape; in it 0 is the size that was there, -1 what is left."""
    x, shape = inputs[0], ints(inputs[1])
    if not attributes.get("allowzero"):
        shape = [x.shape[n] if size == 0 else size for n, size in enumerate(shape)]
    make(0 if x.flags.c_contiguous else x.size)
    return x.reshape(shape)


def flatten(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """Two axes."""
    x, axis = inputs[0], attributes.get("axis", 1)
    return reshape(make, [x, [math.prod(x.shape[:axis]), -1]], {"allowzero": 1})


def squeeze(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """Without axes of size 1."""
    axes = axes_of(inputs, attributes)
    return np.squeeze(inputs[0], None if axes is None else tuple(axes))


def unsqueeze(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """With axes of size 1."""
    return np.expand_dims(inputs[0], tuple(axes_of(inputs, attributes) or ()))


def cast(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """In another dtype."""
    make(inputs[0].size)
    return inputs[0].astype(require_onnx().helper.tensor_dtype_to_np_dtype(attributes["to"]))


def cast_like(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """In the dtype of another value."""
    make(inputs[0].size)
    return inputs[0].astype(inputs[1].dtype)


def concat(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """Side by side."""
    make(sum(x.size for x in inputs))
    return np.concatenate(inputs, attributes["axis"])


def split(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """In pieces."""
    x, axis, pieces = inputs[0], attributes.get("axis", 0), attributes["outputs"]
    each = -(-x.shape[axis] // pieces)
    sizes = inputs[1] if len(inputs) > 1 else attributes.get("split", [each] * (pieces - 1))
    return np.split(x, np.cumsum(ints(sizes))[: pieces - 1], axis)


def slice_of(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """A part, perhaps from the end to the beginning."""
    x = inputs[0]
    given = [*inputs[1:], None, None] if len(inputs) > 1 else [attributes.get(n) for n in ("starts", "ends", "axes")]
    starts, ends = ints(given[0]), ints(given[1])
    axes = range(len(starts)) if given[2] is None else ints(given[2])
    steps = [1] * len(starts) if len(given) < 4 or given[3] is None else ints(given[3])
    place = [slice(None)] * x.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps):
        place[axis] = slice(start, end, step)
    return x[tuple(place)]


def gather(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """The parts at some places of an axis."""
    x, places, axis = inputs[0], inputs[1], attributes.get("axis", 0)
    make(math.prod(np.delete(np.array(x.shape, object), axis)) * places.size)
    return np.take(x, places, axis)


def expand(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """Repeated along axes of size 1: a view, which takes no memory."""
    return np.broadcast_to(inputs[0], np.broadcast_shapes(inputs[0].shape, tuple(ints(inputs[1]))))


def tile(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """Repeated as a whole."""
    make(inputs[0].size * math.prod(ints(inputs[1])))
    return np.tile(inputs[0], ints(inputs[1]))


def constant_of_shape(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """One number everywhere: a view, which takes no memory."""
    tensor = attributes.get("value")
    fill = np.zeros(1, np.float32) if tensor is None else require_onnx().numpy_helper.to_array(tensor)
    return np.broadcast_to(fill.reshape(()), ints(inputs[0]))


def sizes_of_axes(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """The sizes of the axes."""
    return np.array(inputs[0].shape[attributes.get("start", 0) : attributes.get("end")], np.int64)


def reverse_sequence(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """The first steps of each row from the last to the first."""
    x, lengths = inputs[0], np.asarray(inputs[1])
    time, batch = attributes.get("time_axis", 0), attributes.get("batch_axis", 1)
    make(2 * x.size)
    return np.moveaxis(flip(np.moveaxis(x, (batch, time), (0, 1)), lengths), (0, 1), (batch, time))


def reducing(function: Callable[..., Any]) -> Callable[[Make, Inputs, Attributes], Any]:
    """Numbers along axes made one."""

    def reduce(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
        axes = axes_of(inputs, attributes)
        if axes is None and attributes.get("noop_with_empty_axes"):
            return inputs[0]
        make(inputs[0].size)
        return function(inputs[0], tuple(axes) if axes else None, keepdims=bool(attributes.get("keepdims", 1)))

    return reduce


def each_with_each(function: Callable[..., Any]) -> Callable[[Make, Inputs, Attributes], Any]:
    """Two values or more, number by number."""

    def combine(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
        found = inputs[0]
        for other in inputs[1:]:
            make(math.prod(np.broadcast_shapes(found.shape, other.shape)))
            found = function(found, other)
        return found

    return combine


def mean(make: Make, inputs: Inputs, attributes: Attributes) -> Any:
    """The mean of two values or more, number by number."""
    return each_with_each(np.add)(make, inputs, attributes) / inputs[0].dtype.type(len(inputs))


def divide(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x / y, of integers a whole number."""
    quotient: np.ndarray = x // y if x.dtype.kind in "iu" else x / y
    return quotient


MOVING: dict[str, Callable[[Make, Inputs, Attributes], Any]] = {
    "Cast": cast,
    "CastLike": cast_like,
    "Concat": concat,
    "Dropout": lambda make, inputs, attributes: inputs[0],
    "Expand": expand,
    "Flatten": flatten,
    "Gather": gather,
    "Identity": lambda make, inputs, attributes: inputs[0],
    "Reshape": reshape,
    "ReverseSequence": reverse_sequence,
    "Slice": slice_of,
    "Split": split,
    "Squeeze": squeeze,
    "Tile": tile,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
"""Operators that move the numbers of their first input (Concat: of all), and leave them as they are."""

OPERATORS = {
    **MOVING,
    "ConstantOfShape": constant_of_shape,
    "Shape": sizes_of_axes,
    "Size": lambda make, inputs, attributes: np.array(inputs[0].size),
    "ReduceSum": reducing(np.sum),
    "ReduceProd": reducing(np.prod),
    "ReduceMean": reducing(np.mean),
    "Add": each_with_each(np.add),
    "Sum": each_with_each(np.add),
    "Sub": each_with_each(np.subtract),
    "Mul": each_with_each(np.multiply),
    "Max": each_with_each(np.maximum),
    "Min": each_with_each(np.minimum),
    "Div": each_with_each(divide),
    "Mean": mean,
}
"""All that are run."""
