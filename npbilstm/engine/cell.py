"""What a cell must supply: its weights and its equations, forward and back. A subclass for each, lstm.py first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from npbilstm.engine.tiles import Array, tiled_weights, transposed_tiles
from npbilstm.engine.workspace import BackwardWorkspace, Block, ForwardWorkspace

Weights = Mapping[str, Array]
"""The weights of one direction by name: "Wx", "Wh", "b" and what else the cell has."""

Step = Callable[[int], None]
"""A cell's equations for step t of a block."""


class Cell:
    """What tells one recurrent cell from another. W and gradients are tuples and lists of arrays, directions first.

    kept: the arrays (P, N, H) it keeps a step, as the textbook names them; the last is c_prev, or h_prev where there is
        no c. A in recurrence.py has them for all steps, `now` for one: there pre-activations stand where gates come.
    shift, scales: W has the last `shift` of the public gates first; and each gate is multiplied by this power of two.
    of_h, of_x: the gates of da that go back through Wh^T, and through Wx^T: the last ones. [h 1 x] W makes those of
        of_h, in `now`.
    bounded: whether what it puts out is; activations.py says what follows where it is not.
    helped: whether the helper may run weight_gradients: it may read work.da, work.Z and block.A, which the next block's
        loop leaves as they are. A projection reads more, and a second set of it would be more memory than we may take.
    past_the_products: whether h_{t-1} reaches h_t also by another way than the product with Wh.
    """

    kept: tuple[str, ...]
    scales: tuple[float, ...]
    shift = 0
    of_h: slice
    of_x: slice
    bounded = helped = True
    past_the_products = False

    def forward(self, work: ForwardWorkspace, block: Block, now: Array) -> Step:
        """step(t): from what stands in now (kept, P, N, H), pre-activations and any c before the step, to h_t and c_t.

        What is to be kept of a step it puts into block.A, if that has entries, but for an h before the step: that of
        all steps is put there by the loop.
        """
        raise NotImplementedError

    def backward(self, work: BackwardWorkspace, block: Block) -> Step:
        """step(t): from dh, and dc, of step t to da, and dc to that of step t - 1.

        In dh it leaves what reaches h_{t-1} past the products, or anything where nothing does. Before the first step
        it fills work.h_in with h_{t-1} of the block's steps, as the products read it.
        """
        raise NotImplementedError

    def weights(self, params: Sequence[Weights]) -> tuple[Array, ...]:
        """W, first that of the product [h 1 x] W: in tiles, (S, gates, H/w, 1, K, w)."""
        return (tiled_weights([(p["Wh"], p["b"], p["Wx"]) for p in params], self.scales, self.shift),)

    def transposed(self, W: tuple[Array, ...], R: int) -> tuple[Array, ...]:
        """(Wh^T, Wx^T, ...), their rows in da's order: here the public one, in which then gradients come out."""
        k = self.shift
        gates, scales = (W[0][:, k:], W[0][:, :k]), (*self.scales[k:], *self.scales[:k])
        return transposed_tiles(gates, scales, slice(0, R)), transposed_tiles(gates, scales, slice(R + 1, None))

    def gradient_shapes(self, D: int, R: int, H: int) -> list[tuple[int, ...]]:
        """Of the gradients, for one direction."""
        return [(R + 1 + D, self.of_x.stop * H)]

    def weight_gradients(self, work: BackwardWorkspace, block: Block, gradients: list[Array]) -> None:
        """dW (P, K, columns) += [h_{t-1}  1  x_t]^T da."""
        work.add_weight_gradient(gradients[0], block)

    def named(self, gradients: list[Array], R: int, H: int) -> dict[str, Array]:
        """The gradients of one direction as params is: the rows of h, 1 and x in dW."""
        dW = gradients[0]
        return {"Wx": dW[R + 1 :], "Wh": dW[:R], "b": dW[R]}

    def more_of_Z(self, H: int) -> int:
        """How many columns of the backward Z it wants beside those of [h, 1, x]."""
        return 0
