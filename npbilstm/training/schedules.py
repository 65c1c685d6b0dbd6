"""Schedules: what the learning rate is multiplied by after `done` of `total` steps."""

from __future__ import annotations

from typing import Literal

Schedule = Literal["linear", "constant"]


def constant(done: int, total: int) -> float:
    """Always 1."""
    return 1.0


def linear(done: int, total: int) -> float:
    """From 1 down to 0 on a straight line: 1 - done / total."""
    return 1 - done / total


SCHEDULES = {"constant": constant, "linear": linear}
