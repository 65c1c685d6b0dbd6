"""The differently written implementation is right, and its planted bugs are the catalogue's: both are measured with."""

import inspect
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given

from npbilstm import textbook
from npbilstm.mistakes import catalogue
from npbilstm.mistakes.planting import plant
from tests.cases import assert_all_close, cases, make_case
from tests.diagnosis.columns_bugs import BUGS, OTHER_NUMBERS, source_with
from tests.diagnosis.columns_step_bugs import STEP_BUGS
from tests.planting import made_from
from tests.submission import columns

FICO = [1, 0, 2, 3]
"""Where i, f, g, o stand among f, i, c, o, and the other way round."""


def gates(w):
    """(rows, 4H) or (4H,), blocks i, f, g, o -> (4, H, rows) or (4, H, 1), blocks f, i, c, o."""
    w = w.reshape(-1, 4, w.shape[-1] // 4)
    return w.transpose(1, 2, 0)[FICO]


def to_columns(value):
    """A state (..., N, features), or params, in the layout of columns.py."""
    if isinstance(value, textbook.BiLSTMParams):
        return tuple(map(to_columns, value))
    return tuple(map(gates, value)) if isinstance(value, textbook.LSTMParams) else np.swapaxes(value, -1, -2)


def both_steps(case, other=columns, reference=textbook):
    """(h, c), (dx, dh_prev, dc_prev, dWx, dWh, db) and the arrays handed in, as they are afterwards: by the reference,
    but in columns, and by the other implementation."""

    def handed_in():
        mine = deepcopy(case)
        return mine.params.forward, [mine.x[:, 0], mine.h0[0], mine.c0[0]], [mine.dh_T[0], mine.dc_T[0]]

    params, inputs, upstream = handed_in()
    *outputs, cache = reference.lstm_step_forward(*inputs, params)
    *d_inputs, grads = reference.lstm_step_backward(*upstream, cache)
    expected = [*map(to_columns, outputs)], [*map(to_columns, d_inputs), *to_columns(grads)]
    after = [*map(to_columns, inputs + upstream)]

    params, *arrays = handed_in()
    inputs, upstream = ([*map(to_columns, part)] for part in arrays)
    *outputs, cache = other.lstm_step_forward(*inputs, *to_columns(params))
    return (*expected, after), (outputs, [*other.lstm_step_backward(*upstream, cache)], inputs + upstream)


def both_sequences(case, other=columns, reference=textbook):
    """(h, h_T, c_T), (dx, dh0, dc0, dWx, dWh, db) and the arrays handed in, as both_steps."""

    def handed_in():
        mine = deepcopy(case)
        dh = np.split(mine.dy, 2, axis=2)[0]
        return mine.params.forward, [mine.x, mine.h0[0], mine.c0[0]], [dh, mine.dh_T[0], mine.dc_T[0]]

    return through_time(handed_in, "lstm", case.lengths, other, reference)


def both_directions(case, other=columns, reference=textbook):
    """(y, h_T, c_T), (dx, dh0, dc0, dforward, dreverse) and the arrays handed in, as both_steps."""

    def handed_in():
        mine = deepcopy(case)
        return mine.params, [mine.x, mine.h0, mine.c0], [mine.dy, mine.dh_T, mine.dc_T]

    return through_time(handed_in, "bilstm", case.lengths, other, reference)


def through_time(handed_in, name, lengths, other, reference):
    def laid_out(sequence, *states):
        return [sequence.transpose(1, 2, 0), *map(to_columns, states)]

    forward, backward = f"{name}_forward", f"{name}_backward"
    params, inputs, upstream = handed_in()
    *outputs, cache = getattr(reference, forward)(*inputs, params, lengths)
    *d_inputs, grads = getattr(reference, backward)(*upstream, cache)
    expected = laid_out(*outputs), [*laid_out(*d_inputs), *to_columns(grads)]
    after = laid_out(*inputs) + laid_out(*upstream)

    params, *arrays = handed_in()
    inputs, upstream = (laid_out(*part) for part in arrays)
    *outputs, cache = getattr(other, forward)(*inputs, *to_columns(params), lengths=lengths)
    return (*expected, after), (outputs, [*getattr(other, backward)(*upstream, cache)], inputs + upstream)


PASSES = (both_steps, both_sequences, both_directions)


@pytest.mark.parametrize("passes", PASSES)
@given(case=cases())
def test_columns_equal_the_textbook_forward_and_every_gradient(passes, case):
    expected, got = passes(case)
    assert_all_close(got, expected)


@given(case=cases())
def test_padding_content_never_matters(case):
    lengths = np.full(len(case.x), case.x.shape[1]) if case.lengths is None else case.lengths
    x, dy = case.x.copy(), case.dy.copy()
    padding = np.arange(case.x.shape[1]) >= lengths[:, None]
    x[padding], dy[padding] = np.nan, np.inf
    _, expected = both_directions(case)
    _, got = both_directions(case._replace(x=x, dy=dy))
    assert_all_close(got[:2], expected[:2], tolerance=0)


@pytest.mark.parametrize("passes", PASSES)
def test_complex_arrays_are_taken(passes):
    case = make_case(lengths=[5, 2, 0])
    expected, got = passes(case._replace(x=case.x + 0.1j, c0=case.c0 - 0.2j, dy=case.dy * 1j, dh_T=case.dh_T * 1j))
    assert_all_close(got, expected)


def test_columns_share_nothing_with_the_package():
    imports = [line for line in inspect.getsource(columns).splitlines() if "import" in line]
    assert imports == ["import numpy as np"]


RAGGED, SHORT = make_case(4, 5, 2, 4, [3, 0, 5, 4], seed=1), make_case(3, 2, 2, 4, seed=2)

ANOTHER_BACKWARD = {
    "state-reset-every-step",
    "hidden-state-reset-every-step",
    "cell-state-reset-every-step",
    "output-shows-old-cell",
}
"""Mistakes of the forward pass alone, whose backward pass depends on what the author keeps for it."""


def planted_and_catalogued(id, change):
    """The other implementation with its plant, the textbook with its own, and the passes in which both show."""
    passes = both_steps if "_step_" in change[0] else both_directions if change[0].startswith("bi") else both_sequences
    return made_from(columns, source_with(change)), plant([catalogue.BUGS[id]]), passes


@pytest.mark.few(40)
@pytest.mark.parametrize(("id", "change"), [*BUGS.items(), *STEP_BUGS.items()])
def test_a_plant_is_the_catalogued_mistake(id, change):
    other, reference, passes = planted_and_catalogued(id, change)
    for case in (RAGGED, SHORT):
        expected, got = passes(case, other, reference)
        assert_all_close(got[0], expected[0], 1e-9)
        if id not in ANOTHER_BACKWARD:
            assert_all_close(got[1:], expected[1:], 1e-9)


@pytest.mark.parametrize(("id", "change"), OTHER_NUMBERS.items())
def test_a_slip_with_other_numbers_is_wrong_but_not_the_catalogued_mistake(id, change):
    other, reference, passes = planted_and_catalogued(id, change)
    for against in (reference, textbook):
        expected, got = passes(RAGGED, other, against)
        with pytest.raises(AssertionError):
            assert_all_close(got, expected, 1e-3)


def test_at_least_sixty_catalogued_mistakes_are_planted():
    assert len(BUGS) >= 60
