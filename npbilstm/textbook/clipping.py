"""Clipping by the global norm: gradients that are too long keep their direction (Pascanu, Mikolov & Bengio 2013).

A clipped gradient is no derivative any more. A gradient check of it finds one ratio in every entry, the factor below,
and is right to call it wrong: check first, clip afterwards, and never within a backward pass.
"""

from __future__ import annotations

import numpy as np


def clipping_factor(norm: float, max_norm: float) -> float:
    """What gradients of this norm are multiplied by, so that it is at most max_norm.

        factor = min(1, max_norm / norm)      1 for a norm of 0

    norm, max_norm: numbers -> factor. It is also what a gradient check then finds between got and expected.
    """
    return 1.0 if norm <= max_norm else max_norm / norm


def clipped_gradients(
    dtable: np.ndarray, dW: np.ndarray, db: np.ndarray, max_norm: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Gradients of an embedding and of an affine map, clipped together.

        norm = sqrt(sum over all entries of all three of g^2)
        g    = factor g                       one factor for all, so that the direction stays

    dtable (V, D), dW (D, V), db (V,), max_norm a number -> dtable, dW, db, and the norm before clipping.
    """
    norm = float(np.sqrt((dtable * dtable).sum() + (dW * dW).sum() + (db * db).sum()))
    factor = clipping_factor(norm, max_norm)
    return factor * dtable, factor * dW, factor * db, norm
