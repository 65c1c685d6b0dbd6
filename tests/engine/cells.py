"""Every cell of the engine beside its textbook twin, and random cases for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import compress, product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from npbilstm import engine, textbook
from npbilstm.textbook import GRUParams, GRUResetBeforeParams, LSTMVariantParams, RNNParams


class Twins(NamedTuple):
    """An engine's cell, the textbook's steps and params, and the params' shapes for (D, H, R)."""

    cell: Callable[..., engine.Cell]
    step_forward: Callable[..., Any]
    step_backward: Callable[..., Any]
    params: Callable[..., Any]
    shapes: Callable[[int, int, int], dict[str, tuple[int, ...]]]
    parts: int = 1
    projection: bool = False


def lstm_variant(peepholes: bool, projection: bool, coupled: bool) -> Twins:
    gates = 3 if coupled else 4

    def shapes(D, H, R):
        found = {"Wx": (D, gates * H), "Wh": (R, gates * H), "b": (gates * H,)}
        found |= {"p": ((gates - 1) * H,)} if peepholes else {}
        return found | ({"Wp": (H, R)} if projection else {})

    return Twins(
        lambda engine=engine: engine.lstm_cell(peepholes, projection, coupled),
        textbook.lstm_variant_step_forward,
        textbook.lstm_variant_step_backward,
        LSTMVariantParams,
        shapes,
        parts=2,
        projection=projection,
    )


def plain(blocks: int, D: int, H: int, R: int) -> dict[str, tuple[int, ...]]:
    return {"Wx": (D, blocks * H), "Wh": (H, blocks * H), "b": (blocks * H,)}


TWINS = {
    "LSTM": Twins(
        lambda engine=engine: engine.LSTM,
        *(textbook.lstm_variant_step_forward, textbook.lstm_variant_step_backward, LSTMVariantParams),
        partial(plain, 4),
        parts=2,
    ),
    "GRU": Twins(
        lambda engine=engine: engine.GRU,
        *(textbook.gru_step_forward, textbook.gru_step_backward, GRUParams),
        lambda D, H, R: {**plain(3, D, H, R), "b_hn": (H,)},
    ),
    "GRU, reset before": Twins(
        lambda engine=engine: engine.GRU_RESET_BEFORE,
        *(textbook.gru_reset_before_step_forward, textbook.gru_reset_before_step_backward, GRUResetBeforeParams),
        partial(plain, 3),
    ),
    "RNN, tanh": Twins(
        lambda engine=engine: engine.TANH_RNN,
        *(textbook.rnn_step_forward, textbook.rnn_step_backward, RNNParams),
        partial(plain, 1),
    ),
    "RNN, relu": Twins(
        lambda engine=engine: engine.RELU_RNN,
        *(textbook.rnn_relu_step_forward, textbook.rnn_relu_step_backward, RNNParams),
        partial(plain, 1),
    ),
    **{
        f"LSTM, {', '.join(compress(('peepholes', 'projection', 'coupled'), options))}": lstm_variant(*options)
        for options in product([False, True], repeat=3)
        if any(options)
    },
}


class Case(NamedTuple):
    """S directions' inputs, weights and upstream gradients, all distinct, none zero."""

    name: str
    x: np.ndarray
    state: tuple[np.ndarray, ...]
    params: list[dict[str, np.ndarray]]
    lengths: np.ndarray | None
    mask: np.ndarray | None
    dy: np.ndarray
    dstate_T: tuple[np.ndarray, ...]


def make_case(
    name="LSTM", N=3, T=5, D=3, H=4, R=None, S=2, lengths=None, masked=False, seed=0, dtype=np.float64, scale=0.5
) -> Case:
    twins = TWINS[name]
    rng = np.random.default_rng(seed)
    R = (max(1, H - 1) if R is None else R) if twins.projection else H

    def draw(*shape):
        return (scale * rng.standard_normal(shape)).astype(dtype)

    states = [(S, N, R), (S, N, H)][: twins.parts]
    return Case(
        name=name,
        x=draw(N, T, D),
        state=tuple(draw(*shape) for shape in states),
        params=[{key: draw(*shape) for key, shape in twins.shapes(D, H, R).items()} for _ in range(S)],
        lengths=None if lengths is None else np.array(lengths, int),
        mask=(rng.random((S, N, R)) >= 0.3).astype(dtype) / dtype(0.7) if masked else None,
        dy=draw(N, T, S, R),
        dstate_T=tuple(draw(*shape) for shape in states),
    )


@st.composite
def cases(draw) -> Case:
    """Any cell and small shape; lengths absent, all equal, or ragged, zero included; masked or not."""
    name, N, T = draw(st.sampled_from(sorted(TWINS))), draw(st.integers(1, 6)), draw(st.integers(1, 6))
    D, H, R, S = (draw(st.integers(1, most)) for most in (4, 4, 5, 2))
    lengths = draw(st.none() | st.lists(st.integers(0, T), min_size=N, max_size=N))
    return make_case(name, N, T, D, H, R, S, lengths, masked=draw(st.booleans()), seed=draw(st.integers(0, 2**32 - 1)))


def by_engine(case: Case, engine: Any = engine, **options: Any) -> Any:
    """(y, final state), (dx, initial state's gradient, gradients of params)."""
    forward, backward = engine.recurrent_forward, engine.recurrent_backward
    cell = TWINS[case.name].cell(engine)
    y, final, cache = forward(cell, case.x, case.state, case.params, case.lengths, mask=case.mask, **options)
    dx, dstate, grads = backward(case.dy, case.dstate_T, cache)
    return (y, tuple(final)), (dx, tuple(dstate), grads)


def by_textbook(case: Case) -> Any:
    """The same, a direction at a time: flip in, run, flip out."""
    twins = TWINS[case.name]
    ys, finals, dxs, dstates, grads = [], [], [], [], []
    for s, own in enumerate(case.params):
        way = (lambda a: textbook.flip(a, case.lengths)) if s else (lambda a: a)
        mask = None if case.mask is None else case.mask[s]
        state = tuple(part[s] for part in case.state)
        y, final, cache = textbook.recurrent_forward(
            twins.step_forward, way(case.x), state, twins.params(**own), case.lengths, mask
        )
        dx, dstate, dparams = textbook.recurrent_backward(
            twins.step_backward, way(case.dy[:, :, s]), tuple(part[s] for part in case.dstate_T), cache
        )
        ys.append(way(y))
        finals.append(final)
        dxs.append(way(dx))
        dstates.append(dstate)
        grads.append({key: g for key, g in dparams._asdict().items() if g is not None})
    final, dstate_0 = (tuple(np.stack(parts) for parts in zip(*each)) for each in (finals, dstates))
    return (np.stack(ys, axis=2), final), (sum(dxs), dstate_0, grads)
