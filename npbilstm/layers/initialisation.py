"""How fresh weights are drawn."""

from __future__ import annotations

from typing import Literal

import numpy as np

from npbilstm.layers.checks import is_real, require_size
from npbilstm.layers.options import Init


def glorot_uniform(rng: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
    """U(-r, r) with r = sqrt(6 / (fan_in + fan_out)) -> (fan_in, fan_out). (Glorot & Bengio 2010, eq. 16.)"""
    r = np.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-r, r, (fan_in, fan_out))


def orthogonal(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """A random matrix (rows, columns) with an orthonormal shorter side: a square one neither stretches nor shrinks what
    flows through time.

    The Q of a Gaussian matrix, its signs fixed so that every rotation is equally likely (Saxe et al. 2014;
    Mezzadri 2007).
    """
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T


def fresh_weights(
    rng: np.random.Generator, shapes: dict[str, tuple[int, ...]], H: int, init: Init
) -> dict[str, np.ndarray]:
    """The weights of one direction of a recurrent layer of H units.

    "orthogonal": Wx Glorot uniform and Wh orthogonal for each gate by itself, Wp Glorot uniform, all vectors 0; an
    LSTM then makes its cells remember (layers/lstm.py).
    "torch": everything U(-1/sqrt(H), 1/sqrt(H)), as PyTorch does.
    """
    if init not in ("orthogonal", "torch"):
        raise ValueError(f'init is {init!r}; it needs "orthogonal" or "torch"')
    weights = {}
    for name, shape in shapes.items():
        if init == "torch":
            weights[name] = rng.uniform(-1 / np.sqrt(H), 1 / np.sqrt(H), shape)
        elif len(shape) == 1:
            weights[name] = np.zeros(shape)
        else:
            draw = orthogonal if name == "Wh" else glorot_uniform
            width = shape[1] if name == "Wp" else H
            weights[name] = np.concatenate([draw(rng, shape[0], width) for _ in range(shape[1] // width)], axis=1)
    return weights


def chrono(rng: np.random.Generator, H: int, T_max: int) -> np.ndarray:
    """Biases of forget gates (H,): b_f = log(u), u ~ U(1, T_max - 1), with which the input gates' are -b_f.

    A gate f = sigmoid(b_f) keeps a share of 1 - 1/(1 + u) a step, so its unit remembers for some 1 + u steps: between
    2 and T_max. (Tallec & Ollivier 2018, "Can recurrent neural networks warp time?", eq. 16.)
    """
    return np.log(rng.uniform(1, T_max - 1, H))


def require_init_forget(
    init_forget: float | Literal["chrono"] | None, T_max: int | None
) -> tuple[float | Literal["chrono"] | None, int]:
    """The two options of an LSTM, checked. Raises TypeError or ValueError, naming the one that is wrong."""
    if (init_forget == "chrono") != (T_max is not None):
        needed = 'init_forget="chrono" needs T_max, the longest span of steps to be remembered, and nothing else does'
        raise ValueError(f"init_forget is {init_forget!r} and T_max is {T_max!r}; {needed}")
    if init_forget is not None and init_forget != "chrono":
        if not is_real(init_forget):
            raise TypeError(f'init_forget is {init_forget!r}; it needs a number, "chrono" or None')
        if not abs(init_forget) <= float(np.finfo(np.float32).max):
            raise ValueError(f"init_forget is {init_forget}; it needs to be finite, in float32 too")
    return init_forget, 0 if T_max is None else require_size("T_max", T_max, least=3)
