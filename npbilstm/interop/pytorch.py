"""PyTorch: the names and shapes of a state_dict.

    ours, x W + h W + b               PyTorch's, W x + W h + b
    "k.direction.Wx"  (D, GH)         "weight_ih_lk"  (GH, D)       with "_reverse" at the end for the reverse direction
    "k.direction.Wh"  (R, GH)         "weight_hh_lk"  (GH, R)
    "k.direction.b"   (GH,)           "bias_ih_lk" + "bias_hh_lk"   (GH,)
    "k.direction.Wp"  (H, R)          "weight_hr_lk"  (R, H)

G blocks: i, f, g, o (LSTM), r, z, n (GRU), one (RNN), in the same order there and here. Of PyTorch's two biases only
the sum counts, so that one is enough; ours goes out as bias_ih, beside a bias_hh of zeros. The exception is n of the
GRU, n = tanh(x W + b_n + r * (h W + b_hn)): b_n stands in bias_ih and b_hn in bias_hh.

    net.load_state_dict({name: torch.tensor(w) for name, w in to_pytorch(layer).items()})
    layer = from_pytorch(net.state_dict())

An LSTMCell, GRUCell or RNNCell has the same names without "_l0". float16 and bfloat16 are read as float32, which holds
each of their numbers.

PyTorch itself is not imported. (https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html, GRU.html, RNN.html.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from npbilstm.interop.parts import (
    USUAL_ACTIVATIONS,
    Arrays,
    as_arrays,
    assembled,
    cell_of,
    embedding_of,
    fresh,
    is_weight,
    linear_of,
    require_convertible_options,
    require_matrix,
    require_recurrent,
    require_storable,
    transposed_copy,
)
from npbilstm.interop.pytorch_names import (
    FIRST,
    RECURRENT,
    Module,
    elsewhere,
    in_words,
    modules_of,
    require_state_dict,
    require_weights_themselves,
)
from npbilstm.layers import Embedding, Layer, Linear
from npbilstm.layers.layer import join, parts_in, require_same_names
from npbilstm.layers.recurrent import Recurrent
from npbilstm.models import Seq2Seq, SequenceModel

BLOCKS = {4: "lstm", 3: "gru", 1: "rnn"}
"""How many blocks of gates tell which cell."""


def to_pytorch(layer: Layer) -> Arrays:
    """The state_dict of the PyTorch module that computes what this layer does, in NumPy arrays.

    layer: a recurrent layer, Linear, Embedding; or a model, whose parts are named "embedding.", "lstm." (or "gru.",
    "rnn.") and "linear.". What no array tells is for the module's arguments: nonlinearity, dropout, batch_first=True.

    Raises ValueError for what PyTorch has not, TypeError for another layer.

    >>> {name: w.shape for name, w in nb.to_pytorch(nb.LSTM(3, 4)).items()}
    {'weight_ih_l0': (16, 3), 'weight_hh_l0': (16, 4), 'bias_ih_l0': (16,), 'bias_hh_l0': (16,)}
    """
    require_storable(layer)
    if isinstance(layer, Seq2Seq):
        raise ValueError(
            "a Seq2Seq is no module of PyTorch; .npz and .onnx files hold it, and its encoder, model.encoder, can be "
            "written alone"
        )
    if isinstance(layer, SequenceModel):
        return join({name: to_pytorch(part) for name, part in layer.parts.items()})
    if isinstance(layer, Embedding):
        return {"weight": layer.params["W"].copy()}
    if isinstance(layer, Linear):
        return {"weight": transposed_copy(layer.params["W"]), "bias": layer.params["b"].copy()}
    layer = require_recurrent(layer, "Linear, Embedding or a model")
    require_known_to_pytorch(layer)
    state, parts = {}, parts_in(layer.params)
    for k in range(layer.num_layers):
        for direction in layer.directions:
            own = parts[f"{k}.{direction}"]
            end = ending(k, direction)
            state[f"weight_ih{end}"] = transposed_copy(own["Wx"])
            state[f"weight_hh{end}"] = transposed_copy(own["Wh"])
            if layer.bias:
                state[f"bias_ih{end}"] = own["b"].copy()
                state[f"bias_hh{end}"] = np.zeros_like(own["b"])
            if "b_hn" in own:
                state[f"bias_hh{end}"][2 * layer.hidden_size :] = own["b_hn"]
            if "Wp" in own:
                state[f"weight_hr{end}"] = transposed_copy(own["Wp"])
    return state


def from_pytorch(state: Mapping[str, Any], prefix: str = "", **options: Any) -> Recurrent:
    """The layer that a state_dict of torch.nn.LSTM, GRU or RNN describes, or one of their cells, e.g. LSTMCell.

    state: names to arrays or tensors. prefix: of the names that are meant, e.g. "lstm."; others are left alone, and so
    are integers that are no weights, e.g. a counter.
    options: what no array tells, as the layer takes it: nonlinearity="relu", dropout, rng, ...

    Cell, sizes, layers, directions, biases, projection and dtype are read off the names and shapes. Raises ValueError
    or TypeError for a name that is missing or too many, and for a wrong shape or dtype.

    >>> nb.from_pytorch(nb.to_pytorch(nb.BiLSTM(3, 4, 2)))  # or lstm.state_dict()
    LSTM(3, 4, 2, bidirectional=True)
    """
    require_state_dict(state)
    require_weights_themselves(name for name in state if name.startswith(prefix.removesuffix("module.")))
    if not any(prefix + first in state for first in FIRST):
        alone = f"{prefix}{FIRST[0]}_reverse"
        reverse = f" and has {alone!r}: no module of PyTorch has the reverse direction alone"
        raise ValueError(f"state lacks {prefix + FIRST[0]!r}{reverse if alone in state else elsewhere(state, prefix)}")
    own = under(state, prefix)
    of_cell = prefix + FIRST[0] not in own
    if of_cell:
        own = {f"{name}_l0" if re.fullmatch(RECURRENT, name[len(prefix) :]) else name: w for name, w in own.items()}
    first = {}
    for name in ("weight_ih_l0", "weight_hh_l0"):
        if prefix + name not in own:
            raise ValueError(f"state lacks {prefix + (name.removesuffix('_l0') if of_cell else name)!r}")
        first[name] = own[prefix + name]
        require_matrix(f"state[{prefix + name!r}]", first[name])
    W_ih, W_hh = first.values()
    H = W_hh.shape[1]
    told: dict[str, Any] = {}
    W_hr = own.get(f"{prefix}weight_hr_l0")
    if W_hr is not None:
        require_matrix(f"state[{prefix + 'weight_hr_l0'!r}]", W_hr)
        H = W_hr.shape[1]
        told["projection_size"] = len(W_hr)
    cell = BLOCKS.get(len(W_hh) / H if H else 0)
    if cell is None or (W_hr is not None and cell != "lstm"):
        raise ValueError(
            f"state[{prefix + 'weight_hh_l0'!r}] has shape {W_hh.shape}, and the hidden size is {H}; "
            f"it needs {4 * H} rows for an LSTM, {3 * H} for a GRU or {H} for an RNN"
            + (", of which only an LSTM has a weight_hr" if W_hr is not None else "")
        )
    layer = fresh(
        cell,
        W_ih.shape[1],
        H,
        sum(re.fullmatch(r"weight_ih_l\d+", name[len(prefix) :]) is not None for name in own),
        W_ih.dtype,
        {
            "bidirectional": f"{prefix}weight_ih_l0_reverse" in own,
            "bias": any(name.startswith(f"{prefix}bias_") for name in own),
            **told,
        },
        options,
        stored=sum(w.size for w in own.values()),
    )
    require_same_names("state", own, {prefix + name: w for name, w in to_pytorch(layer).items()})

    params = {}
    for name in layer.params:
        k, direction, kind = name.split(".")
        end = ending(int(k), direction)
        if kind in ("b", "b_hn"):
            b_ih, b_hh = own[f"{prefix}bias_ih{end}"], own[f"{prefix}bias_hh{end}"]
            params[name] = b_hh[2 * H :].copy() if kind == "b_hn" else b_ih + b_hh
            if kind == "b" and cell == "gru":
                params[name][2 * H :] = b_ih[2 * H :]
        else:
            theirs = {"Wx": "weight_ih", "Wh": "weight_hh", "Wp": "weight_hr"}[kind]
            params[name] = transposed_copy(own[f"{prefix}{theirs}{end}"])
    return layer.with_params(params)


def linear_from_pytorch(state: Mapping[str, Any], prefix: str = "") -> Linear:
    """The layer that a state_dict of torch.nn.Linear describes; without a bias, b is 0. Raises as from_pytorch does."""
    own = under(state, prefix)
    weight = required_weight(own, prefix)
    bias = np.zeros(len(weight), weight.dtype)
    own.setdefault(f"{prefix}bias", bias)
    require_same_names("state", own, {f"{prefix}weight": weight, f"{prefix}bias": bias})
    return linear_of(weight.T, own[f"{prefix}bias"])


def embedding_from_pytorch(state: Mapping[str, Any], prefix: str = "") -> Embedding:
    """The layer that a state_dict of torch.nn.Embedding describes. Raises as from_pytorch does."""
    own = under(state, prefix)
    weight = required_weight(own, prefix)
    require_same_names("state", own, {f"{prefix}weight": weight})
    return embedding_of(weight)


def model_from_pytorch(state: Mapping[str, Any], make: type[SequenceModel], **options: Any) -> SequenceModel:
    """The model whose parts a state_dict holds: an Embedding, a recurrent layer and a Linear, whatever their names.

    make: SequenceTagger or SequenceClassifier. options: what no array tells, e.g. dropout, pooling. A Linear without
    bias gets one of 0.

    Raises ValueError where the state holds other parts, or parts that do not fit together.
    """
    if not (isinstance(make, type) and issubclass(make, SequenceModel)):
        raise TypeError(f"make is {make!r}; it needs nb.SequenceTagger or nb.SequenceClassifier")
    require_state_dict(state)
    require_weights_themselves(state)
    arrays = under(state, "")
    embedding, recurrent, linear = chosen_parts(arrays, make.__name__)
    own = [{name: arrays[name] for name in part.names} for part in (embedding, recurrent, linear)]
    return assembled(
        make,
        embedding_from_pytorch(own[0], embedding.prefix),
        from_pytorch(own[1], recurrent.prefix),
        linear_from_pytorch(own[2], linear.prefix),
        **options,
    )


def chosen_parts(arrays: Arrays, kind: str) -> tuple[Module, Module, Module]:
    """The Embedding, the recurrent layer and the Linear of a model. Raises ValueError, naming what is too many or
    lacking, where there is not one of each."""
    parts = modules_of(arrays)
    tables = [part for part in parts if part.kind.startswith("Embedding")]
    recurrent = [part for part in parts if part.kind == "recurrent"]
    linear = [part for part in parts if part.kind == "Linear"]
    if len(recurrent) == 1 and len(tables) == 2 and not linear:  # a Linear without bias looks like an Embedding
        (W_ih,) = (arrays[name] for name in recurrent[0].names if name.endswith(FIRST))
        fitting = [part for part in tables if arrays[part.names[0]].shape[1:] == W_ih.shape[1:]]
        named = [part for part in tables if "emb" in part.prefix]
        for embedding in (fitting, named):
            if len(embedding) == 1:
                tables, linear = embedding, [part for part in tables if part not in embedding]
                break
    if (len(recurrent), len(tables), len(linear), len(parts)) != (1, 1, 1, 3):
        needed = {"an Embedding": tables, "an LSTM, GRU or RNN": recurrent, "a Linear": linear}
        lacking = [what for what, found in needed.items() if not found]
        known = {part.prefix for part in (*tables, *recurrent, *linear)}
        other = [part for part in parts if part.prefix not in known]
        too_many = [in_words(found, " or ") for found in (tables, recurrent, linear) if len(found) > 1]
        raise ValueError(
            f"state has the parts {in_words(parts)}; a {kind} needs one Embedding (weight), "
            "one LSTM, GRU or RNN (weight_ih_l0, ...) and one Linear (weight, bias)"
            + (f"; it lacks {' and '.join(lacking)}" if lacking else "")
            + (f"; too many: {in_words([*too_many, *other])}" if too_many or other else "")
            + "".join(f". {alone(part.prefix)}" for part in recurrent[:1])
        )
    return tables[0], recurrent[0], linear[0]


def alone(prefix: str) -> str:
    """How the recurrent layer under a prefix is read by itself, for the end of a sentence."""
    return (
        f"To read the recurrent layer alone: npbilstm.from_pytorch(state, {prefix!r}), on the command line "
        f"--prefix {prefix or repr(prefix)}"
    )


def ending(k: int, direction: str) -> str:
    """The end of PyTorch's names for layer k and a direction."""
    return f"_l{k}" + ("_reverse" if direction == "reverse" else "")


def under(state: Mapping[str, Any], prefix: str) -> Arrays:
    """The state's weights with this prefix, under their full names."""
    own = {name: w for name, w in state.items() if name.startswith(prefix)}
    return as_arrays("state", {name: w for name, w in own.items() if is_weight(name, w)})


def required_weight(own: Arrays, prefix: str) -> np.ndarray:
    """The matrix prefix + "weight". Raises ValueError where there is none."""
    name = f"{prefix}weight"
    if name not in own:
        raise ValueError(f"state lacks {name!r}")
    require_matrix(f"state[{name!r}]", own[name])
    return own[name]


def require_known_to_pytorch(layer: Any) -> None:
    """Raise ValueError for what PyTorch has no module for."""
    needed = {"merge": "concat", "reverse": False, "peepholes": False, "coupled": False, "reset_after": True}
    require_convertible_options(layer, f"PyTorch's {cell_of(layer).upper()}", {**needed, **USUAL_ACTIVATIONS})
    if getattr(layer, "nonlinearity", "tanh") not in ("tanh", "relu"):
        raise ValueError(f"nonlinearity is {layer.nonlinearity!r}; PyTorch's RNN has 'tanh' and 'relu' alone")
    R, H = layer.output_size, layer.hidden_size
    if getattr(layer, "projection_size", None) is not None and R >= H:
        raise ValueError(f"projection_size is {R}; PyTorch needs it to be smaller than hidden_size, which is {H}")
