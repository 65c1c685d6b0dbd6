"""Truncated backpropagation through time, measured: how far its gradient is from the whole one.

    python -m tutorials.truncation             train two small models, print the table of guides/truncation.md
    python -m tutorials.truncation --write     write it into the guide

Truncated to k, the loss of step t goes back over the steps t, t - 1, ... t - k + 1 and no further. k = T is BPTT.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import npbilstm as nb
from npbilstm.textbook import LSTMParams, lstm_forward, lstm_step_backward

GUIDE = Path(__file__).parent / "guides" / "truncation.md"
BEGIN, END = "<!-- measured -->\n", "<!-- end -->\n"
N, T, H = 64, 32, 12
EPOCHS = 300
WINDOWS = (1, 2, 4, 8, 16, 32)


def oscillations(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Say the next value of an oscillation with a frequency of its own: x, targets (N, T, 1)."""
    frequency, phase = rng.uniform(0.3, 1.2, (N, 1)), rng.uniform(0, 2 * np.pi, (N, 1))
    values = np.sin(frequency * np.arange(T + 1) + phase)[:, :, None]
    return values[:, :-1], values[:, 1:]


def first_value(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Say the first value again, at every step, while others come in: x, targets (N, T, 1)."""
    x = rng.uniform(-1, 1, (N, T, 1))
    return x, np.repeat(x[:, :1], T, axis=1)


TASKS = {"say the next value": oscillations, "say the first value": first_value}


def truncated_gradient(dh: np.ndarray, x: np.ndarray, params: LSTMParams, k: int) -> LSTMParams:
    """The gradient of sum(dh * h), each step's share going back over k steps. x (N, T, D), dh (N, T, H)."""
    zero = np.zeros_like(dh[:, 0])
    steps = lstm_forward(x, zero, zero, params)[3].steps
    grads = LSTMParams(*map(np.zeros_like, params))
    for t in range(len(steps)):
        dh_t, dc_t = dh[:, t], zero
        for s in range(t, max(t - k, -1), -1):
            _, dh_t, dc_t, here = lstm_step_backward(dh_t, dc_t, steps[s])
            grads = LSTMParams(*(total + share for total, share in zip(grads, here)))
    return grads


def trained(name: str, epochs: int = EPOCHS) -> tuple[nb.LSTM, nb.Linear]:
    """A model trained on a task, by all of its gradient."""
    rng = np.random.default_rng(0)
    lstm, linear = nb.LSTM(1, H, dtype=np.float64, rng=0), nb.Linear(H, 1, dtype=np.float64, rng=1)
    weights, adam = {**lstm.params, **linear.params}, nb.Adam(0.003)
    for _ in range(epochs):
        x, targets = TASKS[name](rng)
        h, _, lstm_cache = lstm.forward(x, training=True)
        said, linear_cache = linear.forward(h)
        _, cache = nb.mean_squared_error_forward(said, targets)
        dh, linear_grads = linear.backward(nb.mean_squared_error_backward(1.0, cache), linear_cache)
        _, lstm_grads, _ = lstm.backward(dh, lstm_cache)
        adam.step(weights, nb.clip_by_global_norm({**lstm_grads, **linear_grads}, 1.0)[0])
    return lstm, linear


def measured(name: str, model: tuple[nb.LSTM, nb.Linear]) -> list[tuple[float, float]]:
    """For each window the bias |g_k - g| / |g| and the cosine between g_k and g, of ten fresh batches together.

    Of a single batch, the gradient of a trained model is small, and its direction a matter of chance.
    """
    lstm, linear = model
    params = LSTMParams(*(lstm.params[f"0.forward.{key}"] for key in LSTMParams._fields))
    gradients: list[list[np.ndarray]] = [[] for _ in WINDOWS]
    for seed in range(1, 11):
        x, targets = TASKS[name](np.random.default_rng(seed))
        said, linear_cache = linear.forward(lstm.forward(x)[0])
        _, cache = nb.mean_squared_error_forward(said, targets)
        dh, _ = linear.backward(nb.mean_squared_error_backward(1.0, cache), linear_cache)
        for k, parts in zip(WINDOWS, gradients):
            parts += [part.ravel() for part in truncated_gradient(dh, x, params, k)]
    *truncated, whole = map(np.concatenate, gradients)
    size = np.linalg.norm(whole)
    return [
        (float(np.linalg.norm(g - whole) / size), float(g @ whole / size / np.linalg.norm(g)))
        for g in [*truncated, whole]
    ]


def table() -> str:
    """The guide's table."""
    lines = [
        "| | " + " | ".join(f"k = {k}" for k in WINDOWS[:-1]) + f" | k = T = {T} |",
        "|---" * (len(WINDOWS) + 1) + "|",
    ]
    for name in TASKS:
        for state, epochs in (("fresh", 0), ("trained", EPOCHS)):
            found = measured(name, trained(name, epochs))
            cells = [f"{bias:.2f} ({cosine:.2f})" for bias, cosine in found]
            lines.append(f"| {name}, {state} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """The command -> its exit code: 0, or 2 for an argument that there is not."""
    given = sys.argv[1:] if arguments is None else arguments
    if given not in ([], ["--write"]):
        print(f"python -m tutorials.truncation takes --write or nothing; it got {' '.join(given)}", file=sys.stderr)
        return 2
    found = table()
    print(found, end="")
    if given:
        before, _, rest = GUIDE.read_text(encoding="utf-8").partition(BEGIN)
        GUIDE.write_text(before + BEGIN + "\n" + found + "\n" + END + rest.partition(END)[2], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
