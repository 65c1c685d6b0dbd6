"""`npbilstm demo --classic`: who learns the classic tasks, from how many sequences, and how far back the gradient
reaches."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from npbilstm.commands.terminal import show
from npbilstm.datasets.classic import ClassicBatch, adding, embedded_reber, parity, temporal_order
from npbilstm.files import require_name, write_atomically
from npbilstm.layers import GRU, LSTM, RNN, Linear
from npbilstm.layers.layer import join
from npbilstm.layers.recurrent import Recurrent
from npbilstm.textbook.losses import (
    binary_cross_entropy_backward,
    binary_cross_entropy_forward,
    mean_squared_error_backward,
    mean_squared_error_forward,
    softmax_cross_entropy_backward,
    softmax_cross_entropy_forward,
)
from npbilstm.textbook.sequences import valid_steps
from npbilstm.training import Adam, clip_by_global_norm
from npbilstm.training.progress import progress_bar

BATCH, RECENT = 32, 2000
"""Sequences per batch, and how many of the last ones decide whether a task is solved."""
STEPS_BACK = (5, 20, 50, 99)
PLOT_FILES = (".png", ".svg", ".pdf")


class ClassicTask(NamedTuple):
    """A task and its rule: solved where `enough` of the last RECENT sequences, each new to the model, were right.

    draw(rng, N) -> a batch; D features in, V numbers out, at every step or after the last; forward, backward: the loss.
    right(outputs, batch) -> bool (N,). At most `limit` sequences.
    """

    question: str
    draw: Callable[[np.random.Generator, int], ClassicBatch]
    D: int
    V: int
    at_every_step: bool
    forward: Callable[..., Any]
    backward: Callable[..., np.ndarray]
    right: Callable[[np.ndarray, ClassicBatch], np.ndarray]
    enough: float
    limit: int
    hidden_size: int
    learning_rate: float


def at_all_steps(right: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """right (N, T) -> (N,): at each valid step."""
    each: np.ndarray = (right | ~valid_steps(lengths, right.shape[1])).all(axis=1)
    return each


TASKS = {
    "adding": ClassicTask(
        "the sum of two marked numbers among 100 to 110, within 0.04",
        adding,
        2,
        1,
        False,
        lambda outputs, targets: mean_squared_error_forward(outputs[:, 0], targets.astype(outputs.dtype)),
        lambda dloss, cache: mean_squared_error_backward(dloss, cache)[:, None],
        lambda outputs, batch: np.abs(outputs[:, 0] - batch.targets) < 0.04,
        0.99,
        200_000,
        32,
        4e-3,
    ),
    "temporal-order": ClassicTask(
        "the order of two symbols among 100 to 110",
        temporal_order,
        8,
        4,
        False,
        softmax_cross_entropy_forward,
        softmax_cross_entropy_backward,
        lambda outputs, batch: outputs.argmax(axis=1) == batch.targets,
        0.995,
        100_000,
        32,
        2.5e-3,
    ),
    "reber": ClassicTask(
        "which symbols may come next, in a grammar within a grammar",
        embedded_reber,
        7,
        7,
        True,
        lambda outputs, targets, lengths: binary_cross_entropy_forward(outputs, targets.astype(outputs.dtype), lengths),
        binary_cross_entropy_backward,
        lambda outputs, batch: at_all_steps(((outputs > 0) == (batch.targets > 0)).all(axis=2), batch.lengths),
        1.0,
        100_000,
        16,
        5e-3,
    ),
    "parity": ClassicTask(
        "whether the number of ones so far is odd, among 20 to 22 bits",
        parity,
        1,
        2,
        True,
        softmax_cross_entropy_forward,
        softmax_cross_entropy_backward,
        lambda outputs, batch: at_all_steps(outputs.argmax(axis=2) == batch.targets, batch.lengths),
        1.0,
        100_000,
        16,
        5e-3,
    ),
}

LAYERS: dict[str, Callable[..., Recurrent]] = {
    "RNN": RNN,
    "LSTM, forget bias 0": lambda *sizes, rng: LSTM(*sizes, init_forget=0, rng=rng),
    "LSTM, forget bias 1": lambda *sizes, rng: LSTM(*sizes, init_forget=1, rng=rng),
    "LSTM, forget bias 5": lambda *sizes, rng: LSTM(*sizes, init_forget=5, rng=rng),
    "LSTM, chrono": lambda *sizes, rng: LSTM(*sizes, init_forget="chrono", T_max=110, rng=rng),
    "GRU": GRU,
}


class Learner:
    """A recurrent layer, and a linear one on its outputs or on its final h."""

    def __init__(self, task: ClassicTask, make: Callable[..., Recurrent], seed: int) -> None:
        self.task, self.rng = task, np.random.default_rng(seed)
        self.layer = make(task.D, task.hidden_size, rng=self.rng)
        self.linear = Linear(task.hidden_size, task.V, rng=self.rng)
        self.params = join({"layer": self.layer.params, "linear": self.linear.params})
        self.optimizer = Adam(task.learning_rate)

    def gradients(self, batch: ClassicBatch) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """-> what the model answers, grads."""
        task = self.task
        y, state, cache = self.layer.forward(batch.x, batch.lengths, training=True)
        h = state[0] if isinstance(state, tuple) else state
        outputs, linear = self.linear.forward(y if task.at_every_step else h[-1])
        lengths = [batch.lengths] if task.at_every_step else []
        _, loss = task.forward(outputs, batch.targets, *lengths)
        dz, dlinear = self.linear.backward(task.backward(1.0, loss), linear)
        dstate: Any = None
        if not task.at_every_step:
            dh = dz[None]
            dz, dstate = np.zeros_like(y), (dh, np.zeros_like(dh)) if isinstance(state, tuple) else dh
        _, dlayer, _ = self.layer.backward(dz, cache, dstate)
        return outputs, join({"layer": dlayer, "linear": dlinear})

    def learn(self, limit: int, label: str, bars: bool) -> tuple[int, float]:
        """Until the task is solved or `limit` sequences were seen -> how many, the share right of the last."""
        recent: deque[bool] = deque(maxlen=RECENT)
        count = -(-limit // BATCH)
        with progress_bar(count, 0, label, bars) as bar:
            for k in range(count):
                batch = self.task.draw(self.rng, BATCH)
                outputs, grads = self.gradients(batch)
                recent.extend(self.task.right(outputs, batch).tolist())  # of the model before it learns
                share = sum(recent) / len(recent)
                if len(recent) == RECENT and share >= self.task.enough:
                    return (k + 1) * BATCH, share
                grads, _ = clip_by_global_norm(grads, 1.0)
                self.optimizer.step(self.params, grads)
                bar.set_postfix_str(f"{share:.1%} right", refresh=False)
                bar.update(1)
        return count * BATCH, share


def fading(learner: Learner) -> np.ndarray:
    """How much is left, at x_t, of a gradient that arrives at the final h: by steps back from the end, the mean norm
    over a batch of the task, as a share of that at the last step -> (steps,), the last step first."""
    rng = np.random.default_rng(0)
    batch = learner.task.draw(rng, BATCH)
    y, state, cache = learner.layer.forward(batch.x, batch.lengths, training=True)
    parts = state if isinstance(state, tuple) else (state,)
    dstate: Any = (rng.standard_normal(parts[0].shape), *(np.zeros_like(part) for part in parts[1:]))
    dx, _, _ = learner.layer.backward(np.zeros_like(y), cache, dstate if isinstance(state, tuple) else dstate[0])
    steps_back = batch.lengths[:, None] - 1 - np.arange(batch.lengths.min())
    sizes = np.take_along_axis(np.linalg.norm(dx, axis=2), steps_back, axis=1).mean(axis=0)
    return np.asarray(sizes / sizes[0])


def run_classic(names: list[str], limit: int | None, plot: str | None, bars: bool) -> None:
    """A table for each task, a line as each layer is done; and the picture, if it is asked for.

    limit: of sequences; None: the task's own. Raises ValueError where it is no such number, plot is no such file, or a
    name is no task's.
    """
    for name in names:
        if name not in TASKS:
            raise ValueError(f"--classic is {name!r}; it needs one of {', '.join(TASKS)}")
    if limit is not None and limit < RECENT:
        raise ValueError(f"--sequences is {limit}; it needs to be at least {RECENT}, which decide whether it is solved")
    if plot is not None:
        require_plot(plot)
    curves = {}
    for name in names or TASKS:
        task = TASKS[name]
        most = limit or task.limit
        show(f"\n{name}: {task.question}")
        show(f"solved: {task.enough:.1%} of the last {RECENT:,} sequences right, none of them seen before")
        show(f"\n{'':20}  {'sequences':>10}  {'seconds':>7}  {'right':>6}  gradient left, steps back")
        for layer, make in LAYERS.items():
            learner = Learner(task, make, seed=0)
            curves[name, layer] = left = fading(learner)
            start = time.process_time()
            seen, share = learner.learn(most, layer, bars)
            solved = share >= task.enough
            faded = ", ".join(f"{back}: {left[back]:.0e}" for back in STEPS_BACK if back < len(left))
            seconds = time.process_time() - start
            told = f"{seen:,}" if solved else "not solved"
            show(f"{layer:20}  {told:>10}  {seconds:7.1f}  {share:6.1%}  {faded}")
    if plot is not None:
        plot_fading(curves, plot)
        show(f"\nHow far back the gradient reaches before training: {plot}")


def require_plot(path: str) -> None:
    """Raise ValueError, before all the work, where no picture could be drawn there."""
    require_name("--plot", path)
    if Path(path).suffix not in PLOT_FILES:
        raise ValueError(f"--plot is {path!r}; it needs a name that ends in {' or '.join(PLOT_FILES)}")
    if not Path(path).parent.is_dir():
        raise ValueError(f"--plot is {path!r}; there is no folder {str(Path(path).parent)!r}")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ValueError("--plot needs the package matplotlib: pip install 'npbilstm[plots]'") from error


def plot_fading(curves: dict[tuple[str, str], np.ndarray], path: str) -> None:
    """Axes for each task, a line for each layer."""
    from matplotlib.figure import Figure

    tasks = list(dict.fromkeys(task for task, _ in curves))
    figure = Figure(figsize=(4 * len(tasks) + 2.5, 3.5), layout="constrained")
    axes = figure.subplots(1, len(tasks), squeeze=False, sharey=True)[0]
    for ax, task in zip(axes, tasks):
        for (name, layer), left in curves.items():
            if name == task:
                ax.semilogy(np.maximum(left, np.finfo(float).tiny), label=layer)
        ax.set(title=task, xlabel="steps back from the end", ylim=(1e-12, 1e2))
    axes[0].set_ylabel("gradient of x, as a share")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", fontsize="small")
    kind = Path(path).suffix[1:]
    write_atomically(path, lambda file: figure.savefig(file, format=kind, dpi=150))
