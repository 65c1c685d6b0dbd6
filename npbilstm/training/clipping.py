"""Clipping by global norm: a too large gradient keeps its direction and loses its excess length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from npbilstm.layers.row_gradient import RowGradient

Gradient = TypeVar("Gradient", np.ndarray, "np.ndarray | RowGradient")


def clip_by_global_norm(grads: Mapping[str, Gradient], max_norm: float) -> tuple[dict[str, Gradient], float]:
    """Scale all gradients by one factor so that their joint norm is at most max_norm (Pascanu et al. 2013, alg. 1).

        norm = sqrt(sum over all entries of g^2)
        g    = g * min(1, max_norm / norm)

    -> the clipped gradients, new arrays where they were scaled; and the norm before clipping.

    Raises ValueError where max_norm is not above 0, FloatingPointError where a gradient is not finite.

    >>> grads, norm = nb.clip_by_global_norm({"W": np.array([3.0]), "b": np.array([4.0])}, max_norm=2.5)
    >>> norm, grads["W"].tolist(), grads["b"].tolist()
    (5.0, [1.5], [2.0])
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm is {max_norm}; it needs to be above 0")
    numbers = [g.values if isinstance(g, RowGradient) else g for g in grads.values()]
    norm = float(np.sqrt(sum(np.square(g, dtype=np.float64).sum() for g in numbers)))
    if not np.isfinite(norm):
        raise FloatingPointError(f"the gradients' joint norm is {norm}; clipping needs finite gradients")
    if norm <= max_norm:
        return dict(grads), norm
    factor = max_norm / norm
    scaled: dict[str, Any] = {
        name: g.times(factor) if isinstance(g, RowGradient) else g * factor for name, g in grads.items()
    }
    return scaled, norm
