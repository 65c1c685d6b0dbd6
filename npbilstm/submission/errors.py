"""What goes wrong with a person's own code: sentences that are meant for them."""

from __future__ import annotations


class OwnError(ValueError):
    """A sentence on why a person's code cannot be judged."""


class TimedOut(OwnError):  # noqa: N818
    """A person's code had not ended in time."""


class Interfered(OwnError):  # noqa: N818
    """The process that runs a person's code gave an answer that is none of ours."""


FINAL = (TimedOut, Interfered)
"""After these nothing more is asked: it would take as long again, or be answered by somebody else."""
