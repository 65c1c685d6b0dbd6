"""What goes wrong with a submission: sentences that are meant for whoever wrote it."""

from __future__ import annotations


class SubmissionError(ValueError):
    """A sentence on why a submission cannot be judged."""


class TimedOut(SubmissionError):  # noqa: N818
    """The submission's code had not ended in time."""


class Interfered(SubmissionError):  # noqa: N818
    """The process that runs the submission's code gave an answer that npbilstm does not give."""


class Ended(SubmissionError):  # noqa: N818
    """The submission's code ended the process that it runs in."""


FINAL = (TimedOut, Interfered, Ended)
"""After these nothing more is asked: it would take as long again, be answered by somebody else, or end once more."""
