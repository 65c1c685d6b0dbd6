"""How fresh weights are drawn."""

from __future__ import annotations

import numpy as np


def glorot_uniform(rng: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
    """U(-r, r) with r = sqrt(6 / (fan_in + fan_out)) -> (fan_in, fan_out). (Glorot & Bengio 2010, eq. 16.)"""
    r = np.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-r, r, (fan_in, fan_out))


def orthogonal(rng: np.random.Generator, size: int) -> np.ndarray:
    """A random orthogonal matrix (size, size): it neither stretches nor shrinks what flows through time.

    The Q of a Gaussian matrix, its signs fixed so that every rotation is equally likely (Saxe et al. 2014;
    Mezzadri 2007).
    """
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    return q * np.sign(np.diag(r))


def lstm_weights(rng: np.random.Generator, D: int, H: int, init: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Wx (D, 4H), Wh (H, 4H), b (4H,) of a fresh LSTM.

    "orthogonal": Wx Glorot uniform and Wh orthogonal for each gate by itself, b zero but 1 for the forget gate, so
    that a fresh cell remembers (Gers et al. 2000; Jozefowicz et al. 2015).
    "torch": everything U(-1/sqrt(H), 1/sqrt(H)), as PyTorch does.
    """
    if init == "orthogonal":
        Wx = np.concatenate([glorot_uniform(rng, D, H) for _ in range(4)], axis=1)
        Wh = np.concatenate([orthogonal(rng, H) for _ in range(4)], axis=1)
        b = np.concatenate([np.zeros(H), np.ones(H), np.zeros(2 * H)])
        return Wx, Wh, b
    if init == "torch":
        r = 1 / np.sqrt(H)
        return rng.uniform(-r, r, (D, 4 * H)), rng.uniform(-r, r, (H, 4 * H)), rng.uniform(-r, r, 4 * H)
    raise ValueError(f'init is {init!r}; it needs "orthogonal" or "torch"')
