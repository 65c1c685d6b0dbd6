"""Weights of Keras in the forms in which people hold them, read right or refused with what to do; numbers against
a loop
over Keras' own equations."""

from __future__ import annotations

import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.interop import from_keras, linear_from_keras, to_keras
from npbilstm.textbook.activations import ACTIVATIONS
from tests.cases import assert_close
from tests.interop.drawing import assert_same, with_random_weights

D, H = 3, 4
ZEROS = np.zeros
X = np.random.default_rng(0).standard_normal((2, 5, D))


def drawn(*shapes, seed=1):
    rng = np.random.default_rng(seed)
    return [0.5 * rng.standard_normal(shape) for shape in shapes]


LSTM = drawn((D, 4 * H), (H, 4 * H), (4 * H,))
GRU = drawn((D, 3 * H), (H, 3 * H), (2, 3 * H))
GRU_BEFORE = [*GRU[:2], GRU[2][0]]
RNN = drawn((D, H), (H, H), (H,))


def by_keras(weights, activation, recurrent_activation="sigmoid"):
    """A loop over the equations that Keras documents; which cell, the shapes tell."""
    act, sigma = ACTIVATIONS[activation][0], ACTIVATIONS[recurrent_activation][0]
    W, U, b = weights
    h = c = np.zeros((len(X), H))
    ys = []
    for x in X.swapaxes(0, 1):
        if W.shape[1] == 4 * H:
            i, f, g, o = np.split(x @ W + h @ U + b, 4, axis=1)
            c = sigma(f) * c + sigma(i) * act(g)
            h = sigma(o) * act(c)
        elif W.shape[1] == 3 * H:
            after = b.ndim == 2
            z_x, r_x, h_x = np.split(x @ W + (b[0] if after else b), 3, axis=1)
            z_h, r_h, h_h = np.split(h @ U + (b[1] if after else 0), 3, axis=1)
            z, r = sigma(z_x + z_h), sigma(r_x + r_h)
            h = z * h + (1 - z) * act(h_x + (r * h_h if after else (r * h) @ U[:, 2 * H :]))
        else:
            h = act(x @ W + h @ U + b)
        ys.append(h)
    return np.stack(ys, axis=1)


@pytest.mark.parametrize("weights", [LSTM, GRU, GRU_BEFORE], ids=["LSTM", "GRU", "GRU reset before"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
@pytest.mark.parametrize("gate", ["sigmoid", "hard_sigmoid", "hard_sigmoid_sixth", "tanh"])
def test_every_activation_that_is_asked_for_is_computed(weights, activation, gate):
    layer = from_keras(weights, activation=activation, recurrent_activation=gate)
    assert_close(layer.forward(X)[0], by_keras(weights, activation, gate))


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "hard_sigmoid"])
def test_the_activation_of_a_simple_rnn_is_its_nonlinearity(activation):
    layer = from_keras(RNN, "rnn", activation=activation)
    assert_same(layer, from_keras(RNN, "rnn", nonlinearity=activation))
    assert_close(layer.forward(X)[0], by_keras(RNN, activation))


@pytest.mark.parametrize(
    ("weights", "cell", "options", "sentence"),
    [
        (
            LSTM,
            None,
            {"activation": "linear"},
            "activation is 'linear'; it needs one of 'tanh', 'sigmoid', 'relu', 'ha",
        ),
        (
            GRU,
            None,
            {"recurrent_activation": "elu"},
            "recurrent_activation is 'elu'; it needs one of 'tanh', 'sigmoid'",
        ),
        (RNN, "rnn", {"activation": "selu"}, "nonlinearity is 'selu'; it needs one of 'tanh', 'sigmoid', 'relu'"),
        (RNN, "rnn", {"activation": "relu", "nonlinearity": "tanh"}, "activation is 'relu' and nonlinearity is 'tanh'"),
        (RNN, "rnn", {"recurrent_activation": "tanh"}, "recurrent_activation is given, which LSTM and GRU alone have"),
    ],
)
def test_an_activation_that_is_not_here_is_named(weights, cell, options, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        from_keras(weights, cell, **options)


def test_the_shapes_tell_the_cell_the_directions_and_the_biases():
    for layer in [
        nb.LSTM(3, 4, 3, rng=0),
        nb.GRU(3, 4, 2, bidirectional=True, rng=0),
        nb.GRU(3, 4, reset_after=False, rng=0),
        nb.RNN(3, 4, bias=False, rng=0),
        nb.LSTM(4, 4, 3, rng=0),
    ]:
        layer = with_random_weights(layer, 1)
        assert_same(layer, from_keras(to_keras(layer)))


def test_where_they_do_not_tell_what_needs_to_be_given_is_named():
    two = nb.LSTM(4, 4, 2, rng=0)
    sentence = (
        "weights holds 6 arrays, which are those of 2 stacked layers of one direction, and as well those of 1 "
        "with both; "
        "bidirectional needs to be given, True or False"
    )
    with pytest.raises(ValueError, match=re.escape(sentence)):
        from_keras(to_keras(two))
    assert_same(two, from_keras(to_keras(two), bidirectional=False))
    assert from_keras(to_keras(two), bidirectional=True).directions == ("forward", "reverse")
    with pytest.raises(ValueError, match="nothing tells where the GRU's reset gate stands; reset_after is needed"):
        from_keras(GRU[:2])
    with pytest.raises(ValueError, match="which fit with a bias and without; bias needs to be given"):
        from_keras([ZEROS(shape) for shape in [(2, 6), (2, 6)] * 3], "gru", bidirectional=False)


def test_layers_read_from_the_end():
    layer = from_keras(LSTM, reverse=True)
    assert layer.directions == ("reverse",)
    assert_close(nb.flip(layer.forward(nb.flip(X))[0]), by_keras(LSTM, "tanh"))
    for w, other in zip(to_keras(layer), LSTM):
        assert_close(w, other, 0)


# what CuDNN keeps: memory of column-major matrices


def as_cudnn(w, G):
    """A kernel in CuDNN's memory: block by block, the transposed matrix's numbers in a row, under the shape (D, H)."""
    return np.concatenate([block.T.ravel().reshape(block.shape) for block in np.split(w, G, axis=1)], axis=1)


def test_the_weights_of_a_cudnn_lstm_are_an_lstms():
    b = np.concatenate([LSTM[2] - 0.25, np.full(4 * H, 0.25)])
    theirs = [as_cudnn(LSTM[0], 4), as_cudnn(LSTM[1], 4), b]
    assert_close(from_keras(theirs, "lstm").forward(X)[0], by_keras(LSTM, "tanh"))
    both = from_keras([*theirs, *theirs], bidirectional=True)
    assert_close(both.forward(X)[0][..., :H], by_keras(LSTM, "tanh"))


def test_that_memory_is_what_keras_own_conversion_makes():
    w = np.arange(6).reshape(2, 3)
    assert as_cudnn(w, 1).tolist() == w.T.reshape(w.shape, order="C").tolist() == [[0, 3, 1], [4, 2, 5]]


def test_the_weights_of_a_cudnn_gru_are_a_grus():
    theirs = [as_cudnn(GRU[0], 3), as_cudnn(GRU[1], 3), GRU[2].ravel()]
    layer = from_keras(theirs)
    assert layer.reset_after
    assert_close(layer.forward(X)[0], by_keras(GRU, "tanh"))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_read_as_float32(dtype):
    if dtype == "bfloat16":
        dtype = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed (group oracles)").bfloat16
    halves = [w.astype(dtype) for w in LSTM]
    layer = from_keras(halves)
    assert {p.dtype for p in layer.params.values()} == {np.dtype(np.float32)}
    for w, half in zip(to_keras(layer), halves):
        assert_close(w, half.astype(np.float32), 0)


def test_a_dict_is_read_by_its_names_in_any_order():
    W, U, b = LSTM
    expected = from_keras(LSTM)
    assert_same(expected, from_keras({"bias": b, "kernel": W, "recurrent_kernel": U}))
    in_a_file = {f"lstm/lstm_cell/{name}:0": w for name, w in zip(("bias", "kernel", "recurrent_kernel"), (b, W, U))}
    assert_same(expected, from_keras(in_a_file))
    kinds = ("kernel", "recurrent_kernel", "bias")
    names = [f"{k}/{way}_lstm/{kind}" for k in "ab" for way in ("forward", "backward") for kind in kinds]
    both = with_random_weights(nb.LSTM(D, H, 2, bidirectional=True, rng=0), 2)
    named = dict(zip(names, to_keras(both)))
    assert_same(both, from_keras({name: named[name] for name in sorted(named)}))
    with pytest.raises(
        ValueError, match="weights has the name 'gamma'; it needs names that end in kernel, recurrent_ke"
    ):
        from_keras({"kernel": W, "gamma": b})


TAGGERS = [
    nb.SequenceTagger(7, 3, embedding_size=2, hidden_size=4, rng=0),
    nb.SequenceTagger(7, 3, embedding_size=4, hidden_size=4, bidirectional=False, num_layers=2, cell="gru", rng=0),
    nb.SequenceTagger(7, 3, embedding_size=4, hidden_size=4, cell="rnn", rng=0),
]


@pytest.mark.parametrize("model", TAGGERS, ids=lambda model: model.cell)
def test_a_whole_model_there_and_back(model):
    model = with_random_weights(model, 1)
    ids = np.array([[1, 2, 6], [4, 0, 0]])
    back = from_keras(to_keras(model), model="tagger", dropout=0.25)
    assert back.config == {**model.config, "dropout": 0.25}
    assert_close(back.forward(ids)[0], model.forward(ids)[0], 0)


def test_a_classifier_there_and_back():
    model = nb.SequenceClassifier(7, 3, embedding_size=2, hidden_size=4, pooling="max", rng=0)
    back = from_keras(to_keras(model), model="classifier", pooling="max")
    assert back.config == model.config
    assert_close(back.forward(np.array([[1, 2]]))[0], model.forward(np.array([[1, 2]]))[0], 0)


WHOLE = to_keras(nb.SequenceTagger(20, 5, embedding_size=3, hidden_size=4, bidirectional=False, rng=0))
TENSORFLOW_1 = drawn((D + H, 4 * H), (4 * H,))
KERAS_1 = drawn(*[(D, H), (H, H), (H,)] * 4)


@pytest.mark.parametrize(
    ("weights", "options", "sentence"),
    [
        (
            WHOLE,
            {},
            "weights holds a whole model, an Embedding (20, 3), recurrent layers, a Dense (4, 5), and does not say "
            "which; "
            'model needs to be "tagger" (one label per step) or "classifier" (one per sequence). Or read the recurrent '
            "layers alone: from_keras(weights[1:4])",
        ),
        (
            WHOLE[1:4],
            {"model": "tagger"},
            "weights holds arrays of shapes (3, 16), (4, 16), (16,); a whole model needs an",
        ),
        (WHOLE, {"model": "taggers"}, 'model is \'taggers\'; it needs "tagger" or "classifier"'),
        (
            WHOLE,
            {"model": "tagger", "activation": "relu"},
            "activation is 'relu'; a SequenceTagger has activation='tanh'",
        ),
        (WHOLE, {"model": "tagger", "reverse": True}, "reverse is True; a SequenceTagger has reverse=False alone"),
        (
            WHOLE[1:],
            {},
            "weights holds 5 arrays that are no one stack of equal layers: weights[0:3] an LSTM of 4 units that reads "
            "3, weights[3] (4, 5), weights[4] (5,). Read what you need by itself, e.g. from_keras(weights[0:3])",
        ),
        (
            [ZEROS(shape) for shape in [(3, 32), (8, 32), (32,), (8, 16), (4, 16), (16,)]],
            {},
            "weights[0:3] an LSTM of 8 units that reads 3, weights[3:6] an LSTM of 4 units that reads 8. Read what you",
        ),
        (TENSORFLOW_1, {}, "as the LSTMCell of TensorFlow 1 has them"),
        (TENSORFLOW_1, {"cell": "lstm"}, "from_keras([W[:3], W[3:], b], 'lstm')"),
        (KERAS_1, {}, "weights holds 12 arrays, as Keras 1 has them: W, U, b for each of i, c, f, o."),
        (KERAS_1[:9], {"cell": "gru"}, "for each of z, r, h."),
    ],
)
def test_what_is_no_stack_is_said_to_be_what_it_is_and_what_to_do(weights, options, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        from_keras(weights, **options)


def test_tensorflow_1s_weights_are_read_as_the_sentence_says():
    kernel, bias = TENSORFLOW_1
    i, j, f, o = np.split(kernel, 4, axis=1)
    h = c = np.zeros((2, H))
    for x in X.swapaxes(0, 1):  # LSTMCell's own equations
        a_i, a_j, a_f, a_o = np.split(np.concatenate([x, h], axis=1) @ kernel + bias, 4, axis=1)
        c = ACTIVATIONS["sigmoid"][0](a_f + 1.0) * c + ACTIVATIONS["sigmoid"][0](a_i) * np.tanh(a_j)
        h = ACTIVATIONS["sigmoid"][0](a_o) * np.tanh(c)
    b_i, b_j, b_f, b_o = np.split(bias, 4)
    W, b = np.concatenate([i, f, j, o], axis=1), np.concatenate([b_i, b_f + 1.0, b_j, b_o])
    assert_close(from_keras([W[:D], W[D:], b], "lstm").forward(X)[0][:, -1], h)


def test_keras_1s_weights_are_read_as_the_sentence_says():
    by_gate = {gate: KERAS_1[3 * k : 3 * k + 3] for k, gate in enumerate("icfo")}
    W, U, b = ([by_gate[gate][kind] for gate in "ifco"] for kind in range(3))
    joined = [np.concatenate(W, axis=1), np.concatenate(U, axis=1), np.concatenate(b)]
    assert_close(from_keras(joined, "lstm").forward(X)[0], by_keras(joined, "tanh"))


@pytest.mark.parametrize("weights", [object(), np.zeros((3, 4)), "lstm", 3, None])
def test_what_is_no_list_of_weights_is_refused(weights):
    with pytest.raises(
        TypeError, match="; it needs the list that a Keras layer's get_weights\\(\\) returns, or the layer "
    ):
        from_keras(weights)


# Keras layers, as far as they are asked: a class's name, get_config() and get_weights()


def layer_like(name, weights, **config):
    """Something that answers as a Keras layer of this class does."""
    methods = {"get_config": lambda self: config, "get_weights": lambda self: list(weights)}
    return type(name, (), {"__module__": "keras.src.layers", **methods})()


@pytest.fixture
def keras_version(monkeypatch):
    def pretend(version):
        monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(__version__=version))

    pretend("3.15.0")
    return pretend


def test_a_layer_says_how_it_was_made(keras_version):
    one = layer_like("LSTM", LSTM, activation="relu", recurrent_activation="hard_sigmoid", go_backwards=True)
    layer = from_keras(one)
    assert (
        repr(layer)
        == "LSTM(3, 4, 1, reverse=True, activation='relu', recurrent_activation='hard_sigmoid_sixth', dtype=float64)"
    )
    keras_version("2.15.0")
    assert from_keras(one).recurrent_activation == "hard_sigmoid"
    gru = layer_like("GRU", GRU_BEFORE, reset_after=False, activation="tanh", recurrent_activation="sigmoid")
    assert from_keras(gru, "gru").reset_after is False
    assert from_keras(layer_like("SimpleRNN", RNN, activation="relu")).nonlinearity == "relu"
    assert from_keras(layer_like("GRU", GRU[:2], reset_after=False, use_bias=False)).bias is False
    cell = layer_like("LSTMCell", [], activation="sigmoid")
    wrapped = layer_like("RNN", LSTM, go_backwards=False)
    wrapped.cell = cell
    assert from_keras(wrapped).activation == "sigmoid"


def test_an_activation_of_somebodys_own_is_refused_by_what_it_is(keras_version):
    for own, what in (({"class_name": "function"}, "a function"), ({"class_name": "LeakyReLU"}, "LeakyReLU")):
        with pytest.raises(ValueError, match=f"LSTM has an activation that Keras has no name for, {what}; it needs"):
            from_keras(layer_like("LSTM", LSTM, activation=own))


def bidirectional(weights, merge_mode="concat", **changed):
    both = layer_like("Bidirectional", [*weights, *weights])
    both.forward_layer, both.merge_mode = layer_like("LSTM", weights, return_sequences=True), merge_mode
    both.backward_layer = layer_like("LSTM", weights, **{"return_sequences": True, "go_backwards": True, **changed})
    return both


def test_a_bidirectional_says_how_its_directions_are_joined(keras_version):
    assert (
        repr(from_keras(bidirectional(LSTM, "ave"))) == "LSTM(3, 4, 1, bidirectional=True, merge='ave', dtype=float64)"
    )
    second = drawn((2 * H, 4 * H), (H, 4 * H), (4 * H,), seed=2)
    assert from_keras([bidirectional(LSTM), bidirectional(second)]).num_layers == 2


def model_like(*layers):
    model = layer_like("Sequential", [w for layer in layers for w in layer.get_weights()])
    model.layers = list(layers)
    return model


def test_a_model_says_whether_it_tags_or_classifies(keras_version):
    table, *_, W, b = WHOLE
    embedding, dense = layer_like("Embedding", [table]), layer_like("Dense", [W, b], activation="softmax")
    inside = layer_like("TimeDistributed", [W, b])
    inside.layer = dense
    steps = layer_like("LSTM", WHOLE[1:4], return_sequences=True)
    last = layer_like("LSTM", WHOLE[1:4], return_sequences=False)
    dropout = layer_like("Dropout", [])
    assert isinstance(from_keras(model_like(embedding, steps, inside)), nb.SequenceTagger)
    classifier = from_keras(model_like(embedding, dropout, last, dense), dropout=0.5)
    assert (classifier.pooling, classifier.dropout.p) == ("final", 0.5)
    pooled = from_keras(model_like(embedding, steps, layer_like("GlobalMaxPooling1D", []), dense))
    assert pooled.pooling == "max"
    ids = np.array([[3, 1, 2]])
    expected = linear_from_keras([W, b]).forward(from_keras(steps).forward(table[ids])[0].max(axis=1))[0]
    assert_close(pooled.forward(ids)[0], expected, 1e-6)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: layer_like("LSTM", []),
            "the Keras layer LSTM has no weights yet; build it, or call it once on an input",
        ),
        (lambda: layer_like("LSTM", LSTM, activation="linear"), "activation is 'linear'; it needs one of"),
        (
            lambda: layer_like("Conv1D", LSTM),
            "weights is a Keras model or layer with Conv1D; what can be read is recurrent",
        ),
        (
            lambda: model_like(layer_like("LSTM", LSTM), layer_like("Dense", RNN[1:])),
            "model or layer with LSTM, Dense; what",
        ),
        (
            lambda: bidirectional(LSTM, go_backwards=False),
            "the Bidirectional's forward layer has go_backwards=True, or its",
        ),
        (lambda: bidirectional(LSTM, activation="relu"), "the Bidirectional's two layers are of other kinds"),
        (
            lambda: [layer_like("LSTM", LSTM, return_sequences=True), layer_like("LSTM", LSTM, activation="relu")],
            "layer 1 of the stack has lstm, bidirectional=False, reverse=False, bias=True, activation='relu'",
        ),
        (
            lambda: [layer_like("LSTM", LSTM), layer_like("LSTM", LSTM)],
            "layer 0 of the stack has return_sequences=False; the layer after it reads every step",
        ),
    ],
)
def test_a_layer_that_cannot_be_read_is_told_why(make, sentence, keras_version):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        from_keras(make())


def test_what_a_layer_says_may_be_repeated_but_not_contradicted(keras_version):
    one = layer_like("LSTM", LSTM)
    assert_same(from_keras(one), from_keras(one, "lstm", activation="tanh", bidirectional=False))
    with pytest.raises(ValueError, match="activation is given as 'relu'; the Keras layer has 'tanh'"):
        from_keras(one, activation="relu")
    with pytest.raises(ValueError, match="cell is given as 'gru'; the Keras layer has 'lstm'"):
        from_keras(one, "gru")
