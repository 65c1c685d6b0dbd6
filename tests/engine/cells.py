"""Every cell of the engine beside its textbook twin, and random cases for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from npbilstm import engine, textbook
from npbilstm.commands.checks import textbook_cells


def lstm_variant(name: str, engine: Any = engine) -> engine.Cell:
    return engine.lstm_cell("peepholes" in name, "projection" in name, "coupled" in name)


ENGINE_CELLS: dict[str, Callable[..., engine.Cell]] = {
    "LSTM": lambda engine=engine: engine.LSTM,
    "GRU": lambda engine=engine: engine.GRU,
    "GRU, reset before": lambda engine=engine: engine.GRU_RESET_BEFORE,
    "RNN": lambda engine=engine: engine.TANH_RNN,
    "RNN, relu": lambda engine=engine: engine.RELU_RNN,
    **{
        name: partial(lstm_variant, name)
        for name in textbook_cells.CELLS
        if any(option in name for option in ("peepholes", "projection", "coupled"))
    },
}
"""The engine's cell, of this engine or of one with a bug, for each of the textbook's."""


def twin(name: str, D: int, H: int, R: int) -> textbook_cells.Cell:
    """The textbook's cell: its steps, the shapes of its params, the sizes of its state."""
    return textbook_cells.cells(D, H, R)["LSTM, variant of no kind" if name == "LSTM" else name]


class Case(NamedTuple):
    """S directions' inputs, weights and upstream gradients, all distinct, none zero."""

    name: str
    directions: tuple[int, ...]
    x: np.ndarray
    state: tuple[np.ndarray, ...]
    params: list[dict[str, np.ndarray]]
    lengths: np.ndarray | None
    mask: np.ndarray | None
    dy: np.ndarray
    dstate_T: tuple[np.ndarray, ...]


def make_case(
    name="LSTM",
    N=3,
    T=5,
    D=3,
    H=4,
    R=None,
    directions=(0, 1),
    lengths=None,
    masked=False,
    seed=0,
    dtype=np.float64,
    scale=0.5,
) -> Case:
    rng, S = np.random.default_rng(seed), len(directions)
    R = (max(1, H - 1) if R is None else R) if "projection" in name else H
    cell = twin(name, D, H, R)

    def draw(*shape):
        return (scale * rng.standard_normal(shape)).astype(dtype)

    states = [(S, N, size) for size in cell.state]
    return Case(
        name=name,
        directions=directions,
        x=draw(N, T, D),
        state=tuple(draw(*shape) for shape in states),
        params=[{key: draw(*shape) for key, shape in cell.shapes.items()} for _ in range(S)],
        lengths=None if lengths is None else np.array(lengths, int),
        mask=(rng.random((S, N, R)) >= 0.3).astype(dtype) / dtype(0.7) if masked else None,
        dy=draw(N, T, S, R),
        dstate_T=tuple(draw(*shape) for shape in states),
    )


@st.composite
def cases(draw) -> Case:
    """Any cell and small shape; lengths absent, all equal, or ragged, zero included; masked or not."""
    name, N, T = draw(st.sampled_from(sorted(ENGINE_CELLS))), draw(st.integers(1, 6)), draw(st.integers(1, 6))
    D, H, R = (draw(st.integers(1, most)) for most in (4, 4, 5))
    ways = draw(st.sampled_from([(0,), (1,), (0, 1)]))
    lengths = draw(st.none() | st.lists(st.integers(0, T), min_size=N, max_size=N))
    return make_case(
        name, N, T, D, H, R, ways, lengths, masked=draw(st.booleans()), seed=draw(st.integers(0, 2**32 - 1))
    )


def by_engine(case: Case, engine: Any = engine, **options: Any) -> Any:
    """(y, final state), (dx, initial state's gradient, gradients of params)."""
    forward, backward = engine.recurrent_forward, engine.recurrent_backward
    cell = ENGINE_CELLS[case.name](engine=engine)
    y, final, cache = forward(
        cell, case.x, case.state, case.params, case.lengths, directions=case.directions, mask=case.mask, **options
    )
    dx, dstate, grads = backward(case.dy, case.dstate_T, cache)
    return (y, tuple(final)), (dx, tuple(dstate), grads)


def by_textbook(case: Case) -> Any:
    """The same, a direction at a time: flip in, run, flip out."""
    cell = twin(case.name, 1, 1, 1)
    step_forward, step_backward = (getattr(textbook, f"{cell.step}_{way}") for way in ("forward", "backward"))
    params = getattr(textbook, cell.params)
    ys, finals, dxs, dstates, grads = [], [], [], [], []
    for s, own in enumerate(case.params):
        way = (lambda a: textbook.flip(a, case.lengths)) if case.directions[s] else (lambda a: a)
        mask = None if case.mask is None else case.mask[s]
        state = tuple(part[s] for part in case.state)
        y, final, cache = textbook.recurrent_forward(
            step_forward, way(case.x), state, params(**own), case.lengths, mask
        )
        dx, dstate, dparams = textbook.recurrent_backward(
            step_backward, way(case.dy[:, :, s]), tuple(part[s] for part in case.dstate_T), cache
        )
        ys.append(way(y))
        finals.append(final)
        dxs.append(way(dx))
        dstates.append(dstate)
        grads.append({key: g for key, g in dparams._asdict().items() if g is not None})
    final, dstate_0 = (tuple(np.stack(parts) for parts in zip(*each)) for each in (finals, dstates))
    return (np.stack(ys, axis=2), final), (sum(dxs), dstate_0, grads)
