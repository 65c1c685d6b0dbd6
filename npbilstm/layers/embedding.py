"""The embedding: a table with one learned vector a symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from npbilstm.layers.checks import in_dtype, require_dtype, require_ids, require_rng, require_size
from npbilstm.layers.layer import Layer, made_with
from npbilstm.layers.row_gradient import RowGradient, summed_by_row
from npbilstm.textbook.sequences import require_shape

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike


class EmbeddingCache(NamedTuple):
    """The ids (...) that were looked up."""

    layer: Embedding
    ids: np.ndarray

    def __repr__(self) -> str:
        return f"<cache of {self.layer!r}, ids of shape {self.ids.shape}>"


class Embedding(Layer):
    """y[..., :] = W[ids[...]], with W (V, D): V symbols, D numbers each.

    num_embeddings: V. embedding_size: D. dtype: float32 or float64. rng: a seed or generator for W, standard normal.

    >>> layer = nb.Embedding(4, 2, rng=0)
    >>> y, cache = layer.forward([[1, 0, 1]])
    >>> y.shape
    (1, 3, 2)
    >>> _, grads = layer.backward(np.ones((1, 3, 2)), cache)
    >>> grads["W"][:, 0].tolist()  # symbol 1 was looked up twice
    [1.0, 2.0, 0.0, 0.0]
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_size: int,
        *,
        dtype: DTypeLike = np.float32,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        self.num_embeddings = require_size("num_embeddings", num_embeddings)
        self.embedding_size = require_size("embedding_size", embedding_size)
        W = require_rng(rng).standard_normal((self.num_embeddings, self.embedding_size))
        self.params = {"W": W.astype(require_dtype(dtype))}

    def __repr__(self) -> str:
        return made_with(self, self.num_embeddings, self.embedding_size)

    @property
    def param_shapes(self) -> dict[str, tuple[int, ...]]:
        """W (V, D)."""
        return {"W": (self.num_embeddings, self.embedding_size)}

    def forward(self, ids: ArrayLike) -> tuple[np.ndarray, EmbeddingCache]:
        """ids (...) integers in 0..V-1 -> y (..., D), cache. Raises TypeError or ValueError for other ids."""
        self._require_params()
        ids = require_ids("ids", ids, self.num_embeddings)
        return self.params["W"][ids], EmbeddingCache(self, ids.copy())

    def backward(self, dy: ArrayLike, cache: EmbeddingCache) -> tuple[None, dict[str, np.ndarray]]:
        """dW[v] = the sum of dy over the places where v was looked up.

        dy (..., D) -> None (ids have no gradient), grads.
        """
        return None, {"W": self.backward_by_row(dy, cache).dense()}

    def backward_by_row(self, dy: ArrayLike, cache: EmbeddingCache) -> RowGradient:
        """dW as backward has it, but only the rows that were looked up."""
        self._require_own(cache)
        dy = in_dtype("dy", dy, self._require_params())
        require_shape("dy", dy, (*cache.ids.shape, self.embedding_size))
        return summed_by_row(cache.ids.ravel(), dy.reshape(-1, self.embedding_size), self.params["W"].shape)
