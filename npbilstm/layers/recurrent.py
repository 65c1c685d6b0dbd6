"""What LSTM, GRU and RNN layers share: one direction, either, or two, stacked, over batches of unequal lengths."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from npbilstm import engine
from npbilstm.layers.checks import (
    in_dtype,
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
from npbilstm.layers.dropout import dropout_mask
from npbilstm.layers.initialisation import fresh_weights
from npbilstm.layers.layer import Layer
from npbilstm.layers.merge import MERGES, merge_backward, merge_forward
from npbilstm.layers.state import as_state, require_state, state_in_dtype
from npbilstm.textbook.sequences import as_array, check_lengths, valid_steps

NUMBERS = {"forward": 0, "reverse": 1}
"""The engine's numbers of the directions."""

DIRECTIONS: tuple[tuple[str, ...], ...] = (("forward",), ("forward", "reverse"), ("reverse",))
"""Those that a layer may have."""

ACTIVATIONS = tuple(engine.ACTIVATIONS)
"""The names of the functions that a layer may squash with. Of the hard sigmoids, straight lines cut off at 0 and at 1,
"hard_sigmoid" is a / 5 + 1/2, that of Keras 1 and 2 (tf.keras up to TensorFlow 2.15), and "hard_sigmoid_sixth"
a / 6 + 1/2, that of Keras 3, PyTorch and JAX, which call it hard sigmoid too."""

SIGMOIDS = ("sigmoid", "hard_sigmoid", "hard_sigmoid_sixth")
"""Those between 0 and 1, for which f(-a) = 1 - f(a)."""

BIASES = ("b", "b_hn")
"""What bias=False leaves out."""


Watch = Callable[[int, np.ndarray, list[np.ndarray]], None]
"""See Recurrent.backward."""


class LevelCache(NamedTuple):
    """One layer of the stack: the engine's cache, the directions' y (N, T, S, R), how they were joined, the mask of its
    input."""

    engine: engine.RecurrentCache
    y: np.ndarray
    merge: str | None
    scaled_mask: np.ndarray | None


class RecurrentLayerCache(NamedTuple):
    """One forward pass: a cache for each layer of the stack; kept is False after training=False, batched unless x
    came as (T, D)."""

    layer: Recurrent
    kept: bool
    levels: list[LevelCache]
    state_shapes: list[tuple[int, ...]]
    batched: bool


class Recurrent(Layer):
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
    recurrent_dropout: the probability of zeroing a number of h where it enters a product, in training: one mask for
        each row, layer and direction, the same at every time step (Gal & Ghahramani 2016).
    init: "orthogonal" or "torch", see layers/initialisation.py. dtype: float32 or float64.
    store_every: None, or k: gradient checkpointing, memory for time on long sequences. Training keeps the states of
        every k-th step only, and backward computes the steps between once more. For an LSTM k = sqrt(2 T / 5) or so
        takes the least memory.
    rng: a seed or generator, for the weights and then for dropout.

    Raises TypeError or ValueError, naming the argument; what is set later is checked by the next pass.
    """

    state_parts: tuple[str, ...] = ("h",)
    """What the state is made of; the first part is what the layer puts out."""

    own_options: ClassVar[dict[str, Any]] = {}
    """The options that only this kind of layer has, with their defaults."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        reverse: bool = False,
        merge: str | None = "concat",
        bias: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        init: str = "orthogonal",
        dtype: Any = np.float32,
        store_every: int | None = None,
        rng: int | np.random.Generator | None = None,
        **unknown: Any,
    ) -> None:
        if unknown:
            known = [*inspect.signature(Recurrent).parameters][3:-1]
            raise TypeError(
                f"{type(self).__name__} has no option {next(iter(unknown))!r}; it has "
                f"{', '.join(dict.fromkeys([*self.own_options, *known]))}"
            )
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.directions = directions_of(bidirectional, reverse)
        self.merge, self.bias, self.store_every = merge, bias, store_every
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.check_options()
        self.rng = require_rng(rng)
        dtype = require_dtype(dtype)
        self.params = {}
        for k in range(self.num_layers):
            for direction in self.directions:
                weights = fresh_weights(self.rng, self.level_shapes(k), self.hidden_size, init)
                if init == "orthogonal":
                    self.open_gates(weights)
                for name, w in weights.items():
                    if self.bias or name not in BIASES:
                        self.params[f"{k}.{direction}.{name}"] = w.astype(dtype)

    def check_options(self) -> None:
        """Raise TypeError or ValueError, naming it, for an option that is none."""
        for name in ("input_size", "hidden_size", "num_layers"):
            setattr(self, name, require_size(name, getattr(self, name)))
        require_choice("directions", self.directions, DIRECTIONS)
        require_choice("merge", self.merge, MERGES)
        self.bias = require_bool("bias", self.bias)
        self.dropout = require_fraction("dropout", self.dropout)
        self.recurrent_dropout = require_fraction("recurrent_dropout", self.recurrent_dropout)
        if self.store_every is not None:
            self.store_every = require_size("store_every", self.store_every)

    @cached_property
    def param_shapes(self) -> dict[str, tuple[int, ...]]:
        """The name and shape of each parameter, as the options are now. Raises as check_options does."""
        self.check_options()
        shapes = {}
        for k in range(self.num_layers):
            for direction in self.directions:
                for name, shape in self.level_shapes(k).items():
                    if self.bias or name not in BIASES:
                        shapes[f"{k}.{direction}.{name}"] = shape
        return shapes

    def __setattr__(self, name: str, value: Any) -> None:
        """Whatever is set, the next pass checks the options and makes param_shapes anew."""
        super().__setattr__(name, value)
        if name != "params":
            vars(self).pop("param_shapes", None)

    @property
    def cell(self) -> engine.Cell:
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
        peepholes = self.gates.replace("g", "")
        of = {"Wx": self.gates, "Wh": self.gates, "b": self.gates, "p": peepholes}
        own = {name: tuple(of.get(name.split(".")[-1], "")) for name in self.params}
        return {name: gates for name, gates in own.items() if gates}

    def weight_shapes(self, D: int) -> dict[str, tuple[int, ...]]:
        """The weights of one direction that reads D features."""
        raise NotImplementedError

    def level_shapes(self, k: int) -> dict[str, tuple[int, ...]]:
        """The weights of one direction of layer k of the stack, biases always among them."""
        return self.weight_shapes(self.input_size if k == 0 else self.features(k - 1))

    def open_gates(self, weights: dict[str, np.ndarray]) -> None:
        """Change fresh weights in place, so that a fresh cell remembers."""

    def __repr__(self) -> str:
        shown = [f"{name}={value!r}" for name, value in self.unusual_options.items()]
        return f"{type(self).__name__}({', '.join([*map(str, self.sizes), *shown])})"

    @property
    def unusual_options(self) -> dict[str, Any]:
        """The options that change what is computed and are not as they are unless told."""
        options = {"bidirectional": False, "reverse": False, "merge": "concat", "bias": True, **self.own_options}
        now = {**vars(self), "bidirectional": len(self.directions) == 2, "reverse": self.reverse}
        return {name: now[name] for name, default in options.items() if now[name] != default}

    @property
    def sizes(self) -> tuple[int, int, int]:
        """What the layer is made with first: input_size, hidden_size, num_layers."""
        return self.input_size, self.hidden_size, self.num_layers

    @property
    def reverse(self) -> bool:
        """Whether the reverse direction is the only one."""
        return self.directions == ("reverse",)

    def level_merge(self, k: int) -> str | None:
        """How layer k joins its directions: a pair can only leave the last layer."""
        return "concat" if self.merge is None and k < self.num_layers - 1 else self.merge

    def features(self, k: int) -> int:
        """How many features layer k of the stack puts out; with merge=None, each of the pair."""
        joined = len(self.directions) == 2 and self.level_merge(k) == "concat"
        return self.output_size * (2 if joined else 1)

    def level_weights(self, k: int, dtype: np.dtype) -> list[engine.Weights]:
        """The weights of layer k's directions as the engine takes them; biases that are left out are 0."""
        shapes = self.level_shapes(k)
        found: list[engine.Weights] = []
        for direction in self.directions:
            weights = {}
            for name, shape in shapes.items():
                p = self.params.get(f"{k}.{direction}.{name}")
                weights[name] = np.zeros(shape, dtype) if p is None else p.astype(dtype, copy=False)
            found.append(weights)
        return found

    def state_shapes(self, N: int) -> list[tuple[int, ...]]:
        """Of the state's parts: (num_layers * S, N, R) for h, (num_layers * S, N, H) for c."""
        L = self.num_layers * len(self.directions)
        sizes = (self.output_size, self.hidden_size)
        return [(L, N, size) for size, _ in zip(sizes, self.state_parts)]

    def forward(
        self,
        x: Any,
        lengths: Any = None,
        state: Any = None,
        training: bool = False,
        *,
        rng: int | np.random.Generator | None = None,
        check_finite: bool = False,
    ) -> tuple[Any, Any, RecurrentLayerCache]:
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
        dtype = self.require_params()
        training, check_finite = require_bool("training", training), require_bool("check_finite", check_finite)
        x = require_floats("x", x)
        batched = x.ndim != 2
        x = require_features("x", x, "N, T, D" if batched else "T, D", self.input_size, "input_size")
        if not batched:
            if lengths is not None:
                raise ValueError(f"lengths goes with a batch, x (N, T, D); x has shape {x.shape}")
            x = x[None]
        N, T, _ = x.shape
        S = len(self.directions)
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
        x, state_0 = in_dtype("x", x, dtype, lengths), state_in_dtype("state", state_0, dtype)
        rng = pass_rng(self.rng, rng)

        finals, levels = [], []
        for k in range(self.num_layers):
            scaled_mask = recurrent_mask = None
            if k > 0 and training and self.dropout:
                scaled_mask = dropout_mask(rng, self.dropout, x)
                x = x * scaled_mask
            own = [part[k * S : (k + 1) * S] for part in state_0]
            if training and self.recurrent_dropout:
                recurrent_mask = dropout_mask(rng, self.recurrent_dropout, own[0])
            y, final, cache = engine.recurrent_forward(
                *(self.cell, x, own, self.level_weights(k, dtype), lengths),
                directions=[NUMBERS[direction] for direction in self.directions],
                mask=recurrent_mask,
                keep=training,
                store_every=self.store_every,
            )
            merge = self.level_merge(k)
            x = merge_forward(y, merge)
            finals.append(final)
            if cache is not None:
                levels.append(LevelCache(cache, y, merge, scaled_mask))
        final_state = [np.concatenate(parts) for parts in zip(*finals)]
        kept = RecurrentLayerCache(self, training, levels, shapes, batched)
        return (x if batched else unbatched(x)), as_state(final_state, batched), kept

    def backward(
        self, dy: Any, cache: RecurrentLayerCache, dstate: Any = None, *, watch: Watch | None = None
    ) -> tuple[np.ndarray, dict[str, np.ndarray], Any]:
        """Gradients, given dy shaped as y and dstate shaped as the final state (None: 0), of any precision as x is.

        watch(k, dy, dstate) is told what arrives at layer k: dy (N, T, S, R), and each part of dstate (S, N, ...).

        -> dx, shaped as x, grads with the names of params, the gradient of the initial state, shaped as it. The cache
        may be used again.

        Raises ValueError for a cache from another layer or from training=False; and TypeError or ValueError, naming it,
        for what is no gradient.
        """
        self.require_own(cache)
        self.require_params()
        S = len(self.directions)
        dstate_n = require_state("dstate", dstate, self.state_parts, cache.state_shapes, cache.batched)
        dstate_n = state_in_dtype("dstate", dstate_n, cache.levels[0].y.dtype)
        if not cache.batched:
            dy = batch_of_one(dy, S == 2 and cache.levels[-1].merge is None)
        grads: dict[str, np.ndarray] = {}
        dstates: list[list[np.ndarray]] = []
        for k in reversed(range(self.num_layers)):
            kept, y, merge, scaled_mask = cache.levels[k]
            dy = merge_backward(dy, y, merge, kept.lengths)  # (N, T, S, R)
            dfinal = [part[k * S : (k + 1) * S] for part in dstate_n]
            if watch is not None:
                watch(k, dy, dfinal)
            dy, dinitial, dweights = engine.recurrent_backward(dy, dfinal, kept)
            dstates.insert(0, dinitial)
            for direction, weights in zip(self.directions, dweights):
                grads |= {f"{k}.{direction}.{name}": dw for name, dw in weights.items()}
            if scaled_mask is not None:
                dy = dy * scaled_mask
        dstate_0 = [np.concatenate(parts) for parts in zip(*dstates)]
        dx = dy if cache.batched else dy[0]
        return dx, {name: grads[name] for name in self.params}, as_state(dstate_0, cache.batched)


def directions_of(bidirectional: bool, reverse: bool) -> tuple[str, ...]:
    """The directions that these two options ask for. Raises TypeError where one is no bool, ValueError for both."""
    bidirectional, reverse = require_bool("bidirectional", bidirectional), require_bool("reverse", reverse)
    if bidirectional and reverse:
        raise ValueError(
            "reverse is True and bidirectional is True; with bidirectional=True the reverse direction is one of the "
            "two, so leave out one of these options"
        )
    return ("forward", "reverse") if bidirectional else ("reverse",) if reverse else ("forward",)


def unbatched(y: Any) -> Any:
    """The one sequence of a batch of one; of each of a pair."""
    return tuple(part[0] for part in y) if isinstance(y, tuple) else y[0]


def batch_of_one(dy: Any, pair: bool) -> Any:
    """unbatched's inverse."""
    if pair and isinstance(dy, (tuple, list)):
        return tuple(as_array(f"dy[{s}]", part)[None] for s, part in enumerate(dy))
    return as_array("dy", dy)[None]
