"""Comparison: arrays that two implementations give, by blocks along the last axis; in weights, one block per gate."""

from __future__ import annotations

import numpy as np

from npbilstm.gradcheck.flags import flags_of
from npbilstm.submission.function_spec import Arrays, FunctionSpec

RIGHT = 1e-9
"""How far from the truth, relative to a block's scale, is still right: round-off and no more."""

SAME = 1e-6
"""How near two wrong gradients must be, entry by entry, to be the same mistake."""

LEAST = 1e-6
"""What a block's scale is at least: where the truth is 0, as in a softmax of one step, round-off is no error."""


def pieces(array: np.ndarray, blocks: tuple[str, ...]) -> dict[str, np.ndarray]:
    """An array's blocks along its last axis, by name; "" for the whole of one without blocks."""
    return dict(zip(blocks, np.split(array, len(blocks), axis=-1))) if blocks else {"": array}


def block_errors(got: np.ndarray, expected: np.ndarray, blocks: tuple[str, ...]) -> dict[str, float]:
    """The largest difference in each block along the last axis, relative to the block's scale ("" for no blocks).

    A block much smaller than its array counts as a thousandth of it, so that round-off in it is no error. NaN and
    infinity are errors of infinite size.
    """
    if got.shape != expected.shape:
        return {"": np.inf}
    got, expected = got.astype(float), expected.astype(float)
    with np.errstate(invalid="ignore"):
        difference = np.abs(got - expected)
    difference = np.where(np.isnan(difference), np.inf, difference)
    least = max(1e-3 * np.abs(expected).max(initial=0.0), LEAST)
    right = pieces(expected, blocks)
    with np.errstate(over="ignore"):  # where all that is expected is 0
        return {
            name: float(wrong.max(initial=0.0) / max(np.abs(right[name]).max(initial=0.0), least))
            for name, wrong in pieces(difference, blocks).items()
        }


def is_near(got: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    """Whether an array is so near to what is expected that no block of it has a larger error, however small that is
    beside the others: the common case, told by two passes over the numbers."""
    if got.shape != expected.shape:
        return False
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    with np.errstate(invalid="ignore"):
        largest = np.abs(got - expected).max(initial=0.0)
    return bool(largest <= 1e-3 * tolerance * np.abs(expected).max(initial=0.0))


def error_of(got: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference in an array, relative to its scale."""
    return block_errors(got, expected, ())[""]


def block_label(name: str, block: str) -> str:
    """How a block is called: Wx[f]; an array without blocks by its own name."""
    return f"{name}[{block}]" if block else name


def wrong_blocks(spec: FunctionSpec, got: Arrays, expected: Arrays, tolerance: float = RIGHT) -> dict[str, float]:
    """The blocks of gradients in which got is not as expected, with their errors; in the order of the inputs."""
    wrong = {}
    for name in got:
        if is_near(got[name], expected[name], tolerance):
            continue
        for block, error in block_errors(got[name], expected[name], spec.blocks(name)).items():
            if error > tolerance:
                wrong[block_label(name, block)] = error
    return wrong


def wrong_outputs(got: Arrays, expected: Arrays, tolerance: float = RIGHT) -> dict[str, float]:
    """The outputs that are not as expected, with their errors."""
    far = [name for name in got if not is_near(got[name], expected[name], tolerance)]
    errors = {name: error_of(got[name], expected[name]) for name in far}
    return {name: error for name, error in errors.items() if error > tolerance}


def oddities(spec: FunctionSpec, got: Arrays, expected: Arrays) -> list[str]:
    """What strikes one about the wrong blocks: exactly zero, a constant ratio, the sign flipped, cut off."""
    notes = []
    for name in got:
        right = pieces(expected[name], spec.blocks(name))
        for block, piece in pieces(got[name], spec.blocks(name)).items():
            ok = error_of(piece, right[block]) <= RIGHT
            notes += [f"{block_label(name, block)}: {flag}" for flag in flags_of(piece, right[block], ok, False, SAME)]
    return notes


def agree(one: Arrays, other: Arrays, tolerance: float) -> bool:
    """Whether all of one's arrays agree with the other's of that name, entry by entry, against the array's scale. What
    is infinite, or NaN, in both agrees."""
    return all(error_of(*without_alike(array, np.asarray(other[name]))) <= tolerance for name, array in one.items())


def without_alike(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two arrays with 0 where both have the same infinity, or NaN; a logarithm of 0 gives them."""
    if one.shape != other.shape or np.isfinite(one).all():
        return one, other
    alike = ~np.isfinite(one) & ((one == other) | (np.isnan(one) & np.isnan(other)))
    return np.where(alike, 0, one), np.where(alike, 0, other)
