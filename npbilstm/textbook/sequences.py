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


def check_lengths(lengths: Any, N: int, T: int) -> np.ndarray:
    """The lengths as an integer array (N,); None means that every row has all T steps.

    Raises TypeError where they are not integers, ValueError where their shape is not (N,) or one is not in 0..T. Of a
    mask (N, T) the sentence says how to make lengths of it.
    """
    if lengths is None:
        return np.full(N, T)
    checked = as_array("lengths", lengths)
    whole = checked.dtype.kind in "iu" or not checked.size
    if is_mask(checked, N, T):
        raise (ValueError if whole else TypeError)(lengths_of_mask(checked, N, T))
    if not whole:
        of_mask = "; of a mask (N, T) they are mask.sum(axis=1)" if checked.dtype.kind == "b" else ""
        raise TypeError(f"lengths has dtype {checked.dtype}; it needs integers{of_mask}")
    require_shape("lengths", checked, (N,))
    for n, length in enumerate(checked):
        if not 0 <= length <= T:
            raise ValueError(f"lengths[{n}] is {length}; it needs to be between 0 and T = {T}")
    return checked.astype(np.int64)


def is_mask(given: np.ndarray, N: int, T: int) -> bool:
    """Whether this says of each step of a batch if it is real: False and True, or 0 and 1, of shape (N, T) or (T, N).

    A last axis of 1, (N, T, 1), may be there.
    """
    shape = given.shape[:2] if given.ndim == 3 and given.shape[2] == 1 else given.shape
    return shape in ((N, T), (T, N)) and given.dtype.kind in "biuf" and bool(np.isin(given, (0, 1)).all())


def lengths_of_mask(mask: np.ndarray, N: int, T: int) -> str:
    """The sentence for a mask where lengths belong: how to make lengths of it, and of what lengths cannot say."""
    code, axis = ("mask[..., 0]" if mask.ndim == 3 else "mask"), 1
    rows = mask.reshape(mask.shape[:2]) != 0
    if rows.shape != (N, T) or (N == T and starts(rows).any() and not starts(rows.T).any()):  # (T, N), time first
        rows, axis = rows.T, 0
    first = "(T, N), time first" if axis == 0 else "(N, T)"
    as_integers = ".astype(int)" if mask.dtype.kind == "f" else ""
    said = (
        f"lengths is a mask of shape {mask.shape}, {first}; it needs how many steps each row has, (N,): "
        f"lengths = {code}.sum(axis={axis}){as_integers}"
    )
    if not starts(rows).any():
        return said
    n, t = np.argwhere(starts(rows))[0]
    place = "on its left" if not rows[n, : t + 1].any() else "between its steps"
    turned = f"{code}{'.T' if axis == 0 else ''} == 0"
    said += (
        f". But row {n} has padding {place} (step {t} is padding, step {t + 1} is not), and lengths need it on the "
        f"right. Move it there first: order = np.argsort({turned}, axis=1, kind='stable'), "
        "x = x[np.arange(len(x))[:, None], order]"
    )
    if not starts(~rows).any():
        said += f". Or, if it is the padding that is marked with {mask.max()}: lengths = ({turned}).sum(axis=1)"
    return said


def starts(rows: np.ndarray) -> np.ndarray:
    """Where in a mask (N, T) a real step follows padding, at t + 1 -> (N, T - 1)."""
    return ~rows[:, :-1] & rows[:, 1:]


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

    >>> nb.flip(np.array([[1, 2, 3, 4], [5, 6, 0, 0]]), np.array([4, 2])).tolist()
    [[4, 3, 2, 1], [6, 5, 0, 0]]
    """
    N, T = x.shape[:2]
    last = check_lengths(lengths, N, T)[:, None] - 1  # (N, 1)
    t = np.arange(T)
    source = np.where(t <= last, last - t, t)  # (N, T)
    return x[np.arange(N)[:, None], source]
