"""What `trace` is given: checked, as a batch, in words where it cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from npbilstm.textbook.sequences import as_array


def as_batch(name: str, given: Any, shape: tuple[int, ...], alone: bool) -> np.ndarray:
    """A copy of an array that needs this shape, or where it came with one sequence `alone` this shape without its N;
    of a lone sequence one number will do for an array of one."""
    array = np.array(as_array(name, given))
    needed = shape[1:] if alone else shape
    if alone and needed == () and array.shape == (1,):
        needed = (1,)
    if array.shape != needed:
        raise ValueError(f"{name} has shape {array.shape}; it needs {needed}")
    return array.reshape(shape)


def copied_ids(x: Any) -> np.ndarray:
    """A model's symbols as an array of their own."""
    return np.array(as_array("x", x))


def require_real(name: str, given: Any) -> np.ndarray:
    """An array of floating numbers. Raises TypeError for others, complex ones too: there is no bar of such a size."""
    array = as_array(name, given)
    if array.dtype.kind != "f":
        raise TypeError(f"{name} has dtype {array.dtype}; a trace needs real floating numbers, e.g. float32")
    return array


def require_steps(shape: tuple[int, ...]) -> None:
    """Raise ValueError where a batch has no step to be looked at."""
    if 0 in shape:
        raise ValueError(f"x has shape {shape}; a trace needs at least one row and one step")


def checked_classes(classes: Any, V: int) -> list[str] | None:
    """The names of a model's V classes, None where nobody gives any."""
    if classes is None:
        return None
    if isinstance(classes, str) or not isinstance(classes, Sequence):
        raise TypeError(f"classes is a {type(classes).__name__}; it needs a list of names")
    if len(classes) != V:
        raise ValueError(f"classes has {in_number(len(classes), 'name')}; the model has {in_number(V, 'class')}")
    return [str(name) for name in classes]


def checked_rows(target: Any, N: int, alone: bool) -> list[np.ndarray]:
    """Copies of rows of integers, one for each row of the batch; of a lone sequence its own may come as it is. Raises
    TypeError for what is no row, ValueError where there are not as many."""
    try:
        rows = list(target)
    except TypeError:
        raise TypeError(f"target is {target!r}; it needs a list with the integers of each row") from None
    if alone and (not rows or as_array("target[0]", rows[0]).ndim == 0):
        rows = [target]
    if len(rows) != N:
        raise ValueError(f"target has {in_number(len(rows), 'row')}; x has {N}")
    found = [np.array(as_array(f"target[{n}]", row)) for n, row in enumerate(rows)]
    for n, row in enumerate(found):
        if row.ndim == 0:
            raise TypeError(f"target[{n}] is {rows[n]!r}; it needs a list of integers, those of row {n}")
    return [row if len(row) else np.zeros(0, np.int64) for row in found]


def token_names(tokens: Any, lengths: np.ndarray, T: int) -> list[list[str]]:
    """A name for every valid step of every row; None for the steps' numbers.

    Of a batch of one, a row may come as it is: a string, or a list with a name for each step.
    """
    N = len(lengths)
    if tokens is None:
        return [[str(t) for t in range(length)] for length in lengths]
    rows = [tokens] if isinstance(tokens, str) else list_of(tokens, "tokens")
    if N == 1 and not (len(rows) == 1 and is_row(rows[0], int(lengths[0]))):
        rows = [rows]
    if len(rows) != N:
        raise ValueError(f"tokens has {in_number(len(rows), 'row')}; x has {N}")
    found = []
    for n, (row, length) in enumerate(zip(rows, lengths)):
        names = list_of(row, f"row {n} of tokens")
        if not length <= len(names) <= T:
            needed = f"{in_number(int(length), 'step')}{f', {T} with its padding' if length < T else ''}"
            raise ValueError(f"tokens has {in_number(len(names), 'name')} for row {n}; the row has {needed}")
        found.append([str(name) for name in names[:length]])
    return found


def is_row(row: Any, length: int) -> bool:
    """Whether this is a row of names, and not the one name of a row of one step."""
    return isinstance(row, (list, tuple, np.ndarray)) or (isinstance(row, str) and length > 1)


def list_of(row: Any, name: str) -> list[Any]:
    """The names of a row, or the rows of a batch."""
    try:
        return list(row)
    except TypeError:
        raise TypeError(f"{name} is a {type(row).__name__}; it needs a string or a list of names") from None


def in_number(n: int, thing: str) -> str:
    """1 name, 2 names, 3 classes."""
    return f"{n} {thing}{'' if n == 1 else 'es' if thing.endswith('s') else 's'}"
