"""What has no counterpart, or does not fit together, is refused in a sentence."""

import copy
import re

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.interop import (
    embedding_from_pytorch,
    from_keras,
    from_pytorch,
    linear_from_keras,
    linear_from_pytorch,
    model_from_pytorch,
    named,
    to_keras,
    to_pytorch,
)


def changed(state, **changes):
    """The state with names replaced or added; None takes one away."""
    return {name: w for name, w in {**state, **changes}.items() if w is not None}


LSTM = to_pytorch(nb.LSTM(3, 4, 2, rng=0))
GRU = to_pytorch(nb.GRU(3, 4, rng=0))
SMALL = nb.LSTM(3, 4, projection_size=2, rng=0)
TAGGER = to_pytorch(nb.SequenceTagger(5, 2, embedding_size=3, hidden_size=4, rng=0))


def zeros(*shape):
    return np.zeros(shape, np.float32)


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (nb.LSTM(3, 4, peepholes=True), "peepholes is True; PyTorch's LSTM has peepholes=False alone"),
        (nb.LSTM(3, 4, coupled=True), "coupled is True; PyTorch's LSTM has coupled=False alone"),
        (nb.GRU(3, 4, reset_after=False), "reset_after is False; PyTorch's GRU has reset_after=True alone"),
        (nb.BiLSTM(3, 4, merge="sum"), "merge is 'sum'; PyTorch's LSTM has merge='concat' alone"),
        (nb.BiLSTM(3, 4, merge=None), "merge is None; PyTorch's LSTM has merge='concat' alone"),
        (
            nb.LSTM(3, 4, projection_size=4),
            "projection_size is 4; PyTorch needs it to be smaller than hidden_size, which is 4",
        ),
    ],
)
def test_what_pytorch_has_not(layer, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        to_pytorch(layer)


@pytest.mark.parametrize("option", ["bidirectional", "num_layers", "dtype", "bias", "projection_size", "hidden_size"])
def test_what_the_weights_tell_is_not_to_be_given(option):
    with pytest.raises(ValueError, match=f"{option} is given, which the weights tell; leave it out"):
        from_pytorch(to_pytorch(SMALL), **{option: 1})


def test_without_biases_the_kind_of_a_grus_reset_has_to_be_given():
    layer = nb.GRU(3, 4, reset_after=False, bias=False, rng=0)
    with pytest.raises(ValueError, match="without biases, nothing tells where the GRU's reset gate stands"):
        named.from_params(layer.params, "gru")
    assert not named.from_params(layer.params, "gru", reset_after=False).reset_after
    with pytest.raises(ValueError, match="reset_after is given, which the weights tell"):
        named.from_params(nb.GRU(3, 4, reset_after=False, rng=0).params, "gru", reset_after=True)


@pytest.mark.parametrize("write", [to_pytorch, to_keras])
def test_params_of_other_numbers_are_not_written(write):
    layer = nb.GRU(3, 4, rng=0)
    for dtype in (">f4", np.float16, np.complex64):
        odd = copy.copy(layer)
        odd.params = {name: p.astype(dtype) for name, p in layer.params.items()}
        with pytest.raises(TypeError, match="it needs float32 or float64"):
            write(odd)


def test_what_is_no_array_is_named():
    class Tensor:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("call detach() first")

    with pytest.raises(TypeError, match=r"state\['weight_ih_l0'\] cannot be read as an array: call detach\(\) first"):
        from_pytorch({**LSTM, "weight_ih_l0": Tensor()})


def test_a_model_is_asked_for_by_its_class():
    with pytest.raises(TypeError, match="make is 'tagger'; it needs nb.SequenceTagger or nb.SequenceClassifier"):
        model_from_pytorch(TAGGER, "tagger")
    with pytest.raises(ValueError, match="nonlinearity is 'relu'; the RNN of a SequenceTagger has 'tanh' alone"):
        model_from_pytorch(TAGGER, nb.SequenceTagger, nonlinearity="relu")
    with pytest.raises(ValueError, match="merge is given; of a SequenceTagger the weights tell it, or it cannot be"):
        model_from_pytorch(TAGGER, nb.SequenceTagger, merge="sum")


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ({}, "state lacks 'weight_ih_l0'"),
        (changed(LSTM, weight_hh_l0=None), "state lacks 'weight_hh_l0'"),
        (changed(LSTM, weight_hh_l1=None), "state lacks 'weight_hh_l1'"),
        (changed(LSTM, bias_hh_l0=None), "state lacks 'bias_hh_l0'"),
        (changed(LSTM, bias_ih_l0=None), "state lacks 'bias_ih_l0'"),
        (changed(LSTM, weight_ih_l0_reverse=zeros(16, 3)), "state lacks 'weight_hh_l0_reverse'"),
        (changed(LSTM, weight_ih_l3=zeros(16, 4)), "state lacks 'weight_ih_l2'"),
        (changed(LSTM, shoe=zeros(43)), "state has 'shoe', which is none of "),
        (changed(LSTM, bias_hh_l1=zeros(1)), "state['bias_hh_l1'] has shape (1,); it needs (16,)"),
        (changed(LSTM, weight_ih_l0=zeros(16)), "state['weight_ih_l0'] has shape (16,); it needs two axes"),
        (changed(LSTM, weight_ih_l0=zeros(16, 0)), "input_size is 0; it needs to be at least 1"),
        (
            changed(LSTM, weight_hh_l0=zeros(16, 3)),
            "state['weight_hh_l0'] has shape (16, 3), and the hidden size is 3; "
            "it needs 12 rows for an LSTM, 9 for a GRU or 3 for an RNN",
        ),
        (changed(LSTM, weight_hh_l0=zeros(0, 0)), "and the hidden size is 0"),
        (changed(GRU, weight_hr_l0=zeros(2, 4)), "of which only an LSTM has a weight_hr"),
        (changed(LSTM, weight_hr_l0=zeros(4)), "state['weight_hr_l0'] has shape (4,); it needs two axes"),
        (changed(LSTM, weight_hr_l0=zeros(5, 4)), "projection_size is 5; PyTorch needs it to be smaller"),
    ],
)
def test_a_state_that_makes_no_layer(state, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        from_pytorch(state)


def test_a_prefix_is_part_of_the_names_in_a_sentence():
    state = {f"net.{name}": w for name, w in changed(LSTM, weight_hh_l1=None).items()}
    with pytest.raises(ValueError, match="state lacks 'net.weight_hh_l1'"):
        from_pytorch(state, "net.")


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (
            changed(LSTM, bias_hh_l1=np.zeros(16)),
            "state['bias_hh_l1'] has dtype float64 and state['weight_ih_l0'] has ",
        ),
        (
            changed(LSTM, bias_hh_l1=np.zeros(16, int)),
            "state['bias_hh_l1'] has dtype int64; it needs float32 or float64",
        ),
    ],
)
def test_a_state_of_other_numbers(state, sentence):
    with pytest.raises(TypeError, match=re.escape(sentence)):
        from_pytorch(state)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (
            LSTM,
            "a SequenceTagger needs one Embedding (weight), one LSTM, GRU or RNN (weight_ih_l0, ...) and one Linear",
        ),
        (changed(TAGGER, **{"norm.weight": zeros(4)}), "a SequenceTagger needs one Embedding (weight)"),
        (changed(TAGGER, **{"norm.gain": zeros(4)}), "a SequenceTagger needs one Embedding (weight)"),
        (changed(TAGGER, **{"a.weight_ih_l0": zeros(4)}), "a SequenceTagger needs one Embedding (weight)"),
        (changed(TAGGER, **{"linear.weight": zeros(2, 7)}), "params['linear.W'] has shape (7, 2); it needs (8, 2)"),
        (changed(TAGGER, **{"linear.bias": zeros(3)}), "state['linear.bias'] has shape (3,); it needs (2,)"),
        (
            changed(TAGGER, **{"embedding.weight": zeros(5)}),
            "state['embedding.weight'] has shape (5,); it needs two axes",
        ),
        (
            changed(TAGGER, **{"embedding.weight": zeros(5, 4)}),
            "params['lstm.0.forward.Wx'] has shape (3, 16); it needs (4, 16)",
        ),
    ],
)
def test_a_state_that_makes_no_model(state, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        model_from_pytorch(state, nb.SequenceTagger)


def test_a_model_has_biases_and_no_projection():
    def state(recurrent):
        rest = {name: w for name, w in TAGGER.items() if not name.startswith("lstm.")}
        linear = changed(rest, **{"linear.weight": zeros(2, recurrent.output_size)})
        return {**linear, **{f"rnn.{name}": w for name, w in to_pytorch(recurrent).items()}}

    with pytest.raises(ValueError, match="projection_size is 2; a SequenceTagger has projection_size=None alone"):
        model_from_pytorch(state(SMALL), nb.SequenceTagger)
    with pytest.raises(ValueError, match="bias is False; a SequenceTagger has bias=True alone"):
        model_from_pytorch(state(nb.GRU(3, 4, bias=False)), nb.SequenceTagger)


def test_a_linear_layer_and_an_embedding_of_other_shapes():
    for read in (linear_from_pytorch, embedding_from_pytorch):
        with pytest.raises(ValueError, match="state lacks 'a.weight'"):
            read({"weight": zeros(2, 3)}, "a.")
        with pytest.raises(ValueError, match=re.escape("state['weight'] has shape (3,); it needs two axes")):
            read({"weight": zeros(3)})
    with pytest.raises(ValueError, match="state has 'shoe', which is none of weight, bias"):
        linear_from_pytorch({"weight": zeros(2, 3), "shoe": zeros(43)})
    with pytest.raises(ValueError, match="state has 'bias', which is none of weight"):
        embedding_from_pytorch({"weight": zeros(2, 3), "bias": zeros(2)})


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (nb.LSTM(3, 4, peepholes=True), "peepholes is True; Keras's LSTM has peepholes=False alone"),
        (nb.LSTM(3, 4, coupled=True), "coupled is True; Keras's LSTM has coupled=False alone"),
        (SMALL, "projection_size is 2; Keras's LSTM has projection_size=None alone"),
    ],
)
def test_what_keras_has_not(layer, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        to_keras(layer)


KERAS_GRU = to_keras(nb.GRU(3, 4, rng=0))
KERAS_LSTM = to_keras(nb.LSTM(3, 4, rng=0))


@pytest.mark.parametrize(
    ("weights", "cell", "options", "sentence"),
    [
        (KERAS_LSTM, "lstmm", {}, 'cell is \'lstmm\'; it needs "lstm", "gru" or "rnn"'),
        ([], "lstm", {}, "weights holds 0 arrays; with bidirectional=False and bias=True it needs 3 for each layer"),
        (KERAS_LSTM, "lstm", {"bidirectional": True}, "weights holds 3 arrays; with bidirectional=True and bias=True "),
        (KERAS_LSTM, "lstm", {"bias": False}, "with bidirectional=False and bias=False it needs 2 for each layer"),
        (KERAS_LSTM, "gru", {}, "weights[0] has shape (3, 16); it needs (3, 12)"),
        ([zeros(3), *KERAS_LSTM[1:]], "lstm", {}, "weights[0] has shape (3,); it needs two axes"),
        ([*KERAS_LSTM[:2], zeros(15)], "lstm", {}, "weights[2] has shape (15,); it needs (16,)"),
        ([*KERAS_GRU[:2], zeros(5)], "gru", {}, "weights[2] has shape (5,); it needs (2, 12)"),
        (
            [*KERAS_GRU[:2], zeros(12)],
            "gru",
            {"reset_after": True},
            "weights[2] has shape (12,), which is the bias of a GRU with reset_after=False; "
            "the layer asked for has reset_after=True, whose bias has shape (2, 12)",
        ),
        (
            KERAS_GRU,
            "gru",
            {"reset_after": False},
            "weights[2] has shape (2, 12), which is the bias of a GRU with reset_after=True; "
            "the layer asked for has reset_after=False, whose bias has shape (12,)",
        ),
    ],
)
def test_weights_of_keras_that_make_no_layer(weights, cell, options, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        from_keras(weights, cell, **options)


def test_a_dense_layer_of_other_shapes():
    with pytest.raises(ValueError, match="weights holds 1 arrays; a Dense layer needs 2, its kernel and its bias"):
        linear_from_keras([zeros(3, 4)])
    with pytest.raises(ValueError, match=re.escape("weights[1] has shape (3,); it needs (4,)")):
        linear_from_keras([zeros(3, 4), zeros(3)])


@pytest.mark.parametrize("write", [to_pytorch, to_keras])
def test_a_layer_without_weights_to_carry(write):
    with pytest.raises(TypeError, match="it needs an LSTM, GRU or RNN layer, Linear, Embedding or a model"):
        write(nb.Dropout(0.5))


OURS = dict(nb.LSTM(3, 4, rng=0).params)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({}, "params lacks '0.forward.Wx'"),
        (changed(OURS, **{"0.forward.Wh": None}), "params lacks '0.forward.Wh'"),
        (changed(OURS, **{"0.forward.Wh": zeros(4)}), "params['0.forward.Wh'] has shape (4,); it needs two axes"),
        (
            changed(OURS, **{"0.forward.Wh": zeros(0, 0)}),
            "params['0.forward.Wh'] has shape (0, 0), which does not tell",
        ),
        (changed(OURS, **{"0.forward.b": zeros(4)}), "params['0.forward.b'] has shape (4,); it needs (16,)"),
        (changed(OURS, **{"1.forward.Wh": zeros(4)}), "params has '1.forward.Wh', which is none of"),
    ],
)
def test_params_that_make_no_layer(params, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        named.from_params(params)
