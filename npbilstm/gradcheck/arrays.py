"""The arrays that a check is given: what they must be, and what about them is worth a note."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from npbilstm.gradcheck.values import Arrays, Params


def checked_arrays(params: Params, grads: Params, label: str = "params") -> tuple[Arrays, Arrays]:
    """Copies of both as plain float64 arrays, or the error that says why they cannot be compared.

    label: what the caller calls the first of them.
    """
    for what, arrays in [(label, params), ("grads", grads)]:
        if not isinstance(arrays, Mapping):
            raise TypeError(f"{what} is a {type(arrays).__name__}; it needs a dict of name -> array")
    if not params:
        raise ValueError(f"{label} is empty; there is nothing to check")
    if set(params) != set(grads):
        missing, extra = sorted(set(params) - set(grads)), sorted(set(grads) - set(params))
        raise ValueError(f"grads must have the names of {label}; it lacks {missing} and has {extra} besides")
    for what, arrays in [(label, params), ("grads", grads)]:
        for name, array in arrays.items():
            require_float64(f"{what}[{name!r}]", array)
    point = {name: np.array(array, np.float64, order="C", subok=False) for name, array in params.items()}
    judged = {name: np.array(grads[name], np.float64, order="C", subok=False) for name in params}
    for name in point:
        if judged[name].shape != point[name].shape:
            raise ValueError(
                f"grads[{name!r}] has shape {judged[name].shape}; {label}[{name!r}] has {point[name].shape}"
            )
    return point, judged


def require_float64(what: str, array: np.ndarray) -> None:
    """Raise TypeError where an array is not of float64, with the reason."""
    dtype = np.asarray(array).dtype
    if dtype == np.float64:
        return
    why = "a gradient check needs float64"
    if dtype in (np.float16, np.float32):
        why += f": in {dtype} round-off alone makes right gradients differ in the fourth digit"
    elif dtype.kind in "iub":
        why += ": a small step added to a whole number is lost"
    raise TypeError(f"{what} has dtype {dtype}; {why}. Convert with .astype(np.float64) and run again")


def notes_on_memory(label: str, arrays: Params) -> list[str]:
    """Sentences on arrays that share memory, or lie in it so that other checkers go astray."""
    notes = []
    for name, array in arrays.items():
        if isinstance(array, np.ndarray) and array.size > 1 and not array.flags.c_contiguous:
            notes.append(
                f"{label}[{name!r}] is not contiguous: its ravel() is a copy, so x.ravel()[k] += h changes nothing, "
                "and a loop that moves entries in that way finds zeros. Here copies are checked."
            )
    for (one, first), (other, second) in combinations(arrays.items(), 2):
        if overlap(first, second):
            notes.append(
                f"{label}[{one!r}] and {label}[{other!r}] share memory: what is written to one changes the other. "
                "Here each is a copy and moves alone."
            )
    return notes


def overlap(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays surely have an element in common."""
    try:
        return np.shares_memory(a, b, max_work=1000)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return False
