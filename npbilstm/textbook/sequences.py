"""Sequences of unequal length in one batch: lengths, valid steps, and the flip that respects them.

A batch x (N, T, D) holds N sequences, each padded at its end to T steps. lengths (N,) says how many steps of each
row are real: row n is *valid* at the steps 0 <= t < lengths[n] and *padding* after. What stands in the padding never
matters.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def as_array(name: str, given: Any) -> np.ndarray:
    """What was given, as a plain array of which nothing is lost.

    Raises TypeError for a masked array and for what NumPy cannot read, ValueError for rows of unequal lengths.
    """
    if type(given) is np.ndarray and not given.dtype.hasobject:
        return given
    code = name.split()[-1]  # of "state's h" the h
    parts = given if isinstance(given, (list, tuple)) else [given]
    if any(isinstance(part, np.ma.MaskedArray) for part in parts):
        raise TypeError(
            f"{name} is a masked array, whose mask would be lost; it needs a plain one, e.g. {code}.filled(0)"
        )
    try:
        array = np.asarray(given)
        ragged = array.dtype.hasobject and any(isinstance(part, (list, tuple, np.ndarray)) for part in array.flat)
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:
        ragged = isinstance(error, ValueError) and isinstance(given, (list, tuple))
        if not ragged:  # e.g. a torch tensor that requires a gradient
            why = str(error).rstrip(".")
            raise TypeError(
                f"{name} cannot be read as an array: {why}; of a torch tensor it needs {code}.detach().numpy()"
            ) from error
    if ragged:
        raise ValueError(f"{name} has rows of unequal lengths; nb.pad makes of them one array, padded, and lengths")
    return array


def require_shape(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless array has exactly this shape: a shape that merely broadcasts is a wrong answer."""
    if np.shape(array) != shape:
        raise ValueError(f"{name} has shape {np.shape(array)}; it needs {shape}")


def check_lengths(lengths: np.ndarray | None, N: int, T: int) -> np.ndarray:
    """The lengths as an integer array (N,); None means that every row has all T steps.

    Raises TypeError where they are not integers, ValueError where their shape is not (N,) or one is not in 0..T.
    """
    if lengths is None:
        return np.full(N, T)
    checked = as_array("lengths", lengths)
    if checked.dtype.kind not in "iu" and checked.size:
        raise TypeError(f"lengths has dtype {checked.dtype}; it needs integers")
    require_shape("lengths", checked, (N,))
    for n, length in enumerate(checked):
        if not 0 <= length <= T:
            raise ValueError(f"lengths[{n}] is {length}; it needs to be between 0 and T = {T}")
    return checked.astype(np.int64)


def valid_steps(lengths: np.ndarray, T: int) -> np.ndarray:
    """Which steps are real: valid[n, t] = t < lengths[n]. lengths (N,) -> bool (N, T)."""
    return np.arange(T) < np.asarray(lengths)[:, None]


def flip(x: np.ndarray, lengths: np.ndarray | None = None) -> np.ndarray:
    """Reverse each row's valid steps in time and leave its padding where it is.

        flip(x)[n, t] = x[n, lengths[n] - 1 - t]    where t < lengths[n]
                        x[n, t]                     in the padding

    With lengths 4 and 2 the rows  [a b c d]  become  [d c b a]
                                   [e f . .]          [f e . .]

    A plain x[:, ::-1] would give [. . f e] for the second row, and an LSTM would read the padding first.

    flip is its own inverse, and only moves entries, so the same flip is also its own backward pass.

    x (N, T, ...), lengths (N,) -> a new array like x. Raises as check_lengths does.
    """
    N, T = x.shape[:2]
    last = check_lengths(lengths, N, T)[:, None] - 1  # (N, 1)
    t = np.arange(T)
    source = np.where(t <= last, last - t, t)  # (N, T)
    return x[np.arange(N)[:, None], source]
