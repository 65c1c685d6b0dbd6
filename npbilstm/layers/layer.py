"""What every layer is: parameters in one flat dict, and pure passes over them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from npbilstm.layers.checks import require_floats

Self = TypeVar("Self", bound="Layer")
Item = TypeVar("Item")

DTYPES = [np.dtype(kind) for kind in (np.float32, np.float64, np.complex64, np.complex128)]


class Layer:
    """A layer holds `params`, a flat dict of arrays, and no other state that a pass would change, but for the generator
    that dropout draws from where forward is given none.

        y, cache = layer.forward(x, ...)             (recurrent layers: y, final state, cache)
        dx, grads = layer.backward(dy, cache)        (and the initial state's gradient); grads has the names of params

    The cache holds all that one backward pass needs: several may be alive at once, and threads may share a layer.

    The numbers in params may change in place at any time; that names, shapes and dtypes are as require_params says,
    every pass makes sure of.
    """

    params: Mapping[str, np.ndarray]

    @property
    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The name and shape of each parameter."""
        raise NotImplementedError

    def _require_params(self, prefix: str = "") -> np.dtype:
        """The dtype of the params, once they are as param_shapes says. prefix: what sentences put before a name.

        Raises as the function require_params does.
        """
        return require_params(self.params, self.param_shapes, prefix)

    def with_params(self: Self, params: Mapping[str, np.ndarray]) -> Self:
        """The same layer over other parameters, which may be complex: what a gradient check evaluates.

        Raises as the function require_params does.
        """
        require_params(params, self.param_shapes)
        other = copy.copy(self)
        other.params = dict(params)
        return other

    @property
    def num_parameters(self) -> int:
        """How many numbers the layer learns."""
        return sum(p.size for p in self.params.values())

    def _require_own(self, cache: Any) -> None:
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


def require_sound(layer: Layer) -> None:
    """Raise TypeError or ValueError where the layer's options or params are not what they may be, as a pass does."""
    layer._require_params()


def require_own(layer: Layer, cache: Any) -> None:
    """Raise unless this cache came from a forward pass of this layer that kept what backward needs."""
    layer._require_own(cache)


def made_with(layer: Layer, *arguments: object) -> str:
    """A layer's repr: the arguments that make it, and its dtype, if that is not float32."""
    params: Any = layer.params
    dtypes = {str(getattr(p, "dtype", None)) for p in params.values()} if isinstance(params, Mapping) else set()
    dtype = [f"dtype={dtype}" for dtype in dtypes if len(dtypes) == 1 and dtype != "float32"]
    return f"{type(layer).__name__}({', '.join([*map(str, arguments), *dtype])})"


def require_params(params: Any, shapes: Mapping[str, tuple[int, ...]], prefix: str = "") -> np.dtype:
    """The dtype of params, a dict that needs arrays of exactly these names and shapes.

    All of float32, or all of float64; some or all may be complex numbers of that precision, for the complex step. One
    float64 among float32 is an error: all work would be done in float64, twice as slowly.

    Raises TypeError or ValueError, naming the parameter, what it is and what is needed.
    """
    dtype = common_dtype(params, shapes) if isinstance(params, dict) else None
    if dtype is not None:
        return dtype  # as nearly always
    if not isinstance(params, Mapping):
        raise TypeError(f"params is a {type(params).__name__}; it needs a dict of arrays")
    named = {f"{prefix}{name}": p for name, p in params.items()}
    for name, p in named.items():
        if not isinstance(p, np.ndarray) or isinstance(p, np.matrix):
            raise TypeError(f"params[{name!r}] is a {type(p).__name__}; it needs a NumPy array")
        require_floats(f"params[{name!r}]", p)
    require_names_and_shapes("params", named, {f"{prefix}{name}": shape for name, shape in shapes.items()})
    first = next(iter(named), "")
    for name, p in named.items():
        if p.dtype not in DTYPES:
            raise TypeError(
                f"params[{name!r}] has dtype {p.dtype}; it needs float32 or float64, or for a complex step complex64 "
                "or complex128"
            )
        if p.real.dtype != named[first].real.dtype:
            raise TypeError(
                f"params[{name!r}] has dtype {p.dtype} and params[{first!r}] has {named[first].dtype}; "
                "all need to have the same"
            )
    return np.result_type(np.float32, *(p.dtype for p in named.values()))


def common_dtype(params: dict[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> np.dtype | None:
    """The one dtype of all params, where nothing is wrong with them: in a microsecond or two, as every pass asks."""
    dtype = None
    for name, p in params.items():
        if type(p) is not np.ndarray or p.shape != shapes.get(name):
            return None
        if p.dtype is not dtype:
            if dtype is not None and p.dtype != dtype:
                return None
            dtype = p.dtype
    return dtype if len(params) == len(shapes) and dtype in DTYPES else None


def require_same_names(name: str, got: Mapping[str, np.ndarray], needed: Mapping[str, np.ndarray]) -> None:
    """Raise ValueError unless `got` has exactly the names and shapes of `needed`."""
    require_names_and_shapes(name, got, {key: array.shape for key, array in needed.items()})


def require_names_and_shapes(name: str, got: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ValueError unless `got` has exactly these names and shapes."""
    missing = [f"{name} lacks {key!r}" for key in shapes if key not in got]
    unknown = [f"{name} has {key!r}, which is none of {', '.join(shapes)}" for key in got if key not in shapes]
    if missing or unknown:
        raise ValueError("; ".join([*missing[:1], *unknown[:1]]))
    for key, array in got.items():
        if np.shape(array) != shapes[key]:
            raise ValueError(f"{name}[{key!r}] has shape {np.shape(array)}; it needs {shapes[key]}")


def join(parts: Mapping[str, Mapping[str, Item]]) -> dict[str, Item]:
    """One flat dict from the dicts of several layers: {"lstm": {"b": ...}} -> {"lstm.b": ...}."""
    return {f"{part}.{key}": item for part, own in parts.items() for key, item in own.items()}


def part_of(params: Mapping[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    """One layer's dict out of a joined one; join's inverse."""
    return {key[len(part) + 1 :]: array for key, array in params.items() if key.startswith(part + ".")}


def parts_in(params: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """Every layer's dict out of a joined one, by its name: {"0.forward.b": ...} -> {"0.forward": {"b": ...}}. One pass,
    where part_of for each of many layers would take one each."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for key, array in params.items():
        part, _, name = key.rpartition(".")
        found.setdefault(part, {})[name] = array
    return found


def blocks_in(gates: str, kind: str) -> tuple[str, ...]:
    """The gates of one parameter, "Wx" say, of a cell with these gates; () where it is not made of blocks."""
    if kind == "p":  # peepholes
        return tuple(gates.replace("g", ""))
    return tuple(gates) if kind in ("Wx", "Wh", "b") else ()
