"""What relu may do that tanh and sigmoid cannot: grow from step to step, until a number is too large for its dtype.

Then the layer says so, in one sentence, in place of what NumPy says of some line of the engine. Whether it warns, stops
or is silent is what NumPy is told about overflow (numpy.errstate, numpy.seterr): "warn" unless told.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

from npbilstm import engine
from npbilstm.textbook.sequences import check_lengths, valid_steps

REMEDY = "Smaller weights, a shorter sequence, or tanh and sigmoid keep numbers in range"


OPTIONS = ("activation", "recurrent_activation", "nonlinearity")
"""The options of a layer that name an activation."""

UNBOUNDED = [name for name, activation in engine.ACTIVATIONS.items() if not activation.bounded]


def in_range(layer: Any) -> AbstractContextManager[LayerRange | None]:
    """While a layer's pass runs: what checks it, where an activation has no bound, and NumPy silent; else None."""
    options = vars(layer)
    unbounded = [f"{name}={options[name]!r}" for name in OPTIONS if options.get(name) in UNBOUNDED]
    if not unbounded or np.geterr()["over"] == "ignore":
        return nullcontext()
    return checking(LayerRange(layer, " and ".join(unbounded), np.geterr()["over"]))


@contextmanager
def checking(within: LayerRange) -> Iterator[LayerRange]:
    """NumPy is silent while this checks."""
    with np.errstate(over="ignore", invalid="ignore"):
        yield within


class LayerRange:
    """Whether numbers stay in the range of their dtype. Of what was not finite when it came in, nothing is said."""

    def __init__(self, layer: Any, unbounded: str, told: str) -> None:
        self.layer, self.unbounded, self.told = layer, unbounded, told

    def forward(
        self,
        layer_index: int,
        x: np.ndarray,
        state: Sequence[np.ndarray],
        lengths: np.ndarray | None,
        y: np.ndarray,
        joined: Any,
    ) -> None:
        """After a layer of the stack has read x (N, T, D) and put out y (N, T, S, R), which were joined."""
        outputs = dict(zip(self.layer.directions, y.swapaxes(0, 2).swapaxes(1, 2)))  # each (N, T, R)
        if not isinstance(joined, tuple):
            outputs["joined"] = joined
        if all_finite(outputs.values()):  # what is infinite in c shows in h
            return
        N, T = x.shape[:2]
        lengths = check_lengths(lengths, N, T)
        given = (np.isfinite(x).all(axis=2) | ~valid_steps(lengths, T)).all(axis=1)  # (N,)
        given &= np.all([np.isfinite(part).all(axis=(0, 2)) for part in state], axis=0)
        for name, output in outputs.items():
            bad = ~np.isfinite(output).all(axis=2) & given[:, None]  # (N, T)
            if bad.any():
                steps = np.arange(T)
                order = lengths[:, None] - 1 - steps if name == "reverse" else steps  # as which one each is read
                n, t = np.unravel_index(np.where(bad, order, T).argmin(), bad.shape)
                of = {"joined": ", where the directions join"}.get(name, f" of the {name} direction")
                self.tell(
                    f"layer {layer_index} of {self.layer!r} leaves the range of {y.real.dtype} in row {n} at step {t}"
                    f"{of if y.shape[2] == 2 else ''}: with {self.unbounded} nothing bounds what a step hands to the "
                    f"next. {REMEDY}"
                )
                return

    def backward(self, layer_index: int, given: Sequence[np.ndarray], made: Sequence[np.ndarray]) -> None:
        """After a layer of the stack has made gradients of what it was given."""
        if not all_finite(made) and all_finite(given):
            self.tell(
                f"the gradients of layer {layer_index} of {self.layer!r} leave the range of {made[0].real.dtype}: with "
                f"{self.unbounded} nothing bounds what a step hands back to the one before. {REMEDY}"
            )

    def tell(self, sentence: str) -> None:
        """Raise or warn, as NumPy is told to."""
        if self.told == "raise":
            raise FloatingPointError(sentence)
        warnings.warn(sentence, RuntimeWarning, stacklevel=5)


def all_finite(arrays: Any) -> bool:
    """Whether none holds NaN or infinity."""
    return all(bool(np.isfinite(array).all()) for array in arrays)
