"""What the options of layers may be, as type checkers know it. What they mean stands in the docstrings of Recurrent and
of the cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args

import numpy as np

from npbilstm.layers.checks import require_bool

Activation = Literal["tanh", "sigmoid", "relu", "hard_sigmoid", "hard_sigmoid_sixth"]
CellName = Literal["lstm", "gru", "rnn"]
Direction = Literal["forward", "reverse"]
Init = Literal["orthogonal", "torch"]
Merge = Literal["concat", "sum", "mul", "ave"]

Array = np.ndarray
Pair = tuple[np.ndarray, np.ndarray]
"""An LSTM's state (h, c); or, with merge=None, the outputs of the two directions."""

State = Array | Pair
"""The state as the user has it: h, or of an LSTM (h, c)."""

if TYPE_CHECKING:
    from numpy.typing import DTypeLike
    from typing_extensions import TypeVar

    Y_co = TypeVar("Y_co", default=Array, covariant=True)
    State_co = TypeVar("State_co", default=State, covariant=True)
else:  # before Python 3.13 a type variable has no default
    from typing import TypeVar

    Y_co, State_co = TypeVar("Y_co", covariant=True), TypeVar("State_co", covariant=True)

ACTIVATIONS: tuple[Activation, ...] = get_args(Activation)
"""The names of the functions that a layer may squash with. Of the hard sigmoids, straight lines cut off at 0 and at 1,
"hard_sigmoid" is a / 5 + 1/2, that of Keras 1 and 2 (tf.keras up to TensorFlow 2.15), and "hard_sigmoid_sixth"
a / 6 + 1/2, that of Keras 3, PyTorch and JAX, which call it hard sigmoid too."""

SIGMOIDS = ("sigmoid", "hard_sigmoid", "hard_sigmoid_sixth")
"""Those between 0 and 1, for which f(-a) = 1 - f(a)."""

DIRECTIONS: tuple[tuple[Direction, ...], ...] = (("forward",), ("forward", "reverse"), ("reverse",))
"""Those that a layer may have."""

DROPOUTS = ("dropout", "input_dropout", "recurrent_dropout")
"""The options that drop numbers in training: between layers, of what each layer reads, of h."""

NUMBERS = {"forward": 0, "reverse": 1}
"""The engine's numbers of the directions."""


class RecurrentOptions(TypedDict, total=False):
    """What every recurrent layer takes by name, but for bidirectional and merge, which decide what forward returns."""

    reverse: bool
    bias: bool
    dropout: float
    input_dropout: float
    recurrent_dropout: float
    init: Init
    dtype: DTypeLike
    store_every: int | None
    rng: int | np.random.Generator | None


class LSTMOptions(RecurrentOptions, total=False):
    """What an LSTM takes besides."""

    projection_size: int | None
    peepholes: bool
    coupled: bool
    activation: Activation
    recurrent_activation: Activation
    init_forget: float | Literal["chrono"] | None
    T_max: int | None


class GRUOptions(RecurrentOptions, total=False):
    """What a GRU takes besides."""

    reset_after: bool
    activation: Activation
    recurrent_activation: Activation


class RNNOptions(RecurrentOptions, total=False):
    """What an RNN takes besides."""

    nonlinearity: Activation


def directions_of(bidirectional: bool, reverse: bool) -> tuple[Direction, ...]:
    """The directions that these two options ask for. Raises TypeError where one is no bool, ValueError for both."""
    bidirectional, reverse = require_bool("bidirectional", bidirectional), require_bool("reverse", reverse)
    if bidirectional and reverse:
        raise ValueError(
            "reverse is True and bidirectional is True; with bidirectional=True the reverse direction is one of the "
            "two, so leave out one of these options"
        )
    return ("forward", "reverse") if bidirectional else ("reverse",) if reverse else ("forward",)


def unusual_options(layer: Any) -> dict[str, Any]:
    """The options of a recurrent layer that change what is computed, training or not, and are other than usual."""
    options = {"bidirectional": False, "reverse": False, "merge": "concat", "bias": True, **own_options(type(layer))}
    now = {**vars(layer), "bidirectional": len(layer.directions) == 2, "reverse": layer.reverse}
    return {name: now[name] for name, default in options.items() if now[name] != default}


def own_options(kind: Any) -> dict[str, Any]:
    """The options that only this kind of recurrent layer has, with their defaults."""
    own: dict[str, Any] = kind._own_options
    return own
