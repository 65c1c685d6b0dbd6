"""The simple recurrent network made fast: h_t = tanh(a), or another activation of a = [h_{t-1}  1  x_t] W.

A (T+1, 1, P, N, H) holds the h before each step: all that backward needs, as all derivatives are written in h.
"""

from __future__ import annotations

from functools import cache

from numpy import multiply

from npbilstm.engine.activations import ACTIVATIONS
from npbilstm.engine.cell import Cell, Step
from npbilstm.engine.tiles import Array
from npbilstm.engine.workspace import BackwardWorkspace, Block, ForwardWorkspace


class RNN(Cell):
    """As textbook/rnn.py."""

    kept, scales = ("h_prev",), (1,)
    of_h = of_x = slice(0, 1)

    def __init__(self, activation: str) -> None:
        self.activation = ACTIVATIONS[activation]
        self.bounded = self.activation.bounded

    def forward(self, work: ForwardWorkspace, block: Block, now: Array) -> Step:
        """See Cell."""
        a, h, activate = now[0], work.h, self.activation.function

        def step(t: int) -> None:
            activate(a, h[t])  # h_t = tanh(a)

        return step

    def backward(self, work: BackwardWorkspace, block: Block) -> Step:
        """See Cell. da = dh tanh'(a), the derivative being made for a block at once."""
        n = block.length
        work.h_in[:n] = block.A[:-1, 0]
        work.mask(work.h_in[:n])
        F_block = work.array("F", work.size, *block.A.shape[2:])[:n]
        self.activation.derivative(block.A[1:, 0], F_block)
        F, da, dh = list(F_block), list(work.da_gates[:n, 0]), work.dstate[0]

        def step(t: int) -> None:
            multiply(F[t], dh, da[t])

        return step


@cache
def rnn_cell(activation: str = "tanh") -> Cell:
    """The cell with this activation."""
    return RNN(activation)
