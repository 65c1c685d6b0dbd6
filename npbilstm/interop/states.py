"""A state: arrays under names, PyTorch's or ours. Which recurrent layers it holds, and the layer or model it makes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from npbilstm.interop.named import from_params, model_from_params
from npbilstm.interop.parts import Arrays, cell_of, is_weight
from npbilstm.interop.pytorch import alone, from_pytorch, model_from_pytorch
from npbilstm.interop.pytorch_names import in_words, recurrent_prefixes, require_weights_themselves
from npbilstm.layers import RNN, Recurrent
from npbilstm.layers.cells import CELLS
from npbilstm.layers.layer import part_of
from npbilstm.layers.options import NUMBERS
from npbilstm.models import Model
from npbilstm.training.checkpoints import MODELS


def weights_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """What of a state may be weights, and not what stands beside them, e.g. counters."""
    return {name: w for name, w in state.items() if is_weight(name, w)}


def prefixes_in(names: Mapping[str, Any]) -> list[str]:
    """What stands before the weights of each recurrent layer: "encoder.lstm." of PyTorch's names, "lstm." of ours."""
    ours = [found[1] or "" for name in names if (found := re.fullmatch(FIRST_OF_OURS, name))]
    return list(dict.fromkeys([*recurrent_prefixes(names), *ours]))


FIRST_OF_OURS = rf"(.*\.)?0\.({'|'.join(NUMBERS)})\.Wx"
"""The first weight of a direction, by our names."""

OF_RECURRENT = r"(weight|bias)_(ih|hh|hr)|_all_weight_values"
"""What the names have of weights of a recurrent layer of PyTorch, stored themselves or as what they are computed from,
or packed."""


def one_layer(
    state: Mapping[str, Any], prefix: str | None, options: Mapping[str, Any]
) -> tuple[Recurrent, dict[str, Any]]:
    """The recurrent layer under a prefix, or where that is None the only one; and what is said `about` it.

    about["left_out"]: the parts that stand beside it. about["untold"]: an option that no name or shape tells, and of
    which the usual value is taken. Each is there only where there is such.

    Raises ValueError or TypeError as prefix_alone and from_pytorch do.
    """
    if not isinstance(prefix, str | None):
        raise TypeError(f"prefix is {prefix!r}; it needs to be a string, the beginning of names")
    state = weights_of(state)
    own = state
    if prefix is None:
        prefix = prefix_alone(state)
        if not prefix and not any(re.fullmatch(FIRST_OF_OURS, name) for name in state):
            own = {name: w for name, w in state.items() if "." not in name}  # a module that has others inside
    layer = under_prefix(own, prefix, options)
    beside = [name for name in state if name not in own or not name.startswith(prefix)]
    left_out = list(dict.fromkeys(name.rpartition(".")[0] or name for name in beside))
    untold = isinstance(layer, RNN) and "nonlinearity" not in options
    return layer, {**({"left_out": left_out} if left_out else {}), **({"untold": ["nonlinearity"]} if untold else {})}


def prefix_alone(state: Mapping[str, Any]) -> str:
    """The prefix of the one recurrent layer in a state. Raises ValueError where there is none, and where there are
    several, with a word on each."""
    found = prefixes_in(state)
    if not found:
        require_weights_themselves(state)
        parts = in_words(map(repr, dict.fromkeys(name.rpartition(".")[0] or name for name in state)))
        raise ValueError(
            f"it holds no recurrent layer under a known name: {KNOWN}" + (f"; it holds {parts}" if parts else "")
        )
    require_weights_themselves(name for name in state if re.search(OF_RECURRENT, name))
    if len(found) > 1:
        those = in_words(f"{prefix!r}{in_brief(state, prefix)}" for prefix in found)
        raise ValueError(
            f"it holds {len(found)} recurrent layers, under the prefixes {those}; prefix needs to be one of them "
            f"(on the command line: --prefix {found[0] or repr('')})"
        )
    return found[0]


def in_brief(state: Mapping[str, Any], prefix: str) -> str:
    """The layer under a prefix, in parentheses; "" for one that cannot be read."""
    try:
        return f" ({under_prefix(state, prefix, {})!r})"
    except (TypeError, ValueError):
        return ""


KNOWN = "weight_ih_l0 and so on, as in a state_dict of PyTorch, or lstm.0.forward.Wx and so on, as in params"


def under_prefix(arrays: Mapping[str, Any], prefix: str, options: Mapping[str, Any]) -> Recurrent:
    """The recurrent layer under a prefix, by PyTorch's names or ours. options: as from_pytorch takes them; and cell."""
    options = dict(options)
    asked = options.pop("cell", None)
    if asked is not None and asked not in CELLS:
        raise ValueError(f'cell is {asked!r}; it needs "lstm", "gru" or "rnn"')
    own = part_of(arrays, prefix.removesuffix(".")) if prefix else arrays
    if any(re.fullmatch(r"0\.\w+\.Wx", name) for name in own):
        named = prefix.removesuffix(".").rpartition(".")[2]
        return from_params(own, asked or (named if named in CELLS else None), **options)
    layer = from_pytorch(arrays, prefix, **options)
    if asked not in (None, cell_of(layer)):
        raise ValueError(f"cell is {asked!r}; the weights are those of {layer!r}")
    return layer


def made(arrays: Arrays, kind: str | None, options: dict[str, Any]) -> Recurrent | Model:
    """The layer, or the model of this kind, that arrays under PyTorch's names or ours make."""
    require_weights_themselves(arrays)
    theirs = recurrent_prefixes(arrays)
    if len(theirs) > 1 and kind is None:
        those = in_words(map(repr, theirs))
        raise ValueError(f"it holds {len(theirs)} recurrent layers, under the prefixes {those}. {alone(theirs[0])}")
    begins = [f"0.{direction}.Wx" for direction in NUMBERS]
    ours = [cell for cell in CELLS if any(f"{cell}.{begin}" in arrays for begin in begins)]
    if not theirs and not ours and not any(begin in arrays for begin in begins):
        raise ValueError(f"it holds no recurrent layer under a known name: {KNOWN}")
    prefix = theirs[0] if theirs else f"{ours[0]}." if ours else ""
    whole = not all(name.startswith(prefix) for name in arrays)
    make = MODELS.get(kind or "")
    if whole and make is None:
        raise ValueError(
            "it holds a whole model and does not say which; "
            'model needs to be "tagger" or "classifier" (on the command line: --model)'
            + (f". {alone(prefix)}" if theirs else "")
        )
    if not whole and make is not None:
        raise ValueError(f"it holds a recurrent layer alone, which makes no {kind}")
    if theirs:
        return model_from_pytorch(arrays, make, **options) if make else from_pytorch(arrays, prefix, **options)
    if make:
        return model_from_params(arrays, make, ours[0], **options)
    return from_params(part_of(arrays, ours[0]) if ours else arrays, ours[0] if ours else None, **options)
