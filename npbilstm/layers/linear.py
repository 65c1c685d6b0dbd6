"""The linear layer: an affine map of the last axis, the same at every row and step."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from npbilstm.layers.checks import in_dtype, require_dtype, require_features, require_rng, require_size
from npbilstm.layers.initialisation import glorot_uniform
from npbilstm.layers.layer import Layer, made_with
from npbilstm.textbook.sequences import require_shape

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike


class LinearCache(NamedTuple):
    """x (..., D) and W (D, V) as forward saw them; W is a copy, since an optimizer changes weights in place."""

    layer: Linear
    x: np.ndarray
    W: np.ndarray

    def __repr__(self) -> str:
        return f"<cache of {self.layer!r}, x of shape {self.x.shape}>"


class Linear(Layer):
    """y = x W + b, with W (D, V) and b (V,).

    input_size: D. output_size: V. dtype: float32 or float64. rng: a seed or generator for W (Glorot uniform); b is 0.

    >>> layer = nb.Linear(2, 1)
    >>> layer.params["W"][...] = [[2], [3]]
    >>> y, cache = layer.forward([[1.0, 10.0]])
    >>> y.tolist()
    [[32.0]]
    >>> dx, grads = layer.backward([[1.0]], cache)
    >>> dx.tolist(), grads["W"].tolist()
    ([[2.0, 3.0]], [[1.0], [10.0]])
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        dtype: DTypeLike = np.float32,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        self.input_size = require_size("input_size", input_size)
        self.output_size = require_size("output_size", output_size)
        W = glorot_uniform(require_rng(rng), self.input_size, self.output_size)
        self.params = {"W": W.astype(require_dtype(dtype)), "b": np.zeros(self.output_size, dtype)}

    def __repr__(self) -> str:
        return made_with(self, self.input_size, self.output_size)

    @property
    def param_shapes(self) -> dict[str, tuple[int, ...]]:
        """W (D, V) and b (V,)."""
        return {"W": (self.input_size, self.output_size), "b": (self.output_size,)}

    def forward(self, x: ArrayLike) -> tuple[np.ndarray, LinearCache]:
        """y = x W + b. x (..., D) -> y (..., V), cache. Raises where x has not D features of floating numbers."""
        dtype = self._require_params()
        x = require_features("x", x, "...", self.input_size, "input_size")
        x = in_dtype("x", x, dtype)
        W = self.params["W"].copy()
        return x @ W + self.params["b"], LinearCache(self, x, W)

    def backward(self, dy: ArrayLike, cache: LinearCache) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """dx = dy W^T, dW = x^T dy and db = sum dy, both summed over all rows and steps.

        dy (..., V) -> dx (..., D), grads.
        """
        self._require_own(cache)
        self._require_params()
        _, x, W = cache
        dy = in_dtype("dy", dy, x.dtype)
        require_shape("dy", dy, (*x.shape[:-1], self.output_size))
        dy_rows = dy.reshape(-1, self.output_size)
        dW = x.reshape(-1, self.input_size).T @ dy_rows
        return dy @ W.T, {"W": dW, "b": dy_rows.sum(axis=0)}
