"""Keras layers and models as they are, in place of their weights: what they say of themselves.

Keras is not imported: a layer has a class with a name, get_config() and get_weights(). Read are LSTM, GRU, SimpleRNN,
their CuDNN forms, RNN of one such cell, and Bidirectional of any of these; several that are stacked; and a model of an
Embedding, such layers and a Dense.

    activation, recurrent_activation     as here; hard_sigmoid of Keras 3 is "hard_sigmoid_sixth" here
    use_bias, reset_after, merge_mode    bias, reset_after, merge
    go_backwards                         reverse; but here the outputs stand in the order of the input
    return_sequences                     of a model's last layer: one label per step, or one per sequence
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

CELLS = {
    **{"LSTM": "lstm", "CuDNNLSTM": "lstm", "LSTMCell": "lstm"},
    **{"GRU": "gru", "CuDNNGRU": "gru", "GRUCell": "gru"},
    **{"SimpleRNN": "rnn", "SimpleRNNCell": "rnn"},
}
"""Our names of Keras' classes."""

WITHOUT_EFFECT = ("InputLayer", "Dropout", "SpatialDropout1D", "Masking")
"""What a model may have between, of which nothing is left when it is not trained."""

POOLINGS = {"GlobalAveragePooling1D": "mean", "GlobalMaxPooling1D": "max"}


class Told(NamedTuple):
    """What a recurrent layer says: its cell, from_keras' options, its weights; whether all steps come out of it."""

    cell: str
    options: dict[str, Any]
    weights: list[Any]
    all_steps: bool


class ToldModel(NamedTuple):
    """What a whole model says. model: "tagger" or "classifier"; None for recurrent layers alone."""

    recurrent: Told
    model: str | None
    around: tuple[list[Any], list[Any]]
    pooling: str | None


def are_layers(given: Any) -> bool:
    """Whether this is a layer, a list of layers or a model, not weights."""
    layers = given if isinstance(given, (list, tuple)) and given else [given]
    methods = ("get_weights", "get_config")
    return all(callable(getattr(layer, name, None)) for layer in layers for name in methods)


def class_name_of(layer: Any) -> str:
    """The name of its class; of a TimeDistributed that of the layer inside."""
    name = type(layer).__name__
    return type(layer.layer).__name__ if name == "TimeDistributed" else name


def told_by(given: Any) -> ToldModel:
    """What a layer, a list of stacked layers or a model says. Raises ValueError for what no layer or model here is."""
    found = given if isinstance(given, (list, tuple)) else getattr(given, "layers", [given])
    layers = [layer for layer in found if class_name_of(layer) not in WITHOUT_EFFECT]
    names = [class_name_of(layer) for layer in layers]
    recurrent = [layer for layer in layers if is_recurrent(layer)]
    kinds = ["recurrent" if is_recurrent(layer) else name for layer, name in zip(layers, names)]
    pooling = next((POOLINGS[kind] for kind in kinds if kind in POOLINGS), None)
    plain = [kind for k, kind in enumerate(kinds) if kind != "recurrent" or k == 0 or kinds[k - 1] != "recurrent"]
    if plain == ["recurrent"]:
        return ToldModel(stacked(recurrent), None, ([], []), None)
    shape = ["Embedding", "recurrent", *(name for name in names if name in POOLINGS), "Dense"]
    if plain != shape or len(shape) > 4:
        raise ValueError(
            f"weights is a Keras model or layer with {', '.join(names) or 'nothing in it'}; what can be read is "
            "recurrent layers (LSTM, GRU, SimpleRNN, Bidirectional of them), or an Embedding, recurrent layers and a "
            "Dense. Give the recurrent layer alone, from_keras(model.layers[k]), and a Dense by "
            "linear_from_keras(its weights)"
        )
    dense = layers[-1]
    activation = getattr(dense, "layer", dense).get_config().get("activation")
    if activation not in ("linear", "softmax", "sigmoid", None):
        raise ValueError(f"the Dense has activation={activation!r}; a model here puts out logits, before any softmax")
    told = stacked(recurrent)
    if pooling is not None and not told.all_steps:
        raise ValueError("the recurrent layer has return_sequences=False, before a pooling over steps")
    tagger = told.all_steps and pooling is None
    around = weights_of(layers[0]), weights_of(dense)
    return ToldModel(told, "tagger" if tagger else "classifier", around, None if tagger else pooling or "final")


def recurrent_part(given: Any) -> tuple[Any, list[str]]:
    """Of a model of other layers than told_by takes, its recurrent ones, and the names of the others; else as given.

    Raises ValueError where other layers stand between them, or nobody says that one reads the other.
    """
    layers = [layer for layer in getattr(given, "layers", ()) if class_name_of(layer) not in WITHOUT_EFFECT]
    at = [k for k, layer in enumerate(layers) if is_recurrent(layer)]
    others = [layer for layer in layers if not is_recurrent(layer)]
    around = [class_name_of(layer) for layer in others if class_name_of(layer) not in POOLINGS]
    if not at or not others or around == ["Embedding", "Dense"]:
        return given, []
    if len(at) > 1 and (at != list(range(at[0], at[-1] + 1)) or type(given).__name__ != "Sequential"):
        raise ValueError(
            f"the Keras model has {len(at)} recurrent layers that are no one stack; give one of them, model.layers[k]"
        )
    return [layers[k] for k in at], [str(getattr(layer, "name", class_name_of(layer))) for layer in others]


def is_recurrent(layer: Any) -> bool:
    """Whether it is a recurrent layer, of one direction or of both."""
    inner = layer.forward_layer if class_name_of(layer) == "Bidirectional" else layer
    return class_name_of(inner) in CELLS or class_name_of(inner) == "RNN"


def stacked(layers: Sequence[Any]) -> Told:
    """What stacked layers say together. Raises ValueError where they do not say the same."""
    told = [recurrent(layer) for layer in layers]
    for k, one in enumerate(told):
        if (one.cell, one.options) != (told[0].cell, told[0].options):
            first, other = ((t.cell, *(f"{n}={v!r}" for n, v in t.options.items())) for t in (told[0], one))
            raise ValueError(
                f"layer {k} of the stack has {', '.join(other)} and layer 0 has {', '.join(first)}; a stack here has "
                "the same in all its layers, so give each alone"
            )
        if k < len(told) - 1 and not one.all_steps:
            raise ValueError(f"layer {k} of the stack has return_sequences=False; the layer after it reads every step")
    weights = [w for one in told for w in one.weights]
    return Told(told[0].cell, told[0].options, weights, told[-1].all_steps)


def recurrent(layer: Any) -> Told:
    """What one recurrent layer says."""
    if class_name_of(layer) != "Bidirectional":
        cell, options, all_steps = told_of_one_direction(layer)
        return Told(cell, options, weights_of(layer), all_steps)
    cell, options, all_steps = told_of_one_direction(layer.forward_layer)
    other, backward, _ = told_of_one_direction(layer.backward_layer)
    if options["reverse"] or not backward["reverse"]:
        raise ValueError("the Bidirectional's forward layer has go_backwards=True, or its backward layer has not")
    if (cell, {**options, "reverse": True}) != (other, backward):
        raise ValueError("the Bidirectional's two layers are of other kinds; both directions of a layer here are alike")
    both = {"bidirectional": True, "reverse": False, "merge": layer.merge_mode}
    return Told(cell, {**options, **both}, weights_of(layer), all_steps)


def told_of_one_direction(layer: Any) -> tuple[str, dict[str, Any], bool]:
    """Cell, options, and whether all steps come out, of a layer that is no Bidirectional."""
    name, config = type(layer).__name__, layer.get_config()
    if name == "RNN":
        config = {**config, **layer.cell.get_config()}
        name = type(layer.cell).__name__
    if name not in CELLS:
        raise ValueError(f"a Keras layer {type(layer).__name__} of {name} is given; it needs LSTM, GRU or SimpleRNN")
    cell = CELLS[name]
    options: dict[str, Any] = {
        "bidirectional": False,
        "reverse": bool(config.get("go_backwards", False)),
        "bias": bool(config.get("use_bias", True)),
    }
    if cell == "rnn":
        options["nonlinearity"] = activation_of(layer, config.get("activation", "tanh"))
    else:
        options["activation"] = activation_of(layer, config.get("activation", "tanh"))
        options["recurrent_activation"] = activation_of(layer, config.get("recurrent_activation", "sigmoid"))
    if cell == "gru":
        options["reset_after"] = name == "CuDNNGRU" or bool(config.get("reset_after", False))
    return cell, options, bool(config.get("return_sequences", False))


def activation_of(layer: Any, name: Any) -> Any:
    """Our name of an activation of this layer's: hard_sigmoid became another function in Keras 3. Raises ValueError for
    a function or layer of somebody's own, which has no name in Keras."""
    if isinstance(name, Mapping):
        what = {None: "a function", "function": "a function"}.get(name.get("class_name"), name.get("class_name"))
        raise ValueError(
            f"the Keras layer {type(layer).__name__} has an activation that Keras has no name for, {what}; it needs "
            "one of tanh, sigmoid, relu and hard_sigmoid"
        )
    return "hard_sigmoid_sixth" if name == "hard_sigmoid" and is_of_keras_3(layer) else name


def is_of_keras_3(layer: Any) -> bool:
    """Whether its class is of a package keras of version 3 or later; tf_keras and what is older are Keras 2."""
    package = type(layer).__module__.partition(".")[0]
    version = str(getattr(sys.modules.get(package), "__version__", ""))
    return package == "keras" and version.partition(".")[0].isdigit() and int(version.partition(".")[0]) >= 3


def weights_of(layer: Any) -> list[Any]:
    """Its arrays. Raises ValueError where it has none yet."""
    weights = list(layer.get_weights())
    if not weights:
        raise ValueError(
            f"the Keras layer {type(layer).__name__} has no weights yet; build it, or call it once on an input"
        )
    return weights
