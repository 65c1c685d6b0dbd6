"""Where steps are read from, worked on and written to, a block of them at a time: memory made once for a whole pass.

recurrence.py has the notation and the layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy import add, matmul, multiply

from npbilstm.engine.buffers import borrow
from npbilstm.engine.schedule import FEW_ROWS, backward_block, forward_block
from npbilstm.engine.tiles import Array, product_views, row_tiles, tile_width, tiles_of
from npbilstm.engine.time_order import Index, input_index, padding

APART = 16  # floats between rows of gate gradients: rows apart by a power of two would evict each other from the cache


class Group(NamedTuple):
    """P directions, numbered as in time_order.py, that go step by step together: what they read, where rows end."""

    directions: Sequence[int]
    x: Array  # (T, N, D)
    padding_is_zero: bool  # in x
    lengths: Array | None
    ends: Mapping[int, list[int]]
    W: tuple[Array, ...]
    mask: Array | None

    def part(self, own: slice) -> Group:
        """Some of the directions."""
        mask = None if self.mask is None else self.mask[own]
        return self._replace(directions=self.directions[own], W=tuple(w[own] for w in self.W), mask=mask)


class Upstream(NamedTuple):
    """What the backward pass of a group is given: dy (T, N, P, R), gradients of the final state, transposed weights."""

    dy: Array
    d_T: list[Array]
    WT: tuple[Array, ...]


class Block(NamedTuple):
    """A few steps: which, where each direction finds them in input order, which of them are padding (length, N).

    A (length + 1, kept, P, N, H): their part of what is kept, (0, ...) where nothing is; A_before: the entry before it.
    """

    start: int
    length: int
    at: list[Index]
    padded: Array | None
    A: Array
    A_before: Array | None


class Workspace:
    """What both passes have: a group's directions, the steps to go through, the state before them, scratch memory."""

    def __init__(self, group: Group, steps: range, state: list[Array], A: Array, dtype: np.dtype, size: int) -> None:
        self.group, self.steps, self.state, self.A, self.dtype = group, steps, state, A, dtype
        self.size = min(size, len(steps))
        self._arrays: dict[str, Array] = {}
        self._views: dict[str, list[Array]] = {}

    def array(self, name: str, *shape: int) -> Array:
        """Scratch memory, made when a name is first asked for: the same, and what it holds, in every block."""
        if name not in self._arrays:
            (self._arrays[name],) = borrow(self.dtype, shape)
        return self._arrays[name]

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
        A_before = self.A[k - 1] if k and len(self.A) else None
        return Block(start, count, index, padded, self.A[k : k + count + 1], A_before)


class ForwardWorkspace(Workspace):
    """What the products of a block of steps read, and the states after each.

    Z (size + 1, P, N, K) = [h, 1, x]; inputs (size, P, N, 1 + D) = [1, x], Z's own. With few rows (schedule.py) Z is h
    alone, and the inputs' share of the products is computed a block at a time.
    states (size + 1, P, N, R): h before the block and after each of its steps, in Z's own memory unless Z's is masked.
    """

    def __init__(self, group: Group, steps: range, state: list[Array], A: Array) -> None:
        h, D = state[0], group.x.shape[-1]
        P, N, R = h.shape
        super().__init__(group, steps, state, A, h.dtype, forward_block(N, R + 1 + D))
        self.few_rows = N <= FEW_ROWS
        self.Z = self.array("Z", self.size + 1, P, N, R if self.few_rows else R + 1 + D)
        self.inputs = self.array("inputs", self.size, P, N, 1 + D) if self.few_rows else self.Z[:-1, ..., R:]
        self.inputs[..., 0] = 1
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
            x = self.inputs[: block.length, ..., 1:]
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

    def multiply_inputs(self, W: Array, out: Array) -> Array:
        """out (count, G, P, N, H) = [1, x] W for the block's steps, with W's rows those of [1, x].

        With few rows, the rows of these products are the steps of one row of the batch, so that W is read once a row.
        """
        (count, G, P, N, _), Z_x = out.shape, self.inputs[: len(out)]
        if self.few_rows:
            by_row = out.reshape(count, G, P, N, W.shape[2], W.shape[-1]).transpose(2, 1, 4, 3, 0, 5)
            matmul(Z_x.transpose(1, 2, 0, 3)[:, None, None], W, by_row)  # (P, G, H/w, N, count, w)
        else:
            rows, places = product_views(Z_x[:, :, None], W, out.swapaxes(1, 2))
            matmul(rows, W, places)
        return out


class BackwardWorkspace(Workspace):
    """What is upstream of a block of steps, what its products read, and the gradients of its pre-activations.

    dy (size, P, N, R); da (P, size, N, columns), a row of it apart from the next by more than a power of two, and the
    same by steps, da_blocks (size, columns / H, P, N, H); Z (P, size, N, K) = [h, 1, x] and more_of_Z columns that a
    cell fills, with room to the right for tiles to be filled up; h_in (size, P, N, R) its h.
    dstate: the gradients of the state's parts: of the state after a step before its step, of the state before it after.
    """

    def __init__(
        self,
        group: Group,
        steps: range,
        state: list[Array],
        A: Array,
        upstream: Upstream,
        dstate: list[Array],
        columns: int,
        more_of_Z: int,
    ) -> None:
        (T, N, D), (P, _, R), H = group.x.shape, state[0].shape, A.shape[-1]
        super().__init__(group, steps, state, A, dstate[0].dtype, backward_block(N, H, T))
        self.upstream, self.dstate, self.K = upstream, dstate, R + 1 + D
        self.dy = self.array("dy", self.size, P, N, R)
        self.da = self.array("da", P, self.size, N, columns + APART)[..., :columns]
        self.da_blocks = self.da.reshape(P, self.size, N, columns // H, H).transpose(1, 3, 0, 2, 4)
        K = self.K + more_of_Z
        self.Z = self.array("Z", P, self.size, N, -(-(K + K // 4 + 4) // 16) * 16)  # whole cache lines
        self.Z[..., R], self.Z[..., K:] = 1, 0
        self.h_in = self.Z[..., :R].swapaxes(0, 1)

    def blocks(self) -> Iterator[Block]:
        """Each block, last first, what is upstream of it in dy and the x that it read in Z."""
        x = self.Z[..., self.dy.shape[-1] + 1 : self.K]
        for start in reversed(range(self.steps.start, self.steps.stop, self.size)):
            block = self.block_from(start)
            dy = self.dy[: block.length]
            for p, index in enumerate(block.at):
                dy[:, p] = self.upstream.dy[:, :, p][index]
                x[p, : block.length] = self.group.x[index]
            if block.padded is not None:
                dy.swapaxes(1, 2)[block.padded] = 0
            yield block

    def mask(self, h: Array) -> None:
        """h as it enters the products, in place."""
        if self.group.mask is not None:
            multiply(h, self.group.mask, h)

    def add_weight_gradient(self, dW: Array, block: Block, rows: slice, columns: slice) -> None:
        """dW (P, rows, columns) += Z^T da, for these of Z's columns and these of da, over the block's steps."""
        P, depth, width = dW.shape
        N, w = self.Z.shape[2], tile_width(width)
        count, r = row_tiles(depth, self.size * N, w)
        Z = self.Z[:, : block.length, :, rows.start : rows.start + count * r].reshape(P, -1, count, r)
        da = self.da[:, : block.length, :, columns].reshape(P, -1, width)
        dW_block = self.array(f"dW {rows} {columns}", P, count * r, width)
        matmul(Z.transpose(0, 2, 3, 1)[:, None], tiles_of(da, da.shape[1], w), tiles_of(dW_block, r, w))
        add(dW, dW_block[:, :depth], dW)

    def add_input_gradient(self, dx: Array, block: Block, columns: slice, WxT: Array) -> None:
        """dx (N, T, D) += da Wx^T, each direction's in the places it read."""
        da = self.da[:, : block.length, :, columns]
        P, count, N, depth = da.shape
        dx_block = self.array("dx", P, self.size, N, dx.shape[-1])[:, :count]
        rows, places = product_views(da.reshape(P, count * N, depth), WxT, dx_block.reshape(P, count * N, -1))
        matmul(rows, WxT, places)
        for p, index in enumerate(block.at):
            dx.swapaxes(0, 1)[index] += dx_block[p]
