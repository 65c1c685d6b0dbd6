"""What the names in a state_dict tell: where recurrent layers stand, of which parts a network is made, and which
weights are not stored themselves, but as what they are computed from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

FIRST = ("weight_ih_l0", "weight_ih")
"""The first weight of an LSTM, GRU or RNN; and of an LSTMCell, GRUCell or RNNCell, which has no layers to number."""

RECURRENT = r"(weight_(ih|hh|hr)|bias_(ih|hh))(_l\d+(_reverse)?)?"
"""The names of a recurrent layer's weights, without their prefix."""


def recurrent_prefixes(names: Iterable[str]) -> list[str]:
    """What stands before the weights of each recurrent layer, "lstm." say."""
    return [name.removesuffix(first) for name in names for first in FIRST if name.endswith(first)]


class Module(NamedTuple):
    """A module of a network: its prefix, what it seems to be, and the names of its weights."""

    prefix: str
    kind: str
    names: list[str]

    def __str__(self) -> str:
        return f"{self.prefix.rstrip('.') or 'itself'} ({self.kind})"


def modules_of(arrays: Mapping[str, np.ndarray]) -> list[Module]:
    """The modules that a state's weights belong to, in their order."""
    found: dict[str, list[str]] = {}
    recurrent = set(recurrent_prefixes(arrays))
    for name in arrays:
        begin = max(name.rfind("weight_"), name.rfind("bias_"), 0)
        of_recurrent = name[:begin] in recurrent and re.fullmatch(RECURRENT, name[begin:])
        found.setdefault(name[:begin] if of_recurrent else name[: name.rfind(".") + 1], []).append(name)
    return [Module(prefix, module_kind(prefix, names, arrays), names) for prefix, names in found.items()]


def in_words(things: Iterable[Any], between: str = ", ") -> str:
    """Some things by name, and how many there are besides."""
    names = list(map(str, things))
    more = [f"{len(names) - SHOWN:,} more"] if len(names) > SHOWN else []
    return between.join([*names[:SHOWN], *more])


SHOWN = 8
"""So many things of a kind are enough in a sentence."""


def module_kind(prefix: str, names: list[str], arrays: Mapping[str, np.ndarray]) -> str:
    """What a module with these weights seems to be; "?" with their names where nothing is known of them."""
    own = {name[len(prefix) :] for name in names}
    axes = arrays[f"{prefix}weight"].ndim if "weight" in own else 0
    if own & set(FIRST):
        return "recurrent"
    if own == {"weight"} and (axes == 2 or "emb" in prefix):
        return "Embedding, or Linear without bias"
    if own == {"weight", "bias"} and axes == 2:
        return "Linear"
    if "running_mean" in own:
        return "BatchNorm"
    if own <= {"weight", "bias"} and axes == 1:
        return "LayerNorm or the like"
    if own <= {"weight", "bias"} and axes in (3, 4, 5):
        return f"Conv{axes - 2}d"
    if "in_proj_weight" in own:
        return "MultiheadAttention"
    if any("transitions" in name for name in own):
        return "CRF"
    return in_words(sorted(own))


COMPUTED = (
    (
        ["_raw"],
        "a WeightDrop keeps it as {name}, and drops some of it in training",
        "state['{at}module.{w}'] = state.pop('{name}') puts it in its place",
    ),
    (
        ["_g", "_v"],
        "weight_norm keeps it as {name} and {other}",
        "torch.nn.utils.remove_weight_norm(layer, '{w}') before layer.state_dict() puts it in its place",
    ),
    (
        ["_orig", "_mask"],
        "it is pruned, and kept as {name} and {other}",
        "torch.nn.utils.prune.remove(layer, '{w}') before layer.state_dict() puts it in its place",
    ),
    (
        ["_orig", "_u"],
        "spectral_norm keeps it as {name} and {other}",
        "torch.nn.utils.remove_spectral_norm(layer, '{w}') before layer.state_dict() puts it in its place",
    ),
)
"""Endings of names, whose they are, and what to do."""


def require_weights_themselves(names: Iterable[str]) -> None:
    """Raise ValueError where a weight is stored as what it is computed from, which is not read; the sentence says what
    to do."""
    known = dict.fromkeys(names)
    for name in known:
        if "_packed_params" in name or "_all_weight_values" in name:
            raise ValueError(
                f"state has {name!r}, of a quantized module, whose weights are packed; "
                "take the state_dict() of the model before it was quantized"
            )
        *at, where, w, last = ["", "", *name.split(".")]
        if where == "parametrizations" and last.startswith("original"):
            lacking = ".".join([*filter(None, at), w])
            raise ValueError(
                f"state lacks {lacking!r}: a parametrization keeps it as {name}; "
                f"torch.nn.utils.parametrize.remove_parametrizations(layer, {w!r}) before layer.state_dict() puts it "
                "in its place"
            )
        for (end, *others), whose, remedy in COMPUTED:
            lacking = name.removesuffix(end)
            w = lacking.rpartition(".")[2]
            if lacking != name and w.startswith(("weight", "bias")) and all(lacking + each in known for each in others):
                said = {"at": lacking.removesuffix(w), "w": w, "name": name}
                said["other"] = "".join(lacking + each for each in others)
                raise ValueError(f"state lacks {lacking!r}: {whose.format(**said)}; {remedy.format(**said)}")


def require_state_dict(state: Any) -> None:
    """Raise TypeError or ValueError for what is no state_dict, but what one is taken from or stands in."""
    if hasattr(state, "state_dict"):
        raise TypeError(f"state is a {type(state).__name__}; it needs names and arrays, as its state_dict() has them")
    if not isinstance(state, Mapping):
        raise TypeError(
            f"state is a {type(state).__name__}; it needs a dict of names and arrays: of a module its state_dict(), "
            "of its parameters dict(module.named_parameters())"
        )
    for name, w in state.items():
        if not isinstance(name, str):
            raise TypeError(f"state has the name {name!r}; names need to be strings, as in a state_dict()")
        if isinstance(w, Mapping) and any(isinstance(key, str) and recurrent_prefixes([key]) for key in w):
            raise ValueError(f"state is a checkpoint, in which the state_dict stands under {name!r}: state[{name!r}]")


def elsewhere(names: Iterable[str], prefix: str) -> str:
    """For the end of a sentence: under which other prefixes a state has recurrent layers; "" where it has none."""
    others = [repr(each) for each in recurrent_prefixes(names) if each != prefix]
    if not others:
        return ""
    return f"; it has a recurrent layer under the prefix {in_words(others, ' and one under ')}"
