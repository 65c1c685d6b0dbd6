"""What layers and models are where nothing is said, and how they show themselves."""

import numpy as np
import pytest

import npbilstm as nb


@pytest.mark.parametrize(
    ("layer", "shown"),
    [
        (nb.Linear(3, 4), "Linear(3, 4)"),
        (nb.Embedding(5, 2), "Embedding(5, 2)"),
        (nb.Dropout(), "Dropout(0.5)"),
        (nb.Dropout(0.25), "Dropout(0.25)"),
        (nb.Linear(3, 4, dtype="float64"), "Linear(3, 4, dtype=float64)"),
        (nb.Embedding(5, 2, dtype=np.float64), "Embedding(5, 2, dtype=float64)"),
        (nb.LSTM(3, 4), "LSTM(3, 4, 1)"),
        (nb.BiLSTM(3, 4, merge=None), "BiLSTM(3, 4, 1, merge=None)"),
        (nb.GRU(3, 4, dropout=0.5, store_every=2), "GRU(3, 4, 1, dropout=0.5, store_every=2)"),
        (nb.RNN(3, 4, recurrent_dropout=0.5, dtype=float), "RNN(3, 4, 1, recurrent_dropout=0.5, dtype=float64)"),
    ],
)
def test_a_layer_shows_what_it_was_made_with(layer, shown):
    assert repr(layer) == shown


def test_a_cache_shows_whose_it_is_and_of_what():
    x = np.ones((2, 5, 3), np.float32)
    for layer, given, shown in [
        (nb.LSTM(3, 4), x, "<cache of LSTM(3, 4, 1), 2 rows, training=True>"),
        (nb.LSTM(3, 4), x[0], "<cache of LSTM(3, 4, 1), one sequence, training=True>"),
        (nb.Dropout(), x, "<cache of Dropout(0.5), x of shape (2, 5, 3), training=True>"),
    ]:
        assert repr(layer.forward(given, training=True)[-1]) == shown
    assert repr(nb.Linear(3, 4).forward(x)[1]) == "<cache of Linear(3, 4), x of shape (2, 5, 3)>"
    ids = np.zeros((2, 5), int)
    assert repr(nb.Embedding(5, 2).forward(ids)[1]) == "<cache of Embedding(5, 2), ids of shape (2, 5)>"
    model = nb.SequenceTagger(7, 5)
    assert repr(model.forward(ids)[1]) == f"<cache of {model!r}, 2 rows of up to 5 steps, training=False>"


PUBLIC = {
    nb.LSTM: {
        *("input_size", "hidden_size", "num_layers", "directions", "reverse", "merge", "bias", "store_every", "rng"),
        *("dropout", "input_dropout", "recurrent_dropout", "projection_size", "peepholes", "coupled", "activation"),
        *("recurrent_activation", "params", "param_shapes", "num_parameters", "with_params", "forward", "backward"),
        *("state_parts", "state_shapes", "output_size", "features", "gates", "blocks"),
    },
    nb.Linear: {
        *("input_size", "output_size", "params", "param_shapes", "num_parameters", "with_params"),
        *("forward", "backward"),
    },
    nb.SequenceTagger: {
        *("cell", "embedding", "recurrent", "linear", "dropout", "rng", "label_per_step", "parts", "config"),
        *("params", "param_shapes", "num_parameters", "with_params", "forward", "backward", "predict"),
        *("head", "metric", "predicts_per_step", "require_sequence", "collate", "loss_forward", "loss_backward"),
        *("loss_weight", "window", "tables", "loss_backward_by_row", "rows_read", "pad"),
    },
}
"""What a user may call and read. A name more is a promise more."""


@pytest.mark.parametrize("kind", PUBLIC)
def test_dir_shows_what_a_user_may_call(kind):
    assert {name for name in dir(kind(3, 4)) if not name.startswith("_")} == PUBLIC[kind]


@pytest.mark.parametrize("kind", [nb.SequenceTagger, nb.SequenceClassifier])
def test_a_model_of_which_only_the_sizes_are_said(kind):
    config = kind(7, 5).config
    assert config == {
        "num_symbols": 7,
        "num_classes": 5,
        "cell": "lstm",
        "embedding_size": 32,
        "hidden_size": 64,
        "num_layers": 1,
        "bidirectional": True,
        "dropout": 0.0,
        "dtype": "float32",
        **({"pooling": "final"} if kind is nb.SequenceClassifier else {}),
    }


@pytest.mark.parametrize("make", [nb.LSTM, nb.GRU, nb.RNN])
def test_a_recurrent_layer_of_which_only_the_sizes_are_said(make):
    layer = make(3, 4)
    assert (layer.num_layers, layer.directions, layer.merge, layer.bias) == (1, ("forward",), "concat", True)
    assert (layer.dropout, layer.input_dropout, layer.recurrent_dropout, layer.store_every) == (0, 0, 0, None)
    assert {p.dtype for p in layer.params.values()} == {np.dtype(np.float32)}
    x = np.ones((1, 2, 3), np.float32)
    _, _, cache = layer.forward(x)
    assert not cache.kept  # inference, where nothing is said


@pytest.mark.parametrize("make", [nb.LSTM, nb.GRU, nb.RNN])
def test_numbers_that_are_not_finite_go_through_where_nobody_asks(make):
    x = np.ones((2, 3, 3), np.float32)
    x[0, 1, 0] = np.nan
    y, _, _ = make(3, 4, rng=0).forward(x)
    assert np.isnan(y).any(axis=(0, 2)).tolist() == [False, True, True]
    assert np.isfinite(y[1]).all()


@pytest.mark.parametrize(
    ("layer", "count"),
    [
        (nb.Linear(3, 4), 3 * 4 + 4),
        (nb.Embedding(5, 2), 5 * 2),
        (nb.Dropout(), 0),
        (nb.BiLSTM(3, 4), 2 * (3 + 4 + 1) * 16),
    ],
)
def test_every_number_that_is_learned_is_counted(layer, count):
    assert layer.num_parameters == count


def test_dropout_is_the_identity_but_in_training():
    x = np.random.default_rng(0).standard_normal((3, 4))
    for layer, training in [(nb.Dropout(0.5), False), (nb.Dropout(0), True)]:
        y, cache = layer.forward(x, training)
        assert np.array_equal(y, x)
        assert np.array_equal(layer.backward(x, cache)[0], x)
    layer = nb.Dropout(0.5, rng=0)
    y, cache = layer.forward(x, training=True)
    dropped = y == 0
    assert 0 < dropped.sum() < x.size
    assert np.array_equal(y[~dropped], 2 * x[~dropped])
    assert np.array_equal(layer.backward(np.ones_like(x), cache)[0], np.where(dropped, 0, 2))


def test_the_same_seed_makes_the_same_layer_and_another_seed_another():
    for make in [lambda rng: nb.Linear(3, 4, rng=rng), lambda rng: nb.Embedding(3, 4, rng=rng)]:
        one, same, other = (make(seed).params["W"] for seed in (0, 0, 1))
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)


def test_fresh_weights_are_as_documented():
    linear, embedding = nb.Linear(30, 50, dtype=np.float64, rng=0), nb.Embedding(200, 50, dtype=np.float64, rng=0)
    r = np.sqrt(6 / (30 + 50))
    assert 0.95 * r < np.abs(linear.params["W"]).max() <= r
    assert abs(linear.params["W"].mean()) < 0.1 * r
    assert not linear.params["b"].any()
    assert abs(embedding.params["W"].mean()) < 0.03
    assert abs(embedding.params["W"].std() - 1) < 0.03
