"""Tagged text in colour, for a terminal and for a page: each run of one class in its colour, mistakes underlined.

The colours are Okabe and Ito's (2008), told apart by colour-blind eyes too, lightened or darkened for the ground they
stand on; more than nine classes go round again.
"""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from npbilstm.layers.checks import require_bool
from npbilstm.printable import printable

LIGHT = ["#5f6368", "#0072b2", "#b3440f", "#00795a", "#1f1f1f", "#8a6d00", "#7d5a3c", "#a8447f", "#3a5a78"]
DARK = ["#9aa0a6", "#6cb9ee", "#ff9f6b", "#35d0a5", "#f0f0f0", "#e8c547", "#c8a07c", "#ee9ac9", "#a9c4de"]
TERMINAL = ["38;5;245", "38;5;33", "38;5;166", "38;5;35", "39", "38;5;136", "38;5;137", "38;5;168", "38;5;67"]
"""Of xterm's 256 colours those that show on a dark and on a light ground; 39 is the terminal's own."""

Labels = Sequence[int] | np.ndarray
"""A class for each symbol; or whether it is a mistake."""

Run = tuple[str, int, bool]
"""A stretch of text, its class, and whether that is a mistake."""


def runs(symbols: Sequence[str], labels: Labels, wrong: Labels | None = None) -> Iterator[Run]:
    """Neighbouring symbols of the same class, right or wrong alike, joined."""
    mistakes: Labels = [False] * len(symbols) if wrong is None else wrong
    marked = zip(symbols, (int(label) for label in labels), (bool(mistake) for mistake in mistakes))
    for (label, mistake), members in itertools.groupby(marked, key=lambda member: member[1:]):
        yield "".join(member[0] for member in members), label, mistake


def terminal_text(symbols: Sequence[str], labels: Labels, wrong: Labels | None = None, colour: bool = True) -> str:
    """The text with escape codes for colour and, where wrong, underline; without colour, just the text."""
    require_bool("colour", colour)
    parts = []
    for text, label, mistake in runs(symbols, labels, wrong):
        text = printable(text)
        if colour:
            code = f"\x1b[{'4;' if mistake else ''}{TERMINAL[label % len(TERMINAL)]}m"
            # a line at a time: pagers and terminals forget colours, or paint on, across line ends
            text = "\n".join(f"{code}{line}\x1b[0m" if line else "" for line in text.split("\n"))
        parts.append(text)
    return "".join(parts)


def terminal_legend(classes: Sequence[str], colour: bool = True) -> str:
    """The classes, each in its colour."""
    if not require_bool("colour", colour):
        return printable("  ".join(classes))
    return "  ".join(terminal_text([name], [k]) for k, name in enumerate(classes))


def html_text(symbols: Sequence[str], labels: Labels, wrong: Labels | None = None) -> str:
    """The text as spans of the classes k0, k1 ...; mistakes are <u>. Everything is escaped."""
    parts = []
    for text, label, mistake in runs(symbols, labels, wrong):
        text = html.escape(printable(text))
        span = f'<span class="k{label % len(LIGHT)}">{text}</span>'
        parts.append(f"<u>{span}</u>" if mistake else span)
    return "".join(parts)


def html_legend(classes: Sequence[str]) -> str:
    """The classes, each in its colour."""
    items = "".join(f"<li>{html_text([name], [k])}</li>" for k, name in enumerate(classes))
    return f'<ul class="legend">{items}<li><u>mistake</u></li></ul>'


def html_page(title: str, body: str) -> str:
    """One document that fetches nothing: the body, which must be escaped already, under the title; light and dark."""
    light = "".join(f".k{k}{{color:{colour}}}" for k, colour in enumerate(LIGHT))
    dark = "".join(f".k{k}{{color:{colour}}}" for k, colour in enumerate(DARK))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{html.escape(printable(title))}</title>
<style>
:root {{ --ground: #fdfdfb; --ink: #1f1f1f; --quiet: #5f6368; --line: #dcdcd6; --panel: #f5f5f0; --wrong: #d00000 }}
{light}
@media (prefers-color-scheme: dark) {{
:root {{ --ground: #16181c; --ink: #e6e6e6; --quiet: #a0a4aa; --line: #34383f; --panel: #1d2025; --wrong: #ff6b6b }}
{dark}
}}
body {{ background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 76rem; padding: 1.5rem }}
h1 {{ font-size: 1.5rem; margin: 0 0 .5rem }} h2 {{ font-size: 1.1rem; margin: 2rem 0 .5rem }}
p {{ max-width: 46rem }} .quiet {{ color: var(--quiet) }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}
th, td {{ padding: .2rem .9rem .2rem 0; text-align: right; border-bottom: 1px solid var(--line) }}
th:first-child, td:first-child {{ text-align: left }} tr:last-child td {{ font-weight: 600; border-bottom: 0 }}
.legend {{ list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; font-family: monospace }}
.side {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1.5rem }}
.side > * {{ min-width: 0 }} .side p {{ margin: 0 }} summary {{ cursor: pointer; margin-top: 1.5rem }}
pre {{ background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 1rem; margin: .5rem 0;
  overflow-x: auto; font: 13px/1.45 ui-monospace, Menlo, Consolas, monospace; tab-size: 4 }}
u {{ text-decoration: underline wavy var(--wrong); text-underline-offset: 3px; text-decoration-skip-ink: none }}
</style>
</head>
<body>
{body}
</body>
</html>
"""
