"""One symbol drawn by its score: with a temperature, and of the best few alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm.layers.checks import is_real, require_size


def require_sampling(temperature: Any, top_k: Any, V: int) -> None:
    """Raise TypeError or ValueError where these are none, or no symbol is left to be drawn."""
    if not V:
        raise ValueError("without leaves no symbol to be drawn; it needs to leave one")
    if not (is_real(temperature) and 0 <= temperature < np.inf):
        raise ValueError(f"temperature is {temperature!r}; it needs to be at least 0 and finite")
    if top_k is not None:
        require_size("top_k", top_k)


def drawn(scores: np.ndarray, rng: np.random.Generator, temperature: float = 1.0, top_k: int | None = None) -> int:
    """One symbol, drawn with the probability

        p[v] = exp(scores[v] / temperature) / sum_u exp(scores[u] / temperature)     over the top_k best symbols

    Below 1 a temperature makes what is likely likelier; at 0 the best symbol is left, the first of several. top_k:
    None, or what exceeds their number: all symbols.

    scores (V,) in float64, of which some may be -inf: symbols that are not drawn.

    >>> from npbilstm.models.sampling import drawn
    >>> rng, scores = np.random.default_rng(0), np.log([0.1, 0.6, 0.3])
    >>> [drawn(scores, rng) for _ in range(10)], [drawn(scores, rng, top_k=1) for _ in range(3)]
    ([2, 1, 0, 0, 2, 2, 2, 2, 1, 2], [1, 1, 1])
    """
    best = np.argsort(-scores, kind="stable")[:top_k]
    if temperature == 0:
        return int(best[0])
    with np.errstate(over="ignore"):  # far below the best one divided by next to nothing: -inf, which is right
        p = np.exp((scores[best] - scores[best[0]]) / temperature)
    total = np.cumsum(p)
    drawn_share = min(rng.random() * total[-1], np.nextafter(total[-1], 0))  # rounded, it might be all of it
    return int(best[np.searchsorted(total, drawn_share, side="right")])
