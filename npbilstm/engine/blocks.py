"""A few steps at a time: where they are read from, worked on and written to.

A block's arrays are made once, used again and stay in the cache. recurrence.py has the notation and the layout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from numpy import add, matmul, multiply

from npbilstm.engine.buffers import borrow
from npbilstm.engine.order import Index, padding, places
from npbilstm.engine.plan import FEW_ROWS, backward_block, forward_block
from npbilstm.engine.tiles import Array, row_tiles, tile_rows, tile_width, tiles_of

APART = 16  # floats between rows of gate gradients: rows apart by a power of two would evict each other from the cache


class Scan(NamedTuple):
    """P directions, by their numbers in order.py, that go step by step together, what they read, and which rows end at
    which step."""

    directions: Sequence[int]
    x: Array  # (T, N, D)
    padding_is_zero: bool  # in x
    lengths: Array | None
    ends: Mapping[int, list[int]]
    W: tuple[Array, ...]
    mask: Array | None

    def group(self, own: slice) -> Scan:
        """Some of the directions."""
        mask = None if self.mask is None else self.mask[own]
        return self._replace(directions=self.directions[own], W=tuple(w[own] for w in self.W), mask=mask)


class Block(NamedTuple):
    """A few steps of a group: which, where each direction finds them in input order, and which of them are padding."""

    start: int
    n: int
    places: list[Index]
    padded: Array | None

    def rows_to_clear(self, bounded: bool) -> Iterable[Any]:
        """For each step the rows that are padding, bool (N,), whose state is set to 0 there; None where there are none,
        or where what a cell puts out is bounded (activations.py says why)."""
        return repeat(None) if bounded or self.padded is None else self.padded


class Upstream(NamedTuple):
    """What the backward pass of a group is given: dy (T, N, P, R), gradients of the final state, transposed weights."""

    dy: Array
    d_T: list[Array]
    WT: tuple[Array, ...]


def block_of(scan: Scan, start: int, n: int) -> Block:
    """The n steps from `start` on."""
    at = [places(s, start, n, len(scan.x), scan.lengths) for s in scan.directions]
    return Block(start, n, at, padding(start, n, scan.lengths))


class ForwardRoom:
    """Where a group's directions go forward: what the products of a block of steps read, and the states after each.

    Z (block + 1, P, N, K) = [h, 1, x]; inputs (block, P, N, 1 + D) = [1, x], Z's own. With few rows (plan.py) Z is h
    alone, and the inputs' share of the products is computed a block at a time.
    h (block + 1, P, N, R), Z's own unless Z's is masked; then `masked` is where Z wants it, step by step.
    """

    def __init__(self, scan: Scan, steps: range, h: Array) -> None:
        self.scan, self.steps = scan, steps
        P, N, R = h.shape
        D = scan.x.shape[-1]
        self.few_rows = N <= FEW_ROWS
        self.block = min(forward_block(N), len(steps))
        Z = (self.block + 1, P, N, R if self.few_rows else R + 1 + D)
        if self.few_rows:
            self.Z, self.inputs = borrow(h.dtype, Z, (self.block, P, N, 1 + D))
        else:
            (self.Z,) = borrow(h.dtype, Z)
            self.inputs = self.Z[:-1, ..., R:]
        self.inputs[..., 0] = 1
        self.Z_h = self.Z[..., :R]
        self.h = self.Z_h if scan.mask is None else borrow(h.dtype, (self.block + 1, P, N, R))[0]
        self.masked: Iterable[Any] = repeat(None) if scan.mask is None else self.Z_h[1:]
        self.begin_with(h)

    def begin_with(self, h: Array) -> None:
        self.h[0] = h
        if self.scan.mask is not None:
            multiply(h, self.scan.mask, self.Z_h[0])

    def blocks(self, y: Array | None) -> Iterator[Block]:
        """Each block in turn, its inputs read; what the caller has then left in h goes to y and on to the next."""
        scan = self.scan
        for start in range(self.steps.start, self.steps.stop, self.block):
            block = block_of(scan, start, min(self.block, self.steps.stop - start))
            x = self.inputs[: block.n, ..., 1:]
            for p, at in enumerate(block.places):
                x[:, p] = scan.x[at]
            if block.padded is not None and not scan.padding_is_zero:
                x.swapaxes(1, 2)[block.padded] = 0
            yield block
            if y is not None:
                for p, at in enumerate(block.places):
                    y[:, :, p][at] = self.h[1 : block.n + 1, p]
                if block.padded is not None:
                    y[block.start : block.start + block.n][block.padded] = 0
            self.begin_with(self.h[block.n])

    def recurrent_products(self, W: Array) -> tuple[Array, Array]:
        """Of a = Z W, step by step: Z in rows (block + 1, P, 1, 1, N/r, r, depth), and W so far as Z reaches."""
        P, G, tiles, _, _, w = W.shape
        steps, _, N, depth = self.Z.shape
        r = tile_rows(N, depth, w)
        if self.few_rows:
            (self.shares,) = borrow(W.dtype, (self.block, G, P, N, tiles * w))
            self.W_inputs = W[..., depth:, :]
        return self.Z.reshape(steps, P, 1, 1, N // r, r, depth), W[..., :depth, :]

    def rest_of_products(self, n: int) -> Iterable[Any]:
        """For each of the first n steps what Z W lacks, the inputs' share (G, P, N, H); None where it lacks nothing."""
        return self.input_shares(self.W_inputs, self.shares, n) if self.few_rows else repeat(None)

    def input_shares(self, W: Array, shares: Array, n: int) -> Array:
        """shares (block, G, P, N, H) of the first n steps = [1, x] W, with W's rows those of [1, x].

        With few rows, the rows of these products are the steps of one row of the batch, so that W is read once a row.
        """
        Z_x, out = self.inputs[:n], shares[:n]
        _, P, N, depth = Z_x.shape
        _, G, tiles, _, _, w = W.shape
        if self.few_rows:
            by_row = out.reshape(n, G, P, N, tiles, w).transpose(2, 1, 4, 3, 0, 5)  # (P, G, H/w, N, n, w)
            matmul(Z_x.transpose(1, 2, 0, 3)[:, None, None], W, by_row)
        else:
            r = tile_rows(N, depth, w)
            matmul(Z_x.reshape(n, P, 1, 1, N // r, r, depth), W, tiles_of(out.swapaxes(1, 2), r, w))
        return out


class BackwardRoom:
    """Where a group's directions go back: what is upstream of a block, and the gradients of its pre-activations.

    dy (block, P, N, R); da (P, block, N, columns), a row of it apart from the next by more than a power of two.
    """

    def __init__(self, scan: Scan, steps: range, upstream: Upstream, dtype: np.dtype, H: int, columns: int) -> None:
        self.scan, self.steps, self.upstream = scan, steps, upstream
        T, N, D = scan.x.shape
        P, R = len(scan.directions), upstream.dy.shape[-1]
        self.block = min(backward_block(N, H, T), len(steps))
        dy, da, dx = (self.block, P, N, R), (P, self.block, N, columns + APART), (P, self.block, N, D)
        self.dy, da_apart, self.dx = borrow(dtype, dy, da, dx)
        self.da = da_apart[..., :columns]

    def blocks(self) -> Iterator[Block]:
        """Each block, last first, what is upstream of it in dy."""
        for start in reversed(range(self.steps.start, self.steps.stop, self.block)):
            block = block_of(self.scan, start, min(self.block, self.steps.stop - start))
            dy = self.dy[: block.n]
            for p, at in enumerate(block.places):
                dy[:, p] = self.upstream.dy[:, :, p][at]
            if block.padded is not None:
                dy.swapaxes(1, 2)[block.padded] = 0
            yield block

    def read_inputs(self, block: Block, Z_x: Array) -> None:
        """Fill Z_x (P, block, N, D) with what the block's steps read."""
        for p, at in enumerate(block.places):
            Z_x[p, : block.n] = self.scan.x[at]

    def rows(self, block: Block, columns: slice, w: int) -> Array:
        """These columns of da as products with tiles of width w read them: (n, P, 1, N/r, r, columns)."""
        da = self.da[:, : block.n, :, columns]
        P, n, N, depth = da.shape
        r = tile_rows(N, depth, w)
        return da.reshape(P, n, 1, N // r, r, depth).swapaxes(0, 1)

    def add_input_gradient(self, block: Block, columns: slice, WxT: Array, dx: Array) -> None:
        """dx (N, T, D) += da Wx^T, each direction's in the places it read."""
        P, tiles, _, depth, w = WxT.shape
        dx_block = self.dx[:, : block.n]
        rows = dx_block.shape[1] * dx_block.shape[2]
        r = tile_rows(rows, depth, w)
        da = self.da[:, : block.n, :, columns].reshape(P, 1, rows // r, r, depth)
        matmul(da, WxT, tiles_of(dx_block.reshape(P, rows, tiles * w), r, w))
        for p, at in enumerate(block.places):
            dx.swapaxes(0, 1)[at] += dx_block[p]

    def add_bias_gradient(self, block: Block, columns: slice, db: Array) -> None:
        """db (P, columns) += da summed over rows and steps."""
        da = self.da[:, : block.n, :, columns]
        add(db, da.reshape(len(da), -1, da.shape[-1]).sum(axis=1), db)


class WeightGradient:
    """dW += Z^T da, a block of steps at a time, in tiles; Z (P, block, N, depth) is for the caller to fill."""

    def __init__(self, room: BackwardRoom, dtype: np.dtype, depth: int, columns: slice, width: int) -> None:
        P, block, N, _ = room.da.shape
        self.room, self.depth, self.columns, self.w = room, depth, columns, tile_width(width)
        self.count, self.r = row_tiles(depth, block * N, self.w)
        (self.filled_up,) = borrow(dtype, (P, block, N, self.count * self.r))
        self.filled_up[..., depth:] = 0
        self.Z = self.filled_up[..., :depth]
        (self.dW,) = borrow(room.da.dtype, (P, self.count * self.r, width))

    def add_to(self, dW: Array, n: int) -> None:
        """dW (P, depth, width) += Z^T da over the first n steps."""
        Z = self.filled_up[:, :n]
        P, _, N, _ = Z.shape
        da = self.room.da[:, :n, :, self.columns].reshape(P, n * N, -1)
        Z_columns = Z.reshape(P, n * N, self.count, self.r).transpose(0, 2, 3, 1)[:, None]  # (P, 1, count, r, n N)
        matmul(Z_columns, tiles_of(da, n * N, self.w), tiles_of(self.dW, self.r, self.w))
        add(dW, self.dW[:, : self.depth], dW)
