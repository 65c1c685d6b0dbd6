"""Weights in tiles: small enough to be multiplied without being packed.

BLAS copies ("packs") the operands of a product into the order its kernel reads, at every call; in a recurrence that
is the same weights at every step. OpenBLAS's kernels for AVX-512 leave the packing out where rows * depth * columns
is at most a million. So the weights are kept as tiles of 64 columns, the width these kernels like best, each
contiguous; where that is not small enough, the rows are split as well. Measured on a Zen 5, one thread, float32, (32,
257) @ (257, 512): 136 GFLOP/s whole, 227 in tiles. And such a product starts no BLAS threads, which leaves them to
us.

Where BLAS always packs, a tile is a gate's whole matrix.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache

import numpy as np

from npbilstm.engine.buffers import borrow

Array = np.ndarray
Weights = tuple[Array, Array, Array]
"""Wx (D, 4H), Wh (H, 4H), b (4H,) of one direction, gates in the order i, f, g, o."""


@cache
def unpacked_limit() -> int:
    """The largest rows * depth * columns that BLAS multiplies without packing; 0 where it always packs.

    That is OpenBLAS on a processor with AVX-512, unless its kernels for another one were asked for by name.
    """
    if os.environ.get("OPENBLAS_CORETYPE", "SkylakeX").lower() not in ("skylakex", "cooperlake", "sapphirerapids"):
        return 0
    config = np.show_config(mode="dicts")
    openblas = "openblas" in config["Build Dependencies"]["blas"]["name"]
    avx512 = {"X86_V4", "AVX512_SKX"}.intersection(
        config["SIMD Extensions"].get("found", [])
    )  # since, before NumPy 2.4
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


def tiled_weights(params: Sequence[Weights]) -> Array:
    """W (S, 4, H/w, 1, K, w): gates o, i, f, g, the sigmoids' halved for the single tanh; rows h, x, 1."""
    Wx, Wh, _ = params[0]
    D, H = len(Wx), len(Wh)
    w = tile_width(H)
    half = np.asarray(0.5, Wx.dtype)
    (W,) = borrow(Wx.dtype, (len(params), 4, H // w, 1, H + D + 1, w))
    for tiles, (Wx, Wh, b) in zip(W, params):
        for rows, part in zip((slice(H), slice(H, -1), slice(-1, None)), (Wh, Wx, b)):
            ifgo = part.reshape(-1, 4, H // w, w).transpose(1, 2, 0, 3)
            oifg = tiles[:, :, 0, rows]
            np.multiply(ifgo[3], half, oifg[0])
            np.multiply(ifgo[:2], half, oifg[1:3])
            oifg[3] = ifgo[2]
    return W


def transposed_tiles(W: Array) -> tuple[Array, Array]:
    """Wh and Wx transposed, not halved, in tiles: (S, H/w, 1, 4H, w) and (S, D/w, 1, 4H, w), w as fits each."""
    S, _, tiles, _, K, w = W.shape
    H = tiles * w
    D = K - H - 1
    w_h, w_x = tile_width(H), tile_width(D)
    WT, WhT, WxT = borrow(W.dtype, (S, 4, tiles, w, K), (S, H // w_h, 1, 4 * H, w_h), (S, D // w_x, 1, 4 * H, w_x))
    WT[...] = W[:, :, :, 0].swapaxes(-2, -1)
    WT[:, :3] *= 2  # exact
    WT = WT.reshape(S, 4 * H, K)
    WhT[:, :, 0] = WT[..., :H].reshape(S, 4 * H, H // w_h, w_h).swapaxes(1, 2)
    WxT[:, :, 0] = WT[..., H:-1].reshape(S, 4 * H, D // w_x, w_x).swapaxes(1, 2)
    return WhT, WxT


def tiles_of(matrices: Array, r: int, w: int) -> Array:
    """The same memory (..., rows, width) seen in tiles (..., width/w, rows/r, r, w)."""
    *leading, rows, width = matrices.shape
    tiles = matrices.reshape(*leading, rows // r, r, width // w, w)
    return tiles.swapaxes(-3, -2).swapaxes(-4, -3)
