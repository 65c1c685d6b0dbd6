"""The trace of a run: every number of every step, by its textbook name.

Axes of the arrays: layer of the stack L, direction S (forward, reverse), row N, step T in input time order, unit H.
"""

from __future__ import annotations

import copy
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from npbilstm.files import write_atomically
from npbilstm.inspector.arguments import as_batch, checked_classes, copied_ids, require_real, require_steps, token_names
from npbilstm.inspector.equations import Dot, Equations, Symbol, equations_of, evaluate, parse, weight_block
from npbilstm.layers import Dropout, Recurrent
from npbilstm.layers.merge import merge_forward
from npbilstm.layers.models import SequenceModel
from npbilstm.layers.recurrent import RecurrentLayerCache, batch_of_one, unbatched
from npbilstm.layers.steps import backward_steps, forward_steps
from npbilstm.textbook import softmax_cross_entropy_backward, softmax_cross_entropy_forward
from npbilstm.textbook.sequences import check_lengths, valid_steps

if TYPE_CHECKING:
    from npbilstm.inspector.explain import Explanation
    from npbilstm.inspector.flow import Flow


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """What a model or a layer did to a batch of sequences, made by `trace`.

    trace[name]: (L, S, N, T, H), e.g. trace["i"][layer, direction, row, step, unit]; trace.names are all of them. h,
        h_prev and their gradients have R units in place of H where the layer has a projection. 0 in the padding.
    inputs[k]: (N, T, D_k), what layer k of the stack reads. order (S, N, T): at which turn a direction read a step, -1
        in the padding. lengths (N,). tokens[n]: the names of row n's steps.
    equations: those of the layer's cell. The arrays satisfy them at every valid step, but for dh_next and dc_next at
        the step that a direction reads last: there they are the gradient of the final state.
    model: None for a layer alone. layer: its recurrent layer, dropout off.
    output: the model's logits, or the layer's y, N first. target, predicted: classes as integers, or None.
    classes: their names.
    loss: the mean cross-entropy, where there is a target. dx: the gradient of inputs[0], where there are gradients.
    ids: the symbols that a model read, (N, T); None for a layer alone. upstream: the gradient of the layer's y, (N, T,
        features) or a pair; None where the loss does not see y.
    """

    layer: Recurrent
    model: SequenceModel | None
    arrays: Mapping[str, np.ndarray]
    equations: Equations
    inputs: Sequence[np.ndarray]
    order: np.ndarray
    lengths: np.ndarray
    tokens: list[list[str]]
    output: Any
    target: np.ndarray | None
    classes: list[str] | None
    loss: float | None
    dx: np.ndarray | None
    ids: np.ndarray | None
    upstream: Any

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.arrays:
            has = ", ".join(self.names)
            hint = "" if self.has_gradients else "; gradients need an upstream gradient or a target"
            raise KeyError(f"the trace has no {name!r}; it has {has}{hint}")
        return self.arrays[name]

    def __repr__(self) -> str:
        N, T = self.order.shape[1:]
        what = repr(self.layer if self.model is None else self.model)
        return f"<Trace of {what}: {N} rows of up to {T} steps, {len(self.names)} arrays>"

    @property
    def names(self) -> list[str]:
        """The arrays' names, in the order in which they are computed."""
        return list(self.arrays)

    @property
    def has_gradients(self) -> bool:
        """Whether there was an upstream gradient or a target."""
        return "dh" in self.arrays

    @property
    def directions(self) -> tuple[str, ...]:
        """("forward", "reverse"), or the one that the layer has."""
        return self.layer.directions

    @property
    def logits(self) -> np.ndarray | None:
        """The model's, (N, T, V) or (N, V); None for a layer alone."""
        return None if self.model is None else self.output

    @cached_property
    def predicted(self) -> np.ndarray | None:
        """The likeliest classes, (N, T) or (N,); None for a layer alone."""
        return None if self.model is None else self.output.argmax(axis=-1)

    @property
    def output_is_by_step(self) -> bool:
        """Whether there is an output at every step: always but for a classifier."""
        return self.model is None or self.model.one_label_a_step

    @property
    def class_names(self) -> list[str]:
        """A name for each class, its number where it has none."""
        if self.classes is not None:
            return self.classes
        return [str(k) for k in range(0 if self.logits is None else self.logits.shape[-1])]

    def explain(
        self, layer: int = 0, direction: str | None = None, step: int = 0, unit: int = 0, row: int = 0
    ) -> Explanation:
        """One unit's equations at one step with their numbers, forward and backward: see inspector/explain.py."""
        from npbilstm.inspector.explain import explain

        return explain(self, layer, direction, step, unit, row)

    def flow(self, step: int | None = None, row: int = 0) -> Flow:
        """How large the gradient is over time, and what the forget gates let through: see inspector/flow.py."""
        from npbilstm.inspector.flow import flow

        return flow(self, step, row)

    def influence(self, step: int | None = None, row: int = 0) -> np.ndarray:
        """How much each input matters to the output at a step, or at all of them, which of a large layer takes minutes:
        see inspector/influence.py."""
        from npbilstm.inspector.influence import influence

        return influence(self, step, row)

    def strip(self, unit: int, layer: int = 0, row: int = 0, *, colour: bool = False, gradients: bool = False) -> str:
        """One unit's gates and states over the tokens as bars of text: see inspector/strip.py."""
        from npbilstm.inspector.strip import strip

        return strip(self, unit, layer, row, colour=colour, gradients=gradients)

    def to_html(self, row: int = 0, beside: Trace | None = None, notes: Sequence[str] = ()) -> str:
        """The page to explore a row on: one document that fetches nothing.

        beside: a trace of the same input by another model, a fresh one say; how its gradients fade is drawn dashed.
        notes: sentences to stand above, each without its full stop.
        """
        from npbilstm.inspector.page import page_html

        return page_html(self, row, beside, notes)

    def save_html(self, path: str | Path, row: int = 0, beside: Trace | None = None, notes: Sequence[str] = ()) -> None:
        """Write the page, see to_html, whole or not at all. Raises OSError naming path."""
        document = self.to_html(row, beside, notes).encode()
        write_atomically(path, lambda file: file.write(document))

    def _repr_html_(self) -> str:
        from npbilstm.inspector.page import iframe_html

        try:
            return iframe_html(self.to_html(int(np.flatnonzero(self.lengths)[0])))  # the first row that has steps
        except (IndexError, ValueError) as error:  # none has, or it is too large for a page
            return f"<p>{html.escape(repr(self))}: {html.escape(str(error))}</p>"


@np.errstate(all="ignore")
def trace(
    model_or_layer: SequenceModel | Recurrent,
    x: Any,
    lengths: Any = None,
    upstream: Any = None,
    tokens: Any = None,
    *,
    target: Any = None,
    state: Any = None,
    dstate: Any = None,
    classes: Sequence[str] | None = None,
) -> Trace:
    """Run a model or a layer and keep every number: gates, candidate, states, pre-activations and, with an upstream
    gradient or a target, the gradients of all these.

    Gates, states and what passes from step to step, dh_next and dc_next, are the engine's own numbers; the rest is
    computed from them by trace.equations. Dropout is off.

    x: for a model ids (N, T); for a layer floating numbers (N, T, D). One sequence may come without its N.
    lengths: (N,), None for all T. tokens: a name for every step, to be shown: a list of rows, or for a batch of one a
        row; a string gives its characters. None for a model's ids, a layer's step numbers.
    upstream: the gradient of the loss with respect to the logits or to y. target: in its place, of a model: classes as
        integers (N, T) or (N,); the loss is then the mean cross-entropy. classes: the names of the classes.
    state, dstate: of a layer, the initial state and the gradient of the final one, as forward and backward take them.

    Infinity and NaN are kept as they come. Raises TypeError or ValueError, naming the argument.
    """
    params = getattr(model_or_layer, "params", None)
    for name, p in params.items() if isinstance(params, Mapping) else ():  # what else is wrong, forward says
        require_real(f"params[{name!r}]", p)
    if isinstance(model_or_layer, SequenceModel):
        if state is not None or dstate is not None:
            raise ValueError("state and dstate go with a layer; a model starts from 0")
        return trace_model(without_dropout(model_or_layer), x, lengths, upstream, tokens, target, classes)
    if not isinstance(model_or_layer, Recurrent):
        raise TypeError(
            f"model_or_layer is a {type(model_or_layer).__name__}; it needs an LSTM, GRU or RNN layer, or a model"
        )
    if target is not None or classes is not None:
        raise ValueError("target and classes go with a model; the gradient of a layer's outputs is upstream")
    return trace_layer(layer_without_dropout(model_or_layer), x, lengths, upstream, tokens, state, dstate)


def trace_model(
    model: SequenceModel, ids: Any, lengths: Any, upstream: Any, tokens: Any, target: Any, classes: Any
) -> Trace:
    """A model's trace; arguments as trace has them."""
    if target is not None and upstream is not None:
        raise ValueError("target and upstream are both given; the loss needs one of them")
    ids = copied_ids(ids)
    alone = ids.ndim == 1
    if alone:
        ids = ids[None]
    require_steps(ids.shape)
    logits, cache = model.forward(ids, lengths, training=True)
    loss = None
    if target is not None:
        target = as_batch("target", target, logits.shape[:-1], alone)
        if target.dtype.kind not in "iu":
            raise TypeError(f"target has dtype {target.dtype}; it needs integers, each the number of a class")
        loss, loss_cache = softmax_cross_entropy_forward(logits, target, lengths if model.one_label_a_step else None)
        upstream = softmax_cross_entropy_backward(1.0, loss_cache)
    elif upstream is not None:
        upstream = as_batch("upstream", require_real("upstream", upstream), logits.shape, alone)
    dy = dstate = None
    if upstream is not None:
        dy, dstate, _ = model.backward_to_recurrent(upstream, cache)
    x, _ = model.embedding.forward(np.where(cache.valid, ids, 0))
    shown = ids.tolist() if tokens is None else tokens
    recurrent = gather(model.recurrent, x, lengths, cache.recurrent, dy, dstate, shown)
    return Trace(
        **recurrent,
        model=model,
        output=logits,
        target=target,
        classes=checked_classes(classes, logits.shape[-1]),
        loss=None if loss is None else float(loss),
        ids=ids,
        upstream=dy,
    )


def trace_layer(layer: Recurrent, x: Any, lengths: Any, upstream: Any, tokens: Any, state: Any, dstate: Any) -> Trace:
    """A layer's trace; arguments as trace has them."""
    x = require_real("x", x)
    y, _, cache = layer.forward(x, lengths, state, training=True)
    require_steps(x.shape[:-1])
    alone = not cache.batched
    if alone:
        x, y = x[None], batch_of_one(y, isinstance(y, tuple))
    if upstream is not None:
        upstream = upstream_of(y, upstream, alone)
    dy = upstream
    if dy is None and dstate is not None:  # the loss may see the final state alone
        dy = tuple(map(np.zeros_like, y)) if isinstance(y, tuple) else np.zeros_like(y)
    if alone and dy is not None:
        dy = unbatched(dy)  # as the layer has it
    recurrent = gather(layer, x, lengths, cache, dy, dstate, tokens)
    return Trace(**recurrent, model=None, output=y, target=None, classes=None, loss=None, ids=None, upstream=upstream)


def upstream_of(y: Any, upstream: Any, alone: bool) -> Any:
    """The gradient of a layer's y as a batch, a pair where y is one."""
    if not isinstance(y, tuple):
        return as_batch("upstream", require_real("upstream", upstream), y.shape, alone)
    if not isinstance(upstream, (tuple, list)) or len(upstream) != 2:
        raise TypeError(f"upstream is a {type(upstream).__name__}; with merge=None it needs a pair of arrays")
    return tuple(as_batch("upstream", require_real("upstream", d), part.shape, alone) for d, part in zip(upstream, y))


def gather(
    layer: Recurrent, x: np.ndarray, lengths: Any, cache: RecurrentLayerCache, dy: Any, dstate: Any, tokens: Any
) -> dict[str, Any]:
    """All that a trace holds of the recurrent layer. x (N, T, D)."""
    N, T = x.shape[:2]
    lengths = check_lengths(lengths, N, T)
    valid = valid_steps(lengths, T)
    equations = equations_of(layer)
    dtype = cache.levels[0].y.dtype
    inputs = [np.where(valid[..., None], x, 0).astype(dtype, copy=False)]
    inputs += [merge_forward(level.y, layer.level_merge(k)) for k, level in enumerate(cache.levels[:-1])]
    given = forward_steps(cache)
    texts = list(equations.forward)
    dx = None
    if dy is not None:
        dx, arrived = backward_steps(layer, dy, cache, dstate)
        given = [{**forward, **backward} for forward, backward in zip(given, arrived)]
        texts += equations.backward
    levels = [complete(layer, k, texts, numbers, inputs[k], valid) for k, numbers in enumerate(given)]
    return {
        "layer": layer,
        "arrays": {name: np.stack([level[name] for level in levels]) for name in levels[0]},
        "equations": equations,
        "inputs": inputs,
        "order": processing_order(lengths, valid, layer.directions),
        "lengths": lengths,
        "tokens": token_names(tokens, lengths, T),
        "dx": dx if dx is None or cache.batched else dx[None],
    }


def complete(
    layer: Recurrent, k: int, texts: Sequence[str], given: Mapping[str, np.ndarray], x: np.ndarray, valid: np.ndarray
) -> dict[str, np.ndarray]:
    """Layer k's arrays (S, N, T, .): those given and those that the equations make of them, in the equations' order."""
    found = dict(given)

    def value(symbol: Symbol) -> np.ndarray:
        if symbol.name in found:  # never that of the next step: what passes from step to step is given
            return found[symbol.name]
        weights = [weight_block(layer, k, direction, symbol.name) for direction in layer.directions]
        return np.stack(weights)[:, None, None]  # (S, 1, 1, H)

    def dot(node: Dot) -> np.ndarray:
        weights = np.stack([weight_block(layer, k, direction, node.weight) for direction in layer.directions])
        vector = x[None] if node.vector.name == "x" else value(node.vector)
        return vector @ (weights.swapaxes(1, 2) if node.transposed else weights)[:, None]

    for equation in map(parse, texts):
        if equation.name not in found:
            computed = evaluate(equation.sum, value, dot)
            found[equation.name] = np.where(valid[..., None], computed, 0).astype(x.dtype, copy=False)
    named = [parse(text).name for text in texts]
    first = [name for name in ("h_prev", "c_prev", "dy") if name in found]
    return {name: found[name] for name in [*first, *named]}


def processing_order(lengths: np.ndarray, valid: np.ndarray, directions: Sequence[str]) -> np.ndarray:
    """order[s, n, t]: at which turn direction s reads step t of row n; -1 in the padding, where valid (N, T) is not."""
    t = np.arange(valid.shape[1])
    turns = {"forward": t, "reverse": lengths[:, None] - 1 - t}
    return np.stack([np.where(valid, turns[direction], -1) for direction in directions])


def layer_without_dropout(layer: Recurrent) -> Recurrent:
    """The layer as it is now and when nobody trains it, weights of its own; every step is kept."""
    other = copy.deepcopy(layer)
    other.dropout = other.recurrent_dropout = 0.0
    other.store_every = None
    return other


def without_dropout(model: SequenceModel) -> SequenceModel:
    """The model as it is now and when nobody trains it, weights of its own."""
    other = copy.deepcopy(model)
    other.recurrent = layer_without_dropout(model.recurrent)
    other.dropout = Dropout(0.0)
    return other
