"""A small case for a gradient check, all random and none of it convenient.

Distinct weights of about 0.5 for every gate and direction, non-zero biases and initial states, unequal lengths with one
of them 0, random numbers in the padding, and random upstream gradients on every output, the final states included.
Easier points hide mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from npbilstm.gradcheck import GradientReport, check_gradients

N, T, D, H, V = 3, 5, 3, 4, 5
LENGTHS = np.array([5, 2, 0])

Arrays = dict[str, np.ndarray]
Outputs = Mapping[str, Any]


def drawn(seed: int, **shapes: tuple[int, ...]) -> Arrays:
    """Named arrays of normal numbers of about 0.5."""
    rng = np.random.default_rng(seed)
    return {name: 0.5 * rng.standard_normal(shape) for name, shape in shapes.items()}


def weighted_sum(outputs: Outputs, upstream: Outputs) -> Any:
    """A scalar loss whose gradient with respect to each output is that output's upstream array."""
    return sum((outputs[name] * upstream[name]).sum() for name in upstream)


def of_weighted_sum(
    run: Callable[[Arrays], tuple[Outputs, Any]],
    back: Callable[[Outputs, Any], Arrays],
    inputs: Arrays,
    **options: Any,
) -> GradientReport:
    """Check a pair of passes: run(inputs) -> outputs, cache; back(upstream, cache) -> gradients named as inputs."""
    outputs, cache = run(inputs)
    rng = np.random.default_rng(1)
    upstream = {name: rng.standard_normal(np.shape(out)) for name, out in outputs.items()}
    return check_gradients(lambda p: weighted_sum(run(p)[0], upstream), inputs, back(upstream, cache), **options)
