"""A layer of recurrent cells through time, forward and back: all of it that is the same for every cell.

lstm.py, lstm_variants.py, gru.py and rnn.py hold what is a cell's own. Letters as in textbook/: N rows, T steps,
D inputs, H units; R numbers in h, the H units but for an LSTM with a projection; and S directions, 1 or 2, of which P
go step by step together (plan.py says which).

The layout, and its reasons:

- Z (steps, P, N, K) holds [h, 1, x] side by side, so that state, bias and input share one product; K = R + 1 + D. The
  new h is written straight into the next step's Z. Weights stand in tiles, see tiles.py.
- One tanh for all gates: sigmoid(a) = 1/2 + 1/2 tanh(a/2), the inner halves folded into the weights once.
- A (T+1, kept, P, N, H) is what forward keeps for backward: at each step the gates, and last the state before the step.
- Steps are worked on in blocks. A block's arrays are made once, used again and stay in the cache. What needs no
  recurrence is done for a whole block at once: transposing from and to the public (N, T, ...); in backward, the local
  derivatives before the block's loop, the gradients of weights and inputs after it.
- No masks on the states. Padding is read as zeros and its steps are computed like all others; since each direction
  processes a row's valid steps first (order.py), they cannot touch a valid step. Final states are picked up where each
  row ends. Backward, the upstream gradient is zero in the padding and that of the final state enters at each row's
  last valid step, so what flows through padded steps is exactly zero.
- A mask of variational dropout (Gal & Ghahramani 2016) is on h where it enters a product: Z holds the masked h.

In the loops over steps every call counts, so they name the result's place by position: multiply(x, y, out).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from numpy import add, matmul, multiply

from npbilstm.engine.buffers import borrow
from npbilstm.engine.order import Index, padding, places, rows_by_last_step
from npbilstm.engine.plan import FEW_ROWS, backward_block, forward_block, groups_of_directions, run_each
from npbilstm.engine.tiles import Array, row_tiles, tile_rows, tile_width, tiles_of

APART = 16  # floats between rows of gate gradients: rows apart by a power of two would evict each other from the cache

Weights = Mapping[str, Array]
"""The weights of one direction by name: "Wx", "Wh", "b" and what else the cell has."""


class Cell(NamedTuple):
    """What tells one recurrent cell from another. W and grads are tuples and lists of arrays, directions first.

    gates: how many blocks of H columns its products have. kept: arrays of H it keeps a step, see A above.
    weights(params): the weights as forward_steps reads them; transposed(W): as backward_steps does.
    forward_steps(scan, steps, state, A, final, y): a group's directions through `steps`, from the state before them
        -> the state after them. Fills A; y (T, N, P, R) if given; and where rows end final, the parts of it but h.
    backward_steps(scan, steps, state, A, upstream, dstate, dx, grads): back again. state is that before `steps`.
        Turns dstate, the gradient of the state after the steps, into that of the state before them; adds to dx, grads.
    gradient_shapes(D, R, H): of grads, for one direction; named(grads): as params is, for one direction.
    """

    gates: int
    kept: int
    weights: Callable[[Sequence[Weights]], tuple[Array, ...]]
    transposed: Callable[[tuple[Array, ...]], tuple[Array, ...]]
    forward_steps: Callable[..., list[Array]]
    backward_steps: Callable[..., None]
    gradient_shapes: Callable[[int, int, int], list[tuple[int, ...]]]
    named: Callable[[list[Array], int, int], dict[str, Array]]


class RecurrentCache(NamedTuple):
    """What the backward pass needs, all of it copies: what is changed between the passes cannot mix in.

    x (T, N, D), lengths (N,) or None, W as the cell has it, mask (S, N, R) or None.
    A: for each group of directions (T+1, kept, P, N, H); empty where the states were stored at intervals.
    stored: the states before each interval of `store_every` steps, each (intervals, S, N, ...).
    """

    cell: Cell
    x: Array
    lengths: Array | None
    W: tuple[Array, ...]
    mask: Array | None
    A: list[Array]
    stored: list[Array]
    store_every: int


class Scan(NamedTuple):
    """A group of P directions that go step by step together, what they read, and which rows end at which step."""

    directions: range
    x: Array  # (T, N, D)
    padding_is_zero: bool  # in x
    lengths: Array | None
    ends: Mapping[int, list[int]]
    W: tuple[Array, ...]
    mask: Array | None


class Block(NamedTuple):
    """A few steps of a group: which, where each direction finds them in input order, and which of them are padding."""

    start: int
    n: int
    places: list[Index]
    padded: Array | None


class Upstream(NamedTuple):
    """What the backward pass of a group is given: dy (T, N, P, R), gradients of the final state, transposed weights."""

    dy: Array
    d_T: list[Array]
    WT: tuple[Array, ...]


def recurrent_forward(
    cell: Cell,
    x: Array,
    state: Sequence[Array],
    params: Sequence[Weights],
    lengths: Array | None = None,
    *,
    mask: Array | None = None,
    keep: bool = True,
    store_every: int | None = None,
) -> tuple[Array, list[Array], RecurrentCache | None]:
    """One layer of S = len(params) directions: the first reads forward, the second in reverse.

    x (N, T, D), parts of the state (S, N, ...) of which the first is h, lengths (N,) or None for all T, mask (S, N, R),
    scaled, or None -> y (N, T, S, R) in input time order, the final state, cache. All in one dtype. Arguments are not
    checked here: the layers do that.

    keep=False keeps nothing for the backward pass: memory beyond y does not grow with T, and the cache is None.
    store_every=k keeps the states of every k-th step only, and backward computes the steps between once more: 2 T/k +
    5 k floats a unit of an LSTM in place of 5 T, least at k = sqrt(2 T / 5) (Gruslys et al. 2016, "Memory-efficient
    backpropagation through time").
    """
    N, T, D = x.shape
    S, _, R = state[0].shape
    H = state[-1].shape[-1]
    x = x.swapaxes(0, 1)
    if keep:
        (x_kept,) = borrow(x.dtype, x.shape)
        x_kept[...] = x
        x = x_kept
        lengths = None if lengths is None else lengths.copy()
        mask = None if mask is None else mask.copy()
        padded = padding(0, T, lengths)
        if padded is not None:
            x[padded] = 0
    W = cell.weights(params)
    y = np.empty((N, T, S, R), x.dtype)
    final = [part.copy() for part in state]
    interval = store_every or max(T, 1)
    starts = range(0, T if N else 0, interval)
    stored = [np.empty((len(starts) if keep else 0, *part.shape), x.dtype) for part in state]
    keep_steps = keep and store_every is None
    ends = rows_by_last_step(lengths)

    def run(own: slice) -> Array:
        scan = scan_of(own, S, x, keep, lengths, ends, W, mask)
        now = [part[own] for part in state]
        A = step_arrays(T, (cell.kept, len(scan.directions), N, H), x.dtype, keep_steps)
        for k, start in enumerate(starts):
            if keep:
                for place, part in zip(stored, now):
                    place[k, own] = part
            steps = range(start, min(start + interval, T))
            now = cell.forward_steps(scan, steps, now, A, [part[own] for part in final], y.swapaxes(0, 1)[:, :, own])
        if lengths is None:
            for place, part in zip(final, now):
                place[own] = part
        return A

    groups, at_once = groups_of_directions(N, D, H, S, cell.gates)
    A = run_each(run, groups, at_once)
    if lengths is not None:
        rows = np.flatnonzero(lengths)
        for s in range(S):  # in y, a direction's last step is a row's last valid one, or its first
            final[0][s, rows] = y[rows, 0 * rows if s else lengths[rows] - 1, s]
    cache = RecurrentCache(cell, x, lengths, W, mask, A if keep_steps else [], stored, interval) if keep else None
    return y, final, cache


def recurrent_backward(
    dy: Array, dstate_T: Sequence[Array], cache: RecurrentCache
) -> tuple[Array, list[Array], list[dict[str, Array]]]:
    """Gradients of one layer, given dy (N, T, S, R) and those of the final state's parts.

    -> dx (N, T, D), gradients of the initial state's parts, a list of gradients like params.
    """
    cell, x, lengths, W, mask, A_kept, stored, interval = cache
    T, N, D = x.shape
    S, _, R = dstate_T[0].shape
    H = dstate_T[-1].shape[-1]
    dtype = np.result_type(dy, *dstate_T, x)
    ends = rows_by_last_step(lengths) if any(d.any() for d in dstate_T) else {}
    dstate = [d.astype(dtype) if lengths is None else np.zeros(d.shape, dtype) for d in dstate_T]
    WT = cell.transposed(W)
    groups, at_once = groups_of_directions(N, D, H, S, cell.gates)
    dx = [array for _ in range(S if at_once else 1) for array in borrow(dtype, (N, T, D))]  # threads must not share it
    grads = borrow(dtype, *((S, *shape) for shape in cell.gradient_shapes(D, R, H)))
    for array in [*dx, *grads]:
        array[...] = 0

    def run(job: tuple[slice, Array | None]) -> None:
        own, A = job
        scan = scan_of(own, S, x, True, lengths, ends, W, mask)
        upstream = Upstream(dy.swapaxes(0, 1)[:, :, own], [d[own] for d in dstate_T], tuple(w[own] for w in WT))
        steps_kept = A is not None
        if A is None:
            A = step_arrays(min(interval, T), (cell.kept, len(scan.directions), N, H), x.dtype, keep=True)
        for k in reversed(range(len(stored[0]))):
            steps = range(k * interval, min((k + 1) * interval, T))
            before = [part[k, own] for part in stored]
            if not steps_kept:
                cell.forward_steps(scan, steps, before, A, [np.empty_like(part) for part in before])
            cell.backward_steps(
                *(scan, steps, before, A, upstream),
                [d[own] for d in dstate],
                dx[own.start if at_once else 0],
                [array[own] for array in grads],
            )

    run_each(run, list(zip(groups, A_kept or repeat(None))), at_once)
    if -1 in ends:  # rows of length 0: their final state is their initial state
        for d, d_T in zip(dstate, dstate_T):
            d[:, ends[-1]] += d_T[:, ends[-1]]
    for others in dx[1:]:
        add(dx[0], others, dx[0])
    return dx[0], dstate, [cell.named([array[s] for array in grads], R, H) for s in range(S)]


def scan_of(own: slice, S: int, x: Array, padding_is_zero: bool, lengths: Any, ends: Any, W: Any, mask: Any) -> Scan:
    """What a group of directions needs of a layer's."""
    own_mask = None if mask is None else mask[own]
    return Scan(range(S)[own], x, padding_is_zero, lengths, ends, tuple(w[own] for w in W), own_mask)


def step_arrays(T: int, shape: tuple[int, ...], dtype: np.dtype, keep: bool) -> Array:
    """A for T steps. Without keeping, every step is the same memory: a time axis of stride 0."""
    (A,) = borrow(dtype, (T + 1 if keep else 1, *shape))
    return A if keep else np.ndarray((T + 1, *A.shape[1:]), dtype, A, strides=(0, *A.strides[1:]))


def block_of(scan: Scan, start: int, n: int) -> Block:
    """The n steps from `start` on."""
    at = [places(s, start, n, len(scan.x), scan.lengths) for s in scan.directions]
    return Block(start, n, at, padding(start, n, scan.lengths))


class ForwardRoom:
    """Where a group's directions go forward: what the products of a block of steps read, and the states after each.

    Z (block + 1, P, N, K) = [h, 1, x]; inputs (block, P, N, 1 + D) = [1, x], Z's own. With few rows (plan.py) Z is h
    alone, and the inputs' share of the products is computed a block at a time.
    h (block + 1, P, N, R), Z's own unless Z's is masked.
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

    def recurrent_products(self, W: Array) -> tuple[Array, Array, Array]:
        """Of a = Z W, step by step: Z in rows (block + 1, P, 1, 1, N/r, r, depth), W so far as Z reaches, and room for
        the inputs' shares of a block, (block, P, G, N, H), none but with few rows."""
        P, G, tiles, _, _, w = W.shape
        steps, _, N, depth = self.Z.shape
        r = tile_rows(N, depth, w)
        (shares,) = borrow(W.dtype, (self.block if self.few_rows else 0, P, G, N, tiles * w))
        return self.Z.reshape(steps, P, 1, 1, N // r, r, depth), W[..., :depth, :], shares

    def input_shares(self, W: Array, shares: Array, n: int) -> Array:
        """shares (block, P, G, N, H) of the first n steps = [1, x] W, with W's rows those of [1, x] -> (n, G, P, N, H).

        With few rows, the rows of these products are the steps of one row of the batch, so that W is read once a row.
        """
        Z_x, out = self.inputs[:n], shares[:n]
        _, P, N, depth = Z_x.shape
        _, G, tiles, _, _, w = W.shape
        if self.few_rows:
            by_row = out.reshape(n, P, G, N, tiles, w).transpose(1, 2, 4, 3, 0, 5)  # (P, G, H/w, N, n, w)
            matmul(Z_x.transpose(1, 2, 0, 3)[:, None, None], W, by_row)
        else:
            r = tile_rows(N, depth, w)
            matmul(Z_x.reshape(n, P, 1, 1, N // r, r, depth), W, tiles_of(out, r, w))
        return out.swapaxes(1, 2)


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


def read_inputs(scan: Scan, block: Block, Z_x: Array) -> None:
    """Fill Z_x (P, block, N, D) with what the block's steps read."""
    for p, at in enumerate(block.places):
        Z_x[p, : block.n] = scan.x[at]
