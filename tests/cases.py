"""Random cases for tests: shapes, lengths and seeds by hypothesis, numbers by NumPy, none of them convenient."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from npbilstm.textbook import BiLSTMParams, LSTMParams


class Case(NamedTuple):
    """A bidirectional LSTM's inputs, weights and upstream gradients, all distinct, of about `scale`, none zero."""

    x: np.ndarray
    h0: np.ndarray
    c0: np.ndarray
    params: BiLSTMParams
    lengths: np.ndarray | None
    dy: np.ndarray
    dh_T: np.ndarray
    dc_T: np.ndarray


def make_case(N=3, T=5, D=3, H=4, lengths=None, seed=0, dtype=np.float64, scale=0.5) -> Case:
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return (scale * rng.standard_normal(shape)).astype(dtype)

    def weights():
        return LSTMParams(draw(D, 4 * H), draw(H, 4 * H), draw(4 * H))

    return Case(
        x=draw(N, T, D),
        h0=draw(2, N, H),
        c0=draw(2, N, H),
        params=BiLSTMParams(weights(), weights()),
        lengths=None if lengths is None else np.array(lengths),
        dy=draw(N, T, 2 * H),
        dh_T=draw(2, N, H),
        dc_T=draw(2, N, H),
    )


@st.composite
def cases(draw, least_length=0) -> Case:
    """Any small shape; lengths absent, all equal, or ragged, zero included."""
    N, T = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    D, H = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    lengths = draw(st.none() | st.lists(st.integers(least_length, T), min_size=N, max_size=N))
    return make_case(N, T, D, H, lengths, seed=draw(st.integers(0, 2**32 - 1)))


def assert_close(got, expected, tolerance=1e-12) -> None:
    """Equal shapes, and no difference above the tolerance times the largest expected number (at least 1)."""
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape
    if expected.size:
        scale = max(1.0, float(np.abs(expected).max()))
        assert float(np.abs(got - expected).max()) <= tolerance * scale


def assert_all_close(got, expected, tolerance=1e-12) -> None:
    """assert_close through tuples, lists and dicts."""
    if isinstance(expected, dict):
        assert set(got) == set(expected)
        for name in expected:
            assert_all_close(got[name], expected[name], tolerance)
    elif isinstance(expected, (tuple, list)):
        assert len(got) == len(expected)
        for one, other in zip(got, expected):
            assert_all_close(one, other, tolerance)
    else:
        assert_close(got, expected, tolerance)
