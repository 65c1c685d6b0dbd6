"""What all formats share: a layer's cell by name, blocks of gates in another order, arrays checked as they come in.

Every reader works in the same way. It tells the cell and its sizes from the first arrays, makes a fresh layer of them,
and lets the writer of the same format say which names and shapes that layer has there: what differs is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from npbilstm.layers import Embedding, Layer, Linear
from npbilstm.layers.cells import CELLS
from npbilstm.layers.checks import require_dtype
from npbilstm.layers.hollow import hollow_layer
from npbilstm.layers.layer import join, require_sound
from npbilstm.layers.options import own_options
from npbilstm.layers.recurrent import Recurrent
from npbilstm.models import Model, Seq2Seq, SequenceClassifier, SequenceModel, SequenceTagger
from npbilstm.models.classes_head import ClassesHead
from npbilstm.models.hollow import hollow_model
from npbilstm.textbook.sequences import as_array

Arrays = dict[str, np.ndarray]

MODEL_NAMES: dict[str, type[SequenceModel]] = {"tagger": SequenceTagger, "classifier": SequenceClassifier}
"""What a user calls a model."""


def require_recurrent(layer: Any, or_else: str) -> Recurrent:
    """The layer, if it is recurrent. Raises TypeError for any other."""
    if not isinstance(layer, Recurrent):
        raise TypeError(f"layer is {layer!r}; it needs an LSTM, GRU or RNN layer, {or_else}")
    return layer


def cell_of(layer: Recurrent) -> str:
    """The name of a layer's cell: "lstm", "gru" or "rnn"."""
    return next(name for name, make in CELLS.items() if isinstance(layer, make))


def reordered(w: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """The equal blocks of w's last axis in another order: [r, z, n] with order (1, 0, 2) -> [z, r, n], a new array."""
    blocks = np.split(w, len(order), axis=-1)
    return np.ascontiguousarray(np.concatenate([blocks[k] for k in order], axis=-1))


def transposed_copy(w: np.ndarray) -> np.ndarray:
    """The transpose of a matrix as an array of its own, row after row, as files have it."""
    return np.array(w.T, order="C")


HALVES = ("float16", "bfloat16")
"""No layer works in these; float32 holds each of their numbers."""


def as_weight(name: str, w: Any) -> np.ndarray:
    """A weight, whatever NumPy can read, or a torch tensor, be it with a gradient, as an array of float32 or float64.

    float16 and bfloat16 become float32, to the bit. Raises TypeError, or ValueError for rows of unequal lengths.
    """
    dtype = str(getattr(w, "dtype", "")).removeprefix("torch.")
    try:
        if hasattr(w, "detach"):  # a torch tensor: it may have a gradient, stand elsewhere, be of what NumPy has not
            w = w.detach().cpu()
            w = w.float() if dtype == "bfloat16" else w
        array = as_array(name, w)
    except (TypeError, RuntimeError) as error:
        if dtype and dtype not in ("float32", "float64", *HALVES):
            raise TypeError(wrong_dtype(name, dtype)) from error
        if isinstance(error, TypeError):
            raise
        raise TypeError(f"{name} cannot be read as an array: {error}") from error
    if array.dtype.name in HALVES:
        return array.astype(np.float32)
    if array.dtype.name not in ("float32", "float64"):
        raise TypeError(wrong_dtype(name, array.dtype))
    return array.astype(array.dtype.newbyteorder("="), copy=False)


class Unread:
    """What stands in a file under a name and is not read, since no array holds it. It is refused where it is a weight
    of what is read, and not where it stands beside."""

    def __init__(self, name: str, dtype: str) -> None:
        self.name, self.dtype = name, dtype

    def __array__(self, *arguments: Any, **options: Any) -> np.ndarray:
        raise TypeError(f"{self.name} is not read")


def wrong_dtype(name: str, dtype: Any) -> str:
    """The sentence for numbers that cannot be read as weights, such as those of a quantized model."""
    return f"{name} has dtype {dtype}; it needs float32 or float64, float16 or bfloat16"


def as_arrays(name: str, weights: Mapping[Any, Any]) -> dict[Any, np.ndarray]:
    """The weights as arrays, each as as_weight reads it: all of float32, or all of float64. Raises as as_weight does,
    and TypeError for a mixture of the two."""
    return of_one_dtype(name, {key: as_weight(f"{name}[{key!r}]", w) for key, w in weights.items()})


def of_one_dtype(name: str, arrays: dict[Any, np.ndarray]) -> dict[Any, np.ndarray]:
    """The arrays. Raises TypeError unless all are of float32, or all of float64."""
    first = next(iter(arrays), None)
    for key, array in arrays.items():
        if array.dtype not in (np.float32, np.float64):
            raise TypeError(f"{name}[{key!r}] has dtype {array.dtype}; it needs float32 or float64")
        if array.dtype != arrays[first].dtype:
            raise TypeError(
                f"{name}[{key!r}] has dtype {array.dtype} and {name}[{first!r}] has {arrays[first].dtype}; "
                "all need to have the same"
            )
    return arrays


def is_weight(name: str, w: Any) -> bool:
    """Whether this may be a weight: not what stands beside weights, such as a counter (BatchNorm's num_batches_tracked)
    or the names of classes. A quantized weight counts as one, which as_weight refuses."""
    if re.match(r"(weight|bias)(_|$)|(W[xhp]?|b|b_hn|p)$", name.rpartition(".")[2]):
        return True
    dtype = getattr(w, "dtype", None)
    if isinstance(dtype, np.dtype):
        return dtype.kind not in "biuSUM"
    return not isinstance(w, (bool, int, str)) and not re.fullmatch(r"torch\.(bool|u?int\d+)", str(dtype))


def require_storable(layer: Any) -> None:
    """Raise TypeError or ValueError unless the layer's params are its own and of a dtype that every format has."""
    if isinstance(layer, Layer):
        require_sound(layer)
        of_one_dtype("params", dict(layer.params))
    if isinstance(layer, Model) and not isinstance(layer, SequenceModel | Seq2Seq):
        raise ValueError(
            f"a {type(layer).__name__} is no model of another format; npbilstm.save_model keeps it, and its recurrent "
            "layer can be written alone"
        )
    if isinstance(layer, SequenceModel) and (layer.embedding is None or type(layer.head) is not ClassesHead):
        what = "reads features" if layer.embedding is None else f"has a {type(layer.head).__name__}"
        raise ValueError(
            f"the model {what}, and a model in another format reads ids and answers with the likeliest class; "
            "npbilstm.save_model keeps it, and its recurrent layer can be written alone"
        )


def require_matrix(name: str, w: np.ndarray) -> None:
    """Raise ValueError unless w has two axes."""
    if w.ndim != 2:
        raise ValueError(f"{name} has shape {w.shape}; it needs two axes")


def require_convertible_options(layer: Recurrent, whose: str, needed: Mapping[str, Any]) -> None:
    """Raise ValueError where an option of the layer, if it has it, is another than the one needed."""
    for option, value in needed.items():
        got = getattr(layer, option, value)
        if got != value and not (option == "merge" and len(layer.directions) == 1):
            raise ValueError(f"{option} is {got!r}; {whose} has {option}={value!r} alone")


USUAL_ACTIVATIONS = {"activation": "tanh", "recurrent_activation": "sigmoid"}
"""What nearly every LSTM and GRU squashes with, and what those of PyTorch and the models here have alone."""

OWNERS = {
    option: [make.__name__ for make in CELLS.values() if option in own_options(make)]
    for of_one in CELLS.values()
    for option in own_options(of_one)
}
OWNERS["pooling"] = ["SequenceClassifier"]
"""Options that not all kinds of layers and models have, and those that have them."""


def require_applicable(kind: str, options: Mapping[str, Any]) -> None:
    """Raise ValueError for an option that this kind of layer or model does not have."""
    for option, owners in OWNERS.items():
        if option in options and kind not in owners:
            have = "has" if len(owners) == 1 else "have"
            raise ValueError(f"{option} is given, which {' and '.join(owners)} alone {have}; this is {kind}")


def require_reset_after(options: Mapping[str, Any]) -> None:
    """Raise ValueError for a GRU without biases of which nobody says where its reset gate stands."""
    if "reset_after" not in options:
        raise ValueError("without biases, nothing tells where the GRU's reset gate stands; reset_after is needed")


def fresh(
    cell: str,
    D: int,
    H: int,
    num_layers: int,
    dtype: np.dtype,
    told: Mapping[str, Any],
    options: Mapping[str, Any],
    stored: int | None = None,
) -> Recurrent:
    """A new layer of this cell, whose weights, 0, are about to be replaced. told: the options that the weights tell.

    stored: how many numbers the file or list of weights holds. A layer of far more is refused before memory is taken
    for it; of a few more it is said later which are lacking.

    Raises ValueError for an option that the weights tell, or that this kind of layer does not have.
    """
    require_applicable(CELLS[cell].__name__, options)
    require_untold(options, ["input_size", "hidden_size", "num_layers", "dtype", "init", *told])
    layer = hollow_layer(CELLS[cell], D, H, num_layers, dtype=dtype, **told, **options)
    needed = sum(math.prod(shape) for shape in layer.param_shapes.values())
    if stored is not None and needed > 2 * stored + FEW:
        raise ValueError(f"{layer!r} has {needed:,} numbers; what is given holds {stored:,}")
    return layer.with_params({name: np.zeros(shape, dtype) for name, shape in layer.param_shapes.items()})


FEW = 1_000_000
"""So many numbers too few are no reason to fear for the memory."""


def require_untold(options: Mapping[str, Any], told: Iterable[str]) -> None:
    """Raise ValueError for an option that the weights tell."""
    for option in told:
        if option in options:
            raise ValueError(f"{option} is given, which the weights tell; leave it out")


def embedding_of(W: np.ndarray) -> Embedding:
    """The embedding with this table (V, D), which is copied. Raises ValueError where it has not two axes."""
    require_matrix("the embedding's W", W)
    return Embedding(*W.shape, dtype=W.dtype.type).with_params({"W": np.array(W, order="C")})


def linear_of(W: np.ndarray, b: np.ndarray) -> Linear:
    """The linear layer with these W (D, V) and b (V,), which are copied. Raises ValueError for other shapes."""
    require_matrix("the linear layer's W", W)
    return Linear(*W.shape, dtype=W.dtype.type).with_params({"W": np.array(W, order="C"), "b": b.copy()})


def require_usual(recurrent: Recurrent, whose: str) -> None:
    """Raise ValueError where an option of the layer is another than models give it."""
    needed = {"merge": "concat", "reverse": False, "bias": True, "nonlinearity": "tanh", "reset_after": True}
    lstm_needs = {"projection_size": None, "peepholes": False, "coupled": False}
    require_convertible_options(recurrent, whose, {**needed, **lstm_needs, **USUAL_ACTIVATIONS})


def assembled(
    make: type[SequenceModel], embedding: Embedding, recurrent: Recurrent, linear: Linear, **options: Any
) -> SequenceModel:
    """The model that these three parts make. options: what they do not tell, e.g. dropout, pooling.

    Raises ValueError where they do not fit together, or a model has no such part.
    """
    if "nonlinearity" in options:
        if options["nonlinearity"] != "tanh":
            raise ValueError(
                f"nonlinearity is {options['nonlinearity']!r}; the RNN of a {make.__name__} has 'tanh' alone"
            )
        options = {name: value for name, value in options.items() if name != "nonlinearity"}
    require_applicable(make.__name__, options)
    for option in options:
        if option not in ("dropout", "pooling", "rng"):
            raise ValueError(f"{option} is given; of a {make.__name__} the weights tell it, or it cannot be chosen")
    require_usual(recurrent, f"a {make.__name__}")
    cell = cell_of(recurrent)
    model = hollow_model(
        make,
        embedding.num_embeddings,
        linear.output_size,
        cell=cell,
        embedding_size=embedding.embedding_size,
        hidden_size=recurrent.hidden_size,
        num_layers=recurrent.num_layers,
        bidirectional=len(recurrent.directions) == 2,
        dtype=require_dtype(linear.params["b"].dtype),
        **options,
    )
    params = {"embedding": embedding.params, cell: recurrent.params, "linear": linear.params}
    return model.with_params(join(params))
