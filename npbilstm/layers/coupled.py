"""Coupled gates, f = 1 - i, as an LSTM of four gates: f = 1 - sigmoid(a_i) = sigmoid(-a_i) has i's weights, negated.

That takes a recurrent activation with f(-a) = 1 - f(a), as all the sigmoids are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def uncoupled(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Of one direction: three gates i, g, o as four, i, f, g, o; p's i, o as i, f, o."""
    gates, found = {"Wx": 3, "Wh": 3, "b": 3, "p": 2}, dict(weights)
    for name in gates.keys() & weights:
        i, *rest = np.split(weights[name], gates[name], axis=-1)
        found[name] = np.concatenate([i, -i, *rest], axis=-1)
    return found


def coupled_gradients(gradients: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """uncoupled's backward: f's share is that of -i."""
    gates, found = {"Wx": 4, "Wh": 4, "b": 4, "p": 3}, dict(gradients)
    for name in gates.keys() & gradients:
        di, df, *rest = np.split(gradients[name], gates[name], axis=-1)
        found[name] = np.concatenate([di - df, *rest], axis=-1)
    return found
