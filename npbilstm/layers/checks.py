"""What a layer refuses, each refusal a sentence that names the argument, what it got and what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from npbilstm.textbook.sequences import require_shape


def require_size(name: str, value: Any, least: int = 1) -> int:
    """A whole number of at least `least`, or a TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} is {value!r}; it needs a whole number")
    if value < least:
        raise ValueError(f"{name} is {value}; it needs to be at least {least}")
    return int(value)


def require_fraction(name: str, value: Any) -> float:
    """A number p with 0 <= p < 1, or a ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value < 1:
        raise ValueError(f"{name} is {value!r}; it needs a number from 0 up to, but not including, 1")
    return float(value)


def require_dtype(dtype: Any) -> np.dtype:
    """float32 or float64 as a NumPy dtype, or a TypeError."""
    checked = np.dtype(dtype)
    if checked not in (np.float32, np.float64):
        raise TypeError(f"dtype is {checked}; a layer works in float32 or float64")
    return checked


def working_dtype(params: Mapping[str, np.ndarray], *inputs: np.ndarray) -> np.dtype:
    """The dtype of the params; complex if any input is, so that the complex step goes through."""
    dtype = np.result_type(*params.values())
    if any(np.iscomplexobj(array) for array in inputs):
        dtype = np.result_type(dtype, np.complex64)
    return dtype


def require_floats(name: str, x: Any) -> np.ndarray:
    """x as an array of floating numbers, or a TypeError."""
    x = np.asarray(x)
    if x.dtype.kind not in "fc":
        raise TypeError(f"{name} has dtype {x.dtype}; it needs floating numbers, e.g. {name}.astype(np.float32)")
    return x


def as_gradient(dy: Any, dtype: np.dtype) -> np.ndarray:
    """An upstream gradient in the dtype that the forward pass worked in, but complex where it is complex."""
    dy = require_floats("dy", dy)
    return dy.astype(np.result_type(dtype, np.complex64) if np.iscomplexobj(dy) else dtype, copy=False)


def require_features(name: str, x: Any, axes: str, features: int, made_with: str) -> np.ndarray:
    """x as an array of floating numbers with the axes named, e.g. "N, T, D", and `features` at the last."""
    x = require_floats(name, x)
    if axes != "..." and x.ndim != axes.count(",") + 1:
        raise ValueError(f"{name} has shape {x.shape}; it needs axes ({axes})")
    if x.ndim == 0 or x.shape[-1] != features:
        got = x.shape[-1] if x.ndim else "no"
        raise ValueError(f"{name} has {got} features at its last axis; this layer was made with {made_with}={features}")
    return x


def require_state(
    name: str, state: Any, parts: tuple[str, ...], shapes: list[tuple[int, ...]], batched: bool
) -> list[np.ndarray]:
    """A recurrent layer's state, e.g. a pair (h, c), as arrays of these shapes (..., N, ...); None means zeros.

    Where it is not batched, it comes without the N, which is 1.
    """
    if state is None:
        return [np.zeros(shape, np.float32) for shape in shapes]
    if len(parts) == 1:
        if isinstance(state, (tuple, list)):
            raise TypeError(f"{name} is a {type(state).__name__}; it needs the array h alone, or None for zeros")
        state, names = (state,), [name]
    else:
        if not isinstance(state, (tuple, list)) or len(state) != len(parts):
            needed = f"a pair ({', '.join(parts)}) of arrays"
            raise TypeError(f"{name} is a {type(state).__name__}; it needs {needed}, or None for zeros")
        names = [f"{name}'s {part}" for part in parts]
    found = []
    for label, array, shape in zip(names, state, shapes):
        array = require_floats(label, array)
        require_shape(label, array, shape if batched else (shape[0], *shape[2:]))
        found.append(array if batched else array[:, None])
    return found


def require_ids(name: str, ids: Any, rows: int) -> np.ndarray:
    """Integers in 0..rows-1, or a TypeError or ValueError."""
    ids = np.asarray(ids)
    if ids.dtype.kind not in "iu":
        raise TypeError(f"{name} has dtype {ids.dtype}; it needs integers, each the number of a row of the table")
    if ids.size and not (ids.min() >= 0 and ids.max() < rows):
        outside = ids[(ids < 0) | (ids >= rows)][0]
        raise ValueError(f"{name} holds {outside}; this layer has rows 0 to {rows - 1}")
    return ids


def require_finite(name: str, x: np.ndarray, valid: np.ndarray) -> None:
    """Raise ValueError, naming the first place, where x (N, T, ...) is NaN or infinite at a valid step (N, T)."""
    finite = np.isfinite(x).reshape(*valid.shape, -1).all(axis=-1)
    if not (finite | ~valid).all():
        n, t = np.argwhere(~finite & valid)[0]
        raise ValueError(f"{name} is not finite in row {n} at step {t}, a valid step; it needs finite numbers")
