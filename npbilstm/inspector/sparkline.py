"""One unit over the tokens as text, for where no browser is: gates, candidate and states of both directions as bars.

    forward, reads →
      i    ▃▄▅▇▂        a gate: one line of bars
      c +  ▆▅ ▃▁        what has a sign: two lines, how far above 0 and how far below,
        -    ▁          so that it reads without colour too
           (x+1)
    reverse, ← reads
      ...

Both directions stand in input time order, under the same tokens.
"""

from __future__ import annotations

import itertools
import shutil
import string
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from npbilstm.inspector.descriptions import GATES, QUANTITIES, gates_of
from npbilstm.inspector.highlight import TERMINAL, terminal_text
from npbilstm.inspector.indices import layer_of, row_of, unit_of
from npbilstm.inspector.trace_data import TraceData
from npbilstm.layers.checks import require_bool
from npbilstm.printable import printable

BARS = " ▁▂▃▄▅▆▇"
"""Not up to █, which would touch the line above it."""

GATE, UP, DOWN = TERMINAL[0], TERMINAL[2], TERMINAL[1]
"""Grey; orange above 0, blue below."""

WIDEST = 20
"""Columns of a token or of a class's name; longer ones are cut."""


class BarLine(NamedTuple):
    """A line of the sparkline: what stands in the margin, bar heights 0 to 1 (T,), and their colour."""

    margin: str
    heights: np.ndarray
    colour: str


class Steps(NamedTuple):
    """What is said of the steps: tokens as shown and the display columns of each, with `gap` between them.

    predicted, true: classes as integers, or None. marks: what stands for each class; a letter, or its name. begin: the
    number of the first.
    """

    tokens: list[str]
    widths: list[int]
    gap: str
    predicted: np.ndarray | None
    true: np.ndarray | None
    marks: list[str]
    begin: int = 0

    @property
    def wrong(self) -> np.ndarray:
        """Which predictions are mistakes, as far as anybody knows."""
        if self.predicted is None or self.true is None:
            return np.zeros(len(self.tokens), bool)
        return np.not_equal(self.predicted, self.true)

    def part(self, own: slice) -> Steps:
        """Some of them."""
        predicted, true = (None if k is None else k[own] for k in (self.predicted, self.true))
        return Steps(self.tokens[own], self.widths[own], self.gap, predicted, true, self.marks, own.start)


def sparkline(
    trace: TraceData,
    unit: int,
    layer: int = 0,
    row: int = 0,
    colour: bool = False,
    width: int | None = None,
    gradients: bool = False,
) -> str:
    """One unit of one layer over the tokens of one row: i f o g c h, of a GRU r z n h, of an RNN h, as bars.

    The forward direction stands above the tokens, the reverse direction below them, both in input time order. Under
    the tokens: the predicted classes, the true ones where those are others, and the numbers of the steps.

    colour: with escape codes. width: columns of a line, None for the terminal's; what is longer goes on below.
    gradients: the gradients of these in their place; a bar's height is then the square root of its share of the
        largest.

    Raises ValueError where unit, layer or row is out of range, the row has no step, or there are no gradients.
    """
    colour, gradients = require_bool("colour", colour), require_bool("gradients", gradients)
    layer, unit = layer_of(trace, layer), unit_of(trace, unit)
    row, _ = row_of(trace, row)
    if gradients and not trace.has_gradients:
        raise ValueError("gradients is True; the trace has none, it needs an upstream gradient or a target")
    drawn, scale = lines(trace, unit, layer, row, gradients)
    steps = steps_of(trace, row)
    margin = max(len(line.margin) for part in drawn for line in part) + 4
    if width is not None and width < 1:
        raise ValueError(f"width is {width}; it needs to be at least 1")
    room = max((width or shutil.get_terminal_size().columns) - margin, 1)
    text = [f"{type(trace.layer).__name__}, layer {layer}, unit {unit}{class_of_sequence(trace, row)}", ""]
    for part in blocks(steps, room):
        shown = [[line._replace(heights=line.heights[part]) for line in own] for own in drawn]
        text += [*block(trace.directions, steps.part(part), shown, margin, room, colour), ""]
    text += textwrap.wrap(scale, margin + room)
    text += legend(trace, steps, margin + room, colour)
    return "\n".join(line.rstrip() for line in text)


def lines(trace: TraceData, unit: int, layer: int, row: int, gradients: bool) -> tuple[list[list[BarLine]], str]:
    """The lines of each direction, and a sentence on what a full bar is."""
    d = "d" if gradients else ""
    drawn: list[list[BarLine]] = [[] for _ in trace.directions]
    full: dict[str, list[str]] = {}
    for name in (*GATES, *(name for name in QUANTITIES if name not in GATES)):
        # with a projection fewer units have an h
        if d + name not in trace.names or unit >= trace[d + name].shape[-1]:
            continue
        values = trace[d + name][layer, :, row, : trace.lengths[row], unit].astype(float)  # (S, T)
        largest = float(np.abs(values[np.isfinite(values)]).max(initial=0))
        # tanh's range, unless a variant leaves it; the cell has none
        bound = largest if gradients or name == "c" else max(largest, 1.0)
        full.setdefault(f"{bound:.3g}", []).append(d + name)
        heights = values / (bound or 1.0)
        if gradients:
            heights = np.sign(heights) * np.sqrt(np.abs(heights))
        for part, height in zip(drawn, heights):
            if name in gates_of(trace.layer) and not gradients:
                part.append(BarLine(name, height, GATE))
            else:
                part.append(BarLine(f"{d}{name} +", height, UP))
                part.append(BarLine("-".rjust(len(d + name) + 2), -height, DOWN))
    scale = ", ".join(f"{bound} for {' '.join(names)}" for bound, names in full.items())
    root = ", half a bar a quarter of the full one" if gradients else ""
    return drawn, f"A full bar ▇ is {scale}; no bar is 0{root}. + is above 0, - below."


def bars(heights: np.ndarray, widths: Sequence[int], gap: str) -> str:
    """A bar for each height in 0 to 1, as wide as its token; ? where it is no number."""
    found = ("?" if np.isnan(h) else BARS[round(min(max(float(h), 0.0), 1.0) * 7)] for h in heights)
    return gap.join(bar * width for bar, width in zip(found, widths))


def steps_of(trace: TraceData, row: int) -> Steps:
    """Characters stand close, a letter for each class; words have a space between, and their classes' names."""
    length = trace.lengths[row]
    given = [None if k is None or k.ndim < 2 else k[row, :length] for k in (trace.predicted, trace.target)]
    predicted, true = given
    names = [] if predicted is None or trace.logits is None else class_names(trace)
    tokens = [cut_to_width(visible(token), WIDEST) for token in trace.tokens[row]]
    widths = [display_width(token) for token in tokens]
    if all(len(token) == 1 for token in trace.tokens[row]):
        return Steps(tokens, widths, "", predicted, true, letters(names))
    for labels in given:
        if labels is not None:
            widths = [max(width, display_width(names[k])) for width, k in zip(widths, labels)]
    return Steps(tokens, widths, " ", predicted, true, names)


def class_names(trace: TraceData) -> list[str]:
    """The classes' names as shown, numbers where they have none."""
    return [cut_to_width(visible(name).replace("␣", " "), WIDEST) for name in trace.class_names]


def class_of_sequence(trace: TraceData, row: int) -> str:
    """The predicted and the true class, where a sequence has one."""
    if trace.predicted is None or trace.predicted.ndim > 1:
        return ""
    names = class_names(trace)
    true = "" if trace.target is None else f", true {names[trace.target[row]]}"
    return f"; the sequence: predicted {names[trace.predicted[row]]}{true}"


def letters(names: Sequence[str]) -> list[str]:
    """A letter for each class, one of its name where that is free; ? where there are no more."""
    found: list[str] = []
    for name in names:
        likely = (c for c in name.lower() if c.isascii() and c.isalnum())
        free = (c for c in [*likely, *string.ascii_letters, *string.digits] if c not in found)
        found.append(next(free, "?"))
    return found


def blocks(steps: Steps, room: int) -> Iterator[slice]:
    """The steps that fit side by side, at least one at a time."""
    begin = used = 0
    for t, width in enumerate(steps.widths):
        if t > begin and used + width > room:
            yield slice(begin, t)
            begin, used = t, 0
        used += width + len(steps.gap)
    yield slice(begin, len(steps.widths))


def block(
    directions: Sequence[str], steps: Steps, drawn: list[list[BarLine]], margin: int, room: int, colour: bool
) -> Iterator[str]:
    """The lines of steps that fit beside each other: forward, the tokens and what is said of them, reverse."""

    def line(name: str, content: str) -> str:
        return f"  {name}".ljust(margin) + content

    def sparklines(direction: str, arrow: str) -> Iterator[str]:
        if direction not in directions:
            return
        yield f"{direction}, {arrow}"
        for name, heights, code in drawn[directions.index(direction)]:
            content = bars(heights, steps.widths, steps.gap).rstrip()
            yield line(name, f"\x1b[{code}m{content}\x1b[0m" if colour and content else content)

    yield from sparklines("forward", "reads →")
    yield line("", in_columns(steps.tokens, steps, colour))
    if steps.predicted is not None:
        yield line("says", in_columns([steps.marks[k] for k in steps.predicted], steps, colour))
    if steps.wrong.any() and steps.true is not None:
        right = [steps.marks[k] if wrong else "" for k, wrong in zip(steps.true, steps.wrong)]
        yield line("true", in_columns(right, steps, colour=False))
    yield line("step", ruler(steps.begin, steps.widths, steps.gap, room))
    yield from sparklines("reverse", "← reads")


def in_columns(texts: Sequence[str], steps: Steps, colour: bool) -> str:
    """A text for each step, in the colour of its predicted class, mistakes underlined."""
    padded: list[tuple[str, int, bool]] = []
    labels = np.zeros(len(texts), int) if steps.predicted is None else steps.predicted
    for text, width, label, wrong in zip(texts, steps.widths, labels, steps.wrong):
        # the padding is a symbol of its own: the underline ends with the text
        padded += [(text, label, wrong), (" " * (width - display_width(text)) + steps.gap, label, False)]
    symbols, owners, marked = zip(*(symbol for symbol in padded if symbol[0]))
    return terminal_text(symbols, owners, marked, colour and steps.predicted is not None)


def ruler(begin: int, widths: Sequence[int], gap: str, room: int) -> str:
    """The steps' numbers under their columns: of all steps where they fit, else of every tenth."""
    every = 1 if min(widths) + len(gap) > len(str(begin + len(widths))) else 10
    content, column = "", 0
    for t, width in enumerate(widths, begin):
        if t % every == 0 and column + len(str(t)) <= room:
            content += " " * (column - len(content)) + str(t)
        column += width + len(gap)
    return content


def legend(trace: TraceData, steps: Steps, width: int, colour: bool) -> Iterator[str]:
    """What the letters of the classes stand for, and how many steps are wrong."""
    if steps.predicted is None:
        return
    names = class_names(trace)
    if steps.marks != names:
        true = steps.predicted if steps.true is None else steps.true
        line, used = "", 0
        for k in np.union1d(steps.predicted, true):
            item = f"{steps.marks[k]} {names[k]}"
            if used and used + display_width(item) > width:
                yield line
                line, used = "", 0
            line += terminal_text([item], [k], colour=colour) + "  "
            used += display_width(item) + 2
        yield line
    if steps.true is not None:
        wrong = int((steps.predicted != steps.true).sum())
        yield f"{wrong:,} of {len(steps.true):,} wrong."


def visible(text: str) -> str:
    """The text with a sign for each white space and nothing that has no width of its own.

    Some terminals draw several characters as one where a joiner or a variation selector stands between; without
    those all of them agree on the width.
    """
    text = unicodedata.normalize("NFC", text).replace("\n", "⏎").replace("\t", "⇥")
    kept = []
    for c in printable(text):
        kind = unicodedata.category(c)
        if kind in ("Zs", "Zl", "Zp"):
            kept.append("␣")
        elif kind in ("Cf", "Cn", "Co"):
            kept.append("\N{REPLACEMENT CHARACTER}")
        elif column_width(c) or (kept and not unicodedata.name(c, "").startswith("VARIATION SELECTOR")):
            kept.append(c)
        elif not kept:
            kept.append(f"◌{c}")  # the sign for a mark with no letter before it
    return "".join(kept) or "∅"


def column_width(c: str) -> int:
    """The columns of one character: 0 for marks on the one before, 2 for East Asian wide ones and emoji."""
    if unicodedata.category(c) in ("Mn", "Me") or "\u1160" <= c <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def display_width(text: str) -> int:
    """The columns of a text."""
    return sum(map(column_width, text))


def cut_to_width(text: str, width: int) -> str:
    """The text in at most so many columns."""
    if display_width(text) <= width:
        return text
    ends = itertools.accumulate(map(column_width, text))
    kept = sum(1 for _ in itertools.takewhile(lambda end: end < width, ends))
    return f"{text[:kept]}…"
