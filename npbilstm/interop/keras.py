"""Keras: the list of arrays that get_weights() returns and set_weights() takes.

A layer gives kernel (D, GH), recurrent_kernel (H, GH) and bias (GH,), the forward direction's before the reverse one's;
a stack gives them layer by layer. Row vectors, as here. Blocks:

    LSTM        i, f, c, o      ours, whose c is called g
    GRU         z, r, h         ours are r, z, n
    SimpleRNN   one

The bias of a GRU with reset_after=True is (2, 3H), input biases above recurrent ones. For z and r only the sum
counts; ours go out as (b_z, b_r, b_n) above (0, 0, b_hn). With reset_after=False there is one bias (3H,).

    Bidirectional(LSTM(H, return_sequences=True)).set_weights(to_keras(layer))
    layer = from_keras(peer.get_weights(), "lstm", bidirectional=True)

Keras itself is not imported. (https://keras.io/api/layers/recurrent_layers/)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from npbilstm.interop.parts import (
    CELLS,
    Arrays,
    as_arrays,
    cell_of,
    fresh,
    linear_of,
    reordered,
    require_matrix,
    require_options,
    require_recurrent,
    require_storable,
)
from npbilstm.layers import Embedding, Layer, Linear
from npbilstm.layers.checks import require_bool
from npbilstm.layers.layer import part_of
from npbilstm.layers.models import SequenceModel
from npbilstm.layers.recurrent import Recurrent
from npbilstm.textbook.sequences import require_shape

ORDER = {"lstm": (0, 1, 2, 3), "gru": (1, 0, 2), "rnn": (0,)}
"""Where Keras's blocks stand in ours. Each order is its own inverse."""


def to_keras(layer: Layer) -> list[np.ndarray]:
    """The weights of the Keras layers that compute what this layer does, in Keras's order.

    layer: a recurrent layer, Linear (Keras's Dense), Embedding; or a model, part after part.
    Raises ValueError for what Keras has not, TypeError for another layer.
    """
    require_storable(layer)
    if isinstance(layer, SequenceModel):
        return [w for part in layer.parts.values() for w in to_keras(part)]
    if isinstance(layer, (Embedding, Linear)):
        return [w.copy() for w in layer.params.values()]
    layer = require_recurrent(layer, "Linear, Embedding or a model")
    order = ORDER[cell_of(layer)]
    require_options(layer, "Keras's LSTM", {"projection_size": None, "peepholes": False, "coupled": False})
    weights = []
    for k in range(layer.num_layers):
        for direction in layer.directions:
            own = part_of(layer.params, f"{k}.{direction}")
            weights += [reordered(own["Wx"], order), reordered(own["Wh"], order)]
            if "b_hn" in own:
                b = reordered(own["b"], order)
                recurrent = np.zeros_like(b)
                recurrent[2 * layer.hidden_size :] = own["b_hn"]
                weights.append(np.stack([b, recurrent]))
            elif layer.bias:
                weights.append(reordered(own["b"], order))
    return weights


def from_keras(
    weights: Sequence[Any],
    cell: str = "lstm",
    *,
    bidirectional: bool = False,
    bias: bool = True,
    **options: Any,
) -> Recurrent:
    """The layer whose weights these are.

    weights: of one Keras layer, or of several stacked ones, one list after the other. cell: "lstm", "gru" or "rnn".
    bidirectional, bias (Keras's use_bias): as the Keras layers were made. options: what else the weights do not tell,
    as the layer takes it: reset_after, nonlinearity, merge, dropout, ...

    Sizes, layers and dtype are read off the shapes. Raises ValueError or TypeError for too many or too few arrays, a
    wrong shape or a wrong dtype.
    """
    if cell not in CELLS:
        raise ValueError(f'cell is {cell!r}; it needs "lstm", "gru" or "rnn"')
    bidirectional, bias = require_bool("bidirectional", bidirectional), require_bool("bias", bias)
    arrays = list(as_arrays("weights", dict(enumerate(weights))).values())
    each = (3 if bias else 2) * (2 if bidirectional else 1)
    if not arrays or len(arrays) % each:
        raise ValueError(
            f"weights holds {len(arrays)} arrays; with bidirectional={bidirectional} and bias={bias} "
            f"it needs {each} for each layer"
        )
    for n in (0, 1):
        require_matrix(f"weights[{n}]", arrays[n])
    D, H = arrays[0].shape[0], arrays[1].shape[0]
    told = {"bidirectional": bidirectional, "bias": bias}
    stored = sum(w.size for w in arrays)
    layer = fresh(cell, D, H, len(arrays) // each, arrays[0].dtype, told, options, stored)
    for n, (got, needed) in enumerate(zip(arrays, to_keras(layer))):
        if cell == "gru" and {got.shape, needed.shape} == {(3 * H,), (2, 3 * H)}:
            raise ValueError(
                f"weights[{n}] has shape {got.shape}, which is the bias of a GRU with reset_after={got.ndim == 2}; "
                f"the layer asked for has reset_after={got.ndim == 1}, whose bias has shape {needed.shape}"
            )
        require_shape(f"weights[{n}]", got, needed.shape)

    params: Arrays = {}
    supply = iter(arrays)
    for k in range(layer.num_layers):
        for direction in layer.directions:
            names = f"{k}.{direction}."
            params[f"{names}Wx"] = reordered(next(supply), ORDER[cell])
            params[f"{names}Wh"] = reordered(next(supply), ORDER[cell])
            if bias:
                b = next(supply)
                if b.ndim == 2:
                    b, recurrent = b
                    params[f"{names}b_hn"] = recurrent[2 * H :].copy()
                    b = np.concatenate([b[: 2 * H] + recurrent[: 2 * H], b[2 * H :]])
                params[f"{names}b"] = reordered(b, ORDER[cell])
    return layer.with_params({name: params[name] for name in layer.params})


def linear_from_keras(weights: Sequence[Any]) -> Linear:
    """The layer that the weights of a Dense describe: kernel (D, V), bias (V,). Raises as from_keras does."""
    arrays = list(as_arrays("weights", dict(enumerate(weights))).values())
    if len(arrays) != 2:
        raise ValueError(f"weights holds {len(arrays)} arrays; a Dense layer needs 2, its kernel and its bias")
    W, b = arrays
    require_matrix("weights[0]", W)
    require_shape("weights[1]", b, W.shape[1:])
    return linear_of(W, b)
