"""The tasks by which recurrent networks were first compared: generated, endless, each with the rule by which it counts
as solved.

    adding          real numbers, two of them marked far apart: what is their sum?
    temporal_order  symbols, two of them X or Y far apart: which came first, and which then?
    embedded_reber  a grammar within a grammar: which symbols may come next? The last but one was decided by the second
    parity          bits: is the number of ones so far odd?

Each draws N sequences of unequal lengths from a generator, padded to the longest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class ClassicBatch(NamedTuple):
    """x (N, T, D) float64, 0 in the padding; lengths (N,); targets as the task has them."""

    x: np.ndarray
    lengths: np.ndarray
    targets: np.ndarray


def valid_steps(lengths: np.ndarray, T: int) -> np.ndarray:
    """Which steps are no padding (N, T)."""
    return np.asarray(np.arange(T) < lengths[:, None])


def drawn_lengths(rng: np.random.Generator, N: int, T: int) -> np.ndarray:
    """Lengths between T and T + T/10, each as likely."""
    return rng.integers(T, T + T // 10, N, endpoint=True)


def adding(rng: np.random.Generator, N: int, T: int = 100) -> ClassicBatch:
    """The adding problem in its form of 1997: targets (N,), 0.5 + (X1 + X2) / 4 with X1 and X2 the marked numbers.

    x (N, T', 2): a number of U(-1, 1) and its mark, -1 at a sequence's first and last step, 1 at two others, else 0.
    One of the two is among the first ten steps, the other among those of the first T/2 - 1 that are still free. Where
    the first step is marked, its mark is 1 and X1 counts as 0. Lengths T to T + T/10. Right is an answer within 0.04.
    (Hochreiter & Schmidhuber 1997, experiment 4. Later papers mark one number in each half, which is easier.)

    Raises ValueError where T is less than 22: then ten steps are not within the first half.

    >>> batch = nb.datasets.adding(np.random.default_rng(0), N=3, T=50)
    >>> batch.x.shape[2], (batch.x[:, :, 1] == 1).sum(axis=1).tolist()
    (2, [2, 2, 2])
    """
    if T < 22:
        raise ValueError(f"T is {T}; it needs to be at least 22, so that the first ten steps are in the first half")
    lengths = drawn_lengths(rng, N, T)
    rows = np.arange(N)
    numbers = rng.uniform(-1, 1, (N, lengths.max(initial=T)))
    marks = np.zeros_like(numbers)
    marks[:, 0] = marks[rows, lengths - 1] = -1
    first = rng.integers(0, 10, N)
    second = rng.integers(0, T // 2 - 2, N)
    second += second >= first  # the steps that are still free
    marks[rows, first] = marks[rows, second] = 1
    X1 = np.where(np.minimum(first, second) == 0, 0, numbers[rows, np.minimum(first, second)])
    X2 = numbers[rows, np.maximum(first, second)]
    x = np.stack([numbers, marks], axis=2) * valid_steps(lengths, numbers.shape[1])[..., None]
    return ClassicBatch(x, lengths, 0.5 + (X1 + X2) / 4)


TEMPORAL_SYMBOLS = "EBabcdXY"
"""Begin, end, what distracts, what counts."""


def temporal_order(rng: np.random.Generator, N: int, T: int = 100) -> ClassicBatch:
    """Two symbols X or Y among others: targets (N,), 0 to 3 for XX, XY, YX, YY.

    x (N, T', 8), one-hot: E first, B last, between them a, b, c, d at random, but X or Y at one of the steps T/10 to
    T/5 and at one of T/2 to 3T/5. Lengths T to T + T/10. (Hochreiter & Schmidhuber 1997, experiment 6a.)

    Raises ValueError where T is less than 10.

    >>> batch = nb.datasets.temporal_order(np.random.default_rng(0), N=1, T=10)
    >>> "".join("EBabcdXY"[k] for k in batch.x[0].argmax(axis=1)), batch.targets
    ('EcYbaaYadcB', array([3]))
    """
    if T < 10:
        raise ValueError(f"T is {T}; it needs to be at least 10")
    lengths = drawn_lengths(rng, N, T)
    rows = np.arange(N)
    symbols = rng.integers(2, 6, (N, lengths.max(initial=T)))
    symbols[:, 0], symbols[rows, lengths - 1] = 0, 1
    which = rng.integers(0, 2, (2, N))  # 0 is X
    symbols[rows, rng.integers(T // 10, T // 5, N, endpoint=True)] = 6 + which[0]
    symbols[rows, rng.integers(T // 2, 3 * T // 5, N, endpoint=True)] = 6 + which[1]
    return ClassicBatch(one_hot(symbols, len(TEMPORAL_SYMBOLS), lengths), lengths, 2 * which[0] + which[1])


REBER_SYMBOLS = "BTPSXVE"
REBER = [{"T": 1, "P": 2}, {"S": 1, "X": 3}, {"T": 2, "V": 4}, {"X": 2, "S": 5}, {"P": 3, "V": 5}]
"""From each state of Reber's grammar, which symbols lead to which state; state 5 is its end."""


def reber_string(rng: np.random.Generator) -> tuple[str, list[set[str]]]:
    """A string of Reber's grammar, B ... E, and for each of its symbols which ones may follow it."""
    state, text, follow = 0, "B", [set(REBER[0])]
    while state != 5:
        symbol = sorted(REBER[state])[rng.integers(2)]
        state = REBER[state][symbol]
        text += symbol
        follow.append(set(REBER[state]) if state != 5 else {"E"})
    return text + "E", [*follow, set()]


def embedded_reber(rng: np.random.Generator, N: int) -> ClassicBatch:
    """Strings BT...TE and BP...PE around one of Reber's grammar: targets (N, T, 7), 1 for each symbol that may be next.

    x (N, T, 7), one-hot, without the final E, which nothing follows. What the last symbol but one may be, only the
    second tells. (Hochreiter & Schmidhuber 1997, experiment 1; Reber 1967.)

    >>> batch = nb.datasets.embedded_reber(np.random.default_rng(0), N=1)
    >>> "".join("BTPSXVE"[k] for k in batch.x[0].argmax(axis=1))
    'BPBTXXTTTTTTVVEP'
    >>> batch.targets[0, -2]  # P alone
    array([0., 0., 1., 0., 0., 0., 0.])
    """
    texts, follows = [], []
    for _ in range(N):
        inner, follow = reber_string(rng)
        gate = "TP"[rng.integers(2)]
        texts.append("B" + gate + inner + gate)
        follows.append([{"T", "P"}, {"B"}, *follow[:-1], {gate}, {"E"}])
    lengths = np.array([len(text) for text in texts], int)
    x = np.zeros((N, lengths.max(initial=0), len(REBER_SYMBOLS)))
    targets = np.zeros_like(x)
    for n, (text, follow) in enumerate(zip(texts, follows)):
        for t, (symbol, legal) in enumerate(zip(text, follow)):
            x[n, t, REBER_SYMBOLS.index(symbol)] = 1
            targets[n, t, [REBER_SYMBOLS.index(each) for each in sorted(legal)]] = 1
    return ClassicBatch(x, lengths, targets)


def parity(rng: np.random.Generator, N: int, T: int = 20) -> ClassicBatch:
    """Bits as -1 and 1: targets (N, T'), at each step 1 where the number of ones so far is odd, else 0.

    x (N, T', 1), lengths T to T + T/10.

    >>> batch = nb.datasets.parity(np.random.default_rng(0), N=1, T=5)
    >>> batch.x[0, :, 0], batch.targets[0]
    (array([ 1.,  1.,  1., -1., -1.]), array([1, 0, 1, 1, 1]))
    """
    lengths = drawn_lengths(rng, N, T)
    ones = rng.integers(0, 2, (N, lengths.max(initial=T)))
    valid = valid_steps(lengths, ones.shape[1])
    return ClassicBatch(np.where(valid, 2.0 * ones - 1, 0)[..., None], lengths, ones.cumsum(axis=1) % 2 * valid)


def one_hot(symbols: np.ndarray, V: int, lengths: np.ndarray) -> np.ndarray:
    """symbols (N, T) -> (N, T, V), 0 in the padding."""
    return np.asarray(np.eye(V)[symbols] * valid_steps(lengths, symbols.shape[1])[..., None])
