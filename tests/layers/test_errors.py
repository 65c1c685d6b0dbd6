"""Wrong input is an error that names the argument, what it got and what it needs."""

import numpy as np
import pytest

import npbilstm as nb


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"input_size": 0}, ValueError, "input_size is 0; it needs to be at least 1"),
        ({"hidden_size": 2.5}, TypeError, "hidden_size is 2.5; it needs a whole number"),
        ({"num_layers": True}, TypeError, "num_layers is True; it needs a whole number"),
        ({"dropout": 1.0}, ValueError, "dropout is 1.0; it needs a number from 0 up to, but not including, 1"),
        ({"dropout": "much"}, ValueError, "dropout is 'much'"),
        ({"merge": "max"}, ValueError, "merge is 'max'; it needs one of 'concat', 'sum', 'mul', 'ave', None"),
        ({"dtype": np.int32}, TypeError, "dtype is int32; a layer works in float32 or float64"),
        ({"init": "zeros"}, ValueError, 'init is \'zeros\'; it needs "orthogonal" or "torch"'),
    ],
)
def test_a_layer_refuses_arguments_that_make_none(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        nb.LSTM(**{"input_size": 3, "hidden_size": 4, **arguments})


@pytest.mark.parametrize(
    ("make", "arguments", "error", "sentence"),
    [
        (nb.LSTM, {"projection_size": 0}, ValueError, "projection_size is 0; it needs to be at least 1"),
        (nb.LSTM, {"recurrent_dropout": 1}, ValueError, "recurrent_dropout is 1; it needs a number from 0 up to"),
        (nb.RNN, {"nonlinearity": "elu"}, ValueError, "nonlinearity is 'elu'; it needs one of 'tanh', 'sigmoid'"),
        (
            nb.GRU,
            {"peepholes": True},
            TypeError,
            "GRU has no option 'peepholes'; it has reset_after, activation, recurrent_activation, bidirectional",
        ),
        (nb.SequenceTagger, {"cell": "cnn"}, ValueError, "cell is 'cnn'; it needs one of 'lstm', 'gru', 'rnn'"),
        (
            nb.SequenceClassifier,
            {"pooling": "sum"},
            ValueError,
            "pooling is 'sum'; it needs one of 'final', 'mean'",
        ),
    ],
)
def test_options_of_one_kind_are_refused_by_name(make, arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        make(3, 4, **arguments)


def test_a_state_of_one_part_is_an_array_and_no_tuple():
    layer = nb.GRU(3, 4, rng=0)
    zero = np.zeros((1, 2, 4))
    with pytest.raises(TypeError, match="state is a tuple; it needs the array h alone, or None for zeros"):
        layer.forward(X, state=(zero, zero))
    with pytest.raises(ValueError, match=r"state has shape \(2, 2, 4\); it needs \(1, 2, 4\)"):
        layer.forward(X, state=np.zeros((2, 2, 4)))
    with pytest.raises(ValueError, match=r"state has shape \(1, 2, 4\); it needs \(1, 4\)"):
        layer.forward(X[0], state=zero)
    y, _, cache = layer.forward(X, training=True)
    with pytest.raises(ValueError, match=r"dstate has shape \(1, 4\); it needs \(1, 2, 4\)"):
        layer.backward(y, cache, zero[:, 0])


def test_a_projection_shows_in_the_shapes_that_are_needed():
    layer = nb.LSTM(3, 4, projection_size=2, rng=0)
    with pytest.raises(ValueError, match=r"state's h has shape \(1, 2, 4\); it needs \(1, 2, 2\)"):
        layer.forward(X, state=(np.zeros((1, 2, 4)), np.zeros((1, 2, 4))))


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ((5, 0), ValueError, "size is 0; it needs to be at least 1"),
        ((2.5, 1), TypeError, "T is 2.5; it needs a whole number"),
        ((5, 2, [6]), ValueError, r"lengths\[0\] is 6; it needs to be between 0 and T = 5"),
    ],
)
def test_windows_name_what_is_wrong(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        list(nb.windows(*arguments))


def test_a_layers_name_shows_its_options():
    assert repr(nb.BiLSTM(3, 4)) == "BiLSTM(3, 4, 1)"
    assert repr(nb.LSTM(3, 4, bidirectional=True)) == "LSTM(3, 4, 1, bidirectional=True)"
    assert repr(nb.LSTM(3, 4, 2, peepholes=True, projection_size=2, bias=False)) == (
        "LSTM(3, 4, 2, bias=False, projection_size=2, peepholes=True)"
    )
    assert repr(nb.GRU(3, 4, reset_after=False)) == "GRU(3, 4, 1, reset_after=False)"
    assert repr(nb.RNN(3, 4, nonlinearity="relu")) == "RNN(3, 4, 1, nonlinearity='relu')"


X = np.zeros((2, 5, 3), np.float32)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"x": X[:, :, :2]}, ValueError, "x has 2 features at its last axis; this layer was made with input_size=3"),
        ({"x": X[0, 0]}, ValueError, r"x has shape \(3,\); it needs axes \(N, T, D\)"),
        ({"x": X[0], "lengths": [5]}, ValueError, r"lengths goes with a batch, x \(N, T, D\); x has shape \(5, 3\)"),
        ({"x": X.astype(int)}, TypeError, r"x has dtype int64; it needs floating numbers, e.g. x.astype\(np.float32\)"),
        ({"x": np.array([[["a", "b", "c"]]])}, TypeError, "x has dtype <U1"),
        ({"x": None}, TypeError, "x has dtype object"),
        ({"lengths": [5]}, ValueError, r"lengths has shape \(1,\); it needs \(2,\)"),
        ({"lengths": [5, 6]}, ValueError, r"lengths\[1\] is 6; it needs to be between 0 and T = 5"),
        ({"lengths": [5, -1]}, ValueError, r"lengths\[1\] is -1"),
        ({"lengths": [5.0, 2.0]}, TypeError, "lengths has dtype float64"),
        ({"state": np.zeros((2, 2, 2, 4))}, TypeError, r"state is a ndarray; it needs a pair \(h, c\)"),
        ({"state": (np.zeros((1, 2, 4)),) * 2}, ValueError, r"state's h has shape \(1, 2, 4\); it needs \(2, 2, 4\)"),
        ({"x": X + np.nan, "check_finite": True}, ValueError, "x is not finite in row 0 at step 0, a valid step"),
    ],
)
def test_forward_names_what_is_wrong(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        nb.BiLSTM(3, 4, rng=0).forward(**{"x": X, **arguments})


def test_nan_in_the_padding_is_finite_enough():
    x = X.copy()
    x[1, 2:] = np.nan
    nb.BiLSTM(3, 4, rng=0).forward(x, [5, 2], check_finite=True)
    with pytest.raises(ValueError, match="row 1 at step 2"):
        nb.BiLSTM(3, 4, rng=0).forward(x, [5, 3], check_finite=True)


def test_backward_names_what_is_wrong():
    layer, twin = nb.BiLSTM(3, 4, rng=0), nb.BiLSTM(3, 4, rng=0)
    y, _, cache = layer.forward(X, training=True)
    with pytest.raises(ValueError, match="this cache belongs to another layer"):
        twin.backward(y, cache)
    with pytest.raises(ValueError, match="keeps nothing for backward; call forward"):
        layer.backward(y, layer.forward(X)[2])
    with pytest.raises(TypeError, match="cache is a NoneType; it needs what this layer's forward returned"):
        layer.backward(y, None)
    with pytest.raises(ValueError, match=r"dy has shape \(2, 5, 4\); it needs \(2, 5, 8\)"):
        layer.backward(y[:, :, :4], cache)
    with pytest.raises(ValueError, match=r"dstate's c has shape \(2, 2, 5\)"):
        layer.backward(y, cache, (np.zeros((2, 2, 4)), np.zeros((2, 2, 5))))
    pair = nb.BiLSTM(3, 4, merge=None, rng=0)
    (y_fwd, _), _, cache = pair.forward(X, training=True)
    with pytest.raises(TypeError, match="dy is a ndarray; with merge=None it needs a pair"):
        pair.backward(y_fwd, cache)


def test_with_params_names_what_differs():
    layer = nb.LSTM(3, 4, rng=0)
    with pytest.raises(ValueError, match="params lacks '0.forward.b'"):
        layer.with_params({name: p for name, p in layer.params.items() if not name.endswith("b")})
    with pytest.raises(ValueError, match="params has 'extra', which is none of"):
        layer.with_params({**layer.params, "extra": np.zeros(1)})
    with pytest.raises(ValueError, match=r"params\['0.forward.b'\] has shape \(3,\); it needs \(16,\)"):
        layer.with_params({**layer.params, "0.forward.b": np.zeros(3)})


def test_parameters_that_are_no_floats_are_refused():
    linear = nb.Linear(2, 2)
    with pytest.raises(TypeError, match=r"params\['W'\] has dtype int64; it needs floating numbers"):
        linear.with_params({"W": np.eye(2, dtype=np.int64), "b": np.zeros(2)})


@pytest.mark.parametrize("merge", ["sum", "mul", "ave", None])
def test_a_gradient_that_would_broadcast_is_refused(merge):
    layer = nb.BiLSTM(3, 4, merge=merge, rng=0)
    _, _, cache = layer.forward(X, training=True)
    thin = np.zeros((2, 1, 4), np.float32)
    with pytest.raises(ValueError, match=r"has shape \(2, 1, 4\); it needs \(2, 5, 4\)"):
        layer.backward((thin, thin) if merge is None else thin, cache)


def test_a_state_that_is_not_finite_or_no_numbers_is_named():
    layer = nb.LSTM(3, 4, rng=0)
    zero = np.zeros((1, 2, 4))
    with pytest.raises(ValueError, match="state holds NaN or infinity"):
        layer.forward(X, state=(zero + np.inf, zero), check_finite=True)
    with pytest.raises(ValueError, match="x is not finite in row 0"):
        layer.forward(X + np.inf, check_finite=True)
    with pytest.raises(TypeError, match="state's h has dtype object"):
        layer.forward(X, state=(np.full((1, 2, 4), None), zero))


def test_the_other_layers_name_what_is_wrong():
    with pytest.raises(ValueError, match="x has 2 features at its last axis; this layer was made with input_size=3"):
        nb.Linear(3, 4).forward(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="ids holds 7; this layer has rows 0 to 6"):
        nb.Embedding(7, 2).forward(np.array([0, 7]))
    with pytest.raises(TypeError, match="ids has dtype float64; it needs integers"):
        nb.Embedding(7, 2).forward(np.array([0.0]))
    with pytest.raises(TypeError, match="x has dtype int64; it needs floating numbers"):
        nb.Dropout(0.5).forward(np.arange(3), training=True)
    with pytest.raises(ValueError, match="p is 1; it needs a number from 0"):
        nb.Dropout(1)
    with pytest.raises(ValueError, match=r"ids has shape \(3,\); it needs axes \(N, T\)"):
        nb.SequenceTagger(5, 2).forward(np.zeros(3, int))
