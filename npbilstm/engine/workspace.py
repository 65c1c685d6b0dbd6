"""Where steps are read from, worked on and written to, a block of them at a time: memory made once for a whole pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy import add, matmul, multiply

from npbilstm.engine.buffers import borrow
from npbilstm.engine.group import Group, Interval, Upstream
from npbilstm.engine.schedule import FEW_ROWS, backward_block, forward_block
from npbilstm.engine.tiles import Array, product_views, row_tiles, tile_width, tiles_of
from npbilstm.engine.time_order import Index, Rows, input_index, padding

Scratch = dict[object, Array]
APART = 16  # floats between rows of gate gradients: rows apart by a power of two would evict each other from the cache


class Block(NamedTuple):
    """A few steps: where each direction finds them in input order, which are padding (length, N), which rows end where.

    A (length + 1, kept, P, N, H): their part of what is kept, (0, ...) where nothing is; A_before: the entry before it.
    """

    start: int
    length: int
    at: list[Index]
    padded: Array | None
    ends: dict[int, Rows]
    A: Array
    A_before: Array | None


class Workspace:
    """What both passes have: a group's directions, the steps to go through, their blocks' size, scratch memory."""

    def __init__(self, group: Group, interval: Interval, dtype: np.dtype, size: int, scratch: Scratch) -> None:
        self.group, self.dtype, self.scratch = group, dtype, scratch
        self.steps, self.state, self.A = interval
        self.size = min(size, len(self.steps))
        self._views: dict[str, list[Array]] = {}

    def array(self, name: str, *shape: int) -> Array:
        """Scratch memory, made when first asked for by that name and shape; what it holds stays in it."""
        key = name, shape
        if key not in self.scratch:
            (self.scratch[key],) = borrow(self.dtype, shape)
        return self.scratch[key]

    def views(self, name: str, array: Array) -> list[Array]:
        """A view of scratch memory for each step of a block, made when a name is first asked for."""
        if name not in self._views:
            self._views[name] = list(array)
        return self._views[name]

    def block_from(self, start: int) -> Block:
        """The steps from `start` on."""
        group, k, count = self.group, start - self.steps.start, min(self.size, self.steps.stop - start)
        index = [input_index(s, start, count, len(group.x), group.lengths) for s in group.directions]
        padded = padding(start, count, group.lengths)
        ends = {step - start: rows for step, rows in group.ends.items() if 0 <= step - start < count}
        A_before = self.A[k - 1] if k and len(self.A) else None
        return Block(start, count, index, padded, ends, self.A[k : k + count + 1], A_before)


class ForwardWorkspace(Workspace):
    """What the products of a block of steps read, and the states after each.

    Z (size + 1, P, N, K) = [h, 1, x], Z_h and Z_1x its parts. With few rows (schedule.py) Z is h alone and Z_1x stands
    apart, as its share of the products is computed a block at a time.
    states (size + 1, P, N, R): h before the block and after each of its steps, in Z's own memory unless Z's is masked.
    """

    def __init__(self, group: Group, interval: Interval) -> None:
        h, D = interval.state[0], group.x.shape[-1]
        P, N, R = h.shape
        super().__init__(group, interval, h.dtype, forward_block(N, R + 1 + D), {})
        self.few_rows = N <= FEW_ROWS
        self.Z = self.array("Z", self.size + 1, P, N, R if self.few_rows else R + 1 + D)
        self.Z_1x = self.array("Z_1x", self.size, P, N, 1 + D) if self.few_rows else self.Z[:-1, ..., R:]
        self.Z_1x[..., 0] = 1
        self.Z_h = self.Z[..., :R]
        self.states = self.Z_h if group.mask is None else self.array("states", self.size + 1, P, N, R)
        self.h = list(self.states[1:])
        self.begin_with(h)

    def begin_with(self, h: Array) -> None:
        """Put h, and h as the products read it, before the next block."""
        self.states[0] = h
        if self.group.mask is not None:
            multiply(h, self.group.mask, self.Z_h[0])

    def blocks(self, y: Array | None) -> Iterator[Block]:
        """Each block in turn, its inputs read; what the caller has then left in h goes to y and on to the next."""
        group = self.group
        for start in range(self.steps.start, self.steps.stop, self.size):
            block = self.block_from(start)
            x = self.Z_1x[: block.length, ..., 1:]
            for p, index in enumerate(block.at):
                x[:, p] = group.x[index]
            if block.padded is not None and not group.padding_is_zero:
                x.swapaxes(1, 2)[block.padded] = 0
            yield block
            if y is not None:
                for p, index in enumerate(block.at):
                    y[:, :, p][index] = self.states[1 : block.length + 1, p]
                if block.padded is not None:
                    y[start : start + block.length][block.padded] = 0
            self.begin_with(self.states[block.length])

    def multiply_inputs(self, W: Array, out: Array) -> None:
        """out (count, G, P, N, H) = [1, x] W for the block's steps, with W's rows those of [1, x].

        With few rows, the rows of these products are the steps of one row of the batch, so that W is read once a row.
        """
        (count, G, P, N, _), Z_1x = out.shape, self.Z_1x[: len(out)]
        if self.few_rows:
            by_row = out.reshape(count, G, P, N, W.shape[2], W.shape[-1]).transpose(2, 1, 4, 3, 0, 5)
            matmul(Z_1x.transpose(1, 2, 0, 3)[:, None, None], W, by_row)  # (P, G, H/w, N, count, w)
        else:
            rows, places = product_views(Z_1x[:, :, None], W, out.swapaxes(1, 2))
            matmul(rows, W, places)


class BackwardWorkspace(Workspace):
    """What is upstream of a block of steps, what its products read, and the gradients of its pre-activations.

    dy (size, P, N, R); da (P, size, N, gates * H), a row of it apart from the next by more than a power of two, and the
    same by steps, da_gates (size, gates, P, N, H); Z (P, size, N, K) = [h, 1, x] and more_of_Z columns that a cell
    fills, with room to the right for tiles to be filled up; h_in (size, P, N, R) its h.
    """

    def __init__(
        self, group: Group, interval: Interval, upstream: Upstream, gates: int, more_of_Z: int, scratch: Scratch
    ) -> None:
        (T, N, D), (P, _, R), H = group.x.shape, interval.state[0].shape, interval.A.shape[-1]
        super().__init__(group, interval, upstream.dstate[0].dtype, backward_block(N, H, T), scratch)
        self.upstream, self.dstate, self.H, self.K = upstream, upstream.dstate, H, R + 1 + D
        used = self.K + more_of_Z
        room = -(-(used + used // 4 + 4) // 16) * 16  # whole cache lines
        da, self.Z = borrow(self.dtype, (P, self.size, N, gates * H + APART), (P, self.size, N, room))
        self.da = da[..., : gates * H]
        self.da_gates = self.da.reshape(P, self.size, N, gates, H).transpose(1, 3, 0, 2, 4)
        self.Z[..., R], self.Z[..., used:] = 1, 0
        self.h_in = self.Z[..., :R].swapaxes(0, 1)
        self.dy = self.array("dy", self.size, P, N, R)

    def da_of(self, gates: slice) -> Array:
        """da (P, size, N, columns) of some of the gates."""
        return self.da[..., gates.start * self.H : gates.stop * self.H]

    def read(self, start: int) -> Block:
        """The block from `start` on, what is upstream of it in dy and the x that it read in Z."""
        block = self.block_from(start)
        n, R = block.length, self.dy.shape[-1]
        dy, x = self.dy[:n], self.Z[:, :n, :, R + 1 : self.K]
        for p, index in enumerate(block.at):
            dy[:, p] = self.upstream.dy[:, :, p][index]
            x[p] = self.group.x[index]
        if block.padded is not None:
            dy.swapaxes(1, 2)[block.padded] = 0
        return block

    def mask(self, h: Array) -> None:
        """h as it enters the products, in place."""
        if self.group.mask is not None:
            multiply(h, self.group.mask, h)

    def add_weight_gradient(self, dW: Array, block: Block, row: int = 0, column: int = 0) -> None:
        """dW (P, depth, width) += Z^T da: one product sums over the block's steps and rows of the batch.

        Z's column `row` and da's `column` are the first that dW has to do with.
        """
        P, depth, width = dW.shape
        N, w = self.Z.shape[2], tile_width(width)
        count, r = row_tiles(depth, self.size * N, w)
        Z = self.Z[:, : block.length, :, row : row + count * r].reshape(P, -1, count, r)
        da = self.da[:, : block.length, :, column : column + width].reshape(P, -1, width)
        dW_block = self.array("dW", P, count * r, width)
        matmul(Z.transpose(0, 2, 3, 1)[:, None], tiles_of(da, da.shape[1], w), tiles_of(dW_block, r, w))
        add(dW, dW_block[:, :depth], dW)

    def add_input_gradient(self, block: Block, gates: slice, WxT: Array) -> None:
        """dx (T, N, D) += da Wx^T, with these of da's gates, each direction's in the places it read."""
        dx, da = self.upstream.dx, self.da_of(gates)[:, : block.length]
        P, count, N, depth = da.shape
        dx_block = self.array("dx", P, self.size, N, dx.shape[-1])[:, :count]
        rows, places = product_views(da.reshape(P, count * N, depth), WxT, dx_block.reshape(P, count * N, -1))
        matmul(rows, WxT, places)
        for p, index in enumerate(block.at):
            dx[index] += dx_block[p]
