"""Gradient checks of the layers, on the engine, and of whole models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npbilstm.commands.checks.case import LENGTHS, Arrays, D, H, N, Outputs, T, V, drawn, of_weighted_sum
from npbilstm.gradcheck import GradientReport, check_gradients
from npbilstm.layers import GRU, LSTM, RNN, Dropout, Embedding, Linear, Recurrent
from npbilstm.models import SequenceClassifier, SequenceTagger


def check_recurrent(layer: Recurrent, **options: Any) -> GradientReport:
    """A recurrent layer on the engine: parameters, inputs and initial states; dropout with the same masks always."""
    states = {f"{part}_0": shape for part, shape in zip(layer.state_parts, layer.state_shapes(N))}
    inputs = drawn(5, x=(N, T, D), **states, **{name: p.shape for name, p in layer.params.items()})

    def as_state(arrays: list[Any]) -> Any:
        return arrays[0] if len(arrays) == 1 else tuple(arrays)

    def as_parts(state: Any) -> Any:
        return dict(zip(states, state if isinstance(state, tuple) else (state,)))

    def run(p: Arrays) -> tuple[Outputs, Any]:
        used = layer.with_params({name: p[name] for name in layer.params})
        state = as_state([p[name] for name in states])
        y, final, cache = used.forward(p["x"], LENGTHS, state, training=True, rng=np.random.default_rng(6))
        outputs = {"y0": y[0], "y1": y[1]} if layer.merge is None else {"y": y}
        return {**outputs, **as_parts(final)}, (used, cache)

    def back(d: Outputs, cache: Any) -> Arrays:
        used, cache = cache
        dy = (d["y0"], d["y1"]) if layer.merge is None else d["y"]
        dx, grads, dstate_0 = used.backward(dy, cache, as_state([d[name] for name in states]))
        return {"x": dx, **as_parts(dstate_0), **grads}

    return of_weighted_sum(run, back, inputs, **options)


def check_linear(**options: Any) -> GradientReport:
    """The linear layer."""
    layer = Linear(D, V, dtype=np.float64, rng=0)

    def run(p: Arrays) -> tuple[Outputs, Any]:
        used = layer.with_params({"W": p["W"], "b": p["b"]})
        y, cache = used.forward(p["x"])
        return {"y": y}, (used, cache)

    def back(d: Outputs, cache: Any) -> Arrays:
        dx, grads = cache[0].backward(d["y"], cache[1])
        return {"x": dx, **grads}

    return of_weighted_sum(run, back, drawn(7, x=(N, T, D), W=(D, V), b=(V,)), **options)


def check_embedding(**options: Any) -> GradientReport:
    """The embedding, with symbols that occur often, once and never."""
    layer = Embedding(V, D, dtype=np.float64, rng=0)
    ids = np.array([[0, 1, 0], [0, 3, 0]])

    def run(p: Arrays) -> tuple[Outputs, Any]:
        used = layer.with_params(p)
        y, cache = used.forward(ids)
        return {"y": y}, (used, cache)

    def back(d: Outputs, cache: Any) -> Arrays:
        grads: Arrays = cache[0].backward(d["y"], cache[1])[1]
        return grads

    return of_weighted_sum(run, back, drawn(8, W=(V, D)), **options)


def check_dropout(**options: Any) -> GradientReport:
    """Dropout, with the same mask every time."""
    layer = Dropout(0.4)

    def run(p: Arrays) -> tuple[Outputs, Any]:
        y, cache = layer.forward(p["x"], training=True, rng=np.random.default_rng(9))
        return {"y": y}, cache

    def back(d: Outputs, cache: Any) -> Arrays:
        return {"x": layer.backward(d["y"], cache)[0]}

    return of_weighted_sum(run, back, drawn(9, x=(N, T, D)), **options)


def check_model(model: SequenceTagger | SequenceClassifier, **options: Any) -> GradientReport:
    """A whole model through its loss."""
    rng = np.random.default_rng(10)
    embedding = model.embedding
    ids = rng.integers(0, 1 if embedding is None else embedding.num_embeddings, (N, T))
    steps = (N, T) if model.label_per_step else (N,)
    targets = rng.integers(0, V, steps) if model.head.sizes == "num_classes" else rng.standard_normal((*steps, V))
    params = drawn(
        10, **{name: p.shape for name, p in model.params.items()}, **({"x": (N, T, D)} if embedding is None else {})
    )

    def run(p: Arrays) -> tuple[Any, Callable[[], Arrays]]:
        used = model.with_params({name: p[name] for name in model.params})
        inputs = p.get("x", ids)
        loss, cache = used.loss_forward(inputs, targets, LENGTHS, training=True, rng=np.random.default_rng(11))

        def grads() -> Arrays:
            dscores, _ = used.head.loss_backward(1.0, cache.loss)
            dx, found = used.backward(dscores, cache.scores)
            return found if dx is None else {**found, "x": dx}

        return loss, grads

    return check_gradients(lambda p: run(p)[0], params, run(params)[1](), **options)


def recurrent(kind: type[Recurrent], num_layers: int = 1, **options: Any) -> Callable[..., GradientReport]:
    """check_recurrent for a layer made with these options."""
    layer = kind(D, H, num_layers, dtype=np.float64, rng=0, **options)
    return lambda **check_options: check_recurrent(layer, **check_options)


def whole_model(kind: Any, **options: Any) -> Callable[..., GradientReport]:
    """check_model for a model made with these options: of 6 symbols and V classes, unless they say otherwise."""
    reads = {} if "input_size" in options else {"num_symbols": 6, "embedding_size": D}
    answers = {} if "num_values" in options else {"num_classes": V}
    model = kind(**reads, **answers, hidden_size=H, dtype=np.float64, rng=0, **options)
    return lambda **check_options: check_model(model, **check_options)


BOTH: dict[str, Any] = {"bidirectional": True}

CHECKS: dict[str, Callable[..., GradientReport]] = {
    "LSTM": recurrent(LSTM),
    "LSTM without bias": recurrent(LSTM, bias=False),
    "LSTM, reverse, 2 layers": recurrent(LSTM, 2, reverse=True, recurrent_dropout=0.4, store_every=2),
    "BiLSTM, merge concat": recurrent(LSTM, **BOTH),
    "BiLSTM, merge sum": recurrent(LSTM, **BOTH, merge="sum"),
    "BiLSTM, merge mul": recurrent(LSTM, **BOTH, merge="mul"),
    "BiLSTM, merge ave": recurrent(LSTM, **BOTH, merge="ave"),
    "BiLSTM, merge None, 2 layers": recurrent(LSTM, 2, **BOTH, merge=None),
    "BiLSTM, 2 layers, dropout": recurrent(LSTM, 2, **BOTH, dropout=0.3),
    "BiLSTM, recurrent dropout": recurrent(LSTM, **BOTH, recurrent_dropout=0.4),
    "BiLSTM, dropout of inputs": recurrent(LSTM, **BOTH, input_dropout=0.4),
    "BiLSTM, states stored every 2 steps": recurrent(LSTM, **BOTH, store_every=2),
    "BiLSTM, peepholes": recurrent(LSTM, **BOTH, peepholes=True),
    "BiLSTM, coupled gates": recurrent(LSTM, **BOTH, coupled=True),
    "BiLSTM, projection": recurrent(LSTM, **BOTH, projection_size=2),
    "BiLSTM, all of these, 2 layers": recurrent(
        LSTM, 2, **BOTH, peepholes=True, coupled=True, projection_size=2, recurrent_dropout=0.4, store_every=2
    ),
    "GRU without bias": recurrent(GRU, bias=False),
    "GRU, reverse": recurrent(GRU, reverse=True),
    "GRU, both directions": recurrent(GRU, **BOTH),
    "GRU, 2 layers, dropout of all kinds": recurrent(
        GRU, 2, **BOTH, dropout=0.3, input_dropout=0.3, recurrent_dropout=0.4
    ),
    "GRU, reset before": recurrent(GRU, **BOTH, reset_after=False),
    "GRU, reset before, 2 layers, dropout of all kinds": recurrent(
        GRU, 2, **BOTH, reset_after=False, dropout=0.3, input_dropout=0.3, recurrent_dropout=0.4, store_every=2
    ),
    "RNN, tanh": recurrent(RNN, **BOTH),
    "RNN, relu": recurrent(RNN, **BOTH, nonlinearity="relu"),
    "LSTM, relu and hard sigmoid": recurrent(LSTM, 2, **BOTH, activation="relu", recurrent_activation="hard_sigmoid"),
    "GRU, relu and hard sigmoid": recurrent(GRU, 2, **BOTH, activation="relu", recurrent_activation="hard_sigmoid"),
    "RNN, hard sigmoid": recurrent(RNN, **BOTH, nonlinearity="hard_sigmoid_sixth"),
    "RNN, 2 layers, dropout of all kinds": recurrent(
        RNN, 2, **BOTH, dropout=0.3, input_dropout=0.3, recurrent_dropout=0.4
    ),
    "Linear": check_linear,
    "Embedding": check_embedding,
    "Dropout": check_dropout,
    "SequenceTagger, 2 layers, dropout": whole_model(SequenceTagger, num_layers=2, dropout=0.2),
    "SequenceTagger of GRUs": whole_model(SequenceTagger, cell="gru"),
    "SequenceTagger, from features to values": whole_model(SequenceTagger, input_size=D, num_values=V, dropout=0.2),
    "SequenceClassifier of features": whole_model(SequenceClassifier, input_size=D, cell="gru"),
    "SequenceClassifier": whole_model(SequenceClassifier),
    "SequenceClassifier, 2 layers": whole_model(SequenceClassifier, num_layers=2),
    "SequenceClassifier, mean over steps": whole_model(SequenceClassifier, pooling="mean", cell="rnn"),
    "SequenceClassifier, maximum over steps": whole_model(SequenceClassifier, pooling="max", cell="gru"),
}
