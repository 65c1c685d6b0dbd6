"""Gradient checks of attention, of either kind, and of a decoder that uses it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from npbilstm import textbook
from npbilstm.commands.checks.case import Arrays, D, H, N, Outputs, T, drawn, of_weighted_sum
from npbilstm.gradcheck import GradientReport

S, E, A = 6, 5, 2
LENGTHS, SOURCE_LENGTHS = np.array([5, 2, 4]), np.array([4, 6, 0])
"""Of the decoder's rows and of the source's: no row is full in both, and one has nothing to look at."""

CELL = {"Wx": (D + E, 4 * H), "Wh": (H, 4 * H), "b": (4 * H,)}
SCORE = {"Wq": (H, A), "Wk": (E, A), "v": (A,)}


def check_additive_attention(**options: Any) -> GradientReport:
    """One step of additive attention."""

    def run(p: Arrays) -> tuple[Outputs, Any]:
        params = textbook.AdditiveAttentionParams(*(p[name] for name in SCORE))
        context, alpha, cache = textbook.additive_attention_forward(p["query"], p["keys"], params, SOURCE_LENGTHS)
        return {"context": context, "alpha": alpha}, cache

    def back(d: Outputs, cache: Any) -> Arrays:
        dquery, dkeys, grads = textbook.additive_attention_backward(d["context"], d["alpha"], cache)
        return {"query": dquery, "keys": dkeys, **grads._asdict()}

    return of_weighted_sum(run, back, drawn(20, query=(N, H), keys=(N, S, E), **SCORE), **options)


def check_dot_attention(**options: Any) -> GradientReport:
    """One step of dot-product attention."""

    def run(p: Arrays) -> tuple[Outputs, Any]:
        context, alpha, cache = textbook.dot_attention_forward(p["query"], p["keys"], SOURCE_LENGTHS)
        return {"context": context, "alpha": alpha}, cache

    def back(d: Outputs, cache: Any) -> Arrays:
        return dict(zip(("query", "keys"), textbook.dot_attention_backward(d["context"], d["alpha"], cache)))

    return of_weighted_sum(run, back, drawn(21, query=(N, H), keys=(N, S, H)), **options)


def check_decoder(attention: str, over_time: bool, **options: Any) -> GradientReport:
    """A decoder with attention of a kind: one step, or over time."""
    score = SCORE if attention == "additive" else {}
    features = E if score else H
    cell = {**CELL, "Wx": (D + features, 4 * H)}
    lengths = (LENGTHS, SOURCE_LENGTHS) if over_time else (SOURCE_LENGTHS,)
    kind = "decoder" if over_time else "decoder_step"
    forward, backward = (getattr(textbook, f"{kind}_{way}") for way in ("forward", "backward"))
    names = ("x", "h0", "c0", "keys") if over_time else ("x", "h_prev", "c_prev", "context_prev", "keys")
    shapes = ((N, T, D) if over_time else (N, D), (N, H), (N, H), *([] if over_time else [(N, features)]))
    inputs = drawn(22, **dict(zip(names, (*shapes, (N, S, features)))), **cell, **score)

    def run(p: Arrays) -> tuple[Outputs, Any]:
        params = textbook.DecoderParams(
            textbook.LSTMParams(*(p[name] for name in cell)),
            textbook.AdditiveAttentionParams(*(p[name] for name in score)) if score else None,
        )
        *outputs, cache = forward(*(p[name] for name in names), params, *lengths)
        return dict(zip(("h", "context", "alpha") if over_time else ("h", "c", "context", "alpha"), outputs)), cache

    def back(d: Outputs, cache: Any) -> Arrays:
        *d_inputs, grads = backward(*d.values(), cache)
        dscore = {} if grads.attention is None else grads.attention._asdict()
        return {**dict(zip(names, d_inputs)), **grads.cell._asdict(), **dscore}

    return of_weighted_sum(run, back, inputs, **options)


CHECKS: dict[str, Callable[..., GradientReport]] = {
    "textbook: additive attention": check_additive_attention,
    "textbook: dot-product attention": check_dot_attention,
    "textbook: decoder, additive, one step": partial(check_decoder, "additive", False),
    "textbook: decoder, dot, one step": partial(check_decoder, "dot", False),
    "textbook: decoder, additive": partial(check_decoder, "additive", True),
    "textbook: decoder, dot": partial(check_decoder, "dot", True),
}
