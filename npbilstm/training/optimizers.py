"""Optimizers: how gradients change parameters. Both work in place, so that layers and optimizer share the arrays."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

import numpy as np

from npbilstm.layers.layer import require_same_names
from npbilstm.layers.row_gradient import RowGradient
from npbilstm.training.late_updates import ROW_SLOTS, pass_step, row_memory

Params = Mapping[str, np.ndarray]
Grads = Mapping[str, "np.ndarray | RowGradient"]


class Optimizer:
    """What SGD and Adam share: a learning rate, and named arrays of memory for each parameter.

    state: "kind/parameter" -> array, all that the optimizer remembers besides the number of steps; checkpoints hold it.
    """

    _slots: tuple[str, ...] = ()

    def __init__(self, learning_rate: float) -> None:
        if not 0 < learning_rate < np.inf:
            raise ValueError(f"learning_rate is {learning_rate}; it needs to be above 0 and finite")
        self.learning_rate = float(learning_rate)
        self.steps = 0
        self.state: dict[str, np.ndarray] = {}

    def __repr__(self) -> str:
        usual = signature(type(self)).parameters
        told = [
            f"{name}={v}" for name, v in self.settings.items() if name == "learning_rate" or v != usual[name].default
        ]
        return f"{type(self).__name__}({', '.join(told)})"

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments that make this optimizer again."""
        raise NotImplementedError

    def step(self, params: Params, grads: Grads, scale: float = 1.0) -> None:
        """Change every array of params in place. scale multiplies the learning rate: a schedule's factor.

        Of a param whose gradient is a RowGradient only those rows are touched, and the momentum of the others is caught
        up with by settle, see late_updates.py.

        Raises ValueError where grads has not the names and shapes of params.
        """
        require_same_names("grads", grads, params)  # type: ignore[arg-type]
        tables = {name: g for name, g in grads.items() if isinstance(g, RowGradient)}
        self.settle(params, {name: g.rows for name, g in tables.items()})
        self.steps += 1
        for name, p in params.items():
            for slot in self._slots:
                if f"{slot}/{name}" not in self.state:
                    self.state[f"{slot}/{name}"] = np.zeros_like(p)
            memory = [self.state[f"{slot}/{name}"] for slot in self._slots]
            g = grads[name]
            if isinstance(g, RowGradient):
                if f"{ROW_SLOTS[0]}/{name}" not in self.state:
                    self.state |= {f"{slot}/{name}": zeros for slot, zeros in row_memory(len(p)).items()}
                self._remember(g, *memory)
                pass_step(self._of_rows(name), g.rows, self.steps, *self._fading(self.learning_rate * scale))
            else:
                p -= self._change(g, self.learning_rate * scale, *memory)

    def settle(self, params: Params, rows: Mapping[str, np.ndarray] | None = None) -> None:
        """Bring rows of tables up to date, in place, before they are read: rows of the params named; None: all rows of
        all tables. Of other params nothing is ever late."""
        if rows is None:
            first = f"{ROW_SLOTS[0]}/"
            rows = {key[len(first) :]: np.arange(len(p)) for key, p in self.state.items() if key.startswith(first)}
        for name, which in rows.items():
            if f"{ROW_SLOTS[0]}/{name}" in self.state:
                self._settle(
                    params[name], which, *(self.state[f"{slot}/{name}"] for slot in (*self._slots, *ROW_SLOTS))
                )

    def _settle(self, p: np.ndarray, rows: np.ndarray, *memory: np.ndarray) -> None:
        """Of one table: late_updates.py has the equations."""
        *slots, touched, faded, behind = memory
        rows = rows[(touched[rows] > 0) & ((touched[rows] < self.steps) | (behind[rows] != 0))]
        step = touched[rows][:, None]
        p[rows] -= (behind[rows][:, None] * self._direction(step, *(slot[rows] for slot in slots))).astype(p.dtype)
        for slot, decay in zip(slots, self._decays):
            slot[rows] *= (decay ** (self.steps - step)).astype(p.dtype)
        touched[rows], faded[rows], behind[rows] = self.steps, 1, 0

    def _of_rows(self, name: str) -> dict[str, np.ndarray]:
        """The memory of a table's rows."""
        return {slot: self.state[f"{slot}/{name}"] for slot in ROW_SLOTS}

    def _change(self, g: np.ndarray, rate: float, *memory: np.ndarray) -> np.ndarray:
        """What to subtract from one parameter, given its gradient and its memory, which is updated in place."""
        raise NotImplementedError

    @property
    def _decays(self) -> tuple[float, ...]:
        """What each slot of memory is multiplied with at a step without a gradient."""
        raise NotImplementedError

    def _remember(self, g: RowGradient, *memory: np.ndarray) -> None:
        """Update the memory of the rows that have a gradient, in place."""
        raise NotImplementedError

    def _fading(self, rate: float) -> tuple[float, float]:
        """fade, and rate_s of the step at hand."""
        raise NotImplementedError

    def _direction(self, step: np.ndarray, *memory: np.ndarray) -> np.ndarray:
        """The direction of rows whose memory is that of these steps (R, 1)."""
        raise NotImplementedError


class SGD(Optimizer):
    """Stochastic gradient descent with momentum (Polyak 1964), the learning rate outside the velocity, as in PyTorch.

        v = momentum * v + g
        p = p - learning_rate * v

    learning_rate > 0, 0 <= momentum < 1; else ValueError.

    >>> params, sgd = {"w": np.array([1.0])}, nb.SGD(0.25, momentum=0.5)
    >>> for _ in range(2):
    ...     sgd.step(params, {"w": np.array([1.0])})
    >>> params["w"].tolist()  # 1 - 0.25 * 1 - 0.25 * 1.5
    [0.375]
    >>> sgd
    SGD(learning_rate=0.25, momentum=0.5)
    """

    _slots = ("velocity",)

    def __init__(self, learning_rate: float = 0.1, momentum: float = 0.9) -> None:
        super().__init__(learning_rate)
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum is {momentum}; it needs to be from 0 up to, but not including, 1")
        self.momentum = float(momentum)

    @property
    def settings(self) -> dict[str, Any]:
        return {"learning_rate": self.learning_rate, "momentum": self.momentum}

    def _change(self, g: np.ndarray, rate: float, *memory: np.ndarray) -> np.ndarray:
        (v,) = memory
        v *= self.momentum
        v += g
        return rate * v

    @property
    def _decays(self) -> tuple[float, ...]:
        return (self.momentum,)

    def _remember(self, g: RowGradient, *memory: np.ndarray) -> None:
        (v,) = memory
        v[g.rows] = self.momentum * v[g.rows] + g.values

    def _fading(self, rate: float) -> tuple[float, float]:
        return self.momentum, rate

    def _direction(self, step: np.ndarray, *memory: np.ndarray) -> np.ndarray:
        return memory[0]


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, algorithm 1).

        m = beta1 m + (1 - beta1) g                    the gradient's running mean
        v = beta2 v + (1 - beta2) g^2                  and its running mean square
        p = p - learning_rate * m / (1 - beta1^t)  /  (sqrt(v / (1 - beta2^t)) + epsilon)

    learning_rate > 0, 0 <= beta < 1, epsilon > 0; else ValueError.

    >>> params, adam = {"w": np.array([1.0, 1.0])}, nb.Adam(0.1)
    >>> adam.step(params, {"w": np.array([1000.0, -0.001])})
    >>> params["w"].round(3).tolist()  # the first step is as long as the learning rate, whatever the gradient
    [0.9, 1.1]
    >>> adam
    Adam(learning_rate=0.1)
    """

    _slots = ("m", "v")

    def __init__(
        self, learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        super().__init__(learning_rate)
        for name, beta in [("beta1", beta1), ("beta2", beta2)]:
            if not 0 <= beta < 1:
                raise ValueError(f"{name} is {beta}; it needs to be from 0 up to, but not including, 1")
        if not 0 < epsilon < np.inf:
            raise ValueError(f"epsilon is {epsilon}; it needs to be above 0 and finite")
        self.beta1, self.beta2, self.epsilon = float(beta1), float(beta2), float(epsilon)

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "beta1": self.beta1,
            "beta2": self.beta2,
            "epsilon": self.epsilon,
        }

    def _change(self, g: np.ndarray, rate: float, *memory: np.ndarray) -> np.ndarray:
        m, v = memory
        m *= self.beta1
        m += (1 - self.beta1) * g
        v *= self.beta2
        v += (1 - self.beta2) * g * g
        m_hat = m / (1 - self.beta1**self.steps)
        v_hat = v / (1 - self.beta2**self.steps)
        return rate * m_hat / (np.sqrt(v_hat) + self.epsilon)

    @property
    def _decays(self) -> tuple[float, ...]:
        return self.beta1, self.beta2

    def _remember(self, g: RowGradient, *memory: np.ndarray) -> None:
        m, v = memory
        m[g.rows] = self.beta1 * m[g.rows] + (1 - self.beta1) * g.values
        v[g.rows] = self.beta2 * v[g.rows] + (1 - self.beta2) * g.values * g.values

    def _fading(self, rate: float) -> tuple[float, float]:
        if self.beta1**2 >= self.beta2:  # fade would be 1 or above: what a row is behind by would have no end
            raise ValueError(
                f"beta2 is {self.beta2:g}; of tables of which few rows are read at a time it needs to be above "
                f"beta1^2, {self.beta1**2:g}"
            )
        root = np.sqrt(1 - self.beta2**self.steps)
        return self.beta1 / np.sqrt(self.beta2), rate * root / (1 - self.beta1**self.steps)

    def _direction(self, step: np.ndarray, *memory: np.ndarray) -> np.ndarray:
        m, v = memory
        direction: np.ndarray = m / (np.sqrt(v) + self.epsilon * np.sqrt(1 - self.beta2**step))
        return direction
