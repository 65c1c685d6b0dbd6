"""What goes wrong with a submission: sentences that are meant for whoever wrote it."""

from __future__ import annotations


class SubmissionError(ValueError):
    """A sentence on why a submission cannot be judged."""


class TimedOut(SubmissionError):  # noqa: N818
    """The submission's code had not ended in time."""


class Interfered(SubmissionError):  # noqa: N818
    """The process that runs the submission's code gave an answer that npbilstm does not give."""


FINAL = (TimedOut, Interfered)
"""After these nothing more is asked: it would take as long again, or be answered by somebody else."""
