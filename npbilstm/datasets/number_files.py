"""Numbers that a layer or a model may read, out of a file, without targets: .npy, .npz, .csv, .ts."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from npbilstm.archives import damage_named, header_of, open_archive
from npbilstm.datasets.series import read_series
from npbilstm.datasets.series_csv import numbered_lines, numbers
from npbilstm.datasets.series_file import number_in
from npbilstm.datasets.series_npz import checked_lengths
from npbilstm.datasets.text import read_text
from npbilstm.files import open_file

SUFFIXES = (".npy", ".npz", ".csv", ".ts")


def read_numbers(path: str, ids: bool = False, max_bytes: int | None = None) -> list[np.ndarray]:
    """All series of a file, x (T_n, D) each, float64; or ids (T_n,), a symbol's whole number for each step.

    .npy    (N, T, D), (T, D) or (T,); of ids (N, T) or (T,)
    .npz    such an array, x if there are several, and the lengths (N,) if they stand beside it
    .csv    a line a step, of numbers alone, its columns named or not; or as npbilstm train reads series
    .ts     series of the UCR archive

    max_bytes: what an .npz may unpack to. Raises OSError or ValueError, naming path, where it holds no such numbers.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path} is no file of numbers; its name needs to end in {', '.join(SUFFIXES)}")
    if suffix in (".npy", ".npz"):
        x, lengths = read_npy(path) if suffix == ".npy" else read_npz(path, max_bytes)
        return rows_of(path, x, lengths, ids)
    rows = read_series(path).rows if suffix == ".ts" or names_series(path) else [read_table(path)]
    if not ids:
        return rows
    if any(row.shape[1] != 1 or (row != np.rint(row)).any() for row in rows):
        raise ValueError(f"{path}: the model reads symbols; it needs one column of whole numbers")
    return [row[:, 0].astype(np.int64) for row in rows]


def rows_of(path: str, x: np.ndarray, lengths: np.ndarray | None, ids: bool) -> list[np.ndarray]:
    """The series of an array (N, T, D), (T, D) or (T,); or the ids of one (N, T) or (T,)."""
    kinds, axes, needed = (
        ("iu", 1, "whole numbers (T,) or (N, T)") if ids else ("fiu", 2, "numbers (T, D) or (N, T, D)")
    )
    if not ids and x.ndim == 1:
        x = x[:, None]
    if x.dtype.kind not in kinds or x.ndim not in (axes, axes + 1):
        raise ValueError(f"{path}: x has shape {x.shape} and dtype {x.dtype}; it needs {needed}")
    if x.ndim == axes:
        x = x[None]
    x = x if ids else x.astype(np.float64)
    ends = checked_lengths(path, lengths, len(x), x.shape[1])
    return [row[:length] for row, length in zip(x, ends)]


def read_npy(path: str) -> tuple[np.ndarray, None]:
    """The array of an .npy file, its header not believed."""
    with open_file(path) as file, damage_named(path):
        shape, by_columns, dtype = header_of("it", file)
        content = file.read(os.fstat(file.fileno()).st_size)
        if not dtype.itemsize or min(shape, default=0) < 0 or len(content) != dtype.itemsize * int(np.prod(shape)):
            raise ValueError(f"it is said to be {dtype} of shape {shape}; it has {len(content):,} bytes")
        return np.ndarray(shape, dtype, content, order="F" if by_columns else "C"), None


def read_npz(path: str, max_bytes: int | None) -> tuple[np.ndarray, np.ndarray | None]:
    """x, or the only array, and the lengths if they stand beside it."""
    with open_archive(path, max_bytes) as archive:
        names = [name for name in archive.names if name != "lengths"]
        if "x" not in names and len(names) != 1:
            raise ValueError(f"{path} holds {', '.join(map(repr, names[:8])) or 'nothing'}; it needs x, or one array")
        x = archive.read("x" if "x" in names else names[0])
        return x, archive.read("lengths") if "lengths" in archive.names else None


def names_series(path: str) -> bool:
    """Whether the first line of a .csv file names a column `series`, as npbilstm train needs it."""
    lines = numbered_lines(read_text(path), path)
    return bool(lines) and "series" in [field.strip() for field in lines[0][1]]


def read_table(path: str) -> np.ndarray:
    """A .csv file of nothing but numbers, a line a step (T, D); its first line may name the columns."""
    lines = numbered_lines(read_text(path), path)
    header = [f"{k}" for k in range(len(lines[0][1]))] if lines else []
    try:
        for field in lines[0][1] if lines else ():
            number_in(field, path)
    except ValueError:
        header = [field.strip() for field in lines.pop(0)[1]]
    for line, fields in lines:
        if len(fields) != len(header):
            raise ValueError(f"{path}, line {line}: {len(fields)} fields; the first line has {len(header)}")
    return numbers(path, header, lines, list(range(len(header)))).reshape(len(lines), len(header))
