"""The gradient of a table of which a batch reads few rows: those rows, without the zeros of the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class RowGradient:
    """rows (R,), each row of the table once, rising; values (R, D), their gradients; shape (V, D), that of the table.

    >>> gradient = nb.layers.RowGradient(np.array([2]), np.array([[1.0, 3.0]]), (4, 2))
    >>> gradient.dense()[:, 1].tolist()
    [0.0, 0.0, 3.0, 0.0]
    """

    rows: np.ndarray
    values: np.ndarray
    shape: tuple[int, ...]

    def dense(self) -> np.ndarray:
        """The gradient of the whole table (V, D), zeros and all."""
        whole = np.zeros(self.shape, self.values.dtype)
        whole[self.rows] = self.values
        return whole

    def times(self, factor: float) -> RowGradient:
        """Each number by this factor."""
        return RowGradient(self.rows, self.values * factor, self.shape)

    def __add__(self, other: RowGradient) -> RowGradient:
        """The sum of two gradients of one table: each row that one of them has."""
        rows = np.union1d(self.rows, other.rows)
        values = np.zeros((len(rows), *self.shape[1:]), self.values.dtype)
        for each in (self, other):
            values[np.searchsorted(rows, each.rows)] += each.values
        return RowGradient(rows, values, self.shape)


def summed_by_row(ids: np.ndarray, dy: np.ndarray, shape: tuple[int, ...]) -> RowGradient:
    """ids (M,) of rows that were read, dy (M, D), what came back of each -> for each row the sum."""
    if not ids.size:
        return RowGradient(np.zeros(0, np.int64), np.zeros((0, *shape[1:]), dy.dtype), shape)
    order = np.argsort(ids, kind="stable")  # equal ids side by side
    rows, starts = np.unique(ids[order], return_index=True)
    return RowGradient(rows, np.add.reduceat(dy[order], starts), shape)
