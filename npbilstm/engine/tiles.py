"""Weights in tiles: small enough to be multiplied without being packed.

BLAS copies ("packs") the operands of a product into the order its kernel reads, at every call; in a recurrence that
is the same weights at every step. OpenBLAS's kernels for AVX-512 leave the packing out where rows * depth * columns
is at most a million. So the weights are kept as tiles of 64 columns, the width these kernels like best, each
contiguous; where that is not small enough, the rows are split as well. On a Zen 5, one thread, float32, (32, 257) @
(257, 512): 136 GFLOP/s whole, 227 in tiles. And such a product starts no BLAS threads, which leaves them to us.
Where BLAS always packs, a tile is a gate's whole matrix.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache

import numpy as np

from npbilstm.engine.buffers import borrow

Array = np.ndarray


@cache
def unpacked_limit() -> int:
    """The largest rows * depth * columns that BLAS multiplies without packing; 0 where it always packs: where it is not
    OpenBLAS on a processor with AVX-512, or its kernels for another one were asked for by name."""
    if os.environ.get("OPENBLAS_CORETYPE", "SkylakeX").lower() not in ("skylakex", "cooperlake", "sapphirerapids"):
        return 0
    config = np.show_config(mode="dicts")  # without what a build knows nothing of
    openblas = "openblas" in config.get("Build Dependencies", {}).get("blas", {}).get("name", "")
    found = config.get("SIMD Extensions", {}).get("found", [])
    avx512 = "X86_V4" in found or "AVX512_SKX" in found  # since, before NumPy 2.4
    return 1_000_000 if openblas and avx512 else 0


@cache
def tile_width(width: int) -> int:
    """In tiles of how many columns to keep a matrix of this width, which the tiles must fill."""
    if not unpacked_limit():
        return width
    return 64 if width % 64 == 0 else max((w for w in range(32, 129) if width % w == 0), default=width)


@cache
def tile_rows(rows: int, depth: int, width: int) -> int:
    """How many rows to multiply at a time with a tile (depth, width): a divisor of `rows`; the kernels like fours."""
    most = unpacked_limit() // max(depth * width, 1)
    if rows <= most:
        return max(rows, 1)
    fitting = [r for r in range(4, most + 1) if rows % r == 0]
    return max(fitting, key=lambda r: (r % 4 == 0, r), default=max(rows, 1))


@cache
def row_tiles(rows: int, depth: int, width: int) -> tuple[int, int]:
    """(how many, of how many rows each): the same for any number of rows, the last tile filled up."""
    most = unpacked_limit() // max(depth * width, 1) // 4 * 4
    if most < 16:
        return 1, rows
    count = -(-rows // most)
    return count, -(-rows // (4 * count)) * 4


def tiled_weights(rows: Sequence[Sequence[Array]], scales: Sequence[float], shift: int = 0) -> Array:
    """W (S, gates, H/w, 1, K, w): for each direction the matrix of these rows, its gates shifted, scaled, in tiles.

    rows: for each direction the parts, e.g. [Wh, b, Wx], that stand one above the other, each (k, gates * H), b (gates
    * H,). scales: what each gate is multiplied by; shift: so many of the last gates come first.
    """
    gates = len(scales)
    H, later = rows[0][0].shape[-1] // gates, gates - shift
    w, K = tile_width(H), sum(part.size for part in rows[0]) // (gates * H)
    (W,) = borrow(rows[0][0].dtype, (len(rows), gates, H // w, 1, K, w))
    for tiles, parts in zip(W, rows):
        k = 0
        for part in parts:
            in_gates = part.reshape(-1, gates, H // w, w).transpose(1, 2, 0, 3)
            below = k + in_gates.shape[2]
            tiles[shift:, :, 0, k:below] = in_gates[:later]
            if shift:
                tiles[:shift, :, 0, k:below] = in_gates[later:]
            k = below
    W *= np.asarray(scales, W.dtype)[:, None, None, None, None]
    return W


def transposed_tiles(W: Sequence[Array], scales: Sequence[float], rows: slice) -> Array:
    """(S, k/w, 1, gates * H, w): these k rows of tiled_weights' matrices, unscaled, transposed, in tiles, for da W^T.

    Gates of several matrices stand one above the other, then; scales are those of all of them.
    """
    S, _, tiles, _, _, v = W[0].shape
    k = W[0][0, 0, 0, 0, rows].shape[0]
    w = tile_width(k)
    (WT,) = borrow(W[0].dtype, (S, k // w, len(scales), tiles, v, w))
    g = 0
    for part in W:
        by_tile = part[:, :, :, 0, rows].reshape(S, part.shape[1], tiles, k // w, w, v)
        WT[:, :, g : g + part.shape[1]] = by_tile.transpose(0, 3, 1, 2, 5, 4)
        g += part.shape[1]
    WT /= np.asarray(scales, WT.dtype)[:, None, None, None]  # exact: powers of two
    return WT.reshape(S, k // w, 1, -1, w)


def product_views(Z: Array, W: Array, out: Array) -> tuple[Array, Array]:
    """Z (..., N, K) and out (..., N, width) seen so that matmul(the first, W, the second) makes out = Z W, for a W
    (..., width/w, 1, K, w) in tiles."""
    *leading, N, K = Z.shape
    w = W.shape[-1]
    r = tile_rows(N, K, w)
    return Z.reshape(*leading, 1, N // r, r, K), tiles_of(out, r, w)


def tiles_of(matrices: Array, r: int, w: int) -> Array:
    """The same memory (..., rows, width) seen in tiles (..., width/w, rows/r, r, w)."""
    *leading, rows, width = matrices.shape
    tiles = matrices.reshape(*leading, rows // r, r, width // w, w)
    return tiles.swapaxes(-3, -2).swapaxes(-4, -3)
