"""A recurrent layer's state: to the user one array h, or of an LSTM the pair (h, c); to the passes a list of its parts.

Of one sequence without its batch, each part comes and goes without the N, which is 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm.layers.checks import in_dtype, require_floats
from npbilstm.textbook.sequences import require_shape


def require_state(
    name: str, state: Any, parts: tuple[str, ...], shapes: list[tuple[int, ...]], batched: bool
) -> list[np.ndarray]:
    """The state's parts, e.g. ("h", "c"), as arrays of these shapes (..., N, ...); None means zeros.

    Raises TypeError or ValueError.
    """
    if state is None:
        return [np.zeros(shape, np.float32) for shape in shapes]
    if len(parts) == 1:
        if isinstance(state, (tuple, list)):
            raise TypeError(f"{name} is a {type(state).__name__}; it needs the array h alone, or None for zeros")
        state = (state,)
    elif not isinstance(state, (tuple, list)) or len(state) != len(parts):
        needed = f"a pair ({', '.join(parts)}) of arrays"
        raise TypeError(f"{name} is a {type(state).__name__}; it needs {needed}, or None for zeros")
    found = []
    for label, array, shape in zip(part_names(name, state), state, shapes):
        array = require_floats(label, array)
        require_shape(label, array, shape if batched else (shape[0], *shape[2:]))
        found.append(array if batched else array[:, None])
    return found


def state_in_dtype(name: str, state: list[np.ndarray], dtype: np.dtype) -> list[np.ndarray]:
    """Each part as in_dtype has it."""
    return [in_dtype(label, part, dtype) for label, part in zip(part_names(name, state), state)]


def part_names(name: str, state: Any) -> list[str]:
    """What sentences call the parts."""
    return [name] if len(state) == 1 else [f"{name}'s h", f"{name}'s c"]


def as_state(parts: list[np.ndarray], batched: bool) -> Any:
    """The state as the user has it."""
    shown = tuple(part if batched else part[:, 0] for part in parts)
    return shown if len(shown) > 1 else shown[0]
