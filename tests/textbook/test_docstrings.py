"""The equations in the docstrings of the textbook's steps are those that its code computes, every line of them."""

import inspect

import numpy as np
import pytest

from npbilstm import textbook
from tests.cases import assert_close
from tests.docstring_equations import cell_of
from tests.layers.recurrent_cases import STEPS, kind_of, make_layer

CELLS = {
    "the LSTM's own file": ("LSTM", {}, "lstm_step"),
    "LSTM": ("LSTM", {}, ""),
    "LSTM, peepholes": ("LSTM", {"peepholes": True}, ""),
    "LSTM, coupled": ("LSTM", {"coupled": True}, ""),
    "LSTM, projection": ("LSTM", {"projection_size": 2}, ""),
    "LSTM, peepholes and projection": ("LSTM", {"peepholes": True, "projection_size": 2}, ""),
    "LSTM, all": ("LSTM", {"peepholes": True, "coupled": True, "projection_size": 2}, ""),
    **{kind: (kind, {}, "") for kind in STEPS if kind != "LSTM"},
}

SLIPS = ["the LSTM's own file", "LSTM, peepholes and projection", "LSTM, all", "GRU", "GRU reset before", "RNN tanh"]
"""Those of which every line counts."""


def require_same(cell, layer, step):
    """That the functions give what the lines come to: states, gradients of the inputs and of each param."""
    step = step or STEPS[kind_of(layer)][0]
    params_class = textbook.LSTMParams if step == "lstm_step" else STEPS[kind_of(layer)][1]
    forward, backward = (getattr(textbook, f"{step}_{way}") for way in ("forward", "backward"))
    if "mask" in inspect.signature(forward).parameters:
        cell.values["mask"] = np.array([0.0, 2.0] * 2)[: layer.output_size] * np.ones((3, 1))
    given, found = cell.values, cell.run()
    states = ["h", "c"][: len(layer.state_parts)]
    params = params_class(**{name.removeprefix("0.forward."): p for name, p in layer.params.items()})
    masks = [given["mask"]] if np.ndim(given["mask"]) else []
    *state, cache = forward(given["x"], *(given[f"{name}_prev"] for name in states), params, *masks)
    dx, *dstate, grads = backward(*(given[f"d{name}"] for name in states), cache)
    expected = {**dict(zip(states, state)), "dx": dx, **{f"d{n}_prev": d for n, d in zip(states, dstate)}}
    expected |= {f"d{name}": d for name, d in grads._asdict().items() if d is not None}
    for name, array in expected.items():
        assert_close(found[name], array)


@pytest.mark.parametrize("name", CELLS)
def test_the_docstrings_equations_are_those_of_the_code(name):
    kind, options, step = CELLS[name]
    layer = make_layer(kind=kind, **options)
    require_same(cell_of(layer, step), layer, step)


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_in_any_line_of_a_docstring_shows(name):
    kind, options, step = CELLS[name]
    layer = make_layer(kind=kind, **options)
    right = cell_of(layer, step)
    for lines in (right.forward, right.backward):
        for k, line in enumerate(lines):
            if line.right == "absent":
                continue
            lines[k] = line._replace(right=f"1.5 * ({line.right})")
            with pytest.raises(AssertionError):
                require_same(right, layer, step)
            lines[k] = line
    require_same(right, layer, step)
