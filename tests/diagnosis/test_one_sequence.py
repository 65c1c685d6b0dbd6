"""Mistakes in an LSTM over one sequence, of which the catalogue has none: the right place is said."""

import inspect

import pytest

import npbilstm as nb
from npbilstm.textbook import one_sequence

IMPORTS = """
from typing import Any, NamedTuple
import numpy as np
from npbilstm.textbook import GateParams, sigmoid, sigmoid_derivative, tanh, tanh_derivative
from npbilstm.textbook.sequences import require_shape
"""
SOURCE = IMPORTS + "\n".join(
    inspect.getsource(function) for name, function in vars(one_sequence).items() if name.startswith("sequence_")
)


def judged(old, new):
    """The diagnosis of what is wrong where a line of the textbook's functions is changed."""
    assert SOURCE.count(old) == 1
    names = {"__name__": "__main__"}
    exec(compile(SOURCE.replace(old, new), "<submitted>", "exec"), names)
    return next(each for each in nb.diagnose(names).diagnoses if not each.ok)


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("old", "new", "equation"),
    [
        ("dc = dc + dh * o * tanh_derivative(tanh(c))", "dc = dh * o * tanh_derivative(tanh(c))", "dc"),
        ("dc * f\n", "dc * i\n", "dc"),
        ("dh = dh + dh_t\n", "dh = 0 * dh + dh_t\n", "dh"),
        ("np.dot(Wh[k].T, da[k])", "np.dot(Wh[k], da[k])", "dh"),
        ("dc * c_prev * sigmoid_derivative(f)", "dc * c * sigmoid_derivative(f)", "da"),
        ("dc * i * tanh_derivative(g)", "dc * i", "da"),
        ("dc * g * sigmoid_derivative(i)", "0.9 * dc * g * sigmoid_derivative(i)", "da"),
        ("np.outer(da[k], h_prev)", "np.outer(da[k], o * tanh(c))", "dWh"),
        ("return dxs[::-1], dh", "return dxs, dh", "dx"),
    ],
)
def test_the_equation_of_an_unknown_mistake_in_one_sequence_is_said(old, new, equation):
    diagnosis = judged(old, new)
    assert (diagnosis.located, diagnosis.perhaps) == ((f"{equation} in sequence_lstm_backward",), ())


def test_what_would_show_where_all_is_right_is_not_said_to_be_perhaps_wrong():
    diagnosis = judged("caches[::-1], strict", "caches, strict")  # right for one step, as no slope of the sigmoid's is
    assert (diagnosis.located, diagnosis.perhaps) == ((), ())
