"""What LSTM, GRU and RNN layers share: one direction or two, stacked, over batches of unequal lengths."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np

from npbilstm import engine
from npbilstm.layers.checks import (
    as_gradient,
    require_dtype,
    require_features,
    require_finite,
    require_floats,
    require_fraction,
    require_size,
    require_state,
    working_dtype,
)
from npbilstm.layers.dropout import dropout_mask
from npbilstm.layers.initialisation import fresh_weights
from npbilstm.layers.layer import Layer
from npbilstm.layers.merge import MERGES, merge_backward, merge_forward
from npbilstm.textbook.sequences import check_lengths, valid_steps

BIASES = ("b", "b_hn")
"""What bias=False leaves out."""


Watch = Callable[[int, np.ndarray, list[np.ndarray]], None]
"""See Recurrent.backward."""


class LevelCache(NamedTuple):
    """One layer of the stack: the engine's cache, the joined directions' y (N, T, S, R), the mask of its input."""

    engine: engine.RecurrentCache
    y: np.ndarray
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
    bias: False leaves the biases out. dropout: the probability of zeroing what passes from one layer to the next, in
        training.
    recurrent_dropout: the probability of zeroing a number of h where it enters a product, in training: one mask for
        each row, layer and direction, the same at every time step (Gal & Ghahramani 2016).
    init: "orthogonal" or "torch", see layers/initialisation.py. dtype: float32 or float64.
    store_every: None, or k: training keeps the states of every k-th step only, and backward computes the steps between
        once more: memory for time, for long sequences. For an LSTM k = sqrt(2 T / 5) or so takes the least memory.
    rng: a seed or generator, for the weights and then for dropout.

    Raises TypeError or ValueError, naming the argument.
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
                f"{', '.join([*self.own_options, *known])}"
            )
        self.input_size = require_size("input_size", input_size)
        self.hidden_size = require_size("hidden_size", hidden_size)
        self.num_layers = require_size("num_layers", num_layers)
        self.directions = ("forward", "reverse") if bidirectional else ("forward",)
        if merge not in MERGES:
            raise ValueError(f"merge is {merge!r}; it needs one of {', '.join(map(repr, MERGES))}")
        self.merge = merge
        self.bias = bool(bias)
        self.dropout = require_fraction("dropout", dropout)
        self.recurrent_dropout = require_fraction("recurrent_dropout", recurrent_dropout)
        self.store_every = None if store_every is None else require_size("store_every", store_every)
        self.rng = np.random.default_rng(rng)
        dtype = require_dtype(dtype)
        self.params = {}
        for k in range(self.num_layers):
            D = self.input_size if k == 0 else self.features(k - 1)
            for direction in self.directions:
                weights = fresh_weights(self.rng, self.weight_shapes(D), self.hidden_size, init)
                if init == "orthogonal":
                    self.open_gates(weights)
                for name, w in weights.items():
                    if bias or name not in BIASES:
                        self.params[f"{k}.{direction}.{name}"] = w.astype(dtype)

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

    def open_gates(self, weights: dict[str, np.ndarray]) -> None:
        """Change fresh weights in place, so that a fresh cell remembers."""

    def __repr__(self) -> str:
        options = {"bidirectional": False, "merge": "concat", "bias": True, **self.own_options}
        now = {**vars(self), "bidirectional": len(self.directions) == 2}
        shown = [f"{name}={now[name]!r}" for name, default in options.items() if now[name] != default]
        return f"{type(self).__name__}({', '.join([*map(str, self.sizes), *shown])})"

    @property
    def sizes(self) -> tuple[int, int, int]:
        """What the layer is made with first: input_size, hidden_size, num_layers."""
        return self.input_size, self.hidden_size, self.num_layers

    def level_merge(self, k: int) -> str | None:
        """How layer k joins its directions: a pair can only leave the last layer."""
        return "concat" if self.merge is None and k < self.num_layers - 1 else self.merge

    def features(self, k: int) -> int:
        """How many features layer k of the stack puts out; with merge=None, each of the pair."""
        joined = len(self.directions) == 2 and self.level_merge(k) == "concat"
        return self.output_size * (2 if joined else 1)

    def level_weights(self, k: int, dtype: np.dtype) -> list[engine.Weights]:
        """The weights of layer k's directions as the engine takes them; biases that are left out are 0."""
        D = self.input_size if k == 0 else self.features(k - 1)
        found: list[engine.Weights] = []
        for direction in self.directions:
            weights = {}
            for name, shape in self.weight_shapes(D).items():
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

        x: (N, T, D) floating numbers. lengths: (N,) integers in 0..T, None for all T.
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
        dtype = working_dtype(self.params, x, *state_0)
        x, *state_0 = (array.astype(dtype, copy=False) for array in (x, *state_0))
        rng = self.rng if rng is None else np.random.default_rng(rng)

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
                mask=recurrent_mask,
                keep=training,
                store_every=self.store_every,
            )
            x = merge_forward(y, self.level_merge(k))
            finals.append(final)
            if cache is not None:
                levels.append(LevelCache(cache, y, scaled_mask))
        final_state = [np.concatenate(parts) for parts in zip(*finals)]
        kept = RecurrentLayerCache(self, training, levels, shapes, batched)
        return (x if batched else unbatched(x)), self.as_state(final_state, batched), kept

    def backward(
        self, dy: Any, cache: RecurrentLayerCache, dstate: Any = None, *, watch: Watch | None = None
    ) -> tuple[np.ndarray, dict[str, np.ndarray], Any]:
        """Gradients, given dy shaped as y and dstate shaped as the final state (None: 0).

        watch(k, dy, dstate) is told what arrives at layer k: dy (N, T, S, R), and each part of dstate (S, N, ...).

        -> dx, shaped as x, grads with the names of params, the gradient of the initial state, shaped as it. The cache
        may be used again.

        Raises ValueError for a cache from another layer or from training=False, and for wrong shapes.
        """
        self.require_own(cache)
        dstate_n = require_state("dstate", dstate, self.state_parts, cache.state_shapes, cache.batched)
        if not cache.batched:
            dy = batch_of_one(dy)
        S = len(self.directions)
        grads: dict[str, np.ndarray] = {}
        dstates: list[list[np.ndarray]] = []
        for k in reversed(range(self.num_layers)):
            kept, y, scaled_mask = cache.levels[k]
            dy = merge_backward(dy, y, self.level_merge(k))  # (N, T, S, R)
            dfinal = [as_gradient(part[k * S : (k + 1) * S], y.dtype) for part in dstate_n]
            dy = as_gradient(dy, y.dtype)
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
        return dx, {name: grads[name] for name in self.params}, self.as_state(dstate_0, cache.batched)

    def as_state(self, parts: list[np.ndarray], batched: bool) -> Any:
        """A state as the user has it: one array, or a tuple where it has several parts."""
        shown = tuple(part if batched else part[:, 0] for part in parts)
        return shown if len(shown) > 1 else shown[0]


def unbatched(y: Any) -> Any:
    """The one sequence of a batch of one; of each of a pair."""
    return tuple(part[0] for part in y) if isinstance(y, tuple) else y[0]


def batch_of_one(dy: Any) -> Any:
    """unbatched's inverse."""
    return tuple(np.asarray(part)[None] for part in dy) if isinstance(dy, (tuple, list)) else np.asarray(dy)[None]
