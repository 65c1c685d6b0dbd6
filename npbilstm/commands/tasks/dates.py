"""Dates in eleven formats, to be written as ISO 8601 has them."""

from npbilstm.commands.tasks.string_pairs import UNUSED, resume, start

KINDS = ()
"""string_pairs.py resumes its runs."""
DEFAULTS = {"hidden_size": 32, "epochs": 5}

__all__ = ["DEFAULTS", "KINDS", "UNUSED", "resume", "start"]
