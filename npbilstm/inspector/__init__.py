"""Seeing what a model does: tagged text in colour."""

from npbilstm.inspector.highlight import (
    html_legend,
    html_page,
    html_text,
    printable,
    terminal_legend,
    terminal_text,
)

__all__ = ["html_legend", "html_page", "html_text", "printable", "terminal_legend", "terminal_text"]
