"""Small models whose pages are opened, each made once."""

from functools import cache

import numpy as np

import npbilstm as nb
from npbilstm.inspector import trace

WORDS = ["the", "old", "man", "saw", "(her"]
CLASSES = ["DET", "ADJ", "NOUN", "VERB", "PRON"]


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def with_large_weights(layer, seed=1):
    """Biases and weights that are nowhere 0 or alike, so that no two blocks can be confused."""
    rng = np.random.default_rng(seed)
    for p in layer.params.values():
        p[...] = rng.normal(size=p.shape) * 0.7
    return layer


@cache
def tagger():
    """Two layers, both directions, five words, with gradients."""
    model = nb.SequenceTagger(5, 5, hidden_size=6, embedding_size=4, num_layers=2, dtype=np.float64, rng=1)
    with_large_weights(model)
    return trace(model, np.arange(5), tokens=WORDS, target=np.array([0, 1, 2, 3, 0]), classes=CLASSES)


@cache
def layer_trace(kind="BiLSTM", steps=4, upstream=True, state=False, **options):
    """A layer's trace: its second row, of two, is one step shorter than the first."""
    layer = with_large_weights(getattr(nb, kind)(3, 5, dtype=np.float64, rng=0, **options))
    x = numbers(2, steps, 3)
    dy = numbers(2, steps, layer.features(layer.num_layers - 1), seed=2) if upstream else None
    given = {}
    if state:
        shapes = layer.state_shapes(2)
        given["state"] = tuple(numbers(*shape, seed=k) for k, shape in enumerate(shapes, 3))
        given["dstate"] = tuple(numbers(*shape, seed=k) for k, shape in enumerate(shapes, 5))
    return trace(layer, x, lengths=np.array([steps, max(1, steps - 1)]), upstream=dy, **given)


@cache
def classifier(cell="gru"):
    model = nb.SequenceClassifier(6, 3, cell=cell, hidden_size=5, embedding_size=4, dtype=np.float64, rng=1)
    with_large_weights(model)
    return trace(model, np.arange(6), tokens="abcdef", target=[1], classes=["x", "y", "z"])


@cache
def attention(kind="additive"):
    """An encoder, and where the decoder looks: five words, an answer of three symbols and its end."""
    model = nb.Seq2Seq(5, 3, attention=kind, hidden_size=3, embedding_size=4, dtype=np.float64, rng=1)
    for part in model.parts.values():
        with_large_weights(part)
    return trace(model, np.arange(5), tokens=WORDS, target=[2, 0, 1], classes=["a", "bc", "d"])


@cache
def long_attention():
    """Sixty words, far more than a page is wide."""
    model = nb.Seq2Seq(5, 3, hidden_size=3, embedding_size=4, dtype=np.float64, rng=1)
    return trace(model, np.arange(60) % 5, tokens=[WORDS[k % 5] * 2 for k in range(60)], target=[2, 0, 1])


@cache
def head(name):
    """A tagger with a CRF, or one of labels whose steps nobody knows."""
    model = nb.SequenceTagger(5, 3, head=name, hidden_size=3, embedding_size=4, dtype=np.float64, rng=1)
    for part in (*model.parts.values(), model.head):
        with_large_weights(part)
    target = [2, 1] if name == "ctc" else np.array([0, 1, 2, 0, 0])
    return trace(model, np.arange(5), tokens=WORDS, target=target, classes=["-", "NP", "VP"])


@cache
def large():
    """200 steps, 128 units, two layers, both directions."""
    layer = nb.BiLSTM(32, 128, 2, rng=0)
    x = numbers(1, 200, 32).astype(np.float32)
    return trace(layer, x, upstream=numbers(1, 200, 256, seed=1).astype(np.float32))
