"""Tables of which each batch reads few rows: the other rows are changed later, when somebody reads them.

Momentum moves a row for long after its last gradient. With no gradient since step t, what an optimizer subtracts from
the row at step s is of the form

    rate_s  fade^(s - t)  direction                 fade a number below 1; direction: the row's memory at step t

SGD:   direction = v                                        fade = momentum             rate_s = rate
Adam:  direction = m / (sqrt(v) + epsilon sqrt(1 - beta2^t))   fade = beta1 / sqrt(beta2)   rate_s = rate sqrt(1 -
                                                                                        beta2^s) / (1 - beta1^s)

so that all it lacks is one number a row, `behind` = sum over s of rate_s fade^(s - t), times the direction, and the
memory's own decay. This is what the optimizer does to the whole table at every step, to rounding, with one exception:
Adam's epsilon, which it adds to a root that fades, is added here as it was at step t, and fades with it. With
epsilon = 0 nothing differs; the usual 1e-8 tells where a root mean square is not far above it.

A row is settled, brought up to date, before it is read.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

ROW_SLOTS = ("touched", "faded", "behind")
"""An optimizer's memory of each row of a table, (V,) of float64: the step of which its memory is; fade^(now - touched);
and what it is behind by."""


def row_memory(V: int) -> dict[str, np.ndarray]:
    """Of rows that no step has touched."""
    return {slot: np.zeros(V) for slot in ROW_SLOTS}


def pass_step(memory: Mapping[str, np.ndarray], rows: np.ndarray, step: int, fade: float, rate: float) -> None:
    """A step in which these rows had a gradient, and the others did not. The rows have been settled."""
    memory["faded"] *= fade
    np.copyto(memory["faded"], 0, where=memory["faded"] < 1e-200)  # below that processors take their time
    memory["faded"][rows] = 1
    memory["touched"][rows] = step
    memory["behind"] += rate * memory["faded"]
