"""Weights in the layouts of PyTorch, Keras and ONNX: there and back to the same bits, and the same function there.

What the peers compute is written here from their documentation; tests/oracles asks the peers themselves.
"""

import numpy as np
import pytest
from hypothesis import given

import npbilstm as nb
from npbilstm.interop import keras, named, onnx_weights, pytorch
from npbilstm.layers.layer import join
from tests.interop.drawing import assert_same, models, not_told, recurrent_layers, with_random_weights
from tests.interop.layouts import check_keras, check_onnx, check_pytorch


@given(recurrent_layers(variants=False, projection=True, reset_before=False, merges=("concat",)))
def test_pytorchs_layout(layer):
    check_pytorch(pytorch, layer)


@given(recurrent_layers(variants=False))
def test_kerass_layout(layer):
    check_keras(keras, layer)


@given(recurrent_layers())
def test_onnxs_layout(layer):
    check_onnx(onnx_weights, layer)


@given(recurrent_layers(projection=True, reverse=True, activations=True))
def test_our_own_names(layer):
    cell = next(name for name, make in [("lstm", nb.LSTM), ("gru", nb.GRU), ("rnn", nb.RNN)] if isinstance(layer, make))
    assert_same(layer, named.from_params(layer.params, cell, **not_told(layer)))


def test_our_own_names_tell_the_cell_where_they_can():
    told = [
        nb.LSTM(2, 3, rng=0),
        nb.LSTM(2, 3, coupled=True, peepholes=True, rng=0),
        nb.LSTM(2, 3, coupled=True, projection_size=2, rng=0),
        nb.GRU(2, 3, rng=0),
        nb.RNN(2, 3, rng=0),
        nb.LSTM(2, 3, 2, reverse=True, rng=0),
    ]
    for layer in told:
        assert_same(layer, named.from_params(layer.params))
    for layer in (nb.GRU(2, 3, reset_after=False, rng=0), nb.LSTM(2, 3, coupled=True, rng=0)):
        with pytest.raises(ValueError, match="which does not tell the cell; put its name before all names"):
            named.from_params(layer.params)


@given(models())
def test_whole_models_there_and_back(model):
    options = {name: model.config[name] for name in ("pooling", "dropout") if name in model.config}
    state = pytorch.to_pytorch(model)
    assert next(iter(state)) == "embedding.weight"
    assert_same_model(model, pytorch.model_from_pytorch(state, type(model), **options))
    assert_same_model(model, named.model_from_params(model.params, type(model), model.cell, **options))


def assert_same_model(model, other):
    assert model.config == other.config
    for part in ("embedding", "recurrent", "linear"):
        assert_same(getattr(model, part), getattr(other, part))


def test_a_models_parts_may_have_any_names_in_pytorch():
    model = with_random_weights(nb.SequenceTagger(5, 3, embedding_size=2, hidden_size=4, rng=0), 0)
    parts = {"emb": model.embedding, "encoder.rnn": model.recurrent, "head.fc": model.linear}
    state = join({name: pytorch.to_pytorch(part) for name, part in parts.items()})
    assert_same_model(model, pytorch.model_from_pytorch(state, nb.SequenceTagger))


def test_linear_and_embedding_there_and_back():
    linear = with_random_weights(nb.Linear(3, 4, rng=0), 0)
    embedding = with_random_weights(nb.Embedding(3, 4, rng=0), 0)
    state = {f"a.{name}": w for name, w in pytorch.to_pytorch(linear).items()}
    assert state["a.weight"].shape == (4, 3)
    assert_same(linear, pytorch.linear_from_pytorch(state, "a."))
    assert_same(embedding, pytorch.embedding_from_pytorch(pytorch.to_pytorch(embedding)))
    assert_same(linear, keras.linear_from_keras(keras.to_keras(linear)))
    assert [w.shape for w in keras.to_keras(embedding)] == [(3, 4)]


def test_a_prefix_leaves_other_names_alone():
    layer = with_random_weights(nb.GRU(3, 4, rng=0), 0)
    state = {f"encoder.{name}": w for name, w in pytorch.to_pytorch(layer).items()}
    assert_same(layer, pytorch.from_pytorch({**state, "decoder.weight": np.zeros(3)}, "encoder."))


def test_options_that_no_weight_tells_are_the_callers():
    state = pytorch.to_pytorch(nb.RNN(2, 3, 2, rng=0))
    layer = pytorch.from_pytorch(state, nonlinearity="relu", dropout=0.25)
    assert (layer.nonlinearity, layer.dropout) == ("relu", 0.25)


def test_lists_are_read_as_arrays_and_what_is_written_is_a_copy():
    layer = nb.RNN(1, 1, dtype=np.float64, rng=0)
    state = {name: np.asarray(w).tolist() for name, w in pytorch.to_pytorch(layer).items()}
    assert_same(layer, pytorch.from_pytorch(state))
    for written in (*pytorch.to_pytorch(layer).values(), *keras.to_keras(layer)):
        assert not any(np.shares_memory(written, p) for p in layer.params.values())
    for written in onnx_weights.to_node(layer, 0).values():
        assert not any(np.shares_memory(written, p) for p in layer.params.values())
