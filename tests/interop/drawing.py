"""Layers and models of every kind by hypothesis, their weights distinct and of about 0.5, biases included."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.layers.options import ACTIVATIONS, SIGMOIDS
from tests.layers.recurrent_cases import WAYS

MERGES = ("concat", "sum", "mul", "ave", None)
POOLINGS = ("final", "mean", "max")
LAYERS = {"lstm": nb.LSTM, "gru": nb.GRU, "rnn": nb.RNN}


def with_random_weights(layer, seed):
    rng = np.random.default_rng(seed)
    dtype = next(iter(layer.params.values())).dtype
    return layer.with_params({n: (0.5 * rng.standard_normal(p.shape)).astype(dtype) for n, p in layer.params.items()})


def sizes_of(layer):
    return layer.input_size, layer.hidden_size, layer.num_layers


@st.composite
def recurrent_layers(
    draw,
    variants=True,
    projection=False,
    reset_before=True,
    merges=MERGES,
    dtypes=("f4", "f8"),
    deep=3,
    reverse=False,
    activations=False,
):
    """A recurrent layer. variants: of the LSTM, peepholes and coupled gates; projection: to fewer units; reverse: that
    direction alone, too; activations: others than tanh and sigmoid, too."""
    cell = draw(st.sampled_from(list(LAYERS)))
    H = draw(st.integers(1, 4))
    options = {"bias": draw(st.booleans()), **draw(st.sampled_from(WAYS if reverse else [WAYS[0], WAYS[2]]))}
    options["merge"] = draw(st.sampled_from(merges)) if options.get("bidirectional") else "concat"
    if cell == "lstm":
        options |= {"peepholes": variants and draw(st.booleans()), "coupled": variants and draw(st.booleans())}
        if projection and H > 1 and draw(st.booleans()):
            options["projection_size"] = draw(st.integers(1, H - 1))
    if cell == "gru":
        options["reset_after"] = not reset_before or draw(st.booleans())
    if cell == "rnn":
        options["nonlinearity"] = draw(st.sampled_from(ACTIVATIONS if activations else ["tanh", "relu"]))
    elif activations:
        options["activation"] = draw(st.sampled_from(ACTIVATIONS))
        options["recurrent_activation"] = draw(st.sampled_from(SIGMOIDS if options.get("coupled") else ACTIVATIONS))
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    layer = LAYERS[cell](draw(st.integers(1, 4)), H, draw(st.integers(1, deep)), dtype=dtype, rng=0, **options)
    return with_random_weights(layer, draw(st.integers(0, 2**32 - 1)))


@st.composite
def models(draw, dtypes=("f4", "f8")):
    """A tagger, or a classifier of any pooling."""
    make = draw(st.sampled_from([nb.SequenceTagger, nb.SequenceClassifier]))
    options = {"pooling": draw(st.sampled_from(POOLINGS))} if make is nb.SequenceClassifier else {}
    model = make(
        draw(st.integers(1, 6)),
        draw(st.integers(1, 4)),
        cell=draw(st.sampled_from(list(LAYERS))),
        embedding_size=draw(st.integers(1, 4)),
        hidden_size=draw(st.integers(1, 4)),
        num_layers=draw(st.integers(1, 2)),
        bidirectional=draw(st.booleans()),
        dropout=draw(st.sampled_from([0.0, 0.25])),
        dtype=np.dtype(draw(st.sampled_from(dtypes))),
        rng=0,
        **options,
    )
    return with_random_weights(model, draw(st.integers(0, 2**32 - 1)))


def not_told(layer):
    """The options of a layer that no weight tells."""
    names = ["merge", "nonlinearity", "activation", "recurrent_activation"] + (
        ["reset_after"] if not layer.bias else []
    )
    return {name: getattr(layer, name) for name in names if hasattr(layer, name)}


def assert_same(one, other):
    """The same layer: its class, its options and every bit of its weights, each in an array of its own."""
    assert type(one) is type(other)
    plain = (int, str, bool, tuple, type(None))
    assert {n: v for n, v in vars(one).items() if isinstance(v, plain)} == {
        n: v for n, v in vars(other).items() if isinstance(v, plain)
    }
    assert list(one.params) == list(other.params)
    for name, p in one.params.items():
        got = other.params[name]
        assert got.dtype == p.dtype
        assert np.array_equal(got, p), name
        assert not np.shares_memory(got, p)
        assert got.flags.writeable
        assert got.flags.c_contiguous
