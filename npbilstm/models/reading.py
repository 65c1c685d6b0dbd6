"""What a model reads: ids of symbols, which an embedding turns into vectors, or features, as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from npbilstm.layers.checks import in_dtype, require_features, require_ids, require_integers, require_size
from npbilstm.layers.embedding import Embedding, EmbeddingCache
from npbilstm.textbook.sequences import check_lengths, valid_steps

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def read_size(num_symbols: int | None, input_size: int | None, embedding_size: int | None) -> int:
    """How many numbers a step is to the recurrent layers. Raises ValueError unless one of the first two is given."""
    if (num_symbols is None) == (input_size is None):
        given = "neither is given" if input_size is None else "both are given"
        raise ValueError(f"num_symbols or input_size: {given}; a model reads ids of symbols, or features")
    if input_size is None:
        return 32 if embedding_size is None else embedding_size
    if embedding_size is not None:
        raise ValueError("embedding_size is given with input_size; features are read as they are, without an embedding")
    return require_size("input_size", input_size)


def read_forward(
    embedding: Embedding | None, D: int, dtype: np.dtype, inputs: ArrayLike, lengths: ArrayLike | None
) -> tuple[np.ndarray, EmbeddingCache | None, np.ndarray]:
    """ids (N, T), or without an embedding x (N, T, D) -> what the recurrent layers read (N, T, D), the embedding's
    cache, which steps are valid (N, T). Raises TypeError or ValueError, naming the argument."""
    if embedding is None:
        x = require_features("x", inputs, "N, T, D", D, "input_size")
        checked = check_lengths(lengths, *x.shape[:2])
        return in_dtype("x", x, dtype, checked), None, valid_steps(checked, x.shape[1])
    ids = require_integers("ids", inputs)
    if ids.ndim != 2:
        raise ValueError(f"ids has shape {ids.shape}; it needs axes (N, T)")
    valid = valid_steps(check_lengths(lengths, *ids.shape), ids.shape[1])
    x, cache = embedding.forward(np.where(valid, ids, ids.dtype.type(0)))
    return x, cache, valid


def require_readable(name: str, inputs: Any, embedding: Embedding | None, D: int) -> None:
    """Raise TypeError or ValueError where these are not the ids (T,), or without an embedding finite features (T, D),
    of one sequence."""
    if embedding is not None:
        require_ids(f"{name}'s ids", inputs, embedding.num_embeddings)
        return
    x = require_features(f"{name}'s x", inputs, "T, D", D, "input_size")
    if not np.isfinite(x).all():
        t, d = np.argwhere(~np.isfinite(x))[0]
        raise ValueError(f"{name}'s x holds {x[t, d]} at step {t}, feature {d}; it needs finite numbers")
