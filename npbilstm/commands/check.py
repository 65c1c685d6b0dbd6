"""Every gradient of the package against numerical derivatives: what `npbilstm check` runs.

Each check builds a small case, all random and none of it convenient: distinct weights of about 0.5 for every gate and
direction, non-zero biases and initial states, unequal lengths with one of them 0, random numbers in the padding, and
random upstream gradients on every output, the final states included. Easier points hide mistakes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from npbilstm import textbook
from npbilstm.gradcheck import GradientReport, check_gradients
from npbilstm.layers import LSTM, Dropout, Embedding, Linear, SequenceClassifier, SequenceTagger
from npbilstm.textbook import BiLSTMParams, GateParams, LSTMParams

N, T, D, H, V = 3, 5, 3, 4, 5
LENGTHS = np.array([5, 2, 0])

Arrays = dict[str, np.ndarray]
Outputs = Mapping[str, Any]


def drawn(seed: int, **shapes: tuple[int, ...]) -> Arrays:
    """Named arrays of normal numbers of about 0.5."""
    rng = np.random.default_rng(seed)
    return {name: 0.5 * rng.standard_normal(shape) for name, shape in shapes.items()}


def weighted_sum(outputs: Outputs, upstream: Outputs) -> Any:
    """A scalar loss whose gradient with respect to each output is that output's upstream array."""
    return sum((outputs[name] * upstream[name]).sum() for name in upstream)


def of_weighted_sum(
    run: Callable[[Arrays], tuple[Outputs, Any]],
    back: Callable[[Outputs, Any], Arrays],
    inputs: Arrays,
    **options: Any,
) -> GradientReport:
    """Check a pair of passes: run(inputs) -> outputs, cache; back(upstream, cache) -> gradients named as inputs."""
    outputs, cache = run(inputs)
    rng = np.random.default_rng(1)
    upstream = {name: rng.standard_normal(np.shape(out)) for name, out in outputs.items()}
    return check_gradients(lambda p: weighted_sum(run(p)[0], upstream), inputs, back(upstream, cache), **options)


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
    """The loop over one sequence with a matrix a gate, in both directions."""
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


def check_lstm_layer(layer: LSTM, **options: Any) -> GradientReport:
    """An LSTM layer on the engine: parameters, inputs and initial states; dropout with the same masks always."""
    S = layer.num_layers * len(layer.directions)
    inputs = drawn(5, x=(N, T, D), h_0=(S, N, H), c_0=(S, N, H), **{n: p.shape for n, p in layer.params.items()})

    def run(p: Arrays) -> tuple[Outputs, Any]:
        used = layer.with_params({name: p[name] for name in layer.params})
        state, rng = (p["h_0"], p["c_0"]), np.random.default_rng(6)
        y, (h_n, c_n), cache = used.forward(p["x"], LENGTHS, state, training=True, rng=rng)
        outputs = {"y0": y[0], "y1": y[1]} if layer.merge is None else {"y": y}
        return {**outputs, "h_n": h_n, "c_n": c_n}, (used, cache)

    def back(d: Outputs, cache: Any) -> Arrays:
        used, cache = cache
        dy = (d["y0"], d["y1"]) if layer.merge is None else d["y"]
        dx, grads, (dh_0, dc_0) = used.backward(dy, cache, (d["h_n"], d["c_n"]))
        return {"x": dx, "h_0": dh_0, "c_0": dc_0, **grads}

    return of_weighted_sum(run, back, inputs, **options)


def check_linear(**options: Any) -> GradientReport:
    """The linear layer."""
    layer = Linear(D, V, dtype=np.float64, rng=0)

    def run(p: Arrays) -> tuple[Outputs, Any]:
        used = layer.with_params({"W": p["W"], "b": p["b"]})
        y, cache = used.forward(p["x"])
        return {"y": y}, (used, cache)

    def back(d: Outputs, cache: Any) -> Arrays:
        dx, grads = cache[0].backward(d["y"], cache[1])
        return {"x": dx, **grads}

    return of_weighted_sum(run, back, drawn(7, x=(N, T, D), W=(D, V), b=(V,)), **options)


def check_embedding(**options: Any) -> GradientReport:
    """The embedding, with symbols that occur often, once and never."""
    layer = Embedding(V, D, dtype=np.float64, rng=0)
    ids = np.array([[0, 1, 0], [0, 3, 0]])

    def run(p: Arrays) -> tuple[Outputs, Any]:
        used = layer.with_params(p)
        y, cache = used.forward(ids)
        return {"y": y}, (used, cache)

    def back(d: Outputs, cache: Any) -> Arrays:
        return cache[0].backward(d["y"], cache[1])[1]

    return of_weighted_sum(run, back, drawn(8, W=(V, D)), **options)


def check_dropout(**options: Any) -> GradientReport:
    """Dropout, with the same mask every time."""
    layer = Dropout(0.4)

    def run(p: Arrays) -> tuple[Outputs, Any]:
        y, cache = layer.forward(p["x"], training=True, rng=np.random.default_rng(9))
        return {"y": y}, cache

    def back(d: Outputs, cache: Any) -> Arrays:
        return {"x": layer.backward(d["y"], cache)[0]}

    return of_weighted_sum(run, back, drawn(9, x=(N, T, D)), **options)


def check_model(model: SequenceTagger | SequenceClassifier, **options: Any) -> GradientReport:
    """A whole model through its loss."""
    rng = np.random.default_rng(10)
    ids = rng.integers(0, model.embedding.num_embeddings, (N, T))
    per_step = model.one_label_a_step
    targets = rng.integers(0, V, (N, T) if per_step else N)
    params = drawn(10, **{name: p.shape for name, p in model.params.items()})

    def run(p: Arrays) -> tuple[Any, Callable[[], Arrays]]:
        used = model.with_params(p)
        logits, cache = used.forward(ids, LENGTHS, training=True, rng=np.random.default_rng(11))
        loss, loss_cache = textbook.softmax_cross_entropy_forward(logits, targets, LENGTHS if per_step else None)
        return loss, lambda: used.backward(textbook.softmax_cross_entropy_backward(1.0, loss_cache), cache)[1]

    return check_gradients(lambda p: run(p)[0], params, run(params)[1](), **options)


def lstm_layer(num_layers: int = 1, **options: Any) -> Callable[..., GradientReport]:
    """check_lstm_layer for a layer made with these options."""
    layer = LSTM(D, H, num_layers, dtype=np.float64, rng=0, **options)
    return lambda **check_options: check_lstm_layer(layer, **check_options)


def whole_model(kind: Any, **options: Any) -> Callable[..., GradientReport]:
    """check_model for a model made with these options."""
    model = kind(6, V, embedding_size=D, hidden_size=H, dtype=np.float64, rng=0, **options)
    return lambda **check_options: check_model(model, **check_options)


CHECKS: dict[str, Callable[..., GradientReport]] = {
    "textbook: one sequence, both directions": check_one_sequence,
    "textbook: LSTM, one step": check_step,
    "textbook: LSTM, a ragged batch": check_sequence,
    "textbook: bidirectional LSTM": check_bidirectional,
    "textbook: softmax cross-entropy": check_cross_entropy,
    "LSTM": lstm_layer(),
    "LSTM without bias": lstm_layer(bias=False),
    "BiLSTM, merge concat": lstm_layer(bidirectional=True),
    "BiLSTM, merge sum": lstm_layer(bidirectional=True, merge="sum"),
    "BiLSTM, merge mul": lstm_layer(bidirectional=True, merge="mul"),
    "BiLSTM, merge ave": lstm_layer(bidirectional=True, merge="ave"),
    "BiLSTM, merge None, 2 layers": lstm_layer(2, bidirectional=True, merge=None),
    "BiLSTM, 2 layers, dropout": lstm_layer(2, bidirectional=True, dropout=0.3),
    "BiLSTM, states stored every 2 steps": lstm_layer(bidirectional=True, store_every=2),
    "Linear": check_linear,
    "Embedding": check_embedding,
    "Dropout": check_dropout,
    "SequenceTagger, 2 layers, dropout": whole_model(SequenceTagger, num_layers=2, dropout=0.2),
    "SequenceClassifier": whole_model(SequenceClassifier),
}
"""Every gradient of the package: a name, and a function of check_gradients' options that answers a report."""


def run_check(method: str = "complex") -> bool:
    """Run every check, print a row for each as it is done, and a verdict. -> whether all agree."""
    width = max(map(len, CHECKS))
    start = time.perf_counter()
    print(f"{'':5}  {'gradient of':{width}}  {'entries':>7}  largest relative difference", flush=True)
    wrong: list[GradientReport] = []
    entries = 0
    for name, check in CHECKS.items():
        report = check(method=method)
        entries += report.checked
        print(f"{'ok' if report.ok else 'WRONG':5}  {name:{width}}  {report.checked:7}  {report.worst:.1e}", flush=True)
        if not report.ok:
            wrong.append(report)
    for report in wrong:
        print(f"\n{report}")
    seconds = time.perf_counter() - start
    verdict = f"{len(wrong)} of {len(CHECKS)} checks say WRONG" if wrong else f"all {len(CHECKS)} checks agree"
    print(f"\n{entries} entries against {report.method} in {seconds:.1f} s: {verdict}.")
    return not wrong
