"""Sums of two numbers of up to three digits, the last digit first."""

from npbilstm.commands.tasks.string_pairs import UNUSED, resume, start

KINDS = ()
"""string_pairs.py resumes its runs."""
DEFAULTS = {"hidden_size": 64, "epochs": 12, "batch_size": 128, "pairs": 40_000}

__all__ = ["DEFAULTS", "KINDS", "UNUSED", "resume", "start"]
