"""The loss as a function that can be asked: at the point, and along a line through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from npbilstm.gradcheck.numerical import Along

Arrays = dict[str, np.ndarray]
Params = Mapping[str, np.ndarray]
Loss = Callable[[Arrays], Any]


class AtPoint(NamedTuple):
    """The loss at the point: its value, whether it came in single precision, the arrays that it changed in place."""

    value: float
    single: bool
    changed: list[str]


def evaluate(loss: Loss, params: Arrays) -> Any:
    """The loss as a scalar, or ValueError."""
    value = np.asarray(loss(params))
    if value.size != 1 or value.dtype.kind not in "fciu":
        raise ValueError(f"loss returned an array of shape {value.shape} and dtype {value.dtype}; it needs one number")
    if not np.isfinite(value).all():
        raise ValueError(f"loss is {value.reshape(())} at the params or a step away; a check needs finite numbers")
    return value.reshape(())[()]


def value_at_point(loss: Loss, point: Arrays) -> AtPoint:
    """The loss at the point itself, computed twice: a check makes sense only of a function."""
    given = copies(point)
    first = evaluate(loss, dict(given))
    second = evaluate(loss, copies(point))
    if first != second:
        raise ValueError(
            f"loss gave {first!r} and then {second!r} for the same params; it needs to be deterministic "
            "(is a dropout mask or a batch drawn anew at every call, or state carried from call to call?)"
        )
    return AtPoint(float(np.real(first)), is_single(first), changed_in(given, point))


def along(loss: Loss, point: Arrays, v: Arrays, dtype: type) -> Along:
    """The loss as a function of t at point + t v; parameters that v lacks stay. All are fresh arrays of this dtype."""

    def at(t: complex) -> Any:
        trial: Arrays = {name: p.astype(dtype) for name, p in point.items()}
        for name, direction in v.items():
            trial[name] += t * direction
        return evaluate(loss, trial)

    return at


def copies(arrays: Params) -> Arrays:
    """Fresh plain arrays of the same numbers."""
    return {name: np.array(array, subok=False) for name, array in arrays.items()}


def changed_in(now: Mapping[str, Any], before: Params) -> list[str]:
    """The names whose numbers are not what they were."""
    return [name for name in before if not same(now.get(name), before[name])]


def same(a: Any, b: np.ndarray) -> bool:
    """Whether two arrays hold the same, NaN in the same places included."""
    return np.array_equal(a, b, equal_nan=b.dtype.kind in "fc")


def is_single(value: Any) -> bool:
    """Whether a number or array has single precision or less."""
    dtype = np.asarray(value).dtype
    return dtype.kind in "fc" and np.finfo(dtype).eps > 1e-8


def holds_single(array: np.ndarray) -> bool:
    """Whether all numbers of an array are float32's, and not all whole: it came out of single precision, whatever its
    dtype is now."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool((array == array.astype(np.float32)).all() and (array != np.rint(array)).any())
