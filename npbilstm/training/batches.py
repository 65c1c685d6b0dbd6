"""Batches: sequences of like length side by side, padded to the longest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

POOL = 16
"""Batches are sorted by length within pools of this many: little padding, and still a random order."""


def pad(rows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Integer rows (T_n,) -> one array (N, max T_n), padded with 0, and lengths (N,); TypeError for other rows."""
    lengths = np.array([len(row) for row in rows], np.int64)
    padded = np.zeros((len(rows), lengths.max(initial=0)), np.int64)
    for n, row in enumerate(rows):
        if len(row) and np.asarray(row).dtype.kind not in "iu":
            raise TypeError(f"rows[{n}] has dtype {np.asarray(row).dtype}; it needs integers")
        padded[n, : len(row)] = row
    return padded, lengths


def batch_order(lengths: Sequence[int], batch_size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Which sequences go into which batch, shuffled, those of like length together -> index arrays, each index once."""
    size = np.asarray(lengths)
    order = rng.permutation(len(size))
    pools = [order[k : k + POOL * batch_size] for k in range(0, len(order), POOL * batch_size)]
    order = np.concatenate([pool[np.argsort(size[pool], kind="stable")] for pool in pools] or [order])
    batches = [order[k : k + batch_size] for k in range(0, len(order), batch_size)]
    return [batches[k] for k in rng.permutation(len(batches))]
