"""The floor: the matrix products alone, and the tanh passes alone. No engine of NumPy's can do without these.

What is counted, for each step, direction and layer (G gates of H units, 4 of an LSTM and 3 of a GRU):

    forward     [h 1 x] W, or the input's share [1 x] Wx for a block of steps and h Wh for each; of a GRU the
                candidate's share n_x of the input is apart in any case, since r does not reset it
                tanh of the G gates (a sigmoid is a tanh), and of an LSTM tanh(c): 5 H numbers a row, or 3 H
    backward    da Wh^T for each step; Z^T da, which is all of dW, and da Wx^T for a block of steps; no tanh at all:
                tanh(c) could be kept. (This engine makes it again, which costs it less than to write and read it.)

Each product runs in the form that is fastest here, which is tried out: whole, or in the engine's tiles; both directions
in one call or one after the other, and with several threads also in a thread each. Its operands are made before and
stay in the cache. So there is room above the floor even for an engine without a flaw: its operands change from step to
step.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy import matmul, tanh

from npbilstm.engine.schedule import threads
from npbilstm.engine.tiles import row_tiles, tile_rows, tile_width, unpacked_limit
from tests.benchmarks.shapes import Pair, Shape

BLOCK_ROWS = 512
"""Steps times rows in a block: what is not bound to the recurrence is multiplied for so many rows at once."""

TRIED = 50
"""How many calls of a form are timed to compare it with others."""

GATES = {"LSTM": 4, "GRU": 3}
TANHS = {"LSTM": (4, 1), "GRU": (2, 1)}
"""In blocks of H numbers, the tanh of a step: those that can be one call, and those that have to wait for them."""

Run = Callable[[int], None]
"""Makes this many calls."""


class Product(NamedTuple):
    """`times` products (rows, depth) @ (depth, columns) in each direction; transposed: the left one stands as
    (depth, rows) in memory."""

    times: int
    rows: int
    depth: int
    columns: int
    transposed: bool = False
    directions: int = 2

    @property
    def operations(self) -> int:
        return 2 * self.directions * self.times * self.rows * self.depth * self.columns


def blocks(T: int, N: int) -> list[tuple[int, int]]:
    """(how many, of how many rows each) of the blocks that T steps of N rows make; the last one may be shorter."""
    steps = max(1, min(T, BLOCK_ROWS // N))
    return [(times, n * N) for times, n in [(T // steps, steps), (1, T % steps)] if n]


def forward_products(shape: Shape, D: int) -> list[list[Product]]:
    """The two ways to multiply in a layer of D inputs: [h 1 x] at every step, or [1 x] for a block of steps."""
    T, N, _, H, *_, cell = shape
    columns = GATES[cell] * H

    def of_inputs(columns: int) -> list[Product]:
        return [Product(times, rows, 1 + D, columns) for times, rows in blocks(T, N)]

    together = [Product(T, N, H + 1 + D, columns), *(of_inputs(H) if cell == "GRU" else [])]
    return [together, [Product(T, N, H, columns), *of_inputs(columns)]]


def backward_products(shape: Shape, D: int) -> list[Product]:
    """Of the same layer: dh, dW and dx."""
    T, N, _, H, *_, cell = shape
    columns = GATES[cell] * H
    lefts = [H + 1 + D] if cell == "LSTM" else [H + 1, 1 + D]  # Z^T da of a GRU: n_h has da of its own for h, n for x
    found = [Product(T, N, columns, H)]
    for times, rows in blocks(T, N):
        found += [Product(times, left, rows, columns, transposed=True) for left in lefts]
        found += [Product(times, rows, columns, D)]
    return found


def input_sizes(shape: Shape) -> list[int]:
    """Of each layer."""
    return [shape.D] + [2 * shape.H] * (shape.layers - 1)


def linear_products(shape: Shape) -> tuple[list[Product], list[Product]]:
    """Forward and backward, of the linear layer on top."""
    if not shape.outputs:
        return [], []
    rows, H, V = shape.T * shape.N, 2 * shape.H, shape.outputs
    backward = [Product(1, H, rows, V, transposed=True, directions=1), Product(1, rows, V, H, directions=1)]
    return [Product(1, rows, H, V, directions=1)], backward


def draw(*dimensions: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(dimensions, dtype=np.float32)


def in_turn(runs: list[Run], calls: int) -> None:
    for run in runs:
        run(calls)


def in_threads(runs: list[Run], calls: int) -> None:
    """A thread each."""
    with ThreadPoolExecutor(len(runs) - 1) as pool:
        others = [pool.submit(run, calls) for run in runs[1:]]
        runs[0](calls)
        for other in others:
            other.result()


def in_one_thread(make: Callable[[int], Run]) -> list[Run]:
    """Both directions in one call, or one after the other; make(P) is the run of P directions."""
    return [make(2), partial(in_turn, [make(1), make(1)])]


def multiplied(product: Product, w: int, r: int, P: int) -> Run:
    """P directions of a product in tiles of r rows and w columns."""
    _, rows, depth, columns, transposed, _ = product
    count = -(-rows // r)
    right, out = draw(P, columns // w, 1, depth, w), np.empty((P, columns // w, count, r, w), np.float32)
    left = draw(P, depth, count, r).transpose(0, 2, 3, 1)[:, None] if transposed else draw(P, 1, count, r, depth)

    def run(calls: int) -> None:
        for _ in range(calls):
            matmul(left, right, out)

    return run


def forms(product: Product, H: int) -> list[tuple[int, int]]:
    """(columns, rows) of the tiles to try: the whole, the engine's, and one of them."""
    _, rows, depth, columns, transposed, _ = product
    tried = set()
    for w in (columns, tile_width(columns), tile_width(H)):
        r = row_tiles(rows, depth, w)[1] if transposed else tile_rows(rows, depth, w)
        tried |= {(w, rows), (w, r)} if columns % w == 0 else set()
    return sorted(tried)


def fastest(runs: Iterable[Run], times: int, at_least: float = 0.005) -> tuple[float, Run]:
    """(seconds of all calls, about; the run) of the quickest of these."""
    calls = min(times, TRIED)

    def seconds(run: Run) -> float:
        run(min(calls, 2))
        taken: list[float] = []
        while len(taken) < 3 or sum(taken) < at_least:
            start = time.perf_counter()
            run(calls)
            taken.append(time.perf_counter() - start)
        return statistics.median(taken) * times / calls

    return min(((seconds(run), run) for run in runs), key=lambda timed: timed[0])


Choose = Callable[[list[Product], int], tuple[float, Run]]
"""(seconds, run) of all these products, each in its fastest form; H says what the engine's tiles are."""


def sequence(runs: list[tuple[Run, int]]) -> Run:
    """All calls of each, one after the other, so many times."""

    def run(calls: int) -> None:
        for _ in range(calls):
            for each, times in runs:
                each(times)

    return run


def one_thread(products: list[Product], H: int) -> tuple[float, Run]:
    """See Choose. BLAS may use threads of its own."""
    total = 0.0
    runs: list[tuple[Run, int]] = []
    for product in products:
        makes = [partial(multiplied, product, w, r) for w, r in forms(product, H)]
        tried = (run for make in makes for run in (in_one_thread(make) if product.directions == 2 else [make(1)]))
        seconds, run = fastest(tried, product.times)
        total += seconds
        runs.append((run, product.times))
    return total, sequence(runs)


def thread_a_direction(products: list[Product], H: int) -> tuple[float, Run]:
    """See Choose. Only products so small that BLAS starts no threads for them: two pools would slow each other."""
    total = 0.0
    of_directions: list[list[tuple[Run, int]]] = [[], []]
    for product in products:
        every = forms(product, H)
        small = [(w, r) for w, r in every if r * w * product.depth <= unpacked_limit()] or every
        made = {multiplied(product, w, r, 1): (w, r) for w, r in small}
        seconds, run = fastest(made, product.times)
        total += seconds
        of_directions[0].append((run, product.times))
        of_directions[1].append((multiplied(product, *made[run], 1), product.times))
    return total, partial(in_threads, [sequence(runs) for runs in of_directions])


def chosen(shape: Shape, choose: Choose) -> tuple[Run, Run]:
    """The runs of the forward and of the backward products of all layers."""
    forward, backward = [], []
    for D in input_sizes(shape):
        _, run = min((choose(way, shape.H) for way in forward_products(shape, D)), key=lambda timed: timed[0])
        forward.append((run, 1))
        backward.append((choose(backward_products(shape, D), shape.H)[1], 1))
    for runs, of_linear in zip((forward, backward), linear_products(shape)):
        runs.append((one_thread(of_linear, shape.H)[1], 1))
    return sequence(forward), sequence(backward)


def products(shape: Shape) -> Pair:
    """The matrix products alone."""
    ways = [chosen(shape, choose) for choose in ([one_thread, thread_a_direction] if threads() > 1 else [one_thread])]
    _, infer = fastest([forward for forward, _ in ways], 1, 0.05)
    _, train = fastest([sequence([(forward, 1), (backward, 1)]) for forward, backward in ways], 1, 0.05)
    return partial(train, 1), partial(infer, 1)


def tanh_passes(shape: Shape) -> Pair:
    """The tanh passes alone, in training as in inference."""
    T, N, _, H, *_ = shape

    def passes(P: int) -> Run:
        a, later = (draw(P, gates, N, H) for gates in TANHS[shape.cell])
        out, out_later = np.empty_like(a), np.empty_like(later)

        def run(calls: int) -> None:
            for _ in range(calls):
                tanh(a, out)
                tanh(later, out_later)

        return run

    runs = in_one_thread(passes)
    if threads() > 1:
        runs.append(partial(in_threads, [passes(1), passes(1)]))
    _, run = fastest(runs, T)

    def whole() -> None:
        for _ in range(shape.layers):
            run(T)

    return whole, whole
