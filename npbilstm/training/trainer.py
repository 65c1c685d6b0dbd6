"""The training loop, in a form that can stop at any batch and go on as if it had not.

Whatever the next batch depends on is in the Trainer: weights, the optimizer's memory, where in the epoch it stands,
the state in which a model of streams ended its last window, and the random generator. checkpoints.py writes exactly
that to a file. The same seed gives the same bytes, interrupted or not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, field
from math import inf
from sys import maxsize
from typing import TYPE_CHECKING, Any, Generic, NoReturn

import numpy as np

from npbilstm.layers.checks import require_bool, require_size
from npbilstm.models import Head, Model, SequenceModel, WordTagger
from npbilstm.models.classes_head import IGNORED
from npbilstm.models.model import Sequences
from npbilstm.training.batches import batch_order
from npbilstm.training.clipping import clip_by_global_norm
from npbilstm.training.evaluation import confusion, predict_sequences
from npbilstm.training.gradients import gradient, overflows, sharded_gradient
from npbilstm.training.metrics import METRICS, metric_of_spans
from npbilstm.training.optimizers import Adam, Optimizer
from npbilstm.training.progress import progress_bar, tell
from npbilstm.training.schedules import SCHEDULES, Schedule
from npbilstm.training.streams import stream_windows, symbol_costs
from npbilstm.training.workers import Workers

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    AnyModel_co = TypeVar("AnyModel_co", bound=Model, default=SequenceModel, covariant=True)
else:  # before Python 3.13 a type variable has no default
    from typing import TypeVar

    AnyModel_co = TypeVar("AnyModel_co", covariant=True)


@dataclass(frozen=True)
class Settings:
    """What a run is to do; none of it changes on the way.

    epochs; batch_size in sequences; max_norm: gradients are clipped to it (None: not); schedule: "linear" or
    "constant";
    patience: stop after so many epochs in which validation found nothing better (None: never); seed; shards: how many
    parts a batch's gradient is the sum of, see gradients.py: what a Trainer's executor can compute at once.

    >>> nb.Settings(epochs=10, patience=2)
    Settings(epochs=10, batch_size=32, max_norm=1.0, schedule='linear', patience=2, seed=0, shards=1)
    """

    epochs: int = 3
    batch_size: int = 32
    max_norm: float | None = 1.0
    schedule: Schedule = "linear"
    patience: int | None = None
    seed: int = 0
    shards: int = 1

    def __post_init__(self) -> None:
        limits = dict.fromkeys(("epochs", "batch_size", "patience", "shards"), (1, maxsize)) | {"seed": (0, inf)}
        for name, (least, most) in limits.items():
            value = getattr(self, name)
            if not (name == "patience" and value is None):
                object.__setattr__(self, name, require_size(name, value, least, most))  # frozen; of NumPy's an int
        if self.max_norm is not None:
            if isinstance(self.max_norm, str) or not self.max_norm > 0:
                raise ValueError(f"max_norm is {self.max_norm!r}; it needs to be above 0, or None")
            object.__setattr__(self, "max_norm", float(self.max_norm))
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule is {self.schedule!r}; it needs one of {', '.join(map(repr, SCHEDULES))}")


@dataclass
class Position:
    """Where a run stands: epochs done, batches done in this epoch, and what it has seen on the way.

    loss_sum: the batches' mean losses added up, in this epoch. epoch_start: the generator's state when the epoch began,
    from which its batches are drawn again after an interruption. history: one dict per epoch. best: the best that
    validation has found so far, None before; waited: epochs since.
    """

    epoch: int = 0
    batch: int = 0
    loss_sum: float = 0.0
    epoch_start: dict[str, Any] | None = None
    history: list[dict[str, float]] = field(default_factory=list)
    best: float | None = None
    waited: int = 0


class Trainer(Generic[AnyModel_co]):
    """Trains a model on sequences of what it reads and what it is to make of it, of (ids, labels), say.

        trainer = Trainer(model, Adam(0.01), Settings(epochs=3))
        trainer.train(data.train, data.valid)

    model: its params change in place. optimizer, settings: see there.
    position, rng, best_params: the rest of the state; best_params is a copy of the weights of the best epoch so far.
    carried: of a model with a window, the state in which the last batch ended, within an epoch; else None.
    metric: what validation measures, see metrics.py: that of the model; or with spans_of, the names of the classes,
        tags in BIO, BIOES or BMES, the F1 of the spans that they tell.
    executor: who computes the shards of each batch, settings.shards of them, see gradients.py: an executor of
        concurrent.futures, or a function that makes one, for as long as train lasts, and again where a worker's end has
        broken it; None: nobody else. The weights do not depend on it. They are sent once a step to each shard, so that
        as many shards as there are workers are best; and in each worker BLAS should use one thread,
        OPENBLAS_NUM_THREADS=1 in its environment. It pays for large models, see tutorials/guides/speed.md. It may be
        exchanged between two calls of train.

            Trainer(model, settings=Settings(shards=2), executor=lambda: ProcessPoolExecutor(2))
            Trainer(model, settings=Settings(shards=8), executor=client.get_executor())    of Dask, the extra `cluster`

    >>> rows = [(np.array([1, 2, 1]), np.array([0, 1, 0]))]
    >>> trainer = nb.Trainer(nb.SequenceTagger(3, 2, hidden_size=4, rng=0), nb.Adam(0.1), nb.Settings(epochs=20))
    >>> history = trainer.train(rows, show=False)
    >>> len(history), history[-1]["loss"] < history[0]["loss"]
    (20, True)
    """

    def __init__(
        self,
        model: AnyModel_co,
        optimizer: Optimizer | None = None,
        settings: Settings | None = None,
        *,
        spans_of: Sequence[str] | None = None,
        executor: Executor | Callable[[], Executor] | None = None,
    ) -> None:
        self.model = model
        self.optimizer = Adam(0.01) if optimizer is None else optimizer
        self.settings = Settings() if settings is None else settings
        self.position = Position()
        self.rng = np.random.default_rng(self.settings.seed)
        self.best_params: dict[str, np.ndarray] = {}
        self.carried: Any = None
        self.spans_of = None if spans_of is None else list(spans_of)
        self.metric = METRICS[model.metric] if self.spans_of is None else metric_of_spans(self.spans_of)
        if self.spans_of is not None and len(self.spans_of) != classes_per_step(model):
            has = f"has {classes_per_step(model)} at each step"
            raise ValueError(f"spans_of names {len(self.spans_of)} classes; the model {has}")
        self.executor = executor
        self._workers: Workers | None = None

    def __repr__(self) -> str:
        epochs = f"{self.position.epoch} of {self.settings.epochs} epochs done"
        return f"<Trainer of {self.model!r} by {self.optimizer!r}: {epochs}>"

    @property
    def finished(self) -> bool:
        """All epochs done, or patience at its end."""
        patience = self.settings.patience
        out_of_patience = patience is not None and self.position.waited >= patience
        return self.position.epoch >= self.settings.epochs or out_of_patience

    def train(
        self,
        train: Sequences,
        valid: Sequences = (),
        *,
        save: Callable[[], Any] | None = None,
        save_every: float = 20.0,
        should_stop: Callable[[], bool] = lambda: False,
        show: bool = True,
    ) -> list[dict[str, float]]:
        """Go on from the present position to the last epoch; then put the best epoch's weights into the model.

        valid: measured after each epoch, for patience and for the choice of the best epoch; without it the last is
        kept.
        save: called before the first batch, every save_every seconds, at the end of each epoch, and when stopped.
        should_stop: asked after each batch; where it says True, train saves and returns at once.
        show: a progress bar on standard error.

        -> the history: for each epoch {"epoch", "loss"} and, with valid, what the metric says: "valid_accuracy", say.

        Raises ValueError where there is nothing to train on or a sequence is broken, FloatingPointError where the loss
        or a weight is not finite, or too large to be computed with, ChildProcessError where the executor's workers are
        ended again and again.
        """
        show = require_bool("show", show)
        train, valid = list(train), list(valid)
        for name, sequences in (("train", train), ("valid", valid)):
            for n, (inputs, targets) in enumerate(sequences):
                self.model.require_sequence(f"{name}[{n}]", inputs, targets)
        if not save_every >= 0:
            raise ValueError(f"save_every is {save_every}; it needs to be at least 0 seconds")
        if not train:
            raise ValueError("train holds no sequences; there is nothing to train on")
        if self.executor is not None and self.settings.shards == 1:
            raise ValueError("executor goes with shards, of which settings has 1: that leaves nothing to be shared out")
        workers = nullcontext() if self.executor is None else Workers(self.executor)
        # what diverges gets a sentence; which kernels warn, and of what, differs
        with np.errstate(all="ignore"), workers as self._workers:
            self._run(train, valid, save, save_every, should_stop, show)
        if self.finished:
            for name, p in self.model.params.items():
                p[...] = self.best_params.get(name, p)
        return self.position.history

    def _run(
        self,
        train: Sequences,
        valid: Sequences,
        save: Callable[[], Any] | None,
        save_every: float,
        should_stop: Callable[[], bool],
        show: bool,
    ) -> None:
        """Epoch after epoch until finished or stopped."""
        saved = time.monotonic()
        if save is not None:
            save()
        while not self.finished:
            for _ in self._batches(train, show):
                stop = should_stop()
                if save is not None and (stop or time.monotonic() - saved > save_every):
                    self._require_finite()  # what was saved last is better than NaN
                    save()
                    saved = time.monotonic()
                if stop:
                    return
            self._end_epoch(valid)
            if show and valid:
                measured = self.position.history[-1][f"valid_{self.metric.name}"]
                tell(f"  validation {self.metric.told(measured)}\n")
            if save is not None:
                save()
                saved = time.monotonic()
            if should_stop():
                return

    def _batches(self, train: Sequences, show: bool) -> Any:
        """Train on what is left of this epoch, batch by batch, and yield after each, when all state is whole."""
        position, settings = self.position, self.settings
        if position.epoch_start is None:
            position.epoch_start = dict(self.rng.bit_generator.state)
            batches = self._drawn(train, self.rng)
        else:  # in the middle of an epoch: draw its order again, leave the generator where it is
            again = np.random.default_rng()
            again.bit_generator.state = position.epoch_start
            batches = self._drawn(train, again)
        if position.batch > len(batches):
            raise ValueError(
                f"the run stands at batch {position.batch} of an epoch; these sequences make {len(batches)}"
            )
        total = settings.epochs * len(batches)
        label = f"epoch {position.epoch + 1}/{settings.epochs}"
        with progress_bar(len(batches), position.batch, label, show) as bar:
            while position.batch < len(batches):
                done = position.epoch * len(batches) + position.batch
                loss = self._train_batch(batches[position.batch], done, total)
                position.batch += 1
                position.loss_sum += loss
                bar.set_postfix_str(f"loss {position.loss_sum / position.batch:.4f}", refresh=False)
                bar.update(1)
                yield

    def _drawn(self, train: Sequences, rng: np.random.Generator) -> Sequence[Sequences]:
        """An epoch's batches: of sequences of like length, or windows of streams."""
        size, window = self.settings.batch_size, self.model.window
        if window is not None:
            return stream_windows(train, size, window, rng)
        order = batch_order([len(inputs) for inputs, _ in train], size, rng)
        return [[train[n] for n in batch] for batch in order]

    def _train_batch(self, sequences: Sequences, done: int, total: int) -> float:
        """One step of the optimizer -> the batch's mean loss."""
        self.optimizer.settle(self.model.params, self.model.rows_read(sequences))
        shards = self.settings.shards
        if shards == 1:
            loss, grads, state = gradient(self.model, sequences, self.rng, state=self.carried)
        else:
            loss, grads, state = sharded_gradient(
                self.model, sequences, shards, self.rng, self._workers, state=self.carried
            )
        if not grads:
            self._diverged(f"the loss became {loss:.3g}")
        if self.settings.max_norm is not None:
            grads, _ = clip_by_global_norm(grads, self.settings.max_norm)
        self.carried = state
        self.optimizer.step(self.model.params, grads, SCHEDULES[self.settings.schedule](done, total))
        return float(loss)

    def _diverged(self, how: str) -> NoReturn:
        """Stop the run with a sentence; what was saved before stays."""
        place = f"epoch {self.position.epoch + 1}, batch {self.position.batch + 1}"
        raise FloatingPointError(f"{how} in {place}; a smaller learning rate usually helps")

    def _require_finite(self) -> None:
        """Stop the run where a weight is no longer a number that can be computed with."""
        for name, p in self.model.params.items():
            if overflows(p, p.dtype):
                grown = f"grew to {np.abs(p).max():.3g}" if np.isfinite(p).all() else "is no longer finite"
                self._diverged(f"{name} {grown}")

    def _end_epoch(self, valid: Sequences) -> None:
        """Measure, note it, and move to the next epoch."""
        position = self.position
        self.optimizer.settle(self.model.params)
        self._require_finite()
        record: dict[str, float] = {"epoch": position.epoch + 1, "loss": position.loss_sum / position.batch}
        if valid:
            if self.model.window is None:
                predicted = predict_sequences(self.model, [inputs for inputs, _ in valid])
            else:
                predicted = symbol_costs(self.model, valid)
            measured = self.metric.measure([targets for _, targets in valid], predicted)
            record[f"valid_{self.metric.name}"] = measured
            position.waited += 1
            if self.metric.better(measured, position.best):
                position.best, position.waited = measured, 0
                self.best_params = {name: p.copy() for name, p in self.model.params.items()}
        position.history.append(record)
        position.epoch, position.batch, position.loss_sum, position.epoch_start = position.epoch + 1, 0, 0.0, None
        self.carried = None


def classes_per_step(model: Model) -> int:
    """Of how many classes a model predicts one at each step; 0 for a model that does otherwise."""
    head = getattr(model, "head", None)
    if not isinstance(head, Head) or not model.predicts_per_step or model.metric != "accuracy":
        return 0
    return head.size


def count(model: SequenceModel | WordTagger, sequences: Sequences) -> np.ndarray:
    """counts[u, v]: how often the model took class u for class v in these sequences (V, V).

    Raises ValueError for a model that does not predict a class for each label.
    """
    predicted = predict_sequences(model, [ids for ids, _ in sequences])
    true = [labels for _, labels in sequences]
    labels, found = np.hstack(true), np.hstack(predicted)
    if model.metric != "accuracy" or labels.shape != found.shape:
        raise ValueError(f"model is {model!r}; it needs to predict a class for each label of the sequences")
    counts = labels != IGNORED
    return confusion(labels[counts], found[counts], model.linear.output_size)
