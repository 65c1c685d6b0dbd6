"""The activations: what they are, their derivatives, and the cells that have others than tanh and sigmoid."""

import numpy as np
import pytest

from npbilstm import textbook
from npbilstm.commands.checks import textbook_cells as checks
from npbilstm.textbook import activations, other_activations
from npbilstm.textbook.activations import ACTIVATIONS
from tests.cases import assert_close
from tests.planting import planted

A = np.array([-9.0, -3.0, -2.75, -2.5, -1.0, 0.0, 0.5, 2.25, 2.5, 2.75, 3.0, 40.0])
every_activation = pytest.mark.parametrize("name", ACTIVATIONS)


def test_the_two_hard_sigmoids_by_hand():
    fifth = [0, 0, 0, 0, 0.3, 0.5, 0.6, 0.95, 1, 1, 1, 1]
    sixth = [0, 0, 1 / 24, 1 / 12, 1 / 3, 0.5, 7 / 12, 0.875, 11 / 12, 23 / 24, 1, 1]
    assert_close(textbook.hard_sigmoid(A), fifth, 1e-15)
    assert_close(textbook.hard_sigmoid_sixth(A), sixth, 1e-15)


@every_activation
def test_a_derivative_is_that_of_its_function(name):
    function, derivative = ACTIVATIONS[name]
    a = np.linspace(-4, 4, 1001) + 1e-3  # beside the bends
    assert_close(derivative(function(a)), function(a + 1e-30j).imag / 1e-30, 1e-13)
    assert_close(derivative(function(a)), (function(a + 1e-6) - function(a - 1e-6)) / 2e-6, 1e-7)


@every_activation
def test_float32_stays_float32_and_nan_is_not_hidden(name):
    function, derivative = ACTIVATIONS[name]
    y = function(np.float32([-1, 1, np.nan]))
    assert y.dtype == np.float32
    assert np.isnan(y).tolist() == [False, False, True]
    assert (y * derivative(y)).dtype == np.float32


@pytest.mark.parametrize("name", ["hard_sigmoid", "hard_sigmoid_sixth"])
def test_a_hard_sigmoid_is_flat_where_it_bends(name):
    function, derivative = ACTIVATIONS[name]
    assert derivative(np.array([0.0, 1.0])).tolist() == [0, 0]
    assert_close(function(-A), 1 - function(A), 1e-15)


BUGS = {
    "the slope of the other hard sigmoid": ("s.real.dtype.type(0.2)", "s.real.dtype.type(1 / 6)"),
    "the slope goes on above": ("return (s.real > 0) & (s.real < 1)", "return s.real > 0"),
    "the slope goes on below": ("return (s.real > 0) & (s.real < 1)", "return s.real < 1"),
    "sigmoid' for the hard one": ("return inside_unit(s) * s.real.dtype.type(0.2)", "return s * (1 - s)"),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_planted_in_the_hard_sigmoids_derivative_is_rejected(bug, monkeypatch):
    cell = checks.CELLS["RNN, hard_sigmoid"]
    wide = checks.CheckedCell(*cell[:2], {"Wx": (3, 40), "Wh": (40, 40), "b": (40,)}, (40,), cell.activations)
    assert checks.check_cell_step(wide, entries=3).ok
    monkeypatch.setattr(other_activations, "ACTIVATIONS", planted(activations, *BUGS[bug]).ACTIVATIONS)
    assert not checks.check_cell_step(wide, entries=3).ok


def test_both_uses_of_tanh_in_an_lstm_change():
    params = textbook.LSTMVariantParams(np.zeros((1, 4)), np.zeros((1, 4)), np.array([0.0, 0.0, 3.0, 0.0]))
    forward = textbook.with_activations(textbook.lstm_variant_step_forward, "relu")
    h, c, _ = forward(np.zeros((1, 1)), np.zeros((1, 1)), np.ones((1, 1)), params)
    assert (c, h) == (2, 1)  # 1/2 1 + 1/2 3, and 1/2 of it


def test_the_step_itself_is_left_as_it_was():
    textbook.with_activations(textbook.gru_step_forward, "relu", "relu")
    assert textbook.gru_step_forward.__globals__["tanh"] is textbook.tanh
    assert textbook.gru_step_forward.__globals__["sigmoid"] is textbook.sigmoid


@pytest.mark.parametrize("step", [textbook.rnn_step_forward, textbook.lstm_step_backward])
def test_the_usual_activations_change_nothing(step):
    now, before = textbook.with_activations(step).__globals__, step.__globals__
    assert {name: now[name] for name in before} == before


def test_an_activation_that_there_is_not_is_named():
    with pytest.raises(ValueError, match="^activation is 'elu'; it needs one of 'tanh', 'sigmoid', 'relu', 'hard_sig"):
        textbook.with_activations(textbook.gru_step_forward, "elu")
    with pytest.raises(ValueError, match="^recurrent_activation is 'linear'; it needs one of 'tanh', "):
        textbook.with_activations(textbook.gru_step_forward, "tanh", "linear")


def test_what_is_no_step_is_refused():
    with pytest.raises(ValueError, match="step is lstm_forward, which calls no tanh itself; it needs one step of a c"):
        textbook.with_activations(textbook.lstm_forward, "relu")
