"""The decoder of textbook/decoder.py made fast: what no step needs of another is one product for all steps.

    [x Wx_x + b]      for all steps at once, Wx_x being the rows of Wx for x
    keys Wk           once a batch, not once a step
    [context, h] W    one product a step, W the other rows of Wx above Wh
    dWx, dWh, dkeys   from what the steps left, when all have gone

The same function as the textbook's; tests hold the two equal. No step is masked: padded steps come last, nothing of
them is put out, and no gradient comes to them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from npbilstm.layers.checks import require_choice, require_dtype, require_rng, require_size
from npbilstm.layers.initialisation import fresh_weights, glorot_uniform
from npbilstm.layers.layer import Layer, require_own
from npbilstm.textbook.attention import softmax_over_steps, softmax_over_steps_backward
from npbilstm.textbook.lstm import LSTMParams, lstm_step_forward

KINDS = ("additive", "dot", None)

State = tuple[np.ndarray, np.ndarray, np.ndarray]
"""h (N, H), c (N, H), context (N, E)."""


class Memory(NamedTuple):
    """What a decoder looks at: keys (N, S, E), 0 in the padding, which steps are valid (N, S), and for additive
    attention keys Wk (N, S, A)."""

    keys: np.ndarray
    valid: np.ndarray
    projected: np.ndarray | None

    def of_rows(self, rows: np.ndarray) -> Memory:
        """The memory of some rows, in this order."""
        return Memory(self.keys[rows], self.valid[rows], None if self.projected is None else self.projected[rows])


class AttentionDecoderCache(NamedTuple):
    """One forward pass, time first: x (T, N, D), what each step read of its past (T, N, E+H), the gates i, f, g, o (T,
    N, 4H), c before each step and after the last (T+1, N, H), tanh(c) (T, N, H), the weights (T, N, S), of additive
    attention z (T, N, S, A); and valid (N, T)."""

    layer: AttentionDecoder
    memory: Memory
    x: np.ndarray
    past: np.ndarray
    gates: np.ndarray
    c: np.ndarray
    tanh_c: np.ndarray
    h: np.ndarray
    alpha: np.ndarray
    z: np.ndarray | None
    valid: np.ndarray
    params: dict[str, np.ndarray]

    def __repr__(self) -> str:
        N, T = self.valid.shape
        return f"<cache of {self.layer!r}, {N} rows of up to {T} steps>"


class AttentionDecoder(Layer):
    """An LSTM that looks at keys after each step, and reads what it saw at the next one.

    input_size: D. hidden_size: H. key_size: E. attention: "additive", with as many units between as H; "dot", which
    needs E = H; None: it never looks, and E is 0.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        key_size: int,
        attention: str | None = "additive",
        *,
        dtype: Any = np.float32,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        self.input_size, self.hidden_size = require_size("input_size", input_size), hidden_size
        self.attention: str | None = require_choice("attention", attention, KINDS)
        self.key_size = key_size
        kind, rng = require_dtype(dtype), require_rng(rng)
        shapes = dict(self.param_shapes)
        cell = {name: shapes[name] for name in ("Wx", "Wh", "b")}
        weights = fresh_weights(rng, cell, hidden_size, "orthogonal")
        weights["b"][hidden_size : 2 * hidden_size] = 1  # a fresh cell remembers
        for name, shape in list(shapes.items())[len(cell) :]:
            weights[name] = glorot_uniform(rng, shape[0], shape[1] if len(shape) > 1 else 1).reshape(shape)
        self.params = {name: weights[name].astype(kind) for name in shapes}

    def __repr__(self) -> str:
        sizes = f"{self.input_size}, {self.hidden_size}, {self.key_size}"
        return f"{type(self).__name__}({sizes}, attention={self.attention!r})"

    @property
    def param_shapes(self) -> dict[str, tuple[int, ...]]:
        """Wx (D+E, 4H), Wh (H, 4H), b (4H,); of additive attention Wq (H, H), Wk (E, H), v (H,)."""
        D, H, E = self.input_size, self.hidden_size, self.key_size
        if self.attention == "dot" and E != H:
            raise ValueError(f"key_size is {E}; dot-product attention needs as many as hidden_size, {H}")
        cell: dict[str, tuple[int, ...]] = {"Wx": (D + E, 4 * H), "Wh": (H, 4 * H), "b": (4 * H,)}
        return cell | ({"Wq": (H, H), "Wk": (E, H), "v": (H,)} if self.attention == "additive" else {})

    def read(self, keys: np.ndarray, valid: np.ndarray) -> Memory:
        """What the steps look at, made once for all of them. keys (N, S, E), valid (N, S)."""
        keys = np.where(valid[:, :, None], keys, 0) if self.attention else keys[:, :, :0]
        return Memory(keys, valid, keys @ self.params["Wk"] if self.attention == "additive" else None)

    def look(self, query: np.ndarray, memory: Memory) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """One look, of query (N, H) -> context (N, E), alpha (N, S), z (N, S, A) or None."""
        if self.attention is None:
            return memory.keys[:, :0].sum(axis=1), np.zeros(memory.valid.shape, query.dtype), None
        z = None
        if memory.projected is None:
            scores = (memory.keys @ query[:, :, None])[:, :, 0]
        else:
            z = (query @ self.params["Wq"])[:, None] + memory.projected
            np.tanh(z, out=z)
            scores = z @ self.params["v"]
        alpha = softmax_over_steps(scores, memory.valid)
        return (alpha[:, None] @ memory.keys)[:, 0], alpha, z

    def step(self, x: np.ndarray, state: State, memory: Memory) -> tuple[State, np.ndarray]:
        """One step by itself, for who decodes: x (N, D) -> the new state, alpha (N, S)."""
        h, c, context = state
        cell = LSTMParams(*(self.params[name] for name in ("Wx", "Wh", "b")))
        h, c, _ = lstm_step_forward(np.concatenate([x, context], axis=1), h, c, cell)
        context, alpha, _ = self.look(h, memory)
        return (h, c, context), alpha

    def forward(
        self, x: np.ndarray, state: State, memory: Memory, valid: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, AttentionDecoderCache]:
        """Over time. x (N, T, D), the state before the first step, valid (N, T)
        -> y = [h, context] (N, T, H+E), alpha (N, T, S), both 0 in the padding, cache."""
        self._require_params()
        N, T, D = x.shape
        H, S, E = self.hidden_size, *memory.keys.shape[1:]
        Wx, W = self.params["Wx"], np.concatenate([self.params["Wx"][D:], self.params["Wh"]])
        h, c_0, context = state
        dtype = np.result_type(x, *state, memory.keys, Wx)
        x = np.where(valid[:, :, None], x, 0).swapaxes(0, 1)  # (T, N, D)
        gates = np.asarray(x @ Wx[:D] + self.params["b"], dtype)  # (T, N, 4H), for now but x's share of a
        past, c, tanh_c, h_all = (np.empty((T + k, N, size), dtype) for k, size in [(1, E + H), (1, H), (0, H), (0, H)])
        alphas = np.zeros((T, N, S), dtype)
        z_all = None if memory.projected is None else np.empty((T, N, S, H), dtype)
        past[0, :, :E], past[0, :, E:], c[0] = context, h, c_0
        for t in range(T):
            a = gates[t]
            a += past[t] @ W
            for block in (a[:, : 2 * H], a[:, 3 * H :]):
                block *= 0.5
            np.tanh(a, out=a)
            for block in (a[:, : 2 * H], a[:, 3 * H :]):  # sigmoid(a) = 1/2 + 1/2 tanh(a/2)
                block *= 0.5
                block += 0.5
            i, f, g, o = (a[:, k * H : (k + 1) * H] for k in range(4))
            c[t + 1] = f * c[t] + i * g
            np.tanh(c[t + 1], out=tanh_c[t])
            h_all[t] = o * tanh_c[t]
            context, alphas[t], z = self.look(h_all[t], memory)
            if z_all is not None:
                z_all[t] = z
            past[t + 1, :, :E], past[t + 1, :, E:] = context, h_all[t]
        y = np.concatenate([h_all, past[1:, :, :E]], axis=2).swapaxes(0, 1)
        cache = AttentionDecoderCache(
            self,
            memory,
            x,
            past,
            gates,
            c,
            tanh_c,
            h_all,
            alphas,
            z_all,
            valid,
            {name: p.copy() for name, p in self.params.items()},
        )
        return np.where(valid[:, :, None], y, 0), np.where(valid[:, :, None], alphas.swapaxes(0, 1), 0), cache

    def backward(
        self, dy: np.ndarray, cache: AttentionDecoderCache, dalpha: np.ndarray | None = None
    ) -> tuple[np.ndarray, State, np.ndarray, dict[str, np.ndarray]]:
        """dy (N, T, H+E), dalpha (N, T, S), None for 0 -> dx (N, T, D), the gradient of the state before the first
        step, dkeys (N, S, E), grads with the names of params."""
        require_own(self, cache)
        memory, x, past, gates, c, tanh_c, h_all, alphas, z_all, valid, params = cache[1:]
        T, N, D = x.shape
        H, S, E = self.hidden_size, *memory.keys.shape[1:]
        Wx, W = params["Wx"], np.concatenate([params["Wx"][D:], params["Wh"]])
        dy = np.where(valid[:, :, None], dy, 0).swapaxes(0, 1)  # (T, N, H+E)
        seen = None if dalpha is None else np.where(valid[:, :, None], dalpha, 0).swapaxes(0, 1)
        dtype = np.result_type(dy, gates)
        da, dcontexts, dscores = (np.zeros((T, N, size), dtype) for size in (4 * H, E, S))
        dqueries = np.zeros((T, N, H), dtype)  # additive: what all steps say of query Wq
        dprojected = np.zeros((N, S, H) if z_all is not None else 0, dtype)
        dv = np.zeros(H, dtype)
        dh, dc, dcontext = np.zeros((N, H), dtype), np.zeros((N, H), dtype), np.zeros((N, E), dtype)
        for t in reversed(range(T)):
            dh = dy[t, :, :H] + dh
            if self.attention is not None:
                np.add(dy[t, :, H:], dcontext, out=dcontexts[t])
                dalpha_t = (memory.keys @ dcontexts[t][:, :, None])[:, :, 0]
                dscores[t] = softmax_over_steps_backward(dalpha_t if seen is None else dalpha_t + seen[t], alphas[t])
                if z_all is None:
                    dh += (dscores[t][:, None] @ memory.keys)[:, 0]
                else:
                    z = z_all[t]
                    dv += dscores[t].reshape(-1) @ z.reshape(-1, H)
                    slope = z * z
                    np.subtract(1, slope, out=slope)
                    slope *= params["v"]
                    slope *= dscores[t][:, :, None]
                    dprojected += slope
                    slope.sum(axis=1, out=dqueries[t])
                    dh += dqueries[t] @ params["Wq"].T
            i, f, g, o = (gates[t][:, k * H : (k + 1) * H] for k in range(4))
            dc = dc + dh * o * (1 - tanh_c[t] * tanh_c[t])
            da[t, :, :H] = dc * g * i * (1 - i)
            da[t, :, H : 2 * H] = dc * c[t] * f * (1 - f)
            da[t, :, 2 * H : 3 * H] = dc * i * (1 - g * g)
            da[t, :, 3 * H :] = dh * tanh_c[t] * o * (1 - o)
            dc = dc * f
            dpast = da[t] @ W.T
            dcontext, dh = dpast[:, :E], dpast[:, E:]
        da_rows = da.reshape(-1, 4 * H)
        dW = past[:T].reshape(-1, E + H).T @ da_rows
        grads = {"Wx": np.concatenate([x.reshape(-1, D).T @ da_rows, dW[:E]]), "Wh": dW[E:], "b": da_rows.sum(axis=0)}
        dkeys = alphas.transpose(1, 2, 0) @ dcontexts.swapaxes(0, 1)  # (N, S, E)
        if self.attention == "dot":
            dkeys += dscores.transpose(1, 2, 0) @ h_all.swapaxes(0, 1)
        if self.attention == "additive":
            dkeys += dprojected @ params["Wk"].T
            grads["Wq"] = h_all.reshape(-1, H).T @ dqueries.reshape(-1, H)
            grads["Wk"] = memory.keys.reshape(-1, E).T @ dprojected.reshape(-1, H)
            grads["v"] = dv
        return (da @ Wx[:D].T).swapaxes(0, 1), (dh, dc, dcontext), dkeys, grads
