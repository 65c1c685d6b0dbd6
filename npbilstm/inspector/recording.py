"""Recording a run: a model or a layer computes, and every number is kept."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from npbilstm.inspector.arguments import (
    as_batch,
    checked_classes,
    checked_rows,
    copied_ids,
    require_real,
    require_steps,
    token_names,
)
from npbilstm.inspector.cell_equations import equations_of, weight_block
from npbilstm.inspector.equations import Dot, Symbol, evaluate, parse
from npbilstm.inspector.head_maps import head_step_maps
from npbilstm.inspector.losses import loss_of_classes
from npbilstm.inspector.trace_data import TraceData
from npbilstm.layers import Dropout, Recurrent
from npbilstm.layers.merge import batch_of_one, merge_forward, unbatched
from npbilstm.layers.padding import pad
from npbilstm.layers.stack import RecurrentLayerCache
from npbilstm.layers.steps import backward_by_steps, forward_by_steps
from npbilstm.models import SequenceModel, backward_to_recurrent
from npbilstm.models.ctc_head import CTCHead
from npbilstm.textbook.sequences import check_lengths, valid_steps


@np.errstate(all="ignore")
def model_run(
    model: SequenceModel, ids: Any, lengths: Any, upstream: Any, tokens: Any, target: Any, classes: Any
) -> TraceData:
    """Of a model; arguments as trace has them."""
    embedding, model = model.embedding, without_dropout(model)
    if target is not None and upstream is not None:
        raise ValueError("target and upstream are both given; the loss needs one of them")
    ids = copied_ids(ids) if embedding is not None else np.array(require_real("x", ids))
    alone = ids.ndim == (1 if embedding is not None else 2)
    if alone:
        ids = ids[None]
    require_steps(ids.shape[:2])
    logits, cache = model.forward(ids, lengths, training=True)
    loss = answers = None
    names = checked_classes(classes, logits.shape[-1])
    if isinstance(model.head, CTCHead):
        answers = model.head.predict(logits, lengths) if target is None else checked_rows(target, len(ids), alone)
    if target is not None and answers is not None:
        for n, row in enumerate(answers):
            model.head.require_targets(f"target[{n}]", row, int(cache.valid[n].sum()))
        loss, upstream = loss_of_classes(model, logits, pad(answers), lengths)
        target = None
    elif target is not None:
        target = as_batch("target", target, logits.shape[:-1], alone)
        if target.dtype.kind not in "iu":
            raise TypeError(f"target has dtype {target.dtype}; it needs integers, each the number of a class")
        loss, upstream = loss_of_classes(model, logits, target, lengths)
    elif upstream is not None:
        upstream = as_batch("upstream", require_real("upstream", upstream), logits.shape, alone)
    dy = dstate = None
    if upstream is not None:
        dy, dstate, _ = backward_to_recurrent(model, upstream, cache)
    x = ids if embedding is None else embedding.forward(np.where(cache.valid, ids, 0))[0]
    shown = ids.tolist() if tokens is None and embedding is not None else tokens
    recurrent = recorded_arrays(model.recurrent, x, lengths, cache.recurrent, dy, dstate, shown)
    return TraceData(
        **recurrent,
        model=model,
        output=logits,
        target=target,
        classes=names,
        loss=None if loss is None else float(loss),
        ids=ids,
        upstream=dy,
        answers=answers,
        step_maps=head_step_maps(
            model, logits, recurrent["lengths"], answers, names or [str(k) for k in range(logits.shape[-1])]
        ),
    )


@np.errstate(all="ignore")
def layer_run(layer: Recurrent, x: Any, lengths: Any, upstream: Any, tokens: Any, state: Any, dstate: Any) -> TraceData:
    """Of a layer; arguments as trace has them."""
    layer = layer_without_dropout(layer)
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
    recurrent = recorded_arrays(layer, x, lengths, cache, dy, dstate, tokens)
    return TraceData(
        **recurrent, model=None, output=y, target=None, classes=None, loss=None, ids=None, upstream=upstream
    )


def upstream_of(y: Any, upstream: Any, alone: bool) -> Any:
    """The gradient of a layer's y as a batch, a pair where y is one."""
    if not isinstance(y, tuple):
        return as_batch("upstream", require_real("upstream", upstream), y.shape, alone)
    if not isinstance(upstream, (tuple, list)) or len(upstream) != 2:
        raise TypeError(f"upstream is a {type(upstream).__name__}; with merge=None it needs a pair of arrays")
    return tuple(as_batch("upstream", require_real("upstream", d), part.shape, alone) for d, part in zip(upstream, y))


def recorded_arrays(
    layer: Recurrent, x: np.ndarray, lengths: Any, cache: RecurrentLayerCache, dy: Any, dstate: Any, tokens: Any
) -> dict[str, Any]:
    """All that a trace holds of the recurrent layer. x (N, T, D)."""
    N, T = x.shape[:2]
    lengths = check_lengths(lengths, N, T)
    valid = valid_steps(lengths, T)
    equations = equations_of(layer)
    dtype = cache.stack[0].y.dtype
    inputs = [np.where(valid[..., None], x, 0).astype(dtype, copy=False)]
    inputs += [merge_forward(below.y, below.merge) for below in cache.stack[:-1]]
    given = forward_by_steps(cache)
    texts = list(equations.forward)
    dx = None
    if dy is not None:
        dx, arrived = backward_by_steps(layer, dy, cache, dstate)
        given = [{**forward, **backward} for forward, backward in zip(given, arrived)]
        texts += equations.backward
    stack_layers = [complete(layer, k, texts, numbers, inputs[k], valid) for k, numbers in enumerate(given)]
    return {
        "layer": layer,
        "arrays": {name: np.stack([each[name] for each in stack_layers]) for name in stack_layers[0]},
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
    other.dropout = other.input_dropout = other.recurrent_dropout = 0.0
    other.store_every = None
    return other


def without_dropout(model: SequenceModel) -> SequenceModel:
    """The model as it is now and when nobody trains it, weights of its own."""
    other = copy.deepcopy(model)
    other.recurrent = layer_without_dropout(model.recurrent)
    other.dropout = Dropout(0.0)
    return other
