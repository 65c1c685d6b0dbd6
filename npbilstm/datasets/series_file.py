"""What a file of series holds, in whatever format, and the sentences on what it may not hold.

Each series has x (T, D), and a target of one kind, named alike in every format:

    class             a name for the whole series
    class_per_step    a name for each step
    value             K real numbers for the whole series
    value_per_step    K real numbers for each step
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

KINDS = ("class", "class_per_step", "value", "value_per_step")


class SeriesFile(NamedTuple):
    """rows: x (T_n, D) of each series, float64. targets: of each, a string, T_n strings, (K,) or (T_n, K), by the kind.

    classes: those that the file lists, in its order; None where it lists none.
    """

    path: str
    kind: str
    rows: list[np.ndarray]
    targets: list[Any]
    features: list[str]
    classes: list[str] | None = None


def number_in(text: str, place: str) -> float:
    """The finite number that a text is. Raises ValueError, naming the place, where it is missing or is none."""
    said = text.strip()
    if said in ("", "?") or said.lower() in ("nan", "na", "null", "none"):
        what = f"{said!r}" if said else "nothing"
        raise ValueError(f"{place}: the value is missing ({what}); fill in a number, or leave the step out")
    try:
        value = float(said) if "_" not in said else np.nan
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise ValueError(f"{place}: {said!r} is no finite number")
    return value


def require_one_kind(names: Sequence[str], name: str, what: str) -> str:
    """The one kind of targets among these names. Raises ValueError, naming the file, for none and for several."""
    found = [kind for kind in KINDS if kind in names]
    if len(found) != 1:
        got = f"has {' and '.join(found)}" if found else f"has no {what} of a target"
        raise ValueError(f"{name} {got}; it needs one of {', '.join(KINDS)}")
    return found[0]
