"""The recurrence, forward and back: the one loop over time that every cell goes through.

lstm.py, lstm_variants.py, gru.py and rnn.py hold what is a cell's own: its equations. Letters as in textbook/: N rows,
T steps, D inputs, H units; R numbers in h, the H units but for an LSTM with a projection; and S directions, forward,
reverse or both, of which P go step by step together (schedule.py says which).

The layout, and its reasons:

- Z (steps, P, N, K) holds [h, 1, x] side by side, so that state, bias and input share one product; K = R + 1 + D. The
  new h is written straight into the next step's Z. Weights stand in tiles, see tiles.py.
- One tanh for all gates: sigmoid(a) = 1/2 + 1/2 tanh(a/2), the inner halves folded into the weights once.
- A (T+1, kept, P, N, H) is what forward keeps for backward: at each step the gates, and last the state before the step.
- Steps are worked on in blocks (workspace.py). What needs no recurrence is done for a whole block at once: transposing
  from and to the public (N, T, ...); in backward, the local derivatives before the block's loop, the gradients of
  weights and inputs after it: dW = Z^T da with the same Z = [h, 1, x], the bias being the row of 1.
- No masks on the states. Padding is read as zeros and its steps are computed like all others; since each direction
  processes a row's valid steps first (time_order.py), they cannot touch a valid step. Final states are picked up where
  each row ends. Backward, the upstream gradient is zero in the padding and that of the final state enters at each row's
  last valid step, so what flows through padded steps is exactly zero.
- A mask of variational dropout (Gal & Ghahramani 2016) is on h where it enters a product: Z holds the masked h.

In the loops over steps every call counts, so they name the result's place by position: multiply(x, y, out). What a step
reads and writes stands ready in lists, one view a step: c[t] is c_t.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy import add, matmul, multiply

from npbilstm.engine.tiles import Array, product_views
from npbilstm.engine.workspace import BackwardWorkspace, Block, ForwardWorkspace, Group, Upstream

Weights = Mapping[str, Array]
"""The weights of one direction by name: "Wx", "Wh", "b" and what else the cell has."""

Step = Callable[[int], None]
"""A cell's equations for step t of a block."""


def weight_gradient(work: BackwardWorkspace, block: Block, gradients: list[Array]) -> None:
    """dW (P, K, columns) += [h_{t-1}  1  x_t]^T da."""
    work.add_weight_gradient(gradients[0], block, slice(0, work.K), slice(0, work.da.shape[-1]))


def named_gradients(gradients: list[Array], R: int, H: int) -> dict[str, Array]:
    """The rows of h, 1 and x in dW."""
    dW = gradients[0]
    return {"Wx": dW[R + 1 :], "Wh": dW[:R], "b": dW[R]}


class Cell(NamedTuple):
    """What tells one recurrent cell from another. W and gradients are tuples and lists of arrays, directions first.

    kept: the arrays (P, N, H) it keeps a step, see A above, as the textbook names them.
    gates: how many blocks of H columns its weights have. da_blocks: how many its pre-activations' gradients have.
    of_h, of_x: those of da that reach h through the product with Wh, and x. Forward, the product [h 1 x] W makes those
        that of_h names.

    weights(params): the weights W, first those of the product [h 1 x] W; transposed(W, R): (Wh^T, Wx^T, ...).
    forward(workspace, block, now) -> step: step(t) takes what stands in now (kept, P, N, H), pre-activations and the
        c before the step, to the same of A, which it puts into block.A if that has entries, and to h_t and c_t.
    backward(workspace, block) -> step: step(t) takes dh, and dc, of step t to da, and dc to that of step t - 1; in dh
        it leaves what reaches h_{t-1} past the products, or anything. It fills workspace.h_in with h_{t-1} first.
    gradient_shapes(D, R, H): of the gradients, for one direction; named(gradients, R, H): as params is, likewise.
    weight_gradients(workspace, block, gradients): adds the block's to them.

    bounded: whether what it puts out is; activations.py says what follows where it is not.
    past_the_products: whether h_{t-1} reaches h_t also by another way. more_of_Z(H): columns of Z beside [h, 1, x].
    """

    kept: tuple[str, ...]
    gates: int
    da_blocks: int
    of_h: slice
    of_x: slice
    weights: Callable[[Sequence[Weights]], tuple[Array, ...]]
    transposed: Callable[[tuple[Array, ...], int], tuple[Array, ...]]
    forward: Callable[[ForwardWorkspace, Block, Array], Step]
    backward: Callable[[BackwardWorkspace, Block], Step]
    gradient_shapes: Callable[[int, int, int], list[tuple[int, ...]]]
    weight_gradients: Callable[[BackwardWorkspace, Block, list[Array]], None] = weight_gradient
    named: Callable[[list[Array], int, int], dict[str, Array]] = named_gradients
    bounded: bool = True
    past_the_products: bool = False
    more_of_Z: Callable[[int], int] = lambda H: 0


def forward_steps(
    cell: Cell, group: Group, steps: range, state: list[Array], A: Array, final: list[Array], y: Array | None = None
) -> list[Array]:
    """A group's directions through `steps`, from the state before them -> the state after them.

    Fills A, unless it has no entries; y (T, N, P, R) if given; and where rows end final, the parts of it but h.
    """
    work = ForwardWorkspace(group, steps, state, A)
    W, mask, has_c = group.W[0], group.mask, len(state) == 2
    ends = group.ends if has_c else {}
    now = work.array("now", *A.shape[1:])
    now[-1] = state[-1]
    a = now[cell.of_h]  # (G, P, N, H)
    W_step, W_inputs = W[..., : work.Z.shape[-1], :], W[..., work.Z.shape[-1] :, :]
    product = work.array("from h", *a.shape) if work.few_rows else a
    z_rows, product_tiles = product_views(work.Z[:-1, :, None], W_step, product.swapaxes(0, 1))
    z, h = list(z_rows), work.h
    for block in work.blocks(y):
        if work.few_rows:
            from_x = work.views("from x", work.array("from x", work.size, *a.shape))
            work.multiply_inputs(W_inputs, work.array("from x")[: block.length])
        padded = None if cell.bounded else block.padded
        more_to_do = mask is not None or padded is not None or ends
        step = cell.forward(work, block, now)
        for t in range(block.length):
            matmul(z[t], W_step, product_tiles)  # a = [h 1 x] W
            if work.few_rows:
                add(product, from_x[t], a)
            step(t)
            if more_to_do:
                rows = ends.get(block.start + t)
                if padded is not None:
                    h[t][:, padded[t]] = 0
                    now[-1][:, padded[t]] = 0
                if mask is not None:
                    multiply(h[t], mask, work.Z_h[t + 1])
                if rows is not None:
                    final[1][:, rows] = now[-1][:, rows]
        if len(A) and not has_c:  # h_{t-1} of all the block's steps at once
            block.A[:-1, -1] = work.states[: block.length]
    after = [work.states[0], now[-1]][: len(state)]
    if len(A):
        A[len(steps), -1] = after[-1]
    return after


def backward_steps(
    cell: Cell,
    group: Group,
    steps: range,
    state: list[Array],
    A: Array,
    upstream: Upstream,
    dstate: list[Array],
    dx: Array,
    gradients: list[Array],
) -> None:
    """Back again; state is that before `steps`.

    Turns dstate, the gradient of the state after the steps, into that of the state before them; adds to dx, gradients.
    """
    H = A.shape[-1]
    work = BackwardWorkspace(group, steps, state, A, upstream, dstate, cell.da_blocks * H, cell.more_of_Z(H))
    dh, mask, ends, (WhT, WxT, *_) = dstate[0], group.mask, group.ends, upstream.WT
    of_h, of_x = (slice(of.start * H, of.stop * H) for of in (cell.of_h, cell.of_x))
    through = np.empty_like(dh) if cell.past_the_products else dh
    da_rows, dh_tiles = product_views(work.da.swapaxes(0, 1)[..., of_h], WhT, through)
    da, dy = list(da_rows), list(work.dy)
    for block in work.blocks():
        step = cell.backward(work, block)
        for t in reversed(range(block.length)):
            add(dh, dy[t], dh)
            if ends and block.start + t in ends:
                rows = ends[block.start + t]
                for d, d_T in zip(dstate, upstream.d_T):
                    d[:, rows] += d_T[:, rows]
            step(t)
            matmul(da[t], WhT, dh_tiles)  # the dh of step t - 1: da Wh^T
            if mask is not None:
                multiply(through, mask, through)
            if through is not dh:
                add(dh, through, dh)
        cell.weight_gradients(work, block, gradients)
        work.add_input_gradient(dx, block, of_x, WxT)
