"""From a decoder's steps to an answer: the likeliest symbol at each step, or a beam of the likeliest beginnings.

What decodes is told of a model by two functions alone:

    step(symbols, state) -> log_p (rows, V), state        one step for each row, which last put out this symbol
    pick(state, rows) -> state                            the state of some rows, in this order

and by the symbol that begins and ends every answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Step = Callable[[np.ndarray, Any], tuple[np.ndarray, Any]]
Pick = Callable[[Any, np.ndarray], Any]


class Answer(NamedTuple):
    """An answer (T,), without the symbol that ends it, and its score: its log-probability, that symbol's included,
    divided by its length to the power of the length penalty."""

    symbols: np.ndarray
    score: float


def greedy(step: Step, state: Any, boundary: int, most_steps: np.ndarray) -> list[np.ndarray]:
    """The likeliest symbol at each step, until it is the boundary, or the row's most_steps (rows,) are done -> each
    row's symbols."""
    rows, most = len(most_steps), int(most_steps.max(initial=0))
    symbols = np.full(rows, boundary)
    found = np.full((rows, most), boundary)
    going = np.ones(rows, bool)
    for t in range(most):
        log_p, state = step(symbols, state)
        going &= t < most_steps
        symbols = np.where(going, log_p.argmax(axis=1), boundary)
        found[:, t] = symbols
        going &= symbols != boundary
        if not going.any():
            break
    return [row[: int((row != boundary).cumprod().sum())] for row in found]


def beam_search(
    step: Step, pick: Pick, state: Any, boundary: int, most_steps: np.ndarray, width: int, length_penalty: float
) -> list[list[Answer]]:
    """For each row the `width` best answers that a search finds which keeps so many beginnings, the best first.

        score = log p(answer) / length^length_penalty         length counts the symbol that ends it

    Without a penalty (0) short answers win, as every symbol costs (Wu et al. 2016, section 7, have a similar one).
    A row is done when `width` of its answers have ended. What has not ended after the row's most_steps (rows,) counts
    as it is. With a width of 1 this is greedy.

    state: of the rows, each once; the search picks what it needs.
    """
    rows = len(most_steps)
    beginnings: list[list[tuple[list[int], float]]] = [[([], 0.0)] for _ in range(rows)]
    ended: list[list[Answer]] = [[] for _ in range(rows)]
    symbols = np.full(rows, boundary)

    def end(row: int, answer: list[int], log_p: float, length: int) -> None:
        ended[row].append(Answer(np.array(answer, np.int64), log_p / length**length_penalty))

    for t in range(most_steps.max(initial=0)):
        log_p, state = step(symbols, state)
        parents, last, k = [], [], 0
        for row in range(rows):
            count = len(beginnings[row])
            if not count:
                continue
            totals = log_p[k : k + count] + np.array([total for _, total in beginnings[row]])[:, None]
            best = np.argsort(-totals, axis=None, kind="stable")[:width]
            going: list[tuple[list[int], float]] = []
            for place in best.tolist():
                parent, symbol = divmod(place, log_p.shape[1])
                answer, total = beginnings[row][parent][0], float(totals[parent, symbol])
                if symbol == boundary:
                    end(row, answer, total, len(answer) + 1)
                else:
                    going.append(([*answer, symbol], total))
                    parents.append(k + parent)
                    last.append(symbol)
            cut = going if len(ended[row]) < width and t + 1 == most_steps[row] else []
            for answer, total in cut:
                end(row, answer, total, len(answer))
            if len(ended[row]) >= width or t + 1 == most_steps[row]:
                del parents[len(parents) - len(going) :], last[len(last) - len(going) :]
                going = []
            beginnings[row] = going
            k += count
        if not parents:
            break
        state, symbols = pick(state, np.array(parents)), np.array(last)
    return [sorted(answers, key=lambda answer: -answer.score)[:width] for answers in ended]
