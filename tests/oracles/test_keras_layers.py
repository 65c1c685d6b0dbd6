"""Keras layers as they are, with other activations and read from the end: what they put out, ours puts out too.

Keras runs on PyTorch, whose products it makes in float32.
"""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.interop import from_keras, to_keras
from tests.cases import assert_close
from tests.interop.drawing import assert_same
from tests.oracles.peers import arrays  # before Keras: it says which backend

torch = pytest.importorskip("torch", reason="torch is not installed (group oracles)")
keras = pytest.importorskip("keras", reason="keras is not installed (group oracles)")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # how Keras reads PyTorch's tensors

X = np.random.default_rng(0).standard_normal((2, 6, 3)).astype(np.float32)
TOLERANCE = 1e-5


def built(layer, width=3):
    """With weights that are nowhere 0."""
    layer.build((None, None, width))
    rng = np.random.default_rng([1, width])  # other numbers in a stack's second layer
    layer.set_weights([(0.7 * rng.standard_normal(w.shape)).astype(np.float32) for w in layer.get_weights()])
    return layer


def steps(name, **options):
    return getattr(keras.layers, name)(4, return_sequences=True, **options)


LAYERS = [
    *(
        ("LSTM", {"activation": a, "recurrent_activation": r})
        for a in ("tanh", "relu")
        for r in ("sigmoid", "hard_sigmoid")
    ),
    ("GRU", {"activation": "relu"}),
    ("GRU", {"recurrent_activation": "hard_sigmoid", "use_bias": False}),
    ("GRU", {"activation": "sigmoid", "recurrent_activation": "hard_sigmoid", "reset_after": False}),
    ("SimpleRNN", {"activation": "relu"}),
    ("SimpleRNN", {"activation": "hard_sigmoid"}),
    ("SimpleRNN", {"activation": "sigmoid", "use_bias": False}),
]


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize(
    ("name", "options"),
    LAYERS,
    ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value.values())),
)
def test_a_layer_is_read_as_it_is(name, options, go_backwards):
    peer = built(steps(name, **options, go_backwards=go_backwards))
    layer = from_keras(peer)
    y = layer.forward(X)[0]
    assert_close(nb.flip(y) if go_backwards else y, arrays(peer(torch.tensor(X))), TOLERANCE)
    assert_same(layer, from_keras(peer.get_weights(), **told(layer)))
    assert_same(layer, from_keras(peer.weights, **told(layer)))
    for w, theirs in zip(to_keras(layer), peer.get_weights()):
        if w.ndim < 2 or "b_hn" not in "".join(layer.params):  # of two biases only the sum is carried
            assert_close(w, theirs, 1e-6)


def told(layer):
    """What no array tells."""
    names = ("activation", "recurrent_activation", "nonlinearity", "reverse", "merge")
    given = {name: getattr(layer, name) for name in names if hasattr(layer, name)}
    given["bidirectional"] = len(layer.directions) == 2
    return given | ({"reset_after": layer.reset_after} if isinstance(layer, nb.GRU) and not layer.bias else {})


@pytest.mark.parametrize("merge_mode", ["concat", "sum", "mul", "ave"])
def test_both_directions_and_a_stack_are_read_as_they_are(merge_mode):
    def both(name, width, **options):
        return built(keras.layers.Bidirectional(steps(name, **options), merge_mode=merge_mode), width)

    first = both("LSTM", 3, activation="relu", recurrent_activation="hard_sigmoid")
    second = both("LSTM", 8 if merge_mode == "concat" else 4, activation="relu", recurrent_activation="hard_sigmoid")
    assert_close(from_keras(first).forward(X)[0], arrays(first(torch.tensor(X))), TOLERANCE)
    stack = from_keras([first, second])
    assert stack.num_layers == 2
    assert_close(stack.forward(X)[0], arrays(second(first(torch.tensor(X)))), 1e-4)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", ["tagger", "classifier", "mean", "max"])
def test_a_whole_model_is_read_as_it_is(kind, bidirectional):
    recurrent = keras.layers.GRU(4, return_sequences=kind != "classifier")
    layers = [
        keras.Input((None,)),
        keras.layers.Embedding(9, 3),
        keras.layers.Dropout(0.5),
        keras.layers.Bidirectional(recurrent) if bidirectional else recurrent,
        *({"mean": [keras.layers.GlobalAveragePooling1D()], "max": [keras.layers.GlobalMaxPooling1D()]}.get(kind, [])),
        keras.layers.Dense(5, activation="softmax"),
    ]
    peer = keras.Sequential(layers)
    ids = np.random.default_rng(2).integers(0, 9, (2, 6))
    logits = from_keras(peer).forward(ids)[0]
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    assert_close(e / e.sum(axis=-1, keepdims=True), arrays(peer(torch.tensor(ids))), TOLERANCE)
    options = {} if kind == "tagger" else {"pooling": "final" if kind == "classifier" else kind}
    read = from_keras(peer.get_weights(), model="tagger" if kind == "tagger" else "classifier", **options)
    assert_close(read.forward(ids)[0], logits, 0)


def test_a_model_of_recurrent_layers_alone_is_a_stack():
    peer = keras.Sequential([keras.Input((None, 3)), steps("LSTM"), steps("LSTM")])
    assert_close(from_keras(peer).forward(X)[0], arrays(peer(torch.tensor(X))), TOLERANCE)


def test_a_cell_in_an_rnn_is_read():
    peer = built(keras.layers.RNN(keras.layers.LSTMCell(4, recurrent_activation="hard_sigmoid"), return_sequences=True))
    assert_close(from_keras(peer).forward(X)[0], arrays(peer(torch.tensor(X))), TOLERANCE)


def test_half_precision_variables_are_read():
    for dtype in ("float16", "bfloat16"):
        peer = keras.layers.LSTM(4, recurrent_initializer="glorot_uniform", dtype=dtype)
        peer.build((None, None, 3))
        for given in (peer, peer.get_weights(), peer.weights):
            assert {p.dtype for p in from_keras(given, bidirectional=False).params.values()} == {np.dtype("float32")}


def test_an_activation_that_is_not_here_is_refused_by_name():
    for name in ("linear", "elu", None):
        with pytest.raises(ValueError, match="activation is '(linear|elu)'; it needs one of 'tanh', 'sigmoid', 'relu'"):
            from_keras(built(steps("LSTM", activation=name)))


def test_a_layer_that_was_never_built_is_refused():
    with pytest.raises(
        ValueError, match="the Keras layer LSTM has no weights yet; build it, or call it once on an input"
    ):
        from_keras(keras.layers.LSTM(4))


def test_keras_refuses_what_was_written_nowhere_but_takes_ours_back():
    layer = nb.LSTM(3, 4, activation="relu", recurrent_activation="hard_sigmoid_sixth", reverse=True, rng=0)
    peer = built(steps("LSTM", activation="relu", recurrent_activation="hard_sigmoid", go_backwards=True))
    peer.set_weights(to_keras(layer))
    assert_close(nb.flip(arrays(peer(torch.tensor(X)))), layer.forward(X)[0], TOLERANCE)
    assert_same(layer, from_keras(peer))
