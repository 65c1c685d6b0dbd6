"""The simple recurrent network made fast: h_t = tanh(a), or another activation of a = [h_{t-1}  1  x_t] W.

The same function as textbook/rnn.py; tests hold the two equal. recurrence.py has the notation and the layout.

A (T+1, 1, P, N, H) holds the state before each step: all that backward needs, as all derivatives are written in h.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

from numpy import add, matmul, multiply

from npbilstm.engine.activations import Activation, activation_named
from npbilstm.engine.blocks import BackwardRoom, ForwardRoom, Scan, Upstream, WeightGradient
from npbilstm.engine.buffers import borrow
from npbilstm.engine.recurrence import Cell, Weights
from npbilstm.engine.tiles import Array, in_tiles, tiled_weights, tiles_of, transposed


def weights(params: Sequence[Weights]) -> tuple[Array, ...]:
    """W (S, 1, H/w, 1, K, w), its rows those of Z."""
    H = params[0]["Wx"].shape[-1]
    return (tiled_weights([(p["Wh"], p["b"], p["Wx"]) for p in params], H, (0,), (1,)),)


def transposed_weights(W: tuple[Array, ...]) -> tuple[Array, ...]:
    """Wh and Wx transposed, in tiles."""
    WT = transposed(W[0], (1,))  # (S, H, K)
    H = WT.shape[1]
    return in_tiles(WT[..., :H]), in_tiles(WT[..., H + 1 :])


def forward_steps(
    activation: Activation,
    scan: Scan,
    steps: range,
    state: list[Array],
    A: Array,
    final: list[Array],
    y: Array | None = None,
) -> list[Array]:
    """See Cell. A (len(steps) + 1, 1, P, N, H)."""
    (h,), (W,), mask, activate = state, scan.W, scan.mask, activation.function
    P, N, H = h.shape
    room = ForwardRoom(scan, steps, h)
    Z_rows, W_step = room.recurrent_products(W)
    (a,) = borrow(h.dtype, (P, N, H))
    a_tiles = tiles_of(a[:, None], Z_rows.shape[-2], W.shape[-1])
    A[0, 0] = h
    for block in room.blocks(y):
        n, k = block.n, block.start - steps.start
        to_clear = block.rows_to_clear(activation.bounded)
        for z, h, masked, share, padded in zip(Z_rows, room.h[1:], room.masked, room.rest_of_products(n), to_clear):
            matmul(z, W_step, a_tiles)  # a = [h 1 x] W
            if share is not None:
                add(a, share[0], a)
            activate(a, h)
            if padded is not None:
                h[:, padded] = 0
            if mask is not None:
                multiply(h, mask, masked)
        if A.strides[0]:  # the steps are kept; else nobody reads it
            A[k + 1 : k + n + 1, 0] = room.h[1 : n + 1]
    return [room.h[0]]


def backward_steps(
    activation: Activation,
    scan: Scan,
    steps: range,
    state: list[Array],
    A: Array,
    upstream: Upstream,
    dstate: list[Array],
    dx: Array,
    grads: list[Array],
) -> None:
    """See Cell. grads: dW (P, K, H), its rows those of h, x and 1."""
    (dh,), (WhT, WxT), (dh_T,), (dW,) = dstate, upstream.WT, upstream.d_T, grads
    ends, mask = scan.ends, scan.mask
    P, N, H = dh.shape
    D, all_columns = scan.x.shape[-1], slice(H)
    room = BackwardRoom(scan, steps, upstream, dh.dtype, H, H)
    product = WeightGradient(room, A.dtype, H + D, all_columns, H)
    (F_block,) = borrow(A.dtype, (room.block, P, N, H))
    for block in room.blocks():
        n, k = block.n, block.start - steps.start
        room.read_inputs(block, product.Z[..., H:])
        h_before = product.Z[:, :n, :, :H].swapaxes(0, 1)
        h_before[...] = A[k : k + n, 0]
        if mask is not None:
            multiply(h_before, mask, h_before)
        F = F_block[:n]
        activation.derivative(A[k + 1 : k + n + 1, 0], F)

        da_rows = room.rows(block, all_columns, WhT.shape[-1])
        dh_tiles = tiles_of(dh, da_rows.shape[-2], WhT.shape[-1])
        for t, dy_t, F_t, da_h, da in zip(
            reversed(range(block.start, block.start + n)),
            room.dy[:n][::-1],
            F[::-1],
            room.da[:, :n].swapaxes(0, 1)[::-1],
            da_rows[::-1],
        ):
            add(dh, dy_t, dh)
            if t in ends:
                dh[:, ends[t]] += dh_T[:, ends[t]]
            multiply(F_t, dh, da_h)
            matmul(da, WhT, dh_tiles)  # the new dh = da Wh^T
            if mask is not None:
                multiply(dh, mask, dh)

        product.add_to(dW[:, :-1], n)
        room.add_bias_gradient(block, all_columns, dW[:, -1])
        room.add_input_gradient(block, all_columns, WxT, dx)


def gradient_shapes(D: int, R: int, H: int) -> list[tuple[int, ...]]:
    """See Cell."""
    return [(R + D + 1, H)]


def named(grads: list[Array], R: int, H: int) -> dict[str, Array]:
    """See Cell."""
    (dW,) = grads
    return {"Wx": dW[R:-1], "Wh": dW[:R], "b": dW[-1]}


@cache
def rnn_cell(activation: str = "tanh") -> Cell:
    """The cell with this activation."""
    way = activation_named(activation)
    return Cell(
        *(1, ("h_prev",), weights, transposed_weights, partial(forward_steps, way), partial(backward_steps, way)),
        *(gradient_shapes, named),
    )
