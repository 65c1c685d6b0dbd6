"""relu has no upper bound: where it leaves the range of numbers, one sentence says in which layer, row and step."""

import warnings

import numpy as np
import pytest

import npbilstm as nb

T = 80


def growing(cell=nb.RNN, factor=4.0, **options):
    """One unit whose h grows by this factor at each step; the other direction's holds what it reads."""
    name = "activation" if cell is nb.LSTM else "nonlinearity"
    layer = cell(1, 1, **{name: "relu", **options})
    gates = {nb.LSTM: [50, 50, factor, 50], nb.RNN: [factor]}[cell]  # all of i, f and o open
    bias = {nb.LSTM: [50, -50, 0, 50], nb.RNN: [0]}[cell]
    values = {"Wx": np.eye(1, len(gates), len(gates) // 2), "Wh": np.array([gates]), "b": np.array(bias)}
    params = {name: values[name.split(".")[-1]].astype(np.float32) for name in layer.params}
    return layer.with_params(params)


def sentence_of(run):
    """The one warning that a run gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run()
    (warning,) = caught
    assert warning.category is RuntimeWarning
    assert warning.filename == __file__
    return str(warning.message)


X = np.zeros((3, T, 1), np.float32)
X[:, [0, -1]] = 1


@pytest.mark.parametrize("training", [True, False])
def test_the_sentence_names_layer_row_step_and_cause(training):
    x = X.copy()
    x[0] = 0
    said = sentence_of(lambda: growing().forward(x, training=training))
    assert said.startswith(
        "layer 0 of RNN(1, 1, 1, nonlinearity='relu') leaves the range of float32 in row 1 at step 64: "
        "with nonlinearity='relu' nothing bounds what a step hands to the next."
    )  # 4^64 = 2^128


def test_of_a_row_read_from_its_end_the_step_is_counted_from_there():
    x = np.ones((2, T, 1), np.float32)
    assert "in row 1 at step 5:" in sentence_of(lambda: growing(reverse=True).forward(x, lengths=[40, 70]))
    assert "at step 64 of the forward direction" in sentence_of(lambda: growing(bidirectional=True).forward(X))


def test_of_a_stack_the_layer_is_named_once_and_those_above_are_not():
    layer = growing(num_layers=3)
    layer.params["0.forward.Wh"][...] = 1
    assert sentence_of(lambda: layer.forward(X)).startswith("layer 1 of RNN(1, 1, 3, ")


def test_a_cell_state_that_leaves_the_range_behind_a_tanh_is_named():
    layer = growing(nb.LSTM, activation="tanh", recurrent_activation="relu")
    for name, value in {"Wx": [[0, 0, 1, 0]], "Wh": [[0, 0, 0, 0]], "b": [1, 4, 1, 1]}.items():
        layer.params[f"0.forward.{name}"][...] = value
    assert " in row 0 at step 64: with recurrent_activation='relu' " in sentence_of(lambda: layer.forward(X))


def test_gradients_that_leave_the_range_are_named():
    layer = growing()
    layer.params["0.forward.Wh"][...] = 1
    y, _, cache = layer.forward(X + 1, training=True)
    dy = np.full_like(y, 1e38)
    assert sentence_of(lambda: layer.backward(dy, cache)).startswith("the gradients of layer 0 of RNN(1, 1, 1, ")


def test_numpys_own_setting_decides_what_is_made_of_it():
    with np.errstate(over="ignore"):
        growing().forward(X)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="leaves the range of float32"):
        growing().forward(X)


def test_what_came_in_infinite_and_what_stands_in_the_padding_is_not_blamed():
    x = X.copy()
    x[0, 3], x[1, 50:] = np.inf, np.nan
    growing(factor=0.5).forward(x, lengths=[T, 50, 0])


def test_directions_that_are_multiplied_may_leave_the_range_where_they_join():
    said = sentence_of(lambda: growing(bidirectional=True, merge="mul", factor=0.5).forward(1e20 * X))
    assert "leaves the range of float32 in row 0 at step 0, where the directions join: with nonlinearity=" in said
