"""Layer normalisation (Ba, Kiros & Hinton 2016): each row by its own mean and standard deviation.

Nothing is shared by the rows of a batch, nor by its steps, so a batch of one, and a step that no other row has, are
normalised as all others are, in training and after it. Batch normalisation can do neither.

Statistics run over the last axis, of K numbers; z may have any axes before it. epsilon keeps a row of equal numbers
from being divided by 0; the paper has none, and 1e-5 is PyTorch's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from npbilstm.textbook.sequences import require_shape


class LayerNormCache(NamedTuple):
    """What the backward pass needs: the normalised numbers n (..., K), what they were divided by, s (..., 1), and the
    gain (K,)."""

    n: np.ndarray
    s: np.ndarray
    gain: np.ndarray


def layer_norm_forward(
    z: np.ndarray, gain: np.ndarray, bias: np.ndarray | float = 0.0, epsilon: float | np.ndarray = 1e-5
) -> tuple[np.ndarray, LayerNormCache]:
    """LN(z; gain, bias), with the sums over the K numbers of a row (Ba et al. 2016, supplement, equations 15 and 16).

        mean      = 1/K sum_k z
        deviation = z - mean
        variance  = 1/K sum_k deviation^2        K, not K - 1: of these numbers, not of what they were drawn from
        s         = sqrt(variance + epsilon)
        n         = deviation / s                mean 0, standard deviation 1
        normed    = gain * n + bias              each of the K has a scale and a place of its own again

    z (..., K), gain (K,), bias (K,) or 0 for none -> normed (..., K), cache.

    Raises ValueError where a shape does not fit.

    >>> from npbilstm.textbook import layer_norm_forward
    >>> normed, _ = layer_norm_forward(np.array([[1.0, 3.0], [10.0, 30.0]]), np.ones(2))
    >>> normed.round(3).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """
    require_shape("gain", gain, z.shape[-1:])
    if np.ndim(bias):
        require_shape("bias", np.asarray(bias), z.shape[-1:])
    mean = z.mean(axis=-1, keepdims=True)  # (..., 1)
    deviation = z - mean
    variance = (deviation**2).mean(axis=-1, keepdims=True)  # np.var would take complex numbers' absolute values
    s = np.sqrt(variance + epsilon)
    n = deviation / s
    normed = gain * n + bias
    return normed, LayerNormCache(n, s, gain)


def layer_norm_backward(dnormed: np.ndarray, cache: LayerNormCache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients, given dnormed (..., K).

        dgain         = sum over all rows of dnormed * n
        dbias         = sum over all rows of dnormed
        dn            = dnormed * gain
        by_mean       = 1/K sum_k dn             every z is in the mean, which all K subtract
        by_deviation  = n * 1/K sum_k dn * n     and in s, by which all K are divided
        dz            = (dn - by_mean - by_deviation) / s

    So dz has no part along a row of ones nor along n: to shift or to scale all of a row changes nothing.

    -> dz (..., K), dgain (K,), dbias (K,). Raises ValueError where a shape does not fit.
    """
    n, s, gain = cache
    require_shape("dnormed", dnormed, n.shape)
    rows = tuple(range(n.ndim - 1))  # all axes but the last
    dgain = (dnormed * n).sum(axis=rows)
    dbias = dnormed.sum(axis=rows)
    dn = dnormed * gain
    by_mean = dn.mean(axis=-1, keepdims=True)
    by_deviation = n * (dn * n).mean(axis=-1, keepdims=True)
    dz = (dn - by_mean - by_deviation) / s
    return dz, dgain, dbias
