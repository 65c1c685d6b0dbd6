"""What LSTM, GRU and RNN layers share: one direction, either, or two, stacked, over batches of unequal lengths."""

from __future__ import annotations

import inspect
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast

import numpy as np

from npbilstm import engine
from npbilstm.layers.checks import (
    pass_rng,
    require_bool,
    require_choice,
    require_dtype,
    require_features,
    require_finite,
    require_floats,
    require_fraction,
    require_rng,
    require_size,
    working_dtype,
)
from npbilstm.layers.initialisation import fresh_weights
from npbilstm.layers.layer import Layer, blocks_in, made_with
from npbilstm.layers.merge import MERGES, batch_of_one, unbatched
from npbilstm.layers.options import (
    DIRECTIONS,
    DROPOUTS,
    NUMBERS,
    Direction,
    Init,
    Merge,
    Pair,
    State,
    State_co,
    Y_co,
    directions_of,
    unusual_options,
)
from npbilstm.layers.overflow import in_range
from npbilstm.layers.stack import RecurrentLayerCache, Watch, stack_backward, stack_forward
from npbilstm.layers.state import as_state, require_state, state_in_dtype
from npbilstm.textbook.sequences import check_lengths, valid_steps

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike

BIASES = ("b", "b_hn")
"""What bias=False leaves out."""


class Recurrent(Layer, Generic[Y_co, State_co]):
    """Stacked recurrent layers of one direction or two: what LSTM, GRU and RNN are. In the stack, layer k+1 reads what
    layer k put out.

    params, for layer k and direction in ("forward", "reverse"): "k.direction.Wx" (D_k, ...), "k.direction.Wh",
        "k.direction.b" and what else the cell has, with D_k what layer k reads: input_size for k = 0.

    input_size: D. hidden_size: H, for each direction, which puts out R numbers: H, or the size of a projection.
    num_layers: how many are stacked.
    bidirectional: two directions; merge joins them: "concat" (2R features), "sum", "mul", "ave" (R), or None: the last
        layer returns the pair, the layers below it are concatenated.
    reverse: the one direction is the reverse one, in every layer of the stack: each row is read from its last valid
        step to its first, and what is put out at a step stands at that step, so that y[n, t] knows the steps t..end.
    bias: False leaves the biases out. dropout: the probability of zeroing what passes from one layer to the next, in
        training.
    input_dropout: the probability of zeroing a feature of what a layer reads, x or the outputs of the layer below, in
        training: one mask for each row and layer, the same at every time step and for both directions.
    recurrent_dropout: the probability of zeroing a number of h where it enters a product, in training: one mask for
        each row, layer and direction, the same at every time step. This, and
        input_dropout: Gal & Ghahramani 2016.
    init: "orthogonal" or "torch", see layers/initialisation.py. dtype: float32 or float64.
    store_every: None, or k: gradient checkpointing, memory for time on long sequences. Training keeps the states of
        every k-th step only, and backward computes the steps between once more. For an LSTM k = sqrt(2 T / 5) or so
        takes the least memory.
    rng: a seed or generator, for the weights and then for dropout.

    Raises TypeError or ValueError, naming the argument; what is set later is checked by the next pass.

    >>> layer = nb.GRU(3, 4, 2, bidirectional=True, dropout=0.1)
    >>> isinstance(layer, nb.Recurrent), layer.features(1), layer
    (True, 8, GRU(3, 4, 2, bidirectional=True, dropout=0.1))
    """

    state_parts: tuple[str, ...] = ("h",)
    """What the state is made of; the first part is what the layer puts out."""

    _own_options: ClassVar[dict[str, Any]] = {}
    """The options that only this kind of layer has, with their defaults."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        reverse: bool = False,
        merge: Merge | None = "concat",
        bias: bool = True,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        init: Init = "orthogonal",
        dtype: DTypeLike = np.float32,
        store_every: int | None = None,
        rng: int | np.random.Generator | None = None,
        **unknown: Any,
    ) -> None:
        if unknown:
            known = [*inspect.signature(Recurrent).parameters][3:-1]
            raise TypeError(
                f"{type(self).__name__} has no option {next(iter(unknown))!r}; it has "
                f"{', '.join(dict.fromkeys([*self._own_options, *known]))}"
            )
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.directions: tuple[Direction, ...] = directions_of(bidirectional, reverse)
        self.merge: Merge | None = merge
        self.bias, self.store_every = bias, store_every
        self.dropout, self.input_dropout, self.recurrent_dropout = dropout, input_dropout, recurrent_dropout
        self._check_options()
        self.rng = require_rng(rng)
        kind = require_dtype(dtype)
        self.params = {}
        for layer_index in range(self.num_layers):
            for direction in self.directions:
                weights = fresh_weights(self.rng, self._shapes_at(layer_index), self.hidden_size, init)
                if init == "orthogonal":
                    self._open_gates(weights)
                for name, w in weights.items():
                    if self.bias or name not in BIASES:
                        self.params[f"{layer_index}.{direction}.{name}"] = w.astype(kind)

    def _check_options(self) -> None:
        """Raise TypeError or ValueError, naming it, for an option that is none."""
        for name in ("input_size", "hidden_size", "num_layers"):
            setattr(self, name, require_size(name, getattr(self, name)))
        require_choice("directions", self.directions, DIRECTIONS)
        require_choice("merge", self.merge, MERGES)
        self.bias = require_bool("bias", self.bias)
        for name in DROPOUTS:
            setattr(self, name, require_fraction(name, getattr(self, name)))
        if self.store_every is not None:
            self.store_every = require_size("store_every", self.store_every)

    @cached_property
    def param_shapes(self) -> dict[str, tuple[int, ...]]:
        """The name and shape of each parameter, as the options are now. Raises as a pass does."""
        self._check_options()
        shapes = {}
        for layer_index in range(self.num_layers):
            for direction in self.directions:
                for name, shape in self._shapes_at(layer_index).items():
                    if self.bias or name not in BIASES:
                        shapes[f"{layer_index}.{direction}.{name}"] = shape
        return shapes

    def __setattr__(self, name: str, value: Any) -> None:
        """Whatever is set, the next pass checks the options and makes param_shapes anew."""
        super().__setattr__(name, value)
        if name != "params":
            vars(self).pop("param_shapes", None)

    @property
    def _cell(self) -> engine.Cell:
        """What the engine runs."""
        raise NotImplementedError

    @property
    def output_size(self) -> int:
        """How many numbers a direction puts out at a step: R."""
        return self.hidden_size

    @property
    def gates(self) -> str:
        """The blocks in the last axis of Wx, Wh and b, in their order, a letter each; "" where there is but one."""
        return ""

    @property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        """The gates of each parameter that is made of several blocks: what `check_gradients` takes as `blocks`."""
        own = {name: blocks_in(self.gates, name.split(".")[-1]) for name in self.params}
        return {name: gates for name, gates in own.items() if gates}

    def _weight_shapes(self, D: int) -> dict[str, tuple[int, ...]]:
        """The weights of one direction that reads D features."""
        raise NotImplementedError

    def _shapes_at(self, layer_index: int) -> dict[str, tuple[int, ...]]:
        """The weights of one direction of a layer of the stack, biases always among them."""
        return self._weight_shapes(self.input_size if layer_index == 0 else self.features(layer_index - 1))

    def _open_gates(self, weights: dict[str, np.ndarray]) -> None:
        """Change fresh weights in place, so that a fresh cell remembers."""

    def __repr__(self) -> str:
        shown = unusual_options(self) | {name: getattr(self, name) for name in DROPOUTS if getattr(self, name) != 0}
        if self.store_every is not None:
            shown["store_every"] = self.store_every
        told = [f"{name}={value!r}" for name, value in shown.items()]
        return made_with(self, self.input_size, self.hidden_size, self.num_layers, *told)

    @property
    def reverse(self) -> bool:
        """Whether the reverse direction is the only one."""
        return self.directions == ("reverse",)

    def features(self, layer_index: int) -> int:
        """How many features a layer of the stack puts out; with merge=None, each of the pair."""
        joined = len(self.directions) == 2 and merge_at(self, layer_index) == "concat"
        return self.output_size * (2 if joined else 1)

    def _weights_at(self, layer_index: int, dtype: np.dtype) -> list[engine.Weights]:
        """The weights of one stack layer's directions as the engine takes them; biases that are left out are 0."""
        shapes = self._shapes_at(layer_index)
        found: list[engine.Weights] = []
        for direction in self.directions:
            weights = {}
            for name, shape in shapes.items():
                p = self.params.get(f"{layer_index}.{direction}.{name}")
                weights[name] = np.zeros(shape, dtype) if p is None else p.astype(dtype, copy=False)
            found.append(weights)
        return found

    def _gradients_of(self, gradients: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What the engine gives for a direction's weights -> the gradients of its params."""
        return gradients

    def state_shapes(self, N: int) -> list[tuple[int, ...]]:
        """Of the state's parts: (num_layers * S, N, R) for h, (num_layers * S, N, H) for c."""
        L = self.num_layers * len(self.directions)
        sizes = (self.output_size, self.hidden_size)
        return [(L, N, size) for size, _ in zip(sizes, self.state_parts)]

    def forward(
        self,
        x: ArrayLike,
        lengths: ArrayLike | None = None,
        state: State | None = None,
        training: bool = False,
        *,
        rng: int | np.random.Generator | None = None,
        check_finite: bool = False,
    ) -> tuple[Y_co, State_co, RecurrentLayerCache]:
        """Run all layers over a batch of sequences.

        x: (N, T, D) floating numbers. Of whatever precision x and state are, the work is done in the dtype of the
            params; a finite number that is infinite in it, as 1e300 in float32, is an error, but not in the padding.
        lengths: (N,) integers in 0..T, None for all T.
        state: the initial state: of an LSTM the pair (h_0, c_0), of a GRU or RNN h_0; h (num_layers * directions, N,
            R) and c (..., N, H), layer-major, forward before reverse; None for 0.
        training: keep what backward needs, and apply dropout. Without it memory does not grow with T but for the
            outputs of the directions.
        rng: draws this pass's dropout masks; by default the layer's own. check_finite: refuse NaN and infinity in the
            state and at valid steps.

        -> y (N, T, features), 0 in the padding (a pair of (N, T, R) with merge=None),
           the final state, shaped as state: after each direction's last step, which for the reverse direction is t = 0,
           cache.

        One sequence may come without its batch: x (T, D) -> y (T, features), and the state without its N.

        Raises TypeError or ValueError, naming the argument, what it got and what is needed.
        """
        dtype = self._require_params()
        training, check_finite = require_bool("training", training), require_bool("check_finite", check_finite)
        x = require_floats("x", x)
        batched = x.ndim != 2
        x = require_features("x", x, "N, T, D" if batched else "T, D", self.input_size, "input_size")
        if not batched:
            if lengths is not None:
                raise ValueError(f"lengths goes with a batch, x (N, T, D); x has shape {x.shape}")
            x = x[None]
        N, T, _ = x.shape
        if lengths is not None:
            lengths = check_lengths(lengths, N, T)
            if (lengths == T).all():
                lengths = None  # nothing is padded
        if check_finite:
            require_finite("x", x, valid_steps(check_lengths(lengths, N, T), T))
        shapes = self.state_shapes(N)
        state_0 = require_state("state", state, self.state_parts, shapes, batched)
        if check_finite and not all(np.isfinite(part).all() for part in state_0):
            raise ValueError("state holds NaN or infinity; it needs finite numbers")
        dtype = working_dtype(dtype, x, *state_0)
        state_0 = state_in_dtype("state", state_0, dtype)
        layers = range(self.num_layers)
        with in_range(self) as within:
            y, final_state, stack = stack_forward(
                self._cell,
                [self._weights_at(layer_index, dtype) for layer_index in layers],
                [merge_at(self, layer_index) for layer_index in layers],
                x,
                state_0,
                lengths,
                dtype=dtype,
                directions=[NUMBERS[direction] for direction in self.directions],
                **{name: getattr(self, name) if training else 0.0 for name in DROPOUTS},
                rng=pass_rng(self.rng, rng),
                keep=training,
                store_every=self.store_every,
                within=within,
            )
        kept = RecurrentLayerCache(self, training, stack, shapes, batched)
        return cast("Y_co", y if batched else unbatched(y)), cast("State_co", as_state(final_state, batched)), kept

    def backward(
        self,
        dy: ArrayLike | Pair,
        cache: RecurrentLayerCache,
        dstate: State | None = None,
        *,
        watch: Watch | None = None,
    ) -> tuple[np.ndarray, dict[str, np.ndarray], State_co]:
        """Gradients, given dy shaped as y and dstate shaped as the final state (None: 0), of any precision as x is.

        watch is told what arrives at each layer of the stack, see layers/stack.py.

        -> dx, shaped as x (in memory step by step, not row by row), grads with the names of params, the gradient of the
        initial state, shaped as it. The cache may be used again.

        Raises ValueError for a cache from another layer or from training=False; and TypeError or ValueError, naming it,
        for what is no gradient.
        """
        self._require_own(cache)
        self._require_params()
        dstate_n = require_state("dstate", dstate, self.state_parts, cache.state_shapes, cache.batched)
        dstate_n = state_in_dtype("dstate", dstate_n, cache.stack[0].y.dtype)
        if not cache.batched:
            dy = batch_of_one(dy, len(self.directions) == 2 and cache.stack[-1].merge is None)
        with in_range(self) as within:
            dx, dstate_0, dweights = stack_backward(dy, dstate_n, cache.stack, watch, within)
        grads = {
            f"{layer_index}.{direction}.{name}": dw
            for layer_index, of_directions in enumerate(dweights)
            for direction, weights in zip(self.directions, of_directions)
            for name, dw in self._gradients_of(weights).items()
        }
        grads = {name: grads[name] for name in self.params}
        return dx if cache.batched else dx[0], grads, cast("State_co", as_state(dstate_0, cache.batched))


def merge_at(layer: Recurrent[Any, Any], layer_index: int) -> Merge | None:
    """How one layer of the stack joins its directions: a pair can only leave the last."""
    return "concat" if layer.merge is None and layer_index < layer.num_layers - 1 else layer.merge
