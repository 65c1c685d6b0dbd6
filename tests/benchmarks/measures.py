"""What else is promised, each measured in a process of its own: growth, memory, ragged rows, imports, checks."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tests.benchmarks.engines import npbilstm
from tests.benchmarks.shapes import Shape

try:
    import resource
except ModuleNotFoundError:  # Windows
    resource = None  # type: ignore[assignment]


def seconds_of(run: Callable[[], Any], at_least: float = 0.3) -> float:
    """The median of five runs or more, after two to warm up; of three, after one, where one takes longer than
    `at_least`."""

    def once() -> float:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    once()
    second = once()
    taken = [second] if second > at_least else []
    enough = 3 if taken else 5
    while sum(taken) < at_least or len(taken) < enough:
        taken.append(once())
    return float(np.median(taken))


def page_faults_of(run: Callable[[], Any]) -> float | None:
    """How often a run touched a page of memory that the system had to bring: the mean of ten; None on Windows."""
    if resource is None:
        return None
    run(), run()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        run()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 10


def peak_bytes(run: Callable[[], Any]) -> int:
    """The most memory that arrays took during the run, beyond what they took before."""
    gc.collect()
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


BASE = Shape(T=200, N=32, D=64, H=64)
GROWTH = {"T": [100, 200, 400, 800, 1600], "N": [16, 32, 64, 128, 256], "H": [64, 128, 256, 512]}


def growth(quick: bool) -> dict[str, dict[str, float]]:
    """The exponents k of time and memory ~ size^k, fitted through sizes of T, N and H; the other sizes stay."""
    exponents: dict[str, dict[str, float]] = {}
    for letter, sizes in GROWTH.items():
        sizes = sizes[:3] if quick else sizes
        rows: dict[str, list[float]] = {"training time": [], "inference time": [], "training memory": []}
        for size in sizes:
            sizes_now: dict[str, Any] = {"T": 50, letter: size}
            train, infer = npbilstm(BASE._replace(**sizes_now))
            rows["training time"].append(seconds_of(train, 0.1))
            rows["inference time"].append(seconds_of(infer, 0.1))
            rows["training memory"].append(peak_bytes(train))
        exponents[letter] = {
            what: float(np.polyfit(np.log(sizes), np.log(values), 1)[0]) for what, values in rows.items()
        }
    return exponents


def ragged(quick: bool) -> dict[str, float]:
    """Time with ragged lengths, drawn from 1 to T, over that of equal ones of the same padded shape."""
    import npbilstm as nb

    ratios = {}
    for shape in [Shape(100, 32, 64, 64), Shape(100, 64, 256, 256), Shape(40, 32, 10, 20)][: 1 if quick else 3]:
        rng = np.random.default_rng(0)
        x = rng.standard_normal((shape.N, shape.T, shape.D), dtype=np.float32)
        lengths = rng.integers(1, shape.T + 1, shape.N)
        lengths[0] = shape.T
        layer = nb.BiLSTM(shape.D, shape.H, rng=0)

        def train(given: Any, x: np.ndarray = x, layer: Any = layer) -> None:
            y, _, cache = layer.forward(x, given, training=True)
            layer.backward(y, cache)

        taken: dict[str, list[float]] = {"equal": [], "ragged": []}
        for _ in range(5 if quick else 15):  # in turns
            taken["equal"].append(seconds_of(partial(train, None), 0.02))
            taken["ragged"].append(seconds_of(partial(train, lengths), 0.02))
        ratios[shape.name] = float(np.median(np.divide(taken["ragged"], taken["equal"])))
    return ratios


def stored_states(quick: bool) -> list[dict[str, float]]:
    """Gradient checkpointing by store_every on 2000 steps of 16 rows, 64 units: time and memory against keeping all."""
    import npbilstm as nb

    T = 500 if quick else 2000
    x = np.random.default_rng(0).standard_normal((16, T, 32), dtype=np.float32)
    rows = []
    for k in [None, 10, round((2 * T / 5) ** 0.5), 100]:
        layer = nb.BiLSTM(32, 64, store_every=k, rng=0)

        def train(layer: Any = layer) -> None:
            y, _, cache = layer.forward(x, training=True)
            layer.backward(y, cache)

        rows.append({"store_every": k or 0, "seconds": seconds_of(train), "megabytes": peak_bytes(train) / 1e6})
    return rows


def memory(quick: bool) -> dict[str, float]:
    """Floats a unit, direction and step that a training step of (100, 32, 64, 64) takes beyond y and dx, and the bytes
    that an inference takes beyond y, of twice as many steps over that of as many."""
    shape = Shape(T=100, N=32, D=64, H=64)
    outputs = shape.T * shape.N * (2 * shape.H + shape.D)
    floats = (peak_bytes(npbilstm(shape)[0]) / 4 - outputs) / (2 * shape.T * shape.N * shape.H)

    def beyond_output(T: int) -> float:
        infer = npbilstm(shape._replace(T=T))[1]
        infer()
        gc.collect()
        return peak_bytes(infer) - 4 * 2 * T * shape.N * shape.H

    return {"training, floats": floats, "inference, growth": beyond_output(2 * shape.T) / beyond_output(shape.T)}


def imports(quick: bool) -> dict[str, float]:
    """Seconds to import NumPy, this package, and this package with all its layers: processes in turns, medians."""
    programs = {
        "numpy": "import numpy",
        "npbilstm": "import npbilstm",
        "npbilstm.BiLSTM": "import npbilstm; npbilstm.BiLSTM",
    }
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(5 if quick else 21):
        for name, program in programs.items():
            timed = f"import time; t = time.perf_counter(); {program}; print(time.perf_counter() - t)"
            done = subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True)
            taken[name].append(float(done.stdout))
    return {name: float(np.median(values)) for name, values in taken.items()}


CHECKED = Shape(T=5, N=3, D=10, H=20, layers=2, outputs=5)


def gradient_check(quick: bool) -> dict[str, float]:
    """Seconds for every entry of every gradient of the two-layer model, by complex step."""
    import npbilstm as nb

    rng = np.random.default_rng(0)
    lstm = nb.BiLSTM(CHECKED.D, CHECKED.H, CHECKED.layers, dtype=np.float64, rng=rng)
    linear = nb.Linear(2 * CHECKED.H, CHECKED.outputs, dtype=np.float64, rng=rng)
    x, d = rng.standard_normal((CHECKED.N, CHECKED.T, CHECKED.D)), rng.standard_normal((CHECKED.N, CHECKED.T, 5))
    y, _, cache = lstm.forward(x, training=True)
    dy, linear_grads = linear.backward(d, linear.forward(y)[1])
    dx, lstm_grads, _ = lstm.backward(dy, cache)

    def loss(params: dict[str, np.ndarray]) -> Any:
        above = {name: params[name] for name in linear.params}
        below = {name: params[name] for name in lstm.params}
        return (linear.with_params(above).forward(lstm.with_params(below).forward(params["x"])[0])[0] * d).sum()

    start = time.perf_counter()
    report = nb.check_gradients(
        loss,
        {"x": x, **lstm.params, **linear.params},
        {"x": dx, **lstm_grads, **linear_grads},
        entries=3 if quick else None,
    )
    assert report.ok, report
    return {"seconds": time.perf_counter() - start, "entries": report.checked}


def torch_gradient_check(quick: bool) -> dict[str, float]:
    """The same model by torch.autograd.gradcheck, slow mode (the default), every entry of x and of all weights."""
    import torch

    lstm = torch.nn.LSTM(
        CHECKED.D, CHECKED.H, CHECKED.layers, batch_first=True, bidirectional=True, dtype=torch.float64
    )
    linear = torch.nn.Linear(2 * CHECKED.H, CHECKED.outputs, dtype=torch.float64)
    x = torch.randn(CHECKED.N, CHECKED.T, CHECKED.D, dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in lstm.named_parameters()]

    def run(x: Any, W: Any, b: Any, *weights: Any) -> Any:
        y = torch.func.functional_call(lstm, dict(zip(names, weights)), (x,))[0]
        return y @ W.T + b

    inputs = [x] if quick else [x, *linear.parameters(), *lstm.parameters()]
    fixed = [x, *linear.parameters(), *lstm.parameters()][len(inputs) :]
    start = time.perf_counter()
    assert torch.autograd.gradcheck(lambda *some: run(*some, *fixed), inputs)
    return {"seconds": time.perf_counter() - start, "entries": sum(array.numel() for array in inputs)}


MEASURES: dict[str, Callable[[bool], Any]] = {
    "growth": growth,
    "ragged": ragged,
    "stored states": stored_states,
    "memory": memory,
    "imports": imports,
    "gradient check": gradient_check,
    "torch gradient check": torch_gradient_check,
}
