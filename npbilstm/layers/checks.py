"""What a layer refuses, each refusal a sentence that names the argument, what it got and what it needs."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from npbilstm.textbook.sequences import as_array, valid_steps


def require_size(name: str, value: Any, least: int = 1, most: float = sys.maxsize) -> int:
    """A whole number from `least` to `most`, or a TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} is {value!r}; it needs a whole number")
    if value < least:
        raise ValueError(f"{name} is {value}; it needs to be at least {least}")
    if value > most:
        raise ValueError(f"{name} is {value}; it needs to be at most {most}")
    return int(value)


def require_bool(name: str, value: Any) -> bool:
    """True or False, or a TypeError: the string "False" would count as true."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} is {value!r}; it needs True or False")
    return bool(value)


def require_choice(name: str, value: Any, choices: Iterable[Any]) -> Any:
    """One of the choices, or a ValueError."""
    if not (value is None or isinstance(value, (str, tuple))) or value not in choices:
        raise ValueError(f"{name} is {value!r}; it needs one of {', '.join(map(repr, choices))}")
    return value


def is_real(value: Any) -> bool:
    """Whether it is a real number, Python's or NumPy's; True and False are none."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def require_fraction(name: str, value: Any) -> float:
    """A number p with 0 <= p < 1, or a ValueError."""
    if not (is_real(value) and 0 <= value < 1):
        raise ValueError(f"{name} is {value!r}; it needs a number from 0 up to, but not including, 1")
    return float(value)


def require_dtype(dtype: Any) -> np.dtype:
    """float32 or float64 as a NumPy dtype, or a TypeError."""
    checked: np.dtype = np.dtype(dtype)
    if checked not in (np.float32, np.float64):
        raise TypeError(f"dtype is {checked}; a layer works in float32 or float64")
    return checked


def require_rng(rng: Any) -> np.random.Generator:
    """The generator of a seed, or the one given; or a TypeError."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise TypeError(f"rng is {rng!r}; it needs a seed, a generator or None") from error


def pass_rng(own: Any, given: Any) -> np.random.Generator:
    """The generator of one pass: that of the seed given, else the layer's own, which was a seed only once."""
    if not isinstance(own, np.random.Generator):
        raise TypeError(f"rng is {own!r}; a layer needs a generator, e.g. np.random.default_rng({own!r})")
    return own if given is None else require_rng(given)


def working_dtype(dtype: np.dtype, *inputs: np.ndarray) -> np.dtype:
    """The dtype of the params; complex if any input is, so that the complex step goes through."""
    for array in inputs:
        if array.dtype.kind == "c":
            return np.result_type(dtype, np.complex64)
    return dtype


def require_floats(name: str, given: Any) -> np.ndarray:
    """given as an array of floating numbers, or a TypeError."""
    x = as_array(name, given)
    if x.dtype.kind not in "fc":
        code = name.split()[-1]
        raise TypeError(f"{name} has dtype {x.dtype}; it needs floating numbers, e.g. {code}.astype(np.float32)")
    return x


def in_dtype(name: str, given: Any, dtype: np.dtype, lengths: np.ndarray | None = None) -> np.ndarray:
    """given, floating numbers, in the dtype that a layer works in, but complex where it is complex.

    Raises TypeError where it does not hold floating numbers, ValueError where the dtype makes infinity of a finite one.
    In the padding of an x (N, T, ...) with lengths it may.
    """
    if type(given) is np.ndarray and given.dtype == dtype:
        return given  # as nearly always
    x = require_floats(name, given)
    dtype = working_dtype(dtype, x)
    with np.errstate(over="ignore"):
        cast: np.ndarray = x.astype(dtype, copy=False)
    lost = np.isinf(cast)
    if lost.any():
        lost &= np.isfinite(x)
        if lengths is not None:
            lost = (lost.T & valid_steps(lengths, x.shape[1]).T).T
        if lost.any():
            raise ValueError(f"{name} holds {x[lost][0]!s}; in {dtype}, which the layer works in, it would be infinite")
    return cast


def require_features(name: str, given: Any, axes: str, features: int, made_with: str) -> np.ndarray:
    """given as an array of floating numbers with the axes named, e.g. "N, T, D", and `features` at the last."""
    x = require_floats(name, given)
    if axes != "..." and x.ndim != axes.count(",") + 1:
        raise ValueError(f"{name} has shape {x.shape}; it needs axes ({axes})")
    if x.ndim == 0 or x.shape[-1] != features:
        got = x.shape[-1] if x.ndim else "no"
        raise ValueError(f"{name} has {got} features at its last axis; this layer was made with {made_with}={features}")
    return x


def require_integers(name: str, given: Any) -> np.ndarray:
    """given as an array of integers, or a TypeError."""
    ids = as_array(name, given)
    if not ids.size:
        return ids.astype(np.int64)  # to NumPy an empty list holds floats
    if ids.dtype.kind not in "iu":
        raise TypeError(f"{name} has dtype {ids.dtype}; it needs integers, each the number of a row of the table")
    return ids


def require_ids(name: str, given: Any, rows: int) -> np.ndarray:
    """Integers in 0..rows-1, or a TypeError or ValueError."""
    ids = require_integers(name, given)
    if ids.size and not (ids.min() >= 0 and ids.max() < rows):
        outside = ids[(ids < 0) | (ids >= rows)][0]
        raise ValueError(f"{name} holds {outside}; this layer has rows 0 to {rows - 1}")
    return ids


def require_finite(name: str, x: np.ndarray, valid: np.ndarray) -> None:
    """Raise ValueError, naming the first place, where x (N, T, D) is NaN or infinite at a valid step (N, T)."""
    finite = np.isfinite(x).all(axis=-1)
    if not (finite | ~valid).all():
        n, t = np.argwhere(~finite & valid)[0]
        raise ValueError(f"{name} is not finite in row {n} at step {t}, a valid step; it needs finite numbers")
