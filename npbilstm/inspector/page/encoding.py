"""Arrays as text inside a document, in base64: as they are, as float32, or rounded to 16 bits at each row's scale."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

LARGEST = 32767
"""The largest 16-bit integer stands for the largest magnitude of a row."""


PRECISIONS = ("own", "float32", "int16")
"""From the largest text to the smallest."""


def encode(array: np.ndarray, precision: str) -> dict[str, Any]:
    """{"shape", "float64"} or {"shape", "float32"}: the array's own numbers, or as float32.

    int16: {"shape", "int16", "scale"}

        value = int16 / 32767 * scale        scale: the largest magnitude along the last axis, one for each row

    so that a rounded row is off by scale / 65534 at most. What holds NaN or infinity is never rounded.
    """
    array = np.asarray(array)
    shape = list(array.shape)
    if width_of(array, precision) != 2:
        kind = f"float{8 * width_of(array, precision)}"
        with np.errstate(over="ignore"):  # beyond float32 a number is shown as infinite
            return {"shape": shape, kind: text(array.astype(np.dtype(kind).newbyteorder("<")))}
    scale = np.abs(array).max(axis=-1, keepdims=True, initial=0)
    whole = np.rint(array / np.where(scale > 0, scale, 1) * LARGEST)
    return {"shape": shape, "int16": text(whole.astype("<i2")), "scale": text(scale.astype("<f4"))}


def encoded_size(array: np.ndarray, precision: str) -> int:
    """At most how many characters `encode` makes of an array, without making them."""
    array = np.asarray(array)
    width = width_of(array, precision)
    rows = array.size // max(array.shape[-1], 1) if width == 2 else 0
    return base64_size(width * array.size) + base64_size(4 * rows) + 100


def width_of(array: np.ndarray, precision: str) -> int:
    """The bytes of a number: 8, 4 or 2."""
    if precision == "own":
        return 8 if array.dtype == np.float64 else 4
    return 2 if precision == "int16" and np.isfinite(array).all() else 4


def base64_size(count: int) -> int:
    """The characters of so many bytes."""
    return 4 * -(-count // 3)


def text(array: np.ndarray) -> str:
    """The bytes in base64."""
    return base64.b64encode(array.tobytes()).decode("ascii")
