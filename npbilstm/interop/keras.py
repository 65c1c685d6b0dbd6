"""Keras: the list of arrays that get_weights() returns and set_weights() takes.

A layer gives kernel (D, GH), recurrent_kernel (H, GH) and bias (GH,), the forward direction's before the reverse one's;
a stack gives them layer by layer. Row vectors, as here. Blocks:

    LSTM        i, f, c, o      ours, whose c is called g
    GRU         z, r, h         ours are r, z, n
    SimpleRNN   one

The bias of a GRU with reset_after=True is (2, 3H), input biases above recurrent ones. For z and r only the sum
counts; ours go out as (b_z, b_r, b_n) above (0, 0, b_hn). With reset_after=False there is one bias (3H,).

    Bidirectional(LSTM(H, return_sequences=True)).set_weights(to_keras(layer))
    layer = from_keras(peer.get_weights())          layer = from_keras(peer)
    model = from_keras(to_keras(tagger), model="tagger")

keras_forms.py says which list is which; keras_layers.py reads what a Keras layer says of itself. Keras itself is not
imported. (https://keras.io/api/layers/recurrent_layers/)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload

import numpy as np

from npbilstm.interop import keras_layers
from npbilstm.interop.description import combined
from npbilstm.interop.keras_forms import (
    BLOCKS,
    WeightsForm,
    explained,
    fitting,
    forms,
    in_order,
    require_not_added,
    require_not_keras_1,
    require_one,
)
from npbilstm.interop.parts import (
    MODEL_NAMES,
    Arrays,
    as_arrays,
    assembled,
    cell_of,
    embedding_of,
    fresh,
    linear_of,
    reordered,
    require_convertible_options,
    require_matrix,
    require_recurrent,
    require_reset_after,
    require_storable,
)
from npbilstm.layers import Embedding, Layer, Linear
from npbilstm.layers.cells import CELLS
from npbilstm.layers.checks import require_bool
from npbilstm.layers.layer import parts_in
from npbilstm.layers.options import CellName
from npbilstm.layers.recurrent import Recurrent
from npbilstm.models import SequenceModel
from npbilstm.textbook.sequences import require_shape

KERAS = ("keras", "tf_keras", "tensorflow")
"""Packages whose variables are weights."""

ORDER = {"lstm": (0, 1, 2, 3), "gru": (1, 0, 2), "rnn": (0,)}
"""Where Keras's blocks stand in ours. Each order is its own inverse."""


def to_keras(layer: Layer) -> list[np.ndarray]:
    """The weights of the Keras layers that compute what this layer does, in Keras's order.

    layer: a recurrent layer, Linear (Keras's Dense), Embedding; or a model, part after part. What no array tells is for
    the Keras layers' arguments: activations ("hard_sigmoid_sixth" is Keras 3's hard_sigmoid), reset_after, and
    go_backwards=True for reverse=True, whose outputs Keras gives last step first.
    Raises ValueError for what Keras has not, TypeError for another layer.

    >>> [w.shape for w in nb.to_keras(nb.LSTM(3, 4))]
    [(3, 16), (4, 16), (16,)]
    """
    require_storable(layer)
    if isinstance(layer, SequenceModel):
        return [w for part in layer.parts.values() for w in to_keras(part)]
    if isinstance(layer, (Embedding, Linear)):
        return [w.copy() for w in layer.params.values()]
    layer = require_recurrent(layer, "Linear, Embedding or a model")
    order = ORDER[cell_of(layer)]
    require_convertible_options(layer, "Keras's LSTM", {"projection_size": None, "peepholes": False, "coupled": False})
    weights, parts = [], parts_in(layer.params)
    for k in range(layer.num_layers):
        for direction in layer.directions:
            own = parts[f"{k}.{direction}"]
            weights += [reordered(own["Wx"], order), reordered(own["Wh"], order)]
            if "b_hn" in own:
                b = reordered(own["b"], order)
                recurrent = np.zeros_like(b)
                recurrent[2 * layer.hidden_size :] = own["b_hn"]
                weights.append(np.stack([b, recurrent]))
            elif layer.bias:
                weights.append(reordered(own["b"], order))
    return weights


@overload
def from_keras(
    weights: Sequence[Any] | Mapping[str, Any],
    cell: CellName | None = None,
    *,
    model: None = None,
    bidirectional: bool | None = None,
    bias: bool | None = None,
    **options: Any,
) -> Recurrent: ...


@overload
def from_keras(weights: Any, cell: CellName | None = None, **options: Any) -> Recurrent | SequenceModel: ...


def from_keras(
    weights: Any,
    cell: CellName | None = None,
    *,
    model: str | None = None,
    bidirectional: bool | None = None,
    bias: bool | None = None,
    **options: Any,
) -> Recurrent | SequenceModel:
    """The layer whose weights these are; or the model.

    weights: those of one Keras layer, or of several stacked ones, one list after the other: arrays or Keras' variables;
        a dict of arrays under the names kernel, recurrent_kernel and bias; or the Keras layers themselves, a layer, a
        list of stacked ones or a model, which say all that follows. float16 and bfloat16 are read as float32.
    cell: "lstm", "gru" or "rnn". bidirectional, bias (Keras's use_bias): as the Keras layers were made. None where the
        shapes tell, which they nearly always do.
    model: "tagger" or "classifier", for the weights of a whole model: an Embedding's, recurrent layers', a Dense's.
    options: what else the weights do not tell, as the layer takes it: merge, dropout, reset_after without biases, ...

    activation and recurrent_activation, of a SimpleRNN too: by Keras' names. "hard_sigmoid" is clip(a / 5 + 1/2, 0, 1),
        that of Keras 1 and 2 (tf.keras up to TensorFlow 2.15), where it was the default recurrent_activation of LSTM
        and GRU; "hard_sigmoid_sixth" is clip(a / 6 + 1/2, 0, 1), which Keras 3 calls hard_sigmoid. What is neither here
        nor there, "linear" or "elu", is refused.
    reverse: True for layers with go_backwards=True. They put out the last step first; a layer here puts every output at
        its own step: npbilstm.flip(y) is what Keras gives.

    Sizes, layers and dtype are read off the shapes. Raises ValueError or TypeError for too many or too few arrays, a
    wrong shape or a wrong dtype.

    >>> nb.from_keras(nb.to_keras(nb.GRU(3, 4)), "gru")  # or keras_layer.get_weights()
    GRU(3, 4, 1)
    """
    if keras_layers.are_layers(weights):
        told = keras_layers.told_by(weights)
        given = {"bidirectional": bidirectional, "bias": bias, "model": model, **options}
        given = {name: value for name, value in given.items() if value is not None or name in options}
        asked_cell = {} if cell is None else {"cell": cell}
        cell = combined({"cell": told.recurrent.cell}, asked_cell, "the Keras layer")["cell"]
        ours = {**told.recurrent.options, "model": told.model} | ({"pooling": told.pooling} if told.pooling else {})
        before, after = told.around
        both = combined(ours, given, "the Keras layer")
        read: Recurrent | SequenceModel = from_keras([*before, *told.recurrent.weights, *after], cell, **both)
        return read
    if cell is not None and cell not in CELLS:
        raise ValueError(f'cell is {cell!r}; it needs "lstm", "gru" or "rnn"')
    if model is not None and model not in MODEL_NAMES:
        raise ValueError(f'model is {model!r}; it needs "tagger" or "classifier"')
    bidirectional = None if bidirectional is None else require_bool("bidirectional", bidirectional)
    bias = None if bias is None else require_bool("bias", bias)
    arrays = weights_as_arrays(weights)
    asked = forms(cell, bidirectional, bias)
    if model is not None:
        return model_around(arrays, asked, MODEL_NAMES[model], options)
    found = fitting(arrays, asked, options.get("merge", "concat"))
    if found:
        require_not_keras_1(arrays, asked)
    if "merge" not in options:
        require_not_added(arrays, found, asked)
    if not found:
        require_no_whole_model(arrays, asked)
        raise ValueError(explained(arrays) or misfit(arrays, asked, options))
    return of_form(arrays, require_one(found, arrays), options)


def weights_as_arrays(weights: Any) -> list[np.ndarray]:
    """The weights as arrays, in the order of get_weights(). Raises TypeError or ValueError."""
    if isinstance(weights, Mapping):
        weights = in_order(weights)
    if isinstance(weights, (str, bytes)) or not isinstance(weights, Iterable) or isinstance(weights, np.ndarray):
        raise TypeError(
            f"weights is a {type(weights).__name__}; it needs the list that a Keras layer's get_weights() returns, or "
            "the layer itself"
        )
    numbers = [w.numpy() if type(w).__module__.partition(".")[0] in KERAS else w for w in weights]
    return list(as_arrays("weights", dict(enumerate(numbers))).values())


def misfit(arrays: list[np.ndarray], asked: list[WeightsForm], options: Mapping[str, Any]) -> str:
    """Why arrays are no layer of the form that is likeliest meant."""
    blocks = arrays[1].shape[1] / len(arrays[1]) if len(arrays) > 1 and arrays[1].ndim == 2 and len(arrays[1]) else 4
    form = min(asked, key=lambda form: (BLOCKS[form.cell] != blocks, form.bidirectional, not form.bias, form.cudnn))
    if form.cell == "gru" and form.bias and "reset_after" in options:
        form = form._replace(reset_after=options["reset_after"])
    if not arrays or len(arrays) % form.arrays:
        return (
            f"weights holds {len(arrays)} arrays; with bidirectional={form.bidirectional} and bias={form.bias} "
            f"it needs {form.arrays} for each layer"
        )
    for n in (0, 1):
        require_matrix(f"weights[{n}]", arrays[n])
    D, H = len(arrays[0]), len(arrays[1])
    needed = form.shapes(D, H, len(arrays) // form.arrays, options.get("merge", "concat"))
    n = next(n for n, array in enumerate(arrays) if array.shape != needed[n])
    return f"weights[{n}] has shape {arrays[n].shape}; it needs {needed[n]}"


def of_form(arrays: list[np.ndarray], form: WeightsForm, options: Mapping[str, Any]) -> Recurrent:
    """The layer that these arrays of this form make."""
    told: dict[str, Any] = {"bidirectional": form.bidirectional, "bias": form.bias}
    cell, D, H, options = form.cell, len(arrays[0]), len(arrays[1]), dict(options)
    if cell == "rnn" and "activation" in options:
        activation = options.pop("activation")
        if options.setdefault("nonlinearity", activation) != activation:
            raise ValueError(
                f"activation is {activation!r} and nonlinearity is {options['nonlinearity']!r}; it needs one"
            )
    if cell == "gru" and form.bias:
        told["reset_after"] = form.reset_after
        if options.pop("reset_after", form.reset_after) != form.reset_after:
            got, needed = arrays[2].shape, form._replace(reset_after=not form.reset_after, cudnn=False).bias_shape(H)
            raise ValueError(
                f"weights[2] has shape {got}, which is the bias of a GRU with reset_after={form.reset_after}; "
                f"the layer asked for has reset_after={not form.reset_after}, whose bias has shape {needed}"
            )
    elif cell == "gru":
        require_reset_after(options)
    layer = fresh(cell, D, H, len(arrays) // form.arrays, arrays[0].dtype, told, options, sum(w.size for w in arrays))
    params: Arrays = {}
    supply = iter(arrays)
    for k in range(layer.num_layers):
        for direction in layer.directions:
            own = [next(supply) for _ in range(3 if form.bias else 2)]
            Wx, Wh, *b = without_cudnn(own, BLOCKS[cell]) if form.cudnn else own
            names = f"{k}.{direction}."
            params[f"{names}Wx"], params[f"{names}Wh"] = reordered(Wx, ORDER[cell]), reordered(Wh, ORDER[cell])
            for bias in b:
                if form.reset_after:
                    bias, recurrent = bias.reshape(2, 3 * H)
                    params[f"{names}b_hn"] = recurrent[2 * H :].copy()
                    bias = np.concatenate([bias[: 2 * H] + recurrent[: 2 * H], bias[2 * H :]])
                params[f"{names}b"] = reordered(bias, ORDER[cell])
    return layer.with_params({name: params[name] for name in layer.params})


def without_cudnn(arrays: list[np.ndarray], G: int) -> list[np.ndarray]:
    """The weights of a CuDNNLSTM or CuDNNGRU as an LSTM or GRU has them.

    The memory of a block of the kernel, said to be (D, H), is that of a matrix (H, D) that multiplies columns; a block
    of the recurrent kernel is transposed likewise. The LSTM's two biases, one after the other, are one when added.
    (tf_keras/src/saving/legacy/hdf5_format.py, _convert_rnn_weights.)
    """
    kernel, recurrent_kernel, bias = arrays
    D, H = len(kernel), len(recurrent_kernel)
    Wx = [block.reshape(H, D).T for block in np.split(kernel, G, axis=1)]
    Wh = [block.T for block in np.split(recurrent_kernel, G, axis=1)]
    return [np.concatenate(Wx, axis=1), np.concatenate(Wh, axis=1), bias if G == 3 else bias[: 4 * H] + bias[4 * H :]]


def model_around(
    arrays: list[np.ndarray], asked: list[WeightsForm], make: type[SequenceModel], options: Mapping[str, Any]
) -> SequenceModel:
    """The model of an Embedding's table, recurrent layers and a Dense's two arrays."""
    merge = options.get("merge", "concat")
    found = fits_around(arrays, asked, merge)
    if not found:
        raise ValueError(
            f"weights holds arrays of shapes {', '.join(str(array.shape) for array in arrays)}; a whole model needs an "
            "Embedding's (V, D), those of recurrent layers of which the first reads D, and a Dense's, kernel and bias"
        )
    table, *recurrent, W, b = arrays
    require_not_keras_1(recurrent, asked)
    of_layer = {name: value for name, value in options.items() if name not in ("dropout", "pooling", "rng")}
    of_model = {name: value for name, value in options.items() if name in ("dropout", "pooling", "rng")}
    layer = of_form(recurrent, require_one(found, recurrent), of_layer)
    return assembled(make, embedding_of(table), layer, linear_of(W, b), **of_model)


def fits_around(arrays: list[np.ndarray], asked: list[WeightsForm], merge: str | None) -> list[WeightsForm]:
    """The forms of what stands between an Embedding's table and a Dense's arrays, where these are such."""
    if len(arrays) < 5 or [arrays[k].ndim for k in (0, 1, -2, -1)] != [2, 2, 2, 1]:
        return []
    table, *recurrent, W, b = arrays
    if table.shape[1] != len(recurrent[0]) or W.shape[1:] != b.shape:
        return []
    found = fitting(recurrent, asked, merge)
    return [form for form in found if form.features(len(recurrent[1]), merge) == len(W)]


def require_no_whole_model(arrays: list[np.ndarray], asked: list[WeightsForm]) -> None:
    """Raise ValueError where the arrays are those of a whole model."""
    if fits_around(arrays, asked, "concat"):
        raise ValueError(
            f"weights holds a whole model, an Embedding {arrays[0].shape}, recurrent layers, a Dense "
            f"{arrays[-2].shape}, and does not say which; model needs to be "
            '"tagger" (one label per step) or "classifier" (one per sequence). Or '
            f"read the recurrent layers alone: from_keras(weights[1:{len(arrays) - 2}])"
        )


def linear_from_keras(weights: Sequence[Any]) -> Linear:
    """The layer that the weights of a Dense describe: kernel (D, V), bias (V,). Raises as from_keras does."""
    arrays = list(as_arrays("weights", dict(enumerate(weights))).values())
    if len(arrays) != 2:
        raise ValueError(f"weights holds {len(arrays)} arrays; a Dense layer needs 2, its kernel and its bias")
    W, b = arrays
    require_matrix("weights[0]", W)
    require_shape("weights[1]", b, W.shape[1:])
    return linear_of(W, b)
