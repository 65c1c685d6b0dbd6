"""RNN: a layer of simple recurrent units."""

from __future__ import annotations

from typing import Any, ClassVar

from npbilstm import engine
from npbilstm.layers.checks import require_choice
from npbilstm.layers.recurrent import ACTIVATIONS, Recurrent


class RNN(Recurrent):
    """Stacked layers of the simple recurrent network (Elman 1990); each direction computes the equations of
    textbook/rnn.py.

    nonlinearity: "tanh", "relu", "sigmoid", "hard_sigmoid" or "hard_sigmoid_sixth", as LSTM has them.
    And those of every recurrent layer, see Recurrent: bidirectional=False, reverse=False, merge="concat", bias=True,
    dropout=0.0, recurrent_dropout=0.0, init="orthogonal", dtype=np.float32, store_every=None, rng=None. The state is
    h alone.

    params: "k.direction.Wx" (D_k, H), "k.direction.Wh" (H, H), "k.direction.b" (H,).
    """

    own_options: ClassVar[dict[str, Any]] = {"nonlinearity": "tanh"}

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, *, nonlinearity: str = "tanh", **options: Any
    ) -> None:
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, num_layers, **options)

    def check_options(self) -> None:
        """As Recurrent's."""
        super().check_options()
        require_choice("nonlinearity", self.nonlinearity, ACTIVATIONS)

    @property
    def cell(self) -> engine.Cell:
        """What the engine runs."""
        return engine.rnn_cell(self.nonlinearity)

    def weight_shapes(self, D: int) -> dict[str, tuple[int, ...]]:
        """The weights of one direction that reads D features."""
        H = self.hidden_size
        return {"Wx": (D, H), "Wh": (H, H), "b": (H,)}
