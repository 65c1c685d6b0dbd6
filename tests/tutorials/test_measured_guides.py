"""The guides to truncation, to duality and to the exercises show what their commands measure, or list."""

import re

import numpy as np
import pytest

from npbilstm.textbook import LSTMParams, lstm_backward, lstm_forward
from tests.cases import assert_close
from tutorials import duality, exercises, truncation

NUMBER = re.compile(r"-?\d+\.\d+")


def small_case():
    rng = np.random.default_rng(0)
    params = LSTMParams(*(rng.standard_normal(shape) for shape in ((2, 12), (3, 12), 12)))
    return rng.standard_normal((2, 5, 3)), rng.standard_normal((2, 5, 2)), params


def test_truncated_to_all_steps_it_is_the_gradient():
    dh, x, params = small_case()
    zero = np.zeros((2, 3))
    whole = lstm_backward(dh, zero, zero, lstm_forward(x, zero, zero, params)[3])[3]
    for got, expected in zip(truncation.truncated_gradient(dh, x, params, 5), whole):
        assert_close(got, expected)


def test_truncated_to_k_it_is_the_sum_over_steps_of_windows_of_k():
    dh, x, params = small_case()
    cache = lstm_forward(x, np.zeros((2, 3)), np.zeros((2, 3)), params)[3]
    total = np.zeros((3, 12))
    for t in range(5):
        s = max(t - 1, 0)
        window = lstm_forward(x[:, s : t + 1], cache.steps[s].h_prev, cache.steps[s].c_prev, params)[3]
        last = np.zeros((2, t + 1 - s, 3))
        last[:, -1] = dh[:, t]
        total += lstm_backward(last, np.zeros((2, 3)), np.zeros((2, 3)), window)[3].Wh
    assert_close(truncation.truncated_gradient(dh, x, params, 2).Wh, total)


@pytest.mark.parametrize("name", duality.LAYERS)
def test_forward_mode_and_reverse_mode_agree(name):
    forward, reverse = duality.both_modes(name)
    assert abs(forward - reverse) < 1e-12


def test_the_guide_to_duality_says_what_its_command_writes():
    page = duality.GUIDE.read_text(encoding="utf-8")
    shown = page.partition(duality.BEGIN)[2].partition(duality.END)[0].strip()
    assert_same_table(shown, duality.tables(times=False).strip(), 1e-9)


@pytest.mark.slow
def test_the_guide_to_truncation_says_what_its_command_writes():
    page = truncation.GUIDE.read_text(encoding="utf-8")
    shown = page.partition(truncation.BEGIN)[2].partition(truncation.END)[0].strip()
    assert_same_table(shown, truncation.table().strip(), 0.05)


def test_the_guide_to_exercises_lists_all_that_there_are():
    page = exercises.GUIDE.read_text(encoding="utf-8")
    assert exercises.written(page) == page


def assert_same_table(one, other, tolerance):
    """The same words, and numbers within the tolerance: processors round differently, and training adds it up."""
    assert NUMBER.sub("#", one) == NUMBER.sub("#", other)
    numbers = [[float(number) for number in NUMBER.findall(table)] for table in (one, other)]
    assert np.abs(np.subtract(*numbers)).max() <= tolerance


@pytest.mark.parametrize("command", [duality, exercises, truncation])
def test_what_the_command_does_not_know_gets_a_sentence(command, capsys):
    assert command.main(["--no"]) == 2
    assert "takes --write or nothing; it got --no" in capsys.readouterr().err
