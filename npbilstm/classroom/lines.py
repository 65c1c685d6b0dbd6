"""Lines: a docstring whose words have become longer or shorter, laid out again.

Equations stand one below the other, and so do the notes beside them; a paragraph with a line that is too long is filled
anew.
"""

from __future__ import annotations

import re
import textwrap
from itertools import groupby

WIDTH = 116
LEFT = r"\*?[\w^{}-]+(?:\(\w*\))?(?:\[[^=]*\])?"
EQUATION = re.compile(rf"( *)({LEFT}(?:, {LEFT})*) *( [-+]?=) (.+?)(?: {{2,}}(\S.*))?")
"""A line that is an equation: what is before the sign, the sign, what is behind it, and a note."""


def laid_out(text: str) -> str:
    """A text with its lines laid out."""
    parts = []
    for kind, lines in groupby(text.split("\n"), kind_of_line):
        parts += (aligned if kind[0] == "equation" else filled if kind[0] == "prose" else list)(list(lines))
    return "\n".join(parts)


def kind_of_line(line: str) -> tuple[str, int]:
    """Whether a line is an equation, prose or anything else, and how far it is indented."""
    kind = "equation" if EQUATION.fullmatch(line) else "prose" if line.strip() and "   " not in line.strip() else ""
    return kind, len(line) - len(line.lstrip())


def aligned(lines: list[str]) -> list[str]:
    """Equations one below the other: those of one name, and their notes."""
    found = [EQUATION.fullmatch(line) for line in lines]
    equations = [each.groups() for each in found if each]
    names = [len(left + sign) for _, left, sign, _, _ in equations if "," not in left]
    width = max(names, default=0)
    behind = max((len(right) for _, left, _, right, note in equations if note and "," not in left), default=0)
    said = []
    for indent, left, sign, right, note in equations:
        alone = "," not in left
        head = f"{left:{width - len(sign)}}{sign}" if alone else left + sign
        tail = f"{right:{behind if alone else 0}}      {note}" if note else right
        said.append(f"{indent}{head} {tail}")
    return said


def filled(lines: list[str]) -> list[str]:
    """A paragraph, filled anew where a line of it is too long."""
    if max(map(len, lines)) <= WIDTH:
        return lines
    indent = " " * (len(lines[0]) - len(lines[0].lstrip()))
    text = " ".join(line.strip() for line in lines)
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False)
