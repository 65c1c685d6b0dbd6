"""Whether an object of a submitted class gives, when it is used again, what a new one gives.

A form's lines make a new object for each case, a training loop one for all batches. What a forward pass has kept of the
batch before, a tape that is never emptied or a state that is not put back to 0, shows at the second batch alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from npbilstm.submission.function_spec import Arrays
from npbilstm.submission.pairs import snapshot

DATA = {"x", "h_prev", "c_prev", "h0", "c0"}
"""The inputs that are others in the batch before; weights are given to an object once."""
RESETS = ("reset", "clear", "set_state", "init_state", "init_hidden", "zero_state")
"""Words in the names of methods by which an object's state is put back: it keeps it on purpose."""


class Maker:
    """In place of a class in the lines: it makes objects, and after `rewind` gives the same once more, where they are
    asked for with the same arguments; what was made of another batch is another object."""

    def __init__(self, make: Callable[..., Any]) -> None:
        self.make = make
        self.made: list[Any] = []
        self.asked: list[Any] = []
        self.given = 0

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        k, asked = self.given, snapshot((arguments, named))
        self.given += 1
        if k < len(self.made) and self.asked[k] == asked:
            return self.made[k]
        self.made[k:], self.asked[k:] = [self.make(*arguments, **named)], [asked]
        return self.made[k]

    def rewind(self) -> None:
        """Begin again with the first object."""
        self.given = 0


def makers_of(names: Mapping[str, Any], called: Iterable[str]) -> dict[str, Maker]:
    """A maker for each class that the lines call."""
    return {name: Maker(names[name]) for name in dict.fromkeys(called) if isinstance(names.get(name), type)}


def other_batch(inputs: Arrays) -> Arrays:
    """Inputs of the same shapes with the same weights, and with other data."""
    return {name: 0.5 - np.flip(value) if name in DATA else value for name, value in inputs.items()}


def keeps_state(each: Any) -> bool:
    """Whether an object says that it keeps its state from batch to batch."""
    if hasattr(each, "stateful"):
        return bool(each.stateful)
    return any(word in name.lower() for name in dir(each) for word in RESETS)
