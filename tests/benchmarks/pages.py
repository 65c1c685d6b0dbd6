"""What a run writes into pages that people read: every number of the run stands between two marks.

Nobody types such a number by hand, so no page says anything else than speed.json (a test compares them).
"""

from __future__ import annotations

import textwrap
from typing import Any

from tests.benchmarks.race import geometric_mean
from tests.benchmarks.report import ratios

START, END = "<!-- measured -->\n", "<!-- end -->"
"""Between these a page holds what was measured; the rest of it is prose, and stays."""


def has_marks(page: str) -> bool:
    return START in page and END in page.split(START, 1)[1]


def filled(page: str, measured: str) -> str:
    """The page with this between its marks."""
    before, rest = page.split(START, 1)
    return before + START + measured + END + rest.split(END, 1)[1]


def paragraph(results: dict[str, Any]) -> str:
    """The README's sentences about a whole run; a RuntimeError where the run has not all that they need."""

    def mean(contestant: str, mode: str, threads: str = "default threads", cell: str = "LSTM") -> float:
        found = ratios(results, contestant, cell, threads, mode)
        if not found:
            raise RuntimeError(f"there is no {mode} of {contestant}, {cell}, {threads}, in this run")
        return geometric_mean(found)

    def both(contestant: str, threads: str = "default threads", cell: str = "LSTM") -> str:
        return " and ".join(f"{mean(contestant, mode, threads, cell):.2f}" for mode in ("training", "inference"))

    def models(cell: str) -> int:
        return len(ratios(results, "pytorch", cell, "default threads", "training"))

    training, inference = mean("pytorch", "training"), mean("pytorch", "inference")
    plain = 1 / mean("loop", "training", "one thread")
    words = (
        f"A training step takes {training:.2f} times as long as PyTorch's LSTM at its best on the same machine, and an "
        f"inference {inference:.2f} times; on one thread these are {both('pytorch', 'one thread')} (geometric means "
        f"over {models('LSTM')} models). Against PyTorch as it comes, without the settings that keep its memory and "
        f"bind its threads, they are {both('pytorch-as-it-comes')}; against its GRU at its best "
        f"{both('pytorch', cell='GRU')} (over {models('GRU')} models); against an LSTM in JAX under jit, at its best "
        f"too, {both('jax')}. The plain loop, one gate at a time, takes {plain:.0f} times as long as this engine on a "
        "small layer."
    )
    if ratios(results, "floor", "LSTM", "one thread", "training"):
        words += (
            f" On one thread it takes {both('floor', 'one thread')} times as long as its matrix products and its tanh "
            "alone, without which there is no LSTM in NumPy."
        )
    return textwrap.fill(words, 125) + "\n"
