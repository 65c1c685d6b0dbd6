"""The training loop, in a form that can stop at any batch and go on as if it had not.

Whatever the next batch depends on is in the Trainer: weights, the optimizer's memory, where in the epoch it stands,
and the random generator. checkpoints.py writes exactly that to a file. The same seed gives the same bytes, interrupted
or not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from sys import maxsize
from typing import Any, NoReturn

import numpy as np

from npbilstm.layers.checks import require_bool, require_ids, require_size
from npbilstm.layers.models import SequenceModel
from npbilstm.textbook.losses import softmax_cross_entropy_backward, softmax_cross_entropy_forward
from npbilstm.textbook.sequences import as_array
from npbilstm.training.batches import batch_order, pad
from npbilstm.training.clipping import clip_by_global_norm
from npbilstm.training.evaluation import accuracy, confusion, predict_sequences
from npbilstm.training.optimizers import Adam, Optimizer
from npbilstm.training.progress import progress_bar, tell
from npbilstm.training.schedules import SCHEDULES, Schedule

Sequences = Sequence[tuple[np.ndarray, Any]]
"""Pairs of ids (T,) and labels: (T,) for a tagger, one integer for a classifier."""


@dataclass(frozen=True)
class Settings:
    """What a run is to do; none of it changes on the way.

    epochs; batch_size in sequences; max_norm: gradients are clipped to it (None: not); schedule: "linear" or
    "constant";
    patience: stop after so many epochs without a better validation accuracy (None: never); seed.

    >>> nb.Settings(epochs=10, patience=2)
    Settings(epochs=10, batch_size=32, max_norm=1.0, schedule='linear', patience=2, seed=0)
    """

    epochs: int = 3
    batch_size: int = 32
    max_norm: float | None = 1.0
    schedule: Schedule = "linear"
    patience: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        limits = {"epochs": (1, maxsize), "batch_size": (1, maxsize), "patience": (1, maxsize), "seed": (0, inf)}
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
    from which its batches are drawn again after an interruption. history: one dict per epoch. best: the best validation
    accuracy so far; waited: epochs since.
    """

    epoch: int = 0
    batch: int = 0
    loss_sum: float = 0.0
    epoch_start: dict[str, Any] | None = None
    history: list[dict[str, float]] = field(default_factory=list)
    best: float = -1.0
    waited: int = 0


class Trainer:
    """Trains a tagger or a classifier on sequences of (ids, labels).

        trainer = Trainer(model, Adam(0.01), Settings(epochs=3))
        trainer.train(data.train, data.valid)

    model: its params change in place. optimizer, settings: see there.
    position, rng, best_params: the rest of the state; best_params is a copy of the weights of the best epoch so far.

    >>> rows = [(np.array([1, 2, 1]), np.array([0, 1, 0]))]
    >>> trainer = nb.Trainer(nb.SequenceTagger(3, 2, hidden_size=4, rng=0), nb.Adam(0.1), nb.Settings(epochs=20))
    >>> history = trainer.train(rows, show=False)
    >>> len(history), history[-1]["loss"] < history[0]["loss"]
    (20, True)
    """

    def __init__(
        self, model: SequenceModel, optimizer: Optimizer | None = None, settings: Settings | None = None
    ) -> None:
        self.model = model
        self.optimizer = Adam(0.01) if optimizer is None else optimizer
        self.settings = Settings() if settings is None else settings
        self.position = Position()
        self.rng = np.random.default_rng(self.settings.seed)
        self.best_params: dict[str, np.ndarray] = {}

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

        -> the history: for each epoch {"epoch", "loss"} and, with valid, "valid_accuracy".

        Raises ValueError where there is nothing to train on or a sequence is broken, FloatingPointError where the loss
        or a weight is not finite, or too large to be computed with.
        """
        show = require_bool("show", show)
        train, valid = list(train), list(valid)
        require_sequences("train", train, self.model)
        require_sequences("valid", valid, self.model)
        if not save_every >= 0:
            raise ValueError(f"save_every is {save_every}; it needs to be at least 0 seconds")
        if not train:
            raise ValueError("train holds no sequences; there is nothing to train on")
        with np.errstate(all="ignore"):  # what diverges gets a sentence; which kernels warn, and of what, differs
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
                tell(f"  validation accuracy {self.position.history[-1]['valid_accuracy']:.2%}\n")
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
            order = batch_order([len(ids) for ids, _ in train], settings.batch_size, self.rng)
        else:  # in the middle of an epoch: draw its order again, leave the generator where it is
            again = np.random.default_rng()
            again.bit_generator.state = position.epoch_start
            order = batch_order([len(ids) for ids, _ in train], settings.batch_size, again)
        if position.batch > len(order):
            raise ValueError(f"the run stands at batch {position.batch} of an epoch; these sequences make {len(order)}")
        total = settings.epochs * len(order)
        label = f"epoch {position.epoch + 1}/{settings.epochs}"
        with progress_bar(len(order), position.batch, label, show) as bar:
            while position.batch < len(order):
                done = position.epoch * len(order) + position.batch
                loss = self._train_batch([train[n] for n in order[position.batch]], done, total)
                position.batch += 1
                position.loss_sum += loss
                bar.set_postfix_str(f"loss {position.loss_sum / position.batch:.4f}", refresh=False)
                bar.update(1)
                yield

    def _train_batch(self, sequences: Sequences, done: int, total: int) -> float:
        """One step of the optimizer -> the batch's mean loss."""
        ids, lengths = pad([ids for ids, _ in sequences])
        labels = [labels for _, labels in sequences]
        logits, cache = self.model.forward(ids, lengths, training=True, rng=self.rng)
        if self.model.label_per_step:
            loss, loss_cache = softmax_cross_entropy_forward(logits, pad(labels)[0], lengths)
        else:
            loss, loss_cache = softmax_cross_entropy_forward(logits, np.array(labels))
        if overflows(loss, logits.dtype):
            self._diverged(f"the loss became {loss:.3g}")
        _, grads = self.model.backward(softmax_cross_entropy_backward(1.0, loss_cache), cache)
        if self.settings.max_norm is not None:
            grads, _ = clip_by_global_norm(grads, self.settings.max_norm)
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
        self._require_finite()
        record: dict[str, float] = {"epoch": position.epoch + 1, "loss": position.loss_sum / position.batch}
        if valid:
            record["valid_accuracy"] = accuracy(count(self.model, valid))
            position.waited += 1
            if record["valid_accuracy"] > position.best:
                position.best, position.waited = record["valid_accuracy"], 0
                self.best_params = {name: p.copy() for name, p in self.model.params.items()}
        position.history.append(record)
        position.epoch, position.batch, position.loss_sum, position.epoch_start = position.epoch + 1, 0, 0.0, None


def overflows(numbers: Any, dtype: np.dtype) -> bool:
    """Whether a number among these is not finite, or so large that the product with another like it would not be.

    Past that point it depends on the processor, on the order of its additions, where the first infinity shows.
    """
    return not (np.abs(numbers) < np.sqrt(np.finfo(dtype).max)).all()


def count(model: SequenceModel, sequences: Sequences) -> np.ndarray:
    """counts[u, v]: how often the model took class u for class v in these sequences (V, V)."""
    predicted = predict_sequences(model, [ids for ids, _ in sequences])
    true = [labels for _, labels in sequences]
    return confusion(np.hstack(true), np.hstack(predicted), model.linear.output_size)


def require_sequences(name: str, sequences: Sequences, model: SequenceModel) -> None:
    """Raise ValueError for the first sequence that this model cannot be trained on."""
    V = model.linear.output_size
    for n, (ids, labels) in enumerate(sequences):
        require_ids(f"{name}[{n}]'s ids", ids, model.embedding.num_embeddings)
        labels = as_array(f"{name}[{n}]'s labels", labels)
        if labels.dtype.kind not in "iu":
            raise TypeError(f"{name}[{n}] has labels of dtype {labels.dtype}; it needs integers, each a class")
        needed = np.shape(ids) if model.label_per_step else ()
        if labels.shape != needed:
            raise ValueError(f"{name}[{n}] has labels of shape {labels.shape}; for these ids the model needs {needed}")
        if labels.size and not (labels.min() >= 0 and labels.max() < V):
            outside = labels.max() if labels.min() >= 0 else labels.min()
            raise ValueError(f"{name}[{n}] has class {outside}; the model has classes 0 to {V - 1}")
