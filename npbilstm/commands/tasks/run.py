"""A run of `npbilstm train`, whatever is trained; and what all tasks make of the same options."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from npbilstm.models.model import Sequences
from npbilstm.training import SGD, Adam, Optimizer, Settings, Trainer, accuracy, recall


@dataclass(frozen=True)
class Run:
    """trainer: where the run stands. train, valid: its sequences. about: what the model's file says of them.

    headline: a line on the data. report: lines on how good the model is, made when it is trained. hint: what to do
    with it next. notes: sentences on the data that its user should know.
    """

    trainer: Trainer[Any]
    train: Sequences
    valid: Sequences
    about: dict[str, Any]
    headline: str
    report: Callable[[], list[str]]
    hint: str
    notes: Sequence[str] = ()


def settings_of(options: Any) -> Settings:
    """Of the options that every run has. Raises ValueError for those that cannot be."""
    return Settings(
        epochs=options.epochs,
        batch_size=options.batch_size,
        max_norm=options.clip or None,
        schedule=options.schedule,
        patience=options.patience,
        seed=options.seed,
        shards=options.workers,
    )


def optimizer_of(options: Any, adam_rate: float = 0.01, sgd_rate: float = 0.5) -> Optimizer:
    """Likewise; with the rates that are usual where none is given."""
    rate = options.learning_rate
    if options.optimizer == "sgd":
        return SGD(sgd_rate if rate is None else rate)
    return Adam(adam_rate if rate is None else rate)


def recurrent_arguments(options: Any) -> dict[str, Any]:
    """What a model takes for its recurrent layers."""
    return {
        "cell": options.cell,
        "hidden_size": options.hidden_size,
        "num_layers": options.layers,
        "bidirectional": not options.one_direction,
        "dropout": options.dropout,
    }


def require_memory(numbers: int) -> None:
    """Raise MemoryError where training a model of so many numbers needs more memory than the machine has: it would be
    taken little by little, until the system ends this process or another one.

    A number takes 16 bytes in float32: itself, its gradient, and what Adam remembers of it.
    """
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        memory = -1
    if memory <= 0:  # a system that does not say, or has no number so large, as WebAssembly
        memory = sys.maxsize
    if 16 * numbers > memory:
        raise MemoryError(f"a model of {numbers:,} numbers takes {16 * numbers:,} bytes to train, of {memory:,}")


def recognised(classes: Sequence[str], counts: np.ndarray) -> list[str]:
    """The test part's accuracy, and each class's share that was recognised, as lines."""
    width = max(len(name) for name in classes)
    lines = [f"{'class':{width}}  {'in test':>8}  recognised"]
    for name, total, share in zip(classes, counts.sum(axis=1), recall(counts)):
        lines.append(f"{name:{width}}  {total:8,}  {'-' if np.isnan(share) else f'{share:.1%}':>10}")
    every = f"{accuracy(counts):.1%}" if counts.any() else "-"
    return [*lines, f"{'all':{width}}  {counts.sum():8,}  {every:>10}"]
