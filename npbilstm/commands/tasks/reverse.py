"""Up to 20 digits, to be written from behind."""

from npbilstm.commands.tasks.string_pairs import UNUSED, resume, start

KINDS = ()
"""string_pairs.py resumes its runs."""
DEFAULTS = {"hidden_size": 16, "epochs": 5}

__all__ = ["DEFAULTS", "KINDS", "UNUSED", "resume", "start"]
