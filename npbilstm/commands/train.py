"""`npbilstm train`: a tagger from data to file, in a run that can be interrupted and resumed."""

from __future__ import annotations

import argparse
import dataclasses
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from types import FrameType
from typing import Any

import numpy as np

from npbilstm.commands.data import About, about_data, describe_data, load_again, load_data, read_about
from npbilstm.commands.options import Subparsers, add_command, add_max_bytes
from npbilstm.commands.terminal import require_free, require_place, say
from npbilstm.datasets import TaggedData
from npbilstm.files import only_writer, open_file, remove_leftovers
from npbilstm.inspector import printable
from npbilstm.layers import SequenceTagger
from npbilstm.layers.hollow import count_of_numbers, hollow_model
from npbilstm.layers.models import SequenceModel
from npbilstm.training import SGD, Adam, Settings, Trainer, accuracy, count, load_trainer, recall, save_checkpoint
from npbilstm.training.progress import tell

DEFAULTS: dict[str, Any] = {
    "data": None,
    "valid": None,
    "test": None,
    "columns": None,
    "out": "model.npz",
    "overwrite": False,
    "resume": None,
    "epochs": 3,
    "batch_size": 32,
    "cell": "lstm",
    "embedding_size": 32,
    "hidden_size": 64,
    "layers": 1,
    "one_direction": False,
    "dropout": 0.0,
    "optimizer": "adam",
    "learning_rate": None,
    "schedule": "linear",
    "clip": 1.0,
    "patience": None,
    "seed": 0,
    "characters": 500_000,
    "window": 128,
    "save_every": 20.0,
    "quiet": False,
    "max_bytes": None,
}
"""Of every option. What is not given stays out of the parsed ones, so that --resume can tell it from what is."""

INTERRUPTED = 130
"""The exit code of a command stopped by Ctrl-C, as shells have it."""


def add_arguments(commands: Subparsers) -> None:
    """The command's own options."""
    command = add_command(
        commands,
        "train",
        "train a tagger; Ctrl-C saves it, --resume goes on",
        "  npbilstm train --out python.npz                      Python's standard library, by character\n"
        "  npbilstm train my_project --out mine.npz             the .py files of a folder\n"
        "  npbilstm train tagged.txt --valid dev.txt --epochs 6 --embedding-size 64\n"
        "                                                       words and tags, two columns or CoNLL-U\n"
        "  npbilstm train conll2003.txt --columns 1,4           word and tag of more columns\n"
        "  npbilstm train --resume mine.npz                     go on where it stopped\n"
        "  npbilstm train --resume mine.npz --epochs 10         and for longer",
    )
    command.argument_default = argparse.SUPPRESS
    command.add_argument("data", nargs="?", help="a folder of .py files or a tagged-text file (the standard library)")

    def add(option: str, help: str, **kind: Any) -> None:
        default = DEFAULTS[option[2:].replace("-", "_")]
        shown = f" ({default})" if default not in (None, False) else ""
        command.add_argument(option, help=help + shown, **kind)

    add("--valid", "tagged text to validate on (a tenth of the data)", metavar="FILE")
    add("--test", "tagged text to test on (a tenth of the data)", metavar="FILE")
    add("--columns", "of tagged text, from 1 or by CoNLL-U's names (1,2, or FORM,UPOS)", metavar="WORD,TAG")
    add("--out", "the model's file, also its checkpoint", metavar="MODEL")
    add("--overwrite", "let --out replace a file that exists", action="store_true")
    add("--resume", "go on with this run; all its settings hold but --epochs", metavar="MODEL")
    add("--epochs", "times through the data", type=int, metavar="N")
    add("--batch-size", "sequences per batch", type=int, metavar="N")
    add("--cell", "what the layers are made of", choices=["lstm", "gru", "rnn"])
    add("--embedding-size", "numbers per symbol", type=int, metavar="N")
    add("--hidden-size", "units per direction", type=int, metavar="N")
    add("--layers", "stacked layers", type=int, metavar="N")
    add("--one-direction", "read forward only", action="store_true")
    add("--dropout", "before, between and after the layers", type=float, metavar="P")
    add("--optimizer", "how gradients change weights", choices=["adam", "sgd"])
    command.add_argument("--optimiser", dest="optimizer", choices=["adam", "sgd"], help=argparse.SUPPRESS)
    add("--learning-rate", "(0.01 for adam, 0.5 for sgd)", type=float, metavar="RATE")
    add("--schedule", "the learning rate's way down", choices=["linear", "constant"])
    add("--clip", "largest norm of the gradient, 0 for any", type=float, metavar="NORM")
    add("--patience", "stop after so many epochs without a better validation accuracy (never)", type=int, metavar="N")
    add("--seed", "same seed, same bytes", type=int, metavar="N")
    add("--characters", "of Python source to take", type=int, metavar="N")
    add("--window", "characters per sequence of Python source", type=int, metavar="N")
    add("--save-every", "between checkpoints", type=float, metavar="SECONDS")
    add("--quiet", "no progress bars, no table", action="store_true")
    add_max_bytes(command)
    command.set_defaults(run=run)


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
        tell("\nStopping after this batch ...\n")


@contextmanager
def stop_on_interrupt() -> Iterator[StopFlag]:
    """Within it, Ctrl-C sets the flag instead of interrupting."""
    flag = StopFlag()
    before = signal.signal(signal.SIGINT, flag.handle)
    try:
        yield flag
    finally:
        signal.signal(signal.SIGINT, before)


def start(options: Any) -> tuple[Trainer, TaggedData, About]:
    """A new run from the command line's options. Raises ValueError or OSError for those that cannot be."""
    inputs = [options.data, options.valid, options.test]
    require_free("--out", options.out, options.overwrite, inputs, f"go on with --resume {quote(options.out)}, ")
    if not options.save_every >= 0:
        raise ValueError(f"--save-every is {options.save_every}; it needs to be at least 0 seconds")
    settings = Settings(
        epochs=options.epochs,
        batch_size=options.batch_size,
        max_norm=options.clip or None,
        schedule=options.schedule,
        patience=options.patience,
        seed=options.seed,
    )
    make, usual_rate = {"adam": (Adam, 0.01), "sgd": (SGD, 0.5)}[options.optimizer]
    optimizer = make(usual_rate if options.learning_rate is None else options.learning_rate)
    description = describe_data(
        options.data,
        options.valid,
        options.test,
        options.characters,
        options.window,
        options.seed,
        options.columns,
    )
    data = load_data(description)
    arguments = {
        "num_symbols": len(data.vocabulary),
        "num_classes": len(data.classes),
        "cell": options.cell,
        "embedding_size": options.embedding_size,
        "hidden_size": options.hidden_size,
        "num_layers": options.layers,
        "bidirectional": not options.one_direction,
        "dropout": options.dropout,
    }
    require_memory(count_of_numbers(hollow_model(SequenceTagger, **arguments)))
    model = SequenceTagger(**arguments, rng=options.seed)
    return Trainer(model, optimizer, settings), data, about_data(data, description)


def require_memory(numbers: int) -> None:
    """Raise MemoryError where training a model of so many numbers needs more memory than the machine has: it would be
    taken little by little, until the system ends this process or another one.

    A number takes 16 bytes in float32: itself, its gradient, and what Adam remembers of it.
    """
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # a system that does not say
        memory = sys.maxsize
    if 16 * numbers > memory:
        raise MemoryError(f"a model of {numbers:,} numbers takes {16 * numbers:,} bytes to train, of {memory:,}")


def resume(options: Any, epochs: int | None) -> tuple[Trainer, TaggedData, About]:
    """The run in options.resume, perhaps for more epochs. Raises ValueError where its data has changed."""
    path = Path(options.resume)
    trainer, said = load_trainer(path, options.max_bytes)
    about = read_about(path, said, trainer.model)
    if epochs is not None:
        if epochs < trainer.position.epoch:
            raise ValueError(f"--epochs is {epochs}; {path} has {trainer.position.epoch} epochs behind it already")
        trainer.settings = dataclasses.replace(trainer.settings, epochs=epochs)
    return trainer, load_again(path, about), about


def print_scores(model: SequenceModel, data: TaggedData) -> None:
    """The test part's accuracy, and each class's share that was recognised."""
    counts = count(model, data.test)
    width = max(len(name) for name in data.classes)
    say(f"\n{'class':{width}}  {'in test':>8}  recognised")
    for name, total, share in zip(data.classes, counts.sum(axis=1), recall(counts)):
        say(f"{name:{width}}  {total:8,}  {'-' if np.isnan(share) else f'{share:.1%}':>10}")
    say(f"{'all':{width}}  {counts.sum():8,}  {accuracy(counts):>10.1%}")


def run(options: argparse.Namespace) -> int:
    """Start or resume a run, train to its end or to Ctrl-C, print what came of it. -> the exit code."""
    given = set(vars(options))
    fixed = given - {"command", "run", "resume", "epochs", "save_every", "quiet", "max_bytes"}
    if "resume" in given and fixed:
        names = ", ".join("DATA" if name == "data" else "--" + name.replace("_", "-") for name in sorted(fixed))
        raise ValueError(
            f"{names} cannot be changed on the way; --resume goes on with the settings in {options.resume}"
        )
    epochs = options.epochs if "epochs" in given else None
    options = argparse.Namespace(**{**DEFAULTS, **vars(options)})
    if options.resume is None:
        require_place("--out", options.out)
    else:
        open_file(options.resume).close()  # there is a file to go on with
    path = Path(options.out if options.resume is None else options.resume)
    with only_writer(path):
        remove_leftovers(path)
        return train(path, *(start(options) if options.resume is None else resume(options, epochs)), options)


def train(path: Path, trainer: Trainer, data: TaggedData, about: About, options: argparse.Namespace) -> int:
    """Go on with a run, to its end or to Ctrl-C. -> the exit code."""
    for note in data.notes:
        tell(f"{printable(note)}\n")
    show = not options.quiet
    if show:
        symbols = sum(len(ids) for ids, _ in data.train)
        say(f"{data.name}: {len(data.train):,} sequences of {symbols:,} symbols, {len(data.classes)} classes")
        say(f"{trainer.model!r}: {trainer.model.num_parameters:,} parameters")
        if options.resume is not None:
            position, epochs = trainer.position, trainer.settings.epochs
            if trainer.finished:
                why = "all its epochs are done" if position.epoch >= epochs else "its patience came to its end"
                say(f"Nothing is left to train: {why} ({position.epoch} of {epochs} epochs).")
            else:
                say(f"Going on from epoch {position.epoch + 1} of {epochs}, batch {position.batch}.")
    with stop_on_interrupt() as stopped:
        trainer.train(
            data.train,
            data.valid,
            save=lambda: save_checkpoint(path, trainer, about.to_json()),
            save_every=options.save_every,
            should_stop=stopped,
            show=show,
        )
    if not trainer.finished:
        tell(f"Stopped; all is saved in {path}. Go on with: npbilstm train --resume {quote(str(path))}\n")
        return INTERRUPTED
    if show:
        print_scores(trainer.model, data)
        say(f"\nSaved {path}. Try it: npbilstm tag {quote(str(path))} FILE")
    return 0
