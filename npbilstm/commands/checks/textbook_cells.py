"""Gradient checks of the other cells, of layer normalisation, embedding, affine map, losses, poolings and the CRF."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from npbilstm import textbook
from npbilstm.commands.checks.case import LENGTHS, Arrays, D, H, N, Outputs, T, V, drawn, of_weighted_sum
from npbilstm.gradcheck import GradientReport, check_gradients

R = 2


class CheckedCell(NamedTuple):
    """A cell of the textbook: the names of its steps and of its params' class, their shapes, the state's sizes; what
    stands in it for tanh and for sigmoid."""

    step: str
    params: str
    shapes: dict[str, tuple[int, ...]]
    state: tuple[int, ...]
    activations: tuple[str, str] = ("tanh", "sigmoid")

    def passes(self, book: Any = None) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """One step of this cell, forward and backward, as this textbook or another one has it."""
        book = textbook if book is None else book
        steps = [getattr(book, f"{self.step}_{way}") for way in ("forward", "backward")]
        if self.activations != ("tanh", "sigmoid"):
            steps = [book.with_activations(step, *self.activations) for step in steps]
        return steps[0], steps[1]


def cells(D: int, H: int, R: int) -> dict[str, CheckedCell]:
    """Every cell that recurrence.py takes through time, with these sizes."""

    def weights(blocks: int, R: int = H) -> dict[str, tuple[int, ...]]:
        return {"Wx": (D, blocks * H), "Wh": (R, blocks * H), "b": (blocks * H,)}

    def variant(blocks: int = 4, R: int = H, **more: tuple[int, ...]) -> CheckedCell:
        return CheckedCell("lstm_variant_step", "LSTMVariantParams", {**weights(blocks, R), **more}, (R, H))

    rnn = CheckedCell("rnn_step", "RNNParams", weights(1), (H,))
    gru = CheckedCell("gru_step", "GRUParams", {**weights(3), "b_hn": (H,)}, (H,))
    before = CheckedCell("gru_reset_before_step", "GRUResetBeforeParams", weights(3), (H,))
    norms = {"gain_x": (4 * H,), "gain_h": (4 * H,), "gain_c": (H,), "bias_c": (H,)}
    return {
        "RNN": rnn,
        "RNN, relu": CheckedCell("rnn_relu_step", "RNNParams", weights(1), (H,)),
        "GRU": gru,
        "GRU, reset before": before,
        "LSTM, variant of no kind": variant(),
        "LSTM, peepholes": variant(p=(3 * H,)),
        "LSTM, coupled": variant(3),
        "LSTM, projection": variant(R=R, Wp=(H, R)),
        "LSTM, coupled, peepholes": variant(3, p=(2 * H,)),
        "LSTM, coupled, projection": variant(3, R=R, Wp=(H, R)),
        "LSTM, peepholes, projection": variant(R=R, p=(3 * H,), Wp=(H, R)),
        "LSTM, coupled, peepholes, projection": variant(3, R=R, p=(2 * H,), Wp=(H, R)),
        "LSTM, layer normalisation": CheckedCell(
            "layer_norm_lstm_step", "LayerNormLSTMParams", {**weights(4), **norms}, (H, H)
        ),
        "RNN, sigmoid": rnn._replace(activations=("sigmoid", "sigmoid")),
        "RNN, hard_sigmoid": rnn._replace(activations=("hard_sigmoid", "sigmoid")),
        "LSTM, relu": variant()._replace(activations=("relu", "sigmoid")),
        "LSTM, coupled, peepholes, hard_sigmoid": variant(3, p=(2 * H,))._replace(activations=("tanh", "hard_sigmoid")),
        "GRU, relu, hard_sigmoid_sixth": gru._replace(activations=("relu", "hard_sigmoid_sixth")),
        "GRU, reset before, sigmoid, hard_sigmoid": before._replace(activations=("sigmoid", "hard_sigmoid")),
    }


def draw_mask(seed: int, *shape: int) -> np.ndarray:
    """A variational dropout mask: 0 or 1 / (1 - p), p = 0.4."""
    return (np.random.default_rng(seed).random(shape) >= 0.4) / 0.6


def check_cell_step(cell: CheckedCell, **options: Any) -> GradientReport:
    """One time step of a cell, with a dropout mask."""
    forward, backward = cell.passes(textbook)
    states = {f"state{k}": (N, size) for k, size in enumerate(cell.state)}
    inputs = drawn(12, x=(N, D), **states, **cell.shapes)
    mask = draw_mask(12, N, cell.state[0])

    def run(p: Arrays) -> tuple[Outputs, Any]:
        params = getattr(textbook, cell.params)(**{name: p[name] for name in cell.shapes})
        *new, cache = forward(p["x"], *(p[name] for name in states), params, mask)
        return dict(zip(states, new)), cache

    def back(d: Outputs, cache: Any) -> Arrays:
        dx, *dprev, grads = backward(*d.values(), cache)
        return {"x": dx, **dict(zip(states, dprev)), **given(grads)}

    return of_weighted_sum(run, back, inputs, **options)


def check_cell(cell: CheckedCell, **options: Any) -> GradientReport:
    """A cell through time, in both directions, over a ragged batch, with dropout masks."""
    forward, backward = cell.passes(textbook)
    states = {f"state{k}": (2, N, size) for k, size in enumerate(cell.state)}
    shapes = {f"{way}.{name}": shape for way in "fr" for name, shape in cell.shapes.items()}
    inputs = drawn(13, x=(N, T, D), **states, **shapes)
    mask = draw_mask(13, 2, N, cell.state[0])

    def run(p: Arrays) -> tuple[Outputs, Any]:
        made = getattr(textbook, cell.params)
        params = tuple(made(**{name: p[f"{way}.{name}"] for name in cell.shapes}) for way in "fr")
        y, state_T, cache = textbook.bidirectional_recurrent_forward(
            forward, p["x"], tuple(p[name] for name in states), params, LENGTHS, mask
        )
        return {"y": y, **dict(zip(states, state_T))}, cache

    def back(d: Outputs, cache: Any) -> Arrays:
        dstate_T = tuple(d[name] for name in states)
        dx, dstate_0, both = textbook.bidirectional_recurrent_backward(backward, d["y"], dstate_T, cache)
        named = {f"{way}.{name}": g for way, grads in zip("fr", both) for name, g in given(grads).items()}
        return {"x": dx, **dict(zip(states, dstate_0)), **named}

    return of_weighted_sum(run, back, inputs, **options)


def check_layer_norm(**options: Any) -> GradientReport:
    """Layer normalisation, of every step of every row."""

    def run(p: Arrays) -> tuple[Outputs, Any]:
        normed, cache = textbook.layer_norm_forward(p["z"], p["gain"], p["bias"])
        return {"normed": normed}, cache

    def back(d: Outputs, cache: Any) -> Arrays:
        return dict(zip(("z", "gain", "bias"), textbook.layer_norm_backward(d["normed"], cache)))

    return of_weighted_sum(run, back, drawn(23, z=(N, T, H), gain=(H,), bias=(H,)), **options)


def given(grads: Any) -> Arrays:
    """The grads of the params that are there, by name."""
    return {name: grad for name, grad in grads._asdict().items() if grad is not None}


def check_binary_cross_entropy(**options: Any) -> GradientReport:
    """Masked binary cross-entropy, with several numbers per step."""
    logits = 4 * drawn(14, logits=(N, T, V))["logits"]
    targets = np.random.default_rng(14).random((N, T, V))

    def loss(p: Arrays) -> Any:
        return textbook.binary_cross_entropy_forward(p["logits"], targets, LENGTHS)

    grads = {"logits": textbook.binary_cross_entropy_backward(1.5, loss({"logits": logits})[1])}
    return check_gradients(lambda p: 1.5 * loss(p)[0], {"logits": logits}, grads, **options)


def check_mean_squared_error(**options: Any) -> GradientReport:
    """Masked mean squared error, with several numbers per step."""
    inputs = drawn(15, predictions=(N, T, V))
    targets = drawn(16, targets=(N, T, V))["targets"]

    def loss(p: Arrays) -> Any:
        return textbook.mean_squared_error_forward(p["predictions"], targets, LENGTHS)

    grads = {"predictions": textbook.mean_squared_error_backward(1.5, loss(inputs)[1])}
    return check_gradients(lambda p: 1.5 * loss(p)[0], inputs, grads, **options)


def check_embedding(**options: Any) -> GradientReport:
    """An embedding, in which symbols occur more than once."""
    ids = np.random.default_rng(18).integers(0, V, (N, T))

    def run(p: Arrays) -> tuple[Outputs, Any]:
        x, cache = textbook.embedding_forward(ids, p["W"])
        return {"x": x}, cache

    def back(d: Outputs, cache: Any) -> Arrays:
        return {"W": textbook.embedding_backward(d["x"], cache)}

    return of_weighted_sum(run, back, drawn(18, W=(V, D)), **options)


def check_affine(**options: Any) -> GradientReport:
    """An affine map of every step."""

    def run(p: Arrays) -> tuple[Outputs, Any]:
        scores, cache = textbook.affine_forward(p["x"], p["W"], p["b"])
        return {"scores": scores}, cache

    def back(d: Outputs, cache: Any) -> Arrays:
        return dict(zip(("x", "W", "b"), textbook.affine_backward(d["scores"], cache)))

    return of_weighted_sum(run, back, drawn(19, x=(N, T, D), W=(D, V), b=(V,)), **options)


def check_pooling(name: str, **options: Any) -> GradientReport:
    """mean_over_steps or max_over_steps over a ragged batch."""

    def run(p: Arrays) -> tuple[Outputs, Any]:
        pooled, cache = getattr(textbook, f"{name}_forward")(p["y"], LENGTHS)
        return {"pooled": pooled}, cache

    def back(d: Outputs, cache: Any) -> Arrays:
        return {"y": getattr(textbook, f"{name}_backward")(d["pooled"], cache)}

    return of_weighted_sum(run, back, drawn(17, y=(N, T, V)), **options)


def check_crf(**options: Any) -> GradientReport:
    """The loss of a CRF over a ragged batch."""
    inputs = drawn(20, scores=(N, T, V), transitions=(V, V), start=(V,), end=(V,))
    targets = np.random.default_rng(20).integers(0, V, (N, T))

    def loss(p: Arrays) -> Any:
        params = textbook.CRFParams(p["transitions"], p["start"], p["end"])
        return textbook.crf_forward(p["scores"], targets, params, LENGTHS)

    dscores, grads = textbook.crf_backward(1.5, loss(inputs)[1])
    return check_gradients(lambda p: 1.5 * loss(p)[0], inputs, {"scores": dscores, **grads._asdict()}, **options)


CELLS = cells(D, H, R)

CHECKS: dict[str, Callable[..., GradientReport]] = {
    **{f"textbook: {name}, one step": partial(check_cell_step, cell) for name, cell in CELLS.items()},
    **{f"textbook: {name}, both directions": partial(check_cell, cell) for name, cell in CELLS.items()},
    "textbook: layer normalisation": check_layer_norm,
    "textbook: embedding": check_embedding,
    "textbook: affine": check_affine,
    "textbook: binary cross-entropy": check_binary_cross_entropy,
    "textbook: mean squared error": check_mean_squared_error,
    "textbook: mean over steps": partial(check_pooling, "mean_over_steps"),
    "textbook: max over steps": partial(check_pooling, "max_over_steps"),
    "textbook: CRF": check_crf,
}
