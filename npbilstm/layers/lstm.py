"""LSTM and BiLSTM, with the variants that LSTMs have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

import numpy as np

from npbilstm import engine
from npbilstm.layers.checks import require_bool, require_choice, require_size
from npbilstm.layers.coupled import coupled_gradients, uncoupled
from npbilstm.layers.initialisation import chrono, require_init_forget
from npbilstm.layers.lstm_variants import lstm_variant_cell
from npbilstm.layers.options import ACTIVATIONS, SIGMOIDS, Activation, Array, LSTMOptions, Merge, Pair, Y_co
from npbilstm.layers.recurrent import Recurrent

if TYPE_CHECKING:
    from typing_extensions import Unpack


class LSTM(Recurrent[Y_co, Pair]):
    """Stacked LSTM layers; each direction computes the equations of textbook/lstm.py.

    projection_size: None, or R: h is (o tanh(c)) Wp with R numbers, R < H to make Wh smaller (Sak et al. 2014;
        PyTorch's proj_size). peepholes: the gates see the cell, the output gate the new one (Gers & Schmidhuber 2000).
    coupled: one gate less, f = 1 - i (Greff et al. 2017). Any of them together, see textbook/lstm_variants.py.
    activation: "tanh", "sigmoid", "relu", "hard_sigmoid" or "hard_sigmoid_sixth", in place of
        tanh, for the candidate and for the cell: h = o tanh(c).
    recurrent_activation: one of the same, in place of the gates' sigmoid. "hard_sigmoid" is clip(a / 5 + 1/2, 0, 1), as
        in Keras 1 and 2 (tf.keras up to TensorFlow 2.15); "hard_sigmoid_sixth" is clip(a / 6 + 1/2, 0, 1), which
        Keras 3 calls hard_sigmoid. See textbook/other_activations.py.
    init_forget: the forget gate's bias at the beginning, a number; or "chrono", which draws it for each unit so that
        the units remember for 1 to T_max steps, T_max being the longest span that the task has, see
        layers/initialisation.py. None: 1 with init="orthogonal", what is drawn with "torch".
    And the options of every recurrent layer, see Recurrent. The state is the pair (h, c).

    params, R = H without a projection: "k.direction.Wx" (D_k, 4H), "k.direction.Wh" (R, 4H), "k.direction.b" (4H,) with
    the gates' blocks in the order i, f, g, o. With peepholes "k.direction.p" (3H,): i, f, o. Coupled, they have three
    blocks i, g, o, and p has i, o. With a projection "k.direction.Wp" (H, R).

    >>> layer = nb.LSTM(3, 4, num_layers=2, rng=0)
    >>> y, (h_n, c_n), cache = layer.forward(np.ones((2, 5, 3)), lengths=[5, 3], training=True)
    >>> y.shape, h_n.shape, c_n.shape
    ((2, 5, 4), (2, 2, 4), (2, 2, 4))
    >>> dx, grads, (dh_0, dc_0) = layer.backward(y, cache)
    >>> list(grads)[:3]
    ['0.forward.Wx', '0.forward.Wh', '0.forward.b']
    """

    state_parts = ("h", "c")
    _own_options: ClassVar[dict[str, Any]] = {
        "projection_size": None,
        "peepholes": False,
        "coupled": False,
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
    }

    @overload
    def __init__(
        self: LSTM[Pair],
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: Literal[True],
        merge: None,
        **options: Unpack[LSTMOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: LSTM[Array],
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        merge: Merge = "concat",
        **options: Unpack[LSTMOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: LSTM[Array | Pair],
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        merge: Merge | None,
        **options: Unpack[LSTMOptions],
    ) -> None: ...
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        projection_size: int | None = None,
        peepholes: bool = False,
        coupled: bool = False,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        init_forget: float | Literal["chrono"] | None = None,
        T_max: int | None = None,
        **options: Any,
    ) -> None:
        self.projection_size, self.peepholes, self.coupled = projection_size, peepholes, coupled
        self.activation, self.recurrent_activation = activation, recurrent_activation
        init_forget, T_max = require_init_forget(init_forget, T_max)
        super().__init__(input_size, hidden_size, num_layers, **options)
        if init_forget is not None:
            self._set_forget_biases(init_forget, T_max)

    def _set_forget_biases(self, init_forget: float | Literal["chrono"], T_max: int) -> None:
        """Of every layer and direction; the input gate's follow them with "chrono" and where the gates are coupled."""
        H = self.hidden_size
        for name, b in self.params.items():
            if not name.endswith(".b"):
                continue
            bias = chrono(self.rng, H, T_max) if init_forget == "chrono" else np.full(H, init_forget)
            if not self.coupled:
                b[H : 2 * H] = bias
            if self.coupled or init_forget == "chrono":
                b[:H] = -bias

    def _check_options(self) -> None:
        """As Recurrent's."""
        super()._check_options()
        if self.projection_size is not None:
            self.projection_size = require_size("projection_size", self.projection_size)
        self.peepholes = require_bool("peepholes", self.peepholes)
        self.coupled = require_bool("coupled", self.coupled)
        require_choice("activation", self.activation, ACTIVATIONS)
        require_choice("recurrent_activation", self.recurrent_activation, ACTIVATIONS)
        if self.coupled and self.recurrent_activation not in SIGMOIDS:
            raise ValueError(
                f"recurrent_activation is {self.recurrent_activation!r}; coupled gates, f = 1 - i, need one of "
                f"{', '.join(map(repr, SIGMOIDS))}"
            )

    @property
    def _cell(self) -> engine.Cell:
        """What the engine runs."""
        variant = self.peepholes, self.projection_size is not None
        return lstm_variant_cell(*variant, self.activation, self.recurrent_activation)

    def _weights_at(self, layer_index: int, dtype: np.dtype) -> list[engine.Weights]:
        """As Recurrent's; the engine takes four gates."""
        weights = super()._weights_at(layer_index, dtype)
        return [uncoupled(own) for own in weights] if self.coupled else weights

    def _gradients_of(self, gradients: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """As Recurrent's."""
        return coupled_gradients(gradients) if self.coupled else gradients

    @property
    def gates(self) -> str:
        """The blocks in the last axis of Wx, Wh and b: i, f, g, o, of which coupled gates have no f."""
        return "igo" if self.coupled else "ifgo"

    @property
    def output_size(self) -> int:
        """How many numbers a direction puts out at a step: R."""
        return self.hidden_size if self.projection_size is None else self.projection_size

    def _weight_shapes(self, D: int) -> dict[str, tuple[int, ...]]:
        """The weights of one direction that reads D features."""
        H, R, gates = self.hidden_size, self.output_size, 3 if self.coupled else 4
        shapes: dict[str, tuple[int, ...]] = {"Wx": (D, gates * H), "Wh": (R, gates * H), "b": (gates * H,)}
        if self.peepholes:
            shapes["p"] = ((gates - 1) * H,)
        if self.projection_size is not None:
            shapes["Wp"] = (H, R)
        return shapes

    def _open_gates(self, weights: dict[str, np.ndarray]) -> None:
        """The forget gate's bias at 1 (Gers et al. 2000; Jozefowicz et al. 2015); coupled, the input gate's at -1."""
        H = self.hidden_size
        if self.coupled:
            weights["b"][:H] = -1
        else:
            weights["b"][H : 2 * H] = 1


class BiLSTM(LSTM[Y_co]):
    """A bidirectional LSTM: LSTM(..., bidirectional=True), all else the same. It takes bidirectional=True, too.

    >>> x = np.ones((2, 5, 3), np.float32)
    >>> y, (h_n, c_n), cache = nb.BiLSTM(3, 4).forward(x)
    >>> y.shape, h_n.shape
    ((2, 5, 8), (2, 2, 4))
    >>> (y_forward, y_reverse), state, cache = nb.BiLSTM(3, 4, merge=None).forward(x)
    >>> y_forward.shape
    (2, 5, 4)
    """

    _own_options: ClassVar[dict[str, Any]] = {**LSTM._own_options, "bidirectional": True}

    @overload
    def __init__(
        self: BiLSTM[Pair],
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: Literal[True] = True,
        merge: None,
        **options: Unpack[LSTMOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: BiLSTM[Array],
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: Literal[True] = True,
        merge: Merge = "concat",
        **options: Unpack[LSTMOptions],
    ) -> None: ...
    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, *, bidirectional: bool = True, **options: Any
    ) -> None:
        if not require_bool("bidirectional", bidirectional):
            raise ValueError(f"bidirectional is {bidirectional}; a BiLSTM has both directions, an LSTM may have one")
        super().__init__(input_size, hidden_size, num_layers, bidirectional=True, **options)  # type: ignore[misc]
