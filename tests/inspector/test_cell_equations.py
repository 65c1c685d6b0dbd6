"""What the inspector shows of a cell is what the textbook's docstrings say of it, line by line."""

import inspect
import re

import numpy as np
import pytest

from npbilstm import textbook
from npbilstm.inspector.cell_equations import Equations, equations_of
from npbilstm.inspector.equations import evaluate, parse
from tests.docstring_equations import cell_of
from tests.layers.recurrent_cases import make_layer

ALL = {"peepholes": True, "coupled": True, "projection_size": 2}
OTHERS = {"activation": "relu", "recurrent_activation": "hard_sigmoid"}
CELLS = {
    "the LSTM's own file": ("LSTM", {}, "lstm_step"),
    "LSTM": ("LSTM", {}, ""),
    "LSTM without bias": ("LSTM", {"bias": False}, ""),
    "LSTM, peepholes": ("LSTM", {"peepholes": True}, ""),
    "LSTM, coupled": ("LSTM", {"coupled": True}, ""),
    "LSTM, projection": ("LSTM", {"projection_size": 2}, ""),
    "LSTM, all": ("LSTM", ALL, ""),
    "LSTM, all, relu and hard_sigmoid": ("LSTM", {**ALL, **OTHERS}, ""),
    "LSTM, sigmoid and hard_sigmoid_sixth": (
        "LSTM",
        {"activation": "sigmoid", "recurrent_activation": "hard_sigmoid_sixth"},
        "",
    ),
    "GRU": ("GRU", {}, ""),
    "GRU without bias": ("GRU", {"bias": False}, ""),
    "GRU, relu and hard_sigmoid": ("GRU", OTHERS, ""),
    "GRU reset before": ("GRU reset before", {}, ""),
    "GRU reset before, relu and hard_sigmoid": ("GRU reset before", OTHERS, ""),
    "RNN tanh": ("RNN tanh", {}, ""),
    "RNN relu": ("RNN relu", {}, ""),
}
PLANTED_IN = ["the LSTM's own file", "LSTM, all", "LSTM, peepholes", "GRU", "GRU reset before", "RNN tanh"]

OF_THE_LOOP = "dh"
"""The equation that no step has but the loop over time: the sum of what is above and of what is later."""

PARTS_OF_A_LINE = {"s", "u_r", "u_z", "u_n"}
"""Names for a part of a docstring's line, where that has none."""

NOT_SHOWN = {"a", "u", "da", "du", "h_in", "dh_in", "dx", "dWx", "dWh", "db", "db_hn", "dp", "dWp"}
"""What the docstrings have besides: gates side by side, and the gradients that belong to no unit."""


def compared(equations, cell):
    """-> the table's names whose equation comes to other numbers than the docstring's line.

    Everything on the right of an equation is what the docstring's lines made of it, so each is judged by itself.
    """
    found = cell.run()
    given = cell.values
    dy = np.random.default_rng(1).normal(size=given["dh"].shape)
    # the state's gradient leaves a step as ..._prev, and arrives at the one before as ..._next
    arrived = {"dy": dy, "dh_next": given["dh"] - dy, "dc_next": given["dc"]}

    def value(symbol):
        return arrived[symbol.name] if symbol.name in arrived else found[symbol.name]

    def dot(node):
        return value(node.vector) @ (found[node.weight].T if node.transposed else found[node.weight])

    wrong = []
    for text in (*equations.forward, *equations.backward):
        name, right, _ = parse(text)
        computed = evaluate(right, value, dot)
        if name in PARTS_OF_A_LINE:
            found.setdefault(name, computed)
        expected = found[re.sub("_next$", "_prev", name)]
        if computed.shape != expected.shape or not np.allclose(computed, expected, rtol=1e-12, atol=1e-12):
            wrong.append(name)
    return wrong


def case(name, change=str):
    kind, options, step = CELLS[name]
    layer = make_layer(kind=kind, **options)
    return equations_of(layer), cell_of(layer, step, change)


@pytest.mark.parametrize("name", CELLS)
def test_each_line_that_is_shown_is_the_docstrings(name):
    equations, cell = case(name)
    assert compared(equations, cell) == []


@pytest.mark.parametrize("name", CELLS)
def test_each_line_of_the_docstrings_is_shown(name):
    equations, cell = case(name)
    names = [parse(text).name for text in (*equations.forward, *equations.backward)]
    shown = {re.sub("_next$", "_prev", name) for name in names}
    assert len(names) == len(shown)
    both = (*cell.forward, *cell.backward)
    lines = {line.name for line in both}
    gates = {f"{part}_{k}" for part in ("a", "da") for k in cell.values["gates"]}
    same = {line.name for line in both if line.right in ("absent", "dh")}  # da_f when coupled; ds without projection
    assert gates <= shown
    assert lines - shown <= NOT_SHOWN | PARTS_OF_A_LINE | same
    assert shown - lines - gates <= PARTS_OF_A_LINE | {OF_THE_LOOP}


def test_the_sum_of_two_gradients_is_that_of_the_loop_over_time():
    for loop, above in ((textbook.lstm_backward, "dh"), (textbook.recurrent_backward, "dy")):
        assert re.search(rf"^ *dh_t = {above}\[:, t\] \+ dh_next ", inspect.getdoc(loop), re.MULTILINE)
    assert all("dh = dy + dh_next" in case(name)[0].backward for name in CELLS)


@pytest.mark.parametrize("name", PLANTED_IN)
def test_a_slip_in_any_line_of_the_table_shows(name):
    equations, cell = case(name)
    for texts in equations:
        for text in texts:
            left, right = text.split(" = ")
            slip = f"{left} = 1.5 * ({right})" if "@" not in text else f"{text} - {right.split(' + ')[0]}"
            forward, backward = (tuple(slip if each == text else each for each in part) for part in equations)
            wrong = compared(Equations(forward, backward), cell)
            assert wrong, text
            assert wrong[0] == left or left in PARTS_OF_A_LINE, text  # a part shows in the line


@pytest.mark.parametrize("name", PLANTED_IN)
def test_a_slip_in_any_line_of_the_docstrings_shows(name):
    equations, cell = case(name)
    shown = {re.sub("_next$", "_prev", parse(text).name) for text in (*equations.forward, *equations.backward)}
    for lines in (cell.forward, cell.backward):
        for k, line in enumerate(lines):
            if line.name in shown - {OF_THE_LOOP} or line.name in ("a", "u"):
                lines[k] = line._replace(right=f"1.5 * ({line.right})")
                assert compared(equations, cell), line
                lines[k] = line


PLANTED = [
    ("the LSTM's own file", "dh * o * tanh'(c)", "dh * o * tanh(c)", ["dc"]),
    ("the LSTM's own file", "di      = dc * g", "di      = dc * i", ["di"]),
    ("the LSTM's own file", "c = f * c_prev + i * g", "c = f * c_prev - i * g", ["c"]),
    ("LSTM, coupled", "di     -= df", "di     += df", ["di"]),
    ("LSTM, peepholes", "o = sigmoid(a_o + p_o * c)", "o = sigmoid(a_o + p_o * c_prev)", ["o"]),
    ("GRU", "dr      = da_n * q", "dr      = da_n * h_prev", ["dr"]),
    ("GRU reset before", "dr      = ds * h_in", "dr      = ds * n", ["dr"]),
    ("RNN tanh", "dh_prev = mask * (da Wh^T)", "dh_prev = mask * (da Wh)", ["dh_next"]),
]


@pytest.mark.parametrize(("name", "old", "new", "wrong"), PLANTED)
def test_a_docstring_with_one_line_changed_disagrees_there(name, old, new, wrong):
    seen = []

    def change(docstring):
        seen.append(docstring.count(old))
        return docstring.replace(old, new)

    equations, cell = case(name, change)
    assert sum(seen) == 1
    assert compared(equations, cell) == wrong
