"""Layers that read from the end, or squash with other functions, in files and in other programs' layouts."""

import json
import re

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.interop import from_pytorch, read_weights, to_pytorch, write_weights
from npbilstm.interop.description import describe
from npbilstm.layers.layer import join
from tests.interop.drawing import assert_same, with_random_weights

LAYERS = [
    nb.LSTM(3, 4, 2, reverse=True, peepholes=True, rng=0),
    nb.GRU(3, 4, activation="relu", recurrent_activation="hard_sigmoid", rng=0),
    nb.LSTM(3, 4, reverse=True, activation="hard_sigmoid_sixth", recurrent_activation="tanh", rng=0),
    nb.RNN(3, 4, nonlinearity="hard_sigmoid", bidirectional=True, rng=0),
]
every_layer = pytest.mark.parametrize("layer", LAYERS, ids=repr)


@every_layer
def test_a_file_brings_them_back(layer, tmp_path):
    layer = with_random_weights(layer, 1)
    write_weights(tmp_path / "layer.npz", layer, {"of": "mine"})
    back, about = read_weights(tmp_path / "layer.npz")
    assert_same(layer, back)
    assert about == {"of": "mine"}


def test_the_params_alone_tell_that_the_reverse_direction_is_the_only_one(tmp_path):
    layer = with_random_weights(nb.LSTM(3, 4, 2, reverse=True, rng=0), 1)
    np.savez(tmp_path / "params.npz", **layer.params)
    assert_same(layer, read_weights(tmp_path / "params.npz")[0])
    gru = with_random_weights(nb.GRU(3, 4, reset_after=False, reverse=True, rng=0), 1)
    np.savez(tmp_path / "gru.npz", **join({"gru": gru.params}))
    assert_same(gru, read_weights(tmp_path / "gru.npz")[0])


def test_safetensors_under_our_own_names_too(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed (extra safetensors)")
    layer = with_random_weights(LAYERS[2], 1)
    safetensors.save_file(dict(layer.params), tmp_path / "own.safetensors", {"npbilstm": describe(layer)})
    assert_same(layer, read_weights(tmp_path / "own.safetensors")[0])


def test_a_file_of_before_there_were_activations_is_read_as_it_was(tmp_path):
    layer = with_random_weights(nb.LSTM(3, 4, rng=0), 1)
    text = json.loads(describe(layer))
    for name in ("activation", "recurrent_activation"):
        del text["options"][name]
    array = np.frombuffer(json.dumps(text).encode(), np.uint8)
    np.savez(tmp_path / "old.npz", **join({"lstm": layer.params}), npbilstm=array)
    assert_same(layer, read_weights(tmp_path / "old.npz")[0])


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (nb.LSTM(3, 4, reverse=True), "reverse is True; PyTorch's LSTM has reverse=False alone"),
        (LAYERS[1], "activation is 'relu'; PyTorch's GRU has activation='tanh' alone"),
        (
            nb.LSTM(3, 4, recurrent_activation="hard_sigmoid"),
            "recurrent_activation is 'hard_sigmoid'; PyTorch's LSTM has recurrent_activation='sigmoid' alone",
        ),
        (LAYERS[3], "nonlinearity is 'hard_sigmoid'; PyTorch's RNN has 'tanh' and 'relu' alone"),
    ],
)
def test_what_pytorch_has_not(layer, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        to_pytorch(layer)


def test_pytorchs_names_of_the_reverse_direction_alone_are_no_layer():
    both = to_pytorch(nb.LSTM(3, 4, bidirectional=True, rng=0))
    alone = {name: w for name, w in both.items() if name.endswith("_reverse")}
    with pytest.raises(
        ValueError, match="state lacks 'weight_ih_l0' and has 'weight_ih_l0_reverse': no module of PyTor"
    ):
        from_pytorch(alone)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"reverse": True},
            "model.recurrent has reverse=True, which a model's file has no place for; npbilstm.write_w",
        ),
        ({"activation": "relu"}, "model.recurrent has activation='relu', which a model's file has no place for"),
    ],
)
def test_a_models_file_has_neither_and_says_so(options, sentence, tmp_path):
    model = nb.SequenceTagger(5, 3, embedding_size=2, hidden_size=4, bidirectional=False, rng=0)
    model.recurrent = nb.LSTM(2, 4, rng=0, **options)
    with pytest.raises(ValueError, match=re.escape(sentence)):
        write_weights(tmp_path / "model.npz", model)
