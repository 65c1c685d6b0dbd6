"""LSTM and BiLSTM: layers of one or two directions, stacked."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from npbilstm import engine
from npbilstm.layers.checks import (
    as_gradient,
    require_dtype,
    require_features,
    require_finite,
    require_fraction,
    require_pair,
    require_size,
    working_dtype,
)
from npbilstm.layers.dropout import dropout_mask
from npbilstm.layers.initialisation import lstm_weights
from npbilstm.layers.layer import Layer
from npbilstm.layers.merge import MERGES, merge_backward, merge_forward
from npbilstm.textbook.sequences import check_lengths, valid_steps

State = tuple[np.ndarray, np.ndarray]


class LevelCache(NamedTuple):
    """One layer of the stack: the engine's cache, the joined directions' y (N, T, S, H), the mask of its input."""

    engine: engine.LSTMCache
    y: np.ndarray
    scaled_mask: np.ndarray | None


class LSTMLayerCache(NamedTuple):
    """One forward pass: a cache for each layer of the stack; kept is False after training=False."""

    layer: LSTM
    kept: bool
    levels: list[LevelCache]
    state_shape: tuple[int, int, int]


class LSTM(Layer):
    """Stacked LSTM layers of one direction or two.

    Each direction computes the equations of textbook/lstm.py; in the stack, layer k+1 reads what layer k put out.

    params, for layer k and direction in ("forward", "reverse"):
        "k.direction.Wx" (D_k, 4H), "k.direction.Wh" (H, 4H), "k.direction.b" (4H,)
    with the gates' blocks in the order i, f, g, o, and D_k what layer k reads: input_size for k = 0.

    input_size: D. hidden_size: H, for each direction. num_layers: how many are stacked.
    bidirectional: two directions; merge joins them: "concat" (2H features), "sum", "mul", "ave" (H), or None: the last
        layer returns the pair, the layers below it are concatenated.
    bias: False leaves b out. dropout: the probability of zeroing what passes from one layer to the next, in training.
    init: "orthogonal" or "torch", see layers/initialisation.py. dtype: float32 or float64.
    store_every: None, or k: training keeps the states of every k-th step only, and backward computes the steps between
        once more: memory for time, for long sequences. k = sqrt(2 T / 5) or so takes the least memory.
    rng: a seed or generator, for the weights and then for dropout.

    Raises TypeError or ValueError, naming the argument.
    """

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
        init: str = "orthogonal",
        dtype: Any = np.float32,
        store_every: int | None = None,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        self.input_size = require_size("input_size", input_size)
        self.hidden_size = require_size("hidden_size", hidden_size)
        self.num_layers = require_size("num_layers", num_layers)
        self.directions = ("forward", "reverse") if bidirectional else ("forward",)
        if merge not in MERGES:
            raise ValueError(f"merge is {merge!r}; it needs one of {', '.join(map(repr, MERGES))}")
        self.merge = merge
        self.bias = bias
        self.dropout = require_fraction("dropout", dropout)
        self.store_every = None if store_every is None else require_size("store_every", store_every)
        self.rng = np.random.default_rng(rng)
        dtype = require_dtype(dtype)
        self.params = {}
        for k in range(self.num_layers):
            D = self.input_size if k == 0 else self.features(k - 1)
            for direction in self.directions:
                weights = lstm_weights(self.rng, D, self.hidden_size, init)
                for name, w in zip(("Wx", "Wh", "b")[: 3 if bias else 2], weights):
                    self.params[f"{k}.{direction}.{name}"] = w.astype(dtype)

    def __repr__(self) -> str:
        name = "LSTM" if len(self.directions) == 1 else "BiLSTM"
        return f"{name}({self.input_size}, {self.hidden_size}, {self.num_layers})"

    def level_merge(self, k: int) -> str | None:
        """How layer k joins its directions: a pair can only leave the last layer."""
        return "concat" if self.merge is None and k < self.num_layers - 1 else self.merge

    def features(self, k: int) -> int:
        """How many features layer k puts out."""
        both = len(self.directions) == 2 and self.level_merge(k) == "concat"
        return self.hidden_size * (2 if both else 1)

    def level_weights(self, k: int, dtype: np.dtype) -> list[engine.Weights]:
        """Layer k's weights as the engine takes them, one triple a direction."""
        weights: list[engine.Weights] = []
        for direction in self.directions:
            Wx, Wh = (self.params[f"{k}.{direction}.{name}"].astype(dtype, copy=False) for name in ("Wx", "Wh"))
            b = self.params[f"{k}.{direction}.b"] if self.bias else np.zeros(4 * self.hidden_size)
            weights.append((Wx, Wh, b.astype(dtype, copy=False)))
        return weights

    def forward(
        self,
        x: np.ndarray,
        lengths: np.ndarray | None = None,
        state: State | None = None,
        training: bool = False,
        *,
        rng: np.random.Generator | None = None,
        check_finite: bool = False,
    ) -> tuple[Any, State, LSTMLayerCache]:
        """Run a batch of sequences.

        x (N, T, D). lengths (N,) with 0 <= lengths <= T, or None for all T; what stands in the padding never matters.
        state: (h_0, c_0), each (num_layers * S, N, H) with S directions: layer by layer, forward before reverse. None:
        0.
        training: keep what backward needs, and apply dropout. Without it memory does not grow with T but for the
            outputs of the directions.
        rng: draws this pass's dropout masks; by default the layer's own. check_finite: refuse NaN and infinity in the
            state and at valid steps.

        -> y (N, T, features), 0 in the padding (a pair of (N, T, H) with merge=None),
           (h_n, c_n) shaped as state: after each direction's last step, which for the reverse direction is t = 0,
           cache.

        Raises TypeError or ValueError, naming the argument, what it got and what is needed.
        """
        x = require_features("x", x, "N, T, D", self.input_size, "input_size")
        N, T, _ = x.shape
        S, H = len(self.directions), self.hidden_size
        if lengths is not None:
            lengths = check_lengths(lengths, N, T)
            if (lengths == T).all():
                lengths = None  # nothing is padded
        if check_finite:
            require_finite("x", x, valid_steps(check_lengths(lengths, N, T), T))
        h_0, c_0 = require_pair("state", state, (self.num_layers * S, N, H))
        if check_finite and not (np.isfinite(h_0).all() and np.isfinite(c_0).all()):
            raise ValueError("state holds NaN or infinity; it needs finite numbers")
        dtype = working_dtype(self.params, x, h_0, c_0)
        x, h_0, c_0 = (array.astype(dtype, copy=False) for array in (x, h_0, c_0))

        h_n, c_n, levels = [], [], []
        for k in range(self.num_layers):
            scaled_mask = None
            if k > 0 and training and self.dropout:
                scaled_mask = dropout_mask(self.rng if rng is None else rng, self.dropout, x)
                x = x * scaled_mask
            own = slice(k * S, (k + 1) * S)
            weights = self.level_weights(k, dtype)
            y, h_T, c_T, cache = engine.lstm_forward(
                x, h_0[own], c_0[own], weights, lengths, keep=training, store_every=self.store_every
            )
            x = merge_forward(y, self.level_merge(k))
            h_n.append(h_T)
            c_n.append(c_T)
            if cache is not None:
                levels.append(LevelCache(cache, y, scaled_mask))
        state_shape = (self.num_layers * S, N, H)
        return x, (np.concatenate(h_n), np.concatenate(c_n)), LSTMLayerCache(self, training, levels, state_shape)

    def backward(
        self, dy: Any, cache: LSTMLayerCache, dstate: State | None = None
    ) -> tuple[np.ndarray, dict[str, np.ndarray], State]:
        """Gradients, given dy shaped as y and dstate = (dh_n, dc_n) shaped as the final state (None: 0).

        -> dx (N, T, D), grads with the names of params, (dh_0, dc_0). The cache may be used again.

        Raises ValueError for a cache from another layer or from training=False, and for wrong shapes.
        """
        self.require_own(cache)
        dh_n, dc_n = require_pair("dstate", dstate, cache.state_shape)
        S = len(self.directions)
        grads: dict[str, np.ndarray] = {}
        dh_0: list[np.ndarray] = []
        dc_0: list[np.ndarray] = []
        for k in reversed(range(self.num_layers)):
            kept, y, scaled_mask = cache.levels[k]
            dy = merge_backward(dy, y, self.level_merge(k))  # (N, T, S, H)
            own = slice(k * S, (k + 1) * S)
            dy, dh, dc = (as_gradient(array, y.dtype) for array in (dy, dh_n[own], dc_n[own]))
            dy, dh, dc, dweights = engine.lstm_backward(dy, dh, dc, kept)
            dh_0.insert(0, dh)
            dc_0.insert(0, dc)
            for direction, triple in zip(self.directions, dweights):
                for name, dw in zip(("Wx", "Wh", "b"), triple):
                    grads[f"{k}.{direction}.{name}"] = dw
            if scaled_mask is not None:
                dy = dy * scaled_mask
        return dy, {name: grads[name] for name in self.params}, (np.concatenate(dh_0), np.concatenate(dc_0))


class BiLSTM(LSTM):
    """A bidirectional LSTM: LSTM(..., bidirectional=True), all else the same."""

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, **options: Any) -> None:
        super().__init__(input_size, hidden_size, num_layers, bidirectional=True, **options)
