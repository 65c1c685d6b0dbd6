"""Every cell of the engine beside its textbook twin, and random cases for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from npbilstm import engine, textbook
from npbilstm.commands.checks import textbook_cells
from npbilstm.layers.coupled import coupled_gradients, uncoupled
from npbilstm.layers.lstm_variants import lstm_variant_cell

ENGINE = SimpleNamespace(
    **vars(engine), uncoupled=uncoupled, coupled_gradients=coupled_gradients, lstm_variant_cell=lstm_variant_cell
)
"""What by_engine runs, where nothing is planted in it: the engine, and what layers/ writes upon it."""


def engine_cell(name: str, activations: Sequence[str], engine: Any = ENGINE) -> engine.Cell:
    if name.startswith("GRU"):
        return engine.gru_cell("reset before" not in name, *activations)
    if name.startswith("RNN"):
        return engine.rnn_cell("relu" if name == "RNN, relu" else activations[0])
    return engine.lstm_variant_cell("peepholes" in name, "projection" in name, *activations)


ENGINE_CELLS: dict[str, Callable[..., engine.Cell]] = {
    "LSTM": lambda engine=ENGINE: engine.lstm_cell(),
    **{
        name: partial(engine_cell, name, cell.activations)
        for name, cell in textbook_cells.CELLS.items()
        if name not in ("LSTM, variant of no kind", "LSTM, layer normalisation")  # this the textbook alone has
    },
}
"""The engine's cell, of this engine or of one with a bug, for each of the textbook's."""

SQUASHED = [
    f"{name} + {activation} + {recurrent}"
    for name in ("LSTM", "LSTM, peepholes, projection", "GRU", "GRU, reset before", "RNN")
    for activation, recurrent in product(textbook.activations.ACTIVATIONS, repeat=2)
]
"""Names of cells with any activations."""


def named_engine_cell(name: str, engine: Any = ENGINE) -> engine.Cell:
    name, *activations = name.split(" + ")
    return engine_cell(name, activations, engine) if activations else ENGINE_CELLS[name](engine=engine)


def twin(name: str, D: int, H: int, R: int) -> textbook_cells.CheckedCell:
    """The textbook's cell: its steps, the shapes of its params, the sizes of its state."""
    name, *activations = name.split(" + ")
    cell: textbook_cells.CheckedCell = textbook_cells.cells(D, H, R)[
        "LSTM, variant of no kind" if name == "LSTM" else name
    ]
    return cell._replace(activations=(activations[0], activations[1])) if activations else cell


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


NAMES = sorted(ENGINE_CELLS)


@st.composite
def cases(draw, names=NAMES) -> Case:
    """Any of these cells and small shape; lengths absent, all equal, or ragged, zero included; masked or not."""
    name, N, T = draw(st.sampled_from(names)), draw(st.integers(1, 6)), draw(st.integers(1, 6))
    D, H, R = (draw(st.integers(1, most)) for most in (4, 4, 5))
    ways = draw(st.sampled_from([(0,), (1,), (0, 1)]))
    lengths = draw(st.none() | st.lists(st.integers(0, T), min_size=N, max_size=N))
    return make_case(
        name, N, T, D, H, R, ways, lengths, masked=draw(st.booleans()), seed=draw(st.integers(0, 2**32 - 1))
    )


def weights_of(case: Case, engine: Any = ENGINE) -> list[Any]:
    """The params as the engine takes them, which has no coupled gates."""
    return [engine.uncoupled(own) if "coupled" in case.name else own for own in case.params]


def by_engine(case: Case, engine: Any = ENGINE, **options: Any) -> Any:
    """(y, final state), (dx, initial state's gradient, gradients of params)."""
    forward, backward = engine.recurrent_forward, engine.recurrent_backward
    cell = named_engine_cell(case.name, engine)
    y, final, cache = forward(
        *(cell, case.x, case.state, weights_of(case, engine), case.lengths),
        directions=case.directions,
        mask=case.mask,
        **options,
    )
    dx, dstate, grads = backward(case.dy, case.dstate_T, cache)
    if "coupled" in case.name:
        grads = [engine.coupled_gradients(own) for own in grads]
    return (y, tuple(final)), (dx, tuple(dstate), grads)


def by_textbook(case: Case) -> Any:
    """The same, a direction at a time: flip in, run, flip out."""
    cell = twin(case.name, 1, 1, 1)
    step_forward, step_backward = cell.passes()
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
