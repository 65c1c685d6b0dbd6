"""Where a decoder looked: its weights as a heat map, in the terminal and as a page by itself."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from npbilstm.printable import printable
from npbilstm.textbook.sequences import require_shape

SHADES = " .:-=+*#%@"
"""From 0 to 1, in ten."""
END = "end"
"""What the step is called that ends an answer."""


def attention_text(alpha: np.ndarray, source: Sequence[str], answer: Sequence[str]) -> str:
    """The weights as characters, darker where more is looked at: a row per symbol of the answer, a column per symbol of
    the source, each of one character.

    alpha (T+1, S), as Seq2Seq.alignment gives it, source of S symbols, answer of T. Raises ValueError where these do
    not go together.

    >>> print(nb.inspector.attention_text(np.array([[0.0, 1.0], [0.95, 0.05], [0.5, 0.5]]), "ab", "ba"))
          a b
      b     @
      a   @
    end   + +
    """
    rows = rows_of(alpha, source, answer)
    width = max(len(name) for name, _ in rows)
    lines = [" " * (width + 3) + " ".join(printable(symbol)[:1] for symbol in source)]
    for name, weights in rows:
        shades = " ".join(SHADES[min(int(weight * len(SHADES)), len(SHADES) - 1)] for weight in weights)
        lines.append(f"{name:>{width}}   {shades}".rstrip())
    return "\n".join(lines)


def attention_html(alpha: np.ndarray, source: Sequence[str], answer: Sequence[str]) -> str:
    """The same as a page that fetches nothing: a table of shaded cells; each says its weight when pointed at."""
    head = "".join(f"<th scope=col>{escape(printable(symbol))}</th>" for symbol in source)
    body = []
    for name, weights in rows_of(alpha, source, answer):
        cells = "".join(
            f'<td style="background:rgba(31,90,166,{weight:.3f})" title="{escape(name)} looks at '
            f'{escape(printable(symbol))}: {weight:.3f}"></td>'
            for symbol, weight in zip(source, weights)
        )
        body.append(f"<tr><th scope=row>{escape(name)}</th>{cells}</tr>")
    style = "table{border-collapse:collapse;font:16px monospace}td{width:1.4em;height:1.4em;border:1px solid #ddd}"
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Where the decoder looked</title>'
        f"<style>{style}</style>\n<h1>Where the decoder looked</h1>\n"
        "<p>A row per symbol of the answer, a column per symbol of the source; the darker, the more.</p>\n"
        f"<table><tr><td></td>{head}</tr>\n" + "\n".join(body) + "\n</table></html>\n"
    )


def rows_of(alpha: np.ndarray, source: Sequence[str], answer: Sequence[str]) -> list[tuple[str, list[float]]]:
    """For each step of the answer its symbol and its weights. Raises ValueError for what are none."""
    require_shape("alpha", alpha, (len(answer) + 1, len(source)))
    if not ((alpha >= 0) & (alpha <= 1 + 1e-5)).all():
        outside = alpha[~((alpha >= 0) & (alpha <= 1 + 1e-5))][0]
        raise ValueError(f"alpha holds {outside}; it needs weights from 0 to 1")
    names = [*(printable(symbol) for symbol in answer), END]
    return [(name, [float(weight) for weight in weights]) for name, weights in zip(names, alpha)]
