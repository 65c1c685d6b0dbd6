"""The equations of one unit at one step with their numbers, forward and backward: as text, and as HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from npbilstm.inspector.equations import parse
from npbilstm.inspector.indices import direction_of, layer_of, row_of, step_of, unit_of
from npbilstm.inspector.substitution import SubstitutedDot, SubstitutedEquation, UnitAtStep, substitute
from npbilstm.inspector.trace_data import TraceData
from npbilstm.printable import printable

WIDTH = 100
"""Columns of the text."""
WORDS_AT = 48
"""The column where an equation's words begin."""

CODE = "margin:0;padding:0 0 0 1em;background:none;color:inherit;white-space:pre-wrap"
QUIET = "opacity:.75;font-size:90%;padding-left:3em"
"""Readable on white and on black."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """What one unit computed at one step. str() gives the text, notebooks show it as HTML.

    token: the step's name. turn: how many steps the direction read before this one. before, after: the steps that it
        read just before and reads next, None where there is none.
    forward, backward: the cell's equations with their numbers, in the order in which they are computed; backward is
        empty where the trace has no gradients.
    heading, labels: where this is; the predicted and the true class, "" where nobody knows.
    starts, continues: what the forward and the backward equations take from elsewhere.
    """

    layer: int
    direction: str
    row: int
    step: int
    unit: int
    token: str
    turn: int
    before: int | None
    after: int | None
    heading: str
    labels: str
    starts: str
    continues: str
    forward: tuple[SubstitutedEquation, ...]
    backward: tuple[SubstitutedEquation, ...]

    def __str__(self) -> str:
        parts = [self.heading, *([self.labels] if self.labels else [])]
        for title, equations in self.sections():
            parts += ["", *broken_into_lines(title.split(" "), " ", "", "  ")]
            for equation in equations:
                parts += ["", *equation_text(equation)]
        return "\n".join(parts)

    def __repr__(self) -> str:
        return f"<Explanation of {self.heading}>"

    def _repr_html_(self) -> str:
        labels = f"<p>{html.escape(self.labels)}</p>" if self.labels else ""
        sections = "".join(
            f"<p><b>{html.escape(title)}</b></p>{''.join(map(equation_html, equations))}"
            for title, equations in self.sections()
        )
        return f"<div><p><b>{html.escape(self.heading)}</b></p>{labels}{sections}</div>"

    def sections(self) -> list[tuple[str, tuple[SubstitutedEquation, ...]]]:
        """The two passes, each under its title."""
        return [(f"forward: {self.starts}", self.forward), (f"backward: {self.continues}", self.backward)]


def explain(
    trace: TraceData, layer: int = 0, direction: str | None = None, step: int = 0, unit: int = 0, row: int = 0
) -> Explanation:
    """The cell's equations for one unit at one step of a trace, with the trace's numbers in them.

    layer of the stack, direction ("forward" or "reverse"; None for the first that the layer has), step in input time
    order, unit, row of the batch; negative ones count from the end. The numbers of a sum, the terms of its dot products
    too, add up to the last digit shown.

    With a projection h, dh and dh_next are fewer than the units and belong to none of them: those of number `unit` are
    shown, where there is one.

    Raises ValueError where there is no such layer, direction, step, unit or row; TypeError where one is no integer.
    """
    row, _ = row_of(trace, row)
    layer, step, unit = layer_of(trace, layer), step_of(trace, step, row), unit_of(trace, unit)
    direction = trace.directions[direction_of(trace, direction)]
    at = UnitAtStep(trace, layer, direction, row, step, unit)
    with np.errstate(all="ignore"):  # a trace may hold infinity, and says so
        equations = [
            tuple(substitute(equation, at) for equation in map(parse, texts) if at.has(equation.name))
            for texts in (trace.equations.forward, trace.equations.backward if trace.has_gradients else ())
        ]
    where = f"row {row}, " if len(trace.lengths) > 1 else ""
    read = f"read {ordinal(at.turn + 1)} of {trace.lengths[row]}"
    read += "" if at.before is None else f", after {step_name(at, at.before)}"
    return Explanation(
        layer=layer,
        direction=direction,
        row=row,
        step=step,
        unit=unit,
        token=trace.tokens[row][step],
        turn=at.turn,
        before=at.before,
        after=at.after,
        heading=f"{where}layer {layer}, {direction} direction, {step_name(at, step)}, unit {unit}: {read}",
        labels=class_labels(at),
        starts=forward_sources(at),
        continues=backward_sources(at),
        forward=equations[0],
        backward=equations[1],
    )


def step_name(at: UnitAtStep, step: int) -> str:
    """step 5 '(', with what steers a terminal written out."""
    return f"step {step} {at.trace.tokens[at.row][step]!r}"


def ordinal(count: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th ..."""
    ending = "th" if count % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"


def class_labels(at: UnitAtStep) -> str:
    """The predicted and the true class of the step or of the sequence, "" for a layer alone."""
    trace = at.trace
    found = []
    for word, labels in (("predicted", trace.predicted), ("true", trace.target)):
        if labels is not None:
            k = int(labels[at.row] if labels.ndim == 1 else labels[at.row, at.step])
            found.append(f"{word} {printable(trace.class_names[k])}")
    whole = trace.predicted is not None and trace.predicted.ndim == 1
    return ("the sequence: " if whole else "") + ", ".join(found)


def forward_sources(at: UnitAtStep) -> str:
    """Where x and the state before the step come from."""
    if at.layer > 0:
        x = f"x is what layer {at.layer - 1} put out"
    elif not at.trace.reads_symbols:
        x = "x is the input"
    else:
        x = f"x is the embedding of {at.trace.tokens[at.row][at.step]!r}"
    states = [name for name in ("h_prev", "c_prev") if name in at.trace.names]
    whence = "the initial state" if at.before is None else f"from {step_name(at, at.before)}"
    is_or_are = "is" if len(states) == 1 else "are"
    return f"{x}; {' and '.join(states)} {is_or_are} {whence}{projected(at)}"


def projected(at: UnitAtStep) -> str:
    """What is shown of a projection's outputs."""
    layer = at.trace.layer
    R = layer.output_size
    if getattr(layer, "projection_size", None) is None:
        return ""
    rest = f"those of number {at.unit} are shown" if at.unit < R else f"there is no number {at.unit}"
    return f"; h, h_prev, dh and dh_next are {R} numbers for all units together, {rest}"


def backward_sources(at: UnitAtStep) -> str:
    """Where the gradients that arrive come from."""
    if not at.trace.has_gradients:
        return "not known without an upstream gradient or a target"
    if at.layer < at.trace.layer.num_layers - 1:
        dy = f"dy is from layer {at.layer + 1}, which reads h"
    else:
        dy = "dy is from the model's output" if at.trace.is_of_model else "dy is the upstream gradient"
    return f"{dy}; " + ("no step is read next" if at.after is None else f"next is {step_name(at, at.after)}")


def equation_text(equation: SubstitutedEquation) -> list[str]:
    """The lines of an equation: its text, its numbers, its words beside the result; then the terms of its dots."""
    left = f"  {equation.name} "
    lines = [equation.text.removeprefix(f"{equation.name} = "), *equation.lines]
    found = []
    for line in lines:
        found += broken_into_lines(re.split(r" (?=[-+] )", line), " ", f"{left}= ", " " * (len(left) + 2))
        left = " " * len(left)
    found[-1] = f"{found[-1]:<{WORDS_AT - 2}}  {equation.words}"
    for dot in equation.dots:
        first, *others = dot_pieces(dot)
        start = f"{left}  "
        found += broken_into_lines([f"{dot.text}: {first}", *others], ", ", start, f"{start}  ")
    return found


def equation_html(equation: SubstitutedEquation) -> str:
    """An equation below its words."""
    lines = [equation.text, *(f"{' ' * len(equation.name)} = {line}" for line in equation.lines)]
    dots = "".join(f"<div style='{QUIET}'>{dot.text}: {', '.join(unbroken(dot))}</div>" for dot in equation.dots)
    code = html.escape("\n".join(lines))
    words = html.escape(equation.words)
    return f"<div style='margin:.9em 0'>{words}<pre style='{CODE}'>{code}</pre>{dots}</div>"


def unbroken(dot: SubstitutedDot) -> list[str]:
    """The terms, none of them broken at the end of a line."""
    return [piece.replace(" ", "&nbsp;") for piece in dot_pieces(dot)]


def dot_pieces(dot: SubstitutedDot) -> list[str]:
    """The terms, or that there is none."""
    return [f"{name} {text}" for name, text in dot.terms] or ["every term is 0"]


def broken_into_lines(pieces: Sequence[str], joint: str, first: str, indent: str) -> list[str]:
    """Lines of at most WIDTH columns, where a piece fits, broken between pieces only."""
    lines = [first + pieces[0]]
    for piece in pieces[1:]:
        if len(lines[-1]) + len(joint) + len(piece) <= WIDTH:
            lines[-1] += joint + piece
        else:
            lines[-1] += joint.rstrip()
            lines.append(indent + piece)
    return lines
