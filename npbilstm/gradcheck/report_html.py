"""A report for notebooks: the text's parts as HTML, in the reader's own colours, without scripts."""

from __future__ import annotations

import html

from npbilstm.gradcheck.report_text import convergence_line, sentences_of, sparkline_text, table_of, verdict_on
from npbilstm.gradcheck.results import GradientResults

WRONG = "background:rgba(220,50,47,.18);font-weight:bold"
"""A tint that leaves the text readable on white and on black."""
CELL = "text-align:left;padding:.15em .6em;white-space:nowrap"


def html_report(results: GradientResults) -> str:
    """The whole report as one element."""
    heading, *body = table_of(results)
    head = "".join(f"<th style='{CELL}'>{html.escape(cell)}</th>" for cell in heading)
    rows = "".join(
        f"<tr{f' style={WRONG!r}' if row[0] == 'WRONG' else ''}>"
        + "".join(f"<td style='{CELL}'>{html.escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in body
    )
    sentences = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences_of(results))
    sparklines = "".join(f"<pre>{html.escape(sparkline_text(each))}</pre>" for each in results.sparklines)
    verdict = f"<p style='{'' if results.ok else WRONG}'><b>{html.escape(verdict_on(results))}</b></p>"
    return (
        f"<div>{verdict}{sentences}<div style='overflow-x:auto'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>{sparklines}<p>{html.escape(convergence_line(results.convergence))}</p></div>"
    )
