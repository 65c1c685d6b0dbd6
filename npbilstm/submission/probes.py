"""Probes: small pairs of passes, right ones and wrong ones, on which a gradient checker is tried.

A checker that is tried by `npbilstm check` runs in a process that has this file, and so their code. Which of them are
right is told in diagnosis/stages.py, which is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray


def as_it_is(x: Array) -> Array:
    """x itself."""
    return x


def in_float32(x: Array) -> Array:
    """x, rounded."""
    return x.astype(np.float32)


def not_in_one_piece(x: Array) -> Array:
    """x in the order of columns, of which ravel() makes a copy."""
    return np.array(x, order="F")[:, ::-1]


def mixed(x: Array) -> Array:
    """A matrix to multiply x by."""
    return np.cos(np.arange(x.shape[1] ** 2)).reshape(x.shape[1], -1)


class Probe(NamedTuple):
    """A pair of passes. given: in which form x comes."""

    forward: Callable[[Array], tuple[Array, Any]]
    backward: Callable[[Array, Any], Array]
    given: Callable[[Array], Array] = as_it_is


def square(x: Array) -> tuple[Array, Array]:
    """Each entry by itself."""
    return x * x, x


def product(x: Array) -> tuple[Array, Array]:
    """Rows by a matrix."""
    return x @ mixed(x), x


def turned(x: Array) -> tuple[Array, Array]:
    """The rows in reverse, as a view of x."""
    return x[::-1], x


def but_at(place: tuple[int, ...]) -> Callable[[Array, Array], Array]:
    """The gradient of a square, wrong in one entry."""

    def backward(dy: Array, x: Array) -> Array:
        dx: Array = 2 * x * dy
        dx[place] *= 1.5
        return dx

    return backward


PROBES = (
    Probe(square, lambda dy, x: 2 * x * dy),
    Probe(product, lambda dy, x: dy @ mixed(x).T),
    Probe(square, lambda dy, x: -2 * x * dy),
    Probe(square, lambda dy, x: x * dy),
    Probe(square, lambda dy, x: 4 * x * dy),
    Probe(square, but_at((0, 0))),
    Probe(square, but_at((-1, -1))),
    Probe(square, lambda dy, x: 2.002 * x * dy),
    Probe(product, lambda dy, x: dy @ mixed(x)),
    Probe(square, lambda dy, x: 2 * x * dy, in_float32),
    Probe(square, lambda dy, x: 2.002 * x * dy, in_float32),
    Probe(turned, lambda dy, x: dy[::-1]),
    Probe(turned, lambda dy, x: np.zeros_like(x)),
    Probe(square, lambda dy, x: 2 * x * dy, not_in_one_piece),
    Probe(square, lambda dy, x: 0 * x, not_in_one_piece),
    Probe(square, lambda dy, x: 2 * x * dy[::-1]),
    Probe(product, lambda dy, x: dy.mean() * mixed(x).sum(1) + 0 * x),
)
"""What a checker is tried on."""


def forward_of(probe: Any) -> Callable[[Array], tuple[Array, Any]]:
    """The forward pass of a probe, by its number."""
    return PROBES[int(probe)].forward


def backward_of(probe: Any) -> Callable[[Array, Any], Array]:
    """The backward pass of a probe, by its number."""
    return PROBES[int(probe)].backward


def given_of(probe: Any, start: Array) -> Array:
    """What a probe is tried at, by its number."""
    return PROBES[int(probe)].given(start)
