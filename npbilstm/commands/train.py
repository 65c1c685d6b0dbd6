"""`npbilstm train`: a tagger from data to file, in a run that can be interrupted and resumed."""

from __future__ import annotations

import dataclasses
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from npbilstm.commands.data import about, describe_data, fingerprint, load_data
from npbilstm.datasets import TaggedData
from npbilstm.layers import SequenceTagger
from npbilstm.layers.models import SequenceModel
from npbilstm.training import SGD, Adam, Settings, Trainer, accuracy, count, load_trainer, recall, save_checkpoint
from npbilstm.training.checkpoints import remove_leftovers

INTERRUPTED = 130
"""The exit code of a command stopped by Ctrl-C, as shells have it."""


class StopFlag:
    """Set by the first Ctrl-C; a second one interrupts for good."""

    def __init__(self) -> None:
        self.set = False

    def __call__(self) -> bool:
        return self.set

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler: let the batch at hand finish, so that what is saved is whole."""
        self.set = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("\nStopping after this batch ...", file=sys.stderr, flush=True)


@contextmanager
def stop_on_interrupt() -> Iterator[StopFlag]:
    """Within it, Ctrl-C sets the flag instead of interrupting."""
    flag = StopFlag()
    before = signal.signal(signal.SIGINT, flag.handle)
    try:
        yield flag
    finally:
        signal.signal(signal.SIGINT, before)


def start(options: Any) -> tuple[Trainer, TaggedData, dict[str, Any], Path]:
    """A new run from the command line's options. Raises ValueError or OSError for those that cannot be."""
    out = Path(options.out)
    if out.exists() and not options.overwrite:
        raise ValueError(f"{out} exists; go on with --resume {out}, choose another --out, or allow it with --overwrite")
    if not out.absolute().parent.is_dir():
        raise FileNotFoundError(2, "--out needs a folder that exists", str(out.parent))
    settings = Settings(
        epochs=options.epochs,
        batch_size=options.batch_size,
        max_norm=options.clip or None,
        schedule=options.schedule,
        patience=options.patience,
        seed=options.seed,
    )
    make, usual_rate = {"adam": (Adam, 0.01), "sgd": (SGD, 0.5)}[options.optimiser]
    optimiser = make(usual_rate if options.learning_rate is None else options.learning_rate)
    description = describe_data(
        options.data, options.valid, options.test, options.characters, options.window, options.seed
    )
    data = load_data(description)
    model = SequenceTagger(
        len(data.vocabulary),
        len(data.classes),
        embedding_size=options.embedding_size,
        hidden_size=options.hidden_size,
        num_layers=options.layers,
        bidirectional=not options.one_direction,
        dropout=options.dropout,
        rng=options.seed,
    )
    return Trainer(model, optimiser, settings), data, about(data, description), out


def resume(options: Any, epochs: int | None) -> tuple[Trainer, TaggedData, dict[str, Any], Path]:
    """The run in options.resume, perhaps for more epochs. Raises ValueError where its data has changed."""
    path = Path(options.resume)
    trainer, said = load_trainer(path)
    if not isinstance(said.get("data"), dict) or "fingerprint" not in said["data"]:
        raise ValueError(f"{path} does not say what data it was trained on; only runs of npbilstm train can be resumed")
    if epochs is not None:
        if epochs < trainer.position.epoch:
            raise ValueError(f"--epochs is {epochs}; {path} has {trainer.position.epoch} epochs behind it already")
        trainer.settings = dataclasses.replace(trainer.settings, epochs=epochs)
    data = load_data(said["data"])
    if fingerprint(data) != said["data"]["fingerprint"]:
        source = said["data"].get("train") or said["data"].get("folder") or "the standard library"
        raise ValueError(f"{source} is not what it was when {path} was begun; the run cannot be resumed on other data")
    return trainer, data, said, path


def print_scores(model: SequenceModel, data: TaggedData) -> None:
    """The test part's accuracy, and each class's share that was recognised."""
    counts = count(model, data.test)
    width = max(len(name) for name in data.classes)
    print(f"\n{'class':{width}}  {'in test':>8}  recognised")
    for name, total, share in zip(data.classes, counts.sum(axis=1), recall(counts)):
        print(f"{name:{width}}  {total:8,}  {'-' if np.isnan(share) else f'{share:.1%}':>10}")
    print(f"{'all':{width}}  {counts.sum():8,}  {accuracy(counts):>10.1%}")


def run_train(options: Any, epochs_given: bool) -> int:
    """Start or resume a run, train to its end or to Ctrl-C, print what came of it. -> the exit code."""
    if options.resume:
        trainer, data, said, path = resume(options, options.epochs if epochs_given else None)
    else:
        trainer, data, said, path = start(options)
    remove_leftovers(path)
    show = not options.quiet
    if show:
        symbols = sum(len(ids) for ids, _ in data.train)
        print(f"{data.name}: {len(data.train):,} sequences of {symbols:,} symbols, {len(data.classes)} classes")
        print(f"{trainer.model!r}: {trainer.model.num_parameters:,} parameters")
        if options.resume:
            position = trainer.position
            print(f"Going on after epoch {position.epoch} of {trainer.settings.epochs}, batch {position.batch}.")
    with stop_on_interrupt() as stopped:
        trainer.train(
            data.train,
            data.valid,
            save=lambda: save_checkpoint(path, trainer, said),
            save_every=options.save_every,
            should_stop=stopped,
            show=show,
        )
    if not trainer.finished:
        print(f"Stopped; all is saved in {path}. Go on with: npbilstm train --resume {path}", file=sys.stderr)
        return INTERRUPTED
    if show:
        print_scores(trainer.model, data)
        print(f"\nSaved {path}. Try it: npbilstm tag {path} FILE")
    return 0
