"""What the passes of a group of directions are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from npbilstm.engine.tiles import Array
from npbilstm.engine.time_order import Rows


class Group(NamedTuple):
    """P directions, numbered as in time_order.py, that go step by step together: what they read, where rows end."""

    directions: Sequence[int]
    x: Array  # (T, N, D)
    padding_is_zero: bool  # in x
    lengths: Array | None
    ends: Mapping[int, Rows]
    W: tuple[Array, ...]
    mask: Array | None

    def part(self, own: slice) -> Group:
        """Some of the directions."""
        mask = None if self.mask is None else self.mask[own]
        return self._replace(directions=self.directions[own], W=tuple(w[own] for w in self.W), mask=mask)


class Interval(NamedTuple):
    """Steps to go through at one go, the state before them, A (steps + 1 or more, kept, P, N, H) for what is kept."""

    steps: range
    state: list[Array]
    A: Array


class Upstream(NamedTuple):
    """What the backward pass of a group is given beside, and what it adds its gradients to: dx, gradients.

    dy (T, N, P, R); d_T, dstate: of the final state's parts, of the state where the pass is; WT: transposed weights.
    """

    dy: Array
    d_T: list[Array]
    dstate: list[Array]
    WT: list[Array]
    dx: Array
    gradients: list[Array]
