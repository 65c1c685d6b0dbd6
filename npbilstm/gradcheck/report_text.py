"""Results as text: a verdict, what is worth knowing, a table, sparklines over time, how the differences converge."""

from __future__ import annotations

import numpy as np

from npbilstm.gradcheck.results import Convergence, GradientResults, ParameterRow, Sparkline

LONGEST = 230
"""Characters of a verdict: pytest shows no more of it."""
BARS = "▂▃▄▅▆▇█"
WIDEST = 60
"""Characters of a sparkline."""


def verdict_on(results: GradientResults) -> str:
    """The verdict in one sentence."""
    checked, size = results.checked, sum(row.size for row in results.rows)
    entries = f"all {size} entries" if checked == size else f"{checked} of {size} entries"
    wrong = [row for row in results.rows if row.ok is False]
    if wrong:
        names = list(dict.fromkeys(row.name for row in wrong))
        worst = max(wrong, key=lambda row: (row.relative != row.relative, row.relative))
        place = f"{shortened(worst.name)}{list(worst.index)}" + (f" (block {worst.block})" if worst.block else "")
        rest = (
            f" ({results.method}, {entries} checked). "
            f"Worst: {place} should be {number(worst.expected)}, got {number(worst.got)}."
        )
        start = "The gradient is WRONG for "
        for count in range(len(names), 0, -1):
            more = f" and {len(names) - count} more" if count < len(names) else ""
            listed = ", ".join(map(shortened, names[:count])) + more
            if len(start + listed + rest) <= LONGEST:
                break
        return (start + listed + rest)[:LONGEST]
    if not results.direction.ok:
        advice = "" if checked == size else ": check them all"
        return f"The gradient is WRONG along a random direction, though {entries} checked agree{advice}."
    if results.findings:
        first = results.findings[0]
        return within_length(f"NOT right, though {entries} checked agree with {results.method}: {first}")
    if results.not_judged:
        return within_length(not_judged_verdict(results, entries))
    allowed = f"allowed {results.tolerance:.0e}" + (", beside round-off" if results.worst > results.tolerance else "")
    whole = "" if checked == size else " one by one, and all of them together along a random direction"
    return (
        f"{'The gradients agree' if checked == size else 'What was checked agrees'} with {results.method}: "
        f"{entries}{whole or ' checked'}, largest relative difference {results.worst:.1e} ({allowed})."
    )


def not_judged_verdict(results: GradientResults, entries: str) -> str:
    """The verdict where something was left out and nothing is wrong."""
    names = list(dict.fromkeys(shortened(each.name) for each in results.not_judged))
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    rest = (
        f"{entries} checked agree with {results.method}"
        if results.checked
        else (f"along a random direction the whole gradient agrees with {results.method}")
    )
    return f"NOT JUDGED: {listed}: {results.not_judged[0].reason}. Nothing is wrong so far: {rest}."


def within_length(said: str) -> str:
    """A verdict, cut where it is too long."""
    return said if len(said) <= LONGEST else said[: LONGEST - 3] + "..."


def number(x: float) -> str:
    """Ten digits; no negative zero."""
    return f"{x + 0.0:.10g}"


def shortened(name: str) -> str:
    """A name of at most 40 characters."""
    return name if len(name) <= 40 else f"{name[:19]}..{name[-19:]}"


def text_report(results: GradientResults) -> str:
    """The whole report."""
    table = table_of(results)
    widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table]
    tail = [sparkline_text(each) for each in results.sparklines] + [convergence_line(results.convergence)]
    return "\n".join([verdict_on(results), *sentences_of(results), "", *lines, "", *tail])


def sentences_of(results: GradientResults) -> list[str]:
    """Findings, what was not judged, then notes; what the verdict says is not said again."""
    verdict = verdict_on(results)
    said = verdict.startswith("NOT JUDGED") and len(results.not_judged) == 1
    left_out = () if said else map(": ".join, results.not_judged)
    return [
        *(f"Found: {finding}" for finding in results.findings if finding not in verdict),
        *(f"Not judged: {each}." for each in left_out),
        *(f"Note: {note}" for note in results.notes),
    ]


def table_of(results: GradientResults) -> list[list[str]]:
    """The table, its heading first; no column for blocks or flags where there are none."""
    heading = ["", "parameter", "block", "shape", "checked", "largest difference", "relative", "at", "expected", "got"]
    table = [[*heading, "looks like"], *(cells_of(row) for row in results.rows)]
    d = results.direction
    table.append(
        [
            "ok" if d.ok else "WRONG",
            "whole gradient",
            "",
            "along a random direction",
            "",
            f"{abs(d.got - d.expected):.1e}",
            f"{d.relative:.1e}",
            "",
            number(d.expected),
            number(d.got),
            "",
        ]
    )
    used = [k for k in range(len(heading) + 1) if k not in (2, 10) or any(row[k] for row in table[1:])]
    return [[row[k] for k in used] for row in table]


def cells_of(row: ParameterRow) -> list[str]:
    """A row of the table."""
    return [
        "-" if row.ok is None else "ok" if row.ok else "WRONG",
        row.name,
        row.block,
        str(row.shape),
        f"{row.checked}/{row.size}",
        f"{row.absolute:.1e}",
        f"{row.relative:.1e}",
        str(list(row.index)) if row.checked else "-",
        number(row.expected) if row.checked else "-",
        number(row.got) if row.checked else "-",
        ", ".join(row.flags),
    ]


def sparkline_text(sparkline: Sparkline) -> str:
    """One character per step of time: low where it is right, the higher the larger the error where it is wrong.

        x over time  ▁▁▁▅█  0..4

    A full bar is an error as large as the gradient, each lower one a tenth of it. Blank: nothing was checked there.
    Long ones show the worst of several steps in a character.
    """
    count = len(sparkline.errors)
    width = -(-count // WIDEST) or 1
    bars = "".join(bar_of(sparkline, range(t, min(t + width, count))) for t in range(0, count, width))
    each = f", {width} steps per character" if width > 1 else ""
    return f"{sparkline.name} over time  {bars}  0..{count - 1}{each}"


def bar_of(sparkline: Sparkline, steps: range) -> str:
    """The character for some steps."""
    wrong = [error for t in steps if sparkline.wrong[t] and (error := sparkline.errors[t]) is not None]
    if wrong:
        with np.errstate(divide="ignore"):
            level = len(BARS) + np.floor(np.log10(min(max(wrong), 0.99)))
        return BARS[int(max(level, 0))]
    return "▁" if any(sparkline.errors[t] is not None for t in steps) else " "


def convergence_line(c: Convergence) -> str:
    """How the differences along a random direction behave as their step shrinks."""
    start = "Central differences along a random direction"
    if c.sides:
        return f"{start} meet a kink: the derivatives from its two sides are {c.sides[0]:.6g} and {c.sides[1]:.6g}."
    if c.floor is None:
        return f"{start} have nothing to approach: what was got is not finite, or the loss is not."
    if c.order is None:
        return f"{start} and what was got differ by round-off only, {c.floor:.0e} at best."
    if c.order < 1:
        return f"{start} stay {c.floor:.0e} away from what was got, however short their step."
    return (
        f"{start} approach what was got as their step s shrinks: error ~ s^{c.order:.1f}, {c.floor:.0e} at best, "
        f"at s = {c.floor_step:.0e}; then round-off grows."
    )
