"""A pair of passes as check_pair calls them: inputs by name in; outs and gradients by name out, or why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from npbilstm.gradcheck.tree import flatten, is_number, rebuild
from npbilstm.gradcheck.values import Arrays


class CheckedPair(NamedTuple):
    """The two passes, the inputs, the names of the outs (None: the usual ones) and of the inputs with gradients."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    inputs: dict[str, Any]
    outputs: Sequence[str] | None
    gradients: tuple[str, ...]

    @property
    def point(self) -> dict[str, np.ndarray]:
        """All arrays that have gradients, by flat name."""
        return {leaf: array for name in self.gradients for leaf, array in flatten(self.inputs[name], name).items()}

    def with_arrays(self, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """The inputs with these arrays in place of theirs, and copies of all others."""

        def leaf(name: str, old: np.ndarray) -> np.ndarray:
            return arrays[name] if name in arrays else np.array(old, subok=False)

        return {name: rebuild(value, name, leaf) for name, value in self.inputs.items()}

    def copied_inputs(self) -> dict[str, Any]:
        """The inputs, every array a copy."""
        return self.with_arrays({})

    def moved_inputs(self) -> dict[str, Any]:
        """The inputs with other numbers of the same signs."""
        rng = np.random.default_rng(0)
        return self.with_arrays({name: p * rng.uniform(0.9, 0.95, p.shape) for name, p in self.point.items()})

    def run_forward(self, inputs: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        """-> outs by name, cache; or the error that says what forward returned."""
        returned = self.forward(*inputs.values())
        if not isinstance(returned, tuple) or len(returned) < 2:
            got = f"a tuple of {len(returned)}" if isinstance(returned, tuple) else f"one {type(returned).__name__}"
            raise ValueError(f"forward returned {got}; it needs (out, cache) or (out, another, ..., cache)")
        *outs, cache = returned
        names = self.outputs
        if names is None:
            names = ["out"] if len(outs) == 1 else [f"out{k}" for k in range(len(outs))]
        if len(names) != len(outs):
            raise ValueError(
                f"forward returned {len(outs)} outs and a cache; outputs names {len(names)}: {list(names)}"
            )
        return dict(zip(names, outs)), cache

    def run_backward(self, outs: Mapping[str, Any], up: Arrays, cache: Any) -> dict[str, Any]:
        """The gradients by flat name, copied; or the error that says what backward returned. `up` is passed itself."""
        given = [rebuild(out, name, lambda leaf, _: up[leaf][()], is_number) for name, out in outs.items()]
        return self.named_gradients(self.backward(*given, cache))

    def named_gradients(self, returned: Any) -> dict[str, Any]:
        """What backward returned, by flat name."""
        wanted = ", ".join(self.gradients)
        if isinstance(returned, Mapping) and set(returned) == {f"d{name}" for name in self.gradients}:
            returned = {name: returned[f"d{name}"] for name in self.gradients}
        if isinstance(returned, Mapping) and set(returned) == set(self.gradients):
            parts = [returned[name] for name in self.gradients]
        elif len(self.gradients) == 1 and type(returned) is type(self.inputs[self.gradients[0]]):
            parts = [returned]
        elif isinstance(returned, Mapping):
            raise ValueError(f"backward returned {', '.join(map(str, returned))}; it needs the gradients of {wanted}")
        else:
            parts = list(returned) if isinstance(returned, (tuple, list)) else [returned]
        if len(parts) != len(self.gradients):
            number = f"{len(parts)} gradient" + "s" * (len(parts) != 1)
            raise ValueError(f"backward returned {number}; it needs {len(self.gradients)}, of {wanted}")
        grads: dict[str, Any] = {}
        for name, part in zip(self.gradients, parts):
            grads.update(gradient_of(name, self.inputs[name], part))
        return grads


def gradient_of(name: str, value: Any, part: Any) -> dict[str, Any]:
    """The gradient of one input by flat name, copied; or the error that says how its structure differs."""
    given = {leaf: np.array(array, subok=False) for leaf, array in flatten(part, name, is_number).items()}
    for leaf, array in flatten(value, name).items():
        if leaf not in given:
            got = f"of type {type(part).__name__}" + (f", with {', '.join(given)}" if given else "")
            if isinstance(part, np.ndarray):
                got = f"an array of dtype {part.dtype} and shape {part.shape}"
            raise ValueError(f"backward's gradient of {name} is {got}; it needs floating-point numbers for {leaf}")
        if given[leaf].dtype.kind != "f":
            raise ValueError(f"backward's gradient of {leaf} has dtype {given[leaf].dtype}; it needs real numbers")
        if given[leaf].shape != np.shape(array):
            raise ValueError(
                f"backward's gradient of {leaf} has shape {given[leaf].shape}; {leaf} has {np.shape(array)}"
            )
    return {leaf: given[leaf] for leaf in flatten(value, name)}


def flat(parts: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """All floating-point arrays of named arguments, by flat name."""
    return {leaf: array for name, value in parts.items() for leaf, array in flatten(value, name).items()}


def flat_outs(outs: Mapping[str, Any]) -> dict[str, Any]:
    """The floating-point arrays and numbers among the outs, by flat name."""
    return {leaf: array for name, out in outs.items() for leaf, array in flatten(out, name, is_number).items()}
