"""Series in a .npz file: arrays side by side, padded at the end.

    x         (N, T, D), floating numbers or integers
    lengths   (N,) integers, how many of a row's T steps are real; without it all are
    and one target, named by its kind: class (N,), class_per_step (N, T), integers or text; value (N, K),
    value_per_step (N, T, K), floating numbers

What stands in the padding does not matter. np.savez(path, x=x, lengths=lengths, **{"class": labels}) writes it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.archives import open_archive
from npbilstm.datasets.series_file import KINDS, SeriesFile, require_one_kind


def read_npz(path: str | Path, max_bytes: int | None = None) -> SeriesFile:
    """max_bytes: what a compressed file may unpack to, see archives.py. Raises OSError where the file cannot be read;
    ValueError, naming it, the array, the row and the step, where it is in another form or a value is missing."""
    name = str(path)
    with open_archive(path, max_bytes) as archive:
        known = ("x", "lengths", *KINDS)
        unknown = [array for array in archive.names if array not in known]
        if unknown:
            raise ValueError(f"{name} holds {unknown[0]!r}, which is none of {', '.join(known)}")
        if "x" not in archive.names:
            raise ValueError(f"{name} holds no x, an array (N, T, D) of the series' numbers")
        kind = require_one_kind(archive.names, name, "array")
        x, target = archive.read("x"), archive.read(kind)
        lengths = archive.read("lengths") if "lengths" in archive.names else None
    if x.dtype.kind not in "iuf" or x.ndim != 3 or not x.shape[2]:
        raise ValueError(f"{name}: x has shape {x.shape} and dtype {x.dtype}; it needs numbers (N, T, D)")
    N, T, D = x.shape
    if not N:
        raise ValueError(f"{name} holds no series: x has shape {x.shape}")
    lengths = checked_lengths(name, lengths, N, T)
    rows = [row[:length].astype(float) for row, length in zip(x, lengths)]
    for n, row in enumerate(rows):
        require_known(f"{name}: x", n, row, "feature")
    return SeriesFile(name, kind, rows, targets_of(name, kind, target, lengths, T), [f"feature {d}" for d in range(D)])


def checked_lengths(name: str, lengths: np.ndarray | None, N: int, T: int) -> np.ndarray:
    """Integers (N,), each in 0..T. Raises ValueError for others."""
    if lengths is None:
        return np.full(N, T)
    if lengths.dtype.kind not in "iu" or lengths.shape != (N,):
        raise ValueError(
            f"{name}: lengths has shape {lengths.shape} and dtype {lengths.dtype}; it needs integers ({N},), one for "
            "each series"
        )
    for n, length in enumerate(lengths):
        if not 0 <= length <= T:
            raise ValueError(f"{name}: lengths[{n}] is {length}; it needs to be between 0 and {T}, the steps of x")
    return lengths.astype(np.int64)


def require_known(what: str, n: int, row: np.ndarray, column: str) -> None:
    """Raise ValueError for a number (T, D) of row n that is missing or infinite; `column`: of the last axis."""
    if not np.isfinite(row).all():
        place = np.argwhere(~np.isfinite(row))[0]
        step = f", step {place[0]}" if row.ndim == 2 else ""
        said = (
            "the value is missing (nan)" if np.isnan(row[tuple(place)]) else f"{row[tuple(place)]} is no finite number"
        )
        raise ValueError(
            f"{what}, row {n}{step}, {column} {place[-1]}: {said}; fill in a number, or leave the step out"
        )


def targets_of(name: str, kind: str, target: np.ndarray, lengths: np.ndarray, T: int) -> list[Any]:
    """Each row's target. Raises ValueError where the array is not of its kind."""
    N, per_step, classes = len(lengths), kind.endswith("_per_step"), kind.startswith("class")
    needed: tuple[Any, ...] = (N, T) if per_step else (N,)
    kinds, what = ("iuU", "integers or text") if classes else ("f", "floating numbers")
    fits = target.shape == needed if classes else target.shape[:-1] == needed and target.shape[-1:] > (0,)
    if not fits or target.dtype.kind not in kinds:
        shape = ", ".join(map(str, needed if classes else (*needed, "K")))
        raise ValueError(
            f"{name}: {kind} has shape {target.shape} and dtype {target.dtype}; it needs {what} "
            f"({shape}{',' if shape.isdigit() else ''})"
        )
    found: list[Any] = []
    for n, length in enumerate(lengths):
        own = target[n, :length] if per_step else target[n]
        if classes:
            names = [str(each) for each in np.ravel(own)]
            if not all(names):
                step = f", step {names.index('')}" if per_step else ""
                raise ValueError(f"{name}: {kind}, row {n}{step}: the value is missing; it needs a class")
            found.append(names if per_step else names[0])
        else:
            require_known(f"{name}: {kind}", n, own, "value")
            found.append(own.astype(float))
    return found
