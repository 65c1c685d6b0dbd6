"""What a gradient check found: the verdict first, then a row for each parameter."""

from __future__ import annotations

import html
from dataclasses import dataclass


@dataclass(frozen=True)
class ParameterRow:
    """One parameter: how many of its entries were checked, and the worst of them.

    absolute: the largest |got - expected|. relative: that over the parameter's own scale, its largest |expected| or
    |got| (but at least a millionth of the whole gradient's). index, expected, got: where, the numerical derivative
    there and the entry of grads.
    """

    name: str
    shape: tuple[int, ...]
    checked: int
    size: int
    absolute: float
    relative: float
    index: tuple[int, ...]
    expected: float
    got: float
    ok: bool


@dataclass(frozen=True)
class DirectionRow:
    """The whole gradient along one random vector v: the numerical derivative (expected) and <grads, v> (got)."""

    expected: float
    got: float
    relative: float
    ok: bool


@dataclass(frozen=True)
class GradientReport:
    """The outcome of check_gradients. `ok` is the verdict; str() gives the text, notebooks show a table."""

    rows: list[ParameterRow]
    direction: DirectionRow
    method: str
    tolerance: float
    note: str = ""

    @property
    def ok(self) -> bool:
        """True where every entry that was checked agrees, and the whole gradient along a random direction."""
        return self.direction.ok and all(row.ok for row in self.rows)

    @property
    def worst(self) -> float:
        """The largest relative difference of all parameters and of the random direction."""
        return max([row.relative for row in self.rows] + [self.direction.relative])

    @property
    def checked(self) -> int:
        """How many entries were checked one by one."""
        return sum(row.checked for row in self.rows)

    @property
    def verdict(self) -> str:
        """One sentence."""
        checked, size = self.checked, sum(row.size for row in self.rows)
        entries = f"all {size} entries" if checked == size else f"{checked} of {size} entries"
        if self.ok:
            return (
                f"The gradients agree with {self.method}: {entries} checked, "
                f"largest relative difference {self.worst:.1e} (allowed {self.tolerance:.0e})."
            )
        wrong = [row.name for row in self.rows if not row.ok]
        if not wrong:
            advice = "" if checked == size else ": check them all"
            return f"The gradient is WRONG along a random direction, though {entries} checked agree{advice}."
        worst = max(
            (row for row in self.rows if not row.ok), key=lambda row: (row.relative != row.relative, row.relative)
        )
        return (
            f"The gradient is WRONG for {', '.join(wrong)} ({self.method}, {entries} checked). "
            f"Worst: {worst.name}{list(worst.index)} should be {worst.expected:.10g}, got {worst.got:.10g}."
        )

    def cells(self) -> list[list[str]]:
        """The table, its heading first."""
        table = [["", "parameter", "shape", "checked", "largest difference", "relative", "at", "expected", "got"]]
        for row in self.rows:
            table.append(
                [
                    "ok" if row.ok else "WRONG",
                    row.name,
                    str(row.shape),
                    f"{row.checked}/{row.size}",
                    f"{row.absolute:.1e}",
                    f"{row.relative:.1e}",
                    str(list(row.index)) if row.checked else "-",
                    f"{row.expected:.10g}" if row.checked else "-",
                    f"{row.got:.10g}" if row.checked else "-",
                ]
            )
        d = self.direction
        difference = f"{abs(d.got - d.expected):.1e}"
        table.append(
            [
                *("ok" if d.ok else "WRONG", "whole gradient", "along a random direction", "", difference),
                *(f"{d.relative:.1e}", "", f"{d.expected:.10g}", f"{d.got:.10g}"),
            ]
        )
        return table

    def __str__(self) -> str:
        table = self.cells()
        widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table]
        return "\n".join([self.verdict, *([self.note] if self.note else []), "", *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        heading, *body = self.cells()
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in heading)
        rows = ""
        for row in body:
            colour = "inherit" if row[0] == "ok" else "#c0392b"
            rows += f"<tr style='color:{colour}'>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>"
        text = html.escape(f"{self.verdict} {self.note}".strip())
        return f"<p><b>{text}</b></p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
