"""RNN: a layer of simple recurrent units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from npbilstm import engine
from npbilstm.layers.checks import require_choice
from npbilstm.layers.options import ACTIVATIONS, Activation, Array, Merge, Pair, RNNOptions, Y_co
from npbilstm.layers.recurrent import Recurrent

if TYPE_CHECKING:
    from typing_extensions import Unpack


class RNN(Recurrent[Y_co, Array]):
    """Stacked layers of the simple recurrent network (Elman 1990); each direction computes the equations of
    textbook/rnn.py.

    nonlinearity: "tanh", "relu", "sigmoid", "hard_sigmoid" or "hard_sigmoid_sixth", as LSTM has them.
    And the options of every recurrent layer, see Recurrent. The state is h alone.

    params: "k.direction.Wx" (D_k, H), "k.direction.Wh" (H, H), "k.direction.b" (H,).

    >>> layer = nb.RNN(1, 1, nonlinearity="relu")
    >>> for name in layer.params:
    ...     layer.params[name][...] = 0 if name.endswith("b") else 1  # h = relu(x + h_prev): a running sum
    >>> y, h_n, cache = layer.forward([[[1.0], [2.0], [3.0]]])
    >>> y[0, :, 0].tolist(), h_n.tolist()
    ([1.0, 3.0, 6.0], [[[6.0]]])
    """

    _own_options: ClassVar[dict[str, Any]] = {"nonlinearity": "tanh"}

    @overload
    def __init__(
        self: RNN[Pair],
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: Literal[True],
        merge: None,
        **options: Unpack[RNNOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: RNN[Array],
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        merge: Merge = "concat",
        **options: Unpack[RNNOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: RNN[Array | Pair],
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        merge: Merge | None,
        **options: Unpack[RNNOptions],
    ) -> None: ...
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        nonlinearity: Activation = "tanh",
        **options: Any,
    ) -> None:
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, num_layers, **options)

    def _check_options(self) -> None:
        """As Recurrent's."""
        super()._check_options()
        require_choice("nonlinearity", self.nonlinearity, ACTIVATIONS)

    @property
    def _cell(self) -> engine.Cell:
        """What the engine runs."""
        return engine.rnn_cell(self.nonlinearity)

    def _weight_shapes(self, D: int) -> dict[str, tuple[int, ...]]:
        """The weights of one direction that reads D features."""
        H = self.hidden_size
        return {"Wx": (D, H), "Wh": (H, H), "b": (H,)}
