"""How the outputs of the two directions become one: y (N, T, S, H), S directions, time-aligned.

    "concat"  [h_fwd, h_rev]            (N, T, SH)
    "sum"     h_fwd + h_rev             (N, T, H)
    "mul"     h_fwd * h_rev             (N, T, H)
    "ave"     (h_fwd + h_rev) / 2       (N, T, H)
    None      the pair (h_fwd, h_rev)

H is what a direction puts out, R with a projection. With one direction there is nothing to join, and y is its output.
"""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from npbilstm.layers.checks import in_dtype, require_floats
from npbilstm.layers.options import Merge
from npbilstm.textbook.sequences import as_array, require_shape

MERGES: tuple[Merge | None, ...] = (*get_args(Merge), None)


def merge_forward(y: np.ndarray, merge: str | None) -> Any:
    """y (N, T, S, H) -> as the table above says."""
    N, T, S, H = y.shape
    if S == 1 or merge == "concat":
        return y.reshape(N, T, S * H)
    h_fwd, h_rev = y[:, :, 0], y[:, :, 1]
    if merge == "sum":
        return h_fwd + h_rev
    if merge == "mul":
        return h_fwd * h_rev
    if merge == "ave":
        return (h_fwd + h_rev) / 2
    return h_fwd, h_rev


def merge_backward(dmerged: Any, y: np.ndarray, merge: Merge | None, lengths: np.ndarray | None = None) -> np.ndarray:
    """The gradient of y (N, T, S, H), given that of what merge_forward made of it.

    Raises TypeError or ValueError where it is none; what stands in the padding of rows with lengths never matters.
    """
    N, T, S, H = y.shape

    def checked(name: str, d: Any, features: int) -> np.ndarray:
        d = require_floats(name, d)
        require_shape(name, d, (N, T, features))
        return in_dtype(name, d, y.dtype, lengths)

    if S == 1 or merge == "concat":
        return checked("dy", dmerged, S * H).reshape(y.shape)
    if merge is None:
        if not isinstance(dmerged, (tuple, list)) or len(dmerged) != 2:
            raise TypeError(f"dy is a {type(dmerged).__name__}; with merge=None it needs a pair of arrays")
        return np.stack([checked(f"dy[{s}]", d, H) for s, d in enumerate(dmerged)], axis=2)
    d = checked("dy", dmerged, H)
    both = np.stack([d, d], axis=2)
    if merge == "mul":
        with np.errstate(invalid="ignore"):  # infinity in the padding, where y is 0; the engine takes it out
            both *= y[:, :, ::-1]  # each direction's factor is the other
    return both / 2 if merge == "ave" else both


def unbatched(y: Any) -> Any:
    """The one sequence of a batch of one; of each of a pair."""
    return tuple(part[0] for part in y) if isinstance(y, tuple) else y[0]


def batch_of_one(dy: Any, pair: bool) -> Any:
    """unbatched's inverse."""
    if pair and isinstance(dy, (tuple, list)):
        return tuple(as_array(f"dy[{s}]", part)[None] for s, part in enumerate(dy))
    return as_array("dy", dy)[None]
