"""What a model with the head "ctc" has seen, step by step: the posteriors over time, with the decoded text below.

key   ▂ ▇ ▂▇          what was read, where it is one number per step
blank ▇▇ ▇▇ ▇         a line for each class that any step holds likely
a       ▇
n          ▇
read    a  n          each label where the best path has it first
"""

from __future__ import annotations

import html
from typing import NamedTuple

import numpy as np

from npbilstm.inspector.sparkline import BARS
from npbilstm.models import SequenceModel
from npbilstm.models.model import require_finite_outputs
from npbilstm.printable import printable

LIKELY = 0.1
"""A class has a line if it is as likely as this at any step."""
CELL, MARGIN = 14, 70
"""Of the page, in pixels: a step's width and a line's height; what stands before the lines."""


class Alignment(NamedTuple):
    """posteriors (T, V): how likely the model holds each class at each step, class 0 the blank. symbols: a name for
    each class. heights (T,): something of what was read, between 0 and 1, or None; what: its name."""

    posteriors: np.ndarray
    symbols: list[str]
    heights: np.ndarray | None = None
    what: str = "read"

    @property
    def path(self) -> np.ndarray:
        """The likeliest class at each step (T,)."""
        return np.asarray(self.posteriors.argmax(axis=1))

    @property
    def starts(self) -> list[tuple[int, int]]:
        """(step, label) of each label on the best path, at the first step of its run."""
        path = self.path
        before = np.concatenate([[0], path[:-1]])
        return [(int(t), int(path[t])) for t in np.flatnonzero((path != 0) & (path != before))]

    @property
    def shown(self) -> list[int]:
        """The classes that have a line: the blank, and what is likely, in the order in which each is likeliest."""
        likely = np.flatnonzero(self.posteriors.max(axis=0, initial=0.0) >= LIKELY)
        labels = [int(k) for k in likely if k != 0]
        return [0, *sorted(labels, key=lambda k: int(self.posteriors[:, k].argmax()))]

    def text(self, width: int = 80) -> str:
        """As bars, for a terminal so many columns wide; longer rows in several pieces, one below the other.

        >>> posteriors = np.array([[0.1, 0.9, 0.0], [0.9, 0.05, 0.05], [0.2, 0.0, 0.8]])
        >>> print(nb.inspector.Alignment(posteriors, ["blank", "a", "b"]).text())
        blank  ▇▂
        a     ▇
        b       ▆
        reads a b
        """
        names = {k: printable(self.symbols[k]) for k in self.shown}
        margin = max(map(len, [*names.values(), "reads", self.what])) + 1
        step, T = max(width - margin, 1), len(self.posteriors)
        pieces = []
        for begin in range(0, max(T, 1), step):
            part = slice(begin, begin + step)
            lines = [] if self.heights is None else [f"{self.what:{margin}}{bars(self.heights[part])}"]
            for k, name in names.items():
                if k == 0 or (self.posteriors[part, k] >= LIKELY).any():
                    lines.append(f"{name:{margin}}{bars(self.posteriors[part, k])}")
            read = [" "] * T
            for t, label in self.starts:
                read[t] = mark(printable(self.symbols[label]))
            lines.append(f"{'reads':{margin}}{''.join(read[part])}")
            pieces.append("\n".join(line.rstrip() for line in lines))
        return "\n\n".join(pieces)

    def to_html(self, title: str = "Alignment") -> str:
        """As a page that fetches nothing: a heat map of the posteriors, what they read as below; each cell says its
        step, class and number when it is pointed at."""
        T, lines = len(self.posteriors), self.shown
        drawn, y = [], 0
        if self.heights is not None:
            drawn.append(name_at(self.what, y))
            for t, height in enumerate(self.heights):
                tall = max(CELL * float(height), 1)
                drawn.append(cell(t, y + CELL - tall, tall, "#777", 1.0, f"step {t}: {self.what}"))
            y += CELL + 6
        for k in lines:
            drawn.append(name_at(self.symbols[k], y))
            colour = "#888" if k == 0 else "#c2571a"
            for t, p in enumerate(self.posteriors[:, k]):
                drawn.append(cell(t, y, CELL, colour, float(p), f"step {t}: {self.symbols[k]} {p:.3f}"))
            y += CELL
        drawn.append(name_at("reads", y + 4))
        for t, label in self.starts:
            x = MARGIN + CELL * t + CELL / 2
            drawn.append(
                f'<text x="{x}" y="{y + 16}" text-anchor="middle">{html.escape(mark(self.symbols[label]))}</text>'
            )
        size = f'width="{MARGIN + CELL * T + 10}" height="{y + 28}"'
        said = html.escape("".join(self.symbols[label] for _, label in self.starts))
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
            "<style>body{font:14px system-ui,sans-serif;margin:2em;background:#fff;color:#222}"
            "div{overflow-x:auto}text{font:11px ui-monospace,monospace;fill:#222}</style>"
            f"<h1>{html.escape(title)}</h1><p>How likely the model holds each class (a line) at each step (a column), "
            f"the blank first; below, where each label begins on the best path. It reads: <b>{said}</b></p>"
            f'<div><svg {size} role="img" aria-label="{said}">{"".join(drawn)}</svg></div></html>\n'
        )


def alignment(
    model: SequenceModel, x: np.ndarray, symbols: list[str], heights: np.ndarray | None = None, what: str = "read"
) -> Alignment:
    """What a model with the head "ctc" makes of one sequence: x (T, D), or ids (T,). symbols: a name for each class.

    Raises ValueError for another head, or names of another number; FloatingPointError where a logit is not finite.

    >>> model = nb.SequenceTagger(input_size=2, num_classes=3, head="ctc", hidden_size=4, rng=0)
    >>> seen = nb.inspector.alignment(model, np.ones((5, 2)), ["blank", "a", "b"])
    >>> seen.posteriors.shape
    (5, 3)
    """
    if model.head.metric != "label_error_rate":
        raise ValueError(f"model is {model!r}; an alignment needs one with head='ctc'")
    if len(symbols) != model.head.size:
        raise ValueError(f"symbols has {len(symbols)} names; the model has {model.head.size} classes, the blank first")
    with np.errstate(all="ignore"):
        logits = model.forward(np.asarray(x)[None])[0][0].astype(float)
    require_finite_outputs(logits)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return Alignment(p / p.sum(axis=1, keepdims=True), symbols, heights, what)


def bars(heights: np.ndarray) -> str:
    """A bar for each number between 0 and 1."""
    return "".join(BARS[round(float(height) * (len(BARS) - 1))] for height in heights)


def mark(symbol: str) -> str:
    """One character for a label; of a space one that can be seen."""
    return "␣" if symbol in (" ", "space") else symbol[:1]


def name_at(name: str, y: float) -> str:
    """A line's name."""
    return f'<text x="{MARGIN - 6}" y="{y + 11}" text-anchor="end">{html.escape(name)}</text>'


def cell(t: int, y: float, tall: float, colour: str, opacity: float, said: str) -> str:
    """A step of a line."""
    return (
        f'<rect x="{MARGIN + CELL * t}" y="{y:.1f}" width="{CELL - 1}" height="{max(tall - 1, 0):.1f}" fill="{colour}" '
        f'fill-opacity="{opacity:.3f}"><title>{html.escape(said)}</title></rect>'
    )
