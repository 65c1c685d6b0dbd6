"""The weights of a layer that somebody wrote: which of its attributes is what, told by names and shapes.

A layer of one's own has its weights in attributes, or in a dict that is one: Wx, Wh, b; weights_x, weights_h, biases;
one matrix weights on both; Wf, Uf, bf for each gate. Its gradients are beside them: dWx, dweights, grad_b. Which way
round a matrix stands is seen from its shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np

from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.form import Part
from npbilstm.submission.form_weights import axes_of, part_of, reference_gradients, short
from npbilstm.submission.function_spec import Arrays, FunctionSpec
from npbilstm.submission.layouts import Layout, to_submitted

NAMES = {
    "Wx": "wx wxh wih weightsx weightsinput weightsinputs inputweights weightsxh wi kernel u weights w",
    "Wh": "wh whh weightsh weightshidden hiddenweights weightsrecurrent recurrentweights weightshh recurrentkernel wr "
    "u v w",
    "b": "b bias biases bh bx",
    "W": "w weights weight kernel wcat",
    "table": "weights w embeddings embedding table",
}
"""What each is called, without case and underscores."""
GATES = {"i": "i", "f": "f", "g": "gcan", "o": "o", "r": "r", "z": "zu", "n": "nhcg"}
"""The letters by which gates are called."""
HELD_IN = ("params", "parameters", "weights", "grads", "gradients")
"""Attributes that may be a dict of arrays."""


class LayerWeights:
    """The weights of a layer of one's own, by the places where they are kept."""

    def __init__(self, layer: Any, sources: set[str], inputs: Arrays, spec: FunctionSpec, layout: Layout) -> None:
        self.layer, self.inputs, self.spec, self.layout = layer, inputs, spec, layout
        self.sources = [name for name in inputs if name in sources]
        self.called = type(layer).__name__
        self.parts = self.found_by_gates() or self.found_whole()

    def spaces(self) -> Iterator[MutableMapping[str, Any]]:
        """Where arrays may be kept: the layer's attributes, and dicts in these."""
        yield vars(self.layer)
        yield from (held for name, held in vars(self.layer).items() if name in HELD_IN and isinstance(held, dict))

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that may be weights, by their names."""
        return {
            str(name): value
            for space in self.spaces()
            for name, value in space.items()
            if isinstance(value, np.ndarray) and value.ndim and not re.match(r"d_?[a-zA-Z]|grad", str(name))
        }

    def found_by_gates(self) -> dict[str, Part]:
        """The weights where there is a matrix for each gate."""
        own = {plain(name): name for name in self.arrays()}
        wanted = {"Wx": ("w{}x", "wx{}", "w{}i", "w{}"), "Wh": ("w{}h", "wh{}", "u{}", "r{}"), "b": ("b{}", "bias{}")}
        found: dict[str, Part] = {}
        for gate in self.spec.gates:
            for source, patterns in wanted.items():
                names = (pattern.format(letter) for letter in GATES[gate] for pattern in patterns)
                name = next((own[each] for each in names if each in own and own[each] not in found), None)
                if name is not None:
                    found[name] = Part(source, gate)
        sources = {part.name for part in found.values()}
        if "Wx" in sources and "Wh" not in sources:  # one matrix a gate, on both
            found = {name: Part("W", part.gate) if part.name == "Wx" else part for name, part in found.items()}
        return found if len(found) >= 2 * len(self.spec.gates) > 0 else {}

    def found_whole(self) -> dict[str, Part]:
        """The weights where there is one matrix for all gates: by names, and of these by sizes, since to one W is what
        multiplies x, and to another what multiplies h."""
        sources = self.sources
        if "Wh" in sources and self.place_of("Wh", {}) is None:
            sources = ["W", *(name for name in sources if name not in ("Wx", "Wh"))]
        found: dict[str, Part] = {}
        for source in sources:
            name = self.place_of(source, found)
            if name is None:
                there = ", ".join(self.arrays()) or "none"
                raise SubmissionError(f"{self.called} has no array that is known as {source}; it has {there}")
            found[name] = Part(source, "")
        return found

    def place_of(self, source: str, taken: Mapping[str, Part]) -> str | None:
        """The name under which one of the textbook's arrays is kept; None where there is none."""
        size = self.submitted(Part(source, "")).size
        own = {plain(name): name for name, array in self.arrays().items() if array.size == size and name not in taken}
        return next((own[each] for each in NAMES[source].split() if each in own), None)

    def fill(self) -> None:
        """Put the textbook's weights in their places."""
        for name, part in self.parts.items():
            self.keep(name, self.in_shape(name, self.submitted(part)))

    def submitted(self, part: Part) -> np.ndarray:
        """The textbook's numbers of a part, rows by columns as the textbook has them."""
        layout = self.layout._replace(weights="D,4H", b="4H")
        return to_submitted(
            short(part), part_of(part, self.inputs, self.spec, layout), axes_of(part, self.spec), layout
        )

    def in_shape(self, name: str, array: np.ndarray) -> np.ndarray:
        """An array in the shape that a place has: turned, or with an axis of 1 more."""
        shape = self.arrays()[name].shape
        if self.turned() and array.ndim == 2:
            array = array.T
        if array.size != np.prod(shape) or (array.ndim == 2 and array.shape != shape):
            raise SubmissionError(f"{self.called}.{name} has shape {shape}; it needs {array.shape}")
        return np.ascontiguousarray(array.reshape(shape))

    def turned(self) -> bool:
        """Whether matrices have outputs first, which those that are not square tell."""
        for name, part in self.parts.items():
            array = self.submitted(part)
            if array.ndim == 2 and array.shape[0] != array.shape[1]:
                return bool(self.arrays()[name].shape == array.shape[::-1])
        return False

    def keep(self, name: str, array: np.ndarray) -> None:
        """Set the attribute, or the dict's entry, of this name."""
        for space in self.spaces():
            if name in space:
                space[name] = array

    def gradients(self) -> dict[str, np.ndarray]:
        """The gradients that the layer has kept, by the textbook's names with d, in the form's layout."""
        own: dict[str, Any] = {}
        for name, part in self.parts.items():
            value = self.gradient_of(name)
            array = np.asarray(value, float)
            shape = self.submitted(part).shape
            array = array.T if self.turned() and array.ndim == 2 and len(shape) == 2 else array
            own[name] = array.reshape(shape) if array.size == np.prod(shape) and len(shape) == 1 else array
        layout = self.layout._replace(weights="D,4H", b="4H")
        grads, _ = reference_gradients(self.parts, own, self.inputs, self.spec, layout, f"{self.called}.backward")
        return {
            f"d{name}": to_submitted(name, grad, self.spec.inputs[name], self.layout) for name, grad in grads.items()
        }

    def gradient_of(self, name: str) -> Any:
        """The gradient of what is kept under this name."""
        wanted = {plain(each.format(name)) for each in ("d{}", "grad{}", "{}grad", "delta{}", "gradient{}")}
        for space in self.spaces():
            for key, value in space.items():
                if plain(str(key)) in wanted:
                    return value
        for held in (getattr(self.layer, each, None) for each in HELD_IN[3:]):
            if isinstance(held, Mapping) and name in held:
                return held[name]
        raise SubmissionError(f"{self.called} keeps no d{name}; it needs to")


def plain(name: str) -> str:
    """A name without case and underscores."""
    return name.lower().replace("_", "")
