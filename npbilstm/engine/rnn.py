"""The simple recurrent network made fast: h_t = tanh(a), or another activation of a = [h_{t-1}  1  x_t] W.

The same function as textbook/rnn.py; tests hold the two equal. recurrence.py has the notation, the layout and the loop.

A (T+1, 1, P, N, H) holds the state before each step: all that backward needs, as all derivatives are written in h.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

from numpy import multiply

from npbilstm.engine.activations import Activation, activation_named
from npbilstm.engine.recurrence import Cell, Step, Weights
from npbilstm.engine.tiles import Array, tiled_weights, transposed_tiles
from npbilstm.engine.workspace import BackwardWorkspace, Block, ForwardWorkspace


@cache
def rnn_cell(activation: str = "tanh") -> Cell:
    """The cell with this activation."""
    function = activation_named(activation)
    return Cell(
        kept=("h_prev",),
        gates=1,
        da_blocks=1,
        of_h=slice(0, 1),
        of_x=slice(0, 1),
        weights=weights,
        transposed=transposed,
        forward=partial(forward, function),
        backward=partial(backward, function),
        gradient_shapes=lambda D, R, H: [(R + 1 + D, H)],
        bounded=function.bounded,
    )


def weights(params: Sequence[Weights]) -> tuple[Array, ...]:
    """W (S, 1, H/w, 1, K, w), its rows those of Z."""
    H = params[0]["Wx"].shape[-1]
    return (tiled_weights([(p["Wh"], p["b"], p["Wx"]) for p in params], H, (0,), (1,)),)


def transposed(W: tuple[Array, ...], R: int) -> tuple[Array, ...]:
    """Wh^T (S, H/w, 1, H, w) and Wx^T (S, D/w, 1, H, w), w as fits each."""
    return transposed_tiles(W, (1,), slice(0, R)), transposed_tiles(W, (1,), slice(R + 1, None))


def forward(activation: Activation, work: ForwardWorkspace, block: Block, now: Array) -> Step:
    """See Cell. The loop keeps the states itself."""
    a, h, activate = now[0], work.h, activation.function

    def step(t: int) -> None:
        activate(a, h[t])  # h_t = tanh(a)

    return step


def backward(activation: Activation, work: BackwardWorkspace, block: Block) -> Step:
    """See Cell. da = dh tanh'(a), the derivative being made for a block at once."""
    n = block.length
    work.h_in[:n] = block.A[:-1, 0]
    work.mask(work.h_in[:n])
    F_block = work.array("F", work.size, *block.A.shape[2:])[:n]
    activation.derivative(block.A[1:, 0], F_block)
    F, da, dh = list(F_block), list(work.da_blocks[:n, 0]), work.dstate[0]

    def step(t: int) -> None:
        multiply(F[t], dh, da[t])

    return step
