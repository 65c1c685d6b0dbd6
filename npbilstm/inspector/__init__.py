"""Seeing what a model does: every number of a run, equations with their numbers, the page; tagged text in colour."""

from npbilstm.inspector.highlight import (
    html_legend,
    html_page,
    html_text,
    terminal_legend,
    terminal_text,
)
from npbilstm.inspector.tracing import Trace, trace
from npbilstm.printable import printable

__all__ = ["Trace", "html_legend", "html_page", "html_text", "printable", "terminal_legend", "terminal_text", "trace"]
