"""Gradient checks of the textbook's LSTM and of its first loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npbilstm import textbook
from npbilstm.commands.checks.case import LENGTHS, Arrays, D, H, N, Outputs, T, V, drawn, of_weighted_sum
from npbilstm.gradcheck import GradientReport, check_gradients
from npbilstm.textbook import BiLSTMParams, GateParams, LSTMParams


def check_step(**options: Any) -> GradientReport:
    """One time step of the textbook's LSTM."""
    inputs = drawn(0, x=(N, D), h_prev=(N, H), c_prev=(N, H), Wx=(D, 4 * H), Wh=(H, 4 * H), b=(4 * H,))

    def run(p: Arrays) -> tuple[Outputs, Any]:
        h, c, cache = textbook.lstm_step_forward(p["x"], p["h_prev"], p["c_prev"], LSTMParams(p["Wx"], p["Wh"], p["b"]))
        return {"h": h, "c": c}, cache

    def back(d: Outputs, cache: Any) -> Arrays:
        dx, dh_prev, dc_prev, grads = textbook.lstm_step_backward(d["h"], d["c"], cache)
        return {"x": dx, "h_prev": dh_prev, "c_prev": dc_prev, **grads._asdict()}

    return of_weighted_sum(run, back, inputs, **options)


def check_sequence(**options: Any) -> GradientReport:
    """The textbook's LSTM over a ragged batch: BPTT."""
    inputs = drawn(1, x=(N, T, D), h0=(N, H), c0=(N, H), Wx=(D, 4 * H), Wh=(H, 4 * H), b=(4 * H,))

    def run(p: Arrays) -> tuple[Outputs, Any]:
        params = LSTMParams(p["Wx"], p["Wh"], p["b"])
        h, h_T, c_T, cache = textbook.lstm_forward(p["x"], p["h0"], p["c0"], params, LENGTHS)
        return {"h": h, "h_T": h_T, "c_T": c_T}, cache

    def back(d: Outputs, cache: Any) -> Arrays:
        dx, dh0, dc0, grads = textbook.lstm_backward(d["h"], d["h_T"], d["c_T"], cache)
        return {"x": dx, "h0": dh0, "c0": dc0, **grads._asdict()}

    return of_weighted_sum(run, back, inputs, **options)


def check_bidirectional(**options: Any) -> GradientReport:
    """The textbook's bidirectional LSTM over a ragged batch."""
    shapes = {f"{way}.{n}": s for way in "fr" for n, s in [("Wx", (D, 4 * H)), ("Wh", (H, 4 * H)), ("b", (4 * H,))]}
    inputs = drawn(2, x=(N, T, D), h0=(2, N, H), c0=(2, N, H), **shapes)

    def run(p: Arrays) -> tuple[Outputs, Any]:
        params = BiLSTMParams(*(LSTMParams(*(p[f"{way}.{n}"] for n in ("Wx", "Wh", "b"))) for way in "fr"))
        y, h_T, c_T, cache = textbook.bilstm_forward(p["x"], p["h0"], p["c0"], params, LENGTHS)
        return {"y": y, "h_T": h_T, "c_T": c_T}, cache

    def back(d: Outputs, cache: Any) -> Arrays:
        dx, dh0, dc0, grads = textbook.bilstm_backward(d["y"], d["h_T"], d["c_T"], cache)
        named = {f"{way}.{n}": g for way, both in zip("fr", grads) for n, g in both._asdict().items()}
        return {"x": dx, "h0": dh0, "c0": dc0, **named}

    return of_weighted_sum(run, back, inputs, **options)


def check_one_sequence(**options: Any) -> GradientReport:
    """The loop over one sequence with one matrix per gate, in both directions."""
    shapes = {f"{way}.{n}": s for way in "fr" for n, s in [("Wx", (4, H, D)), ("Wh", (4, H, H)), ("b", (4, H))]}
    inputs = drawn(3, x=(T, D), **shapes)

    def both(p: Arrays) -> list[GateParams]:
        return [GateParams(*(p[f"{way}.{n}"] for n in ("Wx", "Wh", "b"))) for way in "fr"]

    def run(p: Arrays) -> tuple[Outputs, Any]:
        ys, caches = textbook.sequence_bilstm_forward(list(p["x"]), *both(p))
        return {"y": np.stack(ys)}, (caches, both(p))

    def back(d: Outputs, cache: Any) -> Arrays:
        caches, params = cache
        dxs, *grads = textbook.sequence_bilstm_backward(list(d["y"]), caches, *params)
        named = {f"{way}.{n}": g for way, own in zip("fr", grads) for n, g in own._asdict().items()}
        return {"x": np.stack(dxs), **named}

    return of_weighted_sum(run, back, inputs, **options)


def check_cross_entropy(**options: Any) -> GradientReport:
    """Masked softmax cross-entropy."""
    logits = 2 * drawn(4, logits=(N, T, V))["logits"]
    targets = np.random.default_rng(4).integers(0, V, (N, T))
    _, cache = textbook.softmax_cross_entropy_forward(logits, targets, LENGTHS)
    grads = {"logits": textbook.softmax_cross_entropy_backward(1.0, cache)}
    return check_gradients(
        lambda p: textbook.softmax_cross_entropy_forward(p["logits"], targets, LENGTHS)[0],
        {"logits": logits},
        grads,
        **options,
    )


def check_weighted_cross_entropy(**options: Any) -> GradientReport:
    """The same with weights of classes and steps in the middle of rows that do not count."""
    rng = np.random.default_rng(6)
    logits, targets = rng.standard_normal((N, T, V)), rng.integers(0, V, (N, T))
    given = targets, np.linspace(0.5, 2.0, V), rng.random((N, T)) < 0.6
    _, cache = textbook.weighted_cross_entropy_forward(logits, *given)
    grads = {"logits": textbook.weighted_cross_entropy_backward(1.5, cache)}
    return check_gradients(
        lambda p: 1.5 * textbook.weighted_cross_entropy_forward(p["logits"], *given)[0],
        {"logits": logits},
        grads,
        **options,
    )


CHECKS: dict[str, Callable[..., GradientReport]] = {
    "textbook: one sequence, both directions": check_one_sequence,
    "textbook: LSTM, one step": check_step,
    "textbook: LSTM, a ragged batch": check_sequence,
    "textbook: bidirectional LSTM": check_bidirectional,
    "textbook: softmax cross-entropy": check_cross_entropy,
    "textbook: weighted cross-entropy": check_weighted_cross_entropy,
}
