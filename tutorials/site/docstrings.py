"""Docstrings as they are written here, plain text with equations set in, made into what Sphinx reads.

A block that is set in is equations, a table in plain text or a program; so is one whose columns are held by blanks. A
line that begins with a dash is an item, and so is one that goes on in lines that are set in. All else is running text,
in which `name` is code.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from docutils import nodes
from sphinx import addnodes

from tutorials.site.mathematics import equations

COLUMNS = re.compile(r"\S {3,}\S|^ {6,}\S")
OPTIONS = re.compile(r"[a-z_]\w*(?:, [a-z_]\w*)*(?=: )")
MARKED = re.compile(r"(``?[^`]+``?|\*\*[A-Z][^*]+\*\*|(?<![\w*])\*[A-Za-z][^*\n]*[A-Za-z]\*(?![\w*]))")


def rewritten(lines: list[str]) -> list[str]:
    """A docstring's lines in reStructuredText."""
    made: list[str] = []
    for block in blocks(lines):
        made += [*indented(block), ""]
    return made


def blocks(lines: list[str]) -> Iterator[list[str]]:
    """Runs of lines that belong together: paragraphs, examples, and all that is set in up to the next of these."""
    runs = [list(group) for filled, group in groupby(lines, lambda line: bool(line.strip())) if filled]
    parts = [part for run in runs for part in parted(run) if part]
    while parts:
        block = parts.pop(0)
        while is_set_in(block) and parts and is_set_in(parts[0]):  # an empty line within a block
            block = [*block, "", *parts.pop(0)]
        yield block


def is_set_in(block: list[str]) -> bool:
    """Whether all of a block is set in by four spaces or more, and is no example."""
    return not is_example(block[0]) and all(line.startswith("    ") or not line.strip() for line in block)


def is_example(line: str) -> bool:
    """Whether an example begins with a line."""
    return line.lstrip().startswith(">>>")


def parted(run: list[str]) -> Iterator[list[str]]:
    """A run of lines, parted where an example begins, and where what is set in begins behind a colon, or ends."""
    set_in = [line.startswith("    ") for line in run]
    for k in range(1, len(run)):
        if is_example(run[k]) and not is_example(run[0]):
            break
        if set_in[k] != set_in[k - 1] and (all(set_in[:k]) or (run[k - 1].endswith(":") and not any(set_in[:k]))):
            break
    else:
        yield run
        return
    yield run[:k]
    yield from parted(run[k:])


def indented(block: list[str]) -> list[str]:
    """A block, as mathematics, as it stands, or as running text."""
    if is_example(block[0]):
        depth = len(block[0]) - len(block[0].lstrip())
        return [line[depth:] for line in block]
    latex = equations([line for line in block if line.strip()]) if is_set_in(block) else None
    if latex:
        return [".. math::", ""] + [f"    {line}" for line in latex.splitlines()]
    if is_set_in(block) or any(map(COLUMNS.search, block)):
        lines = textwrap.dedent("\n".join(block)).splitlines()
        return [f".. code-block:: {language(lines)}", "", *(f"    {line}" for line in lines)]
    if any(line.startswith("    ") for line in block):
        return items(block)
    return text("\n".join(block)).splitlines()


def language(lines: list[str]) -> str:
    """Of a block that stays as it is: that of a program, or none."""
    try:
        ast.parse("\n".join(lines))
    except SyntaxError:
        return "text"
    return "python"


def items(block: list[str]) -> list[str]:
    """An item for each line that is not set in, with those that are."""
    made: list[list[str]] = []
    for line in block:
        if line.startswith("    ") and made:
            made[-1].append(line.strip())
        else:
            made.append([OPTIONS.sub(lambda found: f"`{found[0]}`", line, count=1)])
    told = ["- " + text("\n".join(lines).removeprefix("- ")) for lines in made]
    return [line for item in told for line in item.replace("\n", "\n  ").splitlines()]


def text(words: str) -> str:
    """Running text; nothing in it but `code`, **Bold**, *this* and a dash at a line's beginning means something."""
    parts = MARKED.split(words)
    for k, part in enumerate(parts):
        if part.startswith("*") and k % 2:
            continue
        if k % 2:
            parts[k] = f"``{part.strip('`')}``"
        else:
            plain = re.sub(r"([\\*|_`])", r"\\\1", part)
            plain = re.sub(r"(?<=[\w\])])\^T\b", r"\\ :sup:`T`\\ ", plain)
            parts[k] = re.sub(r"\\_\{([^{}]+)\}", r"\\ :sub:`\1`\\ ", plain)
    return "".join(parts)


def without_long_values(app: Any, page: nodes.document) -> None:
    """Leave out the value of a constant that is longer than a line."""
    for value in [*page.findall(addnodes.desc_annotation)]:
        if value.astext().startswith(" = ") and len(value.astext()) > 90:
            value.parent.remove(value)


def setup(app: Any) -> None:
    """Let autodoc read docstrings by this."""

    def process(app: Any, what: str, name: str, of: Any, options: Any, lines: list[str]) -> None:
        lines[:] = rewritten(lines)

    def skip(app: Any, what: str, name: str, of: Any, skipped: bool, options: Any) -> bool | None:
        told = type(of).__name__ == "_tuplegetter"  # the class's docstring tells its fields
        return True if told else None

    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-skip-member", skip)
    app.connect("doctree-read", without_long_values)
