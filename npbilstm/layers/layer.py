"""What every layer is: parameters in one flat dict, and pure passes over them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from npbilstm.layers.checks import require_floats

Self = TypeVar("Self", bound="Layer")


class Layer:
    """A layer holds `params`, a flat dict of arrays, and no other state that a pass would change, but for the generator
    that dropout draws from where forward is given none.

        y, cache = layer.forward(x, ...)             (recurrent layers: y, final state, cache)
        dx, grads = layer.backward(dy, cache)        (and the initial state's gradient); grads has the names of params

    The cache holds all that one backward pass needs: several may be alive at once, and threads may share a layer.
    """

    params: Mapping[str, np.ndarray]

    def with_params(self: Self, params: Mapping[str, np.ndarray]) -> Self:
        """The same layer over other parameters, which may be complex: what a gradient check evaluates.

        params: the names and shapes of self.params. Raises ValueError where they differ, TypeError where an array does
        not hold floating numbers.
        """
        require_same_names("params", params, self.params)
        for name, p in params.items():
            require_floats(f"params[{name!r}]", p)
        other = copy.copy(self)
        other.params = dict(params)
        return other

    @property
    def num_parameters(self) -> int:
        """How many numbers the layer learns."""
        return sum(p.size for p in self.params.values())

    def require_own(self, cache: Any) -> None:
        """Raise unless this cache came from a forward pass of this layer that kept what backward needs."""
        owner = getattr(cache, "layer", None)
        if owner is None:
            raise TypeError(f"cache is a {type(cache).__name__}; it needs what this layer's forward returned")
        if owner is not self:
            raise ValueError(f"this cache belongs to another layer, {owner!r}; it needs one that {self!r} made")
        if not getattr(cache, "kept", True):
            raise ValueError(
                "this cache came from forward(..., training=False), which keeps nothing for backward; "
                "call forward(..., training=True)"
            )


def require_same_names(name: str, got: Mapping[str, np.ndarray], needed: Mapping[str, np.ndarray]) -> None:
    """Raise ValueError unless `got` has exactly the names and shapes of `needed`."""
    for key in needed:
        if key not in got:
            raise ValueError(f"{name} lacks {key!r}")
    for key, array in got.items():
        if key not in needed:
            raise ValueError(f"{name} has {key!r}, which is none of {', '.join(needed)}")
        if np.shape(array) != needed[key].shape:
            raise ValueError(f"{name}[{key!r}] has shape {np.shape(array)}; it needs {needed[key].shape}")


def join(parts: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """One flat dict from the dicts of several layers: {"lstm": {"b": ...}} -> {"lstm.b": ...}."""
    return {f"{part}.{key}": array for part, params in parts.items() for key, array in params.items()}


def part_of(params: Mapping[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    """One layer's dict out of a joined one; join's inverse."""
    return {key[len(part) + 1 :]: array for key, array in params.items() if key.startswith(part + ".")}
