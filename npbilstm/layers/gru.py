"""GRU: a layer of gated recurrent units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from npbilstm import engine
from npbilstm.layers.checks import require_bool, require_choice
from npbilstm.layers.options import ACTIVATIONS, Activation, Array, GRUOptions, Merge, Pair, Y_co
from npbilstm.layers.recurrent import Recurrent

if TYPE_CHECKING:
    from typing_extensions import Unpack


class GRU(Recurrent[Y_co, Array]):
    """Stacked GRU layers; each direction computes the equations of textbook/gru.py.

    reset_after: the reset gate after the product with Wh, as PyTorch and Keras have it; False: before it, as first
        published (Cho et al. 2014). They are different functions of the same weights.
    activation: "tanh", "sigmoid", "relu", "hard_sigmoid" or "hard_sigmoid_sixth", in place of tanh, for the candidate.
    recurrent_activation: one of the same, in place of the gates' sigmoid. "hard_sigmoid" is clip(a / 5 + 1/2, 0, 1), as
        in Keras 1 and 2 (tf.keras up to TensorFlow 2.15); "hard_sigmoid_sixth" is clip(a / 6 + 1/2, 0, 1), which
        Keras 3 calls hard_sigmoid. See textbook/other_activations.py.
    And the options of every recurrent layer, see Recurrent. The state is h alone.

    params: "k.direction.Wx" (D_k, 3H), "k.direction.Wh" (H, 3H), "k.direction.b" (3H,) with the gates' blocks in the
    order r, z, n; with reset_after also "k.direction.b_hn" (H,), the bias that n's product with h has for itself.

    >>> layer = nb.GRU(3, 4, bidirectional=True, merge="sum", rng=0)
    >>> y, h_n, cache = layer.forward(np.ones((2, 5, 3)))
    >>> y.shape, h_n.shape
    ((2, 5, 4), (2, 2, 4))
    """

    _own_options: ClassVar[dict[str, Any]] = {
        "reset_after": True,
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
    }

    @overload
    def __init__(
        self: GRU[Pair],
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: Literal[True],
        merge: None,
        **options: Unpack[GRUOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: GRU[Array],
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        merge: Merge = "concat",
        **options: Unpack[GRUOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: GRU[Array | Pair],
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        merge: Merge | None,
        **options: Unpack[GRUOptions],
    ) -> None: ...
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        reset_after: bool = True,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        **options: Any,
    ) -> None:
        self.reset_after = reset_after
        self.activation, self.recurrent_activation = activation, recurrent_activation
        super().__init__(input_size, hidden_size, num_layers, **options)

    def _check_options(self) -> None:
        """As Recurrent's."""
        super()._check_options()
        self.reset_after = require_bool("reset_after", self.reset_after)
        require_choice("activation", self.activation, ACTIVATIONS)
        require_choice("recurrent_activation", self.recurrent_activation, ACTIVATIONS)

    @property
    def _cell(self) -> engine.Cell:
        """What the engine runs."""
        return engine.gru_cell(self.reset_after, self.activation, self.recurrent_activation)

    @property
    def gates(self) -> str:
        """The blocks in the last axis of Wx, Wh and b: r, z, n."""
        return "rzn"

    def _weight_shapes(self, D: int) -> dict[str, tuple[int, ...]]:
        """The weights of one direction that reads D features."""
        H = self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {"Wx": (D, 3 * H), "Wh": (H, 3 * H), "b": (3 * H,)}
        return shapes | {"b_hn": (H,)} if self.reset_after else shapes
