"""The recurrence, forward and back: the one loop over time that every cell goes through.

Letters as in textbook/: N rows, T steps, D inputs, H units; R numbers in h, the H units but for an LSTM with a
projection; and S directions, forward, reverse or both, of which P go step by step together (schedule.py says which).

The layout, and its reasons:

- Z (steps, P, N, K) holds [h, 1, x] side by side, K = R + 1 + D columns (not the K of textbook/), so that state, bias
  and input share one product. The 1 stands between them as some products need [h 1] alone, others [1 x]. Forward, the
  new h is written straight into the next step's; with few rows Z is h alone (schedule.py). Backward has a Z of its own,
  (P, steps, N, K or more). Weights stand in tiles, see tiles.py.
- One tanh for all gates: sigmoid(a) = 1/2 + 1/2 tanh(a/2), the inner halves folded into the weights once. Backward
  has the weights without them, and its derivatives are by the a of the textbook: no gradient needs a factor.
- A (T+1, kept, P, N, H) is what forward keeps for backward: at each step the gates, activated, and last the c before
  the step, or the h where there is no c. Entry T has no gates, only the last state.
- Steps are worked on in blocks (workspace.py). What needs no recurrence is done for a whole block at once: transposing
  from and to the public (N, T, ...); in backward, the local derivatives before the block's loop, the gradients of
  weights and inputs after it: dW = Z^T da, the bias being the row of 1.
- No masks on the states. Padding is read as zeros and its steps are computed like all others; since each direction
  processes a row's valid steps first (time_order.py), they cannot touch a valid step. Final states are picked up where
  each row ends. Backward, the upstream gradient is zero in the padding and that of the final state enters at each row's
  last valid step, so what flows through padded steps is exactly zero.
- A mask of variational dropout (Gal & Ghahramani 2016) is on h where it enters a product: Z holds the masked h.

In the loops over steps every call counts, so they name the result's place by position: multiply(x, y, out). What a step
reads and writes stands ready in lists, one view a step: h[t] is h_t.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import cycle

import numpy as np
from numpy import add, matmul, multiply

from npbilstm.engine.cell import Cell
from npbilstm.engine.group import Group, Interval, Upstream
from npbilstm.engine.helper import Helper
from npbilstm.engine.tiles import Array, product_views
from npbilstm.engine.workspace import BackwardWorkspace, ForwardWorkspace, Scratch


def forward_steps(
    cell: Cell, group: Group, interval: Interval, final: Sequence[Array] = (), y: Array | None = None
) -> list[Array]:
    """A group's directions through these steps, from the state before them -> the state after them.

    Fills A, unless it has no entries; where rows end, the parts of final; and y (T, N, P, R) if given.
    """
    steps, state, A = interval
    work = ForwardWorkspace(group, interval)
    W, mask, few_rows, has_c = group.W[0], group.mask, work.few_rows, len(state) == 2
    now = work.array("now", *A.shape[1:])
    now[-1] = state[-1]
    a = now[cell.of_h]  # (G, P, N, H)
    W_step, W_inputs = W[..., : work.Z.shape[-1], :], W[..., work.Z.shape[-1] :, :]
    product = work.array("from h", *a.shape) if few_rows else a
    x_share = work.array("from x", work.size if few_rows else 0, *a.shape)
    z_rows, product_tiles = product_views(work.Z[:-1, :, None], W_step, product.swapaxes(0, 1))
    z, h, from_x = list(z_rows), work.h, list(x_share)
    for block in work.blocks(y):
        if few_rows:
            work.multiply_inputs(W_inputs, x_share[: block.length])
        padded = None if cell.bounded else block.padded
        step, ends = cell.forward(work, block, now), block.ends
        for t in range(block.length):
            matmul(z[t], W_step, product_tiles)  # a = [h 1 x] W; with few rows h Wh, the rest comes below
            if few_rows:
                add(product, from_x[t], a)
            step(t)
            if padded is not None:
                h[t][:, padded[t]] = 0
                now[-1][:, padded[t]] = 0
            if mask is not None:
                multiply(h[t], mask, work.Z_h[t + 1])
            if t in ends:
                for place, part in zip(final, (h[t], now[-1])):
                    place[:, ends[t]] = part[:, ends[t]]
        if len(A) and not has_c:  # h_{t-1} of all the block's steps at once
            block.A[:-1, -1] = work.states[: block.length]
    after = [work.states[0], now[-1]][: len(state)]
    if len(A):
        A[len(steps), -1] = after[-1]
    return after


def backward_steps(cell: Cell, group: Group, interval: Interval, upstream: Upstream, helper: Helper) -> None:
    """Back again. Turns upstream.dstate, the gradient of the state after the steps, into that of the state before them;
    adds to upstream.dx and upstream.gradients.

    The helper adds a block's gradients while the next block's loop runs, which has another da and Z; block after block,
    so each sum is made in the same order and has the same bits, whoever makes it.
    """
    needs = group, interval, upstream, cell.of_x.stop, cell.more_of_Z(interval.A.shape[-1])
    scratch: Scratch = {}
    works = [BackwardWorkspace(*needs, scratch) for _ in range(helper.blocks_at_once)]
    dh, mask, (WhT, WxT, *_) = upstream.dstate[0], group.mask, upstream.WT
    from_product = np.empty_like(dh) if cell.past_the_products else dh
    views = [product_views(work.da_of(cell.of_h).swapaxes(0, 1), WhT, from_product) for work in works]
    in_turn = cycle([(work, list(work.dy), list(da_rows)) for work, (da_rows, _) in zip(works, views)])
    dh_tiles = views[0][1]
    for start, (work, dy, da) in zip(reversed(interval.steps[:: works[0].size]), in_turn):
        block = work.read(start)
        step, ends = cell.backward(work, block), block.ends
        for t in reversed(range(block.length)):
            add(dh, dy[t], dh)
            if t in ends:
                for d, d_T in zip(upstream.dstate, upstream.d_T):
                    d[:, ends[t]] += d_T[:, ends[t]]
            step(t)
            matmul(da[t], WhT, dh_tiles)  # the dh of step t - 1: da Wh^T
            if mask is not None:
                multiply(from_product, mask, from_product)
            if from_product is not dh:
                add(dh, from_product, dh)
        helper.give(
            partial(cell.weight_gradients, work, block, upstream.gradients),
            partial(work.add_input_gradient, block, cell.of_x, WxT),
        )
    helper.finish()
