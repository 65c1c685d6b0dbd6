"""Dropout: while training, each number is zeroed with probability p and the rest are scaled up to keep the mean.

    y = x * mask / (1 - p)           mask is 1 with probability 1 - p, else 0; inverted scaling, so that
    dx = dy * mask / (1 - p)         without training the layer is the identity

(Srivastava et al. 2014; the inverted form is the one in use today.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from npbilstm.layers.checks import in_dtype, pass_rng, require_bool, require_floats, require_fraction, require_rng
from npbilstm.layers.layer import Layer
from npbilstm.textbook.sequences import require_shape

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class DropoutCache(NamedTuple):
    """The scaled mask, shaped as x, None where nothing was dropped; and the shape and dtype of x."""

    layer: Dropout
    scaled_mask: np.ndarray | None
    shape: tuple[int, ...]
    dtype: np.dtype

    def __repr__(self) -> str:
        return f"<cache of {self.layer!r}, x of shape {self.shape}, training={self.scaled_mask is not None}>"


class Dropout(Layer):
    """Zero each number with probability p while training. Has no parameters.

    p: 0 <= p < 1. rng: a seed or generator for the masks.

    >>> layer, x = nb.Dropout(0.5, rng=0), np.ones((10, 10))
    >>> np.unique(layer.forward(x, training=True)[0]).tolist()
    [0.0, 2.0]
    >>> np.unique(layer.forward(x)[0]).tolist()
    [1.0]
    """

    def __init__(self, p: float = 0.5, *, rng: int | np.random.Generator | None = None) -> None:
        self.p = require_fraction("p", p)
        self.rng = require_rng(rng)
        self.params: dict[str, np.ndarray] = {}

    def __repr__(self) -> str:
        return f"Dropout({self.p})"

    @property
    def param_shapes(self) -> dict[str, tuple[int, ...]]:
        """None."""
        return {}

    def forward(
        self, x: ArrayLike, training: bool = False, *, rng: int | np.random.Generator | None = None
    ) -> tuple[np.ndarray, DropoutCache]:
        """x of any shape -> y of that shape, cache. rng draws this pass's mask; by default the layer's own."""
        x, p = require_floats("x", x), require_fraction("p", self.p)
        if not require_bool("training", training) or p == 0:
            return x, DropoutCache(self, None, x.shape, x.dtype)
        scaled_mask = dropout_mask(pass_rng(self.rng, rng), p, x)
        return x * scaled_mask, DropoutCache(self, scaled_mask, x.shape, x.dtype)

    def backward(self, dy: ArrayLike, cache: DropoutCache) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """dy, shaped as x -> dx, no grads."""
        self._require_own(cache)
        dy = in_dtype("dy", dy, cache.dtype)
        require_shape("dy", dy, cache.shape)
        return (dy if cache.scaled_mask is None else dy * cache.scaled_mask), {}


def dropout_mask(rng: np.random.Generator, p: float, x: np.ndarray) -> np.ndarray:
    """mask / (1 - p) in the shape and the real dtype of x."""
    scale = np.array(1 / (1 - p), x.real.dtype)
    scaled_mask: np.ndarray = (rng.random(x.shape, np.float32) >= p) * scale
    return scaled_mask
