"""What is raced: the shapes, and the data of each. Training and inference of a bidirectional LSTM, or GRU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Shape(NamedTuple):
    """T steps, N rows, D inputs, H units; stacked layers, the outputs of a linear layer on top (0: none), the cell."""

    T: int
    N: int
    D: int
    H: int
    layers: int = 1
    outputs: int = 0
    cell: str = "LSTM"

    @property
    def name(self) -> str:
        above = f", {self.layers} layers, {self.outputs} outputs" if self.outputs else ""
        cell = "" if self.cell == "LSTM" else f"{self.cell} "
        return f"{cell}({self.T}, {self.N}, {self.D}, {self.H}){above}"


LSTM_SHAPES = [
    Shape(40, 32, 10, 20),
    Shape(100, 32, 64, 64),
    Shape(100, 32, 128, 128),
    Shape(100, 64, 256, 256),
    Shape(50, 1, 64, 64),
    Shape(35, 20, 200, 200),
    Shape(200, 16, 32, 512),
    Shape(400, 64, 32, 32),
    Shape(40, 32, 10, 20, layers=2, outputs=5),
]
SHAPES = LSTM_SHAPES + [shape._replace(cell="GRU") for shape in LSTM_SHAPES[:8]]
QUICK_SHAPES = [SHAPES[0], SHAPES[1], SHAPES[10]]
BY_NAME = {shape.name: shape for shape in SHAPES}
CELLS = ["LSTM", "GRU"]
MODES = ["training", "inference"]

Pair = tuple[Callable[[], Any], Callable[[], Any]]
"""A training step and an inference."""


def arrays(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """x (N, T, D) and the upstream gradient of the output."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((shape.N, shape.T, shape.D), dtype=np.float32)
    dy = rng.standard_normal((shape.N, shape.T, shape.outputs or 2 * shape.H), dtype=np.float32)
    return x, dy
