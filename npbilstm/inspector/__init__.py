"""Seeing what a model does: every number of a run, equations with their numbers, the page; tagged text in colour;
where a decoder looked; what a CRF has learned."""

from npbilstm.inspector.alignment import Alignment, alignment
from npbilstm.inspector.attention_map import attention_html, attention_text
from npbilstm.inspector.highlight import (
    html_legend,
    html_page,
    html_text,
    terminal_legend,
    terminal_text,
)
from npbilstm.inspector.step_map import StepMap
from npbilstm.inspector.tracing import Trace, trace
from npbilstm.inspector.transitions import transitions_text
from npbilstm.printable import printable

__all__ = [
    "Alignment",
    "StepMap",
    "Trace",
    "alignment",
    "attention_html",
    "attention_text",
    "html_legend",
    "html_page",
    "html_text",
    "printable",
    "terminal_legend",
    "terminal_text",
    "trace",
    "transitions_text",
]
